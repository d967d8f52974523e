"""Typed values of Swift are the MessagePack of Python's msgpack, byte for byte, in both directions and through files.

TypedValues (Tests/TypedValues) says what Swift makes of a table of values, and this file has the same table. It stands for
Rust's rmp_serde::to_vec_named too, which cannot be run here: both packages write each integer, length and count in
its shortest encoding, a struct as a map of its names, None as nil, f64 as float64 and f32 as float32.

The program is named by the environment variable TYPED_VALUES, or is .build/debug/TypedValues.
"""

import datetime
import os
import re
import struct
import subprocess
from pathlib import Path

import fusedb
import msgpack
import pytest
from msgpack import ExtType, Timestamp

from conftest import ROOT
from spelling import pack_array_head, pack_map_head


class F32(float):
    """A float of 32 bits. msgpack has one setting for a whole value, so values with these are packed in parts."""


def pack(value):
    if isinstance(value, F32):
        return msgpack.packb(float(value), use_single_float=True)
    if has_single(value):
        if isinstance(value, dict):
            return pack_map_head(len(value)) + b"".join(pack(key) + pack(part) for key, part in value.items())
        return pack_array_head(len(value)) + b"".join(map(pack, value))
    return msgpack.packb(value, use_bin_type=True)


def has_single(value):
    if isinstance(value, dict):
        return any(map(has_single, value.values()))
    return isinstance(value, F32) or isinstance(value, list) and any(map(has_single, value))


class Program:
    def __init__(self):
        self.path = Path(os.environ.get("TYPED_VALUES") or ROOT / ".build" / "debug" / "TypedValues").resolve()

    def __call__(self, *arguments, lines=()):
        assert self.path.is_file(), f"no program at {self.path}; build it, or name it with TYPED_VALUES=…"
        text = "".join(f"{line}\n" for line in lines)
        run = subprocess.run([self.path, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        return run.stdout.splitlines()

    def recode(self, values):
        """The bytes that a Model of each of `values` is encoded to; a text where it is refused."""
        answers = self("recode", lines=[value.hex() for value in values])
        assert len(answers) == len(values)
        return [answer if answer.startswith("error ") else bytes.fromhex(answer) for answer in answers]


@pytest.fixture(scope="session")
def program():
    return Program()


# --- The table ---

COUNTS = [0, 1, 15, 16, 65535, 65536]
LENGTHS = [0, 1, 31, 32, 255, 256, 65535, 65536]
TEXTS = ["é", "e\u0301", "日本語", "👩‍👩‍👧‍👦", "\0", "\U0010ffff", 'a"\\\n', "ключ"]


def ordered(pairs):
    """A dictionary whose names are in the order of their bytes, as those of Swift's dictionaries are written."""
    return dict(sorted(pairs.items(), key=lambda pair: pair[0].encode() if isinstance(pair[0], str) else pair[0]))


def integers():
    """Each integer where an encoding or a type ends, and its neighbours, in every type that holds it."""
    edges = {0, 1, -1}
    for bits in (5, 7, 8, 15, 16, 31, 32, 63, 64):
        edges |= {sign * 2**bits + step for sign in (1, -1) for step in (-1, 0, 1)}
    for number in edges:
        # MessagePack's integers end here.
        if not -(2**63) <= number < 2**64:
            continue
        for bits in (8, 16, 32, 64, 128):
            if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
                yield f"Int{bits} {number}", number
            if 0 <= number < 2**bits:
                yield f"UInt{bits} {number}", number
        if number < 2**63:
            yield f"Int {number}", number
        if number >= 0:
            yield f"UInt {number}", number


def scalars():
    yield from integers()
    yield "true", True
    yield "false", False
    for length in LENGTHS:
        yield f"string {length}", "s" * length
        for kind in ("bytes", "data", "part of data", "contiguous"):
            yield f"{kind} {length}", b"\xa5" * length
    for text in TEXTS:
        yield f"text {text.encode().hex()}", text
    # Numbers by their bits: zero, one, 0.1, subnormals and their edge, the largest, infinities, NaN with and without a payload.
    for bits in (
        *(0x0, 0x8000000000000000, 0x3FF0000000000000, 0x3FB999999999999A, 0x1, 0x000FFFFFFFFFFFFF, 0x0010000000000000),
        *(0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000, 0xFFF8000000000001),
        *(0x4340000000000000, 0x3FF8000000000000, 0x4014000000000000),
    ):  # fmt: skip
        yield f"double {bits}", struct.unpack(">d", bits.to_bytes(8, "big"))[0]
    for bits in (
        *(0x0, 0x80000000, 0x3F800000, 0x3DCCCCCD, 0x1, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x7F800000, 0xFF800000),
        *(0x7FC00000, 0x40A00000),
    ):  # fmt: skip
        yield f"float {bits}", F32(struct.unpack(">f", bits.to_bytes(4, "big"))[0])


def containers():
    for count in COUNTS:
        yield f"array {count}", list(range(count))
        yield f"strings {count}", [f"n{i}" for i in range(count)]
        yield f"by name {count}", ordered({f"n{i}": i for i in range(count)})
        yield f"by number {count}", {i: i for i in range(count)}
        yield f"set {count}", list(range(count))
        yield f"struct array {count}", [{"left": i, "right": None} for i in range(count)]
    yield "nested arrays", [[[1, 2], []], [], [[3]]]
    yield "nested maps", {"a": {}, "b": {"x": [], "y": [1]}}
    deep = []
    for _ in range(127):
        deep = [deep]
    yield "deep", deep
    yield "nil", None
    yield "some", 5
    yield "some nil", None
    yield "optional array", [1, None, 3]
    yield "optional values", {"a": 1, "b": None}
    yield "absent members", {"left": 1, "right": None}
    yield "present members", {"left": 1, "right": "r"}
    yield "keys of Int", {-40: "d", -1: "a", 5: "c", 300: "b", 70000: "e"}
    yield "keys of UInt8", {3: 2, 200: 1}
    yield "keys of Int64", {-(2**63): 1, 0: 3, 2**63 - 1: 2}
    yield "keys of Bool", {False: 2, True: 1}
    yield "keys of Double", {0.5: 2, 1.5: 1}
    yield "keys of an enum", {"blue": 3, "green": 2, "red": 1}
    yield "keys with text", {"due": 1, "uno": 2}
    yield "keys with numbers for text", {"10": 1, "2": 2}
    yield "keys of String", ordered({"b": 1, "a": 2, "": 3, "aa": 4, "é": 5, "Z": 6, "a" * 40: 7})
    # A dictionary for a key is more than Python has; its parts are put together.
    yield "keys of a struct", Packed(
        pack_map_head(2) + pack({"left": 1, "right": "x"}) + pack(2) + pack({"left": 2, "right": None}) + pack(1)
    )
    yield "set of strings", sorted(["b", "a", "", "é", "aa", "a" * 40], key=str.encode)
    yield "set of integers", [-40, -1, 5, 300, 70000]
    yield "set of mixed values", ["a", "b", -200, -1, 5, 200, None, True, 1.5]


class Packed(bytes):
    """What is packed already."""


def types():
    yield "enum with text", ["red", "blue"]
    yield "enum with a number", [2, 10]
    yield "enum without values", {"empty": {}}
    yield "enum with a labelled value", {"circle": {"radius": 1.5}}
    yield "enum with values", [{"tagged": {"_0": 7, "name": "n"}}, {"tagged": {"_0": 8, "name": None}}]
    both = {"both": {"_0": {"circle": {"radius": 2.0}}, "_1": {"empty": {}}}}
    yield "enum in itself", {"both": {"_0": {"empty": {}}, "_1": both}}
    yield "class", {"name": "cat"}
    yield "subclass", {"age": 3, "super": {"name": "rex"}, "legs": 4}
    yield "subclass in one map", {"name": "tom", "lives": 9}
    first = {"other": 2, "last": "late"}
    items = ["a", {"last": True}, list(range(20)), None]
    yield "containers out of order", {"first": first, "list": items, "middle": 1, "other": "single", "last": [3]}
    yield "tuple as array", [1, "two", 3.0, 4.0]
    yield "empty struct", {}
    yield "wrapped", {"inner": {"wrappedValue": 300}}
    yield "option set", [5, 0]
    yield "range", [3, 7]
    yield "vector", [1, -2, 3, -4]
    yield "renamed members", {"1.st": 1, "два": 2}
    yield "half", [F32(1.5)]


def moments():
    for seconds, nanoseconds in (
        *((0, 0), (0, 1), (0, 999_999_999), (-1, 0), (-1, 5), (2**32 - 1, 0), (2**32, 0), (2**32, 7)),
        *((2**34 - 1, 999_999_999), (2**34, 0), (2**34, 1), (1_795_277_472, 250_000_000)),
        *((2**63 - 1, 0), (-(2**63), 999_999_999)),
    ):
        yield f"timestamp {seconds} {nanoseconds}", Timestamp(seconds, nanoseconds)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    for seconds in (0.0, -1.0, 978307200.0, 1795277472.0, 1795277472.25, 4294967296.0, -62135596800.0):
        moment = epoch + datetime.timedelta(seconds=seconds)
        yield f"date {seconds}", Timestamp.from_datetime(moment)
        yield f"date as seconds {seconds}", seconds
        fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
        yield f"date as text {seconds}", f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}{fraction}Z"
        yield f"date as its own {seconds}", seconds - 978307200
    yield "dates", {"a": [Timestamp(5, 0)]}
    yield "dates by seconds", {"a": 5.0}


def dynamic():
    everything = {
        "nil": None, "yes": True, "int": -5, "uint": 2**64 - 1, "single": F32(0.1), "double": 0.1, "text": "日本",
        "bin": b"\x00\xff", "list": [1, [2, []]], "map": {1: "one", None: {}, 1.5: False}, "ext": ExtType(5, b"\1\2\3"),
        "time": Timestamp(1, 2),
    }  # fmt: skip
    yield "dynamic", everything
    yield "dynamic in a list", [everything, None]
    yield "dynamic values by name", {"a": 5, "b": everything}
    for count in (0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65536):
        # Python's own types begin at 0; MessagePack's at -128.
        head = bytearray(msgpack.packb(ExtType(0, b"\7" * count)))
        head[len(head) - count - 1] = 0x80
        yield f"extension of {count}", Packed(head)


GROUPS = [scalars, containers, types, moments, dynamic]


@pytest.fixture(scope="session")
def rows(program):
    pairs = [line.split("\t") for line in program("table")]
    assert len(dict(pairs)) == len(pairs), "a name stands twice"
    return dict(pairs)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_typed_values_are_the_bytes_of_python(rows, group):
    for name, value in group():
        expected = bytes(value) if isinstance(value, Packed) else pack(value)
        assert rows[name] == expected.hex(), name


def test_both_tables_have_the_same_rows(rows):
    assert set(rows) == {name for group in GROUPS for name, _ in group()}


# --- Models ---


def text(rng):
    length = rng.choice([0, 1, 5, 31, 32, 40, 255, 256, 300])
    return "".join(rng.choices("abcxyz .\\-_0189äß日本👩", k=rng.randrange(length + 1)))


def number(rng, low, high):
    """An integer of a random width, between two."""
    width = rng.randrange(high.bit_length() + 1)
    return max(low, min(high, rng.choice([1, -1]) * rng.getrandbits(width)))


def double(rng):
    # Infinities and negative zero, not NaN: files are compared as Python's values too.
    return rng.choice([0.0, -0.0, 1.5, rng.random(), rng.uniform(-1e300, 1e300), float("inf"), 5e-324, float(rng.getrandbits(40))])


def single(rng):
    return F32(struct.unpack(">f", struct.pack(">f", rng.choice([0.0, 0.1, 1.5, rng.uniform(-1e30, 1e30)])))[0])


def shape(rng, depth=0):
    kind = rng.randrange(4 if depth < 3 else 3)
    if kind == 0:
        return {"empty": {}}
    if kind == 1:
        return {"circle": {"radius": double(rng)}}
    if kind == 2:
        return {"tagged": {"_0": number(rng, -(2**63), 2**63 - 1), "name": rng.choice([None, text(rng)])}}
    return {"both": {"_0": shape(rng, depth + 1), "_1": shape(rng, depth + 1)}}


def anything(rng, names_only, depth=0):
    kind = rng.randrange(12 if depth < 4 else 9)
    if kind >= 9:
        count = rng.choice([0, 1, 2, 3, 20])
        if kind == 9:
            return [anything(rng, names_only, depth + 1) for _ in range(count if depth < 2 else min(count, 3))]
        def name():
            return text(rng) if names_only or kind == 10 else rng.choice([None, rng.getrandbits(40), text(rng), rng.random()])
        return {name(): anything(rng, names_only, depth + 1) for _ in range(count if depth < 2 else min(count, 3))}
    return [
        lambda: None, lambda: rng.random() < 0.5, lambda: number(rng, -(2**63), 2**64 - 1), lambda: double(rng),
        lambda: text(rng), lambda: rng.randbytes(rng.choice([0, 1, 20, 300])), lambda: single(rng),
        lambda: ExtType(rng.randrange(128), rng.randbytes(rng.randrange(20))),
        lambda: Timestamp(number(rng, -(2**63), 2**63 - 1), rng.randrange(10**9)),
    ][kind]()  # fmt: skip


def point(rng):
    return {"x": double(rng), "y": rng.choice([None, double(rng)])}


def model(rng, names_only=False, depth=0):
    """A Model as Python has it. With `names_only`, no map has other keys than text."""
    codes = {} if names_only else {number(rng, -(2**63), 2**63 - 1): text(rng) for _ in range(rng.randrange(20))}
    return {
        "id": number(rng, 0, 2**64 - 1),
        "tiny": number(rng, -128, 127),
        "port": number(rng, 0, 65535),
        "balance": number(rng, -(2**63), 2**63 - 1),
        "name": text(rng),
        "note": rng.choice([None, text(rng)]),
        "ratio": double(rng),
        "weight": single(rng),
        "isOn": rng.random() < 0.5,
        "blob": rng.randbytes(rng.choice([0, 1, 100, 300])),
        "salt": rng.choice([None, b"", rng.randbytes(16)]),
        "tags": [text(rng) for _ in range(rng.choice([0, 1, 3, 20]))],
        "counts": ordered({text(rng): number(rng, -(2**63), 2**63 - 1) for _ in range(rng.choice([0, 1, 3, 20]))}),
        "codes": ordered(codes),
        "home": rng.choice([None, point(rng)]),
        "track": [point(rng) for _ in range(rng.choice([0, 1, 20]))],
        "level": rng.choice(["low", "middle", "very high"]),
        "shape": shape(rng),
        "seen": Timestamp(rng.randrange(-(2**33), 2**33), rng.choice([0, 250_000_000, 500_000_000])),
        "moment": Timestamp(number(rng, -(2**63), 2**63 - 1), rng.randrange(10**9)),
        "matrix": [[rng.choice([None, number(rng, -(2**31), 2**31 - 1)]) for _ in range(rng.randrange(4))] for _ in range(3)],
        "flags": sorted({rng.randrange(256) for _ in range(rng.randrange(20))}),
        "children": [model(rng, names_only, depth + 1) for _ in range(rng.randrange(3) if depth < 2 else 0)],
        "extra": anything(rng, names_only),
    }


def test_models_of_python_are_the_same_bytes_again(program, rng):
    values = [pack(model(rng)) for _ in range(300)]
    for value, again in zip(values, program.recode(values), strict=True):
        assert again == value, value.hex()


def longer(rng, packed):
    """The same value, with lengths, counts and integers in encodings that are longer than needed."""
    out, end = longer_value(rng, packed, 0)
    assert end == len(packed)
    return out


def longer_value(rng, packed, at):
    first = packed[at]
    def big(size):
        return int.from_bytes(packed[at + 1 : at + 1 + size], "big")
    def wide(value, heads):
        """The number after one of the heads of these sizes that holds it."""
        head, size = rng.choice([(head, size) for head, size in heads.items() if value < 256**size])
        return bytes([head]) + value.to_bytes(size, "big")
    if first <= 0x7F or 0xCC <= first <= 0xCF:
        size = 0 if first <= 0x7F else 1 << (first - 0xCC)
        value = big(size) if size else first
        signed = {0xD0 + i: 1 << i for i in range(4) if value < 2 ** (8 * (1 << i) - 1)}
        return wide(value, {0xCC + i: 1 << i for i in range(4)} | signed), at + 1 + size
    if first >= 0xE0 or 0xD0 <= first <= 0xD3:
        size = 0 if first >= 0xE0 else 1 << (first - 0xD0)
        value = int.from_bytes(packed[at + 1 : at + 1 + size], "big", signed=True) if size else first - 256
        size_now = rng.choice([size for size in (1, 2, 4, 8) if value >= -(2 ** (8 * size - 1))])
        return bytes([{1: 0xD0, 2: 0xD1, 4: 0xD2, 8: 0xD3}[size_now]]) + value.to_bytes(size_now, "big", signed=True), at + 1 + size
    if 0x80 <= first <= 0x9F or 0xDC <= first <= 0xDF:
        size = 0 if first <= 0x9F else 2 if first in (0xDC, 0xDE) else 4
        count = big(size) if size else first & 15
        is_map = 0x80 <= first <= 0x8F or first >= 0xDE
        out, at = wide(count, {0xDE: 2, 0xDF: 4} if is_map else {0xDC: 2, 0xDD: 4}), at + 1 + size
        for _ in range(2 * count if is_map else count):
            part, at = longer_value(rng, packed, at)
            out += part
        return out, at
    if 0xA0 <= first <= 0xBF or 0xD9 <= first <= 0xDB:
        size = 0 if first <= 0xBF else 1 << (first - 0xD9)
        count = big(size) if size else first & 31
        at += 1 + size
        return wide(count, {0xD9: 1, 0xDA: 2, 0xDB: 4}) + packed[at : at + count], at + count
    if 0xC4 <= first <= 0xC6:
        size = 1 << (first - 0xC4)
        count = big(size)
        at += 1 + size
        return wide(count, {0xC4: 1, 0xC5: 2, 0xC6: 4}) + packed[at : at + count], at + count
    if 0xC7 <= first <= 0xC9 or 0xD4 <= first <= 0xD8:
        size = 1 << (first - 0xC7) if first <= 0xC9 else 0
        count = big(size) if size else 1 << (first - 0xD4)
        at += 1 + size
        return wide(count, {0xC7: 1, 0xC8: 2, 0xC9: 4}) + packed[at : at + 1 + count], at + 1 + count
    size = {0xCA: 4, 0xCB: 8}.get(first, 0)
    return packed[at : at + 1 + size], at + 1 + size


def test_encodings_that_are_longer_than_needed_are_the_same_models(program, rng):
    # A FuseValue keeps its encoding, so that member is nil here.
    values = [pack(bare(model(rng))) for _ in range(100)]
    longs = [longer(rng, value) for value in values]
    for value, long in zip(values, longs, strict=True):
        assert len(long) > len(value)
        assert msgpack.unpackb(long, strict_map_key=False) == msgpack.unpackb(value, strict_map_key=False)
    for value, again in zip(values, program.recode(longs), strict=True):
        assert again == value, value.hex()


def bare(value):
    return {**value, "extra": None, "children": [bare(child) for child in value["children"]]}


def test_members_in_another_order_and_unknown_ones_are_the_same_model(program, rng):
    values = [model(rng) for _ in range(100)]
    mixed = []
    for value in values:
        members = [*value.items(), ("unknown", anything(rng, False)), ("", None)]
        rng.shuffle(members)
        mixed.append(pack(dict(members)))
    for value, again in zip(values, program.recode(mixed), strict=True):
        assert again == pack(value)


def test_optional_members_may_be_left_out(program, rng):
    values = [model(rng) | {"note": None, "salt": None, "home": None} for _ in range(20)]
    left_out = [pack({name: part for name, part in value.items() if name not in ("note", "salt", "home")}) for value in values]
    for value, again in zip(values, program.recode(left_out), strict=True):
        assert again == pack(value)


@pytest.mark.parametrize(
    "name, value",
    [
        *(("tiny", 128), ("tiny", "1"), ("port", -1), ("port", 65536), ("balance", 2**63), ("id", -1), ("id", 1.0)),
        *(("name", b"n"), ("name", 5), ("isOn", 1), ("weight", 0.1), ("ratio", 2**53 + 1), ("blob", "b"), ("tags", {})),
        *(("counts", []), ("counts", {1: 1}), ("codes", {"x": "y"}), ("level", "high"), ("shape", {"square": {}})),
        *(("seen", 5), ("moment", ExtType(5, b"")), ("flags", [256]), ("track", [{}]), ("home", {"y": 1.0})),
    ],
)  # fmt: skip
def test_what_is_no_such_value_is_refused_with_its_place(program, rng, name, value):
    whole = model(rng) | {name: value}
    packed = pack(whole)
    (answer,) = program.recode([packed])
    assert isinstance(answer, str), f"{name} {value!r} was taken"
    # The offset is that of the member's value, or of a part of it.
    offset, path = re.fullmatch(r"error offset (\d+): ([^:]*): .*", answer).groups()
    start = pack_map_head(len(whole))
    for member, part in whole.items():
        start += pack(member)
        if member == name:
            break
        start += pack(part)
    assert len(start) <= int(offset) < len(start) + len(pack(value)), answer
    assert path.split(".")[0] == name, answer


# --- Files ---


def plain(value):
    """A value as Python reads it: floats of 32 bits are floats."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return float(value) if isinstance(value, F32) else value


def test_files_of_the_wheel_are_read_as_typed_values(program, rng, tmp_path):
    # The wheel packs Python's values itself, all floats as float64.
    values = {f"key {i}": plain(model(rng)) for i in range(200)}
    writer = fusedb.FuseWriter()
    for key, value in values.items():
        writer.add(key, value)
    writer.build(tmp_path / "theirs.fsdb")
    answers = program("read", tmp_path / "theirs.fsdb", lines=[*values, "absent"])
    assert answers.pop() == "absent"
    for (key, value), answer in zip(values.items(), answers, strict=True):
        assert msgpack.unpackb(bytes.fromhex(answer), strict_map_key=False) == value, key


def test_files_of_typed_values_are_read_by_the_wheel(program, rng, tmp_path):
    # The wheel's `get` reads maps that have texts for keys, and no others.
    values = {f"key {i}": model(rng, names_only=True) for i in range(200)}
    program("write", tmp_path / "ours.fsdb", lines=[f"{key},also {key}\t{pack(value).hex()}" for key, value in values.items()])
    reader = fusedb.FuseReader(tmp_path / "ours.fsdb")
    assert reader.verify() is True
    assert len(reader.keys()) == 2 * len(values)
    for key, value in values.items():
        assert reader.get(key) == reader.get(f"also {key}") == plain(value)


def test_maps_with_other_keys_are_read_by_the_wheel_as_bytes_alone(program, rng, tmp_path):
    value = model(rng) | {"codes": {5: "five"}, "extra": None, "children": []}
    program("write", tmp_path / "ours.fsdb", lines=[f"k\t{pack(value).hex()}"])
    reader = fusedb.FuseReader(tmp_path / "ours.fsdb")
    with pytest.raises(ValueError, match="int is not allowed for map key"):
        reader.get("k")
    assert msgpack.unpackb(reader._r.get_raw("k"), strict_map_key=False) == plain(value)

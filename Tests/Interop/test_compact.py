"""The compact form as spec/reference/compact.py has it: every value comes back byte for byte, and damage is an error."""

import random
import struct
import sys

import msgpack
import pytest

from conftest import DONE, ROOT

sys.path.insert(0, str(ROOT / "spec" / "reference"))
sys.dont_write_bytecode = True

import compact  # noqa: E402
from compact import Damaged, Node, Raw, Reader, Symbols, Tables, parse, row_of, write  # noqa: E402


def value(chance, depth=0):
    """A value of any type; texts, names and numbers that stand often."""
    kind = chance.randrange(12 if depth < 3 else 9)
    match kind:
        case 0: return chance.randrange(-(2**63), 2**64)
        case 1: return chance.randrange(300)
        case 2: return round(chance.uniform(-180, 180), 4)
        case 3: return chance.choice([chance.random(), -0.0, float("inf"), 1e300, 5e-324])
        case 4: return chance.choice([None, True, False])
        case 5: return "".join(chance.choice("abc") for _ in range(chance.choice([0, 1, 31, 32, 255, 256, 70_000]) if depth < 1 else chance.randrange(50)))
        case 6: return chance.choice(["the same text again", "another text twice"])
        case 7: return b"x" * chance.randrange(40)
        case 8: return chance.randrange(-100, 70_000)
        case 9: return [value(chance, depth + 1) for _ in range(chance.randrange(20))]
        case _: return {chance.choice(["name", "city", "country", "x", "the long name of a member"]): value(chance, depth + 1) for _ in range(chance.randrange(6))}


def mapping(chance, count):
    entries = {}
    for _ in range(count):
        key = chance.choice([b"user-%d", b"host-%d.example.com", b"10.0.%d.1"]) % chance.randrange(10**6)
        entries[key * (chance.randrange(30, 60) if chance.random() < 0.01 else 1)] = msgpack.packb(value(chance))
    return entries


#: One of each encoding that MessagePack has, also those that are longer than they need to be.
ENCODINGS = [
    b"\x00", b"\x7f", b"\xe0", b"\xff", b"\xc0", b"\xc2", b"\xc3", b"\xcc\x05", b"\xcc\x80", b"\xcd\x00\x05", b"\xcd\x01\x00", b"\xce" + bytes(4),
    b"\xce\x00\x01\x00\x00", b"\xce\xff\xff\xff\xff", b"\xcf" + bytes(8), b"\xcf" + b"\xff" * 8, b"\xd0\x05", b"\xd0\x80", b"\xd1\xff\xff", b"\xd1\x80\x00",
    b"\xd2" + b"\xff" * 4, b"\xd3" + b"\x80" * 8, b"\xca" + bytes(4), b"\xca\x7f\xc0\x00\x01", b"\xcb" + bytes(8), b"\xcb\x80" + bytes(7),
    b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01", b"\xcb" + struct.pack(">d", 52.5), b"\xcb" + struct.pack(">d", -0.000001), b"\xa0", b"\xa3abc", b"\xbf" + b"t" * 31,
    b"\xd9\x03abc", b"\xd9\x20" + b"t" * 32, b"\xda\x00\x03abc", b"\xdb\x00\x00\x00\x03abc", b"\xa2\xff\xfe", b"\xc4\x00", b"\xc4\x02ab", b"\xc5\x00\x02ab",
    b"\xc6\x00\x00\x00\x02ab", b"\xd4\x01a", b"\xd5\x01ab", b"\xd6\xff" + bytes(4), b"\xd7\x01" + bytes(8), b"\xd8\x01" + bytes(16), b"\xc7\x03\x01abc",
    b"\xc8\x00\x01\x01a", b"\xc9\x00\x00\x00\x01\x01a", b"\x90", b"\x91\x01", b"\xdc\x00\x01\x01", b"\xdd\x00\x00\x00\x01\x01", b"\xdc\x00\x10" + b"\x01" * 16, b"\x80",
    b"\x81\xa1a\x01", b"\x81\x01\x01", b"\x82\xa1a\x01\xa1a\x02", b"\xde\x00\x01\xa1a\x01", b"\xdf\x00\x00\x00\x01\xa1a\x01", b"\x81\xd9\x01a\x01", b"\x81\xc0\xc0",
]


def test_each_encoding_comes_back_as_it_was():
    # Each twice, within others, so that parts and shapes are made of them.
    entries = {b"%d" % place: data for place, data in enumerate(ENCODINGS)}
    entries |= {b"in %d" % place: b"\x92" + data + b"\x81\xa4name" + data for place, data in enumerate(ENCODINGS)}
    reader = Reader(write(entries)[0])
    for key, data in entries.items():
        assert reader.get(key) == data, data


@pytest.mark.parametrize("count", [0, 1, 2, 50, 2000])
@pytest.mark.parametrize("is_raw", [False, True], ids=["coded", "raw"])
def test_what_went_in_comes_out(rng, count, is_raw):
    entries = mapping(rng, count) | ({b"": b"\x01"} if count > 2 else {})
    data, _ = write(entries, is_raw)
    reader = Reader(data)
    assert list(reader.scan()) == sorted(entries.items())
    for key, found in entries.items():
        assert reader.get(key) == found
        assert reader.get(key + b"x") == entries.get(key + b"x")
    for low in [b"host-5", b"v", *list(entries)[:20]]:
        assert list(reader.scan_from(low)) == sorted((key, found) for key, found in entries.items() if key >= low)
    # The order in which they came does not matter.
    shuffled = list(entries.items())
    rng.shuffle(shuffled)
    assert write(dict(shuffled), is_raw)[0] == data
    firsts = [reader.block(number)[0] for number in range(reader.block_count)]
    counts = [len(reader.block(number)[1]) for number in range(reader.block_count)]
    assert firsts == [sum(counts[:number]) for number in range(len(counts))] and sum(counts) == len(entries)


def test_every_flipped_bit_is_seen_or_leads_to_no_other_answer(rng):
    entries = {b"key %d" % number: msgpack.packb({"name": f"number {number % 7} of some", "n": number, "at": number / 4}) for number in range(40)}
    data = bytearray(write(entries)[0])
    seen = 0
    for place in range(5, len(data)):
        bit = 1 << rng.randrange(8)
        data[place] ^= bit
        try:
            reader = Reader(bytes(data))
            for key, found in entries.items():
                assert reader.get(key) == found, (place, key)
            assert reader.get(b"absent") is None and dict(reader.scan()) == entries
        except Damaged:
            seen += 1
        data[place] ^= bit
    assert seen > 0.6 * len(data)


def test_what_is_wrong_under_right_checksums_is_an_error_or_another_value(rng):
    entries = {b"key %d" % number: msgpack.packb({"name": f"number {number % 7} of some", "list": [number, "x" * 12]}) for number in range(30)}
    reader = Reader(write(entries)[0])
    right = row_of(parse(entries[b"key 3"])[0], Tables(entries.values()))
    assert reader.expanded(right) == entries[b"key 3"]
    errors = 0
    for _ in range(20_000):
        row = bytearray(right)
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(row) + 1)
            match rng.randrange(3):
                case 0: row[place:place] = bytes([rng.randrange(256)])
                case 1: del row[place : place + 1]
                case _: row[place : place + 1] = bytes([rng.choice([0x80, 0xB0, 0xC0, 0xDF, 0xE0, 0xE8, 0xEC, 0xED, 0xEE, 0xEF, 0xF6, 0xF7, 0xF8, 0xF9, 0xFF])])
        try:
            assert len(reader.expanded(bytes(row))) < 100_000
        except Damaged:
            errors += 1
    assert errors > 10_000


def test_values_nest_128_deep_parts_or_not():
    nested = lambda levels: b"\x91" * levels + b"\xaca text of it"
    # All but the outermost level are parts.
    entries = {b"%d" % levels: nested(levels) for levels in (127, 128)}
    assert dict(Reader(write(entries)[0]).scan()) == entries
    reader = Reader(write({b"a": b"\x01"})[0])
    for row in (b"\x81" * 129 + b"\x01", b"\x81" * 129, b"\xef" + b"\x91" * 129 + b"\x01", b"\x81\xef" + b"\x91" * 128 + b"\x01"):
        with pytest.raises(Damaged, match="deep|early"):
            reader.expanded(row)
    assert reader.expanded(b"\x81\xef" + b"\x91" * 127 + b"\x01") == b"\x91" * 128 + b"\x01"


def forged(parts):
    """A reader whose table of parts has these values, with their lengths."""
    entries = {b"a": msgpack.packb(["some text twice", "some text twice"])}
    table = compact.numbered(parts, 4)
    reader = Reader(write(entries)[0])
    reader.data = reader.data + table
    reader.sections = {**reader.sections, b"PART": (len(reader.data) - len(table), len(table))}
    return reader


def test_parts_that_hold_themselves_or_grow_are_refused():
    part = lambda number: bytes([0xC0, number])
    sized = lambda size, row: compact.varint(size) + row
    assert forged([sized(12, b"\x9bhello world")]).expanded(part(0)) == b"\xabhello world"
    for parts in (
        [sized(100, b"\x81" + part(0))],
        [sized(100, part(1)), sized(100, part(0))],
        [sized(100, b"\x82" + part(1) * 2), sized(99, b"\x82" + part(0) * 2)],
        # Each twice as long as the next: a gigabyte of a few bytes.
        [sized(4096, b"\x82" + part(number + 1) * 2) for number in range(30)] + [sized(12, b"\x9bhello world")],
        [sized(11, b"\x9bhello world")], [sized(5000, b"\xf7" + compact.varint(4997) + b"x" * 4997)], [b""], [b"\x0c"],
    ):
        with pytest.raises(Damaged):
            forged(parts).expanded(part(0))


def test_a_damaged_place_in_a_table_leads_to_no_other_item():
    entries = {b"%d" % number: msgpack.packb([f"the text {number % 2} of two", number]) for number in range(8)}
    data, _ = write(entries)
    reader = Reader(data)
    start, _ = reader.sections[b"PART"]
    places = data[start + 5 : start + 5 + 12]
    swapped = data[: start + 5] + places[4:8] + places[8:12] + places[8:] + data[start + 17 :]
    with pytest.raises(Damaged, match="item"):
        for key in entries:
            Reader(swapped).get(key)


def test_symbols_are_trained_by_one_rule():
    assert Symbols.trained([]).symbols == []
    # In the first round the tokens are single bytes: a gains 4 for each of 6, aa 2 for each of 5.
    symbols = Symbols.trained([b"aaaaaa"])
    assert symbols.coded(b"aaaaaa") == bytes([symbols.of[b"aaaaaa"]]) and symbols.decoded(symbols.coded(b"aaaaaab")) == b"aaaaaab"
    assert symbols.coded(b"z") == b"\xffz" and Raw.coded(b"z") == b"z"
    keys = [b"user-%06d@example.com" % number for number in range(5000)]
    symbols = Symbols.trained(keys)
    assert len(symbols.symbols) <= 255 and all(1 <= len(symbol) <= 8 for symbol in symbols.symbols)
    assert sum(len(symbols.coded(key)) for key in keys) < 0.4 * sum(map(len, keys))
    for bad in (b"\xff", bytes([254])):
        with pytest.raises(Damaged):
            Symbols([b"a"]).decoded(bad)


def test_doubles_that_are_short_decimals():
    for number, row in ((52.5, "ee12020d"), (0.0, "ee0100"), (-1.0, "ee01ff"), (13.405, "ee32345d"), (2147483647.0, "ee047fffffff"), (1e-6, "ee6101")):
        data = b"\xcb" + struct.pack(">d", number)
        assert row_of(Node("double", data), Tables([])) == bytes.fromhex(row) , number
    for number in (-0.0, float("nan"), float("inf"), 0.1 + 0.2, 1e-7, 2147483648.0):
        data = b"\xcb" + struct.pack(">d", number)
        assert row_of(Node("double", data), Tables([])) == b"\xef" + data


def test_whoever_does_not_know_the_form_refuses_it(command, tmp_path):
    import fusedb

    path = tmp_path / "compact.fsdb"
    path.write_bytes(write({b"a": b"\x01"})[0])
    command("get", path, "a", code=DONE)
    with pytest.raises(Exception, match="version"):
        fusedb.FuseReader(str(path))

"""The reader of the compact form beside the reference: what spec/reference/compact.py writes is read as it was meant, and damage is an error.

CompactTool is named by the environment variable FUSEDB_COMPACT_TOOL, or is build/CompactTool.
"""

import os
import random
import struct
import subprocess
import zlib

import msgpack
import pytest

from conftest import ROOT
from test_compact import ENCODINGS, compact, mapping, value

TOOL = os.environ.get("FUSEDB_COMPACT_TOOL", str(ROOT / "build" / "CompactTool"))
assert os.path.exists(TOOL), f"{TOOL} is not there: build it with 'swift build --product CompactTool'"


def tool(*words, lines=(), code=0):
    """The lines that CompactTool prints for these words and lines of input."""
    done = subprocess.run([TOOL, *map(str, words)], input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=600)
    assert done.returncode == code, (done.returncode, done.stdout[-500:], done.stderr[-2000:])
    return done.stdout.splitlines()


def get(path, keys, *words):
    """What stands under keys: bytes, None, or the sentence of an error."""
    answers = tool("get", path, *words, lines=[key.hex() for key in keys])
    assert len(answers) == len(keys)
    return [None if answer == "absent" else answer if answer.startswith("error") else bytes.fromhex(answer) for answer in answers]


def scan(path, *words):
    return [tuple(bytes.fromhex(part) for part in line.split(" ")) for line in tool("scan", path, *words)]


@pytest.fixture
def written(tmp_path):
    """Writes a compact file of some entries, and returns its path."""

    def write(entries, is_raw=False):
        path = tmp_path / "compact.fsdb"
        path.write_bytes(entries if isinstance(entries, (bytes, bytearray)) else compact.write(entries, is_raw)[0])
        return path

    return write


def check_all(path, entries):
    """Everything that can be asked for, and what must not be there."""
    keys = list(entries)
    assert get(path, keys) == [entries[key] for key in keys]
    others = [key + b"x" for key in keys] + [key[:-1] for key in keys] + [b"\xff" * 300, b"a" * 70_000]
    assert get(path, others) == [entries.get(key) for key in others]
    together = keys + others
    assert get(path, together, "--together") == [entries.get(key) for key in together]
    assert scan(path) == sorted(entries.items())
    assert scan(path, "--reverse") == sorted(entries.items(), reverse=True)
    objects = len(set(entries.values()))
    assert tool("verify", path) == [f"sound {len(entries)} {objects}"]


@pytest.mark.parametrize("count", [0, 1, 2, 50, 2000])
@pytest.mark.parametrize("is_raw", [False, True], ids=["coded", "raw"])
def test_what_the_reference_writes_is_read(rng, written, count, is_raw):
    entries = mapping(rng, count) | ({b"": b"\x01"} if count > 2 else {})
    check_all(written(entries, is_raw), entries)


@pytest.mark.parametrize("is_raw", [False, True], ids=["coded", "raw"])
def test_twenty_thousand_keys(rng, written, is_raw):
    # Of bytes that symbols don't help with, too.
    entries = {b"user-%06d@example.com" % number: msgpack.packb({"number": number % 700, "name": "the name of it"}) for number in range(18_000)}
    entries |= {rng.randbytes(rng.randrange(1, 40)): b"\x05" for _ in range(2_000)}
    check_all(written(entries, is_raw), entries)


def test_each_encoding_comes_back_as_it_was(written):
    entries = {b"%d" % place: data for place, data in enumerate(ENCODINGS)}
    entries |= {b"in %d" % place: b"\x92" + data + b"\x81\xa4name" + data for place, data in enumerate(ENCODINGS)}
    path = written(entries)
    check_all(path, entries)
    keys = [b"in %d" % place for place in range(len(ENCODINGS))]
    assert get(path, keys, "--field", "0") == ENCODINGS == get(path, keys, "--field", "1.name")


@pytest.mark.parametrize("is_raw", [False, True], ids=["coded", "raw"])
def test_long_keys(rng, written, is_raw):
    # First in a block, between others, the longest that there is, and of bytes that no symbol has.
    entries = {b"k%03d" % number * length: msgpack.packb(number) for number, length in enumerate([1, 50, 300, 2, 1000] * 40)}
    entries |= {rng.randbytes(size): msgpack.packb(size) for size in (81, 100, 160, 161, 162, 254, 255, 256, 1000, 65535)}
    entries |= {bytes(200): b"\x01", bytes(201): b"\x02", bytes(200) + b"\x01": b"\x03", b"\xff" * 255: b"\x04", b"\xff" * 256: b"\x05"}
    path = written(entries, is_raw)
    check_all(path, entries)
    for low in list(entries)[::7]:
        assert scan(path, "--from", low.hex()) == sorted((key, data) for key, data in entries.items() if key >= low)


@pytest.mark.parametrize("is_raw", [False, True], ids=["coded", "raw"])
def test_scans_from_any_key_and_of_prefixes(rng, written, is_raw):
    entries = mapping(rng, 700) | {b"": b"\x01", b"\xff": b"\x02", b"\xff\xff": b"\x03", b"\xff\xff\xffa": b"\x04", b"host-": b"\x05"}
    path, ordered = written(entries, is_raw), sorted(entries.items())
    keys = list(entries)
    for low in [b"a", b"host-5", b"v", b"\xff\xff\xff\xff", *keys[:10], *(key + b"\0" for key in keys[:10]), *(key[:-1] for key in keys[:10])]:
        assert scan(path, "--from", low.hex()) == [entry for entry in ordered if entry[0] >= low]
        assert scan(path, "--reverse", "--from", low.hex()) == [entry for entry in reversed(ordered) if entry[0] <= low]
    for prefix in [b"", b"h", b"host-", b"host-9", b"user-12", b"no", b"\xff", b"\xff\xff", b"\xff\xff\xff", b"10.0.", *keys[:5]]:
        expected = [entry for entry in ordered if entry[0].startswith(prefix)]
        assert scan(path, "--prefix", prefix.hex()) == expected
        assert scan(path, "--prefix", prefix.hex(), "--reverse") == expected[::-1]


def paths_of(data, depth=0):
    """Paths in a value, with what stands there; names of texts without dots."""
    yield [], data
    if isinstance(data, dict):
        for name, inside in data.items():
            for path, found in paths_of(inside, depth + 1):
                yield [name, *path], found
    elif isinstance(data, list):
        for place, inside in enumerate(data):
            for path, found in paths_of(inside, depth + 1):
                yield [str(place), *path], found


def test_fields_at_paths(rng, written):
    # Each object once more in another, so that what is asked for stands in parts, in parts of parts and in shapes.
    objects = [{"name": value(rng), "list": [value(rng), {"city": value(rng, 2), "country": [1, {"x": value(rng, 2)}]}]} for _ in range(150)]
    objects += [{"inside": {"again": objects[number]}, "other": [objects[number], number]} for number in range(0, 150, 2)]
    # Members that no shape has, twice the same name, and names that are no texts.
    entries = {b"key %d" % number: msgpack.packb(data) for number, data in enumerate(objects)}
    path, wanted = written(entries), {}
    for key, data in entries.items():
        for steps, found in paths_of(msgpack.unpackb(data, strict_map_key=False)):
            if steps:
                wanted.setdefault(".".join(steps), {})[key] = msgpack.packb(found)
    fields = sorted(wanted)
    rng.shuffle(fields)
    for field in fields[:400] + ["name.no", "list.99", "list.x", "no", "inside.again.list.1.country.1.x", "inside.again.list.1.country.1.y", ""]:
        keys = list(wanted.get(field, {}))[:40] + rng.sample(list(entries), 10)
        for key, found in zip(keys, get(path, keys, "--field", field)):
            right = wanted.get(field, {}).get(key)
            assert found == right, (key, field)


def test_fields_of_maps_without_shapes(written):
    twice = b"\x83\xa1a\x01\xa1b\x92\x05\x06\xa1a\x02"
    odd = b"\x83\x01\xa1x\xd9\x01a\x07\xc0\x81\xa1z\x09"
    entries = {b"1": twice, b"2": b"\x92" + odd + twice, b"3": b"\x81\xa1m" + odd, b"4": b"\xde\x00\x01\xa1a\x81\xa1b\x93\x01\x02\x03", b"5": b"\xcc\x05"}
    path = written(entries)
    ask = lambda key, field: get(path, [key], "--field", field)[0]
    # The last of equal names, as in a file of version 2.
    assert ask(b"1", "a") == b"\x02" and ask(b"1", "b.1") == b"\x06" and ask(b"1", "b.2") is None
    assert ask(b"2", "0.a") == b"\x07" and ask(b"2", "1.a") == b"\x02" and ask(b"2", "0.1") is None and ask(b"2", "1.b") == b"\x92\x05\x06"
    assert ask(b"3", "m.a") == b"\x07" and ask(b"3", "m") == odd and ask(b"3", "m.z") is None
    assert ask(b"4", "a.b.2") == b"\x03" and ask(b"4", "a.b") == b"\x93\x01\x02\x03" and ask(b"5", "a") is None


def nested(depth, inner=b"\x01", level=lambda _: b"\x91"):
    for number in range(depth):
        inner = level(number) + inner
    return inner


def test_values_nested_as_deep_as_they_may_be(written):
    # Each level of the second stands in the first too, so each is a part: parts are no levels of their own.
    deep = nested(127, b"\xaahello world"[:11], lambda number: b"\x92\xcc" + bytes([128 + number]))
    entries = {b"deep": nested(128), b"parts": b"\x91" + deep, b"inner": deep, b"maps": nested(128, b"\x01", lambda _: b"\x81\xa1a"), b"raw": b"\xdc\x00\x01" + nested(127)}
    path = written(entries)
    assert get(path, list(entries)) == list(entries.values())
    assert tool("verify", path) == ["sound 5 5"]
    assert get(path, [b"deep"], "--field", ".".join("0" * 128)) == [b"\x01"]
    assert get(path, [b"maps"], "--field", ".".join("a" * 128)) == [b"\x01"]
    for data in (nested(129), b"\xdc\x00\x01" + nested(128), nested(129, b"\x01", lambda _: b"\x81\xa1a"), nested(100_000)):
        # Not by the reference's writer, which goes no deeper than Python does.
        path = written(forged_row(b"\xef" + data))
        (answer,) = get(path, [b"a"])
        assert answer.startswith("error corrupted"), answer
        (answer,) = get(written(forged_row(data.replace(b"\x91", b"\x81") if data[0] == 0x91 else b"\xef" + data)), [b"a"])
        assert answer.startswith("error corrupted"), answer


# --- files that are made to do harm ---

SMALL = {b"key %d" % number: msgpack.packb({"name": f"number {number % 7} of some", "n": number, "at": number / 4, "list": ["x" * 12, number]}) for number in range(16)}
SMALL |= {b"long" * 60: msgpack.packb({"of": "another shape"}), b"long" * 61: msgpack.packb(["no map"])}


def test_each_flipped_bit_is_seen_or_changes_no_answer(written):
    for is_raw in (False, True):
        last = tool("flip", written(SMALL, is_raw))[-1].split()
        assert last[0] == "flips" and last[4:] == ["wrong", "0", "unnamed", "0"], last
        assert int(last[3]) > 0.3 * int(last[1]), last


def test_each_shorter_file_is_refused(written):
    path = written(SMALL)
    count = path.stat().st_size - 1
    assert tool("cut", path)[-1] == f"cuts {count} refused {count}"
    path.write_bytes(path.read_bytes()[:-1])
    assert tool("get", path, code=1)[0].startswith("error truncated")
    path.write_bytes(b"")
    assert tool("get", path, code=1)[0].startswith("error truncated")
    path.write_bytes(b"PK\3\4" + bytes(200))
    assert tool("get", path, code=1)[0].startswith("error notADatabase")
    for version in (0, 1, 2, 4):
        data = bytearray(written(SMALL).read_bytes())
        data[4] = version
        path.write_bytes(data)
        assert tool("get", path, code=1)[0].startswith("error unsupportedVersion")


def test_random_changes_under_right_checksums_do_no_harm(rng, written):
    # In one process, which is ended where it takes more memory than it should.
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 4000000; exec "$@"', "bash", TOOL, "mutate", str(written(SMALL)), "100000", str(rng.randrange(2**60))],
        capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stderr[-2000:]
    words = done.stdout.splitlines()[-1].split()
    assert words[:2] == ["mutations", "100000"] and int(words[3]) > 50_000 and int(words[5]) < 1_000_000, words


def sealed(data, sections, rows=None):
    """A file with other sections, or another first row, and right checksums all over."""
    reader = compact.Reader(data)
    footer = len(data) - 48
    _, directory_at, count, _, _ = struct.unpack_from(">QQIII", data, footer)
    entries = [list(struct.unpack_from(">4sIQQI", data, directory_at + 32 * place)) for place in range(count)]
    body = bytearray(data[40 : reader.rows_end] if rows is None else rows)
    end = 40 + len(body)
    out, directory = body, []
    for kind, flags, start, size, _ in entries:
        content = sections.get(kind, data[start : start + size])
        out += bytes(-(40 + len(out)) % 64)
        directory.append(struct.pack(">4sIQQI4x", kind, flags, 40 + len(out), len(content), zlib.crc32(content)))
        out += content
    out += bytes(-(40 + len(out)) % 8)
    place, directory = 40 + len(out), b"".join(directory)
    out += directory
    header = struct.pack(">4sBBHIIQQII", b"FSDB", 3, 0, 0, reader.key_count, reader.object_count, end, 40, zlib.crc32(out), 0)
    tail = struct.pack(">QQIIIHH", end, place, count, zlib.crc32(directory), zlib.crc32(header), 1, 0)
    return header + bytes(out) + tail + compact.crc(tail) + bytes(4) + b"FSDBEXT\n"


def row_bytes(row):
    return compact.crc(compact.varint(len(row)), row) + compact.varint(len(row)) + row


def forged_row(row, parts=(), shapes=()):
    """A file with one key, `a`, whose row is this, and with these parts and shapes."""
    return sealed(compact.write({b"a": b"\x01"})[0], {b"PART": compact.numbered(parts, 4), b"SHAP": compact.numbered(shapes, 4)}, row_bytes(row))


def test_parts_that_hold_themselves_or_grow_are_refused(written):
    part = lambda number: bytes([0xC0, number])
    sized = lambda size, row: compact.varint(size) + row
    hello = sized(12, b"\x9bhello world")
    path = written(forged_row(part(0), [hello]))
    assert get(path, [b"a"]) == [b"\xabhello world"] and tool("verify", path) == ["sound 1 1"]
    for parts in (
        [sized(100, b"\x81" + part(0))],
        [sized(100, part(1)), sized(100, part(0))],
        [sized(12, part(1)), hello],
        [sized(100, b"\x82" + part(1) * 2), sized(99, b"\x82" + part(0) * 2)],
        [sized(4096, b"\x82" + part(number + 1) * 2) for number in range(30)] + [hello],
        [sized(11, b"\x9bhello world")], [sized(13, b"\x9bhello world")], [sized(5000, b"\xf7" + compact.varint(4997) + b"x" * 4997)], [b""], [b"\x0c"],
        [hello + b"\0"], [b"\x8c\0\x9bhello world"], [],
    ):
        path = written(forged_row(part(0), parts))
        (answer,) = get(path, [b"a"])
        assert answer.startswith("error corrupted"), (parts, answer)
        (answer,) = get(path, [b"a"], "--field", "0.1.0.1.0")
        assert answer is None or isinstance(answer, bytes) and len(answer) <= 4096 or answer.startswith("error corrupted")
        assert not tool("verify", path)[0].startswith("sound")


def test_rows_that_are_wrong_under_right_checksums_are_refused(written):
    shape = b"\xa1a\xa1b"
    assert get(written(forged_row(b"\xb0\x01\x02", shapes=[shape])), [b"a"]) == [b"\x82\xa1a\x01\xa1b\x02"]
    for row in (
        b"", b"\x81", b"\x82\x01", b"\x01\x01", b"\x91", b"\xf7", b"\xf7\x80", b"\xf7\x80\x00", b"\xf7" + b"\xff" * 9 + b"\x7f", b"\xf8" + b"\xff" * 8 + b"\x7f", b"\xf9\x01\x01",
        b"\xf9" + b"\xff" * 8 + b"\x7f", b"\xb0\x01", b"\xb1\x01", b"\xed\x05\x01", b"\xc0\x00", b"\xc0", b"\xe0\x00", b"\xec\xff\xff\xff\xff", b"\xee", b"\xee\x75\x00", b"\xee\x00",
        b"\xee\x02\x01", b"\xef", b"\xef\xc1", b"\xef\xdb\xff\xff\xff\xff", b"\xef\xdd\xff\xff\xff\xff\x01", b"\xf3", b"\xf6\x01\x01\x01", b"\xfa", b"\xff",
    ):
        path = written(forged_row(row, shapes=[shape]))
        (answer,) = get(path, [b"a"])
        assert answer.startswith("error corrupted"), (row, answer)
        for field in ("0", "a", "b"):
            (answer,) = get(path, [b"a"], "--field", field)
            # A field before what is wrong is what it is.
            assert answer in (None, b"\x01") or answer.startswith("error corrupted"), (row, field, answer)
        assert not tool("verify", path)[0].startswith("sound")
    for shapes in ([b""], [b"\x01"], [b"\xa2a"], [b"\xd9\x01a"], [b"\xa0" * 256], [b"\xda\x13\x88" + b"x" * 5000], [b"\xc4\x01a"], [b"\xa1a\xa1a"]):
        path = written(forged_row(b"\xb0" + b"\x01" * 256 if shapes != [b"\xa1a\xa1a"] else b"\xb0\x01\x01", shapes=shapes))
        (answer,) = get(path, [b"a"])
        assert shapes == [b"\xa1a\xa1a"] or answer.startswith("error corrupted"), (shapes, answer)
        assert not tool("verify", path)[0].startswith("sound")


def test_sections_that_are_wrong_under_right_checksums_are_refused(rng, written):
    data = compact.write(SMALL)[0]
    reader = compact.Reader(data)
    section = lambda kind: bytearray(data[reader.sections[kind][0] :][: reader.sections[kind][1]])
    keys = section(b"KEYS")

    def headed(content, change):
        content = bytearray(content)
        change(content)
        content[60:64] = compact.crc(content[:60])
        return content

    def put(place, *numbers):
        def change(content):
            content[place : place + len(numbers)] = bytes(numbers)
        return change

    wrong = [{b"KEYS": headed(keys, put(*change))} for change in ((7, 99), (0, 255), (8, 0), (8, 9), (9, 5), (10, 2))]
    wrong += [{b"KEYS": keys[:63]}, {b"KEYS": keys[:-1]}, {b"KEYS": b""}, {b"HASH": b""}, {b"PART": b""}, {b"SHAP": b"\xff\xff\xff\xff\x04"}, {b"SHAP": b"\0\0\0\0\x05" + bytes(5)}]
    wrong += [{b"HASH": headed(section(b"HASH"), put(*change))} for change in ((15, 0), (15, 9), (8, 255), (23, 0), (31, 9), (24, 255), (32, 99), (33, 12), (33, 7))]
    wrong += [{b"SYMB": section(b"SYMB")[:-1]}, {b"SYMB": b"\0" + section(b"SYMB")[1:]}, {b"SYMB": b"\x09" + section(b"SYMB")[1:]}, {b"SYMB": section(b"SYMB") * 64}]
    for sections in wrong:
        assert tool("get", written(sealed(data, sections)), code=1)[0].startswith("error corrupted"), sections
        assert not tool("verify", written(sealed(data, sections)))[0].startswith("sound")
    # Blocks with right checksums and anything in them: never a crash, and verification sees it.
    for _ in range(150):
        changed = bytearray(keys)
        number = rng.randrange(reader.block_count)
        at = 64 + 256 * number
        for _ in range(rng.randrange(1, 4)):
            changed[at + 4 + rng.randrange(252)] = rng.choice([0, 15, 16, 240, 255, rng.randrange(256)])
        changed[at : at + 4] = compact.crc(struct.pack(">Q", number), changed[at + 4 : at + 256])
        path = written(sealed(data, {b"KEYS": changed}))
        get(path, list(SMALL) + [b"absent"])
        if bytes(changed) != bytes(keys):
            assert not tool("verify", path)[0].startswith("sound")
        for words in (["--reverse"], ["--from", b"key 5".hex()], ["--prefix", b"long".hex()], []):
            subprocess.run([TOOL, "scan", str(path), *words], capture_output=True, timeout=60).returncode in (0, 1) or pytest.fail("a crash")


def test_lines_that_are_wrong_under_right_checksums(rng, written):
    data = compact.write(SMALL)[0]
    reader = compact.Reader(data)
    start, size = reader.sections[b"HASH"]
    for number in range(size // 64 - 1):
        for _ in range(10):
            changed = bytearray(data[start : start + size])
            at, is_pilot = 64 * (number + 1), number < reader.pilot_lines
            changed[at + rng.randrange(60)] = rng.randrange(256)
            width = 2 if is_pilot else 4
            changed[at : at + 64] = compact.checked(changed[at : at + 64 - width], number if is_pilot else number - reader.pilot_lines, width)
            if changed == data[start : start + size]:
                continue
            path = written(sealed(data, {b"HASH": changed}))
            answers = dict(zip(SMALL, get(path, list(SMALL))))
            # Who makes the checks right can call a key absent; verification tells.
            assert all(answer in (None, SMALL[key]) or isinstance(answer, str) for key, answer in answers.items())
            # A pilot that no key has leads nowhere.
            assert is_pilot and answers == SMALL or not tool("verify", path)[0].startswith("sound")

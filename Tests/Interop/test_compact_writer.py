"""Compact files of the library are those of the reference, byte for byte.

The program is named by the environment variable FUSEDB_COMPACT_TOOL, or is build/CompactTool. Where it is missing, tests fail.
"""

import os
import subprocess
from pathlib import Path

import msgpack
import pytest

import adversarial
from conftest import ROOT
from test_compact import ENCODINGS, compact, mapping

TOOL = Path(os.environ.get("FUSEDB_COMPACT_TOOL") or ROOT / "build" / "CompactTool").resolve()


def convert(source, output, *options, code=0):
    """What the program prints, or its error."""
    assert TOOL.is_file(), f"no program at {TOOL}; build it with 'make build/CompactTool', or name it with FUSEDB_COMPACT_TOOL=…"
    words = [TOOL, "convert", source, output, *map(str, options)]
    done = subprocess.run(words, capture_output=True, timeout=300, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
    assert done.returncode == code, done.stderr.decode()
    return (done.stderr if code else done.stdout).decode()


def source(wheel, folder, entries, is_shared=True):
    """A file of version 2 with these keys and objects, bytes as they are."""
    by_object = {}
    for key, data in entries.items():
        by_object.setdefault(data if is_shared else (data, key), []).append(key)
    return wheel.write(folder / "source.fsdb", [(data if is_shared else data[0], keys) for data, keys in by_object.items()])


def first_difference(ours, theirs):
    return next((place for place, (left, right) in enumerate(zip(ours, theirs)) if left != right), min(len(ours), len(theirs)))


def assert_equal(path, entries, is_raw, *options):
    """Converts a file, and compares it with what the reference makes."""
    output = path.parent / "compact.fsdb"
    printed = convert(path, output, *(["--raw"] if is_raw else []), *options)
    ours, (theirs, sizes) = output.read_bytes(), compact.write(entries, is_raw)
    assert ours == theirs, f"differs at {first_difference(ours, theirs)} of {len(ours)} and {len(theirs)} bytes: {sizes}"
    assert printed == f"{len(entries)} {len(set(entries.values()))} {len(ours)}\n"


RAW = pytest.mark.parametrize("is_raw", [False, True], ids=["coded", "raw"])


@RAW
@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 31, 50, 300, 2000, 20_000])
def test_random_files_are_those_of_the_reference(wheel, tmp_path, rng, count, is_raw):
    entries = mapping(rng, count) | ({b"": b"\x01"} if count > 2 else {})
    path = source(wheel, tmp_path, entries)
    assert_equal(path, entries, is_raw)
    # With little memory it takes several passes, and a temporary file.
    assert_equal(path, entries, is_raw, "--memory", 1 << 20)


def test_a_file_with_its_block_is_converted_as_one_without(command, wheel, tmp_path, rng):
    entries = mapping(rng, 3000)
    path = source(wheel, tmp_path, entries)
    command("reindex", path, code=0)
    assert_equal(path, entries, False)


def test_each_encoding_is_written_as_the_reference_does(wheel, tmp_path):
    entries = {b"%d" % place: data for place, data in enumerate(ENCODINGS)}
    entries |= {b"in %d" % place: b"\x92" + data + b"\x81\xa4name" + data for place, data in enumerate(ENCODINGS)}
    entries |= {b"as a key %d" % place: b"\x82" + data + b"\x01\xa4name" + data for place, data in enumerate(ENCODINGS)}
    entries |= {b"with a long key %d" % place: b"\x82\x92" + data + b"\xaba long name\x01\xaba long text\x02" for place, data in enumerate(ENCODINGS)}
    assert_equal(source(wheel, tmp_path, entries), entries, False)


@RAW
def test_keys_of_all_lengths_and_bytes(wheel, tmp_path, rng, is_raw):
    entries = {b"": b"\x01"}
    for length in [*range(1, 20), *range(150, 180), *range(240, 270), *range(310, 340), 1000, 65_535]:
        for _ in range(3):
            entries[rng.randbytes(length)] = b"\x02"
            entries[b"the same letters again " * (length // 23) + rng.randbytes(length % 23)] = b"\x03"
            entries[b"a" * length] = b"\x04"
    assert_equal(source(wheel, tmp_path, entries), entries, is_raw)


@RAW
def test_blocks_of_long_keys_alone_and_of_the_shortest(wheel, tmp_path, rng, is_raw):
    entries = {rng.randbytes(400): b"\x01" for _ in range(100)} | {bytes([byte]): b"\x02" for byte in range(256)}
    entries |= {b"z%d" % number: b"\x03" for number in range(2000)}
    assert_equal(source(wheel, tmp_path, entries), entries, is_raw)


def test_random_keys_stand_as_they_are(wheel, tmp_path, rng):
    entries = {rng.randbytes(12): b"\x01" for _ in range(3000)}
    path = source(wheel, tmp_path, entries)
    assert_equal(path, entries, False)
    assert b"SYMB" not in (tmp_path / "compact.fsdb").read_bytes()[-1000:]


def test_shapes_and_their_limits(wheel, tmp_path, rng):
    names = lambda count, size: {f"{number:0{size}}": number for number in range(count)}
    values = [names(255, 4), names(256, 4), names(255, 15), names(254, 15), names(255, 16), names(20, 200), names(21, 200)]
    packed = [msgpack.packb(each) for each in values]
    # The same names twice in one map are no shape, and stand as values that may be parts.
    packed += [b"\x83\xabsome name 1\x01\xabsome name 1\x02\xabsome name 2\x03", b"\xde\x00\x14" + b"\xabsome name 1\x01" * 20]
    packed += [b"\x82\xabsome name 3\x01\xd9\x0bsome name 4\x02", b"\x82\xabsome name 3\x01\x01\x02", b"\xde\x00\x02\xabsome name 3\x01\xabsome name 4\x02"]
    entries = {b"%d %d" % (number, place): b"\x92" + data + msgpack.packb(place) for number, data in enumerate(packed) for place in range(3)}
    # More shapes than have numbers of one byte, each with two maps.
    for number in range(600):
        for place in range(2):
            entries[b"shape %d %d" % (number, place)] = msgpack.packb({f"name {number}": place, "other": [number] * place})
    assert_equal(source(wheel, tmp_path, entries), entries, False)


def test_parts_in_parts_and_their_limits(wheel, tmp_path, rng):
    texts = ["x" * size for size in (7, 8, 9, 10, 4091, 4092, 4093, 4094, 4095)]
    inner = {"city": "the city of a name", "at": [52.5, 13.405]}
    middle = [inner, "a text", inner]
    entries = {b"%d" % number: msgpack.packb([middle, number, texts[number % len(texts)], [middle] * 4]) for number in range(60)}
    # An object that is itself a part of another.
    entries |= {b"whole": msgpack.packb(middle), b"whole inner": msgpack.packb(inner)}
    # Containers right at the most bytes that a part has.
    for size in range(4085, 4100):
        entries[b"array %d" % size] = msgpack.packb([["y" * (size - 6), 1], 1])
        entries[b"array %d again" % size] = msgpack.packb([["y" * (size - 6), 1], 2])
    path = source(wheel, tmp_path, entries)
    assert_equal(path, entries, False)


def test_numbers_of_parts_of_all_widths(wheel, tmp_path):
    # 10,000 parts: numbers of two and of three bytes, and many of one count.
    entries = {b"%05d %d" % (number, place): msgpack.packb([f"part number {number}", place]) for number in range(10_000) for place in range(2)}
    path = source(wheel, tmp_path, entries)
    assert_equal(path, entries, False)
    assert_equal(path, entries, False, "--memory", 1 << 20)


def test_decimals(wheel, tmp_path, rng):
    numbers = [0.0, -0.0, 1e-6, -1e-6, 1e-7, 2147483647.0, -2147483648.0, 2147483648.0, 2147483647.5, -2147483648.5, 0.1 + 0.2, 1.5, 2.5, 0.5, float("inf"), float("nan")]
    numbers += [127.0, 128.0, -128.0, -129.0, 32767.0, 32768.0, -32768.0, -32769.0, 8388607.0, 8388608.0, -8388608.0, -8388609.0]
    numbers += [rng.randrange(-(2**33), 2**33) / 10 ** rng.randrange(8) for _ in range(2000)] + [rng.uniform(-3000, 3000) for _ in range(500)]
    entries = {b"%d" % place: msgpack.packb([number]) for place, number in enumerate(numbers)}
    assert_equal(source(wheel, tmp_path, entries), entries, False)


def test_objects_as_deep_as_they_may_be(wheel, tmp_path):
    entries = {}
    for place, opening in enumerate([b"\x91", b"\x81\xa4name", b"\x92\xaba long text"]):
        for depth in (1, 60, 127, 128):
            for end in (b"\x01", b"\xacan end twice"):
                entries[b"%d %d %s" % (place, depth, end)] = opening * depth + end
    assert_equal(source(wheel, tmp_path, entries), entries, False)


def test_rows_that_want_to_be_aligned(wheel, tmp_path, rng):
    for size, count in ((1, 300), (300, 300), (60_000, 400), (700, 30_000)):
        entries = {b"%d" % number: msgpack.packb(rng.randbytes(size)) for number in range(min(count, 3000))}
        entries |= {b"key %d" % number: next(iter(entries.values())) for number in range(count)}
        assert_equal(source(wheel, tmp_path, entries), entries, True)


def test_objects_that_stand_twice_in_the_source(wheel, tmp_path, rng):
    entries = {key: msgpack.packb({"n": rng.randrange(5), "text": "some text of all"}) for key in mapping(rng, 500)}
    path = wheel.write(tmp_path / "source.fsdb", [(data, [key]) for key, data in entries.items()])
    assert_equal(path, entries, False)


def test_keys_chosen_against_the_first_seed(wheel, tmp_path):
    entries = {key: b"\x01" for key in adversarial.keys(300, "top")}
    path = source(wheel, tmp_path, entries)
    for is_raw in (False, True):
        assert_equal(path, entries, is_raw)


def test_a_damaged_source_gives_an_error_and_no_output(wheel, command, tmp_path, rng):
    entries = mapping(rng, 400)
    path = source(wheel, tmp_path, entries)
    command("reindex", path, code=0)
    whole = path.read_bytes()
    expected = compact.write(entries)[0]
    folder = tmp_path / "out"
    folder.mkdir()
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        done = subprocess.run([TOOL, "convert", path, folder / "out.fsdb"], capture_output=True, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
        if done.returncode:
            assert done.returncode == 1 and done.stderr and not list(folder.iterdir()), done
            refused += 1
        else:
            # What was damaged is not read: tables that lead to keys.
            assert (folder / "out.fsdb").read_bytes() == expected
            (folder / "out.fsdb").unlink()
    assert refused > 20
    for length in (0, 30, 500, len(whole) - 1):
        path.write_bytes(whole[:length])
        convert(path, folder / "out.fsdb", code=1)
        assert not list(folder.iterdir())


def test_an_output_is_replaced_in_one_step(wheel, tmp_path, rng):
    entries = mapping(rng, 200)
    path = source(wheel, tmp_path, entries)
    output = tmp_path / "out" / "out.fsdb"
    output.parent.mkdir()
    convert(path, output)
    before = output.stat().st_ino
    with open(output, "rb") as held:
        convert(path, output, "--raw")
        assert held.read() == compact.write(entries)[0]
    assert output.read_bytes() == compact.write(entries, True)[0] and output.stat().st_ino != before
    assert [each.name for each in output.parent.iterdir()] == ["out.fsdb"]
    # A source that is no file leaves what was there.
    convert(tmp_path / "nowhere.fsdb", output, code=1)
    assert output.read_bytes() == compact.write(entries, True)[0]
    # And the source itself may give way.
    convert(path, path)
    assert path.read_bytes() == compact.write(entries)[0]


def test_what_is_compact_already_is_refused(wheel, tmp_path, rng):
    path = source(wheel, tmp_path, mapping(rng, 20))
    convert(path, path)
    assert "version 3" in convert(path, tmp_path / "out.fsdb", code=1)


def test_what_is_no_database_is_not_replaced(wheel, tmp_path, rng):
    path = source(wheel, tmp_path, mapping(rng, 20))
    output = tmp_path / "notes.txt"
    output.write_text("notes")
    convert(path, output, code=1)
    assert output.read_text() == "notes"

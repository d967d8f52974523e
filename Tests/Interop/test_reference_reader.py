"""The reader of the specification, spec/reference/reader.py, is right on every test file: it was made from the text alone."""

import re
import string
import sys

import pytest
import xxhash

from conftest import FIXTURES, ROOT, fixture_names

sys.path.insert(0, str(ROOT / "spec" / "reference"))

from reader import Damaged, Reader, decode  # noqa: E402

from spelling import is_value, unspell  # noqa: E402


def opened(folder, name):
    return Reader((FIXTURES / folder / name).read_bytes())


def outcome(question):
    """What a question gives, or `Damaged`."""
    try:
        return question()
    except Damaged:
        return Damaged


@pytest.mark.parametrize("name", fixture_names("good"))
def test_a_sound_file_is_read_in_every_way(good, name):
    expected, reader = good[name], opened("good", name)
    mapping = {bytes.fromhex(key): bytes.fromhex(value) for key, value in expected["keys"].items()}
    assert (reader.key_count, reader.object_count) == (expected["keyCount"], expected["objectCount"])
    assert list(reader.scan()) == sorted(mapping.items())
    assert {key: reader.get(key) for key in mapping} == mapping
    absent = [key + b"\0" for key in mapping] + [key[:-1] for key in mapping if key] + [b"", b"absent"]
    for key in set(absent) - set(mapping):
        assert reader.get(key) is None and key not in reader
    for prefix in {b"", *(key[:1] for key in mapping), *mapping}:
        assert dict(reader.scan(prefix)) == {key: value for key, value in mapping.items() if key.startswith(prefix)}
    assert [found.hex() for found in reader.objects()] == expected["objects"]
    assert reader.metadata() == expected.get("meta", {})


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_a_damaged_file_is_refused_or_answers_what_it_still_can(bad, name):
    expected = bad[name]
    if expected["open"] == "refused":
        with pytest.raises(Damaged) as refused:
            opened("bad", name)
        assert refused.value.code == expected["code"]
        return
    reader = opened("bad", name)
    for key, value in expected["answers"].items():
        assert reader.get(bytes.fromhex(key)) == bytes.fromhex(value), key
    for key in expected["fails"]:
        assert outcome(lambda: reader.get(bytes.fromhex(key))) is Damaged, key
    for key in expected["invalid"]:
        found = reader.get(bytes.fromhex(key))
        assert not is_value(found) and outcome(lambda: decode(found)) is Damaged, key
    sound = {bytes.fromhex(key): bytes.fromhex(value) for key, value in expected["answers"].items()}
    others = {bytes.fromhex(key) for key in expected["fails"] + expected["invalid"] + expected.get("lost", [])}
    # What a scan finds, as far as objects are not damaged themselves.
    scanned = outcome(lambda: [key for key, _ in reader.scan()])
    if "scan" in expected:
        assert scanned is Damaged or expected["scan"] != "fails"
    elif not others:
        assert scanned == sorted(sound)
    absent = next(bytes([byte]) for byte in reversed(string.printable.encode()) if bytes([byte]) not in sound.keys() | others)
    found = outcome(lambda: reader.get(absent))
    assert {"fails": found is Damaged, "either": found in (None, Damaged), None: found is None}.get(expected.get("absent"), True)
    if "meta" in expected:
        assert outcome(reader.metadata) is Damaged


def test_every_bit_of_a_file_with_every_section_matters_or_nobody_relies_on_it(good):
    """[X4] [X9] [X15] to [X18]: an answer of a file with a flipped bit is right, or an error."""
    name = "block-meta.fsdb"
    sound = (FIXTURES / "good" / name).read_bytes()
    mapping = dict(Reader(sound).scan())
    for bit in range(8 * len(sound)):
        data = bytearray(sound)
        data[bit // 8] ^= 1 << bit % 8
        reader = outcome(lambda: Reader(bytes(data)))
        if reader is Damaged:
            continue
        for key, value in mapping.items():
            assert outcome(lambda: reader.get(key)) in (value, Damaged), bit
        assert outcome(lambda: reader.get(b"absent")) in (None, Damaged), bit
        assert outcome(lambda: dict(reader.scan())) in (mapping, Damaged), bit


def test_values_are_what_another_library_decodes(good):
    """Of the files whose values it can decode: maps with keys that are lists are not among them."""
    import msgpack

    def plain(value):
        if isinstance(value, list):
            pairs = [(plain(a), plain(b)) for a, b in value] if type(value).__name__ == "Pairs" else None
            return dict(pairs) if pairs is not None else [plain(element) for element in value]
        return (value.type, value.bytes) if type(value).__name__ == "Extended" else value

    count = 0
    for name, expected in good.items():
        for text in expected["objects"]:
            data = bytes.fromhex(text)
            try:
                other = msgpack.unpackb(data, strict_map_key=False, ext_hook=lambda code, found: (code, found), timestamp=0)
            except (ValueError, TypeError, msgpack.UnpackException, msgpack.ExtraData, OverflowError):
                continue
            if other == other and "nan" not in repr(other) and "Timestamp" not in repr(other):
                assert repr(plain(decode(data))) == repr(other), (name, text)
                count += 1
    assert count > 100


def test_the_tables_of_hashes_and_ways_in_the_specification_are_true():
    text = (ROOT / "spec" / "extension.md").read_text()
    inputs = [b"", b"8.8.8.8", b"gmail.com", b"abcdefghijklmnopq", bytes(range(200)), bytes(i % 251 for i in range(1000))]
    vectors = re.findall(r"^\| (?:none|the \d|200|1,000).*\| (0x\w+) \| (0x\w+) \| (0x\w+) \|$", text, re.M)
    assert [tuple(int(each, 16) for each in row) for row in vectors] == [
        tuple(xxhash.xxh3_64_intdigest(each, seed) for seed in (0, 1, 2**64 - 1)) for each in inputs
    ]
    probes = re.findall(r"^\| `(key \d+)` \| (0x\w+) \| (\d+) \| \d+ \| \d+ \| 0x\w+ \| (\d+) \| (\d+) \| (\d+) \|$", text, re.M)
    reader = opened("good", "block-parts.fsdb")
    assert len(probes) == 5
    for key, *numbers in probes:
        h, pilot_line, line, slot_number = reader.probe(key.encode())
        assert [int(each, 0) for each in numbers] == [h, pilot_line, line, slot_number, h & 63]

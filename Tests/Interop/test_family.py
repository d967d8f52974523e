"""Files written by one implementation open, verify and answer equally in the other."""

import bisect
import itertools
import struct

import pytest
from good_files import NOT_UTF8_KEYS, ORDERED_KEYS, edges, floats, maps, nesting, not_shortest, strings

from conftest import DONE, FIXTURES, fixture_names
from model import Model
from spelling import pack_array_head, pack_bin, pack_ext, pack_int, pack_map_head, pack_str, parse, unescape, unspell_key

ONE, TWO = b"\x01", b"\x02"


def wide():
    """The values whose lengths need 16 and 32 bits, too large for the test files."""
    for length in (65535, 65536):
        yield f"str of {length}", pack_str(b"s" * length)
        yield f"bin of {length}", pack_bin(b"\xff" * length)
        yield f"ext of {length}", pack_ext(1, b"\x00" * length)
        yield f"array of {length}", pack_array_head(length) + b"\xc0" * length
        yield f"map of {length}", pack_map_head(length) + b"".join(pack_str(b"%d" % i) + b"\xc3" for i in range(length))


EVERY_VALUE = {
    f"{group.__name__}: {name}": value
    for group in (edges, floats, strings, maps, not_shortest, nesting)
    for name, value in group().items()
} | dict(wide())  # fmt: skip

EVERY_KEY = sorted({*NOT_UTF8_KEYS, *ORDERED_KEYS, b"", b"8.8.8.8", "ключ".encode(), b"k" * 65535})


def cases():
    """Sequences of calls: pairs of an object and its keys."""
    return {
        "nothing": [],
        "one key": [(ONE, [b"k"])],
        "only the empty key": [(ONE, [b""])],
        "several keys to an object": [(ONE, [b"a", b"b", b""]), (TWO, [b"c"])],
        "a key twice": [(ONE, [b"k"]), (TWO, [b"k"])],
        "a key twice in a call": [(ONE, [b"k", b"k"])],
        "a key twice, the first object kept by another": [(ONE, [b"k", b"l"]), (TWO, [b"k"])],
        "a key thrice, back to the first bytes": [(ONE, [b"k"]), (TWO, [b"k"]), (ONE, [b"k"])],
        "identical objects": [(ONE, [b"b"]), (ONE, [b"a"]), (TWO, [b"c"]), (ONE, [b"d"])],
        "objects that no key reaches": [(ONE, []), (TWO, [b"k"]), (ONE, []), (TWO, [])],
        "only objects": [(ONE, []), (TWO, [])],
        "every key": [(pack_int(i), [key]) for i, key in enumerate(EVERY_KEY)],
        "every value": [(value, [name.encode()]) for name, value in EVERY_VALUE.items()],
    }


CASES = cases()


def expected_mapping(calls):
    return {key: value for value, keys in calls for key in keys}


def objects_of(reader):
    """The wheel's objects. It leaves the order open and gives none that no key reaches."""
    return sorted(reader.objects_raw())


def assert_wheel_answers(reader, mapping):
    """The wheel opens the file, calls it sound and gives exactly these keys and objects."""
    assert reader.verify() is True
    assert reader.items_raw_bytes() == sorted(mapping.items())
    assert reader.keys() == [lossy(key) for key in sorted(mapping)]
    for key, value in mapping.items():
        assert reader.get_raw(key) == value, key
        assert reader.exists(key)
    for key in absent_from(mapping):
        assert reader.get_raw(key) is None and not reader.exists(key)
    entries = sorted(mapping.items())
    for prefix in prefixes_of(mapping):
        assert reader.prefix_raw(prefix) == [(lossy(key), value) for key, value in with_prefix(entries, prefix)], prefix


def assert_command_answers(command, path, mapping, sample=None):
    """The command opens the file, calls it sound and gives exactly these keys and objects."""
    command("verify", path, code=DONE)
    assert command.mapping(path) == mapping
    assert keys_of(command, path) == sorted(mapping)
    for keys in batches(askable(sample if sample is not None else mapping)):
        assert command.found(path, keys) == {key: mapping[key] for key in keys}
    absent = askable(absent_from(mapping))
    assert command.found(path, absent) == dict.fromkeys(absent)
    entries = sorted(mapping.items())
    for prefix in askable(prefixes_of(sample if sample is not None else mapping)):
        assert command.pairs("prefix", path, "--", prefix) == with_prefix(entries, prefix), prefix


def assert_equal_stats(command, path, reader):
    ours, theirs = command("stats", path, "--json", code=DONE).json, reader.stats()
    assert ours["version"] == theirs["version"] == 2
    assert ours["keys"] == theirs["num_keys"]
    assert ours["objects"] == theirs["num_objects"]
    assert ours["bytes"] == theirs["file_size_kb"] * 1024 == path.stat().st_size
    assert ours["headerBytes"] == theirs["data_offset"] == 40
    assert ours["headerBytes"] + ours["dataBytes"] == theirs["index_offset"]
    assert ours["headerBytes"] + ours["dataBytes"] + ours["indexBytes"] + ours["extensionBytes"] == ours["bytes"]
    assert int(ours["checksum"], 16) == int(theirs["file_crc32"], 16)


def keys_of(command, path):
    """Every key, from both forms of `keys`, which agree."""
    text = [unescape(key) for key in command("keys", path, code=DONE).lines]
    spelled = [unspell_key(parse(key)) for key in command("keys", path, "--json", code=DONE).lines]
    assert text == spelled
    return text


def lossy(key):
    """A key as the wheel's text face gives it."""
    return key.decode(errors="replace")


def absent_from(mapping):
    return [key for key in (b"absent", b"\xfe\xfe", b"8.8.8", *(key + b"\x01" for key in list(mapping)[:20])) if key not in mapping]


def prefixes_of(keys):
    """Prefixes that match all, some, one and none of the keys."""
    keys = sorted(keys)
    chosen = keys[:: max(1, len(keys) // 12)]
    return [b"", b"\xff", b"none such", *(key[: len(key) // 2] for key in chosen), *chosen, *(key + b"x" for key in chosen)]


def with_prefix(entries, prefix):
    """Those of sorted entries whose keys begin with the prefix: they stand together."""
    first = bisect.bisect_left(entries, prefix, key=lambda entry: entry[0])
    return list(itertools.takewhile(lambda entry: entry[0].startswith(prefix), itertools.islice(entries, first, None)))


def askable(keys):
    """The keys that an argument can hold: no NUL, and not longer than an argument may be."""
    return [key for key in keys if b"\x00" not in key and len(key) < 100_000]


def batches(keys, size=200):
    return [keys[i : i + size] for i in range(0, len(keys), size)]


@pytest.mark.parametrize("case", CASES)
def test_a_file_built_here_answers_equally_there(command, wheel, tmp_path, case):
    path = command.build(tmp_path / "ours.fsdb", CASES[case])
    mapping = expected_mapping(CASES[case])
    reader = wheel.open(path)
    assert_wheel_answers(reader, mapping)
    assert objects_of(reader) == sorted(set(mapping.values()))
    assert_equal_stats(command, path, reader)
    assert_command_answers(command, path, mapping)


@pytest.mark.parametrize("case", CASES)
def test_a_file_built_there_answers_equally_here(command, wheel, tmp_path, case):
    path = wheel.write(tmp_path / "theirs.fsdb", CASES[case])
    mapping = expected_mapping(CASES[case])
    reader = wheel.open(path)
    assert_wheel_answers(reader, mapping)
    assert_command_answers(command, path, mapping)
    assert [value for _, value in command.dumped(path)] == [value for value, _ in CASES[case]]
    assert objects_of(reader) == sorted(value for keys, value in command.dumped(path) if keys)
    assert_equal_stats(command, path, reader)


@pytest.mark.parametrize("case", CASES)
def test_insertion_order_gives_the_bytes_of_the_wheel(command, wheel, tmp_path, case):
    theirs = wheel.write(tmp_path / "theirs.fsdb", CASES[case])
    ours = command.build(tmp_path / "ours.fsdb", CASES[case], "--plain", "--order", "insertion")
    assert ours.read_bytes() == theirs.read_bytes()


def test_random_calls_give_the_bytes_of_the_wheel(command, wheel, tmp_path, rng):
    for _ in range(25):
        values = list(edges().values())
        calls = [
            (rng.choice(values), [rng.randbytes(rng.randrange(3)) for _ in range(rng.randrange(4))])
            for _ in range(rng.randrange(60))
        ]
        theirs = wheel.write(tmp_path / "theirs.fsdb", calls)
        ours = command.build(tmp_path / "ours.fsdb", calls, "--plain", "--order", "insertion")
        assert ours.read_bytes() == theirs.read_bytes(), calls


def random_calls(rng, key_count):
    """Calls with as many different keys: text, numbers and raw bytes, one to twenty to an object."""
    keys = set()
    while len(keys) < key_count:
        kind = rng.randrange(3)
        if kind == 0:
            keys.add(b"%d.%d.%d.%d" % tuple(rng.randrange(256) for _ in range(4)))
        elif kind == 1:
            keys.add(rng.randbytes(rng.randrange(1, 24)))
        else:
            keys.add("".join(rng.choices("abcdefghijklmnopqrstuvwxyzäß日.-@", k=rng.randrange(1, 30))).encode())
    keys, calls, values = rng.sample(sorted(keys), len(keys)), [], list(edges().values())
    while keys:
        count = rng.randrange(1, 20)
        number = struct.pack(">BQ", 0xCF, rng.randrange(2**32, 2**64))
        calls.append((b"\x92" + number + rng.choice(values), keys[:count]))
        keys = keys[count:]
    return calls


def test_a_hundred_thousand_random_keys_answer_equally_in_both_directions(command, wheel, tmp_path, rng):
    calls = random_calls(rng, 100_000)
    mapping = expected_mapping(calls)
    assert len(mapping) == 100_000
    sample = rng.sample(sorted(mapping), 1_000)

    ours = command.build(tmp_path / "ours.fsdb", calls)
    reader = wheel.open(ours)
    assert_wheel_answers(reader, mapping)
    assert_equal_stats(command, ours, reader)
    assert_command_answers(command, ours, mapping, sample)

    theirs = wheel.write(tmp_path / "theirs.fsdb", calls)
    assert_command_answers(command, theirs, mapping, sample)
    assert_equal_stats(command, theirs, wheel.open(theirs))
    same = command.build(tmp_path / "same.fsdb", calls, "--plain", "--order", "insertion")
    assert same.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("name", fixture_names("good"))
def test_the_wheel_reads_the_good_files(wheel, good, name):
    expected = good[name]
    reader = wheel.open(FIXTURES / "good" / name)
    assert_wheel_answers(reader, {bytes.fromhex(key): bytes.fromhex(value) for key, value in expected["keys"].items()})
    assert reader.stats()["num_keys"] == expected["keyCount"]
    assert reader.stats()["num_objects"] == expected["objectCount"]


@pytest.mark.parametrize("name", fixture_names("good"))
def test_a_model_of_the_format_reads_the_good_files(good, name):
    expected, model = good[name], Model((FIXTURES / "good" / name).read_bytes())
    assert model.damage == set()
    model.open()
    assert all(model.get(key) == value for key, value in model.mapping.items())
    assert model.get(b"absent \x00") is None
    assert [key for key, _ in model.scan()] == sorted(model.mapping)
    if model.block:
        assert [kind for _, kind, *_ in model.block.sections] == expected["sections"]
        assert model.block.metadata() == expected["meta"]
    assert {key.hex(): value.hex() for key, value in model.mapping.items()} == expected["keys"]
    assert [value.hex() for value in model.objects] == expected["objects"]
    assert (len(model.mapping), len(model.objects), len(model.data)) == (
        expected["keyCount"],
        expected["objectCount"],
        expected["bytes"],
    )

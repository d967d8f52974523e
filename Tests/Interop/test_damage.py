"""A small file cut at every byte and flipped at every bit: an error with an offset, or the answers of the sound file."""

import json
import re

import pytest
from block import with_block
from fsdb import assemble, canonical, record
from msgpack import packb

from conftest import BAD_DATA, DONE, NO, json_value
from model import Damaged, Model
from spelling import parse, unescape, unline, unspell, unspell_key

MAPPING = {b"a": packb({"n": 1}), b"b": packb({"n": 1}), b"cd": packb("two")}

#: The files that are damaged, and the keys that each is asked for.
FILES = {
    "two objects": canonical(MAPPING),
    # Its object ends like the start of an index: one flipped bit of index_offset gives a file that fits in all else.
    "an object like an index": assemble([record(b"\xa2\x00\x03")], [(b"a", 0)]),
    "one object, no key": assemble([record(b"\x01")], []),
    "nothing": canonical({}),
    "two objects, the block": with_block(canonical(MAPPING), meta={"source": "tests"}),
    "no key, the block": with_block(canonical({})),
    "five slots a line, the block": with_block(canonical(MAPPING), slots_per_line=5),
    "the block without its hash": with_block(canonical(MAPPING), without=("HASH",)),
}


@pytest.fixture(scope="module", params=FILES)
def sound(request):
    return bytes(FILES[request.param])


def cuts(sound):
    return {f"cut at {size}": sound[:size] for size in range(len(sound))}


def flips(sound):
    damaged = {}
    for bit in range(8 * len(sound)):
        changed = bytearray(sound)
        changed[bit // 8] ^= 1 << bit % 8
        damaged[f"byte {bit // 8} bit {bit % 8}"] = bytes(changed)
    return damaged


def additions(sound):
    return {f"and {len(more)} bytes": sound + more for more in (b"\x00", b"\xff", bytes(10), bytes(4096), sound)}


def write(folder, damaged):
    paths = {}
    for number, (name, data) in enumerate(damaged.items()):
        paths[name] = folder / f"{number}.fsdb"
        paths[name].write_bytes(data)
    return paths


@pytest.mark.parametrize("damage", [cuts, flips, additions])
def test_verify_finds_every_cut_flip_and_addition(command, tmp_path, sound, damage):
    damaged = damage(sound)
    paths = write(tmp_path, damaged)
    reports = [json.loads(text) for text in command("verify", "--json", *paths.values(), code=NO).lines]
    assert [report["path"] for report in reports] == list(map(str, paths.values()))
    assert [name for name, report in zip(damaged, reports, strict=True) if report["sound"] or not report["damage"]] == []
    for (name, data), report in zip(damaged.items(), reports, strict=True):
        found = {(one["kind"], one["offset"]) for one in report["damage"]}
        assert found == Model(data).damage, name
        assert all(one["offset"] <= max(len(data), 40) for one in report["damage"]), name


def answers(command, path, keys):
    """The outcome of each question: what came out, or None where it was an error. A false answer stays."""
    for question in (["dump", path], ["keys", path], ["prefix", path, ""], *(["get", path, key] for key in keys)):
        result = command(*question)
        if result.code == DONE:
            yield question, normal(question[0], result.lines)
        elif is_damage(result):
            yield question, None
        else:
            yield question, ("absent", result.code)


def is_damage(result):
    return result.code == BAD_DATA and re.search(r"\boffset \d+\b", result.errors)


def normal(form, lines):
    match form:
        case "dump":
            return [unline(text.decode()) for text in lines]
        case "keys":
            return [unescape(text) for text in lines]
        case "prefix":
            return [(unescape(key), unspell(value.decode())) for key, value in (text.split(b"\t", 1) for text in lines)]
        case "get":
            return [unspell(text.decode()) for text in lines]


def sampled(damaged, count, rng):
    names = sorted(damaged)
    return {name: damaged[name] for name in rng.sample(names, min(count, len(names)))}


@pytest.mark.parametrize("damage, count", [(cuts, 30), (flips, 60), (additions, 5)])
def test_questions_to_a_damaged_file_are_errors_or_answered_as_before(command, tmp_path, sound, rng, damage, count):
    keys = [*Model(sound).mapping, b"absent"]
    before = tmp_path / "sound.fsdb"
    before.write_bytes(sound)
    expected = [answer for _, answer in answers(command, before, keys)]
    for name, path in write(tmp_path, sampled(damage(sound), count, rng)).items():
        for (question, answer), right in zip(answers(command, path, keys), expected, strict=True):
            assert answer is None or answer == right, (name, question)


def test_a_flipped_bit_of_the_index_offset_never_loses_a_key(command, tmp_path):
    """Every bit of the field, on the file whose object looks like an index."""
    sound = bytes(FILES["an object like an index"])
    for name, path in write(
        tmp_path, {name: data for name, data in flips(sound).items() if 16 <= int(name.split()[1]) < 24}
    ).items():
        result = command("get", path, "a")
        assert is_damage(result), (name, result)


@pytest.mark.parametrize("damage, count", [(cuts, 20), (flips, 60)])
def test_statistics_of_a_damaged_file_are_an_error_or_those_of_before(command, tmp_path, sound, rng, damage, count):
    before = tmp_path / "sound.fsdb"
    before.write_bytes(sound)
    expected = command("stats", before, "--json", code=DONE).json
    for name, path in write(tmp_path, sampled(damage(sound), count, rng)).items():
        result = command("stats", path, "--json")
        if result.code == DONE:
            assert {**result.json, "path": str(before)} == expected, name
        else:
            assert is_damage(result), (name, result)


def test_random_rubbish_is_refused(command, tmp_path, rng):
    header = bytes(FILES["nothing"])
    rubbish = {f"rubbish {i}": rng.randbytes(rng.randrange(200)) for i in range(100)}
    rubbish |= {f"rubbish after a magic {i}": b"FSDB\x02" + rng.randbytes(rng.randrange(200)) for i in range(100)}
    rubbish |= {f"rubbish after a header {i}": header + rng.randbytes(rng.randrange(1, 200)) for i in range(100)}
    paths = write(tmp_path, rubbish)
    reports = [json.loads(text) for text in command("verify", "--json", *paths.values(), code=NO).lines]
    assert [name for name, report in zip(rubbish, reports, strict=True) if report["sound"]] == []
    for path in list(paths.values())[::20]:
        assert is_damage(command("get", path, "k"))


@pytest.fixture(scope="module")
def in_block(command, tmp_path_factory):
    """A file with the block, its keys, and what is asked of it."""
    mapping = {b"key %d" % number: packb(number // 2) for number in range(12)}
    return with_block(canonical(mapping), meta={"source": "tests"}), mapping


def test_a_flipped_bit_of_each_byte_of_a_file_with_the_block_keeps_every_answer_or_is_an_error(command, tmp_path, in_block):
    """All keys at once, for one bit of each byte: one call of `get --json` answers for all. Swift's tests flip every bit, without a process for each."""
    file, mapping = in_block
    right = {**mapping, b"absent": None, b"key": None, b"": None}
    every = list(flips(bytes(file)).items())
    assert len(every) == 8 * len(bytes(file))
    # Another bit in each, so that all eight have their turn.
    chosen = dict(every[8 * place + place % 8] for place in range(len(every) // 8))
    for name, path in write(tmp_path, chosen).items():
        result = command("get", path, "--json", "--", *right)
        if is_damage(result):
            continue
        assert result.code == NO, (name, result)
        got = {unspell_key(dict(parse(text))["key"]): json_value(text) for text in result.lines}
        assert got == right, name


def test_every_cut_of_a_file_with_the_block_is_refused(command, tmp_path, in_block):
    file, _ = in_block
    for name, path in write(tmp_path, cuts(bytes(file))).items():
        assert is_damage(command("get", path, "key 1")), name


def test_what_the_model_answers_to_a_flipped_bit_is_right_or_an_error(in_block):
    """The rules of the specification themselves leave no bit through."""
    file, mapping = in_block
    for name, data in flips(bytes(file)).items():
        model = Model(data)
        assert model.damage, name
        for key in (*mapping, b"absent"):
            try:
                model.open()
                answer = model.get(key)
            except Damaged:
                continue
            assert answer == mapping.get(key), (name, key)


def test_many_changed_bytes_with_a_right_checksum_are_found_or_change_nothing(command, tmp_path, rng):
    """What a checksum cannot tell: bytes of the body changed, and file_crc32 made to match."""
    file = FILES["two objects"]
    damaged = {}
    for number in range(400):
        changed = file.copy()
        for _ in range(rng.randrange(1, 4)):
            changed.data[rng.randrange(40, len(changed))] = rng.randrange(256)
        damaged[f"change {number}"] = bytes(changed.sealed())
    paths = write(tmp_path, damaged)
    for text, (name, data) in zip(command("verify", "--json", *paths.values()).lines, damaged.items(), strict=True):
        found = {(one["kind"], one["offset"]) for one in json.loads(text)["damage"]}
        assert found == Model(data).damage, (name, data.hex())
    for name in rng.sample(sorted(damaged), 40):
        model = Model(damaged[name])
        for key in MAPPING:
            result = command("get", paths[name], key)
            if result.code == DONE:
                assert unspell(result.text) == model.look_up(key), name

"""The test files through the command: the sound ones answer, the damaged ones are errors with an offset."""

import json
import os
import re
import subprocess
import sys

import pytest

from conftest import BAD_DATA, DONE, FIXTURES, NO, fixture_names
from model import Damaged, Model
from model_block import KINDS
from spelling import is_value, unescape, unline, unspell

# Of which stats gives the length.
SECTIONS = {"HASH", "ORDR", "META", "NETW", "KLEN", "REVS"}
GOOD, BAD = FIXTURES / "good", FIXTURES / "bad"


def damage_of(report):
    return {(damage["kind"], damage["offset"]) for damage in report["damage"]}


def expected_damage(expected):
    return {(damage["kind"], damage["offset"]) for damage in expected["damage"]}


def keyed(mapping):
    return {bytes.fromhex(key): bytes.fromhex(value) for key, value in mapping.items()}


def is_damage(result):
    """The exit code of a damaged file, and a sentence with an offset."""
    return result.code == BAD_DATA and re.search(r"\boffset \d+\b", result.errors) is not None


def assert_damaged(result):
    assert is_damage(result), result


# --- the files are what their scripts write ---


def test_the_scripts_write_the_same_bytes_again(tmp_path):
    for script in ("make_fixtures.py", "write_with_wheel.py"):
        subprocess.run([sys.executable, FIXTURES / script, "--to", tmp_path], check=True, capture_output=True)
    for folder in (GOOD, BAD):
        again = tmp_path / folder.name
        assert sorted(os.listdir(again)) == sorted(os.listdir(folder))
        for name in os.listdir(folder):
            assert (again / name).read_bytes() == (folder / name).read_bytes(), name
    assert (tmp_path / "README.md").read_text() == (FIXTURES / "README.md").read_text()


def test_the_damaged_files_are_small():
    assert [path.name for path in BAD.glob("*.fsdb") if path.stat().st_size > 1100] == ["block-sections-257.fsdb"]


def test_every_kind_of_damage_has_a_file(bad):
    kinds = {damage["kind"] for expected in bad.values() for damage in expected["damage"]}
    assert kinds == {
        "header", "magic", "version", "count", "fileChecksum", "objectChecksum", "objectBounds", "objectValue",
        "keyOrder", "keyBounds", "keyTarget", "trailingBytes", "truncated", *KINDS,
    }  # fmt: skip


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_a_model_of_the_format_finds_the_expected_damage(bad, name):
    expected, model = bad[name], Model((BAD / name).read_bytes())
    assert model.damage == expected_damage(expected)
    listed = [(damage["kind"], damage["offset"]) for damage in expected["damage"]]
    assert len(listed) == len(set(listed))
    assert listed[len(listed) - len(model.block_damage) :] == model.block_damage
    if expected["open"] == "refused":
        with pytest.raises(Damaged) as refusal:
            model.open()
        assert refusal.value.code == expected["code"]
        return
    model.open()
    for key, value in keyed(expected["answers"]).items():
        assert model.get(key) == value
    for key in expected["fails"]:
        with pytest.raises(Damaged):
            model.get(bytes.fromhex(key))
    for key in expected["invalid"]:
        assert not is_value(model.get(bytes.fromhex(key)))
    everything = every_key(expected)
    absent = [outcome(model.get, bytes([letter])) for letter in range(256) if bytes([letter]) not in everything]
    assert_outcome(expected.get("absent", "answers"), absent, None)
    scanned = outcome(lambda: [key for key, _ in model.scan()])
    assert_outcome(expected.get("scan", "answers"), [scanned], sorted(everything))
    if model.block:
        assert (outcome(model.block.metadata) is Damaged) == (expected.get("meta") == "fails")


def outcome(question, *arguments):
    """The answer, or `Damaged`."""
    try:
        return question(*arguments)
    except Damaged:
        return Damaged


def assert_outcome(expected, outcomes, right):
    allowed = {"answers": [right], "fails": [Damaged], "either": [right, Damaged]}
    assert expected == "lost" or all(one in allowed[expected] for one in outcomes)


def scanned(path):
    """The keys with the objects that a scan can hand out, by the model."""
    model = Model(path.read_bytes())
    objects = {key: outcome(model.checked, target) for key, target in model.scan()}
    return {key: value for key, value in objects.items() if value is not Damaged and is_value(value)}


def every_key(expected):
    """The keys that the file was made of."""
    return {bytes.fromhex(key) for group in ("answers", "fails", "invalid", "lost") for key in expected.get(group, ())}


# --- sound files ---


@pytest.mark.parametrize("name", fixture_names("good"))
def test_a_sound_file_verifies(command, name):
    report = command("verify", GOOD / name, "--json", code=DONE).json
    assert report["sound"] is True and report["damage"] == []
    assert report["path"] == str(GOOD / name)
    assert command("verify", GOOD / name, code=DONE).text.startswith(f"{GOOD / name}: sound (")


@pytest.mark.parametrize("name", fixture_names("good"))
def test_a_sound_file_answers(command, good, name):
    path, expected = GOOD / name, keyed(good[name]["keys"])
    assert command.mapping(path) == expected
    assert [value.hex() for _, value in command.dumped(path)] == good[name]["objects"]
    assert [unescape(key) for key in command("keys", path, code=DONE).lines] == sorted(expected)
    assert command.pairs("prefix", path, "") == sorted(expected.items())
    askable = [key for key in expected if b"\x00" not in key]
    if askable:
        assert command.found(path, askable) == {key: expected[key] for key in askable}


@pytest.mark.parametrize("name", fixture_names("good"))
def test_the_statistics_of_a_sound_file_are_those_of_the_model(command, good, name):
    path, expected = GOOD / name, good[name]
    stats, model = command("stats", path, "--json", code=DONE).json, Model((GOOD / name).read_bytes())
    per_object = [len(keys) for keys, _ in model.keys_by_object]
    shared = sum((len(keys) - 1) * (8 + len(value)) for keys, value in model.keys_by_object if keys)
    mean = stats.pop("meanKeysPerObject")
    assert stats == {
        "path": str(path),
        "version": 2,
        "keys": expected["keyCount"],
        "objects": expected["objectCount"],
        "bytes": expected["bytes"],
        "headerBytes": 40,
        "dataBytes": model.header["index_offset"] - 40,
        "indexBytes": model.index_end - model.header["index_offset"],
        "extensionBytes": expected["bytes"] - model.index_end,
        "plain": model.block is None,
        "meta": expected.get("meta", {}),
        "keyBytes": sum(map(len, model.mapping)),
        "objectBytes": sum(map(len, model.objects)),
        "minKeysPerObject": min(per_object, default=0),
        "maxKeysPerObject": max(per_object, default=0),
        "unreachedObjects": expected["unreachedObjects"],
        "bytesSavedBySharing": shared,
        "checksum": f"0x{model.header['file_crc32']:08x}",
        "sections": {kind: length for _, kind, _, _, length, _ in model.block.sections if kind in SECTIONS} if model.block else {},
    }
    assert mean == pytest.approx(expected["keyCount"] / (expected["objectCount"] or 1))


# --- damaged files ---


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_verify_lists_all_the_damage(command, bad, name):
    result = command("verify", BAD / name, "--json", code=NO)
    report = result.json
    assert report["sound"] is False
    assert report["path"] == str(BAD / name)
    assert damage_of(report) == expected_damage(bad[name])
    assert len(report["damage"]) == len(bad[name]["damage"])
    assert all(damage["message"] for damage in report["damage"])


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_verify_names_file_offset_and_kind_of_each_damage_for_people(command, bad, name):
    result = command("verify", BAD / name, code=NO)
    found = [re.fullmatch(rf"{re.escape(str(BAD / name))}: offset (\d+): (\w+): (.+)", text) for text in result.text.splitlines()]
    found = [match for match in found if match]
    assert {(match[2], int(match[1])) for match in found} == expected_damage(bad[name])
    assert len(found) == len(bad[name]["damage"])


def test_verify_takes_many_files_and_reports_each(command, bad):
    names = sorted(bad)
    result = command("verify", "--json", GOOD / "one-key.fsdb", *(BAD / name for name in names), GOOD / "empty.fsdb", code=NO)
    reports = [json.loads(text) for text in result.lines]
    assert [report["sound"] for report in reports] == [True] + [False] * len(names) + [True]
    for name, report in zip(names, reports[1:-1], strict=True):
        assert damage_of(report) == expected_damage(bad[name]), name


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_a_look_up_in_a_damaged_file_is_an_error_or_right(command, bad, name):
    path, expected = BAD / name, bad[name]
    if expected["open"] == "refused":
        for arguments in (["get", path, "a"], ["get", path, "a", "b", "--json"], ["get", path, "absent"]):
            result = command(*arguments)
            assert_damaged(result)
            assert result.out == b""
        return
    for key, value in keyed(expected["answers"]).items():
        result = command("get", path, "--", key, code=DONE)
        assert unspell(result.text) == value
    for key in (*expected["fails"], *expected["invalid"]):
        result = command("get", path, "--", bytes.fromhex(key))
        assert_damaged(result)
        assert result.out == b""
    for key in map(bytes.fromhex, expected.get("lost", ())):
        command("get", path, "--", key)
    absent = command("get", path, "absent")
    assert absent.out == b"" and absent.code in (NO, BAD_DATA)
    # The metadata may name a rule by which the question would be another.
    if expected.get("absent") == "fails" or expected.get("meta") == "fails":
        assert_damaged(absent)
    elif "absent" not in expected:
        assert not is_damage(absent)


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_a_scan_of_a_damaged_file_is_an_error_or_right(command, bad, name):
    path, expected = BAD / name, bad[name]
    keys, prefix = command("keys", path), command("prefix", path, "")
    if expected["open"] == "refused":
        assert_damaged(keys)
        assert_damaged(prefix)
        assert keys.out == prefix.out == b""
        return
    if "scan" in expected:
        for result in (keys, prefix):
            assert result.code == DONE and expected["scan"] != "fails" or is_damage(result)
        found = [unescape(key) for key in keys.lines]
        if expected["scan"] != "lost":
            everything = sorted(every_key(expected))
            assert found == (everything if keys.code == DONE else everything[: len(found)])
        return
    answers = scanned(path)
    damaged = every_key(expected) - answers.keys()
    assert keys.code == DONE
    assert [unescape(key) for key in keys.lines] == sorted(every_key(expected))
    if damaged:
        assert_damaged(prefix)
    else:
        assert prefix.code == DONE
    got = [(unescape(key), unspell(value.decode())) for key, value in (text.split(b"\t", 1) for text in prefix.lines)]
    before = [key for key in sorted(answers) if not damaged or key < min(damaged)]
    assert got[: len(before)] == [(key, answers[key]) for key in before]
    assert all(answers.get(key) == value for key, value in got)


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_a_dump_of_a_damaged_file_is_an_error_or_right(command, bad, name):
    path, expected = BAD / name, bad[name]
    result = command("dump", path)
    kinds = {damage["kind"] for damage in expected["damage"]}
    if expected["open"] == "refused":
        assert_damaged(result)
        assert result.out == b""
        return
    if "scan" in expected:
        assert result.code == DONE and expected["scan"] != "fails" or is_damage(result)
    elif kinds <= {"header", "directory", "padding", "sectionChecksum", "hash", "metadata", "fileChecksum"}:
        assert result.code == DONE
    else:
        assert_damaged(result)
    if expected.get("scan") == "lost":
        return
    answers = scanned(path) if "scan" not in expected else keyed(expected["answers"])
    for keys, value in (unline(text.decode()) for text in result.lines):
        assert all(answers.get(key) == value for key in keys)


@pytest.mark.parametrize("name", fixture_names("bad"))
@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_table_of_a_damaged_file_is_never_a_crash(command, bad, name, form):
    result = command("dump", BAD / name, "--format", form)
    in_hash = any(damage["kind"] == "hash" for damage in bad[name]["damage"])
    if bad[name]["open"] == "refused" or bad[name].get("scan") == "fails":
        assert_damaged(result)
    elif (bad[name]["fails"] and not in_hash) or bad[name]["invalid"]:
        assert_damaged(result)


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_statistics_of_a_damaged_file_are_an_error_or_right(command, bad, name):
    expected = bad[name]
    result = command("stats", BAD / name, "--json")
    places = {(damage["kind"], damage["offset"]) for damage in expected["damage"]}
    if expected["open"] == "refused" or {("count", 12)} & places or {"objectBounds", "keyTarget"} & {kind for kind, _ in places}:
        assert_damaged(result)
        assert result.out == b""
    elif result.code == DONE:
        assert expected.get("meta") != "fails"
        assert result.json["keys"] == len(every_key(expected))
        assert result.json["objects"] == len(Model((BAD / name).read_bytes()).objects)
    else:
        assert_damaged(result)

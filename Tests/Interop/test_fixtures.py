"""The test files through the command: the sound ones answer, the damaged ones are errors with an offset."""

import json
import os
import re
import subprocess
import sys

import pytest

from conftest import DONE, FIXTURES, NO, fixture_names
from model import Model
from spelling import is_value, unescape, unline, unspell

GOOD, BAD = FIXTURES / "good", FIXTURES / "bad"


def damage_of(report):
    return {(damage["kind"], damage["offset"]) for damage in report["damage"]}


def expected_damage(expected):
    return {(damage["kind"], damage["offset"]) for damage in expected["damage"]}


def keyed(mapping):
    return {bytes.fromhex(key): bytes.fromhex(value) for key, value in mapping.items()}


def assert_damaged(result):
    """A definite no: exit code 1, and a sentence with an offset."""
    assert result.code == NO, result
    assert re.search(r"\boffset \d+\b", result.errors), result


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
    assert [path.name for path in BAD.glob("*.fsdb") if path.stat().st_size > 1024] == []


def test_every_kind_of_damage_has_a_file(bad):
    kinds = {damage["kind"] for expected in bad.values() for damage in expected["damage"]}
    assert kinds == {
        "header", "magic", "version", "count", "fileChecksum", "objectChecksum", "objectBounds", "objectValue",
        "keyOrder", "keyBounds", "keyTarget", "trailingBytes", "truncated",
    }  # fmt: skip


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_a_model_of_the_format_finds_the_expected_damage(bad, name):
    expected, model = bad[name], Model((BAD / name).read_bytes())
    assert model.damage == expected_damage(expected)
    if expected["open"] == "opens":
        for key, value in keyed(expected["answers"]).items():
            assert model.look_up(key) == value
        for key in expected["fails"]:
            with pytest.raises(ValueError, match="damaged"):
                model.look_up(bytes.fromhex(key))
        for key in expected["invalid"]:
            assert not is_value(model.look_up(bytes.fromhex(key)))


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
        "indexBytes": expected["bytes"] - model.header["index_offset"],
        "keyBytes": sum(map(len, model.mapping)),
        "objectBytes": sum(map(len, model.objects)),
        "minKeysPerObject": min(per_object, default=0),
        "maxKeysPerObject": max(per_object, default=0),
        "unreachedObjects": expected["unreachedObjects"],
        "bytesSavedBySharing": shared,
        "checksum": f"0x{model.header['file_crc32']:08x}",
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
    absent = command("get", path, "absent", code=NO)
    assert absent.out == b""


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_a_scan_of_a_damaged_file_is_an_error_or_right(command, bad, name):
    path, expected = BAD / name, bad[name]
    keys, prefix = command("keys", path), command("prefix", path, "")
    if expected["open"] == "refused":
        assert_damaged(keys)
        assert_damaged(prefix)
        assert keys.out == prefix.out == b""
        return
    answers = keyed(expected["answers"])
    damaged = {bytes.fromhex(key) for key in (*expected["fails"], *expected["invalid"])}
    assert keys.code == DONE
    assert [unescape(key) for key in keys.lines] == sorted({*answers, *damaged})
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
    elif kinds == {"header"}:
        assert result.code == DONE
    else:
        assert_damaged(result)
    answers = keyed(expected.get("answers", {}))
    for keys, value in (unline(text.decode()) for text in result.lines):
        assert all(answers.get(key) == value for key in keys)


@pytest.mark.parametrize("name", fixture_names("bad"))
@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_table_of_a_damaged_file_is_never_a_crash(command, bad, name, form):
    result = command("dump", BAD / name, "--format", form)
    if bad[name]["open"] == "refused" or bad[name]["fails"] or bad[name]["invalid"]:
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
        assert result.json["keys"] == len(expected["answers"]) + len(expected["fails"]) + len(expected["invalid"])
        assert result.json["objects"] == len(Model((BAD / name).read_bytes()).objects)
    else:
        assert_damaged(result)

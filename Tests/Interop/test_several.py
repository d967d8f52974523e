"""`stats` and `verify` of several files, and `diff` by fields."""

import json

import pytest

from conftest import BAD_DATA, DONE, FIXTURES, NO, NO_INPUT, USAGE
from spelling import pack_int

BAD = FIXTURES / "bad" / "file-crc-flipped.fsdb"


@pytest.fixture(scope="module")
def two(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    return [command.build(folder / f"{name}.fsdb", [(pack_int(number), [name.encode()])]) for number, name in enumerate("ab")]


def test_stats_of_several_files_are_those_of_each(command, two):
    alone = [command("stats", path, code=DONE).text for path in two]
    assert command("stats", *two, code=DONE).text == "\n".join(alone)
    alone = [command("stats", path, "-j", code=DONE).out for path in two]
    assert command("stats", *two, "-j", code=DONE).out == b"".join(alone)


def test_stats_go_on_after_a_file_and_the_exit_code_is_the_highest(command, two, tmp_path):
    (tmp_path / "none.fsdb").write_text("none of these")
    result = command("stats", two[0], tmp_path / "none.fsdb", two[1], "--json", code=BAD_DATA)
    paths = [json.loads(line) for line in result.lines]
    assert [line["path"] for line in paths] == [str(two[0]), str(tmp_path / "none.fsdb"), str(two[1])]
    assert [line.get("keys") for line in paths] == [1, None, 1] and "error" in paths[1]
    assert "none.fsdb" in result.errors and result.errors.count("\n") == 1
    result = command("stats", tmp_path / "absent.fsdb", tmp_path / "none.fsdb", two[1], code=NO_INPUT)
    assert result.text.lstrip("\n") == command("stats", two[1]).text
    assert result.errors.count("\n") == 2


def test_verify_without_words_for_what_is_sound(command, two):
    loud = command("verify", *two, BAD, code=NO)
    quiet = command("verify", *two, BAD, "--quiet", code=NO)
    assert quiet.out and quiet.lines == [line for line in loud.lines if b": sound (" not in line] != loud.lines
    assert command("verify", *two, "-q", code=DONE).out == b""
    assert len(command("verify", *two, "-q", "-j", code=DONE).lines) == 2


# --- diff by fields ---

OLD = {"same": {"a": 1, "geo": {"cc": "US", "at": [1, 2]}}, "gone": {"a": 1}, "geo": {"a": 1, "geo": {"cc": "US", "at": [1, 2]}}, "text": "x",
       "at": {"a": 1, "geo": {"cc": "US", "at": [1, 2]}}, "b": {"a": 1}, "order": {"a": 1, "b": 2}}
NEW = {"same": {"a": 1, "geo": {"cc": "US", "at": [1, 2]}}, "come": {"a": 1}, "geo": {"a": 1, "geo": {"cc": "DE", "at": [1, 2]}}, "text": "y",
       "at": {"a": 1, "geo": {"cc": "US", "at": [1, 3]}}, "b": {"a": 1, "b": 2}, "order": {"b": 2, "a": 1}}


@pytest.fixture(scope="module")
def changed(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("diff")
    for name, values in ("old", OLD), ("new", NEW):
        lines = "".join(json.dumps({"keys": [key], "value": value}) + "\n" for key, value in values.items())
        command("build", "-o", folder / f"{name}.fsdb", "-q", stdin=lines.encode(), code=DONE)
    return folder / "old.fsdb", folder / "new.fsdb"


@pytest.mark.parametrize("words, keys", [
    ([], "at b geo order text"), (["--field", "a"], ""), (["--field", "geo"], "at geo"), (["--field", "geo.cc"], "geo"), (["--field", "b"], "b"),
    (["--field", "geo.at.1", "--field", "b"], "at b"), (["--ignore", "geo"], "b order text"), (["--ignore", "geo.cc"], "at b order text"),
    (["--ignore", "geo.at.1"], "b geo order text"), (["--ignore", "geo.at.0"], "at b geo order text"), (["--ignore", "a"], "at b geo text"),
    (["--ignore", "b"], "at geo text"), (["--field", "geo", "--ignore", "geo.at"], "geo"), (["--field", "geo", "--ignore", "geo"], ""),
    (["--ignore", "nothing"], "at b geo order text"), (["--ignore", "geo", "--ignore", "b"], "text"),
])
def test_diff_compares_what_counts(command, changed, words, keys):
    result = command("diff", *changed, *words, code=NO)
    assert result.err == b""
    lines = result.text.splitlines()
    assert [line for line in lines if line[0] != "~"] == ["+ come", "- gone"]
    assert [line[2:] for line in lines if line[0] == "~"] == keys.split()
    count = len(keys.split())
    assert command("diff", *changed, *words, "--summary", "-j", code=NO).json == {"added": 1, "removed": 1, "changed": count, "unchanged": 6 - count}


def test_diff_prints_the_fields_that_it_compared(command, changed):
    lines = [json.loads(line) for line in command("diff", *changed, "--field", "geo.cc", "--field", "a", "-j", code=NO).lines]
    assert lines == [{"change": "added", "key": "come", "new": {"a": 1}},
                     {"change": "changed", "key": "geo", "old": {"geo.cc": "US", "a": 1}, "new": {"geo.cc": "DE", "a": 1}},
                     {"change": "removed", "key": "gone", "old": {"a": 1}}]


def test_files_that_differ_in_what_does_not_count_are_equal(command, tmp_path):
    for name, number in ("old", 1), ("new", 2):
        command("build", "-o", tmp_path / f"{name}.fsdb", "-q", stdin=b'{"keys":["k","l"],"value":{"a":%d,"b":0}}\n' % number, code=DONE)
    files = [tmp_path / "old.fsdb", tmp_path / "new.fsdb"]
    assert command("diff", *files, code=NO).text == "~ k\n~ l\n"
    for words in (["--ignore", "a"], ["--field", "b"]):
        result = command("diff", *files, *words, code=DONE)
        assert (result.out, result.err) == (b"", b"")
    assert "did you mean 'a'" not in command("diff", *files, "--field", "b", code=DONE).errors
    result = command("diff", *files, "--field", "bb", "--field", "a", code=NO)
    assert "no value that was looked at has the field \"bb\"; did you mean 'b'?" in result.errors


def test_random_changes_are_those_of_a_model(command, tmp_path, rng):
    def value():
        return {name: rng.choice([1, "x", [1, 2], {"p": 1, "q": rng.randrange(2)}]) for name in "abc" if rng.random() < 0.8}

    old = {f"k{number:03}": value() for number in range(200)}
    new = {key: value() if rng.random() < 0.5 else each for key, each in old.items()}
    for name, values in ("old", old), ("new", new):
        lines = "".join(json.dumps({"keys": [key], "value": each}) + "\n" for key, each in values.items())
        command("build", "-o", tmp_path / f"{name}.fsdb", "-q", stdin=lines.encode(), code=DONE)

    def without(each):
        each = {name: inner for name, inner in each.items() if name != "a"}
        if isinstance(each.get("b"), dict):
            each["b"] = {name: inner for name, inner in each["b"].items() if name != "q"}
        return each

    lines = command("diff", tmp_path / "old.fsdb", tmp_path / "new.fsdb", "--ignore", "a", "--ignore", "b.q").text.splitlines()
    assert lines == [f"~ {key}" for key in sorted(old) if without(old[key]) != without(new[key])]
    lines = command("diff", tmp_path / "old.fsdb", tmp_path / "new.fsdb", "--field", "a", "--field", "b.p").text.splitlines()

    def part(each):
        return each.get("a"), each["b"].get("p") if isinstance(each.get("b"), dict) else None

    assert lines == [f"~ {key}" for key in sorted(old) if part(old[key]) != part(new[key])]


@pytest.mark.parametrize("option", ["--field", "--ignore"])
def test_a_patch_is_of_everything(command, changed, tmp_path, option):
    result = command("diff", *changed, "-o", tmp_path / "x.patch", option, "a", code=USAGE)
    assert f"leave out {option}" in result.errors and not (tmp_path / "x.patch").exists()

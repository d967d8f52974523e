"""The exit codes, through the built command: 0 done, 1 a definite no, 64 usage, 65 bad data or no database,
66 no input, 74 I/O failure."""

import gzip
import os
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BAD_DATA, DONE, FIXTURES, IO_FAILURE, NO, NO_INPUT, UNAVAILABLE, USAGE

COMMANDS = ["build", "get", "prefix", "keys", "dump", "stats", "verify", "watch"]
READERS = {"get": ["k"], "prefix": [""], "keys": [], "dump": [], "stats": [], "verify": []}
GOOD, BAD = FIXTURES / "good" / "one-key.fsdb", FIXTURES / "bad" / "file-crc-flipped.fsdb"


@pytest.mark.parametrize("name", READERS)
def test_0_when_it_is_done_and_nothing_on_standard_error(command, name):
    result = command(name, GOOD, *READERS[name], code=DONE)
    assert result.out and not result.err


def test_0_when_a_file_is_built(command, tmp_path):
    result = command("build", tmp_path / "x.fsdb", stdin=b'{"keys":["k"],"value":1}\n', code=DONE)
    assert result.out == b"" and result.err


def test_1_when_a_key_is_absent(command):
    result = command("get", GOOD, "absent", code=NO)
    assert result.out == b"" and "absent" in result.errors
    result = command("get", GOOD, "absent", "k", code=NO)
    assert result.out == b'k\t{"n":1}\n' and "absent" in result.errors


#: Every command that reads databases, with what it is asked about FILE; all else it needs is sound.
QUESTIONS = {
    "get": ["get", "FILE", "k"],
    "get --keys-from": ["get", "FILE", "--keys-from", "GOOD LIST"],
    "prefix": ["prefix", "FILE", ""],
    "keys": ["keys", "FILE"],
    "keys -0": ["keys", "FILE", "-0"],
    "dump": ["dump", "FILE"],
    "dump csv": ["dump", "FILE", "--format", "csv"],
    "stats": ["stats", "FILE"],
    "verify": ["verify", "FILE"],
    "verify --checksums": ["verify", "FILE", "--checksums"],
    "verify several": ["verify", "GOOD", "FILE", "GOOD"],
    "merge": ["merge", "out.fsdb", "GOOD", "FILE"],
    "merge --subtract": ["merge", "out.fsdb", "GOOD", "--subtract", "FILE"],
    "diff OLD": ["diff", "FILE", "GOOD"],
    "diff NEW": ["diff", "GOOD", "FILE"],
    "diff --patch": ["diff", "GOOD", "FILE", "--patch", "out.patch"],
    "patch OLD": ["patch", "FILE", "GOOD PATCH", "out.fsdb"],
    "patch PATCH": ["patch", "GOOD", "FILE", "out.fsdb"],
    "reindex": ["reindex", "FILE"],
    "reindex several": ["reindex", "GOOD COPY", "FILE"],
    "reindex --compact": ["reindex", "FILE", "--compact"],
    "convert": ["convert", "FILE", "out.fsdb", "--compact"],
    "convert --family": ["convert", "FILE", "out.fsdb", "--family"],
    "export": ["export", "FILE", "out.mmdb"],
    "shard": ["shard", "FILE", "set", "--shards", "2"],
    "get --over": ["get", "GOOD", "--over", "FILE", "k"],
    "watch": ["watch", "FILE"],
    "bench": ["bench", "FILE", "--seconds", "0"],
    "enrich": ["enrich", "FILE", "--on", "k"],
    "enrich --from": ["enrich", "GOOD", "--on", "k", "--from", "FILE"],
}
#: What FILE may be, and the exit status of every command but `verify`.
FILES = {
    "a damaged file": BAD_DATA, "a file cut short": BAD_DATA, "a header alone, cut": BAD_DATA, "no database": BAD_DATA,
    "an empty file": BAD_DATA, "a database packed by gzip": BAD_DATA, "a folder": NO_INPUT, "a missing file": NO_INPUT,
    "an unreadable file": NO_INPUT, "a file in no folder": NO_INPUT, "a device": NO_INPUT,
}  # fmt: skip


def file_of_kind(kind, folder):
    """A path that leads to it; its folder stays empty where there is nothing."""
    path = folder / "FILE"
    match kind:
        case "a damaged file":
            path.write_bytes(BAD.read_bytes())
        case "a file cut short":
            path.write_bytes(GOOD.read_bytes()[:-1])
        case "a header alone, cut":
            path.write_bytes(GOOD.read_bytes()[:30])
        case "no database":
            path.write_text("Dear friend, this is not a database at all, only a letter.\n")
        case "an empty file":
            path.write_bytes(b"")
        case "a database packed by gzip":
            path.write_bytes(gzip.compress(GOOD.read_bytes()))
        case "a folder":
            path.mkdir()
        case "an unreadable file":
            # Even root cannot read it: the link leads to itself.
            path.symlink_to("FILE")
        case "a file in no folder":
            return path / "x.fsdb"
        case "a device":
            path.symlink_to("/dev/null")
    return path


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_cannot_be_read_as_a_database_has_its_status_in_every_command(command, tmp_path, name, kind):
    path = file_of_kind(kind, tmp_path)
    (tmp_path / "GOOD LIST").write_text("k\n")
    shutil.copy(GOOD, tmp_path / "GOOD COPY")
    command("diff", GOOD, GOOD, "--patch", "GOOD PATCH", cwd=tmp_path, code=DONE)
    before = sorted(tmp_path.iterdir())
    words = [{"FILE": path, "GOOD": GOOD}.get(word, word) for word in QUESTIONS[name]]
    expected = NO if name.startswith("verify") and FILES[kind] == BAD_DATA else FILES[kind]
    # What reindex reads, it replaces, and what no file may replace is not read.
    if name.startswith("reindex") and kind in ("a folder", "a device", "an unreadable file"):
        expected = USAGE
    result = command(*words, cwd=tmp_path, code=expected)
    # The path and what is the matter: of what is damaged on standard output, where that is the answer.
    assert str(path) in (result.text if expected == NO else result.errors)
    if not name.startswith("verify"):
        assert result.out == b""
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("arguments", [["get", GOOD, "absent"], ["get", GOOD, "k", "--field", "absent"], ["diff", GOOD, FIXTURES / "good" / "empty.fsdb"]])  # fmt: skip
def test_1_is_a_definite_no(command, arguments):
    command(*arguments, code=NO)
    command(*arguments, "--json", code=NO)


def test_0_when_a_patch_is_written(command, tmp_path):
    for new in (FIXTURES / "good" / "empty.fsdb", GOOD):
        command("diff", GOOD, new, "--patch", tmp_path / "p", code=DONE)
        command("diff", GOOD, new, "--patch", tmp_path / "p", "--json", code=DONE)


def test_the_statuses_stand_in_one_table_that_every_page_refers_to(command):
    table = command("help", code=DONE).text.split("Exit status:\n", 1)[1].split("\n\n", 1)[0]
    rows = [line for line in table.splitlines() if line[2] != " "]  # others go on with the row before
    assert [int(row.split()[0]) for row in rows] == [DONE, NO, USAGE, BAD_DATA, NO_INPUT, UNAVAILABLE, IO_FAILURE]
    for name in (*COMMANDS, "merge", "diff", "patch", "reindex", "bench"):
        assert "'fusedb help' lists all exit statuses." in command("help", name, code=DONE).text


@pytest.mark.parametrize(
    "arguments",
    [[], ["bogus"], ["--bogus"], ["-x"], ["build"], ["get"], ["get", GOOD], ["prefix"], ["prefix", GOOD],
     ["keys"], ["dump"], ["stats"], ["verify"], ["keys", GOOD, "more"], ["dump", GOOD, "more"], ["prefix", GOOD, "a", "b"],
     ["get", GOOD, "k", "--bogus"], ["get", GOOD, "k", "--field"], ["get", GOOD, "k", "--json=yes"],
     ["dump", GOOD, "--format"], ["dump", GOOD, "--format", "xml"], ["keys", GOOD, "--limit", "many"],
     ["build", "out.fsdb", "--format", "xml"], ["build", "out.fsdb", "--order", "size"], ["build", "out.fsdb", "--objects", "some"],
     ["build", "out.fsdb", "--on-duplicate", "maybe"], ["build", "out.fsdb", "--type", "a"], ["build", "out.fsdb", "--type", "a=date"],
     ["build", "out.fsdb", "--format", "csv"], ["build", "out.fsdb", "--format", "tsv"], ["help", "bogus"],
     ["--help", "bogus"], ["--version", "get"], ["build", "out.csv", "-", "--key", "id"], ["build", "out.json.gz", "-"],
     ["build", ""], ["build", "out.fsdb", ""], ["get", "", "k"], ["verify", GOOD, ""]],
    ids=lambda arguments: " ".join(map(str, arguments)).replace(str(GOOD), "FILE") or "nothing",
)  # fmt: skip
def test_64_when_the_usage_is_wrong(command, tmp_path, arguments):
    result = command(*arguments, cwd=tmp_path, code=USAGE)
    assert result.out == b"" and result.err
    assert os.listdir(tmp_path) == []


def test_64_when_a_build_would_overwrite_what_is_no_database(command, tmp_path):
    (tmp_path / "notes.txt").write_text("remember the milk\n")
    result = command("build", "notes.txt", "i.ndjson", cwd=tmp_path, code=USAGE)
    assert "notes.txt" in result.errors and "overwritten" in result.errors
    assert (tmp_path / "notes.txt").read_text() == "remember the milk\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_64_says_how_to_get_help(command, name):
    assert "--help" in command(name, code=USAGE).errors or f"help {name}" in command(name, code=USAGE).errors


def test_65_when_input_data_is_bad(command, tmp_path):
    (tmp_path / "bad.ndjson").write_text('{"keys":["a"],"value":1}\n{"keys":\n')
    result = command("build", tmp_path / "x.fsdb", tmp_path / "bad.ndjson", code=BAD_DATA)
    assert f"{tmp_path / 'bad.ndjson'}:2" in result.errors and result.out == b""


@pytest.mark.parametrize("name", READERS)
def test_66_when_a_file_is_missing(command, tmp_path, name):
    result = command(name, tmp_path / "missing.fsdb", *READERS[name], code=NO_INPUT)
    assert str(tmp_path / "missing.fsdb") in result.errors
    assert "no such file" in result.errors.lower()
    assert result.out == b""


@pytest.mark.parametrize("name", READERS)
def test_66_when_a_file_is_a_folder(command, tmp_path, name):
    result = command(name, tmp_path, *READERS[name], code=NO_INPUT)
    assert str(tmp_path) in result.errors


@pytest.mark.parametrize("name", READERS)
def test_66_when_a_path_leads_nowhere(command, tmp_path, name):
    (tmp_path / "loop").symlink_to("loop")
    command(name, tmp_path / "loop", *READERS[name], code=NO_INPUT)
    command(name, tmp_path / ("n" * 300), *READERS[name], code=NO_INPUT)


@pytest.mark.parametrize("place", ["missing.ndjson", "."])
def test_66_when_an_input_is_missing_or_a_folder(command, tmp_path, place):
    result = command("build", tmp_path / "x.fsdb", tmp_path / place, code=NO_INPUT)
    assert result.err and not (tmp_path / "x.fsdb").exists()


def test_66_when_one_of_several_inputs_is_missing(command, tmp_path):
    (tmp_path / "a.ndjson").write_text('{"keys":["a"],"value":1}\n')
    result = command("build", tmp_path / "x.fsdb", tmp_path / "a.ndjson", tmp_path / "b.ndjson", code=NO_INPUT)
    assert "b.ndjson" in result.errors
    assert sorted(os.listdir(tmp_path)) == ["a.ndjson"]


def test_74_when_the_output_cannot_be_written(command, tmp_path):
    result = command("build", tmp_path / "missing" / "x.fsdb", stdin=b'{"keys":["k"],"value":1}\n', code=IO_FAILURE)
    assert result.out == b"" and result.err


def test_verify_goes_on_after_a_damaged_file_and_after_a_missing_one(command, tmp_path):
    result = command("verify", BAD, GOOD, code=NO)
    assert f"{BAD}: offset 32: fileChecksum: " in result.text and f"{GOOD}: sound (" in result.text
    result = command("verify", tmp_path / "missing.fsdb", GOOD, code=NO_INPUT)
    assert f"{GOOD}: sound (" in result.text and "missing.fsdb" in result.errors
    result = command("verify", tmp_path / "missing.fsdb", BAD, GOOD)
    assert result.code in (NO, NO_INPUT)
    assert (
        f"{BAD}: offset 32: fileChecksum: " in result.text and f"{GOOD}: sound (" in result.text and "missing.fsdb" in result.errors
    )


@pytest.mark.parametrize("arguments", ["keys {}", "dump {}", "prefix {} ''", "dump {} --format csv"])
def test_a_reader_that_stops_early_leaves_no_error_text(command, big, tmp_path, arguments):
    assert shutil.which("head")
    line = f"{command.path} {arguments.format(big)} 2>{tmp_path / 'errors'} | head -n 1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    first, code = result.stdout.rstrip("\n").rsplit("\n", 1)
    assert first
    assert int(code) in (DONE, 128 + signal.SIGPIPE)
    assert (tmp_path / "errors").read_text() == ""


def test_version_is_one_line(command):
    result = command("--version", code=DONE)
    assert re.fullmatch(r"fusedb \d+\.\d+\.\d+\b.*\n", result.text) and result.err == b""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(command, name):
    result = command(name, "--help", code=DONE)
    assert result.err == b""
    assert f"fusedb {name}" in result.text
    assert re.search(r"(?im)^\W*examples?\b", result.text)
    example = re.split(r"(?im)^\W*examples?\b", result.text, maxsplit=1)[1]
    assert re.search(rf"fusedb {name} \S+", example)
    assert command("help", name, code=DONE).out == result.out


def test_help_names_every_command(command):
    result = command("help", code=DONE)
    assert all(re.search(rf"\b{name}\b", result.text) for name in COMMANDS)
    assert command("--help", code=DONE).out == result.out
    assert result.err == b""

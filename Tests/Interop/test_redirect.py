"""`-o OUTPUT` of the commands that print: what would go to standard output goes to a file, in one step, and nothing is lost by a slip."""

import os
import signal
import time

import pytest

from conftest import BAD_DATA, DONE, FIXTURES, NO, NO_INPUT, USAGE

GOOD, BAD = FIXTURES / "good" / "one-key.fsdb", FIXTURES / "bad" / "file-crc-flipped.fsdb"
PRINTING = {
    "get": [GOOD, "k"], "prefix": [GOOD, ""], "keys": [GOOD], "dump": [GOOD], "stats": [GOOD], "verify": [GOOD], "help": ["get"], "man": ["get"],
    "completions": ["bash"],
}


@pytest.mark.parametrize("name", PRINTING)
def test_what_would_be_printed_is_in_the_file(command, tmp_path, name):
    printed = command(name, *PRINTING[name], code=DONE)
    result = command(name, *PRINTING[name], "-o", "out", cwd=tmp_path, code=DONE)
    assert (result.out, result.err) == (b"", printed.err)
    assert (tmp_path / "out").read_bytes() == printed.out != b"" and os.listdir(tmp_path) == ["out"]


def test_much_is_all_there(command, big, tmp_path):
    command("keys", big, f"--output={tmp_path}/out", code=DONE)
    assert (tmp_path / "out").read_bytes() == command("keys", big).out


def test_a_no_is_an_answer_and_a_failure_leaves_the_file_of_before(command, tmp_path):
    out = tmp_path / "out"
    command("get", GOOD, "k", "absent", "-o", out, code=NO)
    assert out.read_bytes() == b'k\t{"n":1}\n'
    for words, code in [(["get", tmp_path / "absent.fsdb", "k"], NO_INPUT), (["dump", BAD], BAD_DATA), (["keys", GOOD, "--where", "x"], USAGE)]:
        result = command(*words, "-o", out, "--overwrite", code=code)
        assert result.err and out.read_bytes() == b'k\t{"n":1}\n' and os.listdir(tmp_path) == ["out"]


def test_nothing_is_replaced_by_a_slip(command, tmp_path):
    out = tmp_path / "out"
    for content, words in [(b"text", "--overwrite"), (GOOD.read_bytes(), "is a database"), (b"FSDPAT...", "is a patch")]:
        out.write_bytes(content)
        result = command("keys", GOOD, "-o", out, code=USAGE)
        assert words in result.errors and out.read_bytes() == content
    command("keys", GOOD, "-o", out, "--overwrite", code=USAGE)
    assert out.read_bytes() == content
    out.write_bytes(b"text")
    out.chmod(0o640)
    command("keys", GOOD, "-o", out, "--overwrite", code=DONE)
    assert out.read_bytes() == b"k\n" and out.stat().st_mode & 0o777 == 0o640
    out.write_bytes(b"")
    command("keys", GOOD, "-o", out, code=DONE)


def test_what_is_no_place_for_a_file_is_refused(command, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    for path, words in [("folder", "is a folder"), ("link", "is a symbolic link to 'elsewhere'"), ("/dev/null", "is a device"), ("-", "cannot be '-'"), ("", "is empty")]:
        assert words in command("keys", GOOD, "-o", path, cwd=tmp_path, code=USAGE).errors
    assert command("keys", GOOD, "-o", tmp_path / "none" / "out").code not in (DONE, NO)
    assert "--overwrite is for -o" in command("keys", GOOD, "--overwrite", code=USAGE).errors


def test_a_command_that_does_not_end_says_why_it_takes_none(command):
    for option in ("-o", "--output"):
        assert "'> FILE' keeps that" in command("watch", GOOD, option, "x", code=USAGE).errors


def test_an_end_by_a_signal_leaves_nothing(command, tmp_path):
    os.mkfifo(tmp_path / "list")
    process = command.start("get", GOOD, "--keys-from", "list", "-o", "out", cwd=tmp_path)
    with open(tmp_path / "list", "w") as keys:
        keys.write("k\n")
        keys.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM and b"out is as it was" in err
    assert os.listdir(tmp_path) == ["list"]

"""Paths that are not UTF-8: every command takes them, and names them in UTF-8 by the byte that they have."""

import json
import os

import pytest

from conftest import DONE, NO, NO_INPUT, USAGE

NAME = b"caf\xe9"
SHOWN = "caf\N{REPLACEMENT CHARACTER}e9"
LINES = b'{"keys":["a"],"value":{"n":1}}\n'


@pytest.fixture(params=["name", "folder", "working folder"])
def place(request, tmp_path):
    """(where commands run, what a path begins with, how it is shown)"""
    top = os.fsencode(tmp_path)
    if request.param == "name":
        return top, NAME, SHOWN
    os.mkdir(top + b"/" + NAME)
    if request.param == "folder":
        return top, NAME + b"/x", SHOWN + "/x"
    return top + b"/" + NAME, b"x", "x"


def test_all_commands_read_and_write_such_paths(command, place):
    folder, name, shown = place

    def run(*arguments, code=DONE, **more):
        result = command(*arguments, cwd=folder, code=code, **more)
        result.out.decode(), result.err.decode()
        return result

    with open(os.path.join(folder, name + b".ndjson"), "wb") as lines:
        lines.write(LINES)
    assert run("build", "-o", name + b".fsdb", name + b".ndjson").errors.startswith(f"{shown}.fsdb: 1 key")
    assert run("get", name + b".fsdb", "a").text == '{"n":1}\n'
    assert run("stats", name + b".fsdb", "-j").json["path"] == f"{shown}.fsdb"
    assert run("verify", name + b".fsdb").text.startswith(f"{shown}.fsdb: sound")
    assert run("reindex", name + b".fsdb", "-j").json["path"] == f"{shown}.fsdb"
    run("merge", "-o", name + b".merged", name + b".fsdb", "--temp", os.path.dirname(name) or b".")
    run("build", "-o", name + b".new", stdin=LINES.replace(b"1", b"2"))
    assert run("diff", name + b".fsdb", name + b".new", code=NO).text == "~ a\n"
    run("diff", name + b".fsdb", name + b".new", "-o", name + b".patch")
    run("patch", "-o", name + b".fsdb", name + b".fsdb", name + b".patch")
    with open(os.path.join(folder, name + b".list"), "wb") as keys:
        keys.write(b"a\n")
    assert run("get", name + b".fsdb", "--keys-from", name + b".list").text == 'a\t{"n":2}\n'
    run("dump", name + b".fsdb", "-o", name + b".dump")
    assert b"".join(sorted(os.listdir(os.path.join(folder, os.path.dirname(name))))).count(b".tmp") == 0


def test_what_is_wrong_with_such_a_path_is_said_in_utf_8(command, tmp_path):
    top = os.fsencode(tmp_path)
    result = command("get", top + b"/" + NAME + b".fsdb", "a", code=NO_INPUT)
    assert f"{SHOWN}.fsdb: cannot open the file" in result.err.decode()
    command.build(top + b"/" + NAME + b".fsdb", [])
    assert f"did you mean '{tmp_path}/{SHOWN}.fsdb'?" in command("get", top + b"/" + NAME + b".fdsb", "a").err.decode()
    os.symlink(NAME + b".fsdb", top + b"/link")
    result = command("build", "-o", "link", cwd=tmp_path, stdin=LINES, code=USAGE)
    assert f"'link' is a symbolic link to '{SHOWN}.fsdb'" in result.err.decode()
    command("build", "-o", "link", "--output-link", "follow", cwd=tmp_path, stdin=LINES, code=DONE)
    assert command("keys", top + b"/" + NAME + b".fsdb", code=DONE).text == "a\n" and os.path.islink(top + b"/link")


def test_names_that_look_like_the_spelling_are_themselves(command, tmp_path):
    names = [NAME + b".fsdb", SHOWN.encode() + b".fsdb", "caf\N{REPLACEMENT CHARACTER}.fsdb".encode(), "caf\N{REPLACEMENT CHARACTER}E9.fsdb".encode()]
    for number, name in enumerate(names):
        command("build", "-o", name, "-q", cwd=tmp_path, stdin=b'{"keys":["k"],"value":%d}\n' % number, code=DONE)
    assert sorted(os.listdir(os.fsencode(tmp_path))) == sorted(names)
    for number, name in enumerate(names):
        assert command("get", name, "k", cwd=tmp_path, code=DONE).text == f"{number}\n"
    paths = [json.loads(line)["path"] for line in command("stats", *names, "-j", cwd=tmp_path, code=DONE).lines]
    assert len(set(paths)) == len(names)


def test_such_a_file_is_watched(command, tmp_path):
    path = os.fsencode(tmp_path) + b"/" + NAME
    command("build", "-o", path, "-q", stdin=LINES, code=DONE)
    process = command.start("watch", path)
    try:
        assert f"serving {tmp_path}/{SHOWN}: generation 1".encode() in process.stdout.readline()
        command("build", "-o", path, "-q", stdin=LINES.replace(b"1", b"2"), code=DONE)
        assert f"reloaded {tmp_path}/{SHOWN}: generation 2".encode() in process.stdout.readline()
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
        process.stderr.close()

"""What the command finds around it: no /proc, libraries that were loaded first, little memory, a terminal of any width."""

import fcntl
import os
import pty
import re
import resource
import select
import shutil
import struct
import subprocess
import termios
import unicodedata

import pytest

from conftest import BAD_DATA, DONE, FIXTURES, IO_FAILURE, NO, NO_INPUT, fixture_names, line

GOOD = FIXTURES / "good" / "one-key.fsdb"

#: A library that, when it is loaded first, keeps a process from opening anything below /proc.
HIDES_PROC = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HIDE(path, failure) if (strncmp(path, "/proc", 5) == 0) { errno = ENOENT; return failure; }

#define OPEN(name)                                       \
  int name(const char *path, int flags, ...) {           \
    HIDE(path, -1)                                       \
    va_list rest;                                        \
    va_start(rest, flags);                               \
    int mode = va_arg(rest, int);                        \
    va_end(rest);                                        \
    int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, #name); \
    return next(path, flags, mode);                      \
  }
OPEN(open)
OPEN(open64)

#define FOPEN(name)                                      \
  FILE *name(const char *path, const char *mode) {       \
    HIDE(path, NULL)                                     \
    FILE *(*next)(const char *, const char *) = dlsym(RTLD_NEXT, #name); \
    return next(path, mode);                             \
  }
FOPEN(fopen)
FOPEN(fopen64)

int access(const char *path, int mode) {
  HIDE(path, -1)
  int (*next)(const char *, int) = dlsym(RTLD_NEXT, "access");
  return next(path, mode);
}

int linkat(int from, const char *source, int to, const char *target, int flags) {
  HIDE(source, -1)
  int (*next)(int, const char *, int, const char *, int) = dlsym(RTLD_NEXT, "linkat");
  return next(from, source, to, target, flags);
}
"""


@pytest.fixture(scope="module")
def without_proc(command, tmp_path_factory):
    """Runs the command in a process that finds nothing below /proc."""
    folder = tmp_path_factory.mktemp("preloaded")
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "no C compiler; the tests need one, as the build does"
    (folder / "hide.c").write_text(HIDES_PROC)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "hide.so", folder / "hide.c", "-ldl"], check=True)
    environment = {**command.environment, "LD_PRELOAD": str(folder / "hide.so")}

    def run(*arguments, stdin=b""):
        words = [command.path, *map(os.fsencode, arguments)]
        return subprocess.run(words, env=environment, input=stdin, capture_output=True, timeout=300)

    return run


def test_arguments_arrive_without_proc(without_proc, tmp_path):
    done = without_proc("get", GOOD, "k")
    assert (done.returncode, done.stdout, done.stderr) == (DONE, b'{"n":1}\n', b"")
    # Bytes that are no UTF-8, and a word of no length.
    done = without_proc("get", GOOD, b"\xff\xfe", "", "k")
    assert (done.returncode, done.stdout) == (NO, b'k\t{"n":1}\n')
    assert without_proc("--version").stdout.startswith(b"fusedb ")


def test_files_are_written_without_proc(without_proc, command, tmp_path):
    """Also over one that is there: a file without a name could not be given one."""
    path = tmp_path / "x.fsdb"
    for number in range(2):
        done = without_proc("build", path, "-", stdin=line([b"k"], number.to_bytes(1, "big")))
        assert done.returncode == DONE, done.stderr
        assert command("get", path, "k", code=DONE).text == f"{number}\n"
    assert os.listdir(tmp_path) == ["x.fsdb"]


# --- One of anything ---

#: What there may be one of. "1.1 keys per object" and "11 keys" are right.
ONE_OF_MANY = re.compile(
    r"(?<![\d.,])1 (?:bytes|keys|objects|records|files|lines|rows|fields|columns|values|entries|inputs|errors|duplicates"
    r"|conflicts|differences|mappings|threads|seconds|sections|changes|slots|strides)\b"
)


def all_output(command, *arguments, **options):
    result = command(*arguments, **options)
    return f"{arguments}: {result.text}{result.errors}"


def test_one_thing_is_not_called_many(command, tmp_path):
    one, other, plain, patch = (tmp_path / name for name in ("one.fsdb", "other.fsdb", "plain.fsdb", "x.patch"))
    said = [
        all_output(command, "build", one, "-", stdin=b'{"keys":["k"],"value":1}\n'),
        all_output(command, "build", other, "-", stdin=b'{"keys":["k"],"value":2}\n'),
        all_output(command, "build", plain, "-", "--plain", stdin=b'{"keys":["k"],"value":1}\n{"keys":["k"],"value":1}\n'),
        all_output(command, "build", tmp_path / "bad.fsdb", "-", stdin=b'{"keys":["k"],"value":1}\n{"keys":[1]}\n'),
        all_output(command, "build", tmp_path / "bad.fsdb", "-", "--format", "msgpack", stdin=b"\x91\x01"),
        all_output(command, "merge", one, other, tmp_path / "merged.fsdb"),
        all_output(command, "reindex", plain),
        all_output(command, "diff", one, other),
        all_output(command, "diff", one, other, "--patch", patch),
        all_output(command, "patch", one, patch, tmp_path / "patched.fsdb"),
        all_output(command, "patch", other, patch, tmp_path / "patched.fsdb"),
    ]
    for path in (one, other, plain):
        said += [all_output(command, name, path) for name in ("stats", "verify", "dump", "keys")]
    (tmp_path / "tiny").write_bytes(b"F")
    said += [all_output(command, name, tmp_path / "tiny") for name in ("stats", "verify")]
    for text in said:
        assert not ONE_OF_MANY.search(text), text


@pytest.mark.parametrize("name", fixture_names("bad"))
def test_one_thing_is_not_called_many_in_a_bad_file(command, name):
    for words in (["verify"], ["get", "k"]):
        text = all_output(command, words[0], FIXTURES / "bad" / name, *words[1:])
        assert not ONE_OF_MANY.search(text), text


# --- The progress line ---


def columns(text):
    """How many columns a terminal needs for text, as far as Python tells."""
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return wide - sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text)


class Terminal:
    """A terminal on whose standard error a command shows how far it is."""

    def __init__(self, width):
        self.master, self.slave = pty.openpty()
        self.resize(width)
        self.seen = b""

    def resize(self, width):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def read(self):
        """What came, without waiting for more."""
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 1 << 16)
        return self.seen

    def close(self):
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal():
    made = Terminal(40)
    yield made
    made.close()


def progress_lines(seen):
    """The progress lines in what a terminal was sent, each without what takes the line before away."""
    return [part.split("\x1b[K")[0] for part in seen.decode().split("\r") if part.split("\x1b[K")[0].strip()]


def build_until_shown(process, terminal, record, is_enough):
    """Gives the command records until what it has shown is enough."""
    for _ in range(1_000_000):
        process.stdin.write(record * 200)
        process.stdin.flush()
        if is_enough(progress_lines(terminal.read())):
            return progress_lines(terminal.seen)
    pytest.fail("no progress is shown")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_progress_line_is_no_wider_than_the_terminal(command, tmp_path, terminal, width):
    terminal.resize(width)
    process = command.start(
        "build", tmp_path / "x.fsdb", "-", stdin=subprocess.PIPE, stderr=terminal.slave, stdout=subprocess.DEVNULL
    )
    try:
        shown = build_until_shown(process, terminal, b'{"keys":["k"],"value":1}\n', lambda lines: len(lines) >= 3)
        assert all(columns(text) < width for text in shown), shown
        assert all(text.startswith("reading, ") for text in shown), shown
        assert width > 60 or all(text.endswith("…") for text in shown), shown
        # From now on another width.
        terminal.resize(12)
        before = len(shown) + 1
        later = build_until_shown(process, terminal, b'{"keys":["k"],"value":1}\n', lambda lines: len(lines) >= before + 2)
        assert all(columns(text) < 12 for text in later[before:]), later
    finally:
        process.stdin.close()
        process.wait(timeout=300)
    assert process.returncode == DONE


# --- Short of memory ---


def limited(command, megabytes, *arguments, stdin=None):
    """Runs the command with so much address space."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    words = [command.path, *map(os.fsencode, map(str, arguments))]
    done = subprocess.run(
        words, env=command.environment, preexec_fn=limit, stdin=stdin or subprocess.DEVNULL, capture_output=True, timeout=600
    )
    assert done.returncode >= 0, f"{megabytes} MB, {arguments[:2]}: signal {-done.returncode}: {done.stderr.decode()[-2000:]}"
    assert done.returncode in (DONE, NO, BAD_DATA, NO_INPUT, IO_FAILURE), f"{megabytes} MB: {done}"
    return done


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A table of some megabytes."""
    path = tmp_path_factory.mktemp("records") / "records.ndjson"
    path.write_bytes(b"".join(b'{"keys":["host-%d.example.org"],"value":{"n":%d}}\n' % (i, i) for i in range(30_000)))
    return path


@pytest.mark.parametrize("megabytes", [64, 200])
def test_little_memory_is_planned_with(command, records, tmp_path, megabytes):
    """The process may have so much address space; the machine has far more."""
    done = limited(command, megabytes, "build", tmp_path / "x.fsdb", records)
    assert done.returncode in (DONE, IO_FAILURE), done
    assert done.returncode == DONE or b"Cannot allocate memory" in done.stderr, done
    assert os.listdir(tmp_path) == (["x.fsdb"] if done.returncode == DONE else [])


#: What commands may have beyond the floor, in megabytes.
BEYOND_FLOOR = [8, 14, 20, 28, 40, 60, 600]

#: Commands that take more memory the larger their files are. {out} is a file that they replace.
HUNGRY = {
    "build": "build -o {out} {records}",
    "build, more than there is": "build -o {out} {records} --memory 64M",
    "build, csv": "build -o {out} {table} --format csv --key key --memory 64M",
    "build, msgpack": "build -o {out} --format msgpack {packed} --memory 64M",
    "merge": "merge -o {out} {old} {new}",
    "merge, more than there is": "merge -o {out} {old} {new} --memory 64M",
    "reindex": "reindex -o {out} {plain}",
    "diff": "diff {old} {new}",
    "diff --patch": "diff {old} {new} --patch {out}",
    "patch": "patch -o {out} {old} {patch}",
    "stats": "stats {old}",
    "stats, plain": "stats {plain}",
    "verify": "verify {old}",
    "get": "get {old} --keys-from {keys}",
    "get, plain": "get {plain} host-7.example.org",
    "keys": "keys {old}",
    "dump": "dump {old}",
    "dump, csv": "dump {old} --format csv",
    "prefix": "prefix {old} host-1",
}


@pytest.fixture(scope="module")
def floor(command):
    """The least address space, in megabytes, in which the command finds a key. Below it the loader or Swift's runtime ends the process."""
    for megabytes in range(8, 400, 2):
        limits = (megabytes << 20, megabytes << 20)
        done = subprocess.run(
            [command.path, "get", GOOD, "k"], env=command.environment, capture_output=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limits))
        if done.returncode == DONE:
            return megabytes
    pytest.fail("the command does not start")


@pytest.fixture(scope="module")
def hungry(command, tmp_path_factory):
    """The files that {names} in HUNGRY stand for: 40,000 keys, each with an object of its own."""
    folder = tmp_path_factory.mktemp("hungry")
    files = {name: folder / name for name in ("records", "table", "packed", "keys", "old", "new", "plain", "patch")}
    keys = [f"host-{i}.example.org" for i in range(40_000)]
    line = '{"keys":["%s"],"value":{"n":%d,"text":"some text"}}\n'
    files["records"].write_text("".join(line % (key, i) for i, key in enumerate(keys)))
    files["table"].write_text("key,n,text\n" + "".join(f"{key},{i},some text\n" for i, key in enumerate(keys)))
    files["packed"].write_bytes(
        b"".join(b"\x92\x91\xb9%-25b\x81\xa1n\xce%b" % (key.encode(), struct.pack(">I", i)) for i, key in enumerate(keys)))
    files["keys"].write_text("\n".join(keys[::3]) + "\n")
    changed = "".join(line % (key, i + (i % 7 == 0)) for i, key in enumerate(keys))
    command("build", "-q", files["old"], files["records"], code=DONE)
    command("build", "-q", files["plain"], "--plain", files["records"], code=DONE)
    command("build", "-q", files["new"], "-", stdin=changed.encode(), code=DONE)
    command("diff", files["old"], files["new"], "--patch", files["patch"], code=DONE)
    return files


@pytest.mark.parametrize("name", HUNGRY)
def test_short_of_memory_a_command_does_all_or_nothing_and_says_so(command, hungry, floor, tmp_path, name):
    out = tmp_path / "out"
    words = [word.format(out=out, **hungry) for word in HUNGRY[name].split()]
    before = b"" if str(out) not in words else hungry["patch" if name == "diff --patch" else "old"].read_bytes()
    out.write_bytes(before)
    whole = command(*words)
    complete = out.read_bytes()
    # Building takes its time, and little depends on the limit.
    for beyond in BEYOND_FLOOR[::2] if words[0] in ("build", "merge", "reindex") else BEYOND_FLOOR:
        out.write_bytes(before)
        done = limited(command, floor + beyond, *words)
        if done.returncode in (DONE, NO):
            assert done.returncode == whole.code and out.read_bytes() == complete
            assert "{out}" in HUNGRY[name] or done.stdout == whole.out
        else:
            assert beyond < BEYOND_FLOOR[-1], f"memory is not short: {done}"
            assert done.returncode in (NO_INPUT, IO_FAILURE), done
            assert done.stderr.startswith(b"fusedb: ") and b"Cannot allocate memory" in done.stderr, done
            assert out.read_bytes() == before
        assert os.listdir(tmp_path) == ["out"]


def test_a_file_that_is_larger_than_the_memory_is_an_error(command, tmp_path):
    """It is not read, so it may hold anything."""
    with open(tmp_path / "large.fsdb", "wb") as file:
        file.write(GOOD.read_bytes())
        file.truncate(1 << 30)
    for name in ("verify", "stats", "keys"):
        done = limited(command, 300, name, tmp_path / "large.fsdb")
        assert done.returncode not in (DONE, NO) and b"Cannot allocate memory" in done.stderr, done

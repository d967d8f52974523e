"""Faults of files that are cut, inside of processes that have handlers of their own: programs in C, Python, a JVM.
See spec/decisions/0029-signals-of-a-host.md."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import DONE, ROOT

LIBRARY = ROOT / "build" / "c" / "libfusedb.so.0"
SOURCES = ROOT / "Tests" / "Signals"
STRICT = ["-Wall", "-Wextra", "-Werror", "-O1", "-g", "-I", ROOT / "Sources" / "CFuseDB"]
LINK = ["-L", LIBRARY.parent, "-lfusedb", f"-Wl,-rpath,{LIBRARY.parent}", "-lpthread"]


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)


def compiled(*command):
    result = run(*command)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    path = tmp_path_factory.mktemp("signals") / "host"
    compiled("gcc", "-std=c11", *STRICT, SOURCES / "host.c", "-o", path, *LINK)
    return path


@pytest.fixture
def database(command, tmp_path):
    lines = "".join(json.dumps({"keys": [f"key-{i}"], "value": f"value number {i}"}) + "\n" for i in range(5000))
    command("build", tmp_path / "a.fsdb", stdin=lines.encode(), code=DONE)
    return tmp_path / "a.fsdb"


@pytest.mark.parametrize(
    "mode, output, code",
    [
        # Those of others still get what is theirs, whenever they came, and whatever they do then.
        ("before", "survived reported", 3),
        ("after", "survived survived survived reported", 3),
        ("raises", "survived survived survived reported", -signal.SIGBUS),
        ("chains", "survived survived survived reported", -signal.SIGBUS),
        ("returns", "survived survived survived reported", -signal.SIGBUS),
        ("resets", "survived reported", -signal.SIGBUS),
        ("jumps", "survived jumped jumped went on", 0),
        ("ignores", "survived survived went on", 0),
        ("insists", "survived survived reported", 3),
        ("once", "survived reported", 3),
        ("none", "survived", -signal.SIGBUS),
        ("fork", "forked went on", 0),
    ],
)
def test_a_host_with_a_handler_of_its_own(host, tmp_path, mode, output, code):
    result = run(host, mode, tmp_path)
    assert (result.stdout.split(), result.returncode, result.stderr) == (output.split(), code, "")


@pytest.mark.parametrize("kind", ["mapped", "copied", "descriptor", "bytes", "call", "missing", "reloadable", "plain"])
def test_a_first_open_takes_no_lock_of_the_runtime_that_a_fork_could_copy(command, tmp_path, kind):
    """A child waits for ever for a lock that another thread held. The library's own are free in it; the runtime's are taken when first needed,
    so at loading, and the first open takes as many as the next: only those of the library."""
    lines = "".join(json.dumps({"keys": [f"key-{i}"], "value": i}) + "\n" for i in range(100))
    command("build", *["--plain"] * (kind == "plain"), tmp_path / "a.fsdb", stdin=lines.encode(), code=DONE)
    compiled("gcc", "-std=c11", *STRICT, SOURCES / "locks.c", "-o", tmp_path / "locks", *LINK)
    result = run(tmp_path / "locks", kind, tmp_path / "a.fsdb")
    assert (result.returncode, result.stderr) == (0, "")
    first, next = map(int, result.stdout.split())
    assert 0 < first == next


PYTHON = """
import ctypes, faulthandler, mmap, os, sys
library, path, order = sys.argv[1:]
if order == "before": faulthandler.enable()
fuse = ctypes.CDLL(library)
class Span(ctypes.Structure): _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]
def open_file():
    reader = ctypes.c_void_p()
    name = path.encode()
    assert fuse.fuse_reader_open(name, ctypes.c_size_t(len(name)), None, None, ctypes.byref(reader), None) == 0
    return reader
def get(reader, key):
    return fuse.fuse_get(reader, key, ctypes.c_size_t(len(key)), ctypes.byref(Span()), None)
first = open_file()
if order == "after": faulthandler.enable()
reader = open_file()
assert get(reader, b"key-4999") == 0
os.truncate(path, 4096)
statuses = {get(reader, b"key-%d" % i) for i in range(5000)}
assert -4 in statuses and statuses <= {0, -4}, statuses
print("survived", flush=True)
with open(path + ".own", "wb+") as own:
    own.truncate(8192)
    view = mmap.mmap(own.fileno(), 8192, access=mmap.ACCESS_READ)
    own.truncate(4096)
    view[4096]
"""


@pytest.mark.parametrize("order", ["before", "after"])
def test_python_with_its_faulthandler(database, order):
    result = run(sys.executable, "-c", PYTHON, LIBRARY, database, order)
    assert result.stdout == "survived\n"
    assert result.stderr.count("Fatal Python error: Bus error") == 1, result.stderr
    assert result.returncode == -signal.SIGBUS


def test_a_jvm_gets_its_own_faults(database, tmp_path):
    java = Path(shutil.which("javac")).resolve().parents[1]
    compiled("javac", "-d", tmp_path, SOURCES / "Host.java")
    compiled("gcc", "-std=c11", "-shared", "-fPIC", *STRICT, "-I", java / "include", "-I", java / "include" / "linux",
             SOURCES / "host_jni.c", "-o", tmp_path / "libhost.so", *LINK)
    result = run("java", "-cp", tmp_path, "Host", tmp_path / "libhost.so", database, tmp_path / "own")
    assert result.returncode == 0 and result.stdout == "survived\n", result.stdout + result.stderr

"""What the tests of the Python package share. Where fusedb 0.3.0 does the same, a test runs against both packages."""

import contextlib
import os

import fusedb
import pytest

import fusedb_swift

assert fusedb.__version__ == "0.3.0"

both = pytest.mark.parametrize("package", [fusedb, fusedb_swift], ids=["0.3.0", "ours"])


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def build(package, entries, path="a.fsdb", **options):
    """A file with an object for each key."""
    writer = package.FuseWriter(**options)
    for key, value in entries.items():
        writer.add(key, value)
    writer.build(path)
    return path


def opened(package, entries, path="a.fsdb", **options):
    return package.FuseReader(build(package, entries, path, **options))


def raised(call):
    """The exception of a call, or None."""
    try:
        call()
    except Exception as error:
        return error
    return None


def build_raw(package, key, data, path="raw.fsdb"):
    """A file with bytes that may be no MessagePack; only 0.3.0 writes that."""
    writer = fusedb._fusedb._FuseWriter()
    writer.add_key(key, writer.add_object_raw(data))
    writer.build(path)
    return package.FuseReader(path)


@contextlib.contextmanager
def nothing_printed(capfd):
    capfd.readouterr()
    yield
    assert capfd.readouterr() == ("", "")


def resident():
    """How much memory this process has, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

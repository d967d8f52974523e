"""What Scripts/install puts where, of what 'make release library' has built in build."""

import os
import subprocess

import pytest

from conftest import DONE, ROOT


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder that stands for the root."""
    root = tmp_path_factory.mktemp("install")
    missing = [name for name in ("build/fusedb", "build/c/libfusedb.so.0", "build/c/libfusedb-store.so.0") if not (ROOT / name).exists()]
    assert not missing, f"{missing} is not there; 'make release library' builds it"
    subprocess.run([ROOT / "Scripts/install", "/usr", root], check=True, capture_output=True)
    return root


def test_everything_is_where_the_system_looks(command, root):
    installed = {str(path.relative_to(root / "usr")) for path in (root / "usr").rglob("*") if not path.is_dir()}
    names = [line.decode().split("\t")[0] for line in command("completions", "for", "--", "", code=DONE).lines]
    assert installed == {
        "bin/fusedb", "bin/fusedb-delivery", "bin/fusedb-serve", "bin/fusedb-store", "include/fusedb.h", "lib/libfusedb.so", "lib/libfusedb.so.0", "lib/pkgconfig/fusedb.pc",
        "include/fusedb_store.h", "lib/libfusedb-store.so", "lib/libfusedb-store.so.0", "lib/pkgconfig/fusedb-store.pc",
        "share/bash-completion/completions/fusedb", "share/zsh/site-functions/_fusedb",
        "share/fish/vendor_completions.d/fusedb.fish", "share/man/man1/fusedb.1",
        *(f"share/man/man1/fusedb-{name}.1" for name in names),
    }
    modes = {path.stat().st_mode & 0o777 for path in (root / "usr/share").rglob("*") if path.is_file()}
    assert modes == {0o644} and (root / "usr/bin/fusedb").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["fusedb", "fusedb-build"])
def test_man_finds_and_shows_the_pages(root, name):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPATH": str(root / "usr/share/man")}
    result = subprocess.run(["man", "--warnings", "-P", "cat", name], env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert name.upper().replace("-", "") in result.stdout.replace("\b", "").replace("-", "").replace("‐", "")


def test_the_command_that_is_installed_runs(root):
    result = subprocess.run([root / "usr/bin/fusedb", "-V"], capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout.startswith("fusedb ")

"""Whatever stands at OUTPUT: nothing of it becomes less without being told to, by any command that writes."""

import functools
import operator
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import BAD_DATA, DONE, IO_FAILURE, NO, USAGE
from tracing import traced

ROWS = b"".join(b'{"keys":["key %d"],"value":%d}\n' % (i, i) for i in range(3))
MORE = ROWS + b'{"keys":["more"],"value":true}\n'
#: Somebody else's, where we are root.
OTHER = (65534, 65533)


@dataclass(frozen=True)
class Job:
    """A command that writes `{out}`; the other names are files of `material`."""

    words: str
    makes: str = "FSDB"  # what the file at OUTPUT begins with
    keys: int | None = 3  # that the new file has
    reads_output: str | None = None  # the file of `material` that must stand at OUTPUT, if the command reads it
    #: Of one INPUT and an OUTPUT that is there, the positional form asks which is which.
    asks: bool = False


JOBS = {
    "build": Job("build {out} {rows}"),
    "build -o": Job("build {rows} -o {out}"),
    "build --output": Job("build --output={out} {rows} --plain"),
    "merge": Job("merge {out} {three} {four}", keys=4),
    "merge of one": Job("merge {out} {three}", asks=True),
    "merge -o": Job("merge -o{out} {three}"),
    "merge into its input": Job("merge -o {out} {out} {four}", keys=4, reads_output="three"),
    "merge that subtracts its output": Job("merge -o {out} {four} --subtract {out}", keys=1, reads_output="three"),
    "patch": Job("patch {three} {patch} {out}", keys=4),
    "patch -o": Job("patch {three} {patch} -o {out}", keys=4),
    "patch of its output": Job("patch -o {out} {out} {patch}", keys=4, reads_output="three"),
    "diff --patch": Job("diff {three} {four} --patch {out}", makes="FSDPAT", keys=None),
    "diff -o": Job("diff {three} {four} -o {out}", makes="FSDPAT", keys=None),
    "convert": Job("convert {three} {out} --compact"),
    "convert of its output": Job("convert {out} {out} --compact=fast", reads_output="three"),
    "build --compact": Job("build -o {out} {rows} --compact"),
    "patch to compact": Job("patch {three} {patch3} -o {out}", keys=4),
    "reindex": Job("reindex {out}", reads_output="three"),
    "reindex -o": Job("reindex {three} -o {out}"),
}


@pytest.fixture(scope="module")
def material(command, tmp_path_factory):
    place = tmp_path_factory.mktemp("material")
    (place / "rows").write_bytes(ROWS)
    command("build", "-o", place / "three", stdin=ROWS, code=DONE)
    command("build", "-o", place / "four", stdin=MORE, code=DONE)
    command("build", "-o", place / "empty", "--allow-empty", code=DONE)
    command("diff", place / "three", place / "four", "-o", place / "patch")
    command("build", "-o", place / "compact", "--compact", stdin=MORE, code=DONE)
    command("diff", place / "three", place / "compact", "-o", place / "patch3", code=DONE)
    return {path.name: path for path in place.iterdir()}


def look(path):
    """All that can become less about what stands under a path: kind, mode, owner, target, bytes."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    kind = stat.S_IFMT(status.st_mode)
    content = None
    if kind == stat.S_IFLNK:
        content = os.readlink(path)
    elif kind == stat.S_IFREG:
        content = path.read_bytes()
    elif kind == stat.S_IFDIR:
        content = sorted(os.listdir(path))
    return stat.S_IMODE(status.st_mode), kind, status.st_uid, status.st_gid, status.st_rdev, content


class Bench:
    """A folder of its own, with `out` and what it leads to."""

    def __init__(self, command, material, place, job):
        self.command, self.material, self.place, self.job = command, material, place / "in", job
        self.place.mkdir()
        self.out = self.place / "out"

    @property
    def words(self):
        words = self.job.words.format(out="\0", **self.material).split()
        return [word.replace("\0", str(self.out)) for word in words]

    def run(self, *options):
        return self.command(*self.words, *options, cwd=self.place)

    @property
    def old(self):
        """A file that the command may replace."""
        return self.material[self.job.reads_output or ("patch" if self.job.makes == "FSDPAT" else "four")]

    def stand(self, name="out", mode=0o644):
        path = self.place / name
        shutil.copyfile(self.old, path)
        path.chmod(mode)
        return path

    def looks(self):
        return {name: look(self.place / name) for name in os.listdir(self.place)}

    def is_refused(self, code, *words, options=()):
        """Nothing changed, and the sentence has these words."""
        before = self.looks()
        result = self.run(*options)
        assert result.code == code, result
        assert self.looks() == before
        assert str(self.out) in result.errors and all(word in result.errors for word in words), result
        assert result.out == b""

    def is_done(self, *options):
        result = self.run(*options)
        # `diff` says with 1 that the files differ.
        assert result.code == DONE or (self.job.makes == "FSDPAT" and result.code == NO), result
        return result

    def is_new(self, path):
        content = path.read_bytes()
        assert content.startswith(self.job.makes.encode())
        if self.job.keys is not None:
            assert len(self.command("keys", path, code=DONE).lines) == self.job.keys
        return True


@pytest.fixture(params=JOBS)
def bench(request, command, material, tmp_path):
    return Bench(command, material, tmp_path, JOBS[request.param])


@pytest.fixture(params=[name for name, job in JOBS.items() if not job.asks])
def plain_bench(request, command, material, tmp_path):
    return Bench(command, material, tmp_path, JOBS[request.param])


def test_where_nothing_stands_a_file_appears_as_the_mask_has_it(bench):
    if bench.job.reads_output:
        return
    result = bench.is_done("--json")
    assert bench.is_new(bench.out)
    mask = os.umask(0)
    os.umask(mask)
    assert look(bench.out)[0] == 0o666 & ~mask
    assert os.listdir(bench.place) == ["out"]
    assert result.json["replaced"] is None


def test_an_older_version_gives_way_and_the_report_says_to_what(bench):
    bench.stand()
    before = look(bench.out)
    if bench.job.asks:
        bench.is_refused(USAGE, "-o ")
        return
    result = bench.is_done("--json")
    assert bench.is_new(bench.out)
    assert look(bench.out)[:-1] == before[:-1]
    old = {"bytes": bench.old.stat().st_size} if bench.job.keys is None else {"keys": 3 if bench.old.name == "three" else 4}
    assert result.json["replaced"] == old


def test_the_report_for_people_says_what_it_replaced(plain_bench):
    bench = plain_bench
    bench.stand()
    result = bench.is_done()
    if bench.job.words == "reindex {out}":
        assert "3 keys indexed" in result.errors
        return
    before = "bytes" if bench.job.keys is None else "3" if bench.old.name == "three" else "4"
    assert "(before: " in result.errors and f"{before})" in result.errors, result


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604, 0o444, 0o664])
def test_mode_and_owner_stay(plain_bench, mode):
    bench = plain_bench
    bench.stand(mode=mode)
    if os.geteuid() == 0:
        os.chown(bench.out, *OTHER)
    before = look(bench.out)
    bench.is_done()
    assert bench.is_new(bench.out)
    assert look(bench.out)[:-1] == before[:-1]


def test_a_database_without_keys_gives_way(plain_bench):
    bench = plain_bench
    if bench.job.makes != "FSDB" or bench.job.reads_output:
        return
    shutil.copyfile(bench.material["empty"], bench.out)
    assert bench.is_done("--json").json["replaced"] == {"keys": 0}
    assert bench.is_new(bench.out)


def test_a_file_of_another_kind_stays(bench):
    # A letter to somebody; and what the other commands write.
    for content in (b"Dear Ada,\n", bench.material["three" if bench.job.makes == "FSDPAT" else "patch"].read_bytes()):
        bench.out.write_bytes(content)
        # What it cannot read is bad data, or, of the files that are compared, another one than the patch is for.
        bench.is_refused(USAGE if not bench.job.words == "reindex {out}" else BAD_DATA if bench.run().code == BAD_DATA else NO)


@pytest.mark.parametrize("target", ["target", "nothing"])
def test_a_link_is_neither_followed_nor_replaced_in_silence(bench, target):
    if target == "target":
        bench.stand("target")
    bench.out.symlink_to(target)
    bench.is_refused(USAGE, *(["-o "] if bench.job.asks else [f"'{target}'", "--output-link"]))


def test_a_link_is_followed_when_that_is_asked_for(plain_bench):
    bench = plain_bench
    (bench.place / "folder").mkdir()
    bench.stand("folder/v12", mode=0o640)
    # By way of another link, in another folder.
    (bench.place / "folder" / "v").symlink_to("v12")
    bench.out.symlink_to("folder/v")
    before = bench.looks()
    bench.is_done("--output-link", "follow")
    assert bench.is_new(bench.place / "folder" / "v12")
    assert bench.looks() == before
    assert look(bench.place / "folder" / "v12")[0] == 0o640
    assert os.readlink(bench.place / "folder" / "v") == "v12"


def test_a_link_to_nothing_is_followed_when_that_is_asked_for(plain_bench):
    bench = plain_bench
    if bench.job.reads_output:
        return
    bench.out.symlink_to("v12")
    bench.is_done("--output-link", "follow")
    assert bench.is_new(bench.place / "v12") and os.readlink(bench.out) == "v12"


@pytest.mark.parametrize("target", ["v12", "nothing"])
def test_a_link_is_replaced_when_that_is_asked_for(plain_bench, target):
    bench = plain_bench
    if target == "nothing" and bench.job.reads_output:
        return
    bench.stand("v12", mode=0o600)
    before = look(bench.place / "v12")
    bench.out.symlink_to(target)
    bench.is_done("--output-link", "replace")
    assert not bench.out.is_symlink() and bench.is_new(bench.out)
    assert look(bench.place / "v12") == before
    if target == "v12":
        assert look(bench.out)[0] == 0o600  # or what was private would be public


@pytest.mark.parametrize("link", [False, True], ids=["itself", "by a link"])
@pytest.mark.parametrize("kind", ["folder", "FIFO", "socket", "device"])
@pytest.mark.parametrize("option", [None, "follow", "replace"])
def test_what_is_no_file_stays(bench, kind, link, option):
    path = bench.place / "it" if link else bench.out
    server = None
    if kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        server = socket.socket(socket.AF_UNIX)
        # Such a path has room for 107 bytes.
        folder = os.open(bench.place, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)
    elif os.geteuid() == 0 and not link:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    else:
        path, link = "/dev/null", True
    if link:
        bench.out.symlink_to(path)
    try:
        bench.is_refused(USAGE, *([] if bench.job.asks else [kind if kind != "FIFO" else "pipe"]),
                         options=["--output-link", option] if option else [])  # fmt: skip
    finally:
        if server:
            server.close()


def test_standard_output_is_no_place_for_a_file(command, material, tmp_path):
    """As root this replaced the device by a file."""
    before = os.readlink("/dev/stdout")
    for name, out in (("a pipe", subprocess.PIPE), ("a file", open(tmp_path / "file", "wb"))):
        for option in ([], ["--output-link", "follow"]):
            if name == "a file" and option:
                continue
            result = command("build", "-o", "/dev/stdout", *option, stdin=ROWS, stdout=out, code=USAGE)
            assert "/dev/stdout" in result.errors
            assert not result.out
    assert os.readlink("/dev/stdout") == before
    assert (tmp_path / "file").read_bytes() == b""


# --- too few keys ---


EMPTY_INPUTS = {
    "nothing at all": (b"", []),
    "a header alone": (b"network,asn\n", ["--format", "csv", "--key", "network"]),
    "a frame of zstd that is skipped": (bytes.fromhex("50 2a 4d 18 04 00 00 00 00 00 00 00"), []),
}


@pytest.mark.parametrize("name", EMPTY_INPUTS)
def test_a_build_of_nothing_replaces_nothing_unless_it_is_allowed(command, material, tmp_path, name):
    content, options = EMPTY_INPUTS[name]
    out = tmp_path / "out.fsdb"
    result = command("build", out, *options, stdin=content, code=BAD_DATA)
    assert "0 keys" in result.errors and "--allow-empty" in result.errors
    assert not out.exists()
    shutil.copy(material["three"], out)
    before = look(out)
    result = command("build", out, *options, stdin=content, code=BAD_DATA)
    assert "has 0 keys" in result.errors and "has 3" in result.errors
    assert (look(out), os.listdir(tmp_path)) == (before, ["out.fsdb"])
    result = command("build", out, *options, "--allow-empty", stdin=content, code=DONE)
    assert "0 keys (before: 3)" in result.errors


def test_a_merge_that_leaves_no_key_is_refused(command, material, tmp_path):
    out = tmp_path / "out.fsdb"
    shutil.copy(material["three"], out)
    before = look(out)
    three, four = material["three"], material["four"]
    for words in ([three, "--subtract", four], [three, four, "--only-prefix", "nobody has this"]):
        result = command("merge", "-o", out, *words, code=BAD_DATA)
        assert "has 0 keys" in result.errors and "--allow-empty" in result.errors
        assert look(out) == before
        command("merge", "-o", out, *words, "--allow-empty", code=DONE)
        assert command("keys", out, code=DONE).out == b""
        shutil.copy(three, out)


def test_a_patch_to_a_file_without_keys_is_refused(command, material, tmp_path):
    out, patch = tmp_path / "out.fsdb", tmp_path / "patch"
    command("diff", material["three"], material["empty"], "-o", patch)
    shutil.copy(material["three"], out)
    before = look(out)
    assert "has 0 keys" in command("patch", "-o", out, out, patch, code=BAD_DATA).errors
    assert look(out) == before
    command("patch", "-o", out, out, patch, "--allow-empty", code=DONE)
    assert out.read_bytes() == material["empty"].read_bytes()


def test_a_file_without_keys_can_be_indexed_again(command, material, tmp_path):
    shutil.copy(material["empty"], tmp_path / "out.fsdb")
    command("reindex", tmp_path / "out.fsdb", code=DONE)


def test_a_file_without_keys_does_not_replace_others_by_being_indexed_again(command, material, tmp_path):
    out = tmp_path / "out.fsdb"
    shutil.copy(material["three"], out)
    before = look(out)
    result = command("reindex", material["empty"], "-o", out, code=BAD_DATA)
    assert "has 0 keys" in result.errors and "has 3" in result.errors and "--allow-empty" in result.errors
    assert (look(out), os.listdir(tmp_path)) == (before, ["out.fsdb"])
    command("reindex", material["empty"], "-o", out, "--allow-empty", code=DONE)
    assert command("keys", out, code=DONE).out == b""


@pytest.mark.parametrize(
    ("options", "is_done"),
    [
        (["--least-keys", "3"], True),
        (["--least-keys", "4"], False),
        (["--greatest-shrink", "25"], True),
        (["--greatest-shrink", "24.9"], False),
        (["--greatest-shrink", "0"], False),
        (["--greatest-shrink", "100", "--least-keys", "0"], True),
    ],
    ids=str,
)
def test_a_new_file_has_as_many_keys_as_it_must(command, material, tmp_path, options, is_done):
    """Three where there were four."""
    out, patch = tmp_path / "out", tmp_path / "patch"
    command("diff", material["four"], material["three"], "-o", patch)
    for words in (["build", material["rows"]], ["merge", material["three"]], ["patch", material["four"], patch]):
        shutil.copy(material["four"], out)
        result = command(*words, "-o", out, *options, code=DONE if is_done else BAD_DATA)
        assert (out.read_bytes() == material["four"].read_bytes()) == (not is_done)
        if not is_done:
            assert "has 3 keys" in result.errors and ("has 4" in result.errors), result
        # Nothing shrinks where nothing is.
        out.unlink()
        command(*words, "-o", out, *options, code=DONE if is_done or "shrink" in options[0] else BAD_DATA)
    out.write_bytes(b"FSDB, and nothing that can be read")
    result = command("build", material["rows"], "-o", out, "--greatest-shrink", "100", code=BAD_DATA)
    assert "damaged or of a later version" in result.errors, result
    command("build", material["rows"], "-o", out, code=DONE)


# --- a file that others replace meanwhile ---


#: Moments when a command can be stopped.
BEFORE_THE_LOOK = "fsync:signal=SIGSTOP:when=1"
BEFORE_THE_EXCHANGE = "linkat:signal=SIGSTOP:when=1"
WITHOUT_EXCHANGE = "renameat2:error=EINVAL:signal=SIGSTOP:when=1"


def meanwhile(command, tmp_path, words, act, moment=BEFORE_THE_LOOK):
    """Runs a command, stopped before it gives its file a name, and acts then."""
    log = tmp_path.with_suffix(".log")
    log.write_bytes(b"")
    process = subprocess.Popen(
        ["strace", "-f", "-qqq", "-o", log, "-e", f"trace={moment.split(':')[0]}", "-e", f"inject={moment}",
         command.path, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=command.environment)  # fmt: skip
    stopped = None
    try:
        while not stopped:
            assert process.poll() is None, process.communicate()
            stopped = re.search(rb"(\d+) +--- stopped by SIGSTOP", log.read_bytes())
            time.sleep(0.01)
        act()
    finally:
        if stopped:
            os.kill(int(stopped[1]), signal.SIGCONT)
        out, errors = process.communicate(timeout=60)
    return process.returncode, errors.decode()


LOST = {
    "reindex": ["reindex", "{out}"],
    "patch": ["patch", "-o", "{out}", "{out}", "{patch}"],
    "merge": ["merge", "-o", "{out}", "{out}", "{four}"],
    "merge that subtracts": ["merge", "-o", "{out}", "{four}", "--subtract", "{out}"],
    "merge by another path": ["merge", "-o", "{out}", "{folder}/./out", "{four}"],
}


@pytest.mark.parametrize("how", ["rebuilt", "removed", "written to"])
@pytest.mark.parametrize(
    ("moment", "name"),
    [(BEFORE_THE_LOOK, name) for name in LOST]
    + [(moment, name) for moment in (BEFORE_THE_EXCHANGE, WITHOUT_EXCHANGE) for name in ("reindex", "patch")],
)
def test_what_was_read_is_not_replaced_when_others_changed_it_meanwhile(command, material, tmp_path, moment, name, how):
    out = tmp_path / "out"
    shutil.copy(material["three"], out)
    words = [word.format(out=out, folder=tmp_path, **material) for word in LOST[name]]

    def act():
        if how == "rebuilt":
            command("build", "-o", out, stdin=MORE + b'{"keys":["new"],"value":1}\n', code=DONE)
        elif how == "removed":
            out.unlink()
        else:
            out.write_bytes(material["four"].read_bytes())
        act.after = look(out)

    code, errors = meanwhile(command, tmp_path, words, act, moment)
    assert code == IO_FAILURE, errors
    assert str(out) in errors and "while its successor was made" in errors and "try again" in errors
    assert look(out) == act.after
    assert os.listdir(tmp_path) == ([] if how == "removed" else ["out"])


def test_of_two_builds_that_know_nothing_of_each_other_the_last_one_stays(command, material, tmp_path):
    out = tmp_path / "out"
    code, errors = meanwhile(
        command, tmp_path, ["build", "-o", out, material["rows"]],
        lambda: command("build", "-o", out, stdin=MORE, code=DONE))  # fmt: skip
    assert (code, out.read_bytes()) == (DONE, material["three"].read_bytes()), errors
    assert "3 keys (before: 4)" in errors


@pytest.mark.parametrize("moment", [BEFORE_THE_LOOK, BEFORE_THE_EXCHANGE, WITHOUT_EXCHANGE])
def test_the_file_that_is_compared_is_the_one_that_is_replaced(command, material, tmp_path, moment):
    out = tmp_path / "out"
    shutil.copy(material["empty"], out)
    code, errors = meanwhile(
        command, tmp_path, ["build", "-o", out, material["rows"], "--greatest-shrink", "0"],
        lambda: command("build", "-o", out, stdin=MORE, code=DONE), moment)  # fmt: skip
    assert (code, out.read_bytes()) == (BAD_DATA, material["four"].read_bytes()), errors
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_that_becomes_private_or_a_link_meanwhile_stays_so(command, material, tmp_path):
    out = tmp_path / "out"
    shutil.copy(material["four"], out)
    code, errors = meanwhile(command, tmp_path, ["build", "-o", out, material["rows"]], lambda: out.chmod(0o600))
    assert (code, look(out)[0]) == (DONE, 0o600), errors

    def act():
        out.rename(tmp_path / "v12")
        out.symlink_to("v12")

    before = look(out)
    code, errors = meanwhile(command, tmp_path, ["build", "-o", out, material["rows"]], act)
    assert (code, look(tmp_path / "v12")) == (IO_FAILURE, before), errors
    assert os.readlink(out) == "v12" and "symbolic link" in errors


# --- a file system that cannot exchange names ---


def without_exchange(bench, options, error, is_named):
    """Runs the command where `renameat2` is refused, and where `is_named`, files without a name too."""
    injections = [f"?renameat2:error={error}"]
    if is_named:
        # Where /proc is not there, such a file could not be given a name, and none is made.
        trial = bench.place.with_name("trial")
        shutil.copytree(bench.place, trial)
        words = [word.replace(str(bench.place), str(trial)) for word in bench.words]
        calls = traced(bench.command, [*words, *options], trial).calls
        (access,) = (call for call in calls if "/proc/thread-self/fd" in call.text and "access" in call.name)
        injections.append(f"{access.name}:error=ENOENT:when={access.number}+")
    result = traced(bench.command, [*bench.words, *options], bench.place, injections)
    refused = [call for call in result.calls if call.name == "renameat2" and call.text.endswith("(INJECTED)")]
    assert len(refused) == 1 and ("linkat(" in result.log) == (not is_named), result.log
    return result


@pytest.mark.parametrize("is_named", [False, True], ids=["unnamed", "named"])
@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS"])
@pytest.mark.parametrize(
    ("name", "options"),
    [("build -o", ["--greatest-shrink", "25"]), ("reindex", []), ("patch of its output", []), ("merge into its input", [])],
)
def test_where_names_cannot_be_exchanged_an_older_version_gives_way(
    command, material, tmp_path, name, options, error, is_named
):
    bench = Bench(command, material, tmp_path, JOBS[name])
    bench.stand(mode=0o640)
    if os.geteuid() == 0:
        os.chown(bench.out, *OTHER)
    before = look(bench.out)
    # An index that is made again has the same bytes; the old file has this name too.
    os.link(bench.out, tmp_path / "old")
    result = without_exchange(bench, options, error, is_named)
    assert result.code == DONE, result
    assert bench.is_new(bench.out) and not bench.out.samefile(tmp_path / "old")
    assert look(bench.out)[:-1] == before[:-1]
    assert os.listdir(bench.place) == ["out"]


@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS"])
def test_where_a_rename_cannot_spare_what_is_there_a_new_file_appears(command, material, tmp_path, error):
    bench = Bench(command, material, tmp_path, JOBS["build -o"])
    result = without_exchange(bench, ["--greatest-shrink", "0"], error, is_named=True)
    assert result.code == DONE, result
    assert bench.is_new(bench.out)
    assert os.listdir(bench.place) == ["out"]


# --- who may read the new file ---

#: Whoever runs the command where it is not root; whom a list names; and those that no file knows.
USER, LISTED, STRANGER = 65534, 65532, 65531
ANYBODY = 0xFFFF_FFFF
OWNER, A_USER, GROUP, A_GROUP, MASK, OTHERS = 1, 2, 4, 8, 16, 32
ACCESS_LIST, DEFAULT_LIST = "system.posix_acl_access", "system.posix_acl_default"


def list_bytes(*entries):
    """An access control list as Linux keeps it, of (kind, rights) or (kind, rights, number)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry[:2], *(entry[2:] or [ANYBODY])) for entry in entries)


def list_of(path):
    """The access control list of a file, as triples; that of its mode where it has no other."""
    if ACCESS_LIST in os.listxattr(path):
        return list(struct.iter_unpack("<HHI", os.getxattr(path, ACCESS_LIST)[4:]))
    mode = os.lstat(path).st_mode
    return [(OWNER, mode >> 6 & 7, ANYBODY), (GROUP, mode >> 3 & 7, ANYBODY), (OTHERS, mode & 7, ANYBODY)]


def rights_of(entries, group, person):
    """What the list of a file of this group gives to somebody who does not own it (acl(5))."""
    number, groups = person
    mask = next((rights for kind, rights, _ in entries if kind == MASK), 7)
    for kind, rights, whose in entries:
        if (kind, whose) == (A_USER, number):
            return rights & mask
    found = [
        rights for kind, rights, whose in entries
        if kind == GROUP and group in groups or kind == A_GROUP and whose in groups
    ]  # fmt: skip
    if found:
        return mask & functools.reduce(operator.or_, found)
    return next(rights for kind, rights, _ in entries if kind == OTHERS)


def rights(path):
    """What a file gives to each kind of people. Neither its owner, who may give themselves any right, nor who replaces it."""
    entries, group = list_of(path), os.lstat(path).st_gid
    groups = ([], [OTHER[1]], [USER], [OTHER[1], USER], [LISTED])
    people = [(number, members) for number in (LISTED, STRANGER) for members in groups]
    return {str(person): rights_of(entries, group, person) for person in people}


@pytest.fixture
def commons(command, material):
    """A folder where everybody may write, with the command and inputs, which may lie where nobody else may go."""
    with tempfile.TemporaryDirectory(prefix="fusedb-outputs-") as name:
        place = Path(name)
        shutil.copy(command.path, place / "fusedb")
        for part in ("three", "rows", "patch"):
            shutil.copy(material[part], place / part)
            (place / part).chmod(0o644)
        (place / "in").mkdir()
        (place / "in").chmod(0o777)
        place.chmod(0o755)
        yield place


def replace_in(commons, words, is_root=False, code=DONE):
    """Replaces `in/out`, as an ordinary user unless `is_root`."""
    words = [commons / "fusedb", *words.split(), "-o", commons / "in" / "out"]
    if os.geteuid() == 0 and not is_root:
        words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]
    result = subprocess.run(words, cwd=commons, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert result.returncode == code, result
    assert os.listdir(commons / "in") == ["out"]
    return result.stderr.decode()


def stand_in(commons, owner, mode=0o644):
    """An older version at `in/out`, of this owner and group where we are root."""
    out = commons / "in" / "out"
    out.unlink(missing_ok=True)
    shutil.copyfile(commons / "three", out)
    if os.geteuid() == 0:
        os.chown(out, *owner)
    out.chmod(mode)
    # Its number is not given again while it has this name too.
    (commons / "old").unlink(missing_ok=True)
    os.link(out, commons / "old")
    return out


def nobody_gets_more(before, after):
    more = {person: (before[person], after[person]) for person in before if after[person] & ~before[person]}
    assert not more, f"(before, after): {more}"


@pytest.mark.parametrize("mode", [0o640, 0o660, 0o604, 0o646, 0o664, 0o600, 0o644], ids=oct)
@pytest.mark.parametrize(
    "owner", [(LISTED, OTHER[1]), (USER, OTHER[1]), (LISTED, USER)], ids=["both", "another group", "another owner"]
)
def test_who_cannot_give_a_file_away_gives_nobody_more_than_the_old_one_gave(commons, owner, mode):
    for words in ("build rows", "merge three", "patch three patch"):
        out = stand_in(commons, owner, mode)
        before = rights(out)
        # What the command may not read is not known to be a database.
        if os.geteuid() == 0 and owner[0] != USER and not rights_of(list_of(out), owner[1], (USER, [USER])) & 4:
            content = look(out)
            assert str(out) in replace_in(commons, words, code=USAGE)
            assert look(out) == content
            continue
        replace_in(commons, words)
        made = stat.S_IMODE(os.lstat(out).st_mode)
        assert not out.samefile(commons / "old") and made & 0o700 == mode & 0o700
        nobody_gets_more(before, rights(out))
        # What group and others had alike, all keep; and a group that is kept has what it had.
        if mode in (0o600, 0o644) or owner[1] == USER:
            assert (rights(out), made) == (before, mode)


LISTS = {
    "one may read, the group may not": [(OWNER, 6), (A_USER, 4, LISTED), (GROUP, 0), (MASK, 4), (OTHERS, 0)],
    "another group may write": [(OWNER, 6), (GROUP, 4), (A_GROUP, 6, LISTED), (MASK, 6), (OTHERS, 4)],
    "one may not, all others may": [(OWNER, 6), (A_USER, 0, LISTED), (GROUP, 4), (MASK, 4), (OTHERS, 4)],
    "the group may not, all others may": [(OWNER, 6), (A_USER, 6, LISTED), (GROUP, 0), (MASK, 6), (OTHERS, 4)],
    "a group may not, all others may": [(OWNER, 6), (GROUP, 4), (A_GROUP, 0, LISTED), (MASK, 4), (OTHERS, 4)],
}


@pytest.mark.parametrize("is_root", [False, True], ids=["user", "root"])
@pytest.mark.parametrize("name", LISTS)
def test_in_place_of_a_file_with_an_access_list_nobody_gets_more(commons, name, is_root):
    out = stand_in(commons, (USER, OTHER[1]))
    os.setxattr(out, ACCESS_LIST, list_bytes(*LISTS[name]))
    before = rights(out)
    replace_in(commons, "build rows", is_root)
    assert not out.samefile(commons / "old") and os.lstat(out).st_mode & 0o700 == 0o600
    nobody_gets_more(before, rights(out))


#: What a folder gives to the files that are made in it.
DEFAULT = [(OWNER, 7), (A_USER, 6, LISTED), (GROUP, 4), (A_GROUP, 6, LISTED), (MASK, 6), (OTHERS, 0)]


@pytest.mark.parametrize("is_root", [False, True], ids=["user", "root"])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o644], ids=oct)
def test_a_default_list_of_the_folder_gives_nobody_more_than_the_old_file_gave(commons, mode, is_root):
    out = stand_in(commons, (USER, USER), mode)
    # The list came after the file, which has none.
    os.setxattr(commons / "in", DEFAULT_LIST, list_bytes(*DEFAULT))
    before = rights(out)
    replace_in(commons, "build rows", is_root)
    assert not out.samefile(commons / "old") and os.lstat(out).st_mode & 0o700 == mode & 0o700
    nobody_gets_more(before, rights(out))


def test_where_nothing_stands_the_default_list_of_the_folder_says_who_may_read(commons):
    folder, out = commons / "in", commons / "in" / "out"
    os.setxattr(folder, DEFAULT_LIST, list_bytes(*DEFAULT))
    replace_in(commons, "build rows")
    folder.joinpath("other").write_bytes(b"")
    assert list_of(out) == list_of(folder / "other")
    assert rights(out)[str((LISTED, []))] == 6


# --- which file is which ---


def test_with_an_output_option_all_operands_are_inputs(command, material, tmp_path):
    out = tmp_path / "out"
    for words in (["-o", out], [f"-o{out}"], ["--output", out], [f"--output={out}"]):
        result = command("merge", *words, material["three"], material["four"], code=DONE)
        assert "7 keys of 2 files" in result.errors
        result = command("merge", material["three"], *words, material["four"], "-q", code=DONE)
        assert result.errors == ""
    for words, hint in ((["-o=x"], "without a '='"), (["-o"], "lacks its value"), (["-o", out, "-o", out], "twice")):
        assert hint in command("merge", material["three"], *words, code=USAGE).errors


def test_a_file_of_another_kind_that_comes_while_a_build_reads_stays(command, tmp_path):
    out = tmp_path / "late.fsdb"
    reading, writing = os.pipe()
    process = command.start("build", "-o", out, stdin=reading)
    os.close(reading)
    # Larger than the pipe: when all is written, the command has looked at OUTPUT and reads.
    with os.fdopen(writing, "wb") as lines:
        lines.write(b'{"keys":["a"],"value":1}\n' * 10_000)
        lines.flush()
        out.write_text("precious")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == IO_FAILURE, errors
    assert b"late.fsdb: a file that is no database came here" in errors
    assert [file.name for file in tmp_path.iterdir()] == ["late.fsdb"] and out.read_text() == "precious"

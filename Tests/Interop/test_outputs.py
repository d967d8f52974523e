"""Whatever stands at OUTPUT: nothing of it becomes less without being told to, by any command that writes."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from dataclasses import dataclass

import pytest

from conftest import BAD_DATA, DONE, IO_FAILURE, NO, USAGE

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

    def run(self, *options):
        words = self.job.words.format(out="\0", **self.material).split()
        return self.command(*(word.replace("\0", str(self.out)) for word in words), *options, cwd=self.place)

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
    command("build", material["rows"], "-o", out, "--greatest-shrink", "0", code=DONE)


# --- a file that others replace meanwhile ---


def meanwhile(command, tmp_path, words, act):
    """Runs a command, stopped before it gives its file a name, and acts then."""
    log = tmp_path.with_suffix(".log")
    log.write_bytes(b"")
    process = subprocess.Popen(
        ["strace", "-f", "-qqq", "-o", log, "-e", "trace=fsync", "-e", "inject=fsync:signal=SIGSTOP:when=1",
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
@pytest.mark.parametrize("name", LOST)
def test_what_was_read_is_not_replaced_when_others_changed_it_meanwhile(command, material, tmp_path, name, how):
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

    code, errors = meanwhile(command, tmp_path, words, act)
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


def test_the_file_that_is_compared_is_the_one_that_is_replaced(command, material, tmp_path):
    out = tmp_path / "out"
    shutil.copy(material["empty"], out)
    code, errors = meanwhile(
        command, tmp_path, ["build", "-o", out, material["rows"], "--greatest-shrink", "0"],
        lambda: command("build", "-o", out, stdin=MORE, code=DONE))  # fmt: skip
    assert (code, out.read_bytes()) == (BAD_DATA, material["four"].read_bytes()), errors


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

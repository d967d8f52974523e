"""A command that is killed, or whose system call fails, at any call that changes a file: the old output or the new one, whole."""

import array
import errno
import fcntl
import os
import pty
import re
import shutil
import signal
import subprocess
import termios
import time
from dataclasses import dataclass

import pytest

from conftest import DONE, IO_FAILURE
from spelling import line, pack_int, pack_str
from tracing import contents, in_parallel, traced

OUTPUT = "out.fsdb"
#: strace's spelling of the call that removes a file.
UNLINK = "?unlink,?unlinkat"
#: What a temporary name looks like (spec/decisions/0005).
TEMPORARY = re.compile(r"\.(out\.)?fsdb\.[0-9a-f]{16}\.tmp")


@dataclass(frozen=True)
class Job:
    """A command that writes OUTPUT in the folder where it runs. `{name}` in a word is the path of that file of `material`."""

    words: str
    old: str | None = None  # the file of `material` that stands at OUTPUT before
    every: int = 1  # of calls that are many and alike, every so manieth is looked at

    def arguments(self, material):
        return self.words.format(**material).split()


#: A command with another way of writing files needs a line here, and its inputs in `material`.
JOBS = {
    "build": Job("build out.fsdb {small}"),
    "build over a file": Job("build out.fsdb {small}", "old"),
    "build --plain over a file": Job("build out.fsdb {small} --plain --json", "old"),
    "build of many blocks over a file": Job("build out.fsdb {large}", "old"),
    "build whose keys go to a temporary file": Job("build out.fsdb {many} --plain --memory 16M --threads 1", "old"),
    # In this order the number of calls does not depend on a random hash.
    "build whose objects do too": Job(
        "build out.fsdb {wide} --memory 16M --threads 1 --order insertion", "old", every=37),
    "merge": Job("merge out.fsdb {old} {plain}", "old"),
    "patch": Job("patch {old} {patch} out.fsdb", "old"),
    "patch by patch": Job("patch {old} {patch} {patch2} out.fsdb", "old"),
    "patch by patch, with a temporary file": Job("patch {old} {patch3} {patch4} out.fsdb", "old"),
    "reindex": Job("reindex out.fsdb", "plain"),
    "convert": Job("convert {old} out.fsdb --compact", "plain"),
    "convert over its input": Job("convert out.fsdb out.fsdb --compact=fast", "plain"),
    "export": Job("export {networks} out.fsdb", "mmdb"),
    "build that may not shrink": Job("build -o out.fsdb {small} --greatest-shrink 0", "old"),
    "enrich over a file": Job("enrich {old} {large} --on value -o out.fsdb --overwrite --threads 1", "small"),
    "merge over one of its inputs": Job("merge out.fsdb {plain} out.fsdb --temp .", "old"),
}


@pytest.fixture(scope="module")
def material(command, tmp_path_factory):
    """The inputs, by name."""
    place = tmp_path_factory.mktemp("material")
    (place / "small").write_bytes(b"".join(line([b"key %d" % i], pack_int(i)) for i in range(100)))
    (place / "large").write_bytes(b"".join(line([b"%d" % i * 20], pack_int(i)) for i in range(40_000)))
    command("build", place / "old", stdin=b'{"keys":["old"],"value":"what was there before"}\n', code=DONE)
    command("build", place / "plain", place / "small", "--plain", code=DONE)
    command("diff", place / "old", place / "plain", "--patch", place / "patch", code=DONE)
    command("build", place / "third", stdin=b'{"keys":["third"],"value":3}\n', code=DONE)
    command("diff", place / "plain", place / "third", "--patch", place / "patch2", code=DONE)
    # More than what waits in memory.
    wider = b"".join(line([b"key %d" % i], pack_str(b"%d" % i + b"y" * 20_000)) for i in range(300))
    command("build", place / "wider", "--plain", stdin=wider, code=DONE)
    command("diff", place / "old", place / "wider", "--patch", place / "patch3", code=DONE)
    command("diff", place / "wider", place / "third", "--patch", place / "patch4", code=DONE)
    (place / "many").write_bytes(b"".join(line([b"key %d" % i], pack_int(0)) for i in range(60_000)))
    wide = (line([b"key %d" % i], pack_str(b"%d" % i + b"x" * 20_000)) for i in range(150))
    (place / "wide").write_bytes(b"".join(wide))
    blocks = b"".join(line([b"10.%d.0.0/16" % i], pack_int(i)) for i in range(200))
    command("build", place / "networks", stdin=blocks, code=DONE)
    command("build", place / "others", stdin=line([b"10.0.0.0/8"], pack_int(1)), code=DONE)
    command("export", place / "others", place / "mmdb", code=DONE)
    return {path.name: path for path in place.iterdir()}


def the_only(names):
    (name,) = names
    return name


class Plan:
    """A job in one of the two ways of naming, its calls in order, and what stands at OUTPUT before and after."""

    def __init__(self, command, material, tmp_path, job, is_named):
        self.command, self.material, self.place, self.job = command, material, tmp_path, job
        self.words, self.count = job.arguments(material), 0
        self.setup = ()
        if is_named:
            # Where /proc is not there, a file without a name could not be given one, and none is made.
            look = next(call for call in self.run().calls if "/proc/thread-self/fd" in call.text)
            self.setup = (f"{look.name}:error=ENOENT:when={look.number}+",)
        folder = self.folder()
        result = self.run(folder=folder)
        assert result.code == DONE, result
        self.calls = [call for call in result.calls if call.is_change]
        self.looked_at = range(0, len(self.calls), job.every)
        named = [i for i, call in enumerate(self.calls) if call.name.startswith(("rename", "link")) and call.is_done]
        # The last of them; a file with a temporary name was linked before it is renamed.
        self.published = named[-1]
        assert any("O_CREAT" in call.text for call in self.calls) == is_named
        self.old = material[job.old].read_bytes() if job.old else None
        self.new = contents(folder)[OUTPUT]
        for content in filter(None, (self.old, self.new)):
            (tmp_path / "whole.fsdb").write_bytes(content)
            if content.startswith(b"FSDB"):
                command("verify", tmp_path / "whole.fsdb", code=DONE)
        assert self.old != self.new

    def folder(self):
        """A new folder, as it is before the job."""
        self.count += 1
        folder = self.place / f"{self.count} {os.urandom(4).hex()}"
        folder.mkdir()
        if self.job.old:
            shutil.copy(self.material[self.job.old], folder / OUTPUT)
        return folder

    def run(self, *injections, folder=None, **options):
        result = traced(self.command, self.words, folder or self.folder(), (*self.setup, *injections), **options)
        assert not (self.setup and "linkat(" in result.log), f"a file without a name:\n{result.log}"
        return result

    def hit(self, call, what):
        """A run with an injection that took place, and the files that it left."""
        folder = self.folder()
        result = self.run(call.inject(what), folder=folder)
        assert result.was_hit(call, what), f"{what} missed {call}\n{result.log}"
        return result, contents(folder), folder

    def each(self, check):
        """Calls `check` with each call, and whether that comes after the output got its name."""

        def one(number):
            call = self.calls[number]
            try:
                check(call, number > self.published)
            except AssertionError as error:
                raise AssertionError(f"{call}: {error}") from error

        assert len(in_parallel(one, self.looked_at)) == len(self.looked_at) >= 8

    def expected(self, is_new):
        content = self.new if is_new else self.old
        return {} if content is None else {OUTPUT: content}


@pytest.fixture(params=JOBS)
def job(request):
    return JOBS[request.param]


@pytest.fixture(params=[False, True], ids=["unnamed", "named"])
def plan(command, material, tmp_path, job, request):
    return Plan(command, material, tmp_path, job, is_named=request.param)


def test_killed_before_any_call_that_changes_a_file(plan):
    def check(call, is_new):
        result, files, folder = plan.hit(call, "signal=SIGKILL")
        assert result.code == -signal.SIGKILL
        left = {name: files.pop(name) for name in list(files) if name != OUTPUT}
        assert files == plan.expected(is_new)
        # While they have temporary names, SIGKILL leaves the new file and a temporary one, or the old one when the two
        # have changed their names; nothing else.
        if plan.setup or call.name.startswith(("rename", "unlink")):
            assert len(left) <= 2 and all(TEMPORARY.fullmatch(name) for name in left)
        else:
            assert left == {}
        plan.command(*plan.words, cwd=folder, code=DONE)
        assert contents(folder) == plan.expected(True) | left

    plan.each(check)


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_an_error_of_any_call_that_changes_a_file(plan, error):
    def check(call, is_new):
        result, files, _ = plan.hit(call, f"error={error}")
        if call.name.startswith("unlink"):
            # The name that cannot be removed is what is left, and the sentence says which.
            name = the_only(set(files) - {OUTPUT})
            assert TEMPORARY.fullmatch(name) and name in result.err
            del files[name]
        assert files == plan.expected(is_new)
        if call.is_for_people and call.text.startswith("2"):
            assert result.code == DONE  # all was done, and there is nowhere to say that something was not said
            return
        assert result.code == IO_FAILURE, result
        assert os.strerror(getattr(errno, error)) in result.err
        # Of a temporary file without a name, the folder is what people know.
        assert ("standard output" if call.is_for_people else OUTPUT) in result.err or "temporary file in this" in result.err
        assert ("is in place" in result.err) == (is_new and not call.is_for_people)

    plan.each(check)


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_ended_by_a_signal_after_any_call_that_changes_a_file(plan, name):
    def check(call, is_new):
        is_new |= call == plan.calls[plan.published]
        result, files, _ = plan.hit(call, f"signal={name}")
        assert result.code == -signal.Signals[name]
        assert files == plan.expected(is_new)
        assert f"fusedb: interrupted; {OUTPUT} is {'complete' if is_new else 'as it was'}\n" in result.err

    plan.each(check)


# --- single moments ---


@pytest.fixture
def named(command, material, tmp_path):
    """A build over a file, with a temporary name."""
    return Plan(command, material, tmp_path, JOBS["build over a file"], is_named=True)


@pytest.fixture
def unnamed(command, material, tmp_path):
    """A build over a file, without a name until the end."""
    return Plan(command, material, tmp_path, JOBS["build over a file"], is_named=False)


def the(calls, name, part=""):
    """The one call whose name begins so (`rename` is `renameat` on some machines) with `part` in its arguments."""
    (call,) = (call for call in calls if call.name.startswith(name) and part in call.text)
    return call


@pytest.mark.parametrize("error", ["EOPNOTSUPP", "EISDIR", "EINVAL"])
def test_a_file_system_without_unnamed_files_takes_a_named_one(unnamed, error):
    result, files, _ = unnamed.hit(the(unnamed.calls, "open", "O_TMPFILE"), f"error={error}")
    assert result.code == DONE
    assert files == unnamed.expected(True)
    assert TEMPORARY.search(the(result.calls, "open", "O_CREAT").text)


def test_a_folder_that_cannot_be_synced_needs_none(unnamed):
    *_, last = (call for call in unnamed.calls if call.name == "fsync")
    result, files, _ = unnamed.hit(last, "error=EINVAL")
    assert result.code == DONE
    assert files == unnamed.expected(True)


@pytest.mark.parametrize("what", ["error=EIO", "signal=SIGKILL"])
def test_a_temporary_name_that_cannot_be_removed_is_all_that_is_left(named, what):
    fail = the(named.calls, "rename").inject("error=ENOSPC")
    folder = named.folder()
    result = named.run(fail, f"{UNLINK}:{what}:when=1", folder=folder)
    assert result.was_hit(the(result.calls, "unlink"), what)
    left = contents(folder)
    assert left.pop(OUTPUT) == named.old
    assert len(left) == 1 and all(TEMPORARY.fullmatch(name) for name in left)
    if what == "error=EIO":
        # What went wrong first is what people need to know.
        assert result.code == IO_FAILURE
        assert os.strerror(errno.ENOSPC) in result.err and os.strerror(errno.EIO) not in result.err


def test_a_call_that_was_interrupted_is_repeated(unnamed):
    folder = unnamed.folder()
    result = unnamed.run("pwrite64,fsync:error=EINTR:when=1..3", folder=folder)
    assert result.log.count("EINTR") == 6
    assert (result.code, contents(folder)) == (DONE, unnamed.expected(True))


def test_a_write_that_takes_nothing_is_an_error(unnamed):
    folder = unnamed.folder()
    result = unnamed.run("pwrite64:retval=0:when=1", folder=folder)
    assert (result.code, contents(folder)) == (IO_FAILURE, unnamed.expected(False))
    assert OUTPUT in result.err


def test_a_signal_that_is_ignored_stays_ignored(unnamed):
    """As `nohup fusedb build …` has it."""
    folder = unnamed.folder()
    call = the(unnamed.calls, "rename")
    result = unnamed.run(call.inject("signal=SIGHUP"), folder=folder, before=["env", "--ignore-signal=HUP"])
    assert result.was_hit(call, "signal=SIGHUP")
    assert (result.code, contents(folder)) == (DONE, unnamed.expected(True))
    assert "interrupted" not in result.err


def test_on_a_terminal_an_interruption_takes_the_place_of_the_progress(named):
    ours, theirs = pty.openpty()
    result = named.run(the(named.calls, "rename").inject("error=EIO"), f"{UNLINK}:signal=SIGINT:when=1", stderr=theirs)
    os.close(theirs)
    seen = os.read(ours, 10_000).decode()
    os.close(ours)
    assert result.code == -signal.SIGINT
    assert seen.endswith("\r\x1b[Kfusedb: interrupted; out.fsdb is as it was\r\n"), seen


def test_an_interruption_that_nobody_reads_ends_the_command_all_the_same(named):
    """Standard error is a pipe that is full, or closed at its other end."""
    call = the(named.calls, "rename")
    for fill in (True, False):
        ours, theirs = os.pipe()
        if fill:
            os.set_blocking(theirs, False)
            with pytest.raises(BlockingIOError):
                while True:
                    os.write(theirs, b"x")
            os.set_blocking(theirs, True)
        else:
            os.close(ours)
        folder = named.folder()
        result = named.run(call.inject("signal=SIGTERM"), folder=folder, stderr=theirs)
        os.close(theirs)
        assert (result.code, contents(folder)) == (-signal.SIGTERM, named.expected(True))
        if fill:
            os.close(ours)


def test_while_its_input_is_read_an_interruption_says_that_nothing_changed(command, material, tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = command.start("build", OUTPUT, cwd=tmp_path, stdin=subprocess.PIPE)
        process.stdin.write(b'{"keys":["a"],"value":1}\n')
        process.stdin.flush()
        # It waits for more once it has taken this; the handler was there before.
        wait_until_empty(process.stdin)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (-number, b"fusedb: interrupted; out.fsdb is as it was\n")
        assert os.listdir(tmp_path) == []


def wait_until_empty(pipe):
    """Waits until the reader of a pipe has taken all that was written."""
    left = array.array("i", [1])
    while left[0]:
        fcntl.ioctl(pipe, termios.FIONREAD, left)
        time.sleep(0.01)


@pytest.mark.parametrize("words", ["keys {}", "dump {}", "get {} k --json", "stats {}"])
def test_a_closed_pipe_is_no_noise_where_its_signal_is_ignored(command, big, words):
    ours, theirs = os.pipe()
    os.close(ours)
    name, *rest = words.format(big).split()
    process = command.start(name, *rest, stdout=theirs, preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
    os.close(theirs)
    assert (process.communicate(timeout=60)[1], process.returncode) == (b"", IO_FAILURE)


# --- publishing and fetching ---


class Delivery:
    """A remote with one version, another one to publish, and a client that has the first."""

    #: What is done in its folder, and which file tells the old state from the new one.
    STEPS = {
        "publish": ("publish remote geo new.fsdb", "remote/refs/geo"),
        "announce": ("announce remote geo 1 --channel pinned", "remote/refs/geo@pinned"),
        "fetch a patch": ("fetch second geo got.fsdb", "got.fsdb"),
        "fetch a whole file": ("fetch second geo other.fsdb", "other.fsdb"),
        "expire": ("expire second geo --keep 1 --grace 1s", "second/condemned"),
    }

    def __init__(self, command, place):
        self.command, self.place, self.count = command, place, 0
        self.start = place / "start"
        self.start.mkdir()
        for name, change in (("old", 0), ("new", 1)):
            lines = b"".join(line([b"key %d" % i], pack_int(i + change * (i % 50 == 0))) for i in range(2000))
            command("build", "-q", self.start / f"{name}.fsdb", stdin=lines, code=DONE)
        for remote, names in (("remote", ["old"]), ("second", ["old", "new"])):
            for name in names:
                command("publish", self.start / remote, "geo", self.start / f"{name}.fsdb", "-q", code=DONE)
        shutil.copy(self.start / "old.fsdb", self.start / "got.fsdb")

    def folder(self):
        self.count += 1
        folder = self.place / f"{self.count} {os.urandom(4).hex()}"
        shutil.copytree(self.start, folder)
        return folder

    def read(self, folder, name):
        path = folder / name
        return path.read_bytes() if path.exists() else None


@pytest.fixture(scope="module")
def delivery(command, tmp_path_factory):
    return Delivery(command, tmp_path_factory.mktemp("delivery"))


@pytest.mark.parametrize("step", Delivery.STEPS)
@pytest.mark.parametrize("what", ["signal=SIGKILL", "error=ENOSPC"])
def test_delivery_hit_at_any_call_that_changes_a_file(command, delivery, step, what):
    """The old state or the new one; again, it does what it should; and what is left goes when versions expire."""
    words, watched = delivery.STEPS[step]
    folder = delivery.folder()
    first = traced(command, words.split(), folder)
    assert first.code == DONE, first
    old, new = delivery.read(delivery.start, watched), delivery.read(folder, watched)
    calls = [call for call in first.calls if call.is_change and not call.is_for_people]
    assert len(calls) >= 8

    def check(call):
        folder = delivery.folder()
        result = traced(command, words.split(), folder, [call.inject(what)])
        assert result.was_hit(call, what), f"{what} missed {call}\n{result.log}"
        now = delivery.read(folder, watched)
        if "refs/" in watched:
            # A ref has the time in it: what it leads to tells.
            now, then = (re.sub(rb"time \d+\n", b"", data or b"") for data in (now, new))
            assert now in (re.sub(rb"time \d+\n", b"", old or b""), then) or b"generation 2" in now, call
        elif step != "expire":
            assert now in (old, new), call
        if what.startswith("error"):
            # A place that cannot be written is said; what is only tidied away may stay.
            assert result.code in (DONE, IO_FAILURE, 66), result
        again = command(*words.split(), cwd=folder, code=DONE)
        if "refs/" in watched:
            assert (b"generation 2" in delivery.read(folder, watched)) == (step == "publish"), again
        elif step != "expire":
            assert delivery.read(folder, watched) == new
        # What clients see is whole, whatever was left.
        for remote in ("remote", "second"):
            for _ in range(2):
                command("expire", remote, "geo", "--keep", "9", "--grace", "0.01s", cwd=folder, code=DONE)
            got = folder / f"check-{remote}.fsdb"
            command("fetch", remote, "geo", got, cwd=folder, code=DONE)
            assert delivery.read(folder, got.name) in ((folder / "old.fsdb").read_bytes(), (folder / "new.fsdb").read_bytes())
        return True

    def one(call):
        try:
            return check(call)
        except AssertionError as error:
            raise AssertionError(f"{call}: {error}") from error

    assert all(in_parallel(one, calls))


@pytest.mark.parametrize("what", ["signal=SIGKILL", "error=ENOSPC"])
def test_following_hit_at_any_call_that_changes_a_file(command, delivery, what):
    """The old file or the new one; one that goes on after an error gets the new one; and the next start has it at once."""
    words = "follow second geo got.fsdb --interval 0.05s --retries 0".split()
    # It goes on until it is ended.
    before = ("timeout", "--preserve-status", "3" if what.startswith("error") else "20")
    folder = delivery.folder()
    first = traced(command, words, folder, before=("timeout", "2"))
    old, new = ((delivery.start / name).read_bytes() for name in ("old.fsdb", "new.fsdb"))
    assert (folder / "got.fsdb").read_bytes() == new
    calls = [call for call in first.calls if call.is_change and not call.is_for_people]
    # What comes after the new file is there is the same again and again.
    renamed = [place for place, call in enumerate(calls) if call.name.startswith(("rename", "link")) and call.is_done]
    calls = calls[: renamed[-1] + 3]
    assert len(calls) >= 8

    def check(call):
        folder = delivery.folder()
        result = traced(command, words, folder, [call.inject(what)], before=before)
        assert result.was_hit(call, what), f"{what} missed {call}\n{result.log}"
        now = (folder / "got.fsdb").read_bytes()
        assert now in (old, new), call
        if what.startswith("error"):
            assert now == new, f"{call}: it does not go on\n{result.out}\n{result.err}"
        command("fetch", "second", "geo", "got.fsdb", cwd=folder, code=DONE)
        assert (folder / "got.fsdb").read_bytes() == new
        left = {path.name for path in folder.iterdir() if path.name.startswith("got.fsdb.")}
        if what.startswith("error") and (call.name.startswith("unlink") or "O_DIRECTORY" in call.text):
            # What could not be tidied away goes with the next version.
            left = {name for name in left if ".part-" not in name}
        assert left == {"got.fsdb.lock", "got.fsdb.origin"}, call
        return True

    assert all(in_parallel(check, calls))

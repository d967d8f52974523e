"""fusedb watch, through the built command: each file that takes the place of another, and each that may not."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import BAD_DATA, NO_INPUT, USAGE

#: Long enough for a machine that does something else.
LIMIT = 30
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Watching:
    """A running `fusedb watch`, and the lines that it prints."""

    def __init__(self, process):
        self.process = process
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self):
        """The next line."""
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
            assert ready, "no line came"
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            assert part, f"it ended: {self.process.wait()}, {self.process.stderr.read()!r}"
            self.rest += part
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def event(self):
        return json.loads(self.line())

    def is_silent(self, seconds):
        """Whether nothing more comes."""
        return not self.rest and not select.select([self.process.stdout], [], [], seconds)[0]

    def end(self, number):
        """The status after a signal, and what was on standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=LIMIT)
        assert out == b""
        return self.process.returncode, err


def watch(command, path, *options, **more):
    return Watching(command.start("watch", path, *options, **more))


@pytest.fixture(scope="module")
def files(command, tmp_path_factory):
    """Files of 1, 2, … keys; the number of a file is that of its keys."""
    folder = tmp_path_factory.mktemp("files")

    def file(number):
        path = folder / f"{number}.fsdb"
        if not path.exists():
            lines = "".join(f'{{"keys":["k{i}"],"value":{{"text":"{"x" * 200}","n":{i}}}}}\n' for i in range(number))
            command("build", path, "-", "--quiet", stdin=lines.encode(), code=0)
        return path.read_bytes()

    return file


def put(path, data):
    """Renames a new file over `path`."""
    other = path.with_name("new")
    other.write_bytes(data)
    other.rename(path)


EYES = {"events": ["--interval", "3600"], "polling": ["--poll", "--interval", "0.05"]}


def over(path, data, number):
    put(path, data)


def copied(path, data, number):
    path.write_bytes(data)


def anew(path, data, number):
    path.unlink()
    path.write_bytes(data)


def linked(path, data, number):
    target = path.with_name(f"file-{number}")
    target.write_bytes(data)
    path.with_name("link").symlink_to(target.name)
    path.with_name("link").rename(path)


def folder(path, data, number):
    (path.parent.parent / f"folder-{number}").mkdir()
    (path.parent.parent / f"folder-{number}" / path.name).write_bytes(data)
    path.parent.rename(path.parent.parent / f"old-{number}")
    (path.parent.parent / f"folder-{number}").rename(path.parent)


@pytest.mark.parametrize("way", [over, copied, anew, linked, folder], ids=lambda way: way.__name__)
@pytest.mark.parametrize("eyes", EYES)
def test_a_file_that_takes_the_place_of_another_is_a_line(command, files, tmp_path, eyes, way):
    path = tmp_path / "site" / "x.fsdb"
    path.parent.mkdir()
    path.write_bytes(files(1))
    with watch(command, path, "--json", *EYES[eyes]) as watching:
        event = watching.event()
        assert list(event) == ["event", "time", "path", "generation", "keys", "bytes", "checksum"]
        assert re.fullmatch(TIME, event.pop("time"))
        assert event == {
            "event": "serving", "path": str(path), "generation": 1, "keys": 1, "bytes": len(files(1)),
            "checksum": "0x" + files(1)[32:36].hex(),
        }  # fmt: skip
        for number in range(2, 5):
            before = time.time()
            way(path, files(number), number)
            event = watching.event()
            # A file that was not there, or not all of it, may have been seen by a machine that does much else.
            while event["event"] == "refused":
                event = watching.event()
            assert (event["event"], event["generation"], event["keys"]) == ("reloaded", number, number)
            assert event["bytes"] == len(files(number)) and event["checksum"] == "0x" + files(number)[32:36].hex()
            assert before - 1 <= time.mktime(time.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone <= time.time() + 1


def a_folder(path, good):
    path.unlink()
    path.mkdir()


def a_loop(path, good):
    path.unlink()
    path.symlink_to(path.name)


def through_a_file(path, good):
    path.unlink()
    path.symlink_to("/dev/null/x")


def data(change):
    return lambda path, good: put(path, change(bytearray(good)))


def changed(place, value):
    def change(good):
        good[place] = good[place] ^ 1 if value is None else value
        return bytes(good)

    return data(change)


#: What takes the place of a good file, and how it is refused.
BAD = {
    "truncated": (data(lambda good: good[: len(good) * 2 // 3]), {"truncated", "corrupted"}, r"\S"),
    "cut in its header": (data(lambda good: good[:39]), {"truncated"}, r"\S"),
    "half-copied": (data(lambda good: good[: len(good) // 2] + bytes(len(good) - len(good) // 2)), {"corrupted"}, r"\S"),
    "bad checksum": (changed(32, None), {"corrupted"}, r"checksum"),
    "damaged object": (changed(100, None), {"corrupted"}, r"checksum"),
    "older version": (changed(4, 1), {"unsupportedVersion"}, r"version 1\b"),
    "empty": (data(lambda good: b""), {"truncated"}, r"\S"),
    "text": (data(lambda good: b"Dear friend, this is only a letter.\n" * 9), {"notADatabase"}, r"FSDB"),
    "missing": (lambda path, good: path.unlink(), {"notFound"}, r"No such file"),
    "folder": (a_folder, {"notFound"}, r"(?i)directory|regular file"),
    "loop": (a_loop, {"notFound"}, r"Too many levels of symbolic links"),
    "through a file": (through_a_file, {"notFound"}, r"Not a directory"),
}


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_once_and_the_next_good_one_is_taken(command, files, tmp_path, name, eyes):
    spoil, codes, reason = BAD[name]
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(1))
    with watch(command, path, "--json", *EYES[eyes]) as watching:
        assert watching.event()["event"] == "serving"
        spoil(path, files(2))
        event = watching.event()
        assert event["event"] == "refused" and event["code"] in codes and re.search(reason, event["message"]), event
        assert (event["path"], event["generation"]) == (str(path), 1)
        assert watching.is_silent(0.4)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        put(path, files(3))
        event = watching.event()
        # Between the folder and the file there may have been nothing for a moment.
        if event["event"] == "refused" and name == "folder":
            event = watching.event()
        assert (event["event"], event["generation"], event["keys"]) == ("reloaded", 2, 3)


def test_a_file_that_may_not_be_read_is_refused(command, files, tmp_path):
    place = Path("/tmp") / f"fusedb-watch-{os.getpid()}"
    place.mkdir()
    try:
        path = place / "x.fsdb"
        path.write_bytes(files(1))
        path.chmod(0o644)
        # The command may lie where nobody else may go.
        shutil.copy(command.path, place / "fusedb")
        words = [place / "fusedb", "watch", path, "--json"]
        if os.geteuid() == 0:
            assert shutil.which("setpriv")
            words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with Watching(process) as watching:
            assert watching.event()["event"] == "serving"
            path.chmod(0)
            event = watching.event()
            assert (event["event"], event["code"]) == ("refused", "notFound") and "Permission denied" in event["message"]
            other = place / "other"
            other.write_bytes(files(2))
            other.chmod(0o644)
            other.rename(path)
            assert watching.event()["keys"] == 2
    finally:
        shutil.rmtree(place)


def test_a_copy_in_progress_is_left_alone(command, files, tmp_path):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(1))
    good = files(50)
    with watch(command, path, "--json", "--poll", "--interval", "0.02") as polling, watch(command, path, "--json") as watching:
        assert polling.event()["event"] == watching.event()["event"] == "serving"
        with open(path, "wb", buffering=0) as file:
            for start in range(0, len(good), len(good) // 40):
                file.write(good[start : start + len(good) // 40])
                time.sleep(0.004)
        for eyes in (polling, watching):
            events = [eyes.event()]
            while events[-1]["event"] == "refused":
                events.append(eyes.event())
            assert events[-1]["keys"] == 50
            # A machine that does much else may let the file seem to rest, now and then; not at each of the 40 parts.
            assert len(events) < 10


@pytest.mark.parametrize(
    "options, data, message",
    [(["--least-keys", "3"], 2, "needs 3 at least"),
     (["--greatest-shrink", "62.5"], 1, "0.625"),
     (["--require", "k1", "--require", "k2"], 2, "k2")],
    ids=["least keys", "greatest shrink", "required keys"],
)  # fmt: skip
def test_rules_refuse_a_sound_file(command, files, tmp_path, options, data, message):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(4))
    with watch(command, path, "--json", *options) as watching:
        assert watching.event()["keys"] == 4
        put(path, files(data))
        event = watching.event()
        assert (event["event"], event["code"]) == ("refused", "refused") and message in event["message"], event
        assert f"(option {options[0]})" in event["message"]
        put(path, files(3))
        assert watching.event()["keys"] == 3


def test_checks_differ_in_what_they_look_at(command, files, tmp_path):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(4))
    with watch(command, path, "--json", "--check", "nothing") as lax, watch(command, path, "--json", "--check", "full") as strict:
        assert lax.event()["keys"] == strict.event()["keys"] == 4
        changed(100, None)(path, files(3))
        assert lax.event()["event"] == "reloaded"
        assert strict.event()["code"] == "corrupted"


def test_lines_are_for_people_as_the_help_shows(command, files, tmp_path):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(3))
    with watch(command, path) as watching:
        lines = [watching.line()]
        put(path, files(4))
        lines.append(watching.line())
        path.unlink()
        lines.append(watching.line())
    help = command("help", "watch").text
    shown = re.search(r"\$ fusedb watch networks\.fsdb\n((?: {2}\d.*\n)+)", help)[1].splitlines()
    for line, example in zip(lines, shown, strict=True):
        assert re.match(TIME + " ", line)
        # Lengths are in bytes, or in thousands of them.
        plain = [
            re.sub(r"[\d.]+ (bytes|kB)", "SIZE", re.sub(TIME, "TIME", text.strip())) for text in (line, example)
        ]
        assert plain[0].replace(str(path), "networks.fsdb") == plain[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_without_a_word(command, files, tmp_path, number):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(1))
    with watch(command, path) as watching:
        watching.line()
        assert watching.end(number) == (-number, b"")


@pytest.mark.parametrize("is_ignored", [False, True])
def test_it_ends_when_nobody_reads(command, files, tmp_path, is_ignored):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(1))
    with watch(command, path, restore_signals=not is_ignored) as watching:
        watching.line()
        watching.process.stdout.close()
        assert watching.process.wait(LIMIT) == (74 if is_ignored else -signal.SIGPIPE)
        assert watching.process.stderr.read() == b""
        watching.process.stdout = None


@pytest.mark.parametrize("call", ["inotify_init1", "inotify_add_watch"])
def test_without_the_systems_events_it_looks(command, files, tmp_path, call):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(1))
    assert shutil.which("strace")
    words = ["strace", "-f", "-qq", "-o", tmp_path / "trace", "-e", f"trace={call}", "-e", f"inject={call}:error=ENOSPC"]
    words += [command.path, "watch", path, "--json", "--interval", "0.1"]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": command.environment}
    process = subprocess.Popen(words, start_new_session=True, **options)
    with Watching(process) as watching:
        try:
            assert watching.event()["event"] == "serving"
            for number in (2, 3):
                put(path, files(number))
                assert watching.event()["keys"] == number
            assert "INJECTED" in (tmp_path / "trace").read_text()
        finally:
            # The command too, which outlives what traces it.
            os.killpg(process.pid, signal.SIGKILL)


def test_a_file_that_cannot_serve_from_the_start_ends_it(command, files, tmp_path):
    path = tmp_path / "x.fsdb"
    assert "No such file" in command("watch", path, code=NO_INPUT).errors
    (tmp_path / "loop").symlink_to("loop")
    command("watch", tmp_path / "loop", code=NO_INPUT)
    command("watch", tmp_path, code=NO_INPUT)
    path.write_bytes(files(1)[:100])
    assert str(path) in command("watch", path, code=BAD_DATA).errors
    changed(100, None)(path, files(1))
    command("watch", path, code=BAD_DATA)
    path.write_bytes(files(1))
    assert "needs 2 at least (option --least-keys)" in command("watch", path, "--least-keys", "2", code=BAD_DATA).errors
    assert "k7" in command("watch", path, "--require", "k7", code=BAD_DATA).errors


@pytest.mark.parametrize(
    "options",
    [["--check", "some"], ["--least-keys", "-1"], ["--least-keys", "many"], ["--greatest-shrink", "101"], ["--greatest-shrink", "nan"],
     ["--greatest-shrink", "0x1"], ["--greatest-shrink", "5%"], ["--interval", "0"], ["--interval", "1e3"], ["--interval", "inf"],
     ["--interval", "100000"], ["--interval", ""], ["--interval", "."], ["--poll=yes"], ["more"]],
    ids=" ".join,
)  # fmt: skip
def test_wrong_options_are_named(command, files, tmp_path, options):
    path = tmp_path / "x.fsdb"
    path.write_bytes(files(1))
    assert options[0].split("=")[0] in command("watch", path, *options, code=USAGE).errors

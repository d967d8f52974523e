"""Runs a command under strace, lists the system calls by which it changes files, and injects into them one by one.

strace counts the calls of each name for each thread on its own, and `when=N` meets the N-th of every thread. With one
processor the command starts no helpers, and the list is the same in each run; so runs here have one processor each. A
thread that a command starts even so is covered as far as its calls have numbers that are listed.

An error takes the place of the call, SIGKILL comes before the call is done, any other signal right after it.
"""

import concurrent.futures
import os
import queue
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: Whatever changes files. The question mark: not every machine has every call.
CHANGES = """write writev pwrite64 pwritev pwritev2 sendfile splice copy_file_range truncate ftruncate fallocate
    fsync fdatasync sync_file_range syncfs msync link linkat symlink symlinkat rename renameat renameat2 unlink unlinkat
    mkdir mkdirat rmdir open openat openat2 creat chmod fchmod fchmodat chown fchown fchownat""".split()
#: Not changes, but places for an injection of ours.
OTHERS = ["access", "faccessat", "faccessat2"]
OPENS = {"open", "openat", "openat2"}
LINE = re.compile(r"^\d+ +(\w+)\((.*)$")


@dataclass(frozen=True)
class Call:
    """A system call of a run: the `number`-th of its name in its thread, with arguments and result as strace shows them."""

    name: str
    number: int
    text: str

    def inject(self, what):
        return f"{self.name}:{what}:when={self.number}"

    @property
    def is_change(self):
        """Files that are only read are not our concern; a folder is opened to be synced."""
        if self.name in OPENS:
            return bool(re.search(r"O_CREAT|O_TMPFILE|O_WRONLY|O_RDWR|O_DIRECTORY", self.text))
        return self.name in CHANGES

    @property
    def is_for_people(self):
        """Whether this is a write to standard output or standard error."""
        return self.name.startswith("write") and self.text.startswith(("1,", "2,"))

    @property
    def is_done(self):
        return self.text.endswith("= 0")

    def __str__(self):
        return f"{self.name}({self.text[:100]}"


@dataclass
class Traced:
    """What a run gave."""

    code: int
    out: bytes
    err: str
    log: str

    @property
    def calls(self):
        counts, calls = {}, []
        for text in self.log.splitlines():
            if not (found := LINE.match(text)):
                continue
            thread = text.split()[0], found[1]
            counts[thread] = counts.get(thread, 0) + 1
            calls.append(Call(found[1], counts[thread], found[2]))
        return calls

    def was_hit(self, call, what):
        """Whether the injection took place."""
        if what.startswith("error="):
            return any(made.name == call.name and made.text.endswith("(INJECTED)") for made in self.calls)
        name = what.removeprefix("signal=")
        return f"+++ killed by {name} +++" in self.log if name == "SIGKILL" else f"--- {name} " in self.log


def traced(command, words, folder, injections=(), stderr=subprocess.PIPE, before=()):
    """Runs the command in `folder`; the log and the place of temporary files are beside that."""
    log, temporary = folder.with_suffix(".log"), folder.with_suffix(".tmp")
    temporary.mkdir(exist_ok=True)
    words = [
        "strace", "-f", "-qqq", "-o", log, "-e", "trace=" + ",".join(f"?{name}" for name in CHANGES + OTHERS),
        *(f"--inject={injection}" for injection in injections), *before, command.path, *words,
    ]  # fmt: skip
    environment = {**command.environment, "TMPDIR": str(temporary)}
    result = subprocess.run(
        words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, timeout=60
    )
    assert os.listdir(temporary) == [], "something was left in the folder of temporary files"
    return Traced(result.returncode, result.stdout, (result.stderr or b"").decode(), log.read_text())


def in_parallel(work, items):
    """Does `work` for each item, on all processors, each run on one of them. Returns the results, or the first failure."""
    processors = queue.SimpleQueue()
    for number in sorted(os.sched_getaffinity(0)):
        processors.put(number)
    with concurrent.futures.ThreadPoolExecutor(
        processors.qsize(), initializer=lambda: os.sched_setaffinity(0, {processors.get()})
    ) as pool:
        return list(pool.map(work, items))


def contents(folder):
    """The files of a folder."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}

"""Drives the built command, and the wheel of fusedb 0.3.0 beside it.

The command is named by the environment variable FUSEDB, or is .build/debug/fusedb. Where it or the wheel is
missing, tests fail; nothing is skipped.
"""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures"
sys.path.insert(0, str(FIXTURES))

import fusedb  # noqa: E402
import write_with_wheel  # noqa: E402

from spelling import line, parse, unescape, unline, unspell, unspell_key, unspell_value  # noqa: E402

# Tests in the background of a script ignore signals, and what they start would inherit that. It does not inherit a
# function.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda number, frame: None)

assert fusedb.__version__ == "0.3.0", f"the wheel is {fusedb.__version__}; the tests are about 0.3.0"

#: The exit codes that the command has, and their meaning.
DONE, NO, USAGE, BAD_DATA, NO_INPUT, UNAVAILABLE, IO_FAILURE = 0, 1, 64, 65, 66, 69, 74


class Result:
    """What a run of the command gave: exit code, standard output and standard error."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def text(self):
        return self.out.decode()

    @property
    def errors(self):
        return self.err.decode(errors="replace")

    @property
    def lines(self):
        """The output lines, without their ends; each must have one."""
        assert not self.out or self.out.endswith(b"\n"), f"the last line has no end: {self.out[-80:]!r}"
        return self.out.split(b"\n")[:-1]

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}, out {self.out[:400]!r}, err {self.err[:400]!r}"


class Fusedb:
    """The command. Every run ends by itself with one of the codes that the command promises, or the test fails."""

    def __init__(self):
        self.path = Path(os.environ.get("FUSEDB") or ROOT / ".build" / "debug" / "fusedb").resolve()
        self.environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}

    def start(self, *arguments, **options):
        """A running command, for tests that look at it while it runs."""
        assert self.path.is_file(), f"no command at {self.path}; build it, or name it with FUSEDB=…"
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([self.path, *map(os.fsencode, map(argument, arguments))], env=self.environment, **options)

    def __call__(self, *arguments, code=None, stdin=b"", cwd=None, stdout=subprocess.PIPE, timeout=300):
        process = self.start(*arguments, stdin=subprocess.PIPE, stdout=stdout, cwd=cwd)
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        result = Result(process.returncode, out or b"", err)
        assert result.code in (DONE, NO, USAGE, BAD_DATA, NO_INPUT, UNAVAILABLE, IO_FAILURE), f"{arguments}: {result}"
        if code is not None:
            assert result.code == code, f"{arguments[:6]}: {result}"
        return result

    # --- what several tests need ---

    def build(self, output, lines, *options):
        """Builds a file of calls: pairs of an object (MessagePack) and its keys."""
        self("build", output, "-", "--quiet", "--allow-empty", *options, stdin=b"".join(line(keys, value) for value, keys in lines), code=DONE)
        return output

    def dumped(self, path):
        """Pairs of keys and object in file order, from dump."""
        return [unline(text.decode()) for text in self("dump", path, code=DONE).lines]

    def mapping(self, path):
        """Every key with its object, from dump."""
        return {key: value for keys, value in self.dumped(path) for key in keys}

    def pairs(self, *arguments):
        """(key, object) for each line of key, tab, value."""
        return [pair(text) for text in self(*arguments, code=DONE).lines]

    def found(self, path, keys):
        """{key: object or None} for each key asked, from get --json."""
        result = self("get", path, "--json", "--", *keys)
        answers = [dict(parse(text)) for text in result.lines]
        assert [unspell_key(answer["key"]) for answer in answers] == list(keys)
        assert result.code == (DONE if all(answer["found"] for answer in answers) else NO)
        values = [json_value(text) for text in result.lines]
        return dict(zip(keys, values, strict=True))


def argument(value):
    return value if isinstance(value, bytes) else str(value)


def pair(text):
    """(key, object) of a line of key, tab, value."""
    key, value = text.split(b"\t", 1)
    return unescape(key), unspell(value.decode())


def json_value(text):
    """The object in a line of get --json, or None where the key is absent."""
    members = dict(parse(text))
    return unspell_value(members["value"]) if members["found"] else None


class Wheel:
    """fusedb 0.3.0, through its raw reader and writer: bytes in, bytes out."""

    @staticmethod
    def write(path, calls):
        """Writes a file: each pair of an object and its keys is one `add_object` and one `add_key` a key."""
        write_with_wheel.write(path, calls)
        return path

    @staticmethod
    def open(path):
        return fusedb.FuseReader(path)._r


@pytest.fixture(scope="session")
def command():
    return Fusedb()


@pytest.fixture(scope="session")
def wheel():
    return Wheel()


@pytest.fixture
def rng(request):
    """A random generator whose seed is printed, and can be given with --seed."""
    seed = request.config.getoption("--seed")
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    print(f"seed {seed}: repeat with --seed {seed}")
    return random.Random(seed)


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=None, help="the seed of random tests; a new one each time unless given")


@pytest.fixture(scope="session")
def big(command, tmp_path_factory):
    """A file of 200,000 keys and 20,000 objects, several megabytes: longer than any pipe. Tests copy it before they hurt it."""
    path = tmp_path_factory.mktemp("big") / "big.fsdb"
    calls = (
        (unspell(f'{{"id":{i},"text":"{"x" * (i % 150)}"}}'), [f"host-{i:05}-{j}.example".encode() for j in range(10)])
        for i in range(20_000)
    )
    return command.build(path, calls)


@pytest.fixture(scope="session")
def good():
    return json.loads((FIXTURES / "good" / "expected.json").read_text())


@pytest.fixture(scope="session")
def bad():
    return json.loads((FIXTURES / "bad" / "expected.json").read_text())


def fixture_names(folder):
    """The files of a folder of fixtures, for parametrize."""
    return sorted(json.loads((FIXTURES / folder / "expected.json").read_text()))

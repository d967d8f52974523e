"""`fusedb store`: what people type, and what is left of it when a process is killed, a call fails, or many write at once."""

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import DONE, ROOT
from tracing import traced


def noise(count, seed):
    return random.Random(seed).randbytes(count)


def prose(count, seed):
    chosen = random.Random(seed)
    words = ["look", "up", "store", "chunk", "pack", "digest", "key", "value"]
    text = b""
    while len(text) < count:
        text += chosen.choice(words).encode() + b" "
    return text[:count]


def digest(content):
    return hashlib.sha256(content).hexdigest()


def settle(command, store):
    """What a collection and a check say afterwards; nothing is left of who died."""
    command("store", "gc", "-C", store, code=DONE)
    command("store", "verify", "-C", store, code=DONE)
    assert [name for name in os.listdir(store / "tmp") if not name.endswith(".lock")] == []
    packs = {name.split(".")[0] for name in os.listdir(store / "packs")}
    assert {name for name in packs if not (store / "packs" / f"{name}.fsdb").exists()} == set()


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EIO, errno.ENOSPC])
def test_large_object_whose_write_fails(command, tmp_path, error):
    """Large objects pass the page cache by, on a thread of their own. What the file system can't do so is done otherwise; what fails is said."""
    content = noise(7_000_000, 11)
    (tmp_path / "big").write_bytes(content)
    command("store", "init", tmp_path / "s", code=DONE)
    # With one thread, the first call is the one that passes the cache by.
    words = ["store", "add", "big", "--name", "big", "-C", "s", *(["--jobs", "1"] if error == errno.EINVAL else [])]
    result = traced(command, words, tmp_path, [f"pwrite64:error={errno.errorcode[error]}:when=1"])
    assert "pwrite64" in result.log and "(INJECTED)" in result.log
    try:
        os.close(os.open(tmp_path / "big", os.O_RDONLY | os.O_DIRECT))
        passes_cache = True
    except OSError:
        passes_cache = False
    if error == errno.EINVAL and passes_cache:
        assert result.code == DONE, result.err
    else:
        assert result.code != DONE and result.err.startswith("fusedb:") and "big" not in command("store", "ls", "-C", tmp_path / "s", code=DONE).text
        command("store", "add", tmp_path / "big", "--name", "big", "-C", tmp_path / "s", code=DONE)
    assert command("store", "cat", "big", "-C", tmp_path / "s", code=DONE).out == content
    settle(command, tmp_path / "s")


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("call", ["pwrite64", "openat", "fchmod"])
def test_folder_of_which_a_file_cannot_be_written(command, tmp_path, call, jobs):
    """What fails is said, and is not there; what is there is whole."""
    contents = {f"{number % 5}/{number:03}": prose(600 + number, number) for number in range(900)}
    for path, content in contents.items():
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).write_bytes(content)
        (tmp_path / "tree" / path).chmod(0o750)
    command("store", "init", tmp_path / "s", code=DONE)
    command("store", "add", tmp_path / "tree", "--name", "tree", "-C", tmp_path / "s", code=DONE)
    words = ["store", "get", "tree", "-o", "out", "-C", "s", "--jobs", str(jobs)]
    # Calls of openat come before the first file, and how many depends on the machine.
    result = traced(command, words, tmp_path, [f"{call}:error=ENOSPC:when=250"])
    assert result.code != DONE and "(INJECTED)" in result.log
    written = {str(path.relative_to(tmp_path / "out")): path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert 150 < len(written) < len(contents) and all(path.read_bytes() == contents[name] for name, path in written.items())
    if jobs == 1:
        assert sorted(written) == sorted(contents)[: len(written)]
        assert sorted(contents)[len(written)] in result.err and "No space left" in result.err
    command("store", "get", "tree", "-o", tmp_path / "again", "-C", tmp_path / "s", "--jobs", jobs, code=DONE)
    assert {name: (tmp_path / "again" / name).read_bytes() for name in contents} == contents
    assert all((tmp_path / "again" / name).stat().st_mode & 0o777 == 0o750 for name in contents)


def holds(command, store, contents):
    """All of these are there, whole; a hundred in one call."""
    names = list(contents)
    for start in range(0, len(names), 100):
        some = names[start : start + 100]
        assert command("store", "cat", *some, "-C", store, code=DONE).out == b"".join(contents[name] for name in some)


def test_many_writers_collections_and_kills(command, tmp_path):
    """Eight writers, two collectors, some of each killed: what was acknowledged is there, whole, and nothing else stays."""
    store = tmp_path / "s"
    command("store", "init", store, "--chunk", "512,2048,8192", "--pack-size", "64K", code=DONE)
    chosen = random.Random(1)
    seed = 0
    acknowledged = {}
    running = []
    end = time.monotonic() + 12
    while time.monotonic() < end or running:
        if time.monotonic() < end and len(running) < 8:
            seed += 1
            files = []
            for number in range(3):
                # Parts are shared, so that writers rely on what others stored.
                content = noise(20_000, chosen.randrange(12)) + prose(chosen.randrange(9_000), chosen.randrange(50))
                path = tmp_path / f"f{seed}.{number}"
                path.write_bytes(content)
                files.append(path)
            kind = chosen.randrange(5)
            if kind == 0:
                words, expected = ["gc", "--live", "95"], {}
            elif kind == 1:
                words, expected = ["add", files[0], "--name", f"name{seed}"], {f"name{seed}": files[0].read_bytes()}
            else:
                words, expected = ["add", *files], {digest(path.read_bytes()): path.read_bytes() for path in files}
            process = command.start("store", *words, "-C", store, "-q", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            deadline = time.monotonic() + chosen.random() * 0.1 if chosen.random() < 0.3 else None
            running.append((process, expected, deadline, kind))
        for work in list(running):
            process, expected, deadline, kind = work
            if process.poll() is not None:
                said = process.stderr.read().decode() if process.stderr else ""
                if process.returncode == 0:
                    acknowledged |= expected
                else:
                    # One that was killed, or a collection beside another.
                    assert process.returncode == -signal.SIGKILL or "another collection" in said, said
                running.remove(work)
            elif deadline is not None and time.monotonic() > deadline:
                process.send_signal(signal.SIGKILL)
        time.sleep(0.002)
    assert len(acknowledged) > 50
    holds(command, store, acknowledged)
    settle(command, store)
    holds(command, store, acknowledged)
    for what in (lambda: os.listdir(store / "refs"), lambda: command("store", "ls", "-C", store, code=DONE).out.decode().split()):
        left = what()
        for start in range(0, len(left), 500):
            command("store", "rm", *left[start : start + 500], "-C", store, code=DONE)
    settle(command, store)
    status = json.loads(command("store", "status", "--json", "-C", store, code=DONE).out)
    assert (status["packs"], status["kept"], status["chunks"]) == (0, 0, 0)


def test_session(command, tmp_path, monkeypatch):
    """What the README shows, and more."""
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes(b"hello")
    Path("big").write_bytes(noise(1_000_000, 1))
    command("store", "init", code=DONE)
    added = command("store", "add", "a.txt", "big", code=DONE).out.decode().splitlines()
    assert added == [f"{digest(b'hello')}  a.txt", f"{digest(noise(1_000_000, 1))}  big"]
    assert command("store", "cat", digest(b"hello"), code=DONE).out == b"hello"
    os.mkdir("inner")
    monkeypatch.chdir("inner")
    command("store", "get", digest(noise(1_000_000, 1)), "-o", "copy", code=DONE)
    assert Path("copy").read_bytes() == noise(1_000_000, 1)
    assert command("store", "get", digest(b"hello"), "-o", "copy").code != DONE
    command("store", "get", digest(b"hello"), "-o", "copy", "--overwrite", code=DONE)
    assert Path("copy").read_bytes() == b"hello"
    assert command("store", "add", "-", "--name", "from a pipe", stdin=b"piped", code=DONE).out.startswith(
        digest(b"piped").encode()
    )
    monkeypatch.chdir(tmp_path)
    command("store", "init", "other", code=DONE)
    command("store", "copy", "other", code=DONE)
    again = json.loads(command("store", "copy", "other", "--json", code=DONE).out)
    assert again["new_bytes"] == 0
    assert command("store", "cat", "from a pipe", "-C", "other", code=DONE).out == b"piped"
    command("store", "rm", "from a pipe", code=DONE)
    assert command("store", "cat", "from a pipe").code != DONE
    assert command("store", "init").code != DONE
    assert json.loads(command("store", "status", "--json", code=DONE).out)["kept"] == 2


def test_the_session_of_the_readme(command, tmp_path):
    """Each line as it stands there, with what it prints to standard output."""
    block = (ROOT / "README.md").read_text().split("## Keep files\n", 1)[1].split("```\n", 2)[1]
    steps = [part.split("\n", 1) for part in block.split("$ ")[1:]]
    assert len(steps) == 10
    script = "".join(f"{line}\necho '<end>'\n" for line, _ in steps)
    environment = os.environ | {"PATH": f"{Path(command.path).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-e"], input=script, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split("<end>\n")) == (0, [printed for _, printed in steps] + [""]), done.stderr
    assert (tmp_path / "copy.txt").read_text() == "hello\n"


@pytest.mark.parametrize("kind", ["stuffed noise", "deflate", "noise with heads"])
def test_packed_bytes_stay_raw(command, tmp_path, kind):
    """Bytes made like those of photographs, archives and films; no real files of these kinds are here."""
    import zlib

    text = prose(300_000, 3) * 5 + noise(1_000_000, 4)
    content = {
        "deflate": b"PK\3\4" + zlib.compress(text, 9),
        "noise with heads": b"".join(b"\0\0\0\1moofmdat" + noise(30_000, seed) for seed in range(20)),
        "stuffed noise": noise(600_000, 5).replace(b"\xff", b"\xff\0"),
    }[kind]
    (tmp_path / "f").write_bytes(content)
    command("store", "init", tmp_path / "s", code=DONE)
    command("store", "add", tmp_path / "f", "-C", tmp_path / "s", code=DONE)
    codecs = json.loads(command("store", "status", "--json", "-C", tmp_path / "s", code=DONE).out)["codecs"]
    assert codecs["raw"] > 0.9 * len(content), codecs

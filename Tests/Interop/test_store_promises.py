"""What other stores of this kind promise and don't keep, each as a test that passes here.

chunkstore, RSDOS and UniCache were tried; each lost files, or gave wrong bytes, or broke a promise of its documentation, in the ways that the docstrings
say. What takes long is in `make store-endure` (Tests/Interop/store_endure.py).
"""

import concurrent.futures
import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import time
import zipfile

import pytest

from conftest import DONE
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


@pytest.fixture
def store(command, tmp_path):
    command("store", "init", tmp_path / "s", "--chunk", "512,2048,8192", "--pack-size", "256K", code=DONE)
    return tmp_path / "s"


def status(command, store):
    return json.loads(command("store", "status", "--json", "-C", store, code=DONE).out)


def files(folder, contents):
    paths = []
    for number, content in enumerate(contents):
        paths.append(folder / f"f{number}.{digest(content)[:8]}")
        paths[-1].write_bytes(content)
    return paths


def at_once(work, items):
    with concurrent.futures.ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(work, items))


def holds(command, store, contents):
    for content in contents:
        assert command("store", "cat", digest(content), "-C", store, code=DONE).out == content


# --- two writers ---


def test_two_writers_of_files_that_share_chunks(command, store, tmp_path):
    """chunkstore: after two writers with 200 files each counts are wrong, and deletes make 132 files unreadable."""
    shared = [noise(9_000, seed) for seed in range(5)]
    contents = [[random.Random(100 * writer + number).choice(shared) + noise(900, 100 * writer + number) for number in range(40)] for writer in (0, 1)]
    paths = [files(tmp_path, all_of_one) for all_of_one in contents]

    def write(writer):
        for start in range(0, 40, 5):
            command("store", "add", *paths[writer][start : start + 5], "-C", store, code=DONE)

    at_once(write, [0, 1])
    holds(command, store, contents[0][::7] + contents[1][::7])
    gone = [digest(content) for all_of_one in contents for content in all_of_one[::2]]
    command("store", "rm", *gone, "-C", store, code=DONE)
    command("store", "gc", "-C", store, "--live", "100", code=DONE)
    left = [content for all_of_one in contents for content in all_of_one[1::2]]
    names = [digest(content) for content in left]
    assert command("store", "cat", *names, "-C", store, code=DONE).out == b"".join(left)
    assert sorted(command("store", "ls", "-C", store, code=DONE).out.decode().split()) == sorted(names)


def test_three_batches_from_two_writers(command, store, tmp_path):
    """RSDOS: of 900 objects in batches of two writers, 6 give the bytes of others, in silence."""
    contents = {writer: [noise(400 + number, 1000 * writer + number) for number in range(150)] for writer in (1, 2, 3)}
    at_once(lambda writer: command("store", "add", *files(tmp_path, contents[writer]), "-C", store, code=DONE), list(contents))
    for all_of_one in contents.values():
        names = [digest(content) for content in all_of_one]
        assert command("store", "cat", *names, "-C", store, code=DONE).out == b"".join(all_of_one)


def test_two_writers_of_names(command, store, tmp_path):
    """UniCache: of 80 files that two writers put under names, 38 are lost."""
    contents = [noise(2_000, number) for number in range(40)]
    paths = files(tmp_path, contents)
    at_once(lambda writer: [command("store", "add", path, "--name", f"n/{number}", "-C", store, code=DONE) for number, path in enumerate(paths) if number % 2 == writer], [0, 1])
    listed = [line.split("  ", 1) for line in command("store", "ls", "-C", store, code=DONE).out.decode().splitlines()]
    assert {name: id for id, name in listed} == {f"n/{number}": digest(content) for number, content in enumerate(contents)}


# --- kill -9 ---


def test_killed_25_times(command, store, tmp_path):
    """chunkstore: 11 chunks leak and 3 manifests are not listed. RSDOS: 1.7 MB are dead for ever. UniCache: the index is empty, all is lost."""
    chosen = random.Random(1)
    acknowledged = []
    for number in range(25):
        contents = [noise(30_000, 10 * number + part) for part in range(4)]
        process = command.start("store", "add", *files(tmp_path, contents), "-C", store, "-q")
        time.sleep(chosen.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == 0:
            acknowledged += contents
        command("store", "add", *files(tmp_path, contents[:1]), "-C", store, code=DONE)
        acknowledged.append(contents[0])
    holds(command, store, acknowledged)
    command("store", "gc", "-C", store, code=DONE)
    command("store", "verify", "-C", store, code=DONE)
    holds(command, store, acknowledged)
    command("store", "rm", *command("store", "ls", "-C", store, code=DONE).out.decode().split(), "-C", store, code=DONE)
    command("store", "gc", "-C", store, code=DONE)
    counts = status(command, store)
    assert (counts["packs"], counts["chunks"], counts["loose"]) == (0, 0, 0)
    assert [name for name in os.listdir(store / "tmp") if not name.endswith(".lock")] == []


# --- full disk, read-only disk ---


def test_full_disk(command, store, tmp_path):
    """RSDOS: every read fails once the disk is full. Here a put says so, and reads go on."""
    contents = [noise(50_000, 1), prose(3_000, 2)]
    command("store", "add", *files(tmp_path, contents), "-C", store, code=DONE)
    more = files(tmp_path, [noise(400_000, 3)])
    full = [f"{call}:error=ENOSPC" for call in ("pwrite64", "fallocate", "ftruncate")]
    work = tmp_path / "work"
    work.mkdir()
    failed = traced(command, ["store", "add", *more, "-C", store], work, full)
    assert failed.code != DONE and "No space left" in failed.err
    for content in contents:
        assert traced(command, ["store", "cat", digest(content), "-C", store], work, full).out == content
    command("store", "verify", "-C", store, code=DONE)
    # It works once there is room.
    command("store", "add", *more, "-C", store, code=DONE)


def test_read_only_store(command, store, tmp_path):
    """A store on a disk that takes no writes is read, listed and verified, and a put says why it can't be."""
    content = noise(50_000, 1)
    command("store", "add", *files(tmp_path, [content]), "-C", store, code=DONE)
    script = """mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
        shift; exec "$@" """
    words = ["unshare", "-rm", "sh", "-c", script, "sh", store, command.path]

    def run(*more):
        result = subprocess.run([*words, "store", *more, "-C", store], capture_output=True)
        assert result.returncode != 99, "this system lets nobody mount"
        return result

    assert run("cat", digest(content)).stdout == content
    assert run("verify").returncode == DONE and run("status").returncode == DONE and run("ls").returncode == DONE
    refused = run("add", tmp_path / "missing")
    assert refused.returncode != DONE
    (tmp_path / "more").write_bytes(b"more")
    refused = run("add", tmp_path / "more")
    assert refused.returncode != DONE and b"Read-only file system" in refused.stderr


def test_clocks_say_nothing(command, store, tmp_path):
    """No rule asks a clock: files from the future and from 1970 are treated alike, by collections too."""
    contents = [noise(30_000, number) for number in range(6)]
    paths = files(tmp_path, contents)
    for number, path in enumerate(paths):
        command("store", "add", path, "-C", store, code=DONE)
        for folder, _, names in os.walk(store):
            for name in names:
                moment = random.Random(number).choice([0, 1, 4_000_000_000])
                os.utime(os.path.join(folder, name), (moment, moment))
    command("store", "rm", digest(contents[0]), "-C", store, code=DONE)
    command("store", "gc", "--live", "100", "-C", store, code=DONE)
    holds(command, store, contents[1:])
    assert status(command, store)["condemned"] == 0
    # The calls that ask for the time are for progress and random names alone: with each of them failing, all goes on.
    work = tmp_path / "work"
    work.mkdir()
    later = subprocess.run(
        ["strace", "-f", "-qqq", "-o", tmp_path / "log", "-e", "trace=utimensat,futimesat,utime", command.path, "store", "add", *paths, "-C", store],
        capture_output=True,
    )
    assert later.returncode == DONE and (tmp_path / "log").read_text() == ""


# --- a flipped bit ---


def test_flipped_bit_is_found_and_healed(command, store, tmp_path):
    """RSDOS gives back what was flipped. chunkstore finds it, and putting the file again does not heal it."""
    content = noise(60_000, 1)
    path = files(tmp_path, [content])[0]
    command("store", "add", path, "-C", store, code=DONE)
    pack = next((store / "packs").glob("*.pack"))
    damaged = bytearray(pack.read_bytes())
    damaged[len(damaged) // 2] ^= 16
    pack.write_bytes(damaged)
    broken = command("store", "cat", digest(content), "-C", store)
    assert broken.code != DONE and content.startswith(broken.out) and pack.name.encode() in broken.err
    assert command("store", "verify", "-C", store).code != DONE
    command("store", "add", path, "-C", store, code=DONE)
    assert command("store", "cat", digest(content), "-C", store, code=DONE).out == content
    # The spoilt record stays in its pack, which nobody changes; nobody needs it any more, and a check says so.
    sound = command("store", "verify", "-C", store, code=DONE)
    assert b"no longer needed" in sound.out and b"superseded: 1 spoilt record" in sound.err
    told = json.loads(command("store", "verify", "--json", "-C", store, code=DONE).lines[0])
    assert (told["kind"], told["file"]) == ("superseded", f"packs/{pack.name}")
    command("store", "verify", "--repair", "-C", store, code=DONE)
    command("store", "verify", "-C", store, code=DONE)
    assert command("store", "cat", digest(content), "-C", store, code=DONE).out == content


def test_healed_store_drops_what_is_spoilt(command, store, tmp_path):
    content = noise(60_000, 1)
    paths = files(tmp_path, [content, noise(9_000, 2)])
    command("store", "add", *paths, "-C", store, code=DONE)
    pack = next((store / "packs").glob("*.pack"))
    damaged = bytearray(pack.read_bytes())
    damaged[30_000] ^= 1
    pack.write_bytes(damaged)
    command("store", "add", paths[0], "-C", store, code=DONE)
    command("store", "gc", "--live", "100", "-C", store, code=DONE)
    assert not pack.exists()
    assert command("store", "verify", "-C", store, code=DONE).out == b""
    holds(command, store, [content, noise(9_000, 2)])


# --- memory ---


def anonymous_peak(process):
    """The most memory that a process had of its own, in bytes, beside mapped files."""
    most = 0
    while process.poll() is None:
        try:
            found = re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{process.pid}/status").read())
        except (FileNotFoundError, ProcessLookupError):
            break
        most = max(most, int(found[1]) * 1024 if found else 0)
        time.sleep(0.002)
    return most


def test_memory_of_a_large_file(command, store, tmp_path):
    """chunkstore takes 6.2 GB for a file of 2 GB, and RSDOS 2.1 GB to read it. `make store-endure` has one of 2 GB; this one has 200 MB."""
    part = noise(1 << 20, 1)
    with open(tmp_path / "large", "wb") as file:
        for number in range(200):
            file.write(number.to_bytes(8, "big") + part[number:] + part[:number])
    name = hashlib.file_digest(open(tmp_path / "large", "rb"), "sha256").hexdigest()
    adding = command.start("store", "add", tmp_path / "large", "-C", store, "--chunk", "4096,16384,65536")
    assert anonymous_peak(adding) < 64 << 20
    assert adding.communicate()[0].decode().startswith(name)
    getting = command.start("store", "get", name, "-o", tmp_path / "copy", "-C", store)
    assert anonymous_peak(getting) < 64 << 20
    assert getting.wait() == DONE
    assert hashlib.file_digest(open(tmp_path / "copy", "rb"), "sha256").hexdigest() == name


# --- tiny files ---


def test_tiny_files_are_not_quadratic(command, tmp_path):
    """chunkstore puts 9,232 files in 25 s and takes ever longer; UniCache too. Here twice as many take twice the system calls."""
    counts = []
    for size in (1_000, 2_000):
        folder = tmp_path / str(size)
        folder.mkdir()
        for number in range(size):
            (folder / f"{number}").write_bytes(noise(200, number))
        command("store", "init", tmp_path / f"s{size}", code=DONE)
        log = tmp_path / f"log{size}"
        subprocess.run(
            ["strace", "-f", "-c", "-o", log, command.path, "store", "add", folder, "--name", "n", "-q", "-C", tmp_path / f"s{size}"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        counts.append(int(re.search(r"^100\.00.*?(\d+)(?:\s+\d+)?\s+total$", log.read_text(), re.M)[1]))
        assert len(os.listdir(tmp_path / f"s{size}" / "packs")) == 2
    assert counts[1] < 2.2 * counts[0], counts


# --- promises ---


@pytest.mark.parametrize("size", [4_000_000])
def test_prefix_insert(command, tmp_path, size):
    """chunkstore promises 45 % saved when a byte comes first, and saves 38.5 %. Here less than 0.7 % of 20 MB is new; of 4 MB, two chunks."""
    command("store", "init", tmp_path / "s", code=DONE)
    content = noise(size, 1)
    added = [json.loads(command("store", "add", path, "--json", "-C", tmp_path / "s", code=DONE).out) for path in files(tmp_path, [content, b"x" + content])]
    assert added[0]["new_bytes"] >= size and added[1]["new_bytes"] < 3 * 65_536


def test_pool_of_blocks(command, store, tmp_path):
    """chunkstore saves 90 % of a pool of blocks that come ten times each; so does `--fixed`."""
    blocks = [noise(4096, number) for number in range(20)]
    chosen = random.Random(1)
    order = blocks * 10
    chosen.shuffle(order)
    added = json.loads(command("store", "add", *files(tmp_path, [b"".join(order)]), "--fixed", "4096", "--json", "-C", store, code=DONE).out)
    assert added["new_bytes"] <= 0.1 * added["bytes"]


def photograph():
    from PIL import Image

    image = Image.effect_noise((640, 480), 40).convert("RGB")
    image.paste(Image.linear_gradient("L").resize((300, 200)).convert("RGB"), (50, 60))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def film():
    import av
    import numpy

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=24)
        (stream.width, stream.height, stream.pix_fmt, stream.bit_rate) = (320, 240, "yuv420p", 4_000_000)
        chosen = numpy.random.default_rng(1)
        for _ in range(30):
            frame = av.VideoFrame.from_ndarray(chosen.integers(0, 255, (240, 320, 3), dtype=numpy.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(30):
            file.writestr(f"letters/{number}.txt", prose(60_000, number) + noise(3_000, number).hex().encode())
    return out.getvalue()


@pytest.mark.parametrize("made", [photograph, film, archive])
def test_what_is_packed_already_stays_raw(command, tmp_path, made):
    """RSDOS's heuristics panic. Here a photograph, a film and an archive, made by the libraries that make them, stay as they are; text is packed."""
    content = made()
    assert len(content) > 40_000
    command("store", "init", tmp_path / "s", code=DONE)
    command("store", "add", *files(tmp_path, [content]), "-C", tmp_path / "s", code=DONE)
    codecs = status(command, tmp_path / "s")["codecs"]
    assert codecs.get("raw", 0) > 0.9 * len(content), codecs
    command("store", "add", *files(tmp_path, [prose(300_000, 1)]), "-C", tmp_path / "s", code=DONE)
    after = status(command, tmp_path / "s")["codecs"]
    assert after["zstd"] - codecs.get("zstd", 0) < 100_000 and after.get("raw", 0) - codecs.get("raw", 0) < 2_000
    holds(command, tmp_path / "s", [content])


@pytest.mark.parametrize("compression", ["none", "auto", "zlib:1", "zlib:9", "zstd:-7", "zstd:19"])
def test_every_codec_reads_back(command, tmp_path, compression):
    """RSDOS: what its Python package writes with zstd can't be read; the option of the hash is ignored."""
    content = prose(200_000, 1)
    command("store", "init", tmp_path / "s", "--compress", compression, code=DONE)
    command("store", "add", *files(tmp_path, [content]), "-C", tmp_path / "s", code=DONE)
    codecs = status(command, tmp_path / "s")["codecs"]
    assert any(name.startswith({"none": "raw", "auto": "zstd"}.get(compression, compression[:4])) for name in codecs), codecs
    holds(command, tmp_path / "s", [content])
    command("store", "gc", "--live", "100", "-C", tmp_path / "s", code=DONE)
    holds(command, tmp_path / "s", [content])


def test_options_count(command, tmp_path):
    """RSDOS ignores options of hash and sync. Here each option that says how something is kept can be seen in what is kept."""
    content = noise(300_000, 1)
    path = files(tmp_path, [content])[0]
    for options, largest in [(["--fixed", "4096"], 4096), (["--chunk", "512,1024,2048"], 2048), ([], 65_536)]:
        folder = tmp_path / f"s{largest}"
        command("store", "init", folder, *options, "--pack-size", "64K", code=DONE)
        command("store", "add", path, "-C", folder, code=DONE)
        chunks = [json.loads(line)["bytes"] for line in command("store", "inspect", digest(content), "--json", "-C", folder, code=DONE).lines]
        assert largest / 3 < max(chunks) <= largest and sum(chunks) == len(content)
        packs = [pack["bytes"] for pack in status(command, folder)["pack_list"]]
        assert len(packs) >= 4 and max(packs) < (64 << 10) + 70_000
    command("store", "add", *files(tmp_path, [b"small"]), "--to", "loose", "-C", folder, code=DONE)
    assert status(command, folder)["loose"] == 1
    # What was written lasts: each pack and its folder are synced before the command ends.
    work = tmp_path / "work"
    work.mkdir()
    calls = [call for call in traced(command, ["store", "add", *files(tmp_path, [noise(9_000, 5)]), "-C", folder], work).calls]
    assert sum(call.name in ("fsync", "fdatasync") for call in calls) >= 3


def test_repack_works(command, store, tmp_path):
    """RSDOS: `repack` panics. Here packs that are mostly dead are written anew, and what is needed is there meanwhile and after."""
    contents = [noise(20_000, number) for number in range(40)]
    for start in range(0, 40, 4):
        command("store", "add", *files(tmp_path, contents[start : start + 4]), "-C", store, code=DONE)
    command("store", "rm", *(digest(content) for number, content in enumerate(contents) if number % 4), "-C", store, code=DONE)
    before = status(command, store)["pack_bytes"]
    command("store", "pack", "-C", store, code=DONE)
    after = status(command, store)
    assert after["pack_bytes"] < before / 3 and after["packs"] <= 2
    holds(command, store, contents[::4])


def test_one_version_of_a_name_is_removed(command, store, tmp_path):
    """As 'restic forget' and 'borg delete' take one away: the others stay, under their numbers; the newest goes with the name."""
    contents = [noise(30_000, 9) + noise(1000, number) for number in range(5)]
    for content in contents:
        (tmp_path / "file").write_bytes(content)
        command("store", "add", "--versions", "--name", "a@b", tmp_path / "file", "-C", store, code=DONE)
    command("store", "rm", "a@b@1", "a@b@3", "-C", store, code=DONE)
    command("store", "gc", "-C", store, code=DONE)
    listed = command("store", "ls", "a@b", "-C", store, code=DONE).out.decode().splitlines()
    assert listed == [f"{digest(contents[number - 1])}  a@b@{number}" for number in (2, 4, 5)]
    for number in (2, 4, 5):
        assert command("store", "cat", f"a@b@{number}", "-C", store, code=DONE).out == contents[number - 1]
    gone = command("store", "rm", "a@b@3", "-C", store)
    assert gone.code != DONE and b"'a@b' has no version 3; 'fusedb store ls a@b' lists them" in gone.err
    newest = command("store", "rm", "a@b@5", "-C", store)
    assert newest.code != DONE and b"version 5 is the newest of 'a@b'" in newest.err
    assert command("store", "cat", "a@b", "-C", store, code=DONE).out == contents[4]
    # A name that looks like a version is a name first.
    command("store", "add", "--name", "a@b@2", tmp_path / "file", "-C", store, code=DONE)
    command("store", "rm", "a@b@2", "-C", store, code=DONE)
    assert command("store", "cat", "a@b@2", "-C", store, code=DONE).out == contents[1]
    command("store", "verify", "-C", store, code=DONE)


def test_listing_and_removing(command, store, tmp_path):
    """UniCache does not list what it has, its transactions are none, and removing never frees."""
    contents = [noise(30_000, number) for number in range(5)]
    paths = files(tmp_path, contents)
    for number, path in enumerate(paths):
        command("store", "add", path, "--name", f"dir/n{number}", "-C", store, code=DONE)
    # A put of which one part fails changes nothing that is listed.
    assert command("store", "add", paths[0], tmp_path / "absent", "-C", store).code != DONE
    listed = command("store", "ls", "-C", store, code=DONE).out.decode().splitlines()
    assert listed == [f"{digest(content)}  dir/n{number}" for number, content in enumerate(contents)]
    full = status(command, store)["physical_bytes"]
    command("store", "rm", *(f"dir/n{number}" for number in range(1, 5)), "-C", store, code=DONE)
    command("store", "gc", "-C", store, code=DONE)
    assert status(command, store)["physical_bytes"] < full / 4
    command("store", "rm", "dir/n0", "-C", store, code=DONE)
    command("store", "gc", "-C", store, code=DONE)
    assert status(command, store)["packs"] == 0

"""What takes long of a store's promises: a file of 2 GB, 24 hourly versions of a look-up file, source trees of which each is a version.

    python store_endure.py FUSEDB FOLDER [TREE.tar ...]

Without trees, six are made. The last line says whether all was well.
"""

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

tool, folder, trees = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
words = [random.Random(number).randbytes(4).hex() for number in range(4_000)]


def run(*arguments):
    return subprocess.run([tool, *map(str, arguments)], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size(store):
    return json.loads(run("store", "status", "--json", "-C", store))["physical_bytes"]


def peak(*arguments):
    """The most memory that a run has of its own, beside mapped files."""
    process = subprocess.Popen([tool, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            text = Path(f"/proc/{process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            break
        most = max([most, *(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("RssAnon:"))])
        time.sleep(0.002)
    assert process.wait() == 0, arguments
    return most


def large():
    """chunkstore takes 6.2 GB for it; RSDOS 2.1 GB to read it."""
    store = folder / "large.s"
    run("store", "init", store)
    part = random.Random(1).randbytes(1 << 20)
    with open(folder / "large", "wb") as file:
        for number in range(2_000):
            file.write(number.to_bytes(8, "big") + part[number:] + part[:number])
    name = digest(folder / "large")
    adding = peak("store", "add", folder / "large", "-C", store, "-q")
    os.remove(folder / "large")
    getting = peak("store", "get", name, "-o", folder / "copy", "-C", store, "-q")
    assert digest(folder / "copy") == name
    print(f"  2 GB: {adding >> 20} MiB of memory to put, {getting >> 20} to get", flush=True)
    assert max(adding, getting) <= 64 << 20
    os.remove(folder / "copy")
    shutil.rmtree(store)


def hourly(count=24, rows=900_000):
    """Each hour 0.1 % of the objects change, and some keys come and go."""
    store = folder / "hourly.s"
    run("store", "init", store)
    chosen = random.Random(7)

    def line(key):
        value = {"id": chosen.randrange(10**6), "name": " ".join(chosen.choices(words, k=4)), "tags": chosen.choices(words, k=3), "seen": 1_700_000_000 + chosen.randrange(10**7)}
        return (json.dumps({"keys": [key], "value": value}, separators=(",", ":")) + "\n").encode()

    lines = {}
    for number in range(rows):
        key = f"user-{chosen.randrange(10**9):09d}@{chosen.choice(words)}.example"
        lines[key] = line(key)
    digests = []
    for hour in range(count):
        if hour:
            keys = list(lines)
            for key in chosen.sample(keys, rows // 1000):
                lines[key] = line(key)
            for key in chosen.sample(keys, rows // 10_000):
                del lines[key]
            for _ in range(rows // 10_000):
                key = f"user-{chosen.randrange(10**9):09d}@{chosen.choice(words)}.example"
                lines[key] = line(key)
        with open(folder / "in.ndjson", "wb") as file:
            file.writelines(lines.values())
        run("build", folder / "in.ndjson", "-o", folder / "v.fsdb", "-q")
        digests.append(digest(folder / "v.fsdb"))
        run("store", "add", "--versions", "--name", "hourly.fsdb", folder / "v.fsdb", "-C", store, "-q")
        if hour == 0:
            first = size(store)
        elif hour % 6 == 5:
            run("store", "gc", "-C", store, "-q")
    run("store", "gc", "-C", store, "-q")
    share = size(store) / first
    most = 0
    for number, expected in enumerate(digests, 1):
        most = max(most, peak("store", "get", f"hourly.fsdb@{number}", "-o", folder / "v.fsdb", "--overwrite", "-q", "-C", store))
        assert digest(folder / "v.fsdb") == expected, number
    run("store", "verify", "-C", store, "-q")
    print(f"  24 hourly versions: {share:.2f} times the first; {most >> 20} MiB of memory to read one", flush=True)
    assert share <= 2.1
    shutil.rmtree(store)


def made_trees():
    """Six versions of a source tree: a tenth of the lines of a twentieth of the files change, and every head says the new version."""
    chosen = random.Random(3)
    files = [[" ".join(chosen.choices(words, k=chosen.randrange(1, 12))) for _ in range(chosen.randrange(10, 400))] for _ in range(3_000)]
    for version in range(6):
        path = folder / f"tree{version}.tar"
        with tarfile.open(path, "w") as tar:
            for number, lines in enumerate(files):
                if version and chosen.random() < 0.05:
                    for place in range(0, len(lines), 10):
                        lines[place] = " ".join(chosen.choices(words, k=6))
                content = "\n".join(lines).encode()
                info = tarfile.TarInfo(f"project-1.{version}/src/{number % 90}/module{number}.py")
                (info.size, info.mtime) = (len(content), 1_700_000_000 + 86_400 * version)
                tar.addfile(info, io.BytesIO(content))
        yield path


def source_trees():
    store = folder / "trees.s"
    run("store", "init", store)
    paths = [Path(path) for path in trees] or list(made_trees())
    for path in paths:
        run("store", "add", "--versions", "--name", "tree", path, "-C", store, "-q")
    plain = size(store)
    run("store", "pack", "--deep", "-C", store, "-q")
    deep = size(store)
    for number, path in enumerate(paths, 1):
        run("store", "get", f"tree@{number}", "-o", folder / "tree", "--overwrite", "-C", store, "-q")
        assert digest(folder / "tree") == digest(path)
    run("store", "verify", "-C", store, "-q")
    whole = sum(path.stat().st_size for path in paths)
    print(f"  {len(paths)} trees, {whole / 1e6:.0f} MB: {plain / 1e6:.1f} MB, {deep / 1e6:.1f} MB after --deep", flush=True)
    assert deep <= 0.5 * plain


shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
try:
    large()
    hourly()
    source_trees()
    print("StoreEndure passed: a large file, hourly versions and source trees")
except (AssertionError, subprocess.CalledProcessError) as error:
    print(f"StoreEndure failed: {error} {getattr(error, 'stderr', b'')}")
    sys.exit(1)
finally:
    shutil.rmtree(folder, ignore_errors=True)

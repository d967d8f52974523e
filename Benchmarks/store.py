"""Measures 'fusedb store' beside chunkstore, rsdos, disk-objectstore, restic, borg and casync, on this machine and in one run, and prints tables.

  store.py FUSEDB GETS FOLDER [ROW...]

GETS is the program StoreGets of this package, FOLDER is for data: some 12 GB. ROWs are small, noise, get, workloads, gc, trees and versions; all by
default. Times are medians of rounds that take turns. Every store is new in each round. 'fusedb store' and cp end when the disk has the data; what the
others have written by then is their own affair.
"""

import contextlib
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROUNDS = 3
SMALL, SMALL_BYTES, NOISE = 100_000, 1000, 1_000_000_000
ROWS = ["small", "noise", "get", "workloads", "gc", "trees", "versions"]
#: Six releases in a row, whose source trees have 257 MB as tar.
TREES = ("numpy", ["1.23.0", "1.23.1", "1.23.2", "1.23.3", "1.23.4", "1.23.5"])


class Ran:
    """What a command took: seconds, its output, and the most memory of its own, without what it maps."""

    def __init__(self, words, cwd=None, env=None, check=True):
        start = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in words], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.memory, stop = 0, threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, stop))
        watcher.start()
        self.out = process.communicate()[0]
        self.seconds = time.monotonic() - start
        stop.set()
        watcher.join()
        if check and process.returncode:
            sys.exit(f"store.py: {' '.join(map(str, words))} failed:\n{self.out}")

    def _watch(self, pid, stop):
        while not stop.wait(0.005):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                status = Path(f"/proc/{pid}/status").read_text()
                self.memory = max(self.memory, int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) * 1024)


def clean(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(path)


def size(folder):
    """Bytes and files of a folder."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files), len(files)


def settled():
    """What was written before must not be waited for by what is measured next."""
    subprocess.run(["sync"], check=True)


class FuseDB:
    name = "`fusedb store`"

    def __init__(self, program, *options):
        self.program, self.options = program, options

    def make(self, store):
        clean(store)
        Ran([self.program, "store", "init", store, "-q", *self.options])

    def put(self, store, path, name="n", *options):
        return Ran([self.program, "store", "add", "-C", store, "--name", name, path, "-q", *options])

    def get(self, store, output):
        return Ran([self.program, "store", "get", "-C", store, "n", "-o", output, "-q"])


class Restic:
    name = "restic"
    env = os.environ | {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": "/nonexistent"}

    def make(self, store):
        clean(store)
        Ran(["restic", "-r", store, "--no-cache", "init"], env=self.env)

    def put(self, store, path, name="n"):
        return Ran(["restic", "-r", store, "--no-cache", "backup", "-q", "--force", path], env=self.env)

    def get(self, store, output):
        return Ran(["restic", "-r", store, "--no-cache", "restore", "-q", "latest", "--target", output], env=self.env)


class Borg:
    name = "borg"
    env = os.environ | {"BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}

    def make(self, store):
        clean(store)
        self.env["BORG_BASE_DIR"] = f"{store}.base"
        Ran(["borg", "init", "-e", "none", store], env=self.env)

    def put(self, store, path, name="n"):
        return Ran(["borg", "create", "--files-cache", "disabled", f"{store}::{name}", path], env=self.env)

    def get(self, store, output):
        os.makedirs(output)
        return Ran(["borg", "extract", f"{store}::n"], cwd=output, env=self.env)


class Casync:
    name = "casync"

    def make(self, store):
        clean(store)
        os.makedirs(store)

    def put(self, store, path, name="n"):
        kind = "caidx" if os.path.isdir(path) else "caibx"
        return Ran(["casync", "make", f"--store={store}/s.castr", f"{store}/{name}.{kind}", path])

    def get(self, store, output):
        return Ran(["casync", "extract", f"--store={store}/s.castr", f"{store}/n.caidx", output])


class DiskObjectStore:
    """Objects alone: it has no names, and so nothing to restore a folder by."""

    name = "disk-objectstore"
    get = None

    def make(self, store):
        from disk_objectstore import Container

        clean(store)
        self.container = Container(store)
        self.container.init_container()

    def put(self, store, path, name="n"):
        start = time.monotonic()
        contents = [file.read_bytes() for file in sorted(Path(path).rglob("*")) if file.is_file()]
        self.keys = self.container.add_objects_to_pack(contents, compress=True)
        self.container.close()
        ran = Ran.__new__(Ran)
        ran.seconds, ran.memory, ran.out = time.monotonic() - start, 0, ""
        return ran


class Rsdos(DiskObjectStore):
    name = "rsdos"

    def make(self, store):
        from rsdos import Container

        clean(store)
        os.makedirs(store)
        self.container = Container(str(store))
        self.container.init_container()

    def put(self, store, path, name="n"):
        start = time.monotonic()
        contents = [file.read_bytes() for file in sorted(Path(path).rglob("*")) if file.is_file()]
        self.keys = self.container.add_objects_to_pack(contents)
        ran = Ran.__new__(Ran)
        ran.seconds, ran.memory, ran.out = time.monotonic() - start, 0, ""
        return ran


def make_small(folder):
    """Files of words that many of them share."""
    if (folder / "ready").exists():
        return folder / "files"
    clean(folder)
    source = random.Random(1)
    words = ["".join(source.choices("etaoinshrdlucmfwypvbgk", k=source.randrange(3, 11))) for _ in range(20_000)]
    for number in range(SMALL):
        place = folder / "files" / f"{number // 1000:03}"
        if number % 1000 == 0:
            place.mkdir(parents=True)
        (place / f"{number:06}.txt").write_text(" ".join(source.choices(words, k=200))[:SMALL_BYTES])
    (folder / "ready").touch()
    return folder / "files"


def make_noise(path, count=NOISE):
    if not path.exists() or path.stat().st_size != count:
        source = random.Random(2)
        with path.open("wb") as file:
            for start in range(0, count, 1 << 20):
                file.write(source.randbytes(min(1 << 20, count - start)))
    return path


def median(values):
    return statistics.median(values) if values else None


def seconds(value):
    return "" if value is None else f"{value:.2f} s"


def megabytes(count):
    return "" if not count else f"{count / 1e6:.1f} MB"


def copied(files, output):
    """How long it takes to make the same files, and nothing else."""
    contents = [(path.relative_to(files), path.read_bytes()) for path in sorted(files.rglob("*.txt"))]
    settled()
    start = time.monotonic()
    for path, content in contents:
        if path.stem.endswith("000"):
            (output / path).parent.mkdir(parents=True)
        file = os.open(output / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(file, content)
        os.close(file)
    return time.monotonic() - start


def small(fusedb, gets, folder):
    files = make_small(folder / "small")
    subjects = [FuseDB(fusedb), Restic(), Borg(), Casync(), DiskObjectStore(), Rsdos()]
    results = {subject.name: ([], [], [], 0) for subject in subjects}
    # Nothing is removed before the last round: ext4 without a journal passes over what was removed shortly before, file by file, and that takes
    # ten times as long as to make them.
    outputs, loops = folder / "outputs", []
    for number in range(ROUNDS):
        loops.append(copied(files, outputs / f"loop{number}"))
        for place, subject in enumerate(subjects):
            store, output = folder / "store", outputs / f"{place}-{number}"
            subject.make(store)
            settled()
            put = subject.put(store, files)
            results[subject.name][0].append(put.seconds)
            results[subject.name][2].append(put.memory)
            results[subject.name] = (*results[subject.name][:3], size(store))
            if subject.get:
                settled()
                results[subject.name][1].append(subject.get(store, output).seconds)
            clean(store)
    clean(outputs)
    print(f"## {SMALL:,} files of {SMALL_BYTES:,} bytes\n")
    print(f"A loop that makes these files, and nothing else: {seconds(median(loops))}.\n")
    print("| | put | restore | size | files | memory of its own |\n|---|--:|--:|--:|--:|--:|")
    for subject in subjects:
        puts, restores, memory, (count, number) = results[subject.name]
        print(f"| {subject.name} | {seconds(median(puts))} | {seconds(median(restores))} | {megabytes(count)} | {number:,} | {megabytes(max(memory))} |")
    packed = subprocess.run(f"tar c -C {files} . | zstd -3 -c | wc -c", shell=True, capture_output=True, text=True, check=True).stdout
    print(f"| tar and zstd -3 | | | {megabytes(int(packed))} | 1 | |\n")


def noise(fusedb, gets, folder):
    path = make_noise(folder / "noise")
    subjects = [FuseDB(fusedb), Restic(), Borg()]
    results, copies = {subject.name: ([], [], []) for subject in subjects}, []
    path.read_bytes()
    for _ in range(ROUNDS):
        clean(folder / "copy")
        settled()
        copies.append(Ran(["sh", "-c", f"cp {path} {folder}/copy && sync {folder}/copy"]).seconds)
        clean(folder / "copy")
        for subject in subjects:
            store = folder / "store"
            subject.make(store)
            settled()
            for number, times in enumerate(results[subject.name][:2]):
                put = subject.put(store, path, f"n{number}")
                times.append(put.seconds)
                results[subject.name][2].append(put.memory)
            clean(store)
    copy = median(copies)
    print(f"## {NOISE:,} bytes of noise\n\n`cp` and `sync` of the file: {copy:.2f} s.\n")
    print("| | new | to cp | known | memory of its own |\n|---|--:|--:|--:|--:|")
    for name, (new, known, memory) in results.items():
        print(f"| {name} | {seconds(median(new))} | {median(new) / copy:.2f} | {seconds(median(known))} | {megabytes(max(memory))} |")
    print()


def get(fusedb, gets, folder):
    from disk_objectstore import Container

    files = make_small(folder / "small")
    print("## One small object by its digest, in any order\n\n| | each |\n|---|--:|")
    for word, options in (("stored as it is", ["--compress", "none"]), ("in a frame", [])):
        subject, store = FuseDB(fusedb, *options), folder / "store"
        subject.make(store)
        subject.put(store, files)
        for order in ("random", "sorted"):
            taken = int(Ran([gets, store, "n", 20_000, order]).out.split()[0])
            print(f"| `FuseStore`, {word}{', neighbours after each other' if order == 'sorted' else ''} | {taken / 1000:.2f} µs |")
        clean(store)
    peer, store = DiskObjectStore(), folder / "store"
    peer.make(store)
    peer.put(store, files)
    with Container(store) as container:
        source = random.Random(1)
        keys = source.choices(peer.keys, k=10_000)
        rounds = []
        for _ in range(4):
            start = time.monotonic()
            for key in keys:
                container.get_object_content(key)
            rounds.append((time.monotonic() - start) / len(keys) * 1e6)
    print(f"| disk-objectstore, packed | {median(rounds[1:]):.2f} µs |\n")
    clean(store)


def workloads(fusedb, gets, folder):
    """What chunkstore's own benchmark puts."""
    from chunkstore import ChunkStore

    source = random.Random(3)
    pool = [source.randbytes(1 << 16) for _ in range(20)]
    base = source.randbytes(20_000_000)
    blocks = [source.randbytes(1 << 16) for _ in range(100)]
    versions = []
    for _ in range(10):
        for place in source.sample(range(100), 10):
            blocks[place] = source.randbytes(1 << 16)
        versions.append(b"".join(blocks))
    plans = {
        "pool: 200 blocks of 64 KiB, 20 of them different": ([b"".join(source.choice(pool) for _ in range(200))], 1 << 16),
        "ten versions, a tenth of the blocks new in each": (versions, 1 << 16),
        "20 MB, and again with a byte before it": ([base, b"x" + base], None),
        "20 MB, and the same again": ([base, base], None),
        "20 MB that nothing else has": ([source.randbytes(20_000_000)], None),
    }
    print("## What chunkstore measures: the share that is saved\n\n| | put | `fusedb store` | last put, new | chunkstore |\n|---|--:|--:|--:|--:|")
    for name, (contents, fixed) in plans.items():
        subject, store = FuseDB(fusedb, *(["--fixed", fixed] if fixed else [])), folder / "store"
        subject.make(store)
        peer = ChunkStore.memory()
        whole = sum(map(len, contents))
        new = 0
        for number, content in enumerate(contents):
            (folder / "content").write_bytes(content)
            ran = Ran([fusedb, "store", "add", "-C", store, "--name", f"v{number}", folder / "content", "--json", "-q"])
            new = json.loads(ran.out.splitlines()[0])["new_bytes"]
            if fixed:
                peer.ingest_fixed(f"v{number}", content, fixed)
            else:
                peer.ingest_cdc(f"v{number}", content)
        print(f"| {name} | {megabytes(whole)} | {100 * (1 - size(store)[0] / whole):.1f} % | {100 * new / len(contents[-1]):.2f} % "
              f"| {peer.stats().savings_pct:.1f} % |")
        clean(store, folder / "content")
    print()


def gc(fusedb, gets, folder):
    path = make_noise(folder / "half", 512 << 20)
    store = folder / "store"
    subject = FuseDB(fusedb)
    subject.make(store)
    put = subject.put(store, path, "n", "--fixed", "512")
    rounds = [Ran([fusedb, "store", "gc", "-C", store, "-q"]) for _ in range(ROUNDS)]
    print("## A collection over 1,048,576 chunks\n\n| | time | memory of its own |\n|---|--:|--:|")
    print(f"| put them | {seconds(put.seconds)} | {megabytes(put.memory)} |")
    print(f"| `gc`, all of them needed | {seconds(median([ran.seconds for ran in rounds]))} | {megabytes(max(ran.memory for ran in rounds))} |")
    Ran([fusedb, "store", "rm", "n", "-C", store, "-q"])
    ran = Ran([fusedb, "store", "gc", "-C", store, "-q"])
    print(f"| `gc`, none of them needed | {seconds(ran.seconds)} | {megabytes(ran.memory)} |\n")
    clean(store)


def source_tree(project, number, folder):
    """A release's sources as tar, as they were published: what 'pip download' would fetch, without building anything."""
    path = folder / f"{project}-{number}.tar"
    if not path.exists():
        index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
        page = f"{index}/{project}/"
        with urllib.request.urlopen(page) as answer:
            links = re.findall(r'href="([^"]+)"', answer.read().decode())
        link, digest = next(link.split("#sha256=") for link in links if f"/{project}-{number}.tar.gz#" in link)
        with urllib.request.urlopen(urllib.parse.urljoin(page, link)) as answer:
            packed = answer.read()
        if hashlib.sha256(packed).hexdigest() != digest:
            sys.exit(f"store.py: {link} came with other contents than its digest says")
        path.write_bytes(gzip.decompress(packed))
    return path


def trees(fusedb, gets, folder):
    project, numbers = TREES
    tars = [source_tree(project, number, folder) for number in numbers]
    store = folder / "store"
    print(f"## Source trees of {project} {numbers[0]} to {numbers[-1]}, {len(tars)} files of tar, {megabytes(sum(path.stat().st_size for path in tars))}\n")
    print("| | stored | put | memory of its own |\n|---|--:|--:|--:|")
    for subject in (FuseDB(fusedb), Restic(), Borg(), Casync()):
        subject.make(store)
        # Versions of one name, where there are names.
        puts = [
            subject.put(store, path, "n", "--versions") if isinstance(subject, FuseDB) else subject.put(store, path, f"n{number}")
            for number, path in enumerate(tars)
        ]
        print(f"| {subject.name} | {megabytes(size(store)[0])} | {seconds(sum(put.seconds for put in puts))} | {megabytes(max(put.memory for put in puts))} |")
        if isinstance(subject, FuseDB):
            ran = Ran([fusedb, "store", "pack", "--deep", "-C", store, "-q"])
            print(f"| and `pack --deep` | {megabytes(size(store)[0])} | {seconds(ran.seconds)} | {megabytes(ran.memory)} |")
        clean(store)
    print()


def versions(fusedb, gets, folder):
    if "--versions" not in Ran([fusedb, "help", "store"], check=False).out:
        return
    source, store = random.Random(5), folder / "store"
    values = {f"user-{number:07}": source.randrange(1 << 30) for number in range(1_000_000)}
    subject = FuseDB(fusedb)
    subject.make(store)
    sizes = []
    for hour in range(24):
        lines = "".join(
            json.dumps({"keys": [key], "value": {"n": value, "text": f"what is known of {key} in {value % 977}", "list": [value % 7, value % 11]}}) + "\n"
            for key, value in values.items())
        subprocess.run([fusedb, "build", "-q", "--overwrite", "-o", folder / "v.fsdb", "-"], input=lines.encode(), check=True)
        subject.put(store, folder / "v.fsdb", "hourly", "--versions")
        sizes.append(size(store)[0])
        for key in source.sample(sorted(values), 1000):
            values[key] = source.randrange(1 << 30)
    print(f"## 24 hourly versions of a look-up file\n\nThe first takes {megabytes(sizes[0])}, all of them {sizes[-1] / sizes[0]:.2f} times that.\n")
    clean(store)


def main():
    fusedb, gets, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve() / "store"
    rows = sys.argv[4:] or ROWS
    if unknown := set(rows) - set(ROWS):
        sys.exit(f"store.py: there is no row '{unknown.pop()}'; there are {', '.join(ROWS)}")
    folder.mkdir(parents=True, exist_ok=True)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{os.cpu_count()} processors, {model.group(1) if model else 'of an unknown kind'}; load {os.getloadavg()[0]:.1f}; "
          f"medians of {ROUNDS} rounds that take turns.\n")
    for row in rows:
        globals()[row](fusedb, gets, folder)
        sys.stdout.flush()


if __name__ == "__main__":
    main()

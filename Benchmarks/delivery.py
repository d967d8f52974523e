"""What a host transfers after an hour, and after a day: fusedb fetch beside tools that know nothing of the format.

    python3 Benchmarks/delivery.py FUSEDB FOLDER        # what is made stays in FOLDER; about twenty minutes the first time

1,000,000 keys, 150 MB. Each hour 0.1 % of the objects change, and 100 keys come and go. Prints a table.
"""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path

HOURS, COUNT = 24, 1_000_000
fusedb, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
os.chdir(folder)


def run(*words, **options):
    """Runs a program; returns its output, its processor time and its peak memory besides what it maps, as far as that is known."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def versions():
    """The database of each hour, as lines."""
    chance = random.Random(20260101)

    def value(number):
        return {"id": number, "city": chance.choice(["Hamburg", "Lisboa", "Osaka", "Quito", "Nairobi", "Perth"]), "score": chance.randrange(100_000) / 100,
                "name": f"{chance.getrandbits(64):016x}", "visits": chance.randrange(1 << 20), "active": chance.random() < 0.5}

    rows = {f"user-{number:07}": value(number) for number in range(COUNT)}
    for hour in range(HOURS + 1):
        if hour > 0:
            for key in chance.sample(sorted(rows), COUNT // 1000):
                rows[key] = {**rows[key], "visits": chance.randrange(1 << 20), "score": chance.randrange(100_000) / 100}
            for key in chance.sample(sorted(rows), 100):
                del rows[key]
            for number in range(100):
                rows[f"new-{hour:02}-{number:03}"] = value(COUNT + hour * 100 + number)
        yield hour, rows


def make():
    if Path("made").exists():
        return
    shutil.rmtree("remote", ignore_errors=True)
    for hour, rows in versions():
        lines = "".join(f'{{"keys":["{key}"],"value":{json.dumps(value, separators=(",", ":"))}}}\n' for key, value in rows.items())
        run(fusedb, "build", "-q", f"{hour}.fsdb", input=lines.encode())
        _, time = run(fusedb, "publish", "remote", "users", f"{hour}.fsdb", "-q")
        print(f"hour {hour}: published in {time:.1f} s of processor time", file=sys.stderr)
        if 1 < hour < HOURS - 1:
            Path(f"{hour}.fsdb").unlink()
    Path("made").touch()


def fetched(old):
    """What a fetch costs a client that has an old file."""
    shutil.copy(old, "client.fsdb")
    Path("client.fsdb.origin").unlink(missing_ok=True)
    if old == f"{HOURS}.fsdb":
        run(fusedb, "fetch", "remote", "users", "client.fsdb", "-q")
    out, time = run(fusedb, "fetch", "remote", "users", "client.fsdb", "--json")
    report = json.loads(out)
    assert Path("client.fsdb").read_bytes() == Path(f"{HOURS}.fsdb").read_bytes()
    return report["bytes"], report["requests"], report["way"], time


def peers(old, new):
    """Bytes and processor time of those who know nothing of the format: making and applying together."""
    rows = []
    if shutil.which("xdelta3"):
        _, made = run("xdelta3", "-e", "-f", "-9", "-s", old, new, "x.delta")
        _, used = run("xdelta3", "-d", "-f", "-s", old, "x.delta", "x.out")
        rows.append(("xdelta3 -9", Path("x.delta").stat().st_size, made, used))
    _, made = run("zstd", "-q", "-f", "-19", "--long=28", f"--patch-from={old}", new, "-o", "z.delta")
    _, used = run("zstd", "-q", "-f", "-d", "--long=28", f"--patch-from={old}", "z.delta", "-o", "z.out")
    rows.append(("zstd -19 --patch-from", Path("z.delta").stat().st_size, made, used))
    _, made = run("zstd", "-q", "-f", "-3", new, "-o", "whole.zst")
    rows.append(("the whole file, zstd -3", Path("whole.zst").stat().st_size, made, None))
    if shutil.which("rsync"):
        shutil.copy(old, "rsync.out")
        out, used = run("rsync", "--no-whole-file", "--inplace", "-z", "--stats", new, "rsync.out")
        sizes = [int(line.split(": ")[1].split()[0].replace(",", "")) for line in out.decode().splitlines() if line.startswith("Total bytes")]
        rows.append(("rsync -z", sum(sizes), None, used))
    if shutil.which("casync"):
        shutil.rmtree("store", ignore_errors=True)
        run("casync", "make", "--store=store", "old.caibx", old)
        before = sum(path.stat().st_size for path in Path("store").rglob("*") if path.is_file())
        _, made = run("casync", "make", "--store=store", "new.caibx", new)
        after = sum(path.stat().st_size for path in Path("store").rglob("*") if path.is_file())
        rows.append(("casync", after - before + Path("new.caibx").stat().st_size, made, None))
    return rows


make()
new = f"{HOURS}.fsdb"
print(f"| {Path(new).stat().st_size:,} bytes, {COUNT:,} keys | bytes | made in, s | used in, s |\n|---|---:|---:|---:|")
for name, old in (("an hour", f"{HOURS - 1}.fsdb"), ("a day", "0.fsdb"), ("nothing", new)):
    size, requests, way, time = fetched(old)
    print(f"| `fusedb fetch`, after {name}: {way}, {requests} requests | {size:,} | | {time:.2f} |")
for name, size, made, used in peers(f"{HOURS - 1}.fsdb", new):
    print(f"| {name}, after an hour | {size:,} | {'' if made is None else f'{made:.1f}'} | {'' if used is None else f'{used:.2f}'} |")

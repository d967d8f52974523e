#!/usr/bin/env python3
"""Measures the package fusedb_swift beside fusedb 0.3.0 in one run, over the same file, and prints a table.

    build/wheel/3.11/venv/bin/python Benchmarks/python.py FOLDER [KEYS]

FOLDER gets the files. Rounds of the two take turns; each row is the best of its rounds, in processor time of the process, so
that what else runs counts less; opening is in time on the clock. 0.3.0 compares no checksum at a look-up, fusedb_swift all.
"""

import os
import platform
import random
import sys
import time
from pathlib import Path

import fusedb
import pyarrow

import fusedb_swift

ROUNDS = 12
#: Of 0.3.0's time, what each row may take.
ALLOWED = {
    "get, hit, 1,000 keys": 0.45, "get, hit, all keys": 0.55, "get, miss": 0.8, "get_many of 1,000, 1,000 keys": 0.3,
    "get_many of 1,000, all keys": 0.3, "open, verify=True": 0.03, "open, verify=\"reading\"": 0.002, "lookup_arrow, 3 fields": 0.25,
}  # fmt: skip


def record(number):
    return {"id": number, "org": f"Organisation {number % 5000}", "asn": number % 65536,
            "country": ["US", "DE", "FR", "JP"][number % 4], "score": number / 7}  # fmt: skip


def made(folder, count):
    path = folder / f"python-{count}.fsdb"
    if not path.exists():
        writer = fusedb_swift.FuseWriter()
        writer.add_many((f"host-{number:08}.example.com", record(number)) for number in range(count))
        writer.build(path)
    return str(path)


def best(times, name, clock, count, call):
    start = clock()
    call()
    times[name] = min(times.get(name, float("inf")), (clock() - start) / count)


def asked(call, keys):
    def loop():
        for key in keys:
            call(key)

    return loop


def rows_of(call, keys):
    def loop():
        return [(value["org"], value["asn"], value["country"]) if (value := call(key)) else None for key in keys]

    return loop


def measure(path, count):
    generator = random.Random(1)
    hot = [f"host-{generator.randrange(min(count, 1000)):08}.example.com" for _ in range(20_000)]
    spread = [f"host-{generator.randrange(count):08}.example.com" for _ in range(100_000)]
    absent = [key[:-3] + "org" for key in spread]
    array = pyarrow.array(spread)
    batches = {name: [keys[start : start + 1000] for start in range(0, len(keys), 1000)] for name, keys in (("hot", hot), ("spread", spread))}
    old, new = fusedb.FuseReader(path), fusedb_swift.FuseReader(path)
    rows = [
        ("get, hit, 1,000 keys", len(hot), asked(old.get, hot), asked(new.get, hot)),
        ("get, hit, all keys", len(spread), asked(old.get, spread), asked(new.get, spread)),
        ("get, miss", len(absent), asked(old.get, absent), asked(new.get, absent)),
        ("get_many of 1,000, 1,000 keys", len(hot), asked(old.get, hot), asked(new.get_many, batches["hot"])),
        ("get_many of 1,000, all keys", len(spread), asked(old.get, spread), asked(new.get_many, batches["spread"])),
        ("lookup_arrow, 3 fields", len(spread), rows_of(old.get, spread),
         lambda: new.lookup_arrow(array, ["org", "asn", "country"])),
    ]  # fmt: skip
    opens = [
        ("open, verify=True", lambda: fusedb.FuseReader(path), lambda: fusedb_swift.FuseReader(path)),
        ("open, verify=\"reading\"", lambda: fusedb.FuseReader(path), lambda: fusedb_swift.FuseReader(path, verify="reading")),
    ]
    before, after = {}, {}
    for _ in range(ROUNDS):
        for name, size, theirs, ours in rows:
            best(before, name, time.process_time_ns, size, theirs)
            best(after, name, time.process_time_ns, size, ours)
    for _ in range(ROUNDS // 2):
        for name, theirs, ours in opens:
            best(before, name, time.perf_counter_ns, 1, theirs)
            best(after, name, time.perf_counter_ns, 1, ours)
    return before, after


def main():
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    folder.mkdir(parents=True, exist_ok=True)
    path = made(folder, count)
    before, after = measure(path, count)
    print(f"{count:,} keys, {os.path.getsize(path):,} bytes; Python {platform.python_version()}; load {os.getloadavg()[0]:.1f}\n")
    print("| | fusedb 0.3.0, ns | fusedb_swift, ns | of it | allowed |\n|---|---:|---:|---:|---:|")
    for name in before:
        print(f"| {name} | {before[name]:,.0f} | {after[name]:,.0f} | {after[name] / before[name]:.4f} | {ALLOWED[name]} |")
    over = [name for name in before if after[name] > ALLOWED[name] * before[name]]
    if over:
        sys.exit(f"more than is allowed: {', '.join(over)}")


if __name__ == "__main__":
    main()

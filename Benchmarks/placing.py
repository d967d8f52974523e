#!/usr/bin/env python3
"""Simulates a fleet of which each machine holds a part of a set's shards: what each holds, and what moves when a machine leaves or comes.

    Benchmarks/placing.py                        # prints the tables of docs/FuseDB.docc/Sharding.md; no timing, the same each time
    Benchmarks/placing.py --shards 4096 --machines 48 --copies 2

A shard is on the machines that score highest for it (rendezvous hashing): XXH64 of the machine's name and the shard's number, which every client can
compute. So nobody keeps a table, and a machine that leaves moves only what it held.
"""
import argparse
import hashlib
import random


def score(machine, shard):
    # BLAKE2 stands for XXH64, which Python does not have; any good hash places as evenly.
    return hashlib.blake2b(f"{machine}/{shard}".encode(), digest_size=8).digest()


def place(machines, shards, copies):
    """The machines of each shard, the first of which is asked first."""
    return [sorted(machines, key=lambda machine: score(machine, shard), reverse=True)[:copies] for shard in range(shards)]


def held(placing, machines):
    counts = dict.fromkeys(machines, 0)
    for places in placing:
        for machine in places:
            counts[machine] += 1
    return counts


def moved(before, after):
    """How many copies of shards a machine has to fetch."""
    return sum(len(set(new) - set(old)) for old, new in zip(before, after))


def report(shards, machines, copies, sizes):
    names = [f"m{number:03}" for number in range(machines)]
    before = place(names, shards, copies)
    counts = sorted(held(before, names).values())
    bytes_held = dict.fromkeys(names, 0)
    for shard, places in enumerate(before):
        for machine in places:
            bytes_held[machine] += sizes[shard]
    total = sum(sizes)
    without = place(names[1:], shards, copies)
    more = place([*names, "m999"], shards, copies)
    lost = held(before, names)[names[0]]
    firsts = sum(1 for old, new in zip(before, without) if old[0] != new[0])
    row = [
        f"{shards:,}", machines, copies, f"{shards * copies / machines:.1f}", counts[0], counts[-1],
        f"{max(bytes_held.values()) / (total * copies / machines):.2f}", f"{lost} of {shards * copies}", moved(before, without), f"{firsts / shards:.3f}",
        moved(before, more),
    ]
    print("| " + " | ".join(str(cell) for cell in row) + " |")
    assert moved(before, without) == lost, "more moved than was lost"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--shards", type=int)
    arguments.add_argument("--machines", type=int)
    arguments.add_argument("--copies", type=int, default=2)
    chosen = arguments.parse_args()
    cases = [(chosen.shards or 4096, chosen.machines or 48, chosen.copies)]
    if chosen.shards is None and chosen.machines is None:
        cases = [(1024, 24, 2), (4096, 24, 2), (16384, 24, 2), (16384, 96, 2), (16384, 96, 3)]
    print("| shards | machines | copies | a machine, mean | fewest | most | most bytes to the mean | lost with one machine | moved then | shards asked elsewhere first | moved when one comes |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    random.seed(20260101)
    for shards, machines, copies in cases:
        # Keys of a shard are a draw of all keys: nearly the same for each.
        sizes = [random.gauss(1, 0.002) for _ in range(shards)]
        report(shards, machines, copies, sizes)


if __name__ == "__main__":
    main()

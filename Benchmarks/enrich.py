"""Adds two fields to lines of JSON: `fusedb enrich` beside a script over PyPI's maxminddb and one with jq, in one run.

  python enrich.py FUSEDB GEO FOLDER [LINES]

GEO is the demo's geo.fsdb; FOLDER keeps a MaxMind DB file of the same blocks and the lines. Prints the table of
Results/table-enrich.md: processor time of all processes of a subject, medians of several rounds, and ratios of them.
"""

import ipaddress
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5
FIELDS = ["--on", "ip", "--field", "country", "--as", "geo.country", "--matched-key", "geo.network"]

SCRIPT = """
import ipaddress, json, sys
import maxminddb
with maxminddb.open_database(sys.argv[1], maxminddb.MODE_MMAP_EXT) as reader, open(sys.argv[2]) as lines:
    write = sys.stdout.write
    for line in lines:
        event = json.loads(line)
        value, length = reader.get_with_prefix_len(event["ip"])
        if value is not None:
            network = ipaddress.ip_network((event["ip"], length), strict=False)
            event["geo"] = {"country": value["country"], "network": str(network)}
        write(json.dumps(event, separators=(",", ":"), ensure_ascii=False) + "\\n")
"""

JOIN = """
($answers / "\\n" | map(select(. != "") / "\\t" | {key: .[0], value: {country: .[2], network: .[1]}}) | from_entries) as $geo
| inputs | $geo[.ip] as $found | if $found then .geo = $found else . end
"""


def write_blocks(fusedb, geo, path):
    """The blocks of the database as a MaxMind DB file."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPNetwork, IPSet

    print("writing the MaxMind DB file, some minutes", file=sys.stderr)
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="benchmark")
    blocks = []
    with subprocess.Popen([fusedb, "dump", geo], stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            record = json.loads(line)
            blocks += [(IPNetwork(key), record["value"]) for key in record["keys"]]
    # A block before those in it.
    blocks.sort(key=lambda block: block[0].prefixlen)
    for block, value in blocks:
        writer.insert_network(IPSet([block]), value)
    writer.to_db_file(str(path) + ".new")
    os.rename(str(path) + ".new", path)


def write_lines(path, count):
    """Lines of 200 bytes, with their ends."""
    rng = random.Random(2026)
    with open(path, "w") as out:
        for _ in range(count):
            event = {
                "time": f"2026-11-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00.{rng.randint(0, 999):03}Z",
                "ip": str(ipaddress.IPv4Address(rng.randint(0x01000000, 0xDFFFFFFF))),
                "method": rng.choice(["GET", "POST"]),
                "path": rng.choice(["/", "/login", "/api/v1/items", "/static/app.js", "/search?q=shoes&page=2"]),
                "status": rng.choice([200, 200, 200, 304, 404, 500]),
                "bytes": rng.randint(100, 99_999),
                "ms": round(rng.random() * 100, 2),
                "agent": "",
            }
            room = 199 - len(json.dumps(event, separators=(",", ":")))
            event["agent"] = ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/145.0 " * 3)[:room]
            out.write(json.dumps(event, separators=(",", ":")) + "\n")


class Subjects:
    """Each writes the lines with their fields to a file, in one or several processes."""

    def __init__(self, fusedb, geo, folder, lines):
        self.fusedb, self.geo, self.folder, self.lines = fusedb, geo, folder, lines

    def run(self, words, name):
        """Runs a process, and returns how long its processors and the clock took."""
        with open(self.folder / name, "wb") as out:
            start = time.perf_counter()
            process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        # Where an address has no block, `get` says so by its exit status.
        assert process.returncode == 0 or "get" in words, words
        return usage.ru_utime + usage.ru_stime, time.perf_counter() - start

    def enrich(self, threads=1):
        return self.run([self.fusedb, "enrich", self.geo, self.lines, *FIELDS, "-q", "--threads", threads], "fusedb.out")

    def enrich_all(self):
        return self.enrich(os.cpu_count())

    def maxminddb(self):
        return self.run([sys.executable, "-c", SCRIPT, self.folder / "geo.mmdb", self.lines], "maxminddb.out")

    def jq(self):
        steps = [
            self.run(["jq", "-r", ".ip", self.lines], "keys"),
            self.run([self.fusedb, "get", self.geo, "--keys-from", self.folder / "keys", "--match", "network", "--with-key", "--field", "country"], "answers"),
            self.run(["jq", "-nc", "--rawfile", "answers", self.folder / "answers", JOIN, self.lines], "jq.out"),
        ]
        return tuple(sum(part) for part in zip(*steps))

    def jq_alone(self):
        return self.run(["jq", "-c", ".", self.lines], "floor")

    def check(self):
        """All subjects write the same values."""
        files = [open(self.folder / name) for name in ("fusedb.out", "maxminddb.out", "jq.out")]
        for row in zip(*files, strict=True):
            ours, *others = map(json.loads, row)
            assert all(other == ours for other in others), row


def main():
    fusedb, geo, folder = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 500_000
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    blocks, lines = folder / "geo.mmdb", folder / f"events-{count}.ndjson"
    if not blocks.exists() or blocks.stat().st_mtime < os.stat(geo).st_mtime:
        write_blocks(fusedb, geo, blocks)
    write_lines(lines, count)
    subjects = Subjects(fusedb, geo, folder, lines)
    rows = [
        ("`fusedb enrich`, one thread", subjects.enrich),
        ("`fusedb enrich`, all threads", subjects.enrich_all),
        ("a script over maxminddb", subjects.maxminddb),
        ("jq, `fusedb get`, jq", subjects.jq),
        ("`jq -c .`, which adds nothing", subjects.jq_alone),
    ]
    times = {name: [] for name, _ in rows}
    for number in range(ROUNDS):
        for name, run in rows:
            times[name].append(run())
        if number == 0:
            subjects.check()
            print("all subjects agree", file=sys.stderr)
    medians = {name: [statistics.median(part) for part in zip(*some)] for name, some in times.items()}
    ours = medians[rows[0][0]][0]
    import maxminddb

    jq = subprocess.run(["jq", "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{count:,} lines of 200 bytes, a country and a block for each; Python {platform.python_version()}, maxminddb {maxminddb.__version__}, {jq}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.\n")
    print("| subject | lines a second of processor time | processor time | lines a second |")
    print("|---|---:|---:|---:|")
    for name, _ in rows:
        processor, clock = medians[name]
        print(f"| {name} | {count / processor:,.0f} | {processor / ours:.2f} | {count / clock:,.0f} |")


if __name__ == "__main__":
    main()

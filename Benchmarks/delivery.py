"""What a host transfers after an hour, and after a day: fusedb fetch beside tools that know nothing of the format.

    python3 Benchmarks/delivery.py FUSEDB NGINX FOLDER        # what is made stays in FOLDER; some twenty minutes the first time

1,000,000 keys, 150 MB. Each hour 0.1 % of the objects change, and 100 keys come and go. Transfers go through NGINX, the program of that web
server. Debian's xdelta3, rsync, casync and zsync have to be there, too. Prints a table.
"""

import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

HOURS, COUNT = 24, 1_000_000
fusedb, nginx, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), Path(sys.argv[3])
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
                "name": f"{chance.getrandbits(192):048x}", "visits": chance.randrange(1 << 20), "active": chance.random() < 0.5}

    rows = {f"user-{number:07}": value(number) for number in range(COUNT)}
    for hour in range(HOURS + 1):
        if hour > 0:
            for key in chance.sample(sorted(rows), COUNT // 1000):
                rows[key] = {**rows[key], "visits": chance.randrange(1 << 20), "score": chance.randrange(100_000) / 100, "name": f"{chance.getrandbits(192):048x}"}
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


def serve():
    """Starts the web server over this folder; returns it, and its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = Path("nginx").resolve()
    place.mkdir(exist_ok=True)
    paths = "".join(f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(
        f"daemon off; master_process off; user root; pid {place}/pid; error_log {place}/errors; events {{}}\n"
        f"http {{ access_log {place}/access; {paths} server {{ listen 127.0.0.1:{port}; root {Path.cwd()}; }} }}\n")
    server = subprocess.Popen([nginx, "-p", place, "-c", place / "nginx.conf", "-e", place / "errors"], stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, f"http://127.0.0.1:{port}"
        time.sleep(0.05)
    sys.exit("the web server does not start")


def anonymous(process):
    """The most memory that a process has besides what it maps, in bytes, looked at often while it runs."""
    most = 0
    while process.poll() is None:
        try:
            text = Path(f"/proc/{process.pid}/status").read_text()
            most = max(most, *(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("RssAnon")))
        except (OSError, ValueError, TypeError):
            pass
        time.sleep(0.0005)
    return most


def fetched(url, old):
    """What a fetch costs a client that has an old file: the medians of three."""
    rows = []
    for _ in range(3):
        shutil.copy(old, "client.fsdb")
        Path("client.fsdb.origin").unlink(missing_ok=True)
        if old == f"{HOURS}.fsdb":
            run(fusedb, "fetch", f"{url}/remote", "users", "client.fsdb", "-q")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen([fusedb, "fetch", f"{url}/remote", "users", "client.fsdb", "--json"], stdout=subprocess.PIPE)
        memory = anonymous(process)
        report = json.loads(process.stdout.read())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process.returncode == 0 and Path("client.fsdb").read_bytes() == Path(f"{HOURS}.fsdb").read_bytes()
        time = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows.append((report["bytes"], report["requests"], report["way"], time, memory))
    return sorted(rows, key=lambda row: row[3])[1]


def peers(url, old, new):
    """Bytes and processor time of those who know nothing of the format: making and applying together."""
    rows = []
    _, made = run("xdelta3", "-e", "-f", "-9", "-s", old, new, "x.delta")
    _, used = run("xdelta3", "-d", "-f", "-s", old, "x.delta", "x.out")
    rows.append(("xdelta3 -9", Path("x.delta").stat().st_size, made, used))
    _, made = run("zstd", "-q", "-f", "-19", "--long=28", f"--patch-from={old}", new, "-o", "z.delta")
    _, used = run("zstd", "-q", "-f", "-d", "--long=28", f"--patch-from={old}", "z.delta", "-o", "z.out")
    rows.append(("zstd -19 --patch-from", Path("z.delta").stat().st_size, made, used))
    _, made = run("zstd", "-q", "-f", "-3", new, "-o", "whole.zst")
    rows.append(("the whole file, zstd -3", Path("whole.zst").stat().st_size, made, None))
    shutil.copy(old, "rsync.out")
    out, used = run("rsync", "--no-whole-file", "--inplace", "-z", "--stats", new, "rsync.out")
    sizes = [int(line.split(": ")[1].split()[0].replace(",", "")) for line in out.decode().splitlines() if line.startswith("Total bytes")]
    rows.append(("rsync -z", sum(sizes), None, used))
    shutil.rmtree("store", ignore_errors=True)
    run("casync", "make", "--store=store", "old.caibx", old)
    before = sum(path.stat().st_size for path in Path("store").rglob("*") if path.is_file())
    _, made = run("casync", "make", "--store=store", "new.caibx", new)
    after = sum(path.stat().st_size for path in Path("store").rglob("*") if path.is_file())
    rows.append(("casync", after - before + Path("new.caibx").stat().st_size, made, None))
    Path("zsync.out").unlink(missing_ok=True)
    Path("nginx/access").write_bytes(b"")
    _, made = run("zsyncmake", "-o", "new.zsync", "-u", f"{url}/{new}", new)
    _, used = run("zsync", "-q", "-i", old, "-o", "zsync.out", f"{url}/new.zsync")
    assert Path("zsync.out").read_bytes() == Path(new).read_bytes()
    # The size of each answer is the last but two of a line of the log: status, size, referer, agent.
    sizes = [int(line.split('" ')[1].split()[1]) for line in Path("nginx/access").read_text().splitlines()]
    rows.append(("zsync", sum(sizes), made, used))
    return rows


make()
server, url = serve()
try:
    new = f"{HOURS}.fsdb"
    print(f"| {Path(new).stat().st_size:,} bytes, {COUNT:,} keys | bytes | made in, s | used in, s | memory, MB |\n|---|---:|---:|---:|---:|")
    for name, old in (("an hour", f"{HOURS - 1}.fsdb"), ("a day", "0.fsdb"), ("nothing", new)):
        size, requests, way, time_used, memory = fetched(url, old)
        print(f"| `fusedb fetch`, after {name}: {way}, {requests} requests | {size:,} | | {time_used:.2f} | {memory / 1e6:.1f} |", flush=True)
    for name, size, made, used in peers(url, f"{HOURS - 1}.fsdb", new):
        print(f"| {name}, after an hour | {size:,} | {'' if made is None else f'{made:.1f}'} | {'' if used is None else f'{used:.2f}'} | |", flush=True)
finally:
    server.terminate()
    server.wait()

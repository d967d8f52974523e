"""Measures 'fusedb serve' beside nginx, Redis and Datasette, on this machine and in one run, and prints a table.

  serve.py FUSEDB SERVERS FOLDER DATASETTE [SECONDS]

SERVERS has nginx unpacked, FOLDER is for data, DATASETTE is the program. All servers answer the same key with the same text, on loopback and with
connections that stay open; each has all processors, which it shares with what asks it. Rates are medians of rounds that take turns. The last part asks
for SECONDS while the file is replaced ten times a second.
"""

import contextlib
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

KEYS, BATCH, CONNECTIONS, ROUNDS, ROUND_SECONDS = 200_000, 100, 32, 5, 3


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def value(number, version=0):
    return {"asn": 1000 + number % 70_000, "country": "ABCDEFGHIJ"[number % 10] * 2, "version": version}


def key(number):
    return f"user-{number:07}"


def row(number):
    return json.dumps({"key": key(number), "value": value(number)}, separators=(",", ":"))


def cpu(pids):
    """The seconds of processor time of processes and of their children."""
    ticks, seen = 0, list(pids)
    for pid in seen:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
            for task in os.listdir(f"/proc/{pid}/task"):
                seen += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return ticks / os.sysconf("SC_CLK_TCK")


def wait(port):
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    sys.exit(f"serve.py: nothing listens at port {port}")


LUA = """
%s
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout, latency:percentile(99.9), latency.max))
end
"""


def wrk(url, folder, seconds, body=None, accept=None, connections=CONNECTIONS):
    """Requests, seconds, failures, the 99.9th percentile and the longest time in microseconds."""
    setting = f'wrk.method = "POST"\nwrk.body = [==[{body}]==]\n' if body else ""
    if accept:
        setting += f'wrk.headers["Accept"] = "{accept}"\n'
    (folder / "wrk.lua").write_text(LUA % setting)
    text = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", folder / "wrk.lua", url], capture_output=True, text=True, check=True).stdout
    requests, microseconds, *rest = map(int, re.search(r"RESULT (.*)", text).group(1).split())
    return requests, microseconds / 1e6, *rest


def redis_benchmark(port, count, *words):
    start = time.monotonic()
    subprocess.run(
        ["redis-benchmark", "-p", str(port), "-c", str(CONNECTIONS), "-P", "1", "-n", str(count), *words], capture_output=True, check=True)
    return count, time.monotonic() - start


def resp(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def redis_server(folder):
    """The program, which is one with a tool of its own: the package redis-server would begin to serve."""
    program = folder / "redis-server"
    program.unlink(missing_ok=True)
    program.symlink_to("/usr/bin/redis-check-rdb")
    return program


def make(fusedb, folder):
    files = []
    for version in (0, 1):
        path = folder / f"users-{version}.fsdb"
        lines = "".join(json.dumps({"keys": [key(i)], "value": value(i, version)}) + "\n" for i in range(KEYS))
        subprocess.run([fusedb, "build", "-q", "-o", path, "-"], input=lines.encode(), check=True)
        files.append(path)
    served = folder / "users.fsdb"
    shutil.copy(files[0], served)
    (folder / "www").mkdir(exist_ok=True)
    (folder / "www" / "one.json").write_text(row(KEYS // 2) + "\n")
    base = folder / "users.db"
    base.unlink(missing_ok=True)
    with sqlite3.connect(base) as connection:
        connection.execute("create table users (key text primary key, value text) without rowid")
        connection.executemany("insert into users values (?, ?)", ((key(i), json.dumps(value(i))) for i in range(KEYS)))
    return served, files, base


NGINX = """
worker_processes auto; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1000; }}
http {{ access_log off; keepalive_requests 1000000000; sendfile on; tcp_nopush on; default_type application/json;
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t; uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""


def swap(served, files, folder, stop, counts):
    while not stop.wait(0.1):
        counts[0] += 1
        shutil.copy(files[counts[0] % 2], folder / "next")
        os.replace(folder / "next", served)


def measure(name, pids, ask, results):
    before = cpu(pids)
    count, seconds = ask()[:2]
    results.setdefault(name, []).append((count / seconds, (cpu(pids) - before) / count * 1e6))


def main():
    fusedb, servers, folder, datasette = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).resolve() / "serve", sys.argv[4]
    seconds = int(sys.argv[5]) if len(sys.argv) > 5 else 60
    folder.mkdir(parents=True, exist_ok=True)
    served, files, base = make(fusedb, folder)
    ours, static, redis, rows = (free_port() for _ in range(4))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=static))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = {
        "fusedb": subprocess.Popen([fusedb, "serve", served, "--listen", f"127.0.0.1:{ours}"], **quiet),
        "nginx": subprocess.Popen([servers / "usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"], **quiet),
        "redis": subprocess.Popen([redis_server(folder), "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], **quiet),
        "datasette": subprocess.Popen(
            [datasette, "serve", "-i", base, "--port", str(rows), "--setting", "suggest_facets", "off"], **quiet),
    }
    try:
        for port in (ours, static, redis, rows):
            wait(port)
        with socket.create_connection(("127.0.0.1", redis)) as connection:
            for start in range(0, KEYS, 1000):
                connection.sendall(b"".join(resp(b"SET", key(i).encode(), row(i).encode()) for i in range(start, start + 1000)))
                got = 0
                while got < 5000:
                    got += len(connection.recv(65536))
        source = random.Random(1)
        many = [key(source.randrange(KEYS)) for _ in range(BATCH)]
        one, body = key(KEYS // 2), json.dumps(many)
        url = f"http://127.0.0.1:{ours}/v1/users/get"
        plan = {
            "fusedb one": ("fusedb", lambda: wrk(f"{url}?key={one}", folder, ROUND_SECONDS)),
            "nginx one": ("nginx", lambda: wrk(f"http://127.0.0.1:{static}/one.json", folder, ROUND_SECONDS)),
            "redis one": ("redis", lambda: redis_benchmark(redis, 100_000, "get", one)),
            "datasette one": ("datasette", lambda: wrk(f"http://127.0.0.1:{rows}/users/users/{one}.json?_shape=object", folder, ROUND_SECONDS)),
            "fusedb many": ("fusedb", lambda: wrk(url, folder, ROUND_SECONDS, body)),
            "fusedb many, stored": ("fusedb", lambda: wrk(url, folder, ROUND_SECONDS, body, "application/msgpack")),
            "redis many": ("redis", lambda: redis_benchmark(redis, 50_000, "mget", *many)),
        }
        results = {}
        for _ in range(ROUNDS):
            for name, (process, ask) in plan.items():
                measure(name, [processes[process].pid], ask, results)
        middle = {name: [statistics.median(part) for part in zip(*rounds)] for name, rounds in results.items()}
        stop, counts = threading.Event(), [0]
        thread = threading.Thread(target=swap, args=(served, files, folder, stop, counts))
        thread.start()
        loads = {}
        memory = []
        # nginx meanwhile says what of it is the machine's.
        noise = wrk(f"http://127.0.0.1:{static}/one.json", folder, max(1, seconds // 4), connections=8)
        for name, ask in (("one key", f"{url}?key={one}"), (f"{BATCH} keys", url)):
            loads[name] = wrk(ask, folder, max(1, seconds // 2), body if ask == url else None, connections=8)
            status = Path(f"/proc/{processes['fusedb'].pid}/status").read_text()
            memory.append((int(re.search(r"VmRSS:\s+(\d+)", status).group(1)), len(os.listdir(f"/proc/{processes['fusedb'].pid}/fd"))))
        stop.set()
        thread.join()
        loads["nginx, which swaps nothing, before"] = noise
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()
    show(middle, loads, counts[0], memory, seconds)
    return 1 if any(load[2] for load in loads.values()) else 0


def show(middle, loads, swaps, memory, seconds):
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{os.cpu_count()} processors, {model.group(1) if model else 'of an unknown kind'}; load {os.getloadavg()[0]:.1f}. "
          f"{KEYS:,} keys, {CONNECTIONS} connections that stay open, on loopback; medians of {ROUNDS} rounds.\n")
    print("| | requests/s | beside it | processor time a request |\n|---|--:|--:|--:|")
    pairs = [("fusedb one", None), ("nginx one", "fusedb one"), ("redis one", "fusedb one"), ("datasette one", "fusedb one"),
             ("fusedb many", None), ("fusedb many, stored", None), ("redis many", "fusedb many")]
    words = {"fusedb one": "`fusedb serve`, one key", "nginx one": "nginx, a file of the same text", "redis one": "Redis `GET`", "datasette one": "Datasette, a row",
             "fusedb many": f"`fusedb serve`, {BATCH} keys, JSON", "fusedb many, stored": f"`fusedb serve`, {BATCH} keys, MessagePack",
             "redis many": f"Redis `MGET`, {BATCH} keys"}
    for name, ours in pairs:
        rate, cost = middle[name]
        ratio = f"fusedb serves {middle[ours][0] / rate:.2f} times as many" if ours else ""
        if name == "redis many":
            ratio += f", as stored {middle['fusedb many, stored'][0] / rate:.2f}"
        print(f"| {words[name]} | {rate:,.0f} | {ratio} | {cost:.1f} µs |")
    print(f"\nWhile the file is replaced {swaps / (seconds + seconds // 4):.1f} times a second, over {seconds} s, with 8 connections:\n")
    print("| | requests | failed | 99.9 % within | longest |\n|---|--:|--:|--:|--:|")
    for name, (requests, _, failed, high, longest) in loads.items():
        print(f"| {name} | {requests:,} | {failed} | {high / 1000:.1f} ms | {longest / 1000:.1f} ms |")
    print(f"\nMemory and descriptors of `fusedb serve` after each: {', '.join(f'{kilobytes / 1024:.0f} MiB, {count}' for kilobytes, count in memory)}.")


if __name__ == "__main__":
    sys.exit(main())

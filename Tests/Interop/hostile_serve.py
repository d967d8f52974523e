"""Sends requests that no client means to send to a server under AddressSanitizer, and asks it afterwards whether it is still right.

  FUSEDB=… hostile_serve.py COUNT [SEED]
"""

import concurrent.futures
import os
import random
import socket
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

SEEDS = [
    b"GET /v1/geo/get?key=a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /v1/geo/keys/a%2Fb%00c HTTP/1.1\r\nHost: 127.0.0.1:80\r\nAccept: application/msgpack\r\n\r\n",
    b"GET /v1/geo/get?key=8.8.8.8&match=network&field=a.b HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"0\"\r\n\r\n",
    b"POST /v1/geo/get HTTP/1.1\r\nHost: localhost\r\nContent-Length: 21\r\n\r\n[\"a\",{\"$bin\":\"00ff\"}]",
    b"POST /v1/geo/get?match=domain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\"a\"\n\"\r\n2\r\nb\"\r\n0\r\n\r\n",
    b"GET /v1/geo/prefix?prefix=a&limit=2&after=kYQ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /v1/geo/diff?from=geo HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /v1/geo/aliases?key64=YQ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"HEAD /metrics HTTP/1.1\r\nHost: [::1]\r\nAuthorization: Basic eDp5\r\n\r\n",
    b"GET http://localhost/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil\r\nSec-Fetch-Site: cross-site\r\n\r\n",
]
PIECES = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"%", b"%zz", b"%00", b"\xff", b"\xed\xa0\x80", b"Host: x\r\n", b"Content-Length: 3\r\n",
    b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", b"HTTP/9.9",
    b"A" * 9000, b"..", b"//", b"?", b"&", b"=", b"+", b"[", b"]", b"{", b"\"", b"\\u", b"\\ud800\\udc00", b"$bin", b"key64=", b"limit=99999999999",
    b" folded\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"ffffffffffffffff\r\n", b"0\r\n\r\n",
]


def spoil(random, data):
    """The bytes of a request, with some that were not meant: anywhere, in the target alone, in the body alone, or none."""
    head, _, body = data.partition(b"\r\n\r\n")
    kind = random.randrange(6)
    if kind == 0:
        return data
    if kind <= 2:
        method, target, rest = head.split(b" ", 2)
        return b" ".join((method, changed(random, target).replace(b" ", b""), rest)) + b"\r\n\r\n" + body
    if kind == 3 and body and b"chunked" not in head:
        body = changed(random, body)
        start, _, _ = head.partition(b"Content-Length")
        return start + b"Content-Length: %d\r\n\r\n" % len(body) + body
    return changed(random, data)


def changed(random, data):
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        place = random.randrange(len(data) + 1)
        kind = random.randrange(5)
        if kind == 0 and data:
            data[place - 1] = random.randrange(256)
        elif kind == 1:
            data[place:place] = random.choice(PIECES)
        elif kind == 2:
            del data[place : place + random.randrange(1, 12)]
        elif kind == 3:
            other = random.choice(SEEDS)
            data[place:] = other[random.randrange(len(other)) :]
        elif data:
            start = random.randrange(len(data))
            data[place:place] = data[start : start + random.randrange(40)]
    return bytes(data)


def attack(port, count, seed, threads=24):
    """Sends so many spoilt requests, from several threads: many wait for a timeout. The answers that came."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda number: attack_alone(port, -(-count // threads), seed + number), range(threads)))
    return {status: sum(part.get(status, 0) for part in parts) for status in set().union(*parts)}


def attack_alone(port, count, seed):
    source = random.Random(seed)
    answers = {}
    sent = 0
    while sent < count:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                # Several in a row, also where the first of them ended the connection; then the end of what is sent.
                batch = [spoil(source, source.choice(SEEDS)) for _ in range(source.choice((1, 1, 2, 5)))]
                sent += len(batch)
                try:
                    for data in batch:
                        connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                data = b""
                while True:
                    try:
                        more = connection.recv(65536)
                    except ConnectionError:
                        break
                    if not more:
                        break
                    data = data or more
                status = data[9:12]
                answers[status] = answers.get(status, 0) + 1
                assert not data or data.startswith(b"HTTP/1."), data[:100]
        except ConnectionRefusedError as error:
            raise AssertionError(f"the server is gone, after {sent} requests of seed {seed}") from error
    return answers


def main():
    from conftest import Fusedb
    from serving import build, serving

    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "geo.fsdb"
        command = Fusedb()
        build(command, path, {"a": 1, "b": [], "a/b": {"a": {"b": [1.5, None]}}, "8.8.8.0/24": "x"})
        with serving(os.environ.get("FUSEDB_SERVE", command.path), f"geo={path}", "--timeout", "1s") as server:
            answers = attack(server.port, count, seed)
            assert server.json("/v1/geo/get?key=a") == {"key": "a", "value": 1}
            assert server.process.poll() is None
        found = ", ".join(f"{status.decode() or 'none'} {number}" for status, number in sorted(answers.items()))
        print(f"HostileServe passed: {count} spoilt requests, seed {seed}; first answers of connections: {found}")


if __name__ == "__main__":
    main()

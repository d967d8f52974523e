"""What the tests of 'fusedb serve' share: a server that runs, requests byte by byte, and requests that mean harm."""

import contextlib
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from conftest import DONE


def build(command, path, values, *options):
    """A database of these keys and values, put in place of what is there."""
    lines = "".join(json.dumps({"keys": [key], "value": value}) + "\n" for key, value in values.items())
    command("build", "-q", path, *options, stdin=lines.encode(), code=DONE)
    return path


class Server:
    """'fusedb serve' at a free port."""

    def __init__(self, fusedb, *arguments, listen="127.0.0.1:0", environment=None):
        words = [str(fusedb), "serve", *map(str, arguments), "--json"]
        if listen:
            words += ["--listen", listen]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
        self.events, self._queue = [], queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        if listen:
            self.url = self.wait("listening")["url"]
            self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))

    def _read(self):
        for line in self.process.stdout:
            self._queue.put(json.loads(line))
        self._queue.put(None)

    def wait(self, kind, seconds=60):
        """The next event of a kind."""
        end = time.monotonic() + seconds
        while True:
            event = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            assert event is not None, f"the server ended: {self.process.stderr.read().decode()}"
            self.events.append(event)
            if event["event"] == kind:
                return event

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, target, method="GET", body=None, headers=None):
        """The status, headers and body of an answer."""
        connection = self.connection()
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def json(self, target, **more):
        status, _, body = self.ask(target, **more)
        assert status == 200, (status, body)
        return json.loads(body)

    def raw(self, data, seconds=10):
        """All that comes back for these bytes until the connection ends; what is sent may be refused meanwhile."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(data)
            return drain(connection)

    def resident(self):
        """How much memory it has, in bytes, and how many descriptors."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return kilobytes * 1024, len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self, number=signal.SIGTERM, code=0):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            assert self.process.wait(20) == code, self.process.stderr.read().decode(errors="replace")[-4000:]
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        return self.process.stderr.read().decode(errors="replace")


@contextlib.contextmanager
def serving(fusedb, *arguments, **more):
    server = Server(fusedb, *arguments, **more)
    try:
        yield server
    except BaseException:
        server.process.kill()
        server.process.wait()
        raise
    server.end()


def drain(connection):
    """What comes until the connection ends, or nothing comes for the time that it has."""
    data = b""
    while True:
        try:
            more = connection.recv(65536)
        except (ConnectionError, TimeoutError):
            return data
        if not more:
            return data
        data += more


def statuses(data):
    """The statuses of the answers in a row of bytes."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0].startswith(b"HTTP/1.1 "), head[:200]
        found.append(int(lines[0].split()[1]))
        length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        data = data[length:]
    return found

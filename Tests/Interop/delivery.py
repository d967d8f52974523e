"""What the tests of delivery share: a remote, nginx in front of it, and a server that lies."""

import contextlib
import hashlib
import http.server
import json
import random
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

from conftest import DONE, ROOT

NGINX = ROOT / "build" / "servers" / "usr" / "sbin" / "nginx"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Remote:
    """A remote in a folder, and the files that were published there."""

    def __init__(self, command, folder):
        self.command, self.folder, self.path = command, folder, folder / "remote"
        self.files = []

    def build(self, name, values):
        """A database of these keys and values."""
        lines = "".join(json.dumps({"keys": [key], "value": value}) + "\n" for key, value in values.items())
        self.command("build", "-q", self.folder / name, stdin=lines.encode(), code=DONE)
        return self.folder / name

    def publish(self, values, *options, name="geo", code=DONE):
        file = self.build(f"version-{len(self.files)}.fsdb", values)
        if code == DONE:
            self.files.append(file.read_bytes())
        return self.command("publish", self.path, name, file, *options, code=code)

    def ref(self, name="geo"):
        return (self.path / "refs" / name).read_bytes()

    def manifest(self, name="geo"):
        return self.path / "manifests" / re.search(rb"^manifest (\S+)", self.ref(name), re.M)[1].decode()


def hourly(count, hours, changed=20):
    """Databases of `count` keys, in each of which some values, and a few keys, differ from those of the one before."""
    chance = random.Random(7)
    values = {f"user-{number:06}": {"n": number, "t": chance.randrange(1 << 40), "v": 0} for number in range(count)}
    for hour in range(hours):
        if hour > 0:
            for key in chance.sample(sorted(values), changed):
                values[key] = {**values[key], "v": hour}
            for key in chance.sample(sorted(values), 2):
                del values[key]
            for number in range(2):
                values[f"new-{hour:03}-{number}"] = {"n": hour, "t": chance.randrange(1 << 40), "v": 0}
        yield dict(values)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def nginx(folder, root, extra="", certificate=None):
    """nginx, which hands out a folder; gives its address."""
    assert NGINX.is_file(), f"no nginx at {NGINX}; 'make test' unpacks it"
    port = free_port()
    folder.mkdir(exist_ok=True)
    secure = f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};" if certificate else ""
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; user root;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} {"ssl" if certificate else ""}; {secure} root {root}; {extra} }}
}}
""")
    server = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"], stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert server.poll() is None, server.stderr.read()
            time.sleep(0.05)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        server.stderr.close()


class Liar(http.server.ThreadingHTTPServer):
    """Hands out a folder, except where `lies` has a function for a path, which is given the handler and the bytes; those functions may do
    anything. `asked` has the requests."""

    daemon_threads = True

    def __init__(self, root):
        super().__init__(("127.0.0.1", 0), Handler)
        self.root, self.lies, self.asked = Path(root), {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def lie(self, pattern, function):
        self.lies[re.compile(pattern)] = function

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        file = self.server.root / self.path.lstrip("/")
        data = file.read_bytes() if file.is_file() else None
        for pattern, function in self.server.lies.items():
            if pattern.search(self.path):
                return function(self, data)
        self.answer(data)

    def answer(self, data, status=200, headers=(), length=None):
        """An honest answer, with what is asked of it."""
        if data is None:
            status, data = 404, b"no such file\n"
        begin = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
        if begin and status == 200:
            first = int(begin[1])
            status, headers = 206, [*headers, ("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")]
            data = data[first:]
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def liar(root):
    server = Liar(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)

"""Examples/store-http: files over HTTP."""

import hashlib
import importlib.util
import pathlib
import random
import threading

import pytest
from fastapi.testclient import TestClient

PATH = pathlib.Path(__file__).parents[2] / "Examples" / "store-http" / "app.py"
LARGE = random.Random(1).randbytes(5_000_000)


@pytest.fixture
def example(monkeypatch):
    spec = importlib.util.spec_from_file_location("store_http", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def client(example):
    with TestClient(example.make_app("files")) as client:
        yield client


def test_files_go_up_and_come_down(client, example, monkeypatch):
    assert client.get("/files/a/b.bin").status_code == 404
    first = client.put("/files/a/b.bin", content=LARGE)
    assert (first.status_code, first.json()) == (
        201, {"name": "a/b.bin", "id": hashlib.sha256(LARGE).hexdigest(), "size": len(LARGE), "new_bytes": len(LARGE)})
    # In pieces, without a length; and known.
    again = client.put("/files/copy", content=(LARGE[start : start + 70_000] for start in range(0, len(LARGE), 70_000)))
    assert (again.status_code, again.json()["new_bytes"], again.json()["id"]) == (201, 0, first.json()["id"])
    found = client.get("/files/a/b.bin")
    assert found.content == LARGE and found.headers["etag"] == f'"{first.json()["id"]}"' and found.headers["accept-ranges"] == "bytes"
    assert client.get("/files/a/b.bin", headers={"If-None-Match": found.headers["etag"]}).status_code == 304
    head = client.head("/files/a/b.bin")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(LARGE)))
    assert client.put("/files/a/b.bin", content=b"").status_code == 200 and client.get("/files/a/b.bin").content == b""
    assert [one["name"] for one in client.get("/files").json()] == ["a/b.bin", "copy"]
    assert client.put(f"/files/{'n' * 300}", content=b"x").status_code == 400
    monkeypatch.setenv("STORE", "files")
    with TestClient(example.app) as other:
        assert other.get("/files/copy").content == LARGE


@pytest.mark.parametrize("asked, start, end", [
    ("bytes=0-99", 0, 100), ("bytes=4999990-", 4_999_990, 5_000_000), ("bytes=-7", 4_999_993, 5_000_000),
    ("bytes=100-99999999", 100, 5_000_000), ("bytes=-99999999", 0, 5_000_000)])
def test_parts_come_down(client, asked, start, end):
    client.put("/files/f", content=LARGE)
    found = client.get("/files/f", headers={"Range": asked})
    assert (found.status_code, found.content) == (206, LARGE[start:end])
    assert found.headers["content-range"] == f"bytes {start}-{end - 1}/{len(LARGE)}" and found.headers["content-length"] == str(end - start)


def test_other_ranges(client):
    client.put("/files/f", content=b"0123456789")
    for asked in ("bytes=10-", "bytes=99-100", "bytes=-0", "bytes=5-3"):
        found = client.get("/files/f", headers={"Range": asked})
        assert (found.status_code, found.headers["content-range"]) == (416, "bytes */10"), asked
    for asked in ("bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b"):
        found = client.get("/files/f", headers={"Range": asked})
        assert (found.status_code, found.content) == (200, b"0123456789"), asked


def test_files_go_and_are_counted(client):
    client.put("/files/f", content=LARGE)
    assert client.get("/stats").json()["logical_bytes"] == len(LARGE)
    assert client.delete("/files/f").status_code == 204 and client.delete("/files/f").status_code == 404
    assert client.post("/gc").json()["removed_bytes"] > len(LARGE) and client.get("/stats").json()["physical_bytes"] == 0


def test_who_breaks_off_leaves_what_was(client, example):
    client.put("/files/f", content=b"before")

    def broken():
        yield LARGE[:100_000]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.put("/files/f", content=broken())
    assert client.get("/files/f").content == b"before"


def test_many_at_once(client):
    failures = []

    def work(number):
        data = random.Random(number).randbytes(300_000)
        try:
            assert client.put(f"/files/{number}", content=data).status_code == 201
            assert client.get(f"/files/{number}").content == data
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and len(client.get("/files").json()) == 8

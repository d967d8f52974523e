"""Publishing, fetching and following: over folders and a web server of Python's, also where the libraries for it are missing."""

import base64
import functools
import http.server
import logging
import os
import pathlib
import subprocess
import sys
import threading

import pytest

import fusedb_swift as f
from conftest import build

FIRST = {f"key-{number}": {"n": number, "text": "x" * 40} for number in range(1000)}
SECOND = {**FIRST, "key-7": {"n": 7, "text": "changed"}, "new": 1}
# RFC 8032, 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
KEY = base64.b64encode(b"Ed" + b"numbered" + PUBLIC).decode()


@pytest.fixture
def web():
    """A server of the folder 'remote', and what it was asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *ignored):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory="remote"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def publish(entries, **options):
    build(f, entries, "version.fsdb")
    return f.publish("remote", "geo", "version.fsdb", **options)


def test_a_file_goes_there_and_back_and_what_changed_goes_as_a_patch(web):
    first = publish(FIRST, metadata={"source": "a test"})
    assert (first["generation"], first["new"], first["num_keys"], first["patches"]) == (1, True, 1000, 0)
    assert len(first["manifest"]) == 64 and first["packed_bytes"] < first["file_bytes"] == os.path.getsize("version.fsdb")
    again = publish(FIRST)
    assert again == {**first, "new": False}
    url, asked = web
    shares = []
    report = f.fetch(url, "geo", "got.fsdb", progress=shares.append)
    assert report["way"] == "whole" and report["manifest"] == first["manifest"] and report["generation"] == 1
    assert report["bytes"] > report["planned_bytes"] == first["packed_bytes"] and report["requests"] == len(asked)
    assert shares and shares[-1] == 1 and pathlib.Path("got.fsdb").read_bytes() == pathlib.Path("version.fsdb").read_bytes()
    assert f.fetch(url, "geo", "got.fsdb")["way"] == "none"

    assert publish(SECOND)["patches"] == 1
    trial = f.fetch(url, "geo", "got.fsdb", trial=True)
    assert (trial["way"], trial["patches"], trial["generation"]) == ("patches", 1, 2)
    assert f.FuseReader("got.fsdb").get("new") is None
    report = f.fetch(url, "geo", "got.fsdb", kept_files=1, patches_only=True, rate=10_000_000)
    assert report["way"] == "patches" and report["planned_bytes"] == trial["planned_bytes"] < 2000 and not report["fell_back"]
    assert pathlib.Path("got.fsdb").read_bytes() == pathlib.Path("version.fsdb").read_bytes()
    assert f.FuseReader("got.fsdb.before-1").get("key-7") == FIRST["key-7"]


def test_rules_and_keys_refuse(web):
    publish(FIRST)
    url, _ = web
    for options in ({"least_keys": 1001}, {"required_keys": ["absent"]}, {"trusted": KEY}, {"trusted": [KEY]}):
        with pytest.raises(f.FuseRefusedError):
            f.fetch(url, "geo", "got.fsdb", **options)
        assert not os.path.exists("got.fsdb")
    pathlib.Path("secret.key").write_text("a key\n" + base64.b64encode(b"fusedb-secret-key-1numbered" + SEED).decode() + "\n")
    pathlib.Path("public.key").write_text("a key\n" + KEY + "\n")
    publish(SECOND, keys=["secret.key"], validity=3600.0, patches=[])
    for trusted in (KEY, "public.key", [pathlib.Path("public.key")]):
        pathlib.Path("got.fsdb").unlink(missing_ok=True)
        assert f.fetch(url, "geo", "got.fsdb", trusted=trusted)["way"] == "whole"
    with pytest.raises(f.FuseRefusedError, match="shrink|missing"):
        publish({"one": 1}, greatest_shrink=0.5)
    with pytest.raises(f.FuseRefusedError):
        publish({"one": 1}, least_keys=2)
    assert f.fetch(url, "geo", "got.fsdb")["generation"] == 2


def test_slips_are_errors_with_a_sentence():
    publish(FIRST)
    for call, kind, text in (
        (lambda: f.fetch("ftp://x", "geo", "a"), ValueError, "http"),
        (lambda: f.fetch("remote", "no name", "a"), ValueError, "name"),
        (lambda: f.fetch("remote", 5, "a"), TypeError, "name must be text"),
        (lambda: f.fetch("remote", "geo", ""), ValueError, "empty"),
        (lambda: f.fetch("remote", "geo", "a", deadline=0), ValueError, "deadline"),
        (lambda: f.fetch("remote", "geo", "a", stall_timeout=1e300), ValueError, "stall_timeout"),
        (lambda: f.fetch("remote", "geo", "a", trusted="no key"), FileNotFoundError, "no key"),
        (lambda: f.fetch("remote", "geo", "a", required_keys="key"), TypeError, "iterable"),
        (lambda: f.fetch("nowhere", "geo", "a"), FileNotFoundError, "nowhere"),
        (lambda: f.fetch("http://127.0.0.1:1", "geo", "a", retries=0), OSError, "127.0.0.1"),
        (lambda: f.publish("http://127.0.0.1:1", "geo", "version.fsdb"), ValueError, "folder"),
        (lambda: f.publish("remote", "geo", "absent.fsdb"), FileNotFoundError, "absent"),
        (lambda: f.publish("remote", "geo", "version.fsdb", validity=-5), ValueError, "validity"),
        (lambda: f.publish("remote", "geo", "version.fsdb", patches=["x"]), TypeError, ""),
        (lambda: f.publish("remote", "geo", "version.fsdb", keys="a.key"), TypeError, "iterable"),
        (lambda: f.publish("remote", "geo", "version.fsdb", metadata={"a": 1}), TypeError, "metadata"),
        (lambda: f.Subscription("remote", "geo", "s.fsdb", interval=-1), ValueError, "interval"),
        (lambda: f.Subscription("remote", "other", "s.fsdb"), FileNotFoundError, "other"),
        (lambda: f.Subscription("remote", "geo", "s.fsdb", nonsense=1), TypeError, "nonsense"),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert text in str(caught.value)
    assert sorted(name for name in os.listdir() if name.endswith((".fsdb", ".part"))) == ["version.fsdb"]


def test_an_exception_in_a_progress_ends_a_fetch():
    publish(FIRST)
    with pytest.raises(ZeroDivisionError):
        f.fetch("remote", "geo", "got.fsdb", progress=lambda share: 1 / 0)
    assert not os.path.exists("got.fsdb")
    assert f.fetch("remote", "geo", "got.fsdb")["way"] == "whole"


def test_a_subscription_serves_the_newest_version_from_any_thread(web, caplog):
    publish(FIRST)
    url, _ = web
    taken = threading.Event()
    reports = []

    def on_update(report):
        reports.append(report)
        taken.set()
        raise LookupError("told to the log")

    with caplog.at_level(logging.INFO, "fusedb_swift"):
        with f.Subscription(url, "geo", "served.fsdb", interval=0.01, longest_interval=0.02, on_update=on_update) as geo:
            assert geo.get("key-7") == FIRST["key-7"] and geo["key-8"]["n"] == 8 and len(geo) == 1000 and "new" not in geo
            before = geo.snapshot()
            publish(SECOND)
            assert taken.wait(60)
            assert geo.get("key-7") == SECOND["key-7"] and geo.get("new") == 1 and before.get("new") is None
            assert reports[0]["way"] == "patches" and reports[0]["generation"] == 2
            status = geo.status()
            assert status["generation"] == 2 and status["updates"] == 2 and status["failures"] == 0 and status["succeeded_at"] > 1.7e9
            assert geo.update()["way"] == "none"
            os.rename("remote", "away")
            while geo.status()["failures"] == 0:
                pass
            assert isinstance(geo.status()["last_failure"], OSError) and geo.get("new") == 1
            os.rename("away", "remote")
        geo.stop()
        geo.stop()
    assert geo.get("new") == 1
    text = caplog.text
    assert "took generation 2" in text and "on_update failed" in text and "LookupError" in text and "an attempt to fetch failed" in text
    with pytest.raises(TypeError, match="pickled"):
        geo.__reduce__()


def test_a_version_that_is_there_at_once_is_told_too():
    publish(FIRST)
    f.fetch("remote", "geo", "served.fsdb")
    publish(SECOND)
    for _ in range(50):
        taken = threading.Event()
        geo = f.Subscription("remote", "geo", "served.fsdb", on_update=lambda report: taken.set())
        assert taken.wait(60) and geo.get("new") == 1
        geo.stop()
        os.remove("served.fsdb.origin")
        build(f, FIRST, "served.fsdb")


PROGRAM = """
import fusedb_swift as f
geo = f.Subscription("remote", "geo", "served.fsdb", interval=0.001, on_update=lambda report: None)
geo.update()
assert "libcrypto" in open("/proc/self/maps").read()
"""


def test_nothing_of_delivery_is_loaded_before_it_is_used_and_a_program_ends_while_it_follows():
    publish(FIRST)
    text = "import fusedb_swift as f; print([n for n in ('curl', 'crypto') if 'lib' + n in open('/proc/self/maps').read()])"
    assert subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout == "[]\n"
    for _ in range(10):
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_child_after_fork_answers_and_the_parent_follows_on():
    publish(FIRST)
    taken = threading.Event()
    geo = f.Subscription("remote", "geo", "served.fsdb", interval=0.01, on_update=lambda report: taken.set())
    child = os.fork()
    if child == 0:
        is_right = geo.get("key-7") == FIRST["key-7"]
        geo.stop()
        os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    publish(SECOND)
    assert taken.wait(60)
    geo.stop()

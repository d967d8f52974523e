"""Publishing to a folder, and fetching from it, from nginx, and from a server that lies. See spec/delivery.md."""

import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from conftest import BAD_DATA, DONE, IO_FAILURE, NO, NO_INPUT, ROOT, UNAVAILABLE, USAGE
from delivery import Remote, hourly, liar, nginx, sha256


@pytest.fixture
def remote(command, tmp_path):
    return Remote(command, tmp_path)


@pytest.fixture
def three(remote):
    """Three versions, signed, and the key."""
    remote.key = remote.folder / "k.key"
    remote.trust = remote.command("keygen", remote.key, "-q", code=DONE).text.strip()
    for values in hourly(3000, 3):
        remote.publish(values, "--sign", remote.key)
    return remote


def left(path):
    """The names beside a fetched file."""
    return sorted(other.name for other in path.parent.iterdir() if other.name.startswith(path.name + "."))


# --- publishing ---


def test_a_remote_is_files_that_are_named_by_their_digests(three):
    folder = three.path
    for blob in (folder / "blobs").iterdir():
        assert sha256(blob.read_bytes()) == blob.name
    for manifest in (folder / "manifests").iterdir():
        assert sha256(manifest.read_bytes()) == manifest.name
    lines = dict(line.split(" ", 1) for line in three.manifest().read_text().splitlines() if not line.startswith("patch"))
    assert lines["file"] == f"{sha256(three.files[2])} {len(three.files[2])}"
    assert (lines["generation"], lines["keys"], lines["name"]) == ("3", "3000", "geo")
    patches = re.findall(r"^patch (\d+) (\S+) (\S+) (\S+) (\d+)$", three.manifest().read_text(), re.M)
    assert [(generation, file) for generation, _, file, _, _ in patches] == [("2", sha256(three.files[1])), ("1", sha256(three.files[0]))]
    for _, _, _, blob, size in patches:
        assert (folder / "blobs" / blob).stat().st_size == int(size)
    assert list((folder / "tmp").iterdir()) == []
    whole = lines["whole"].split()
    unpacked = subprocess.run(["zstd", "-dc", folder / "blobs" / whole[1]], capture_output=True, check=True).stdout
    assert unpacked == three.files[2]


def test_patches_are_made_from_versions_that_are_so_many_back(remote):
    for values in hourly(1000, 9):
        remote.publish(values)
    report = remote.publish(list(hourly(1000, 10))[-1], "--json").json
    assert [patch["generation"] for patch in report["patches"]] == [9, 8, 6, 2]
    assert report["generation"] == 10 and report["new"]
    again = remote.command("publish", remote.path, "geo", remote.folder / "version-9.fsdb", "--json", code=DONE).json
    assert (again["new"], again["generation"]) == (False, 10)
    report = remote.publish({"only": 1, **list(hourly(1000, 11))[-1]}, "--json", "--patches", "3").json
    assert [patch["generation"] for patch in report["patches"]] == [8]


def test_a_damaged_or_a_poor_file_is_not_published(three):
    ref = three.ref()
    file = three.folder / "bad.fsdb"
    data = bytearray(three.files[0])
    data[60] ^= 1
    file.write_bytes(data)
    assert "checksum" in three.command("publish", three.path, "geo", file, code=BAD_DATA).errors
    three.publish({"a": 1}, "--least-keys", "2", code=BAD_DATA)
    three.publish({"a": 1}, "--greatest-shrink", "20", code=BAD_DATA)
    assert "is empty" in three.command("publish", three.path, "geo", "", code=USAGE).errors
    assert "is no name" in three.command("publish", three.path, "../geo", file, code=BAD_DATA).errors
    assert "folder" in three.command("publish", "http://127.0.0.1:1/x", "geo", file, code=BAD_DATA).errors
    assert three.ref() == ref
    assert sorted(path.name for path in (three.path / "refs").iterdir()) == ["geo"]


def test_of_two_publishers_one_wins_and_the_other_is_told(remote):
    versions = list(hourly(30000, 3, changed=200))
    remote.publish(versions[0])
    files = [remote.build(f"{number}.fsdb", values) for number, values in enumerate(versions[1:])]
    running = [remote.command.start("publish", remote.path, "geo", file) for file in files]
    ended = [(process.communicate(), process.returncode) for process in running]
    codes = sorted(code for _, code in ended)
    assert codes in ([DONE, DONE], [DONE, IO_FAILURE]), ended
    generations = [int(line.split()[0]) for line in remote.command("versions", remote.path, "geo", code=DONE).text.splitlines()]
    if codes == [DONE, IO_FAILURE]:
        assert any(b"somebody else" in err for (_, err), code in ended if code == IO_FAILURE)
        assert generations == [2, 1]
    else:
        assert generations == [3, 2, 1]
    fetched = remote.folder / "got.fsdb"
    remote.command("fetch", remote.path, "geo", fetched, code=DONE)
    assert fetched.read_bytes() in [file.read_bytes() for file in files]


def test_going_back_pins_an_older_version_and_numbers_go_on(three):
    got = three.folder / "got.fsdb"
    three.command("fetch", three.path, "geo", got, code=DONE)
    assert "generation 1" in three.command("announce", three.path, "geo", "1", "--sign", three.key, code=DONE).errors
    assert b"\nback\n" in three.ref()
    assert "by 1 patch" in three.command("fetch", three.path, "geo", got, "--trust", three.trust, code=DONE).errors
    assert got.read_bytes() == three.files[0]
    assert three.publish(list(hourly(3000, 4))[-1], "--sign", three.key, "--json").json["generation"] == 4
    assert b"\nback\n" not in three.ref()
    three.command("fetch", three.path, "geo", got, "--trust", three.trust, code=DONE)
    assert got.read_bytes() == three.files[3]
    three.command("announce", three.path, "geo", "7", code=NO_INPUT)
    rows = [line.split() for line in three.command("versions", three.path, "geo", code=DONE).text.splitlines()]
    assert [(row[0], row[-1]) for row in rows][0] == ("4", "geo") and [row[0] for row in rows] == ["4", "3", "2", "1"]


def test_a_channel_is_tried_and_promoted(remote):
    first, second = list(hourly(500, 2))
    remote.publish(first)
    remote.publish(second, "--channel", "canary")
    stable, canary = remote.folder / "stable.fsdb", remote.folder / "canary.fsdb"
    remote.command("fetch", remote.path, "geo", stable, code=DONE)
    remote.command("fetch", remote.path, "geo", canary, "--channel", "canary", code=DONE)
    assert (stable.read_bytes(), canary.read_bytes()) == tuple(remote.files)
    remote.command("announce", remote.path, "geo", "2", code=DONE)
    assert "1 patch" in remote.command("fetch", remote.path, "geo", stable, code=DONE).errors
    assert stable.read_bytes() == remote.files[1]


def test_expiring_condemns_first_and_removes_later(three):
    def files():
        return {path.relative_to(three.path).as_posix() for part in ("blobs", "manifests") for path in (three.path / part).iterdir()}

    other = three.build("other.fsdb", {"a": 1})
    three.command("publish", three.path, "other", other, code=DONE)
    before = files()
    report = three.command("expire", three.path, "geo", "--keep", "1", "--json", "--grace", "1s", code=DONE).json
    assert files() == before and report["removed"] == 0 and report["condemned"] == 5
    # What is published meanwhile and is needed again, is not condemned any more.
    time.sleep(2.1)
    three.command("publish", three.path, "geo", three.folder / "version-0.fsdb", "--patches", "1", code=DONE)
    report = three.command("expire", three.path, "geo", "--keep", "1", "--json", "--grace", "1s", code=DONE).json
    assert report["removed"] > 0
    got = three.folder / "got.fsdb"
    three.command("fetch", three.path, "geo", got, code=DONE)
    assert got.read_bytes() == three.files[0]
    three.command("fetch", three.path, "other", got, "--channel", "none", code=NO_INPUT)
    three.command("fetch", three.path, "other", three.folder / "o.fsdb", code=DONE)
    assert "--keep" in three.command("expire", three.path, "geo", code=USAGE).errors


# --- fetching ---


def test_fetching_costs_what_changed(three, tmp_path):
    got = tmp_path / "got.fsdb"
    with nginx(tmp_path / "nginx", three.path) as url:
        whole = three.command("fetch", url, "geo", got, "--json", "--trust", three.trust, code=DONE).json
        assert (whole["way"], whole["generation"], whole["requests"]) == ("whole", 3, 3)
        assert got.read_bytes() == three.files[2]
        same = three.command("fetch", url, "geo", got, "--json", code=DONE).json
        assert (same["way"], same["requests"], same["bytes"] < 1000) == ("none", 1, True)
        assert " 304 " in (tmp_path / "nginx" / "access.log").read_text()
        for old, generation in ((0, 1), (1, 2)):
            older = tmp_path / f"old-{old}.fsdb"
            older.write_bytes(three.files[old])
            trial = three.command("fetch", url, "geo", older, "--dry-run", "--json", code=DONE).json
            assert older.read_bytes() == three.files[old] and left(older) == [older.name + ".lock"]
            report = three.command("fetch", url, "geo", older, "--json", code=DONE).json
            assert older.read_bytes() == three.files[2]
            assert (report["way"], report["patches"], report["requests"]) == ("patches", 1, 3)
            assert trial["planned_bytes"] == report["planned_bytes"] < 2000 < report["file_bytes"] / 20
            assert left(older) == [older.name + ".lock", older.name + ".origin"]


def test_a_chain_of_patches_leads_from_any_version(remote):
    for values in hourly(1000, 14):
        remote.publish(values, "--patches", "1,4")
    for number, file in enumerate(remote.files):
        got = remote.folder / f"got-{number}.fsdb"
        got.write_bytes(file)
        report = remote.command("fetch", remote.path, "geo", got, "--json", code=DONE).json
        assert got.read_bytes() == remote.files[-1]
        away = 13 - number
        # By the largest steps that the versions have; those of what is not known here are found, too.
        assert (report["way"], report["patches"]) == (("none", 0) if away == 0 else ("patches", away // 4 + away % 4)), number


def test_what_is_no_version_of_the_remote_is_fetched_as_a_whole(three):
    got = three.folder / "got.fsdb"
    got.write_bytes(three.build("mine.fsdb", {"mine": 1}).read_bytes())
    report = three.command("fetch", three.path, "geo", got, "--json", code=DONE).json
    assert report["way"] == "whole" and got.read_bytes() == three.files[2]
    # Neither is a damaged one; but what is no database stays.
    got.write_bytes(three.files[2][:-1])
    three.command("fetch", three.path, "geo", got, code=DONE)
    assert got.read_bytes() == three.files[2]
    got.write_bytes(b"a letter\n")
    three.command("fetch", three.path, "geo", got, code=BAD_DATA)
    assert got.read_bytes() == b"a letter\n"


def test_rules_keep_a_file_from_taking_the_place(three):
    got = three.folder / "got.fsdb"
    three.command("fetch", three.path, "geo", got, code=DONE)
    three.publish({"user-000001": 1}, "--sign", three.key)
    for options in (["--least-keys", "10"], ["--greatest-shrink", "50"], ["--require", "user-000002"]):
        three.command("fetch", three.path, "geo", got, *options, code=BAD_DATA)
        assert got.read_bytes() == three.files[2]
    three.command("fetch", three.path, "geo", got, "--require", "user-000001", "--keep", "2", code=DONE)
    assert got.read_bytes() == three.files[3]
    assert (got.parent / "got.fsdb.before-3").read_bytes() == three.files[2]


def test_a_transfer_that_broke_off_goes_on_where_it_ended(three, tmp_path):
    got = tmp_path / "got.fsdb"
    whole = re.search(r"^whole zstd (\S+) (\d+)$", three.manifest().read_text(), re.M)
    half = int(whole[2]) // 2
    with liar(three.path) as server:
        def break_off(handler, data):
            if handler.headers.get("Range") is None:
                handler.answer(data[:half], length=len(data))
                handler.close_connection = True
            else:
                handler.answer(data)

        server.lie(f"blobs/{whole[1]}", break_off)
        three.command("fetch", server.url, "geo", got, "--retries", "0", code=UNAVAILABLE)
        assert not got.exists() and left(got) == ["got.fsdb.lock", f"got.fsdb.part-{whole[1][:16]}"]
        three.command("fetch", server.url, "geo", got, "--retries", "0", code=DONE)
        assert [ranges for path, ranges, _ in server.asked if whole[1] in path] == [None, f"bytes={half}-"]
        assert got.read_bytes() == three.files[2] and left(got) == ["got.fsdb.lock", "got.fsdb.origin"]
        # In one call, too.
        got.unlink()
        three.command("fetch", server.url, "geo", got, "--retries", "1", code=DONE)
        assert got.read_bytes() == three.files[2]


def test_two_do_not_fetch_to_one_file(three, tmp_path):
    with liar(three.path) as server:
        server.lie("refs/geo", lambda handler, data: (time.sleep(2), handler.answer(data)))
        first = three.command.start("fetch", server.url, "geo", tmp_path / "got.fsdb")
        time.sleep(0.8)
        assert "another process" in three.command("fetch", server.url, "geo", tmp_path / "got.fsdb", code=IO_FAILURE).errors
        assert first.communicate() and first.returncode == DONE


# --- what a hostile mirror can do: spec/delivery.md §11 ---


@pytest.fixture
def client(three, tmp_path):
    """A client that has version 2 and trusts the key, and a server that lies."""
    got = tmp_path / "got.fsdb"
    got.write_bytes(three.files[1])
    with liar(three.path) as server:
        def fetch(*options, code, trust=True):
            trusted = ["--trust", three.trust] if trust else []
            result = three.command("fetch", server.url, "geo", got, "--retries", "0", *trusted, *options, code=code)
            if code != DONE:
                assert got.read_bytes() == three.files[1], result
            return result

        fetch.server, fetch.got = server, got
        yield fetch


def test_an_honest_server_is_believed(three, client):
    client(code=DONE)
    assert client.got.read_bytes() == three.files[2]


@pytest.mark.parametrize("part", ["manifests/", "blobs/"])
def test_other_bytes_under_a_digest_are_refused(three, client, part):
    """Of a patch they are, and then of the whole file, too."""

    def change(handler, data):
        data = bytearray(data)
        data[len(data) // 2] ^= 4
        handler.answer(bytes(data))

    client.server.lie(part, change)
    assert "SHA-256" in client(code=BAD_DATA).errors


def test_a_patch_that_is_of_no_use_is_followed_by_the_whole_file(three, client):
    patch = re.search(r"^patch 2 \S+ \S+ (\S+) (\d+)$", three.manifest().read_text(), re.M)
    client.server.lie(f"blobs/{patch[1]}", lambda handler, data: handler.answer(b"x" * len(data)))
    report = client("--json", code=DONE).json
    assert report["way"] == "whole" and "SHA-256" in report["fallback"]
    assert client.got.read_bytes() == three.files[2]


def test_documents_that_nobody_trusted_signed_are_refused(three, client, tmp_path):
    other = three.folder / "other.key"
    three.command("keygen", other, "-q", code=DONE)
    honest = three.ref()
    for sign in ([], ["--sign", other]):
        three.command("announce", three.path, "geo", "3", *sign, code=DONE)
        assert "signed" in client(code=BAD_DATA).errors or "trusted" in client(code=BAD_DATA).errors
    # A right signature over other bytes.
    forged = honest.replace(b"generation 3", b"generation 4")
    client.server.lie("refs/geo", lambda handler, data: handler.answer(forged))
    assert "trusted" in client(code=BAD_DATA).errors
    # A manifest that nobody signed, under a ref that the key signed.
    three.publish(list(hourly(3000, 4))[-1])
    three.command("announce", three.path, "geo", "4", "--sign", three.key, code=DONE)
    client.server.lies.clear()
    assert "manifests/" in client(code=BAD_DATA).errors


def test_of_several_keys_one_is_enough(three, client):
    """So keys are changed: both sign for a while."""
    new = three.folder / "new.key"
    trust = three.command("keygen", new, "-q", code=DONE).text.strip()
    three.publish(list(hourly(3000, 4))[-1], "--sign", three.key, "--sign", new)
    client(code=DONE)
    client.got.write_bytes(three.files[1])
    client("--trust", trust, code=DONE, trust=False)
    assert client.got.read_bytes() == three.files[3]


def test_old_refs_are_refused(three, client):
    old = three.ref()
    three.publish(list(hourly(3000, 4))[-1], "--sign", three.key)
    client(code=DONE)
    assert client.got.read_bytes() == three.files[3]
    client.server.lie("refs/geo", lambda handler, data: handler.answer(old))
    result = three.command("fetch", client.server.url, "geo", client.got, "--trust", three.trust, code=BAD_DATA)
    assert "old state" in result.errors and client.got.read_bytes() == three.files[3]


def test_what_was_seen_of_a_signed_ref_counts_at_another_mirror(three, client, tmp_path):
    shutil.copytree(three.path, tmp_path / "mirror")
    three.publish(list(hourly(3000, 4))[-1], "--sign", three.key)
    client(code=DONE)
    result = three.command("fetch", tmp_path / "mirror", "geo", client.got, "--trust", three.trust, code=BAD_DATA)
    assert "old state" in result.errors and client.got.read_bytes() == three.files[3]
    # Without a key, another remote may be anybody's.
    three.command("fetch", tmp_path / "mirror", "geo", client.got, code=DONE)
    assert client.got.read_bytes() == three.files[2]


def test_two_refs_of_one_sequence_are_refused(three, client):
    client(code=DONE)
    saved = three.ref()
    three.command("announce", three.path, "geo", "3", "--sign", three.key, code=DONE)
    twin = three.ref().replace(b"sequence 4", b"sequence 3")
    (three.path / "refs" / "geo").write_bytes(saved)
    client.server.lie("refs/geo", lambda handler, data: handler.answer(twin))
    result = three.command("fetch", client.server.url, "geo", client.got, code=BAD_DATA)
    assert "two refs of sequence 3" in result.errors


def test_a_lower_generation_needs_a_ref_that_says_so(three, client):
    client(code=DONE)
    three.command("announce", three.path, "geo", "1", code=DONE)
    silent = three.ref().replace(b"back\n", b"")
    client.server.lie("refs/geo", lambda handler, data: handler.answer(silent))
    assert "goes back" in three.command("fetch", client.server.url, "geo", client.got, code=BAD_DATA).errors
    client.server.lies.clear()
    three.command("fetch", client.server.url, "geo", client.got, code=DONE)
    assert client.got.read_bytes() == three.files[0]


def test_refs_and_manifests_of_other_names_are_refused(three, client):
    file = three.build("other.fsdb", {"a": 1})
    three.command("publish", three.path, "other", file, "--sign", three.key, code=DONE)
    three.command("publish", three.path, "geo", file, "--sign", three.key, "--channel", "canary", code=DONE)
    for name in ("other", "geo@canary"):
        client.server.lies.clear()
        client.server.lie("refs/geo$", lambda handler, data, name=name: handler.answer(three.ref(name)))
        assert f"the ref of '{name}'" in client(code=BAD_DATA).errors
    # Without keys, a mirror writes its own ref; a manifest still says whose it is.
    digest = three.manifest("other").name.encode()
    forged = re.sub(rb"^manifest .*$", b"manifest %s %d" % (digest, three.manifest("other").stat().st_size), three.ref(), flags=re.M)
    client.server.lies.clear()
    client.server.lie("refs/geo$", lambda handler, data: handler.answer(forged))
    assert "a manifest of 'other'" in client(code=BAD_DATA, trust=False).errors


def test_a_ref_that_has_expired_is_refused_also_where_it_has_not_changed(three, client, tmp_path):
    three.command("announce", three.path, "geo", "3", "--sign", three.key, "--valid", "3s", code=DONE)
    got = tmp_path / "stale.fsdb"
    with nginx(tmp_path / "nginx", three.path) as url:
        three.command("fetch", url, "geo", got, "--trust", three.trust, code=DONE)
        assert "as before" in three.command("fetch", url, "geo", got, "--trust", three.trust, code=DONE).errors
        time.sleep(3.2)
        assert "has expired" in three.command("fetch", url, "geo", got, "--trust", three.trust, code=BAD_DATA).errors
        assert " 304 " in (tmp_path / "nginx" / "access.log").read_text().splitlines()[-1]
    assert got.read_bytes() == three.files[2]
    assert "has expired" in client(code=BAD_DATA).errors


@pytest.mark.parametrize("path", ["refs/geo", "manifests/", "blobs/"])
@pytest.mark.parametrize("has_length", [True, False])
def test_an_endless_answer_is_cut_off(three, client, path, has_length):
    sent = []

    def flood(handler, data):
        handler.send_response(200)
        if has_length:
            handler.send_header("Content-Length", str(1 << 40))
        handler.end_headers()
        handler.close_connection = True
        try:
            while sum(sent) < 1 << 30:
                sent.append(handler.wfile.write(b"fusedb-ref 1\n" * 5000))
        except OSError:
            pass

    client.server.lie(path, flood)
    result = client(code=BAD_DATA)
    assert "more bytes" in result.errors and sum(sent) < 64 << 20


def test_a_bomb_is_cut_off_at_the_length_that_was_announced(three, client, tmp_path):
    """A mirror without keys to fear, whose packed file holds far more than its manifest says."""
    bomb = subprocess.run(["zstd", "-c", "-19"], input=bytes(1 << 28), capture_output=True, check=True).stdout
    manifest = three.manifest().read_text()
    manifest = re.sub(r"^whole zstd .*$", f"whole zstd {sha256(bomb)} {len(bomb)}", manifest, flags=re.M)
    manifest = re.sub(r"^patch .*\n", "", manifest, flags=re.M).encode()
    ref = re.sub(rb"^manifest .*$", f"manifest {sha256(manifest)} {len(manifest)}".encode(), three.ref(), flags=re.M)
    client.server.lie("refs/geo", lambda handler, data: handler.answer(ref))
    client.server.lie("manifests/", lambda handler, data: handler.answer(manifest))
    client.server.lie("blobs/", lambda handler, data: handler.answer(bomb))
    assert f"more than {len(three.files[2])} bytes" in client(code=BAD_DATA, trust=False).errors


def test_a_damaged_file_that_is_rightly_announced_is_refused(three, client):
    """As by a faulty publisher: everything but the database is right."""
    data = bytearray(three.files[2])
    data[60] ^= 1
    packed = subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout
    manifest = three.manifest().read_text()
    manifest = re.sub(r"^file .*$", f"file {sha256(data)} {len(data)}", manifest, flags=re.M)
    manifest = re.sub(r"^whole zstd .*$", f"whole zstd {sha256(packed)} {len(packed)}", manifest, flags=re.M)
    manifest = re.sub(r"^patch .*\n", "", manifest, flags=re.M).encode()
    ref = re.sub(rb"^manifest .*$", f"manifest {sha256(manifest)} {len(manifest)}".encode(), three.ref(), flags=re.M)
    client.server.lie("refs/geo", lambda handler, data: handler.answer(ref))
    client.server.lie("manifests/", lambda handler, data: handler.answer(manifest))
    client.server.lie("blobs/", lambda handler, data: handler.answer(packed))
    assert "checksum" in client(code=BAD_DATA, trust=False).errors


def test_a_patch_that_makes_a_huge_file_is_refused_before_it_is_applied(three, client, tmp_path):
    """As by a publisher that nobody trusts: the patch is right, and what it makes is longer than the manifest says."""
    huge = three.build("huge.fsdb", {f"key {number}": "x" * 1_000_000 + str(number) for number in range(100)})
    three.command("diff", client.got, huge, "--patch", tmp_path / "huge.patch", code=DONE)
    patch = (tmp_path / "huge.patch").read_bytes()
    assert len(patch) < 100_000 < 100_000_000 < huge.stat().st_size
    manifest = three.manifest().read_text()
    direct = re.search(r"^(patch 2 \S+ \S+) \S+ \d+$", manifest, re.M)
    manifest = manifest.replace(direct[0], f"{direct[1]} {sha256(patch)} {len(patch)}").encode()
    ref = re.sub(rb"^manifest .*$", f"manifest {sha256(manifest)} {len(manifest)}".encode(), three.ref(), flags=re.M)
    client.server.lie("refs/geo", lambda handler, data: handler.answer(ref))
    client.server.lie("manifests/", lambda handler, data: handler.answer(manifest))
    client.server.lie(f"blobs/{sha256(patch)}", lambda handler, data: handler.answer(patch))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock
    report = client("--json", code=DONE, trust=False).json
    written = 512 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock - before)
    assert report["way"] == "whole" and "patch" in report["fallback"] and client.got.read_bytes() == three.files[2]
    assert written < 20_000_000, written


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"])
def test_redirects_to_other_protocols_are_refused(client, target):
    client.server.lie("refs/geo", lambda handler, data: handler.answer(b"", 302, [("Location", target)]))
    assert "not allowed" in client(code=BAD_DATA).errors


def test_redirects_to_other_hosts_are_followed_without_the_password(three, client, tmp_path):
    with liar(three.path) as other:
        client.server.lie("blobs/", lambda handler, data: handler.answer(b"", 302, [("Location", other.url.replace("127.0.0.1", "localhost") + handler.path)]))
        url = client.server.url.replace("http://", "http://somebody:secret@")
        result = three.command("fetch", url, "geo", client.got, "--trust", three.trust, code=DONE)
        assert client.got.read_bytes() == three.files[2] and "secret" not in result.errors
        assert all(authorization for _, _, authorization in client.server.asked)
        assert other.asked and not any(authorization for _, _, authorization in other.asked)
    assert "secret" not in (tmp_path / "got.fsdb.origin").read_text()


def test_a_round_of_redirects_ends(client):
    client.server.lie("refs/geo", lambda handler, data: handler.answer(b"", 302, [("Location", "/refs/geo")]))
    assert "redirect" in client(code=BAD_DATA).errors


def test_a_server_that_stalls_or_fails_is_given_up(three, client):
    client.server.lie("refs/geo", lambda handler, data: handler.answer(b"", 500))
    assert "HTTP status 500" in client(code=UNAVAILABLE).errors
    client.server.lies.clear()
    client.server.lie("refs/geo", lambda handler, data: time.sleep(20))
    start = time.monotonic()
    client("--timeout", "1s", code=UNAVAILABLE)
    assert time.monotonic() - start < 10
    client.server.lies.clear()
    # A range that was not asked for.
    patch = re.search(r"^patch 2 \S+ \S+ (\S+)", three.manifest().read_text(), re.M)[1]
    (client.got.parent / f"{client.got.name}.part-{patch[:16]}").write_bytes(b"12345")
    client.server.lie("blobs/", lambda handler, data: (handler.headers.replace_header("Range", "bytes=1-") if "Range" in handler.headers else None, handler.answer(data)))
    assert "another range" in client(code=UNAVAILABLE).errors


def test_what_failed_for_a_moment_is_tried_again(three, client):
    times = []

    def fail(handler, data):
        times.append(time.monotonic())
        if len(times) == 1:
            handler.answer(b"", 503, [("Retry-After", "1")])
        elif len(times) == 2:
            handler.connection.close()
        else:
            handler.answer(data)

    client.server.lie("refs/geo", fail)
    three.command("fetch", client.server.url, "geo", client.got, "--retries", "3", code=DONE)
    assert len(times) == 3 and times[1] - times[0] >= 1
    assert client.got.read_bytes() == three.files[2]


def test_certificates_are_verified(three, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", tmp_path / "key", "-out",
         tmp_path / "certificate", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        capture_output=True, check=True)  # fmt: skip
    with nginx(tmp_path / "nginx", three.path, certificate=(tmp_path / "certificate", tmp_path / "key")) as url:
        got = tmp_path / "got.fsdb"
        assert "certificate" in three.command("fetch", url, "geo", got, "--retries", "0", code=BAD_DATA).errors
        assert not got.exists()


def test_a_trusted_certificate_will_do_but_a_redirect_away_from_it_will_not(three, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", tmp_path / "key", "-out",
         tmp_path / "certificate", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        capture_output=True, check=True)  # fmt: skip
    # For the command alone, the system trusts that certificate and no other.
    trusting = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c",
                f"mount --bind '{tmp_path}/certificate' /etc/ssl/certs/ca-certificates.crt && exec \"$@\"", "sh"]  # fmt: skip

    def fetch(url, name):
        words = [*trusting, three.command.path, "fetch", url, "geo", tmp_path / name, "--retries", "0", "--json"]
        return subprocess.run(words, capture_output=True, text=True, timeout=60)

    both = (tmp_path / "certificate", tmp_path / "key")
    with liar(three.path) as plain:
        for name, extra in (("straight", ""), ("redirected", f"location /blobs/ {{ return 302 {plain.url}$request_uri; }}")):
            with nginx(tmp_path / f"nginx-{name}", three.path, extra=extra, certificate=both) as url:
                result = fetch(url, name)
                if name == "straight":
                    assert result.returncode == DONE and json.loads(result.stdout)["way"] == "whole", result.stderr
                    assert (tmp_path / name).read_bytes() == three.files[2]
                else:
                    assert result.returncode == BAD_DATA and "not allowed" in result.stderr, result
                    assert not (tmp_path / name).exists()
        assert plain.asked == []


def test_two_announcements_in_a_second_are_seen_through_a_web_server(three, tmp_path):
    """nginx makes an entity tag of the length and the second."""
    got = tmp_path / "got.fsdb"
    with nginx(tmp_path / "nginx", three.path) as url:
        for round in range(3):
            for version in ("1", "2"):
                three.command("announce", three.path, "geo", version, "-q", "--sign", three.key, code=DONE)
                three.command("fetch", url, "geo", got, "-q", code=DONE)
                assert got.read_bytes() == three.files[int(version) - 1], (round, version)


def test_the_worked_example_is_what_a_client_takes(command, tmp_path):
    """What stands in spec/delivery.md §12, as a folder."""
    text = (ROOT / "spec" / "delivery.md").read_text().split("## 12. Worked example")[1]
    blocks = ["".join(line[4:] + "\n" for line in block.splitlines()) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]
    (trust, manifest, ref), name = blocks, re.search(r"^`manifests/(\S+)`", text, re.M)[1]
    file = bytes.fromhex(
        "46534442020000000000000100000001000000000000003400000000000000288d1064de00000000"
        "00000004a7fa536581a1610100016b0000000000000028")  # fmt: skip
    packed = bytes.fromhex("28b52ffd203ff90100") + file
    assert sha256(manifest.encode()) == name and sha256(file) in manifest and sha256(packed) in manifest
    remote = tmp_path / "remote"
    for path, data in (("refs/geo", re.sub(r"^expires .*\n", "", ref, flags=re.M)), (f"manifests/{name}", manifest), (f"blobs/{sha256(packed)}", packed)):
        (remote / path).parent.mkdir(parents=True, exist_ok=True)
        (remote / path).write_bytes(data if isinstance(data, bytes) else data.encode())
    # Without its expiry, which comes, the signature of the ref does not hold; that of the manifest does.
    got = tmp_path / "got.fsdb"
    assert "refs/geo" in command("fetch", remote, "geo", got, "--trust", trust.strip(), code=BAD_DATA).errors
    command("fetch", remote, "geo", got, code=DONE)
    assert got.read_bytes() == file
    (remote / "refs" / "geo").write_text(ref)
    if time.time() < 1796601103:
        command("fetch", remote, "geo", tmp_path / "again.fsdb", "--trust", trust.strip(), code=DONE)
    else:
        assert "has expired" in command("fetch", remote, "geo", tmp_path / "again.fsdb", "--trust", trust.strip(), code=BAD_DATA).errors


# --- following ---


def test_follow_takes_each_version_and_ends_at_a_signal(three, tmp_path):
    got, metrics = tmp_path / "got.fsdb", tmp_path / "metrics"
    with nginx(tmp_path / "nginx", three.path) as url:
        process = three.command.start("follow", url, "geo", got, "--interval", "0.2s", "--metrics", metrics, "--json", "--trust", three.trust)
        try:
            lines = iter(process.stdout.readline, b"")
            assert b'"event":"serving"' in next(lines) and got.read_bytes() == three.files[2]
            three.publish(list(hourly(3000, 4))[-1], "--sign", three.key)
            line = next(lines)
            assert b'"event":"updated"' in line and b'"generation":4' in line and b'"patches":1' in line
            assert got.read_bytes() == three.files[3]
            (three.path / "refs" / "geo").rename(three.path / "refs" / ".away")
            line = next(lines)
            assert b'"event":"failed"' in line and b'"code":"notFound"' in line
            (three.path / "refs" / ".away").rename(three.path / "refs" / "geo")
            time.sleep(1)
            text = metrics.read_text()
            assert 'fusedb_follow_updates_total{name="geo"} 2' in text and 'fusedb_follow_generation{name="geo"} 4' in text
            assert "fusedb_follow_failures_total" in text
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
        assert process.returncode == -signal.SIGTERM and b"got.fsdb" in err
    assert got.read_bytes() == three.files[3]


def asked(url, method="GET", data=None):
    """Status, headers and body of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, data=data), timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_follow_gives_its_counters_to_who_asks(remote, tmp_path, host):
    words = ("follow", remote.path, "geo", tmp_path / "got.fsdb", "--interval", "0.1s", "--json", "--listen")
    process = remote.command.start(*words, f"{host}:0")
    try:
        event = json.loads(process.stdout.readline())
        url = event["url"]
        assert event["event"] == "listening" and url.startswith(f"http://{host}:") and url.endswith("/metrics")
        # Before there is anything to serve, too.
        assert json.loads(process.stdout.readline())["event"] == "failed"
        text = "0"
        while 'fusedb_follow_failures_total{name="geo"} 0' in text or text == "0":
            text = asked(url)[2]
        remote.publish({"a": 1})
        assert json.loads(process.stdout.readline())["event"] == "serving"
        while 'fusedb_follow_generation{name="geo"} 1' not in text:
            status, headers, text = asked(url)
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")] == [
            f"fusedb_follow_{name}" for name in (
                "attempts_total", "updates_total", "failures_total", "refusals_total", "bytes_total", "requests_total",
                "generation", "last_success_timestamp_seconds")]
        assert 'fusedb_follow_failures_total{name="geo"} 0' not in text
        head = asked(url, "HEAD")
        assert head[0] == 200 and head[2] == "" and int(head[1]["Content-Length"]) > 500
        assert asked(url, "POST", b"x" * 100_000)[0] == 405 and asked(url, "POST", b"")[1]["Allow"] == "GET, HEAD"
        assert asked(url.replace("metrics", ""))[0] == 404 and asked(url + "/x")[0] == 404
        # What is no HTTP ends that connection alone.
        with socket.create_connection((host.strip("[]"), int(url.split(":")[-1].split("/")[0])), timeout=20) as other:
            other.sendall(b"x" * 100_000 + b"\r\n\r\n")
            assert b" 4" in other.recv(100)
        assert asked(url)[0] == 200
        taken = url.removeprefix("http://").removesuffix("/metrics")
        result = remote.command(*words[:3], tmp_path / "second.fsdb", "--listen", taken, code=IO_FAILURE)
        assert f"cannot listen at {taken}: Address already in use" in result.errors
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost:80", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80", ":80", "127.0.0.1:x", ""])
def test_follow_listens_at_numeric_addresses(remote, tmp_path, address):
    result = remote.command("follow", remote.path, "geo", tmp_path / "got.fsdb", "--listen", address, code=USAGE)
    assert "127.0.0.1:9187" in result.errors


def test_follow_waits_for_a_remote_that_has_nothing_yet(remote, tmp_path):
    got = tmp_path / "got.fsdb"
    process = remote.command.start("follow", remote.path, "geo", got, "--interval", "0.2s")
    try:
        assert b"failed" in process.stdout.readline()
        remote.publish({"a": 1})
        assert b"serving" in process.stdout.readline()
        assert got.read_bytes() == remote.files[0]
    finally:
        process.terminate()
        process.communicate(timeout=20)


# --- signatures of files ---


def test_minisign_and_fusedb_check_each_others_signatures(command, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(random.Random(1).randbytes(100_000))
    key = tmp_path / "our.key"
    trust = command("keygen", key, code=DONE).text.strip()
    assert os.stat(key).st_mode & 0o777 == 0o600
    assert "already" in command("keygen", key, code=IO_FAILURE).errors
    command("sign", file, "--key", key, "--comment", "of ours", code=DONE)
    checked = subprocess.run(["minisign", "-V", "-m", file, "-P", trust], capture_output=True, text=True)
    assert checked.returncode == 0 and "of ours" in checked.stdout
    assert "of ours" in command("sign", file, "--trust", f"{key}.pub", code=DONE).errors
    subprocess.run(["minisign", "-G", "-W", "-p", tmp_path / "their.pub", "-s", tmp_path / "their.key"], check=True, capture_output=True)
    for options in ([], ["-l"]):
        subprocess.run(["minisign", "-S", "-m", file, "-s", tmp_path / "their.key", "-t", "of theirs", "-x", tmp_path / "sig", *options], check=True, capture_output=True)
        assert "of theirs" in command("sign", file, "--trust", tmp_path / "their.pub", "--signature", tmp_path / "sig", code=DONE).errors
        assert "not trusted" in command("sign", file, "--trust", trust, "--signature", tmp_path / "sig", code=BAD_DATA).errors
        text = (tmp_path / "sig").read_text()
        (tmp_path / "forged").write_text(text.replace("of theirs", "of others"))
        assert "comment" in command("sign", file, "--trust", tmp_path / "their.pub", "--signature", tmp_path / "forged", code=BAD_DATA).errors
    file.write_bytes(b"x" + file.read_bytes()[1:])
    assert "does not hold" in command("sign", file, "--trust", trust, code=BAD_DATA).errors


def test_verify_checks_a_signature_too(remote, tmp_path):
    command = remote.command
    key, other = tmp_path / "a.key", tmp_path / "b.key"
    trust, distrust = (command("keygen", path, code=DONE).text.strip() for path in (key, other))
    file, unsigned = remote.build("one.fsdb", {"a": 1}), remote.build("two.fsdb", {"a": 2})
    command("sign", file, "--key", key, code=DONE)
    assert b"sound" in command("verify", file, "--trust", trust, code=DONE).out
    assert b"sound" in command("verify", file, "--trust", distrust, "--trust", f"{key}.pub", code=DONE).out
    shutil.copy(f"{file}.minisig", tmp_path / "elsewhere")
    assert b"sound" in command("verify", file, "--trust", trust, "--signature", tmp_path / "elsewhere", code=DONE).out
    assert command("verify", file, unsigned, "--trust", trust, code=NO_INPUT).errors.count("two.fsdb.minisig") == 1
    result = command("verify", file, "--trust", distrust, code=NO)
    assert "not trusted" in result.errors and result.out == b""
    (tmp_path / "none").write_text("no signature")
    assert "no signature as minisign" in command("verify", file, "--trust", trust, "--signature", tmp_path / "none", code=NO).errors
    shutil.copy(f"{file}.minisig", f"{unsigned}.minisig")
    result = command("verify", unsigned, "--trust", trust, "--json", code=NO)
    assert result.json["sound"] is False and "does not hold" in result.json["error"] and "does not hold" in result.errors
    # A damaged file that was signed is damaged.
    file.write_bytes(file.read_bytes()[:-1])
    command("sign", file, "--key", key, code=DONE)
    assert b"damaged" in command("verify", file, "--trust", trust, code=NO).out
    assert "--trust" in command("verify", file, "--signature", "x", code=USAGE).errors
    assert "one file" in command("verify", file, unsigned, "--trust", trust, "--signature", "x", code=USAGE).errors
    assert "no.pub" in command("verify", file, "--trust", tmp_path / "no.pub", code=NO_INPUT).errors


def test_the_command_says_what_is_missing(command, tmp_path):
    alone = tmp_path / "fusedb"
    alone.write_bytes(command.path.read_bytes())
    alone.chmod(0o755)
    result = subprocess.run([alone, "versions", tmp_path, "geo"], capture_output=True, text=True)
    assert result.returncode == NO_INPUT and "fusedb-delivery" in result.stderr

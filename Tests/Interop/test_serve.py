"""'fusedb serve' is asked over HTTP: by http.client, byte by byte, by schemathesis, and while its files are replaced. See spec/serve.md."""

import base64
import http.client
import json
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import msgpack
import pytest
from prometheus_client.parser import text_string_to_metric_families

import hostile_serve
from conftest import DONE, ROOT, USAGE
from serving import Server, build, drain, serving, statuses

VALUES = {
    "a": 1,
    "b": {"org": "Größe \"quoted\" \\ \u0001", "list": [1, -1, 1.5, None, True, 2**40, -(2**40), "", "x" * 300], "deep": {"er": {"est": 7}}},
    "8.8.0.0/16": {"asn": 1},
    "8.8.8.0/24": {"asn": 15169},
    "example.com": {"kind": "site"},
    "slash/and%percent": "s",
    "": "empty",
    "same-1": {"shared": 1},
    "same-2": {"shared": 1},
    "same-3": {"shared": 1},
}


@pytest.fixture(scope="module")
def folder(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    build(command, folder / "geo.fsdb", VALUES)
    build(command, folder / "old.fsdb", {**VALUES, "a": 2, "gone": 3} | {"b": VALUES["b"]})
    return folder


@pytest.fixture(scope="module")
def server(command, folder):
    with serving(command.path, folder / "geo.fsdb", f"old={folder / 'old.fsdb'}", "--timeout", "2s", "--max-body", "64K", "--max-keys", "500") as server:
        server.wait("serving") if not server.events else None
        yield server


# --- answers ---


@pytest.mark.parametrize("key", VALUES)
def test_a_key_has_its_value_by_each_address(server, key):  # [HS1] [HS2]
    expected = {"key": key, "value": VALUES[key]}
    code = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    for target in (f"get?key={quote(key, safe='')}", f"keys/{quote(key)}", f"keys/{quote(key, safe='')}", f"get?key64={code}", f"keys64/{code}"):
        assert server.json("/v1/geo/" + target) == expected, target


def test_a_key_of_any_bytes_is_asked_for_and_comes_back(server, command, tmp_path):  # [HS1] [HS3]
    path = tmp_path / "bytes.fsdb"
    command("build", "-q", path, stdin=b'{"keys":[{"$bin":"00ff20"}],"value":{"$bin":"00"}}\n', code=DONE)
    with serving(command.path, path) as other:
        expected = {"key": {"$bin": "00ff20"}, "value": {"$bin": "00"}}
        assert other.json("/v1/bytes/get?key=%00%ff%20") == expected
        assert other.json("/v1/bytes/get?key=%00%ff+") == expected
        assert other.json("/v1/bytes/keys/%00%FF%20") == expected
        assert other.json("/v1/bytes/get", method="POST", body='[{"$bin":"00ff20"}]') == [expected]


def test_values_are_spelled_as_the_command_spells_them(command, tmp_path, good):  # [HS3]
    """Each good file of the fixtures: its values over HTTP are those of 'fusedb dump', byte by byte."""
    path = tmp_path / "all.fsdb"
    texts = [b'{"keys":["%d"],"value":%s}' % (number, text) for number, text in enumerate([
        b'{"$float32":1.5}', b'{"$float64":"nan"}', b'1.5', b'-0.0', b'1e300', b'5e-324', b'{"$ext":[5,"0102"]}', b'{"$map":[[1,2],[[],{}]]}',
        b'{"$str":"ff"}', b'{"$bin":"ff"}', b'18446744073709551615', b'-9223372036854775808', b'-33', b'-32', b'-129', b'128', b'65536', b'{"$msgpack":"cc01"}',
        b'{"a":{"$map":[["$bin",1]]}}', b'[' * 60 + b']' * 60, b'[]', b'{}', b'"\\u2028\\u0000"', b'[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]', b'true', b'null'])]
    command("build", "-q", path, stdin=b"\n".join(texts) + b"\n", code=DONE)
    values = dict(line.split(b"\t", 1) for line in command("prefix", path, "", code=DONE).lines)
    assert len(values) == len(texts)
    with serving(command.path, path) as server:
        for key, text in values.items():
            status, _, body = server.ask(f"/v1/all/get?key={key.decode()}")
            assert (status, body) == (200, b'{"key":"%s","value":%s}\n' % (key, text))


def test_an_absent_key_is_404_with_a_body_that_says_so(server):  # [HS4]
    status, headers, body = server.ask("/v1/geo/get?key=nothing")
    problem = json.loads(body)
    assert status == problem["status"] == 404 and headers["Content-Type"] == "application/problem+json"
    assert problem["code"] == "absent" and "nothing" in problem["detail"]


@pytest.mark.parametrize("query, match, value", [
    ("key=8.8.8.8&match=network", "8.8.8.0/24", {"asn": 15169}),
    ("key=8.8.9.1&match=network", "8.8.0.0/16", {"asn": 1}),
    ("key=mail.example.com&match=domain", "example.com", {"kind": "site"}),
    ("key=ann%40example.com&match=email", "example.com", {"kind": "site"}),
    ("key=abc&match=prefix", "a", 1),
])
def test_a_match_names_the_key_that_answers(server, query, match, value):  # [HS5]
    asked = query.split("&")[0].removeprefix("key=").replace("%40", "@")
    assert server.json(f"/v1/geo/get?{query}") == {"key": asked, "match": match, "value": value}
    kind = query.rsplit("=", 1)[1]
    assert server.json(f"/v1/geo/get?match={kind}", method="POST", body=json.dumps([asked])) == [{"key": asked, "match": match, "value": value}]


def test_a_field_is_read_in_place(server):  # [HS6]
    assert server.json("/v1/geo/get?key=b&field=deep.er.est") == {"key": "b", "value": 7}
    assert server.json("/v1/geo/get?key=b&field=list.8") == {"key": "b", "value": "x" * 300}
    assert server.ask("/v1/geo/get?key=b&field=deep.no")[0] == 404
    rows = server.json("/v1/geo/get?field=asn", method="POST", body='["8.8.8.0/24","a"]')
    assert rows == [{"key": "8.8.8.0/24", "value": 15169}, {"key": "a", "found": False}]
    rows = server.json("/v1/geo/get?field=asn&match=prefix", method="POST", body='["8.8.8.0/24!","ab","none"]')
    assert rows == [{"key": "8.8.8.0/24!", "match": "8.8.8.0/24", "value": 15169}, {"key": "ab", "found": False}, {"key": "none", "found": False}]


def test_messagepack_is_the_stored_bytes(server):  # [HS7]
    wanted = {"Accept": "application/msgpack"}
    status, headers, body = server.ask("/v1/geo/get?key=b", headers=wanted)
    assert status == 200 and headers["Content-Type"] == "application/msgpack"
    assert msgpack.unpackb(body) == VALUES["b"]
    body = server.ask("/v1/geo/get", method="POST", body='["a","no",""]', headers=wanted)[2]
    assert msgpack.unpackb(body) == [[1], [], ["empty"]]


def test_many_keys_come_in_their_order_as_an_array_or_as_lines(server):  # [HS8]
    keys = ["a", "no", "8.8.8.0/24", "a", ""]
    rows = [{"key": key, "value": VALUES[key]} if key in VALUES else {"key": key, "found": False} for key in keys]
    assert server.json("/v1/geo/get", method="POST", body=json.dumps(keys)) == rows
    lines = "".join(json.dumps(key) + "\n" for key in keys)
    status, headers, body = server.ask("/v1/geo/get", method="POST", body=lines)
    assert headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in body.splitlines()] == rows
    assert server.json("/v1/geo/get", method="POST", body=lines, headers={"Accept": "application/json"}) == rows
    assert server.json("/v1/geo/get", method="POST", body="[]") == []
    assert server.ask("/v1/geo/get", method="POST", body="")[2] == b""
    assert server.json("/v1/geo/get", method="POST", body=' [ "\\u0061" , "sla\\u0073h\\/and%percent" ]\n')[1]["value"] == "s"


def test_a_long_answer_is_streamed_whole(command, tmp_path):  # [HS8]
    values = {f"key-{number}": {"text": "x" * 40_000, "number": number} for number in range(60)}
    with serving(command.path, build(command, tmp_path / "long.fsdb", values)) as server:
        keys = [random.choice(list(values)) for _ in range(500)]
        status, headers, body = server.ask("/v1/long/get", method="POST", body=json.dumps(keys))
        assert headers["Transfer-Encoding"] == "chunked"
        assert [row["value"]["number"] for row in json.loads(body)] == [values[key]["number"] for key in keys]
        # The client goes away in the middle: its memory and its file go, too.
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                body = json.dumps(keys).encode()
                connection.sendall(b"POST /v1/long/get HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                connection.recv(100)
        assert server.json("/v1/long/get?key=key-1&field=number") == {"key": "key-1", "value": 1}


def test_a_damaged_object_is_an_error_of_its_row_alone(command, tmp_path):  # [HS8] [HS14]
    """The file is sound when it is loaded, and a byte of one object is changed in place afterwards; then it is cut."""
    path = build(command, tmp_path / "geo.fsdb", {f"key-{number}": f"value {number:04} {'x' * 2000}" for number in range(40)})
    with serving(command.path, path) as server:
        place = path.read_bytes().index(b"value 0007")
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"V")
        keys = [f"key-{number}" for number in range(40)]
        for target in ("/v1/geo/get", "/v1/geo/get?match=prefix"):
            rows = server.json(target, method="POST", body=json.dumps(keys))
            assert [row["key"] for row in rows] == keys
            assert [row["key"] for row in rows if "error" in row] == ["key-7"] and rows[7]["error"]["code"] == "corrupted", target
            assert all(row["value"].startswith(f"value {number:04}") for number, row in enumerate(rows) if number != 7)
        status, _, body = server.ask("/v1/geo/get?key=key-7")
        assert status == 500 and json.loads(body)["code"] == "corrupted"
        body = server.ask("/v1/geo/get", method="POST", body=json.dumps(keys), headers={"Accept": "application/msgpack"})[2]
        assert [number for number, row in enumerate(msgpack.unpackb(body)) if row is None] == [7]
        with path.open("r+b") as file:
            file.truncate(10)
        rows = server.json("/v1/geo/get", method="POST", body=json.dumps(keys))
        assert [(row["key"], row["error"]["code"]) for row in rows] == [(key, "truncated") for key in keys]
        assert server.ask("/v1/geo/get?key=key-1")[0] == 500 and server.ask("/healthz")[0] == 200


@pytest.mark.parametrize("body", ["[", '["a"', '["a",]', "[1]", '[null]', '"a', '"a" "b"', '{"$bin":"0"}', '{"$bin":"zz"}', '{"bin":"00"}', '["\\ud800"]', '["\\x"]',
                                  '["a"] x', "nothing", '["\t"]', '{"$bin":"00"'])
def test_a_body_that_is_no_list_of_keys_says_where(server, body):  # [HS8]
    status, _, answer = server.ask("/v1/geo/get", method="POST", body=body)
    assert status == 400 and "offset" in json.loads(answer)["detail"], answer


def test_an_etag_is_that_of_the_bytes(server, command, folder):  # [HS9]
    first = server.ask("/v1/geo/get?key=b")[1]["ETag"]
    assert server.ask("/v1/geo/get?key=b")[1]["ETag"] == first
    other = server.ask("/v1/geo/get?key=b", headers={"Accept": "application/msgpack"})[1]
    assert other["ETag"] != first and other["Vary"] == "Accept"
    assert server.ask("/v1/old/get?key=a")[1]["ETag"] != server.ask("/v1/geo/get?key=a")[1]["ETag"]
    for tag in (first, f'"x", {first}', "*"):
        status, headers, body = server.ask("/v1/geo/get?key=b", headers={"If-None-Match": tag})
        assert (status, body, headers["ETag"]) == (304, b"", first)
    assert server.ask("/v1/geo/get?key=b", headers={"If-None-Match": '"other"'})[0] == 200
    # Another server says the same: nothing of it is of this process.
    with serving(command.path, folder / "geo.fsdb", "--max-age", "1m") as again:
        headers = again.ask("/v1/geo/get?key=b")[1]
        assert headers["ETag"] == first and headers["Cache-Control"] == "private, max-age=60"


def test_head_has_the_headers_of_get_and_no_body(server):  # [HS10]
    for target in ("/v1/geo/get?key=b", "/v1/geo/get?key=no", "/v1/", "/metrics", "/healthz", "/openapi.json"):
        get, head = server.ask(target), server.ask(target, method="HEAD")
        assert head[0] == get[0] and head[2] == b""
        if target != "/metrics":
            assert head[1]["Content-Length"] == str(len(get[2])), target


def test_pages_of_a_prefix_make_the_whole(server, command, tmp_path):  # [HS11]
    values = {f"{number:03}": number for number in range(250)} | {"x": 1, "": 2}
    with serving(command.path, build(command, tmp_path / "many.fsdb", values)) as other:
        for prefix, limit in (("", 100), ("1", 7), ("24", 10), ("24", 1), ("x", 1), ("y", 5)):
            found, after = [], ""
            while True:
                page = other.json(f"/v1/many/prefix?prefix={prefix}&limit={limit}{after}")
                assert len(page["entries"]) <= limit
                found += page["entries"]
                if page["next"] is None:
                    break
                assert page["entries"]
                after = "&after=" + page["next"]
            assert found == [{"key": key, "value": values[key]} for key in sorted(values) if key.startswith(prefix)]
    for wrong in ("limit=0", "limit=501", "limit=x", "limit=", "after=!", "after=k!", "after="):
        assert server.ask(f"/v1/geo/prefix?{wrong}")[0] == 400, wrong


def test_a_page_of_large_values_ends_early_and_goes_on(command, tmp_path):  # [HS11]
    values = {f"{number:02}": {"number": number, "text": chr(97 + number) * 1_000_000} for number in range(20)}
    with serving(command.path, build(command, tmp_path / "large.fsdb", values), f"none={build(command, tmp_path / 'none.fsdb', {'x': 1})}") as other:
        for target, name, numbers in (("prefix?limit=20", "entries", lambda row: row["value"]["number"]), ("diff?from=none&limit=21", "changes", lambda row: row["key"])):
            found, after = [], ""
            while after is not None:
                page = other.json(f"/v1/large/{target}{after}")
                assert 0 < len(page[name]) < 12
                found += [numbers(row) for row in page[name]]
                after = page["next"] and "&after=" + page["next"]
            assert found == (list(range(20)) if name == "entries" else [*sorted(values), "x"])


def test_a_page_of_differences_compares_a_bounded_number_of_keys(command, tmp_path):  # [HS13]
    """Two files that are equal but for the last keys: a page may have no change, and a cursor all the same."""
    def file(name, last):
        lines = [json.dumps({"keys": [f"{number:06}" for number in range(450_000)], "value": 1}), json.dumps({"keys": [last], "value": 2})]
        command("build", "-q", tmp_path / name, stdin="\n".join(lines).encode(), code=DONE)
        return tmp_path / name

    with serving(command.path, file("old.fsdb", "gone"), file("new.fsdb", "here")) as other:
        pages, after = [], ""
        while after is not None:
            pages.append(other.json(f"/v1/new/diff?from=old{after}"))
            after = pages[-1]["next"] and "&after=" + pages[-1]["next"]
        assert len(pages) > 1 and pages[0]["changes"] == []
        assert sum((page["changes"] for page in pages), []) == [{"key": "gone", "change": "removed", "old": 2}, {"key": "here", "change": "added", "new": 2}]
        # The file has no reverse index, so keys are compared, as many for a page.
        pages, after = [], ""
        while after is not None:
            pages.append(other.json(f"/v1/new/aliases?key=here{after}"))
            after = pages[-1]["next"] and "&after=" + pages[-1]["next"]
        assert len(pages) > 1 and pages[0]["keys"] == [] and sum((page["keys"] for page in pages), []) == ["here"]


def test_aliases_differences_and_numbers(server, command, folder):  # [HS12] [HS13]
    assert server.json("/v1/geo/aliases?key=same-2") == {"keys": ["same-1", "same-2", "same-3"], "next": None}
    page = server.json("/v1/geo/aliases?key=same-2&limit=2")
    assert page["keys"] == ["same-1", "same-2"]
    assert server.json(f"/v1/geo/aliases?key=same-2&limit=2&after={page['next']}") == {"keys": ["same-3"], "next": None}
    assert server.ask("/v1/geo/aliases?key=no")[0] == 404
    expected = [{"key": "a", "change": "changed", "old": 2, "new": 1}, {"key": "gone", "change": "removed", "old": 3}]
    assert server.json("/v1/geo/diff?from=old") == {"changes": expected, "next": None}
    page = server.json("/v1/geo/diff?from=old&limit=1")
    assert page["changes"] == expected[:1]
    assert server.json(f"/v1/geo/diff?from=old&after={page['next']}")["changes"] == expected[1:]
    for other in (str(folder / "old.fsdb"), "../old", "nobody", ""):
        assert server.ask(f"/v1/geo/diff?from={quote(other, safe='')}")[0] == 404
    ours, theirs = server.json("/v1/geo/stats"), command("stats", folder / "geo.fsdb", "--json").json
    assert all(ours[name] == theirs[name] for name in theirs if name not in ("path", "plain"))
    names = server.json("/v1/")["files"]
    assert [(row["name"], row["state"], row["keys"]) for row in names] == [("geo", "serving", len(VALUES)), ("old", "serving", len(VALUES) + 1)]


@pytest.mark.parametrize("target", ["/v1/geo", "/v1/geo/", "/v1/geo/nothing", "/v1/nobody/get?key=a", "/v1/../geo/get?key=a", "/v1//get?key=a", "/v1/geo/get/a",
                                    "/v1/g%65o/get?key=a"])
def test_other_addresses_are_404(server, target):
    status, headers, body = server.ask(target)
    assert status == 404 and headers["Content-Type"] == "application/problem+json", body


@pytest.mark.parametrize("target", ["/v1/geo/get", "/v1/geo/get?key=%", "/v1/geo/get?key=%2", "/v1/geo/get?key=%zz", "/v1/geo/keys/%g0", "/v1/geo/get?key=a&key=b",
                                    "/v1/geo/get?key=a&other=1", "/v1/geo/get?key=a&match=some", "/v1/geo/get?key64=a", "/v1/geo/get?key64=a+b",
                                    "/v1/geo/get?key64=YR", "/v1/geo/keys/a?key=b", "/%zz"])
def test_what_is_wrong_in_a_target_is_400(server, target):  # [HS14]
    status, headers, body = server.ask(target)
    assert status == 400 and json.loads(body)["detail"], body


# --- what an answer bears ---


def test_every_answer_is_safe_in_a_browser(server):  # [HS20]
    for target in ("/v1/geo/get?key=a", "/v1/geo/get?key=no", "/v1/", "/metrics", "/openapi.json", "/v1/geo/prefix", "/nothing"):
        headers = server.ask(target)[1]
        assert headers["X-Content-Type-Options"] == "nosniff" and "Access-Control-Allow-Origin" not in headers
        assert "Set-Cookie" not in headers


def test_metrics_are_what_prometheus_reads(server):  # [HS15]
    before = server.ask("/metrics")[2].decode()
    for _ in range(3):
        server.ask("/v1/old/get?key=a")
    server.ask("/v1/old/get?key=absent")
    server.ask("/v1/old/get", method="POST", body='["a","x","y"]')
    text = server.ask("/metrics")[2].decode()

    def sample(text, sample_name, **labels):
        found = [s.value for f in text_string_to_metric_families(text) for s in f.samples if s.name == sample_name and s.labels == labels]
        return found[0] if found else None

    def grown(sample_name, **labels):
        return sample(text, sample_name, **labels) - sample(before, sample_name, **labels)

    assert grown("fusedb_serve_lookups_total", name="old", result="hit") == 4
    assert grown("fusedb_serve_lookups_total", name="old", result="miss") == 3
    assert sample(text, "fusedb_serve_up", name="geo") == 1 and sample(text, "fusedb_serve_generation", name="geo") == 1
    assert grown("fusedb_serve_request_seconds_count") >= 5
    assert sample(text, "fusedb_serve_request_seconds_bucket", le="+Inf") == sample(text, "fusedb_serve_request_seconds_count")
    assert sample(text, "fusedb_serve_open_connections") >= 1


# --- files that come and go ---


def test_a_file_that_is_not_there_yet_is_waited_for(command, tmp_path):  # [HS16]
    path = tmp_path / "late.fsdb"
    with serving(command.path, path) as server:
        for target in ("/v1/late/get?key=a", "/v1/late/stats", "/readyz"):
            status, headers, body = server.ask(target)
            assert status == 503 and json.loads(body)["code"] == "unavailable", target
        assert server.ask("/healthz")[0] == 200
        assert server.json("/v1/")["files"][0]["state"] == "waiting"
        path.write_bytes(b"no database")
        time.sleep(0.6)
        assert server.ask("/readyz")[0] == 503
        build(command, tmp_path / "new.fsdb", {"a": 1}).rename(path)
        server.wait("serving")
        assert server.json("/v1/late/get?key=a") == {"key": "a", "value": 1}
        assert server.ask("/readyz")[0] == 200


def test_a_replaced_file_is_taken_and_a_bad_one_refused(command, tmp_path):  # [HS16] [HS17]
    path = build(command, tmp_path / "geo.fsdb", {"a": 1})
    with serving(command.path, path) as server:
        assert server.ask("/v1/geo/get?key=a")[1]["FuseDB-Generation"] == "1"
        build(command, path, {"a": 2})
        server.wait("reloaded")
        status, headers, body = server.ask("/v1/geo/get?key=a")
        assert json.loads(body)["value"] == 2 and headers["FuseDB-Generation"] == "2"
        (tmp_path / "bad").write_bytes(path.read_bytes()[:-5])
        (tmp_path / "bad").rename(path)
        server.wait("refused")
        assert server.json("/v1/geo/get?key=a")["value"] == 2
        assert 'refusals_total{name="geo"} 1' in server.ask("/metrics")[2].decode()


def test_no_request_fails_while_files_are_replaced_and_a_batch_is_of_one_generation(command, tmp_path):  # [HS17]
    versions = [build(command, tmp_path / f"{number}.fsdb", {f"key-{i}": number for i in range(50)}).read_bytes() for number in range(2)]
    path = tmp_path / "geo.fsdb"
    path.write_bytes(versions[0])
    failures, counts, seen, stop = [], [0], set(), threading.Event()
    with serving(command.path, path) as server:
        before = server.resident()

        def ask(number):
            connection = server.connection()
            body = json.dumps([f"key-{i}" for i in range(50)])
            while not stop.is_set():
                try:
                    connection.request("POST", "/v1/geo/get", body=body)
                    response = connection.getresponse()
                    rows = json.loads(response.read())
                    values = {row["value"] for row in rows}
                    seen.add(response.headers["FuseDB-Generation"])
                    assert response.status == 200 and len(rows) == 50 and len(values) == 1, rows
                    counts[0] += 1
                except Exception as error:  # noqa: BLE001
                    failures.append(repr(error))
                    return

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for number in range(60):
            (tmp_path / "next").write_bytes(versions[(number + 1) % 2])
            (tmp_path / "next").rename(path)
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        after = server.resident()
    assert not failures, failures[:3]
    assert counts[0] > 50 and len(seen) > 5, (counts, len(seen))
    assert after[1] <= before[1] + 8, "descriptors stay behind"


def test_readiness_fails_when_data_are_stale(command, tmp_path):  # [HS16]
    path = tmp_path / "geo.fsdb"
    build(command, path, {"a": 1}, "--meta", "built=2020-01-01")
    with serving(command.path, path, "--stale-after", "1h") as server:
        status, _, body = server.ask("/readyz")
        assert status == 503 and json.loads(body)["code"] == "stale"
        assert server.ask("/healthz")[0] == 200 and server.ask("/v1/geo/get?key=a")[0] == 200


# --- who may ask ---


@pytest.mark.parametrize("host, status", [
    ("localhost", 200), ("LOCALHOST:99", 200), ("127.0.0.1", 200), ("10.1.2.3:80", 200), ("[::1]:80", 200), ("geo.example", 200),
    ("evil.example", 421), ("localhost.evil.example", 421), ("", 421), ("localhost:80:90", 421), ("[::1", 421), ("127.0.0.1.evil", 421),
    ("localhost:x", 421), ("user@localhost", 421), ("[localhost]", 421)])
def test_a_host_that_is_not_ours_is_misdirected(command, folder, host, status):  # [HS21]
    with serving(command.path, folder / "geo.fsdb", "--host", "geo.example") as server:
        data = server.raw(f"GET /v1/geo/get?key=a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert statuses(data) == [status], data[:300]


def test_tokens_open_everything_but_health(command, folder, tmp_path):  # [HS22]
    tokens = tmp_path / "tokens"
    tokens.write_text("# for the service\nfirst-token-0123456789\n\nsecond-token-0123456789\n")
    with serving(command.path, folder / "geo.fsdb", "--token-file", tokens) as server:
        for target in ("/v1/geo/get?key=a", "/v1/", "/metrics", "/openapi.json", "/"):
            status, headers, body = server.ask(target)
            assert status == 401 and "Bearer" in headers["WWW-Authenticate"], target
        assert server.ask("/healthz")[0] == server.ask("/readyz")[0] == 200

        def status(authorization):
            return server.ask("/v1/geo/get?key=a", headers={"Authorization": authorization})[0]

        basic = "Basic " + base64.b64encode(b"anybody:second-token-0123456789").decode()
        assert [status(text) for text in ("Bearer first-token-0123456789", "bearer second-token-0123456789", basic)] == [200, 200, 200]
        wrong = ("Bearer first-token-012345678", "Bearer first-token-01234567890", "Bearer ", "Bearer", "Basic " + base64.b64encode(b"x").decode(),
                 "Basic !", "first-token-0123456789", "Bearer first-token-0123456789first-token-0123456789", "Bearer # for the service")
        assert [status(text) for text in wrong] == [401] * len(wrong)


@pytest.mark.parametrize("arguments, sentence", [
    (["--listen", "0.0.0.0:0"], "--public"), (["--listen", "[::]:0"], "--public"), (["--listen", "localhost:1"], "numeric"),
    (["--mode", "600"], "--unix"), (["--max-keys", "0"], "--max-keys"), (["--max-head", "1"], "--max-head"), (["x=y", "x=z"], "name"), (["--host", "http://geo.example/"], "--host"), (["--host", "geo.example:80"], "--host"),
    (["."], "name"), (["x="], "names no file")])
def test_wrong_options_are_explained(command, folder, arguments, sentence):
    result = command("serve", folder / "geo.fsdb", *arguments, code=USAGE)
    assert sentence in result.errors


def test_a_token_file_without_a_good_token_is_refused(command, folder, tmp_path):
    for text in ("", "short\n", "# only this\n", "with space in the token\n"):
        (tmp_path / "tokens").write_text(text)
        result = command("serve", folder / "geo.fsdb", "--token-file", tmp_path / "tokens", "--listen", "127.0.0.1:0", code=65)
        assert "token" in result.errors


def test_a_socket_in_the_file_system_has_its_rights_and_goes(command, folder, tmp_path):  # [HS23]
    path = tmp_path / "socket"
    server = Server(command.path, folder / "geo.fsdb", "--unix", path, "--mode", "620", listen=None)
    try:
        server.wait("listening")
        assert path.stat().st_mode & 0o777 == 0o620
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /v1/geo/get?key=a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert statuses(drain(connection)) == [200]
        # A second one finds it taken; a file that is no socket stays.
        assert "in use" in command("serve", folder / "geo.fsdb", "--unix", path).errors
    finally:
        server.end()
    assert not path.exists()
    path.write_text("mine")
    assert command("serve", folder / "geo.fsdb", "--unix", path).code != DONE and path.read_text() == "mine"


# --- requests that mean harm ---

GET = b"GET /v1/geo/get?key=a HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/geo/get HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("request_, wanted", [
    (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n\"a\"", 400),
    (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n\"a\"", 400),
    (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    (POST + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", 400),
    (POST + b"Content-Length: -1\r\n\r\n", 400),
    (POST + b"Content-Length: +3\r\n\r\n\"a\"", 400),
    (POST + b"Content-Length: 3 3\r\n\r\n\"a\"", 400),
    (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", (400, 413)),
    (POST + b"Content-Length: 65537\r\n\r\n", 413),
    (POST + b"Content-Length : 3\r\n\r\n\"a\"", 400),
    (GET + b"Content-Length: 5\r\n\r\nhello", 400),
    (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (GET + b"Host: localhost\r\n\r\n", 400),
    (b"GET /v1/geo/get?key=a HTTP/1.1\r\n\r\n", 400),
    (b"GET /v1/geo/get?key=a HTTP/1.0\r\nHost: localhost\r\n\r\n", 505),
    (b"GET /v1/geo/get?key=a HTTP/2.0\r\nHost: localhost\r\n\r\n", (400, 505)),
    (b"GET /v1/geo/get?key=a\r\nHost: localhost\r\n\r\n", (400, 505, None)),
    (b"GET http://evil.example/v1/geo/get?key=a HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
    (b"GET http://localhost/v1/geo/get?key=a HTTP/1.1\r\nHost: evil.example\r\n\r\n", (400, 421)),
    (b"GET https://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"DELETE /v1/geo/get?key=a HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"get /v1/geo/get?key=a HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"GET /v1/geo/get?key=\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /v1/geo/get?key=a#b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (GET + b"X: a\x01b\r\n\r\n", 400),
    (GET + b"X\x80: a\r\n\r\n", 400),
    (GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n", (413, 431)),
    (b"GET /v1/geo/get?key=" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (413, 414, 431)),
    (b"".join([GET] + [b"X-%d: y\r\n" % number for number in range(3000)]) + b"\r\n", (413, 431)),
])
def test_a_message_in_doubt_gets_one_error_and_the_connection_ends(server, request_, wanted):  # [HS24]
    # What follows would be taken for a request if the end of the first one were elsewhere. (libmicrohttpd answers some itself, with two heads.)
    data = server.raw(request_ + GET + b"\r\n")
    found = int(data[9:12]) if data.startswith(b"HTTP/1.1 ") else None
    assert found in (wanted if isinstance(wanted, tuple) else (wanted,)), data[:300]
    assert b"HTTP/1.1 200" not in data, data
    assert server.json("/v1/geo/get?key=a")["value"] == 1


@pytest.mark.parametrize("target, headers, status", [
    ("/v1/geo/get?key=" + "a" * 20_000, {}, 414), ("/v1/geo/get?key=a", {"X": "a" * 20_000}, 431), ("/v1/geo/get?key=" + "a" * 9000, {"X": "a" * 9000}, 431),
    ("/v1/geo/get?key=" + "a" * 15_000, {}, 404), ("/v1/geo/get?key=a", {"X": "a" * 15_000}, 200)])
def test_a_head_that_is_too_long_is_a_problem_document(server, target, headers, status):  # [HS14]
    found, answer, body = server.ask(target, headers=headers)
    assert found == status, body[:300]
    if status in (414, 431):
        problem = json.loads(body)
        assert answer["Content-Type"] == "application/problem+json" and answer["Connection"] == "close"
        assert (problem["status"], problem["code"]) == (status, "tooLong") and problem["title"] != "Error"


def test_a_target_with_a_zero_byte_reads_no_other_key(server):  # [HS24]
    data = server.raw(b"GET /v1/geo/get?key=a\0b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert not data or statuses(data)[0] in (400, 404, 505), data


def test_what_is_pipelined_is_answered_in_order(server):
    data = server.raw(GET + b"\r\n" + POST + b"Content-Length: 5\r\n\r\n[\"b\"]" + GET + b"\r\n" + GET + b"Connection: close\r\n\r\n")
    assert statuses(data) == [200] * 4


def test_a_chunked_body_is_taken_and_one_beyond_the_limit_is_not(server):  # [HS25]
    chunk = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (b'["a', b'","', b'b"]'))
    assert statuses(server.raw(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n")) == [200]
    long = b"10000\r\n" + b" " * 65536 + b"\r\n"
    assert statuses(server.raw(POST + b"Transfer-Encoding: chunked\r\n\r\n" + long + b"1\r\n \r\n0\r\n\r\n")) == [413]
    assert b"HTTP/1.1 200" not in server.raw(POST + b"Transfer-Encoding: chunked\r\n\r\n" + long * 40 + b"0\r\n\r\n")


def test_more_keys_than_are_allowed_are_413(server):  # [HS25]
    assert server.ask("/v1/geo/get", method="POST", body=json.dumps(["a"] * 500))[0] == 200
    status, _, body = server.ask("/v1/geo/get", method="POST", body=json.dumps(["a"] * 501))
    assert status == 413 and "keys" in json.loads(body)["detail"]
    # As many as are allowed, and something wrong after them: that is not too long.
    for body in (json.dumps(["a"] * 500) + " x", '"a"\n' * 499 + '"a" x'):
        assert server.ask("/v1/geo/get", method="POST", body=body)[0] == 400


def test_who_sends_a_byte_now_and_then_is_ended(server):  # [HS26]
    """The server waits 2 seconds: for a head, and then for a body; a byte in between makes it no longer."""
    for start in (b"", GET, POST + b"Content-Length: 1000\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(start)
            connection.settimeout(0.2)
            ended = False
            for _ in range(60):
                try:
                    connection.sendall(b"X" if start else b"G")
                    if connection.recv(10) == b"":
                        ended = True
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    ended = True
                    break
            assert ended, f"a connection stays open after {start[:20]!r}"


def test_idle_connections_do_not_keep_others_out(command, folder):  # [HS26]
    with serving(command.path, folder / "geo.fsdb", "--max-connections", "50") as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
        try:
            for _ in range(20):
                assert server.json("/v1/geo/get?key=a")["value"] == 1
            text = server.ask("/metrics")[2].decode()
            count = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("fusedb_serve_open_connections"))
            assert count <= 60, count
        finally:
            for connection in idle:
                connection.close()


def test_ten_thousand_idle_connections_do_not_stop_it(command, folder):  # [HS26]
    """Half of them said nothing, half of them asked once; both sides have limits of their own on descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    idle = []
    try:
        with serving(command.path, folder / "geo.fsdb", "--timeout", "10m") as server:
            for number in range(count):
                idle.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
                if number % 2:
                    idle[-1].sendall(GET + b"\r\n")
                    assert idle[-1].recv(65536).startswith(b"HTTP/1.1 200")
            assert server.json("/v1/geo/get?key=a")["value"] == 1
            # The last ones may still wait to be accepted.
            end = time.monotonic() + 60
            while (taken := server.resident())[1] < count and time.monotonic() < end:
                time.sleep(0.05)
            memory, descriptors = taken
            assert descriptors >= count and memory < 600 << 20, (memory, descriptors)
            # None was closed in secret.
            for connection in random.sample(idle, 100):
                connection.sendall(GET + b"\r\n")
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_spoilt_requests_leave_it_right(server):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    hostile_serve.attack(server.port, 1500, seed)
    assert server.json("/v1/geo/get?key=a")["value"] == 1


def test_memory_and_descriptors_stay(server):
    def load(count):
        for number in range(count):
            server.ask("/v1/geo/get?key=a")
            server.ask("/v1/geo/get", method="POST", body=json.dumps(["a"] * 400))
            server.ask("/v1/geo/prefix?limit=3")
            server.raw(b"GET / HTTP/1.1\r\n\r\n")

    load(100)
    before = server.resident()
    load(300)
    after = server.resident()
    assert after[1] <= before[1] + 2 and after[0] <= before[0] + (4 << 20), (before, after)


# --- the end ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_end_and_takes_no_more(command, folder, number):  # [HS27]
    server = Server(command.path, folder / "geo.fsdb")
    try:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        # Half a request is on its way.
        connection.sendall(POST + b"Content-Length: 5\r\n\r\n[\"b")
        time.sleep(0.3)
        server.process.send_signal(number)
        time.sleep(0.5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        connection.sendall(b"\"]")
        data = drain(connection)
        assert statuses(data) == [200] and b"Connection: close" in data
    finally:
        server.end(number)


def test_the_access_log_has_a_line_of_json_for_each_request(command, folder, tmp_path):  # [HS28]
    log = tmp_path / "log"
    with serving(command.path, folder / "geo.fsdb", "--access-log", log) as server:
        server.ask("/v1/geo/get?key=%22%0a")
        server.ask("/v1/geo/get", method="POST", body='["a"]')
        server.ask("/v1/", method="HEAD")
        server.ask("/v1/", method="DELETE")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted((row["method"], row["target"], row["status"]) for row in rows) == [
        ("GET", "/v1/geo/get?key=%22%0a", 404), ("HEAD", "/v1/", 200), ("POST", "/v1/geo/get", 200), ("other", "/v1/", 405)]
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_bytes_of_the_log_and_of_the_metrics_are_those_that_were_sent(command, tmp_path):  # [HS15] [HS28]
    path, log = build(command, tmp_path / "long.fsdb", {"a": "x" * 10_000}), tmp_path / "log"
    with serving(command.path, path, "--access-log", log) as server:
        asked = [("/v1/long/get?key=a", "GET", None), ("/v1/long/get?key=a", "HEAD", None), ("/v1/long/get", "POST", json.dumps(["a"] * 200))]
        sizes = [len(server.ask(target, method=method, body=body)[2]) for target, method, body in asked]
        # An answer is counted after its last byte was sent; pages of counters that were asked for before count, too.
        end, counters = time.monotonic() + 60, 0
        while True:
            text = server.ask("/metrics")[2].decode()
            if f"fusedb_serve_answer_bytes_total {sum(sizes) + counters}\n" in text or time.monotonic() > end:
                break
            counters += len(text.encode())
            time.sleep(0.05)
    assert sizes[2] > 2_000_000, "too short to be streamed"
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(row["bytes"] for row in rows if row["target"] != "/metrics") == sorted(sizes)
    assert f"fusedb_serve_answer_bytes_total {sum(sizes) + counters}\n" in text


# --- the description of the interface ---


def test_the_description_has_the_limits_of_this_server(server, command, folder):  # [HS18]
    limit = server.json("/openapi.json")["components"]["parameters"]["limit"]["schema"]
    assert (limit["maximum"], limit["default"]) == (500, 100)
    with serving(command.path, folder / "geo.fsdb", "--max-keys", "7") as other:
        limit = other.json("/openapi.json")["components"]["parameters"]["limit"]["schema"]
        assert (limit["maximum"], limit["default"]) == (7, 7)


def test_the_interface_is_what_its_description_says(server, tmp_path):  # [HS18]
    schemathesis = ROOT / ".venv" / "bin" / "schemathesis"
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
    result = subprocess.run(
        [Path(sys.executable).parent / schemathesis.name, "run", server.url + "openapi.json", "--checks", checks, "--max-examples", "25", "--phases",
         "examples,coverage,fuzzing", "--no-color", "--workers", "2", "--exclude-checks", "unsupported_method"],
        capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]

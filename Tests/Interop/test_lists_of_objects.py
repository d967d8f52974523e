"""--on-duplicate collect: every key has the list of the objects of its additions, in their order. And fields that lie inside of others."""

import json
import random

import msgpack
import pytest

from conftest import BAD_DATA, DONE, USAGE
from test_documents import build, mapping, text  # noqa: F401

COLLECT = ["--key", "id", "--on-duplicate", "collect"]


def lines(records):
    return b"".join(text(record) + b"\n" for record in records)


def collected(records):
    lists = {}
    for record in records:
        for key in record["id"] if isinstance(record["id"], list) else [record["id"]]:
            lists.setdefault(key, []).append({name: value for name, value in record.items() if name != "id"})
    return lists


def test_every_key_has_the_list_of_its_objects_in_their_order(build):
    records = [{"id": "a", "n": 1}, {"id": ["b", "a"], "n": 2}, {"id": "a", "n": 1}, {"id": ["c", "c"], "n": [3]}]
    assert build(*COLLECT, stdin=lines(records)) == {
        "a": [{"n": 1}, {"n": 2}, {"n": 1}], "b": [{"n": 2}], "c": [{"n": [3]}, {"n": [3]}]}  # fmt: skip


def test_lines_of_the_native_form_and_inputs_are_collected_in_their_order(build, tmp_path):
    (tmp_path / "a.csv").write_text("id,n\nk,1\nl,2\n")
    (tmp_path / "b.ndjson").write_text('{"keys":["k","m"],"value":7}\n{"keys":[],"value":8}\n{"id":"l","n":null}\n')
    assert build("a.csv", "b.ndjson", *COLLECT) == {"k": [{"n": "1"}, 7], "l": [{"n": "2"}, {"n": None}], "m": [7]}
    assert build("b.ndjson", "a.csv", *COLLECT) == {"k": [7, {"n": "1"}], "l": [{"n": None}, {"n": "2"}], "m": [7]}


def test_the_report_counts_what_shares_a_list(build, command, tmp_path):
    data = lines([{"id": "a", "n": 1}, {"id": "a", "n": 2}, {"id": "b", "n": 1}, {"id": "b", "n": 2}, {"id": "c", "n": 1}])
    result = command("build", "-o", tmp_path / "a.fsdb", *COLLECT, stdin=data, code=DONE)
    assert "3 keys -> 2 objects" in result.errors and "2 additions of a key that was there already; each key has a list" in result.errors
    report = command("build", "-o", tmp_path / "a.fsdb", *COLLECT, "--json", stdin=data, code=DONE).json
    assert (report["keys"], report["objects"], report["duplicateKeys"], report["records"]) == (3, 2, 2, 5)
    command("verify", tmp_path / "a.fsdb", code=DONE)


@pytest.mark.parametrize("form", ["many keys", "long lists", "long objects"])
def test_the_bytes_depend_on_neither_threads_nor_memory(command, tmp_path, form):
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    keys, size, count = {"many keys": (3000, 60, 8_000), "long lists": (15, 40, 12_000), "long objects": (200, 20_000, 600)}[form]
    records = [{"id": f"k{rng.randrange(keys)}", "n": number % 50, "t": rng.randbytes(rng.randrange(size) // 2).hex()} for number in range(count)]
    (tmp_path / "in.ndjson").write_bytes(lines(records))
    expected, files = collected(records), {}
    for options in (["--threads", "1"], ["--threads", "3"], ["--threads", "1", "--memory", "16M"], ["--threads", "4", "--memory", "16M"]):
        out = tmp_path / "out.fsdb"
        report = command("build", "-o", out, "in.ndjson", *COLLECT, *options, "--record-limit", "4M", "--json", cwd=tmp_path, code=DONE).json
        files[" ".join(options)] = out.read_bytes()
        if form == "long objects" and "16M" in options:
            assert report["spilledBytes"] > 0, "this is to be about what goes to the temporary file"
    assert len(set(files.values())) == 1, (seed, {name: len(data) for name, data in files.items()})
    assert mapping(command, tmp_path / "out.fsdb") == expected, seed
    command("verify", tmp_path / "out.fsdb", code=DONE)


def test_a_list_is_no_longer_than_a_record_may_be(build):
    data = lines([{"id": "a", "t": "x" * 1000} for _ in range(200)] + [{"id": "b", "t": ""}])
    result = build(*COLLECT, "--record-limit", "100K", stdin=data, code=BAD_DATA)
    assert 'the objects of the key "a" have more than 102400 bytes together' in result.errors, result
    assert len(build(*COLLECT, "--record-limit", "250K", stdin=data)["a"]) == 200


def test_a_list_is_a_level_of_nesting(build):
    deep = b'{"id":"a","v":' + b"[" * 127 + b"]" * 127 + b"}\n"
    assert "a" in build("--key", "id", stdin=deep)
    assert 'the list of the objects of the key "a" is no value' in build(*COLLECT, stdin=deep, code=BAD_DATA).errors


def test_what_has_no_lists_is_refused(build):
    assert "--on-duplicate collect makes new objects" in build(*COLLECT, "--order", "insertion", code=USAGE).errors
    assert "--on-duplicate collect is for keys" in build("--range", "a,b", "--on-duplicate", "collect", code=USAGE).errors


def test_blocks_of_addresses_have_lists_too(build, command, tmp_path):
    data = lines([{"id": "8.8.8.0/24", "n": 1}, {"id": "8.8.0.0/16", "n": 2}, {"id": "8.8.8.0/24", "n": 3}])
    build(*COLLECT, stdin=data)
    assert command("get", tmp_path / "out.fsdb", "8.8.8.8", code=DONE).lines == [b'8.8.8.0/24\t[{"n":1},{"n":3}]']


# --- fields inside of others ---

NESTED = {"id": {"main": "a", "more": ["b", "c"]}, "geo": {"country": "DE", "city": {"name": "Köln", "zip": [1, 2, 3]}}, "tags": ["x", "y", {"z": 1}], "n": 1}
CASES = [
    (["--key", "id.main"], ["a"], {**NESTED, "id": {"more": ["b", "c"]}}),
    (["--key", "id.main", "--key", "id.more"], ["a", "b", "c"], {**NESTED, "id": {}}),
    (["--key", "id.more.1"], ["c"], {**NESTED, "id": {"main": "a", "more": ["b"]}}),
    (["--key", "id.main", "--keep", "geo.country"], ["a"], {"geo": {"country": "DE"}}),
    (["--key", "id.main", "--keep", "n", "--keep", "geo.city.name", "--keep", "geo.country"], ["a"], {"geo": {"country": "DE", "city": {"name": "Köln"}}, "n": 1}),
    (["--key", "id.main", "--keep", "tags.1", "--keep", "geo.city.zip.0"], ["a"], {"geo": {"city": {"zip": [1]}}, "tags": ["y"]}),
    (["--key", "id.main", "--keep", "tags.2.z"], ["a"], {"tags": [{"z": 1}]}),
    (["--key", "id.main", "--keep", "geo", "--drop", "geo.city.zip"], ["a"], {"geo": {"country": "DE", "city": {"name": "Köln"}}}),
    (["--key", "id.main", "--drop", "id", "--drop", "geo", "--drop", "tags"], ["a"], {"n": 1}),
    (["--key", "id.main", "--drop", "id", "--drop", "geo.city", "--drop", "tags.0", "--drop", "tags.2"], ["a"], {"geo": {"country": "DE"}, "tags": ["y"], "n": 1}),
    (["--key", "id.main", "--keep", "id.main", "--keep", "n"], ["a"], {"id": {"main": "a"}, "n": 1}),
]  # fmt: skip


@pytest.mark.parametrize("options, keys, value", CASES)
def test_fields_inside_of_others_are_named_by_paths(build, options, keys, value):
    expected = {key: value for key in keys}
    assert build(*options, stdin=text(NESTED) + b"\n") == expected
    assert build(*options, "--format", "json", stdin=text([NESTED], indent=2)) == expected
    assert build(*options, "--format", "msgpack", stdin=msgpack.packb(NESTED)) == expected


def test_a_field_of_the_record_itself_comes_before_a_path(build):
    records = [{"a.b": "x", "a": {"b": "y"}, "n": 1}, {"a": {"b": "z"}, "n": 2}]
    assert build("--key", "a.b", stdin=lines(records)) == {"x": {"a": {"b": "y"}, "n": 1}, "z": {"a": {}, "n": 2}}
    assert build("--key", r"a\.b", stdin=lines(records[:1])) == {"x": {"a": {"b": "y"}, "n": 1}}
    assert build("--key", "a.b", "--keep", "a.b", stdin=lines(records)) == {"x": {"a.b": "x"}, "z": {"a": {"b": "z"}}}
    assert build("--key", "n", "--drop", "a.b", stdin=lines(records)) == {"1": {"a": {"b": "y"}}, "2": {"a": {}}}


def test_columns_have_names_and_no_paths(build):
    table = b"id,a.b,a\nk,1,2\n"
    assert build("--format", "csv", "--key", "id", "--keep", "a.b", stdin=table) == {"k": {"a.b": "1"}}
    assert build("--format", "csv", "--key", "a.b", "--drop", "a", stdin=table) == {"1": {"id": "k"}}
    assert 'there is no column "a.c", which --drop names' in build("--format", "csv", "--key", "id", "--drop", "a.c", stdin=table, code=BAD_DATA).errors


def test_ranges_may_lie_inside_of_others(build):
    data = lines([{"net": {"from": "1.0.0.0", "to": "1.0.0.255", "as": 7}, "n": 1}])
    assert build("--range", "net.from,net.to", stdin=data) == {"1.0.0.0/24": {"net": {"as": 7}, "n": 1}}
    assert '"net.to" is missing' in build("--range", "net.from,net.to", stdin=lines([{"net": {"from": "1.0.0.0"}}]), code=BAD_DATA).errors


def test_spelled_values_are_whole(build):
    data = b'{"id":"a","v":{"$map":[["b",1]]},"w":{"$bin":"00"}}\n{"id":"b","v":{"b":2,"c":3},"w":1}\n'
    assert build("--key", "id", "--drop", "v.b", stdin=data) == {"a": {"v": {"b": 1}, "w": {"$bin": "00"}}, "b": {"v": {"c": 3}, "w": 1}}


def test_a_path_that_leads_nowhere_in_any_record_is_refused(build):
    for option in ("--keep", "--drop"):
        result = build("--key", "id.main", option, "geo.town", stdin=text(NESTED), code=BAD_DATA)
        assert f'no record has the field "geo.town", which {option} names' in result.errors, result
        build("--key", "id.main", option, "geo.town", "--allow-missing", stdin=text(NESTED))
    assert 'the record gives no key: "id.none" is missing' in build("--key", "id.none", stdin=text(NESTED), code=BAD_DATA).errors
    # Without --key they are fields of the values, and there is no record that could have them.
    build("--drop", "a", "--allow-empty", stdin=b"")

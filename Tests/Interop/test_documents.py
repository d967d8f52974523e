"""JSON documents as inputs of build: arrays of records, arrays inside of documents, objects over several lines; and xz and bzip2 around any input."""

import bz2
import json
import lzma
import random
import subprocess

import pytest

from conftest import BAD_DATA, DONE, USAGE

RECORDS = [{"id": "a", "n": 1, "t": 'x"y\\z,]}'}, {"id": "b", "n": [1, {"m": "]"}]}, {"id": "c", "n": {"é": "\u2028"}}]
VALUES = {record["id"]: {name: value for name, value in record.items() if name != "id"} for record in RECORDS}


@pytest.fixture
def build(command, tmp_path):
    """Builds from bytes on standard input, or from named files, and gives the mapping."""
    out = tmp_path / "out.fsdb"

    def run(*arguments, stdin=b"", code=DONE):
        out.unlink(missing_ok=True)
        result = command("build", "-o", out, *arguments, stdin=stdin, cwd=tmp_path, code=code)
        if code != DONE:
            assert not out.exists(), "a build that failed left an output"
            return result
        return mapping(command, out)

    return run


def mapping(command, path):
    rows = (json.loads(line) for line in command("dump", path, code=DONE).lines)
    return {key: row["value"] for row in rows for key in row["keys"]}


def text(value, **options):
    return json.dumps(value, ensure_ascii=False, **options).encode()


FORMS = {
    "one line": text(RECORDS),
    "no spaces": text(RECORDS, separators=(",", ":")),
    "a record a line": b"[\n" + b",\n".join(map(text, RECORDS)) + b"\n]\n",
    "over several lines": text(RECORDS, indent=2),
    "with tabs and carriage returns": text(RECORDS, indent="\t").replace(b"\n", b"\r\n"),
    "with a mark and spaces around": b"\xef\xbb\xbf \n\n" + text(RECORDS, indent=1) + b"\n \n",
}


@pytest.mark.parametrize("form", FORMS)
def test_an_array_is_its_elements(build, tmp_path, form):
    (tmp_path / "in.json").write_bytes(FORMS[form])
    assert build("in.json", "--key", "id") == VALUES
    assert build("--key", "id", stdin=FORMS[form]) == VALUES
    assert build("--format", "json", "--key", "id", stdin=FORMS[form]) == VALUES
    assert build("json:-", "--key", "id", stdin=FORMS[form]) == VALUES


def test_an_array_may_hold_records_of_the_native_form(build):
    lines = [{"keys": ["a", "b"], "value": [1]}, {"keys": [], "value": 2}, {"value": None, "keys": ["c"]}]
    assert build(stdin=text(lines, indent=4)) == {"a": [1], "b": [1], "c": None}


def test_the_same_records_give_the_same_file_in_any_form(build, command, tmp_path):
    files = []
    for form in [b"\n".join(map(text, RECORDS)), *FORMS.values()]:
        build("--key", "id", stdin=form)
        files.append((tmp_path / "out.fsdb").read_bytes())
    assert len(set(files)) == 1


def test_objects_may_follow_each_other_over_any_number_of_lines(build):
    assert build("--format", "json", "--key", "id", stdin=b"\n".join(text(record, indent=3) for record in RECORDS)) == VALUES
    assert build("--format", "json", "--key", "id", stdin=b"".join(map(text, RECORDS))) == VALUES


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "path, document",
    [
        ("data", {"data": RECORDS}),
        ("data", {"before": [1, "]", {"data": 2}], "t": "\\\"{", "data": RECORDS, "after": {"data": [1]}}),
        ("a.b.c", {"a": {"c": 0, "b": {"b": 1, "c": RECORDS, "d": 3}}, "z": [[]]}),
        ("list.1", {"list": [{"x": [1, 2]}, RECORDS, []]}),
        ("1.items", [[3, 4], {"items": RECORDS}, 5]),
        (r"a\.b", {"a": {"b": [1]}, "a.b": RECORDS}),
        ("é", {"x": 1, "é": RECORDS}),
    ],
)
def test_an_array_inside_of_a_document_is_named_by_its_path(build, path, document, indent):
    assert build("--records", path, "--key", "id", stdin=text(document, indent=indent)) == VALUES
    assert build("--records", path, "--key", "id", stdin=json.dumps(document, indent=indent).encode()) == VALUES


def test_an_empty_array_has_no_records(build):
    for empty in (b"[]", b" [ \n ] \n", b'{"a":[]}'):
        assert build("--records" if b"a" in empty else "--format", "a" if b"a" in empty else "json", "--allow-empty", "--key", "id", stdin=empty) == {}


@pytest.mark.parametrize("size", [70_000, 300_000])
def test_a_large_array_is_read_on_all_threads_and_in_little_memory(build, command, tmp_path, size):
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    records, total = [], 0
    while total < size:
        record = {"id": f"k{len(records)}", "s": "\\\"[]{},é"[rng.randrange(8) :] * rng.choice([0, 1, 5, 40]), "n": [len(records)] * rng.randrange(3)}
        records.append(record)
        total += len(text(record))
    expected = {record["id"]: {"s": record["s"], "n": record["n"]} for record in records}
    (tmp_path / "in.json").write_bytes(text(records, indent=rng.choice([None, 1])))
    for threads in ("1", "2", "4"):
        assert build("in.json", "--key", "id", "--threads", threads, "--memory", "32M") == expected, seed
    (tmp_path / "deep.json").write_bytes(text({"skip": records, "data": {"records": records}, "rest": records}))
    assert build("deep.json", "--records", "data.records", "--key", "id", "--memory", "32M") == expected, seed


BAD = {
    "cut in a record": (b'[{"id":"a"},\n {"id":"b"', "in.json:2: record 2", "the text ends inside of the array"),
    "cut between records": (b'[{"id":"a"},\n', "in.json:2: record 2", "the text ends inside of the array"),
    "cut before the bracket": (b'[{"id":"a"}\n', "in.json:", "the text ends inside of the array"),
    "no value between commas": (b'[{"id":"a"},\n,{"id":"b"}]', "in.json:2: record 2", "a value is missing at column 1"),
    "a comma at the end": (b'[{"id":"a"},\n ]', "in.json:2: record 2", "a value is missing at column 2, after the last ','"),
    "no comma": (b'[{"id":"a"}\n {"id":"b"}]', "in.json:1: record 1", "not JSON at line 2, column 2: more follows the value"),
    "a brace too many": (b'[{"id":"a"}}]', "in.json:1: record 1", "not JSON at line 1, column 12: more follows the value"),
    "a bad record": (b'[{"id":"a"},\n{"id":"b",\n  "n":01}]', "in.json:2: record 2", "not JSON at line 3, column 7: a number does not begin"),
    "a bad record in one line": ('[{"id":"é"},  {"id":nul}]'.encode(), "in.json:1: record 2", "not JSON at line 1, column 21"),
    "a record that is none": (b'[{"id":"a"}, 7]', "in.json:1: record 2", "a record is a JSON object, and here one is an integer"),
    "no key": (b'[{"id":"a"},\n\n{"n":7}]', "in.json:3: record 2", "the record gives no key"),
    "more after the array": (b'[{"id":"a"}]\n [{"id":"b"}]', "in.json:2", "more follows the document"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_an_array_is_said_with_its_place(build, tmp_path, name):
    data, place, words = BAD[name]
    (tmp_path / "in.json").write_bytes(data)
    result = build("in.json", "--key", "id", code=BAD_DATA)
    assert place in result.errors and words in result.errors, result


@pytest.mark.parametrize(
    "path, document, words",
    [
        ("data", {"items": [], "rest": 1}, "there is no data in the document; there is \"items\" and \"rest\""),
        ("a.b", {"a": {"c": 1}}, "there is no a.b in the document; there is \"c\""),
        ("a.b", {"a": 7}, "there is no a.b in the document"),
        ("a", {"a": {"b": []}}, "the path of the records leads to no array"),
        ("1", [[]], "there is no 1 in the document"),
        ("a", {}, "there is no a in the document"),
        ("a", [], "there is no a in the document"),
    ],
)
def test_a_path_that_leads_to_no_array_is_said(build, path, document, words):
    result = build("--records", path, "--key", "id", stdin=text(document), code=BAD_DATA)
    assert words in result.errors, result


def test_a_document_that_is_cut_after_its_records_is_refused(build):
    document = text({"data": RECORDS, "rest": {"a": "x"}})
    end = document.index(b"]", document.rindex(b"\xe2\x80\xa8")) + 1
    for count in range(end, len(document), 3):
        assert "the text ends inside of the document" in build("--records", "data", "--key", "id", stdin=document[:count], code=BAD_DATA).errors
    for count in range(1, end, 7):
        build("--records", "data", "--key", "id", stdin=document[:count], code=BAD_DATA)


def test_records_is_for_json(build, tmp_path):
    (tmp_path / "in.csv").write_text("id\na\n")
    assert "--records is for JSON" in build("in.csv", "--key", "id", "--records", "a", code=USAGE).errors
    assert "--records takes the path" in build("--key", "id", "--records", "", code=USAGE).errors


def test_a_key_that_comes_twice_is_told_by_the_numbers_of_its_records(build):
    data = text([{"id": "a", "n": 1}, {"id": "b"}, {"id": "a", "n": 2}])
    result = build("--key", "id", "--on-duplicate", "error", stdin=data, code=BAD_DATA)
    assert "standard input: record 3" in result.errors and "at standard input: record 1" in result.errors
    assert build("--key", "id", stdin=data)["a"] == {"n": 2}
    assert build("--key", "id", "--on-duplicate", "first", stdin=data)["a"] == {"n": 1}


def test_a_record_that_is_too_long_is_refused_before_it_takes_memory(build):
    data = b'[{"id":"a"},{"id":"' + b"x" * 5_000_000 + b'"}]'
    result = build("--key", "id", "--record-limit", "1M", stdin=data, code=BAD_DATA)
    assert "standard input:1: record 2: the record is longer than 1.0 MB" in result.errors, result
    result = build("--records", "data", "--key", "id", "--record-limit", "100", stdin=b'{"x":"' + b"y" * 10_000 + b'","data":[{"id":"a"}]}')
    assert result == {"a": {}}


# --- packed ---

PACKED = {
    "xz": lzma.compress,
    "xz -9": lambda data: lzma.compress(data, preset=9),
    "xz without a checksum": lambda data: lzma.compress(data, check=lzma.CHECK_NONE),
    "xz with SHA-256": lambda data: lzma.compress(data, check=lzma.CHECK_SHA256),
    "bzip2": bz2.compress,
    "bzip2 -1": lambda data: bz2.compress(data, 1),
}
LINES = b"".join(b'{"id":"%d","v":"%s"}\n' % (i, random.Random(i).randbytes(20).hex().encode()) for i in range(4_000))


@pytest.mark.parametrize("kind", PACKED)
def test_packed_data_is_known_by_its_content_and_read_to_its_end(build, tmp_path, kind):
    pack = PACKED[kind]
    expected = build("--key", "id", stdin=LINES)
    assert len(expected) == 4_000
    (tmp_path / "in").write_bytes(pack(LINES))
    assert build("in", "--key", "id") == expected
    assert build("--key", "id", stdin=pack(LINES[:100_000]) + pack(b"") + pack(LINES[100_000:])) == expected


@pytest.mark.parametrize("ending, pack", [("xz", lzma.compress), ("bz2", bz2.compress)])
def test_the_name_before_the_ending_tells_the_format(build, tmp_path, ending, pack):
    (tmp_path / f"in.csv.{ending}").write_bytes(pack(b"id,n\na,1\n"))
    assert build(f"in.csv.{ending}", "--key", "id") == {"a": {"n": "1"}}


@pytest.mark.parametrize("pack, name", [(lzma.compress, "xz"), (bz2.compress, "bzip2")])
def test_packed_data_that_is_cut_damaged_or_followed_by_more_is_refused(build, pack, name):
    whole = pack(LINES[:2000])
    for count in (12, len(whole) // 2, len(whole) - 1):
        assert f"the {name} data ends in its middle" in build("--key", "id", stdin=whole[:count], code=BAD_DATA).errors
        assert f"the {name} data ends in its middle" in build("--key", "id", stdin=whole + whole[:count], code=BAD_DATA).errors
    damaged = whole[:60] + bytes([whole[60] ^ 1]) + whole[61:]
    assert f"the {name} data is damaged" in build("--key", "id", stdin=damaged, code=BAD_DATA).errors
    assert f"bytes that are not {name} data follow" in build("--key", "id", stdin=whole + b"more", code=BAD_DATA).errors
    assert f"this is packed twice, the last time by {name}" in build("--key", "id", stdin=lzma.compress(whole), code=BAD_DATA).errors


def dictionary(size, data):
    return lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": size}])


def test_a_dictionary_counts_by_what_is_filled_of_it(build):
    # A dictionary of 64 MiB, which is never filled: so little memory is enough.
    assert len(build("--key", "id", "--memory", "32M", stdin=dictionary(64 << 20, LINES))) == 4_000
    bomb = dictionary(64 << 20, b"".join(b'{"id":"%d"}' % i + b" " * 65_000 + b"\n" for i in range(1000)))
    result = build("--key", "id", "--memory", "32M", stdin=bomb, code=BAD_DATA)
    assert "unpacking the xz data takes" in result.errors, result
    assert len(build("--key", "id", "--memory", "1G", stdin=bomb)) == 1000


def test_a_dictionary_of_more_than_128_mebibytes_is_refused(build):
    result = build("--key", "id", stdin=dictionary(1536 << 20, LINES[:2000]), code=BAD_DATA)
    assert "the xz data needs a dictionary of more than 128 MiB" in result.errors, result


def test_what_several_threads_of_xz_packed_is_read(build):
    packed = subprocess.run(["xz", "-c", "-T4", "--block-size=100KiB"], input=LINES, capture_output=True, check=True).stdout
    assert len(build("--key", "id", stdin=packed)) == 4_000

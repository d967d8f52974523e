"""What build reads: NDJSON, CSV and TSV, from files and standard input, plain and packed by gzip or zstd; and what it refuses."""

import gzip
import json
import os
import re
import subprocess

import msgpack
import pytest

from conftest import BAD_DATA, DONE, USAGE
from spelling import line, unspell

NATIVE = b'{"keys":["a","b"],"value":{"n":1}}\n{"keys":["c"],"value":"text"}\n'
NATIVE_MAPPING = {"a": '{"n":1}', "b": '{"n":1}', "c": '"text"'}


@pytest.fixture
def build(command, tmp_path):
    """Builds from bytes on standard input, or from named files, and gives the mapping: text keys, values as JSON text."""
    out = tmp_path / "out.fsdb"

    def run(*arguments, stdin=b"", code=DONE):
        result = command("build", out, *arguments, stdin=stdin, cwd=tmp_path, code=code)
        if code != DONE:
            assert not out.exists(), "a build that failed left an output"
            return result
        return values(command, out)

    return run


def values(command, path):
    """{key: value as JSON text}, as prefix prints them."""
    rows = (text.decode().split("\t", 1) for text in command("prefix", path, "", code=DONE).lines)
    return {key: value for key, value in rows}


def expected(mapping):
    """A mapping to compare: order of keys does not matter, text of values does."""
    return dict(sorted(mapping.items()))


def refused(result, place, *words):
    """The message names file and line, and says why."""
    assert place in result.errors, result
    assert any(word.lower() in result.errors.lower() for word in words) or not words, result
    assert result.out == b""


# --- where input comes from ---


def test_native_lines_from_standard_input(build):
    assert build(stdin=NATIVE) == NATIVE_MAPPING
    assert build("-", stdin=NATIVE) == NATIVE_MAPPING


@pytest.mark.parametrize("name", ["in.ndjson", "in.jsonl", "in.json", "in.txt", "in"])
def test_native_lines_from_a_file(build, tmp_path, name):
    (tmp_path / name).write_bytes(NATIVE)
    assert build(name) == NATIVE_MAPPING


def test_several_files_and_standard_input_in_order(build, tmp_path):
    (tmp_path / "a.ndjson").write_bytes(line([b"k", b"a"], b"\x01"))
    (tmp_path / "b.csv").write_text("id,x\nk,2\nb,2\n")
    assert build("a.ndjson", "-", stdin=line([b"k", b"c"], b"\x03")) == {"k": "3", "a": "1", "c": "3"}
    assert build("-", "a.ndjson", stdin=line([b"k", b"c"], b"\x03")) == {"k": "1", "a": "1", "c": "3"}


def test_records_from_files_of_different_forms(build, tmp_path):
    (tmp_path / "a.ndjson").write_text('{"id":"a","x":"1"}\n')
    (tmp_path / "b.csv").write_text("id,x\nb,2\n")
    (tmp_path / "c.tsv").write_text("id\tx\nc\t3\n")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"id,x\nd,4\n"))
    assert build("a.ndjson", "b.csv", "c.tsv", "d.csv.gz", "--key", "id") == {
        "a": '{"x":"1"}',
        "b": '{"x":"2"}',
        "c": '{"x":"3"}',
        "d": '{"x":"4"}',
    }


@pytest.mark.parametrize("name", ["in.ndjson.gz", "in.jsonl.gz", "in.gz", "in.ndjson", "in"])
def test_gzip_is_known_by_its_content(build, tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(NATIVE))
    assert build(name) == NATIVE_MAPPING


def test_gzip_on_standard_input(build):
    assert build(stdin=gzip.compress(NATIVE)) == NATIVE_MAPPING


def test_gzip_of_several_members_is_read_to_its_end(build):
    first, second = NATIVE[:30], NATIVE[30:]
    assert build(stdin=gzip.compress(first) + gzip.compress(second)) == NATIVE_MAPPING
    assert build(stdin=gzip.compress(b"") + gzip.compress(NATIVE) + gzip.compress(b"")) == NATIVE_MAPPING


def test_a_large_gzip_is_read_whole(build, tmp_path):
    lines = b"".join(line([b"%d" % i], b"\x01") for i in range(50_000))
    (tmp_path / "in.ndjson.gz").write_bytes(gzip.compress(lines[:700_000]) + gzip.compress(lines[700_000:]))
    assert len(build("in.ndjson.gz")) == 50_000


def damaged_gzips():
    whole = gzip.compress(NATIVE)
    flipped = bytearray(whole)
    flipped[-6] ^= 1
    return {
        "cut in its data": whole[: len(whole) // 2],
        "cut before its trailer": whole[:-8],
        "cut in its trailer": whole[:-1],
        "cut in its header": whole[:6],
        "a wrong checksum": bytes(flipped),
        "a second member cut": whole + whole[:-4],
        "rubbish inside": whole[:14] + b"\xff\x00\xff" + whole[17:],
    }


@pytest.mark.parametrize("damage", damaged_gzips())
def test_a_damaged_gzip_is_bad_data(build, tmp_path, damage):
    (tmp_path / "in.ndjson.gz").write_bytes(damaged_gzips()[damage])
    refused(build("in.ndjson.gz", code=BAD_DATA), "in.ndjson.gz", "gzip", "compressed")


def zstd(data, *options):
    """What the command `zstd` makes of bytes on its standard input."""
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("name", ["in.ndjson.zst", "in.zst", "in.gz", "in"])
def test_zstd_is_known_by_its_content(build, tmp_path, name):
    (tmp_path / name).write_bytes(zstd(NATIVE))
    assert build(name) == NATIVE_MAPPING


def test_zstd_on_standard_input_and_of_several_frames(build):
    assert build(stdin=zstd(NATIVE)) == NATIVE_MAPPING
    assert build(stdin=zstd(NATIVE[:30]) + zstd(b"") + zstd(NATIVE[30:], "--no-check")) == NATIVE_MAPPING


def test_a_table_behind_zst_is_known_by_its_name(build, tmp_path):
    (tmp_path / "in.csv.zst").write_bytes(zstd(b"id,x\na,1\n"))
    assert build("in.csv.zst", "--key", "id") == {"a": '{"x":"1"}'}


@pytest.mark.parametrize("options", [["-1"], ["-19"], ["--long=27"], ["-3", "--no-check"]])
def test_a_large_zstd_is_read_whole(build, tmp_path, options):
    lines = b"".join(line([b"%d" % i], b"\x01") for i in range(50_000))
    (tmp_path / "in.zst").write_bytes(zstd(lines[:700_000], *options) + zstd(lines[700_000:], *options))
    assert len(build("in.zst")) == 50_000


def test_a_zstd_window_beyond_128_mebibytes_is_refused(build, tmp_path):
    (tmp_path / "in.zst").write_bytes(zstd(NATIVE, "--long=28"))
    refused(build("in.zst", code=BAD_DATA), "in.zst: the zstd data needs a window of more than 128 MiB")


def damaged_zstds():
    whole = zstd(NATIVE)
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    return {
        "cut in its data": whole[: len(whole) // 2],
        "cut in its checksum": whole[:-1],
        "a wrong checksum": bytes(flipped),
        "a second frame cut": whole + whole[:-4],
        "something else after it": whole + NATIVE,
        "gzip after it": whole + gzip.compress(NATIVE),
    }


@pytest.mark.parametrize("damage", damaged_zstds())
def test_a_damaged_zstd_is_bad_data(build, tmp_path, damage):
    (tmp_path / "in.ndjson.zst").write_bytes(damaged_zstds()[damage])
    refused(build("in.ndjson.zst", code=BAD_DATA), "in.ndjson.zst", "zstd data")


@pytest.mark.parametrize("arguments", [[], ["--format", "ndjson"]])
def test_nothing_gives_an_empty_file(build, tmp_path, arguments):
    assert build(*arguments, "--allow-empty", stdin=b"") == {}
    assert (tmp_path / "out.fsdb").stat().st_size >= 40


def test_the_form_can_be_named(build, tmp_path):
    (tmp_path / "data.txt").write_text("id,x\na,1\n")
    assert build("data.txt", "--format", "csv", "--key", "id") == {"a": '{"x":"1"}'}
    (tmp_path / "wrong.csv").write_bytes(NATIVE)
    assert build("wrong.csv", "--format", "ndjson") == NATIVE_MAPPING


# --- lines ---


def test_carriage_returns_a_mark_empty_lines_and_a_missing_last_end_are_accepted(build):
    text = b"\xef\xbb\xbf" + NATIVE.replace(b"\n", b"\r\n\r\n\n").rstrip()
    assert build(stdin=text) == NATIVE_MAPPING


def test_members_may_stand_in_either_order_with_spaces(build):
    assert build(stdin=b' { "value" : { "n" : 1 } , "keys" : [ "a" ] } \n') == {"a": '{"n":1}'}


def test_a_long_line_is_read(build):
    text = '{"keys":["k"],"value":"' + "x" * 5_000_000 + '"}\n'
    assert len(build(stdin=text.encode())["k"]) == 5_000_002


@pytest.mark.parametrize(
    "bad",
    [b'{"keys":["k"]}', b'{"value":1}', b"{}", b"[]", b"1", b'{"keys":["k"],"value":1,"more":2}', b'{"keys":["k"],"keys":["l"],"value":1}',
     b'{"keys":["k"],"value":1,"value":2}', b'{"keys":"k","value":1}', b'{"keys":[1],"value":1}', b'{"keys":[null],"value":1}',
     b'{"keys":[["k"]],"value":1}', b'{"keys":[{"$bin":"0"}],"value":1}', b'{"keys":[{"$str":"00"}],"value":1}', b'{"keys":null,"value":1}',
     b'{"keys":["k"],"value":}', b'{"keys":["k"],"value":1} 2', b'{"keys":["k"],"value":1}{"keys":["l"],"value":1}', b"nonsense",
     b'{"keys":["k"],"value":1', b'\xff', b'{"keys":["\xff"],"value":1}', b'{"keys":["\\ud800"],"value":1}', b"\x00"],
)  # fmt: skip
def test_a_bad_line_is_named_with_its_file_and_number(build, tmp_path, bad):
    (tmp_path / "in.ndjson").write_bytes(NATIVE + b"\n" + bad + b"\n" + NATIVE)
    refused(build("in.ndjson", code=BAD_DATA), "in.ndjson:4")
    result = build(stdin=NATIVE + bad, code=BAD_DATA)
    assert re.search(r"(stdin|standard input|-):3\b", result.errors), result


def test_a_bad_line_in_the_second_file_counts_from_its_start(build, tmp_path):
    (tmp_path / "a.ndjson").write_bytes(NATIVE)
    (tmp_path / "b.ndjson").write_bytes(line([b"x"], b"\x01") + b"nonsense\n")
    refused(build("a.ndjson", "b.ndjson", code=BAD_DATA), "b.ndjson:2")


def test_a_bad_line_far_down_in_a_gzip_is_counted(build, tmp_path):
    lines = b"".join(line([b"%d" % i], b"\x01") for i in range(30_000))
    (tmp_path / "in.ndjson.gz").write_bytes(gzip.compress(lines + b"nonsense\n"))
    refused(build("in.ndjson.gz", code=BAD_DATA), "in.ndjson.gz:30001")


# --- records ---


def test_key_fields_are_taken_out_and_the_rest_is_the_object(build):
    text = b'{"x":1,"ip":"8.8.8.8","y":[2],"names":["a","b"]}\n'
    assert build("--key", "ip", "--key", "names", stdin=text) == {
        "8.8.8.8": '{"x":1,"y":[2]}',
        "a": '{"x":1,"y":[2]}',
        "b": '{"x":1,"y":[2]}',
    }
    assert list(build("--key", "names", stdin=text).values()) == ['{"x":1,"ip":"8.8.8.8","y":[2]}'] * 2


def test_keep_leaves_only_the_named_fields(build):
    text = b'{"id":"k","x":1,"y":2,"z":3}\n'
    assert build("--key", "id", "--keep", "z", "--keep", "x", stdin=text) in ({"k": '{"x":1,"z":3}'}, {"k": '{"z":3,"x":1}'})
    assert build("--key", "id", "--keep", "absent", "--allow-missing", stdin=text) == {"k": "{}"}


@pytest.mark.parametrize(
    "value, keys",
    [('"text"', ["text"]), ("42", ["42"]), ("-7", ["-7"]), ("18446744073709551615", ["18446744073709551615"]), ('{"$bin":"ff"}', ["\\xff"]),
     ('["a",1,{"$bin":"00"}]', ["\\x00", "1", "a"]), ('["","a",{"$bin":""}]', ["a"]), ('"tab\\t"', ["tab\\t"]), ('["a","a"]', ["a"])],
)  # fmt: skip
def test_values_that_are_keys(build, value, keys):
    assert build("--key", "id", stdin=f'{{"id":{value},"x":1}}\n'.encode()) == dict.fromkeys(keys, '{"x":1}')


@pytest.mark.parametrize(
    "value", ["1.5", "true", "{}", '{"a":1}', '[["a"]]', "[1.5]", "[null]", '[{"$str":"ff"}]', '{"$bin":"f"}', '{"$ext":[1,"00"]}']
)
def test_values_that_are_no_keys_are_refused(build, value):
    refused(
        build("--key", "id", stdin=f'{{"id":"fine","x":1}}\n{{"id":{value},"x":1}}\n'.encode(), code=BAD_DATA), ":2", "id", "key"
    )


@pytest.mark.parametrize("record", ['{"x":1}', '{"id":null,"x":1}', '{"id":[],"x":1}', '{"id":"","x":1}', '{"id":["",""],"x":1}'])
def test_a_record_without_any_key_is_refused(build, record):
    text = f'{{"id":"k","x":1}}\n{record}\n'.encode()
    refused(build("--key", "id", stdin=text, code=BAD_DATA), ":2", "key")
    assert build("--key", "id", "--key", "x", stdin=text) == {"1": "{}", "k": "{}"}


def test_a_record_of_no_object_is_refused(build):
    for record in (b"{}[]\n", b"[1]\n", b"1\n", b'"text"\n', b"null\n"):
        refused(build("--key", "id", stdin=record, code=BAD_DATA), ":1")


def test_a_key_of_65535_bytes_is_taken_and_one_byte_more_is_refused(build):
    def text(length):
        return line([b"k" * length], b"\x01")

    assert list(build(stdin=text(65535))) == ["k" * 65535]


def test_a_key_too_long_is_refused_with_the_limit(build):
    result = build(stdin=line([b"fine"], b"\x01") + line([b"k" * 65536], b"\x01"), code=BAD_DATA)
    refused(result, ":2")
    assert re.search(r"65,?535", result.errors), result
    assert len(result.errors) < 2_000, "the message holds the whole key"


# --- duplicates ---

DUPLICATES = line([b"k", b"a"], b"\x01") + line([b"k"], b"\x02") + line([b"b", b"k"], b"\x03")


@pytest.mark.parametrize("policy, value", [([], "3"), (["--on-duplicate", "last"], "3"), (["--on-duplicate", "first"], "1")])
def test_a_key_that_comes_again_follows_the_policy(build, policy, value):
    assert build(*policy, stdin=DUPLICATES) == {"a": "1", "b": "3", "k": value}


def test_a_key_that_comes_again_can_be_an_error(build):
    refused(build("--on-duplicate", "error", stdin=DUPLICATES, code=BAD_DATA), "k", "twice", "duplicate", "again", "already")
    assert build("--on-duplicate", "error", stdin=NATIVE) == NATIVE_MAPPING


# --- CSV and TSV ---


def test_a_table_of_text(build, tmp_path):
    (tmp_path / "in.csv").write_text("id,name,note\n1,Ann,\n2,Bob,hello\n")
    assert build("in.csv", "--key", "id") == {"1": '{"name":"Ann","note":""}', "2": '{"name":"Bob","note":"hello"}'}
    (tmp_path / "in.tsv").write_text("id\tname\tnote\n1\tAnn\t\n2\tBob\thello\n")
    assert build("in.tsv", "--key", "id") == {"1": '{"name":"Ann","note":""}', "2": '{"name":"Bob","note":"hello"}'}


@pytest.mark.parametrize(
    "kind, cell, value",
    [("string", "015", '"015"'), ("string", "", '""'), ("int", "015", "15"), ("int", "-9223372036854775808", "-9223372036854775808"),
     ("int", "18446744073709551615", "18446744073709551615"), ("int", "", "null"), ("float", "15", "15.0"), ("float", "1.5", "1.5"),
     ("float", "", "null"), ("bool", "true", "true"), ("bool", "false", "false"), ("bool", "", "null"), ("json", "[1]", "[1]"),
     ("json", "{}", "{}"), ("json", "", "null"), ("json", "null", "null"), ("float", "-0.0", "-0.0")],
)  # fmt: skip
def test_cells_take_the_type_of_their_field(build, kind, cell, value):
    text = f"id,x,y\nk,{cell},text\n".encode()
    assert build("--format", "csv", "--key", "id", "--type", f"x={kind}", stdin=text) == {"k": f'{{"x":{value},"y":"text"}}'}


def test_a_json_cell_may_hold_any_spelling(build):
    text = b'id,x\nk,"{""$bin"":""00ff""}"\n'
    assert build("--format", "csv", "--key", "id", "--type", "x=json", stdin=text) == {"k": '{"x":{"$bin":"00ff"}}'}


@pytest.mark.parametrize(
    "kind, cell",
    [("int", "x"), ("int", "1.0"), ("int", "1e3"), ("int", " 1"), ("int", "+"), ("int", "--1"), ("int", "-"), ("int", "0x10"),
     ("int", "18446744073709551616"), ("int", "-9223372036854775809"), ("float", "x"), ("float", "1,5"), ("float", "nan()"), ("float", "info"),
     ("float", "1e400"), ("bool", "yes"), ("bool", "tRUE"), ("bool", "1"), ("json", "{"), ("json", "nope"), ("json", "1 2")],
)  # fmt: skip
def test_a_cell_that_is_not_of_its_type_is_refused(build, kind, cell):
    quoted = f'"{cell}"' if "," in cell else cell
    text = f"id,x\na,\nk,{quoted}\n".encode()
    refused(build("--format", "csv", "--key", "id", "--type", f"x={kind}", stdin=text, code=BAD_DATA), ":3", "x")


QUOTED = b'id,x\r\nk1,"a ""quoted"" word"\r\nk2,"two\r\nlines, and\nthree"\r\n"k,3",""\r\nk4," spaces "\r\n'


def test_quoted_cells_hold_quotes_separators_and_line_ends(build):
    assert build("--format", "csv", "--key", "id", stdin=QUOTED) == {
        "k1": '{"x":"a \\"quoted\\" word"}',
        "k2": '{"x":"two\\r\\nlines, and\\nthree"}',
        "k,3": '{"x":""}',
        "k4": '{"x":" spaces "}',
    }
    tabbed = b'id\tx\nk1\t"a\tb"\nk2\t"c\nd"\n'
    assert build("--format", "tsv", "--key", "id", stdin=tabbed) == {"k1": '{"x":"a\\tb"}', "k2": '{"x":"c\\nd"}'}


def test_quotes_are_ordinary_characters_when_asked(build):
    text = b'id\tx\nk\t"half\nl\ta "b" c\n'
    assert build("--format", "tsv", "--key", "id", "--no-quotes", stdin=text) == {
        "k": '{"x":"\\"half"}',
        "l": '{"x":"a \\"b\\" c"}',
    }


def test_a_quote_inside_an_unquoted_cell_is_ordinary(build):
    assert build("--format", "csv", "--key", "id", stdin=b'id,x\nk,5" pipe\n') == {"k": '{"x":"5\\" pipe"}'}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_and_a_mark_change_nothing(build, end, mark, last):
    text = mark + end.join([b"id,x", b"k,1", b"", b"l,2"]) + (end if last else b"")
    assert build("--format", "csv", "--key", "id", stdin=text) == {"k": '{"x":"1"}', "l": '{"x":"2"}'}


@pytest.mark.parametrize("last", [b"k,1\r", b'k,"1"\r', b'"k","1"', b"k,1\r\n\r"])
def test_a_carriage_return_at_the_end_of_the_input_ends_a_line(build, last):
    assert build("--format", "csv", "--key", "id", stdin=b"id,x\r\n" + last) == {"k": '{"x":"1"}'}
    assert build("--format", "csv", "--key", "x", "--key", "id", stdin=b"id,x\n" + last) == {"1": "{}", "k": "{}"}


def test_a_table_of_a_mark_alone_is_like_an_empty_one(build):
    empty = build("--format", "csv", "--key", "id", stdin=b"", code=BAD_DATA)
    assert build("--format", "csv", "--key", "id", stdin=b"\xef\xbb\xbf", code=BAD_DATA).err == empty.err


def test_a_mark_before_a_quoted_name_is_passed_over(build):
    assert build("--format", "csv", "--key", "id", stdin=b'\xef\xbb\xbf"id","x"\nk,1\n') == {"k": '{"x":"1"}'}


def test_columns_can_be_named_when_the_file_has_no_names(build):
    assert build("--format", "csv", "--columns", "id,x", "--key", "id", stdin=b"k,1\nl,2\n") == {"k": '{"x":"1"}', "l": '{"x":"2"}'}


@pytest.mark.parametrize(
    "text, place",
    [
        (b"id,x\na,1\nk\n", ":3"),
        (b"id,x\na,1\nk,1,2\n", ":3"),
        (b'id,x\na,1\nk,"open\nmore\n', ":3"),
        (b'id,x\na,1\nk,"shut"more\n', ":3"),
        (b'id,x\na,"1\n2\n3"\nk\n', ":5"),
        (b'id,x\na,"1\r\n2"\r\n\r\nk,1,2,3\r\n', ":5"),
        (b"id,x\na,1\n,2\n", ":3"),
        (b"id,x\na,\xff\n", ":2"),
        (b"id,x,id\na,1,2\n", ":1"),
        (b"name,x\na,1\n", ""),
    ],
    ids=["too few cells", "too many cells", "a quote without an end", "text after a quote", "line counted after quoted line ends",
         "the same with CR LF", "an empty key", "not UTF-8", "a name twice", "no such key field"],
)  # fmt: skip
def test_a_bad_row_is_named_with_its_line(build, tmp_path, text, place):
    (tmp_path / "in.csv").write_bytes(text)
    refused(build("in.csv", "--key", "id", code=BAD_DATA), f"in.csv{place}")


def test_a_row_that_spans_lines_is_named_by_its_first(build, tmp_path):
    (tmp_path / "in.csv").write_bytes(b'id,x,n\nk,"a\nb\nc",1\nl,"a\nb",bad\n')
    refused(build("in.csv", "--key", "id", "--type", "n=int", code=BAD_DATA), "in.csv:5", "bad")


def test_several_key_columns_give_several_keys_and_empty_cells_none(build):
    text = b"ip,name,x\n1.1.1.1,one,A\n,two,B\n2.2.2.2,,C\n"
    assert build("--format", "csv", "--key", "ip", "--key", "name", stdin=text) == {
        "1.1.1.1": '{"x":"A"}', "one": '{"x":"A"}', "two": '{"x":"B"}', "2.2.2.2": '{"x":"C"}',
    }  # fmt: skip


def test_a_csv_without_key_is_wrong_usage(build):
    build("--format", "csv", stdin=b"id,x\nk,1\n", code=USAGE)


def test_a_table_as_large_as_a_pipe_is_read_whole(build):
    rows = b"".join(b'k%d,"%s"\n' % (i, b"x" * (i % 300)) for i in range(20_000))
    assert len(build("--format", "csv", "--key", "id", stdin=b"id,x\n" + rows)) == 20_000


# --- the report ---


def test_the_report_counts_what_was_built(command, tmp_path):
    lines = (
        line([b"a", b"b"], b"\xa4text")
        + line([b"c"], b"\xa4text")
        + line([b"d"], b"\x01")
        + line([b"d"], b"\x02")
        + line([], b"\x03")
    )
    result = command("build", tmp_path / "x.fsdb", "--json", "--quiet", stdin=lines, code=DONE)
    assert {
        "output": str(tmp_path / "x.fsdb"),
        "keys": 4,
        "objects": 2,
        "objectsShared": 1,
        "unreachedObjects": 2,
        "bytes": os.path.getsize(tmp_path / "x.fsdb"),
        "bytesSavedBySharing": 2 * (8 + 5),
        "duplicateKeys": 1,
    }.items() <= result.json.items()
    assert result.err == b""


def test_the_report_goes_to_standard_error_unless_quiet(command, tmp_path):
    result = command("build", tmp_path / "x.fsdb", stdin=NATIVE, code=DONE)
    assert result.out == b"" and "3" in result.errors and "x.fsdb" in result.errors
    assert "\r" not in result.errors and "\x1b" not in result.errors, "a progress bar where no terminal is"
    result = command("build", tmp_path / "x.fsdb", "--quiet", stdin=NATIVE, code=DONE)
    assert result.out == b"" and result.err == b""


def test_the_report_agrees_with_the_statistics(command, tmp_path):
    report = command("build", tmp_path / "x.fsdb", "--json", "--quiet", stdin=DUPLICATES, code=DONE).json
    stats = command("stats", tmp_path / "x.fsdb", "--json", code=DONE).json
    assert {name: report[name] for name in ("keys", "objects", "bytes", "bytesSavedBySharing")} == {
        name: stats[name] for name in ("keys", "objects", "bytes", "bytesSavedBySharing")
    }


def test_values_of_records_are_those_of_the_spelling(command, tmp_path):
    record = {"id": "k", "b": {"$bin": "00"}, "f": 1.0, "n": None, "deep": {"a": [1, {"$ext": [5, "aa"]}]}}
    command("build", tmp_path / "x.fsdb", "--key", "id", stdin=json.dumps(record).encode(), code=DONE)
    del record["id"]
    assert command.mapping(tmp_path / "x.fsdb") == {b"k": unspell(json.dumps(record))}


# --- MessagePack, and several formats at once ---


def packed(*records, **options):
    return b"".join(msgpack.packb(record, **options) for record in records)


def test_messagepack_of_another_implementation_builds_what_a_dump_builds(build, command, tmp_path, rng):
    objects = [
        (
            [f"key-{i}", b"\xff%d" % i][: rng.randint(0, 2)],
            {"n": i, "f": i / 7, "b": b"\x00" * (i % 40), "l": [None, True, "é"] * (i % 5)},
        )
        for i in range(3_000)
    ]
    (tmp_path / "in.msgpack").write_bytes(packed(*([keys, value] for keys, value in objects)))
    mapping = build("in.msgpack")
    assert sum(len(keys) for keys, _ in objects) == len(mapping)
    assert command.mapping(tmp_path / "out.fsdb") == {
        key.encode() if isinstance(key, str) else key: msgpack.packb(value) for keys, value in objects for key in keys
    }


def test_messagepack_maps_with_key_fields_in_zstd(build, tmp_path):
    (tmp_path / "in.mpk.zst").write_bytes(zstd(packed({"id": "a", "x": 1}, {"x": 2, "id": [7, b"b"]})))
    assert build("in.mpk.zst", "--key", "id") == {"a": '{"x":1}', "7": '{"x":2}', "b": '{"x":2}'}


def test_damaged_messagepack_names_record_and_offset(build, tmp_path):
    whole = packed(*([[f"k{i}"], i] for i in range(100)))
    start = len(packed(*([[f"k{i}"], i] for i in range(99))))
    for name, data, word in [
        ("cut", whole[:-1], f"record 100: offset {len(whole) - 1}: the record ends in its middle"),
        ("after", whole + b"\n", f"record 101: offset {len(whole)}: "),
        ("c1", whole[:start] + b"\xc1", f"record 100: offset {start}: "),
        ("bomb", whole[:start] + b"\x92\x90\xdd\xff\xff\xff\xff", f"record 100: offset {start + 7}: "),
    ]:
        (tmp_path / f"{name}.mpk").write_bytes(data)
        refused(build(f"{name}.mpk", code=BAD_DATA), f"{name}.mpk: {word}")


def test_a_dump_a_table_and_messagepack_in_one_build(build, tmp_path):
    (tmp_path / "dump.ndjson").write_bytes(NATIVE)
    (tmp_path / "table").write_text("id,x\nd,1\n")
    (tmp_path / "more.mpk").write_bytes(packed([["e"], 5]))
    assert build("dump.ndjson", "csv:table", "more.mpk", "ndjson:-", "--key", "id", stdin=b'{"id":"f","x":2}') == {
        **NATIVE_MAPPING,
        "d": '{"x":"1"}',
        "e": "5",
        "f": '{"x":2}',
    }

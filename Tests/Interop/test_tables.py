"""Tables as people have them: any delimiter, rows that lack cells, words for null, lists at the end of a row, headers that come again; and bad
rows, told or skipped."""

import csv
import io
import json
import random

import pytest

from conftest import BAD_DATA, DONE, USAGE
from test_documents import build, mapping  # noqa: F401

TABLE = ["--format", "csv", "--key", "id"]


def table(build, text, *options, code=DONE):
    return build(*TABLE, *options, stdin=text.encode() if isinstance(text, str) else text, code=code)


@pytest.mark.parametrize("word, byte", [(";", ";"), ("|", "|"), (":", ":"), (" ", " "), ("\\t", "\t"), ("tab", "\t"), ("x", "x"), ("\x01", "\x01"), (",", ",")])
def test_a_table_is_cut_at_its_delimiter(build, word, byte):
    rows = [["id", "n", "t"], ["a", "1,2", 'say "hi"'], ["b", f"1{byte}2", "two\nlines"], ["c", "", "é"]]
    out = io.StringIO()
    csv.writer(out, delimiter=byte, lineterminator="\n").writerows(rows)
    expected = {row[0]: {"n": row[1], "t": row[2]} for row in rows[1:]}
    assert build("--delimiter", word, "--key", "id", stdin=out.getvalue().encode()) == expected
    assert table(build, out.getvalue(), "--delimiter", word) == expected


def test_a_delimiter_makes_a_table_of_a_name_that_says_nothing(build, tmp_path):
    (tmp_path / "in.txt").write_text("id;n\na;1\n")
    (tmp_path / "in.tsv").write_text("id;n\nb;1\n")
    (tmp_path / "in.ndjson").write_text('{"id":"c","n":"1"}\n')
    assert build("in.txt", "in.tsv", "in.ndjson", "--delimiter", ";", "--key", "id") == {key: {"n": "1"} for key in "abc"}


@pytest.mark.parametrize("word", ["", ";;", "é", '"', "\n", "\r", "space", "\\n"])
def test_what_is_no_delimiter_is_refused(build, word):
    assert "--delimiter takes one character" in build("--delimiter", word, "--key", "id", code=USAGE).errors


def test_a_delimiter_is_for_tables_alone(build, tmp_path):
    (tmp_path / "in.ndjson").write_text('{"id":"c"}\n')
    assert "--delimiter is for tables" in build("in.ndjson", "--delimiter", ";", "--key", "id", code=USAGE).errors
    for name in ("tsv", "ndjson", "json", "msgpack"):
        assert "--delimiter is for tables" in build("--format", name, "--delimiter", ";", "--key", "id", code=USAGE).errors


@pytest.mark.parametrize("option", ["--pad-rows", "--list-rest", "--skip-headers", "--null=x"])
def test_options_of_tables_need_one(build, option):
    assert f"{option.split('=')[0]} is for tables" in build(option, "--key", "id", code=USAGE).errors


@pytest.mark.parametrize("byte, name", [(";", "semicolons"), ("|", "bars"), (":", "colons")])
def test_a_table_that_is_cut_elsewhere_is_told_how(build, byte, name):
    result = table(build, f"id{byte}n\na{byte}1\n", code=BAD_DATA)
    assert f"there are {name} in it: say --delimiter '{byte}'" in result.errors


# --- spaces ---


def test_spaces_and_tabs_of_any_number_are_one_delimiter(build):
    text = "  id n\t t \n\na 1  x\n \t \n b\t\t2 \"y\n# c 3 z\nc 3 #z\n"
    assert build("--delimiter", "whitespace", "--key", "id", stdin=text.replace("# c", "d").replace("d 3 z", "d 3 z").encode()) == {
        "a": {"n": "1", "t": "x"}, "b": {"n": "2", "t": '"y'}, "d": {"n": "3", "t": "z"}, "c": {"n": "3", "t": "#z"}}  # fmt: skip
    padded = ["--delimiter", "whitespace", "--skip-comments", "#", "--pad-rows", "--key", "id"]
    assert build(*padded, stdin=text.encode()) == {"a": {"n": "1", "t": "x"}, "b": {"n": "2", "t": '"y'}, "c": {"n": "3", "t": None}}


def test_lines_between_spaces_are_counted(build):
    result = build("--delimiter", "whitespace", "--key", "id", stdin=b"id n\n\n# x\n a 1\nb\n", code=BAD_DATA)
    assert "standard input:5: the row has 1 cell and there are 2 columns" in result.errors, result
    result = build("--delimiter", "whitespace", "--key", "id", stdin=b"id n\r\na \xff\r\n", code=BAD_DATA)
    assert "standard input:2: cell 2 is not UTF-8" in result.errors, result


def test_a_large_table_between_spaces_is_what_split_makes_of_it(build, tmp_path):
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    lines = ["id a b"]
    for number in range(20_000):
        gaps = [rng.choice([" ", "\t", "  \t "]) for _ in range(2)]
        lines.append(rng.choice(["", " "]) + f"k{number}{gaps[0]}{rng.randrange(9)}{gaps[1]}é{'x' * rng.randrange(30)}" + rng.choice(["", "\t"]))
        if rng.random() < 0.1:
            lines.append(rng.choice(["", " ", "\t"]))
    expected = {cells[0]: {"a": cells[1], "b": cells[2]} for cells in (line.split() for line in lines[1:]) if cells}
    (tmp_path / "in.txt").write_text("\n".join(lines))
    assert build("in.txt", "--delimiter", "whitespace", "--key", "id", "--memory", "32M") == expected, seed


# --- cells that are not there ---


def test_rows_that_lack_cells_are_refused_or_padded_with_null(build):
    text = "id,n,t\na,1,x\nb,2\nc\n"
    result = table(build, text, code=BAD_DATA)
    assert "3: the row has 2 cells and there are 3 columns; if rows may lack their last cells, say --pad-rows" in result.errors
    expected = {"a": {"n": "1", "t": "x"}, "b": {"n": "2", "t": None}, "c": {"n": None, "t": None}}
    assert table(build, text, "--pad-rows") == expected
    assert table(build, text, "--pad-rows", "--type", "n=int")["b"] == {"n": 2, "t": None}
    assert table(build, "n,id\n1,a\n2\n3,b\n", "--pad-rows", code=BAD_DATA).errors.startswith("fusedb: standard input:3: the row gives no key")
    assert "has 4 cells" in table(build, text + "d,1,2,3\n", "--pad-rows", code=BAD_DATA).errors


def test_the_ends_of_a_range_must_be_there(build):
    text = "first,last\n8.8.8.0,8.8.8.255\n1.1.1.0\n"
    assert '3: "last" is missing or empty' in build("--format", "csv", "--range", "first,last", "--pad-rows", stdin=text.encode(), code=BAD_DATA).errors
    text = "first,last\n8.8.8.0,NA\n"
    assert '2: "last" is "NA", a word for null' in build("--format", "csv", "--range", "first,last", "--null", "NA", stdin=text.encode(), code=BAD_DATA).errors


def test_words_for_null_are_null_in_columns_of_any_type_and_give_no_key(build):
    text = 'id,n,t\na,NA,NA\nb,1,\\N\nc,2,"NA"\nd,,na\n'
    words = ["--null", "NA", "--null", "\\N", "--type", "n=int"]
    assert table(build, text, *words) == {
        "a": {"n": None, "t": None}, "b": {"n": 1, "t": None}, "c": {"n": 2, "t": None}, "d": {"n": None, "t": "na"}}  # fmt: skip
    assert table(build, "id,t\na,\n", "--null", "") == {"a": {"t": None}}
    assert "the row gives no key" in table(build, "id,t\nNA,\n", "--null", "NA", code=BAD_DATA).errors


@pytest.mark.parametrize(
    "kind, cell, value",
    [("bool", "True", True), ("bool", "FALSE", False), ("int", "+7", 7), ("float", ".5", 0.5), ("float", "5.", 5.0), ("float", "+1", 1.0),
     ("float", "1e5", 100000.0), ("float", "NaN", {"$float64": "nan"}), ("float", "inf", {"$float64": "inf"}), ("float", "-Infinity", {"$float64": "-inf"})],
)  # fmt: skip
def test_numbers_and_booleans_are_read_as_programs_write_them(build, kind, cell, value):
    assert table(build, f"id,v\na,{cell}\n", "--type", f"v={kind}") == {"a": {"v": value}}


# --- the rest of a row ---


def test_the_last_column_may_hold_the_rest_of_a_row(build):
    text = "id,more\na\nb,1\nc,1,2,3\nd,\n"
    assert table(build, text, "--list-rest") == {"a": {"more": []}, "b": {"more": ["1"]}, "c": {"more": ["1", "2", "3"]}, "d": {"more": [""]}}
    assert table(build, text, "--list-rest", "--type", "more=int")["c"] == {"more": [1, 2, 3]}
    assert build("--format", "csv", "--key", "more", "--list-rest", stdin=b"id,more\na,x,y\nb,,z\n") == {"x": {"id": "a"}, "y": {"id": "a"}, "z": {"id": "b"}}
    assert "the row has 1 cell and there are 3 columns" in table(build, "id,n,more\na\n", "--list-rest", code=BAD_DATA).errors
    assert table(build, "id,n,more\na\n", "--list-rest", "--pad-rows") == {"a": {"n": None, "more": []}}
    assert "the last column holds a list" in build("--format", "csv", "--range", "a,b", "--list-rest", stdin=b"a,b\n", code=BAD_DATA).errors


# --- headers that come again ---


def test_a_header_in_the_middle_is_refused_or_skipped(build, tmp_path):
    text = 'id,n\na,1\nid,n\nb,2\n"id",n\nid,x\n'
    result = table(build, text, code=BAD_DATA)
    assert "standard input:3: the row repeats the names of the columns" in result.errors and "--skip-headers" in result.errors
    assert table(build, text, "--skip-headers") == {"a": {"n": "1"}, "b": {"n": "2"}, "id": {"n": "x"}}
    # A column of words may have its own name among them; and where names are given, no row has them.
    assert table(build, "id\nid\n") == {"id": {}}
    assert table(build, "id,n\n", "--columns", "id,n") == {"id": {"n": "n"}}
    # Unless such rows are to be skipped.
    assert table(build, "id\n1\nid\n2\n", "--skip-headers") == {"1": {}, "2": {}}
    assert table(build, "1,x\nid,n\n2,y\n", "--columns", "id,n", "--skip-headers") == {"1": {"n": "x"}, "2": {"n": "y"}}


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_header_that_comes_again_may_begin_with_a_byte_order_mark(build, separator):
    files = "\ufeffid,n\na,1\n\ufeffid,n\nb,2\n\ufeff\"id\",n\nc,3\n".replace(",", separator)
    result = table(build, files, "--delimiter", separator, code=BAD_DATA)
    assert "standard input:3: the row repeats the names of the columns" in result.errors
    # A mark before a quote leaves the quote a character of the cell.
    expected = {"a": {"n": "1"}, "b": {"n": "2"}, "\ufeff\"id\"": {"n": "n"}, "c": {"n": "3"}}
    assert table(build, files, "--delimiter", separator, "--skip-headers") == expected


# --- bad rows ---

BAD_ROWS = b"".join(b"k%d,%s\n" % (i, b"x" if i % 1000 == 7 else b"1") for i in range(12_000))
LINES = [8 + 1000 * i + 1 for i in range(12)]


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("count", [1, 2, 5, 12, 1000])
def test_as_many_bad_rows_are_told_as_are_wanted(build, count, threads):
    options = ["--type", "v=int", "--max-errors", str(count), "--memory", "32M", "--threads", threads]
    result = table(build, b"id,v\n" + BAD_ROWS, *options, code=BAD_DATA)
    places = [line.split(": ")[1] for line in result.errors.splitlines()]
    assert places == [f"standard input:{line}" for line in LINES[:count]], result


@pytest.mark.parametrize("threads", ["1", "3"])
def test_bad_rows_can_be_skipped_and_are_counted(build, command, tmp_path, threads):
    good = {f"k{i}": {"v": 1} for i in range(12_000) if i % 1000 != 7}
    options = ["--type", "v=int", "--skip-bad-rows", "--memory", "32M", "--threads", threads]
    assert table(build, b"id,v\n" + BAD_ROWS, *options) == good
    result = command("build", "-o", tmp_path / "a.fsdb", *TABLE, *options, stdin=b"id,v\n" + BAD_ROWS, code=DONE)
    told = result.errors.splitlines()
    assert "  warning: 12 bad records skipped" in told and told[-1] == "    …"
    start = told.index("  warning: 12 bad records skipped") + 1
    assert [line.split(": ")[0].strip() for line in told[start : start + 10]] == [f"standard input:{line}" for line in LINES[:10]]
    report = command("build", "-o", tmp_path / "a.fsdb", *TABLE, *options, "--json", stdin=b"id,v\n" + BAD_ROWS, code=DONE).json
    assert report["skippedRecords"] == 12 and len(report["skipped"]) == 10 and report["records"] == 11_988 and report["keys"] == 11_988
    assert report["skipped"][0].startswith(f"standard input:{LINES[0]}: column")
    assert report["objects"] == 1 and report["unreachedObjects"] == 0


@pytest.mark.parametrize(
    "form, text",
    [
        ("ndjson", b'{"id":"a","v":1}\nno\n{"id":["b",["c"]],"v":1}\n[1]\n{"v":1}\n{"id":"d","v":2}\n'),
        ("json", b'[{"id":"a","v":1},\nno,\n{"id":["b",["c"]],"v":1},,[1],{"v":1},{"id":"d","v":2}]'),
        ("csv", b'id,v\na,1\n,7\n"b"\nc,1,2\nx\xff,1\nd,2\n'),
        ("msgpack", b"\x82\xa2id\xa1a\xa1v\x01\x01\x82\xa2id\x92\xa1b\x91\xa1c\xa1v\x01\x81\xa1v\x01\x82\xa2id\xa1d\xa1v\x02"),
    ],
)
def test_nothing_of_a_bad_record_is_left(build, form, text):
    result = build("--format", form, "--key", "id", "--max-errors", "9", stdin=text, code=BAD_DATA)
    assert 3 <= len(result.errors.splitlines()) <= 5, result
    mapped = build("--format", form, "--key", "id", "--skip-bad-rows", stdin=text)
    assert {key: str(value["v"]) for key, value in mapped.items()} == {"a": "1", "d": "2"}


def test_after_a_quote_that_does_not_end_nothing_is_known(build):
    result = table(build, 'id,v\na,1\n,\nb,"2\nc,3\n', "--skip-bad-rows", code=BAD_DATA)
    assert result.errors.startswith("fusedb: standard input:4: the row begins here, and a cell in quotes in it does not end"), result
    assert result.errors.endswith("; --skip-bad-rows does not skip this, for where the next record begins is not known\n")
    result = table(build, 'id,v\na,1\n,\nb,"2\nc,3\n', "--max-errors", "5", code=BAD_DATA)
    assert [line.split(": ")[1] for line in result.errors.splitlines()] == ["standard input:3", "standard input:4"]
    assert "does not skip" not in result.errors


@pytest.mark.parametrize("options, stdin, words", [
    (["--format", "msgpack", "--key", "id"], b"\x82\xa2id\xa1a\xa1v\x01\xc1", "where the next record begins is not known"),
    (["--format", "csv", "--key", "id", "--record-limit", "64"], b"id,v\n" + b"a" * 90 + b",1\nb,2\n", "what is too long is not read on"),
])
def test_what_is_not_skipped_says_why(build, options, stdin, words):
    errors = build(*options, "--skip-bad-rows", stdin=stdin, code=BAD_DATA).errors
    assert f"; --skip-bad-rows does not skip this, for {words}\n" in errors
    assert "does not skip" not in build(*options, stdin=stdin, code=BAD_DATA).errors


#: Rows with text after a closing quote; each ends where it would if the text went on without quotes.
TEXT_AFTER_QUOTE = ['x,"q"x', 'x,"q" ', '"q"x,1', 'x,"say "hi" now"', 'x,"a"b"c', '"a""b"c,"two\nlines"', 'x,"q"x,"y\nz"', '"q"x', 'x,"q"x\r']


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("row", TEXT_AFTER_QUOTE)
def test_a_row_with_text_after_a_quote_is_skipped_and_no_other(build, row, threads):
    """Many rows, so that blocks are cut between them: what a block begins with is a row for the cutter and for the reader."""
    rows = [f'g{i},"v\n{i}"' if i % 9 else row for i in range(9000)]
    text = "id,v\n" + "\n".join(rows) + "\n"
    good = {f"g{i}": {"v": f"v\n{i}"} for i in range(9000) if i % 9}
    assert table(build, text, "--skip-bad-rows", "--memory", "16M", "--threads", threads) == good
    result = table(build, text, "--max-errors", "3", "--threads", threads, code=BAD_DATA)
    assert [f"text follows the closing quote" in line for line in result.errors.splitlines()] == [True] * 3
    assert "text follows the closing quote" in table(build, text, code=BAD_DATA).errors


@pytest.mark.parametrize("options, row, words", [
    (["--key", "id"], "NA,x", 'the cell of "id" holds "NA", a word for null'), (["--key", "id"], ",x", 'the cell of "id" is empty'),
    (["--key", "id"], '"",x', 'the cell of "id" is empty'), (["--key", "id", "--key", "v"], "NA,", 'the cell of "id" and "v" is empty or holds "NA", a word for null'),
    (["--key", "id", "--key", "v"], "NA,-", 'the cell of "id" and "v" holds "-" or "NA", a word for null'),
    (["--range", "id,v"], "NA,1.2.3.4", '"id" is "NA", a word for null, and a range needs both'), (["--range", "id,v"], "1.2.3.4,-", '"v" is "-", a word for null'),
    (["--range", "id,v"], "1.2.3.4,", '"v" is missing or empty'),
])
def test_a_word_for_null_is_not_called_empty(build, options, row, words):
    result = build("--format", "csv", *options, "--null", "NA", "--null", "-", stdin=f"id,v\n{row}\n".encode(), code=BAD_DATA)
    assert words in result.errors


def test_where_all_rows_are_bad_nothing_is_written(build):
    assert "0 keys where 1 is the least" in table(build, "id,v\n,\n", "--skip-bad-rows", code=BAD_DATA).errors


@pytest.mark.parametrize("options", [["--max-errors", "0"], ["--max-errors", "1001"], ["--max-errors", "x"], ["--max-errors", "2", "--skip-bad-rows"]])
def test_wrong_numbers_of_errors_are_refused(build, options):
    assert "--max-errors" in table(build, "id\na\n", *options, code=USAGE).errors

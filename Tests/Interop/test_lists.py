"""Every list of keys that the command prints, it reads again: `keys`, `get`, `prefix` and `diff` on one side, `get --keys-from` on the
other; and tables, which hold the bytes of keys and cells. [K2] [K4] [T12] [T13]"""

import csv
import io
import json

import pytest

from conftest import BAD_DATA, DONE, FIXTURES, NO, USAGE
from spelling import pack_int, parse, spell_key, unspell_key

#: Keys that some list would spoil. In pairs: one is what a careless reader makes of the other.
HOSTILE = [
    b"", b" ", b" a", b"a ", b"a", b"a\tb", b"a\\tb", b"a\\\\tb", b"a\nb", b"a\\nb", b"a\rb", b"a\\rb", b"a\r", b"a\\x00", b"\\", b"\\\\", b"C:\\",
    b"C:\\new", b'"', b'"a"', b'""', b"'", b'{"$bin":"61"}', b'{"key":"a"}', b"[1]", b"\xef\xbb\xbf", b"\xef\xbb\xbfa", b"\xff", b"\\xff", b"\\xFF",
    b"\x7f", b"\x01", b"\xe2\x82", b"\xc3\xa9", b"+ a", b"~ a", b"#a", b"-", b"--", b"-0", b"@x", b",", b"a,b", b"=1+1", b"\x1f\x8b", b"\xe2\x80\xa8",
]  # fmt: skip
#: What keys say of themselves as bytes with a zero at the end.
WITH_ZEROS = [b"\0", b"a\0", b"a\0b", b"\\0"]


def file_of(command, path, keys):
    """Each key has an object of its own, so that one key's answer is never another's."""
    command.build(path, [(pack_int(number), [key]) for number, key in enumerate(keys)])
    return path, {key: number for number, key in enumerate(keys)}


def asked(command, path, words, stdin, code=DONE):
    """{key: value} as `get` found them under the keys of a list."""
    result = command("get", path, "--json", "--keys-from", "-", *words, stdin=stdin, code=code)
    answers = [(dict(parse(text))["key"], json.loads(text)) for text in result.lines]
    assert all(answer["found"] for _, answer in answers)
    return {unspell_key(key): answer["value"] for key, answer in answers}


def first_column(text):
    return b"".join(line.split(b"\t")[0] + b"\n" for line in text.split(b"\n")[:-1])


def lists(command, path, empty, has_zeros):
    """Each list of all keys that the command prints, with the options that read it."""
    yield command("keys", path, code=DONE).out, []
    yield command("keys", path, "--reverse", code=DONE).out, []
    yield command("keys", path, "--json", code=DONE).out, ["--keys-format", "json"]
    yield first_column(command("prefix", path, "", code=DONE).out), []
    yield command("prefix", path, "", "--json", code=DONE).out, ["--keys-format", "json"]
    yield command("diff", empty, path, "--json", code=NO).out, ["--keys-format", "json"]
    yield command("diff", path, empty, "--json", code=NO).out, ["--keys-format", "json"]
    yield b"".join(line[2:] + b"\n" for line in command("diff", empty, path, code=NO).lines), []
    text = command("keys", path, code=DONE).out
    yield first_column(command("get", path, "--keys-from", "-", stdin=text, code=DONE).out), []
    yield command("get", path, "--json", "--keys-from", "-", stdin=text, code=DONE).out, ["--keys-format", "json"]
    if not has_zeros:
        yield command("keys", path, "--null", code=DONE).out, ["--null"]
        yield command("keys", path, "-0", code=DONE).out.removesuffix(b"\0"), ["-0"]


@pytest.mark.parametrize("keys", [HOSTILE, HOSTILE + WITH_ZEROS, [b"only"], [b"\x1f\x8b\x08 looks packed"]], ids=["hostile", "zeros", "one", "packed"])
@pytest.mark.parametrize("layout", ["block", "plain"])
def test_every_list_that_is_printed_is_read_and_finds_each_keys_own_value(command, tmp_path, keys, layout):
    path, mapping = file_of(command, tmp_path / "x.fsdb", keys)
    if layout == "plain":
        calls = [(pack_int(value), [key]) for key, value in mapping.items()]
        command.build(path, calls, "--plain")
    empty = FIXTURES / "good" / "empty.fsdb"
    for text, words in lists(command, path, empty, any(b"\0" in key for key in keys)):
        assert asked(command, path, words, text) == mapping, words


def test_every_list_of_random_keys_is_read_again(command, tmp_path, rng):
    pool = [b"a", b"\\", b"\t", b"\n", b"\r", b"\0", b'"', b"\xff", b"\xc3\xa9", b" ", b"x", b"n", b"\xe2\x82", b","]
    for _ in range(5):
        keys = list({b"".join(rng.choice(pool) for _ in range(rng.randrange(8))) for _ in range(200)})
        path, mapping = file_of(command, tmp_path / "x.fsdb", keys)
        for text, words in lists(command, path, FIXTURES / "good" / "empty.fsdb", True):
            assert asked(command, path, words, text) == mapping, words


def test_a_list_of_many_keys_and_of_the_longest_is_read(command, tmp_path):
    keys = [b"\x01" * 65_535, b"\xff" * 65_535, b"\\" * 65_535, *(b"key %d" % number for number in range(50_000))]
    path, mapping = file_of(command, tmp_path / "x.fsdb", keys)
    for words in ([], ["--json"], ["-0"]):
        text = command("keys", path, *words, code=DONE).out
        assert asked(command, path, ["--keys-format", "json"] if words == ["--json"] else words, text) == mapping


def test_lists_from_other_programs(command, tmp_path):
    path, _ = file_of(command, tmp_path / "x.fsdb", [b"a", b"b", b"", b"\xc3\xa9", b"c\r"])
    json_words = ["--keys-format", "json"]
    assert asked(command, path, [], b"a\nb") == {b"a": 0, b"b": 1}
    assert asked(command, path, [], b"\na\n") == {b"": 2, b"a": 0}
    assert asked(command, path, [], b"\\x61\n\\xC3\\xa9\n") == {b"a": 0, b"\xc3\xa9": 3}
    assert asked(command, path, [], b"c\r\n") == {b"c\r": 4}
    assert asked(command, path, [], b"") == {}
    assert asked(command, path, ["-0"], b"a\0\0b") == {b"a": 0, b"": 2, b"b": 1}
    assert asked(command, path, json_words, b' "a" \r\n\n{"$bin":"62"}\n{"x":1,"key":{"$bin":"c3A9"}}') == {b"a": 0, b"b": 1, b"\xc3\xa9": 3}


@pytest.mark.parametrize(
    "text, words, place, advice",
    [(b"a\nC:\\\n", [], ":2: column 3", "write \\\\ for a backslash"), (b"\\q\n", [], ":1: column 1", "write \\\\ for a backslash"),
     (b"\\x0g\n", [], ":1:", "\\xHH"), (b"\\x6\n", [], ":1:", "\\xHH"), (b"a\nb\na\tb\n", [], ":3: column 2", "cut -f 1"),
     (b"a\n", ["--keys-format", "json"], ":1:", "not JSON"), (b'"a"\n1\n', ["--keys-format", "json"], ":2:", "an integer"),
     (b'{"id":"a"}\n', ["--keys-format", "json"], ":1:", "the member key"), (b'{"key":1}\n', ["--keys-format", "json"], ":1:", "the member key"),
     ((FIXTURES / "good" / "one-key.fsdb").read_bytes(), [], ":", "this is a database")],
)  # fmt: skip
def test_a_line_that_is_no_key_is_refused_with_its_place(command, tmp_path, text, words, place, advice):
    path, _ = file_of(command, tmp_path / "x.fsdb", [b"a", b"b"])
    (tmp_path / "list").write_bytes(text)
    result = command("get", path, "--keys-from", tmp_path / "list", *words, code=BAD_DATA)
    assert f"{tmp_path / 'list'}{place}" in result.errors and advice in result.errors


def test_a_key_with_a_zero_byte_is_refused_where_zero_bytes_end_keys(command, tmp_path):
    path, _ = file_of(command, tmp_path / "x.fsdb", [b"a", b"b\0c"])
    result = command("keys", path, "-0", code=BAD_DATA)
    assert result.out == b"a\0" and '"b\\x00c"' in result.errors and "--null" in result.errors


@pytest.mark.parametrize(
    "arguments",
    [["keys", "FILE", "-0", "--json"], ["get", "FILE", "k", "-0"], ["get", "FILE", "k", "--keys-format", "json"],
     ["get", "FILE", "--keys-from", "-", "-0", "--keys-format", "text"], ["get", "FILE", "--keys-from", "-", "--keys-format", "csv"]],
    ids=" ".join,
)  # fmt: skip
def test_forms_that_say_two_things_or_nothing_are_wrong_usage(command, arguments):
    command(*[FIXTURES / "good" / "one-key.fsdb" if word == "FILE" else word for word in arguments], code=USAGE)


# --- tables ---

TEXT_KEYS = [key for key in HOSTILE if spell_key(key).startswith('"')]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_table_holds_the_bytes_of_keys_and_cells_and_is_read_again(command, tmp_path, form):
    texts = [key.decode() for key in TEXT_KEYS]
    lines = [json.dumps({"keys": [text], "value": {"cell": text, "more": text}}) for text in texts if text]
    path = tmp_path / "x.fsdb"
    command("build", path, "-", "--quiet", stdin="\n".join(lines).encode(), code=DONE)
    table = command("dump", path, "--format", form, code=DONE).out
    # As other programs read it.
    rows = list(csv.reader(io.StringIO(table.decode(), newline=""), dialect="excel" if form == "csv" else "excel-tab"))
    assert rows[0] == ["key", "cell", "more"]
    assert {row[0] for row in rows[1:]} == {text for text in texts if text}
    assert [row for row in rows[1:] if row != [row[0]] * 3] == []
    # As we read it.
    command("build", tmp_path / "y.fsdb", "-", "--format", form, "--key", "key", "--quiet", stdin=table, code=DONE)
    assert (tmp_path / "y.fsdb").read_bytes() == path.read_bytes()


def test_a_name_of_a_column_that_begins_with_a_byte_order_mark_keeps_it(command, tmp_path):
    path, _ = file_of(command, tmp_path / "x.fsdb", [b"a"])
    table = command("dump", path, "--format", "csv", "--key-column", "\ufeffkey", code=DONE).out
    command("build", tmp_path / "y.fsdb", "-", "--format", "csv", "--key", "\ufeffkey", "--quiet", stdin=table, code=DONE)


@pytest.mark.parametrize("form", ["csv", "tsv"])
@pytest.mark.parametrize("line", ['{"keys":[{"$bin":"ff"}],"value":1}', '{"keys":["a\\u0000"],"value":1}', '{"keys":["a"],"value":{"x":"\\u0000"}}'])
def test_what_no_spreadsheet_can_hold_is_refused_with_the_key_and_what_to_do(command, tmp_path, form, line):
    command("build", tmp_path / "x.fsdb", "-", "--quiet", stdin=line.encode(), code=DONE)
    result = command("dump", tmp_path / "x.fsdb", "--format", form, code=BAD_DATA)
    assert "the key " in result.errors and "--format ndjson" in result.errors

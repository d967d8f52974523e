"""What `keys`, `prefix`, `dump` and `get` print: which keys, by bounds, conditions and lots; what of their values, in which form. Beside a
model in Python, and read again by other programs' readers and by `fusedb build`."""

import csv
import io
import json
import random

import msgpack
import pytest

from conftest import DONE, NO, USAGE, BAD_DATA
from spelling import pack_int, unescape

SEED = 7


def value_of(number):
    """Values of several shapes; some lack a field, some have it at another place."""
    value = {"id": number, "name": f"n,{number}\t\"x\"", "geo": {"country": ["US", "DE", "FR"][number % 3], "at": [number, 0.5]}}
    if number % 4 == 0:
        del value["name"]
    if number % 5 == 0:
        value["note"] = None
    return value


@pytest.fixture(scope="module")
def rows(command, tmp_path_factory):
    """A file of some 400 keys of few letters, so that many begin alike, and {key: value}."""
    draw = random.Random(SEED)
    keys = sorted({"".join(draw.choice("abé") for _ in range(draw.randrange(1, 8))).encode() for _ in range(500)} | {b"plain"})
    rows = {key: value_of(number % 90) for number, key in enumerate(keys)}
    rows[b"plain"] = "text"
    path = tmp_path_factory.mktemp("looking") / "rows.fsdb"
    lines = "".join(json.dumps({"keys": [key.decode()], "value": value}, ensure_ascii=False) + "\n" for key, value in rows.items())
    command("build", "-o", path, "--quiet", stdin=lines.encode(), code=DONE)
    return path, rows


def selected(rows, words):
    """The keys that a model selects by some options."""
    options = dict(zip(words[::2], words[1::2]))
    keys = sorted(rows)
    keys = [key for key in keys if key.startswith(options.get("--prefix", "").encode())]
    keys = [key for key in keys if key >= options.get("--from", "").encode()]
    if "--to" in options:
        keys = [key for key in keys if key < options["--to"].encode()]
    if "--where" in options:
        country = options["--where"].split("=")[1]
        keys = [key for key in keys if isinstance(rows[key], dict) and rows[key]["geo"]["country"] == country]
    return keys


BOUNDS = [
    [], ["--prefix", "ab"], ["--prefix", ""], ["--prefix", "é"], ["--prefix", "x"], ["--from", "b"], ["--to", "b"], ["--from", "ab", "--to", "b"],
    ["--from", "b", "--to", "b"], ["--from", "ab", "--to", "ba", "--prefix", "b"], ["--from", "zzz"], ["--to", ""], ["--from", "c", "--to", "é"],
    ["--where", "geo.country=DE"], ["--where", "geo.country=DE", "--prefix", "a"], ["--where", "geo.country=DE", "--from", "ab", "--to", "b"],
    ["--where", "geo.country=nowhere"],
]


@pytest.mark.parametrize("words", BOUNDS, ids=" ".join)
def test_bounds_are_those_of_a_model_in_both_directions_and_cut_short(command, rows, words):
    path, rows = rows
    expected = selected(rows, words)
    for more, keys in [([], expected), (["--reverse"], expected[::-1]), (["--limit", "3"], expected[:3]), (["--limit", "0"], []),
                       (["--reverse", "--limit", "40"], expected[::-1][:40])]:
        assert [unescape(line) for line in command("keys", path, *words, *more, code=DONE).lines] == keys
        dumped = [json.loads(line) for line in command("dump", path, *words, *more, "--field", "id", code=DONE).lines]
        assert [each["keys"] for each in dumped] == [[key.decode()] for key in keys]
        assert command("keys", path, *words, *more, "--count", code=DONE).text == f"{len(keys)}\n"
        assert command("dump", path, *words, *more, "--count", "-j", code=DONE).json == {"count": len(keys)}
    if "--prefix" not in words:
        begun = [key for key in expected if key.startswith(b"a")]
        assert [line.split(b"\t")[0] for line in command("prefix", path, "a", *words, code=DONE).lines] == begun


# --- lots ---


@pytest.mark.parametrize("words", [[], ["--prefix", "ab"], ["--where", "geo.country=DE"], ["--from", "b"]], ids=" ".join)
def test_a_sample_is_of_the_selected_keys_in_order_and_the_same_for_the_same_seed(command, rows, words):
    path, rows = rows
    expected = selected(rows, words)
    for count in (0, 1, 5, len(expected) // 2, len(expected), len(expected) + 10):
        draw = ["keys", path, *words, "--sample", str(count), "--seed", "3"]
        keys = [unescape(line) for line in command(*draw, code=DONE).lines]
        assert keys == sorted(set(keys)) and set(keys) <= set(expected) and len(keys) == min(count, len(expected))
        assert command(*draw).out == command(*draw).out
        assert [unescape(line) for line in command(*draw, "--reverse").lines] == keys[::-1]
        assert command(*draw, "--count").text == f"{len(keys)}\n"
    assert command(*draw[:-1], "4").out == command(*draw).out, "all of them are all of them"
    five = ["keys", path, *words, "--sample", "5"]
    assert len({command(*five, "--seed", str(seed)).out for seed in range(8)}) > 4
    assert len({command(*five).out for _ in range(8)}) > 4


@pytest.mark.parametrize("words", [[], ["--where", "even=true"]], ids=["all", "where"])
def test_no_key_is_left_out_of_every_sample(command, tmp_path, words):
    """Of 40 keys, 8 are drawn 50 times: each should come 10 times, with a deviation of 3. Fixed seeds, so that it is no matter of luck;
    Swift's tests draw more often."""
    path = command.build(tmp_path / "x.fsdb", [(msgpack.packb({"even": True}), [b"%02d" % number for number in range(40)])])
    counts = {}
    for seed in range(50):
        for line in command("keys", path, "--sample", "8", "--seed", str(seed), *words).lines:
            counts[line] = counts.get(line, 0) + 1
    assert len(counts) == 40 and all(0 < count < 24 for count in counts.values()), counts


def test_a_small_sample_of_many_keys_reads_few_of_them(command, big):
    """Of 200,000 keys; the sample is drawn by numbers, without going through them."""
    first = command("keys", big, "--sample", "3", "--seed", "1", code=DONE).lines
    assert len(set(first)) == 3
    everything = command("keys", big, code=DONE).lines
    assert set(first) <= set(everything)
    many = command("keys", big, "--sample", "15000", "--seed", "1", code=DONE).lines
    assert len(set(many)) == 15_000 and many == sorted(many) and set(many) <= set(everything)


# --- fields and forms ---

FIELDS = ["--field", "name", "--field", "geo.country", "--field", "geo.at", "--field", "note"]
PATHS = [["name"], ["geo", "country"], ["geo", "at"], ["note"]]


def at(value, path):
    """(is there, what) at a path."""
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return False, None
        value = value[step]
    return True, value


def cells(value):
    """What a table has of the fields."""
    found = [at(value, path) for path in PATHS]
    return ["" if not there or what is None else what if isinstance(what, str) else json.dumps(what, separators=(",", ":")) for there, what in found]


def fields(value):
    return {".".join(path): at(value, path)[1] for path in PATHS if at(value, path)[0]}


@pytest.mark.parametrize("name", ["keys", "prefix", "dump"])
@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_fields_are_columns_of_tables(command, rows, name, format):
    path, rows = rows
    operands = [path, ""] if name == "prefix" else [path]
    text = command(name, *operands, "--format", format, *FIELDS, code=DONE).text
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter="," if format == "csv" else "\t"))
    assert table[0] == ["key", "name", "geo.country", "geo.at", "note"]
    assert table[1:] == [[key.decode(), *cells(rows[key])] for key in sorted(rows)]


@pytest.mark.parametrize("name", ["keys", "prefix"])
def test_fields_are_columns_of_text(command, rows, name):
    path, rows = rows
    lines = command(name, *([path, ""] if name == "prefix" else [path]), *FIELDS, code=DONE).lines
    assert [[unescape(cell) for cell in line.split(b"\t")] for line in lines] == [
        [key, *(b"null" if there and what is None else cell.encode() for cell, (there, what) in
                zip(cells(rows[key]), [at(rows[key], path) for path in PATHS]))] for key in sorted(rows)]


@pytest.mark.parametrize("name", ["keys", "prefix"])
def test_fields_are_members_of_json(command, rows, name):
    path, rows = rows
    operands = [path, ""] if name == "prefix" else [path]
    several = [json.loads(line) for line in command(name, *operands, *FIELDS, "--format", "ndjson", code=DONE).lines]
    assert several == [{"key": key.decode(), "fields": fields(rows[key])} for key in sorted(rows)]
    assert command(name, *operands, *FIELDS, "-j").lines == command(name, *operands, *FIELDS, "--format", "ndjson").lines
    one = [json.loads(line) for line in command(name, *operands, "--field", "name", "--json", code=DONE).lines]
    assert one == [{"key": key.decode(), **({"value": rows[key]["name"]} if at(rows[key], ["name"])[0] else {})} for key in sorted(rows)]


def test_messagepack_is_that_of_the_file(command, rows):
    path, rows = rows

    def read(*arguments):
        return list(msgpack.Unpacker(io.BytesIO(command(*arguments, "--format", "msgpack", code=DONE).out)))

    keys = [key.decode() for key in sorted(rows)]
    assert read("keys", path) == keys
    assert read("prefix", path, "ab") == [[[key], rows[key.encode()]] for key in keys if key.startswith("ab")]
    assert read("keys", path, *FIELDS) == [[[key], fields(rows[key.encode()])] for key in keys]
    assert read("dump", path, "--reverse") == [[[key], rows[key.encode()]] for key in reversed(keys)]
    assert sorted(key for keys, _ in read("dump", path) for key in keys) == keys


@pytest.mark.parametrize("words", [["--format", "msgpack"], ["--format", "msgpack", "--from", ""], ["--from", ""], ["--json"]], ids=" ".join)
def test_what_a_dump_prints_builds_the_same_file(command, rows, tmp_path, words):
    path, _ = rows
    reading = words[:2] if "msgpack" in words else []
    dumped = command("dump", path, *words, code=DONE).out
    command("build", "-o", tmp_path / "again.fsdb", "-q", *reading, stdin=dumped, code=DONE)
    assert (tmp_path / "again.fsdb").read_bytes() == path.read_bytes()


def test_keys_that_are_not_text_survive_messagepack(command, tmp_path):
    path = command.build(tmp_path / "x.fsdb", [(pack_int(1), [b"\xff", b"a"]), (pack_int(2), [b"\xfe\0"])])
    for words in ([], ["--from", ""]):
        dumped = command("dump", path, "--format", "msgpack", *words, code=DONE).out
        command("build", "-o", tmp_path / "again.fsdb", "-q", "--format", "msgpack", stdin=dumped, code=DONE)
        assert (tmp_path / "again.fsdb").read_bytes() == path.read_bytes()


def test_a_dump_without_options_has_one_line_for_each_object(command, rows):
    path, rows = rows
    lines = command("dump", path, code=DONE).lines
    assert len(lines) == len({json.dumps(value) for value in rows.values()})
    assert command("dump", path, "--format", "ndjson").lines == command("dump", path, "-j").lines == lines


def test_a_table_of_some_keys_has_the_columns_of_their_values(command, tmp_path):
    path = tmp_path / "x.fsdb"
    command("build", "-o", path, "-q", stdin=b'{"keys":["a"],"value":{"x":1}}\n{"keys":["b"],"value":{"y":2}}\n{"keys":["c"],"value":3}\n')
    for words, text in [
        ([], "key,x,y,value\na,1,,\nb,,2,\nc,,,3\n"), (["--limit", "1"], "key,x\na,1\n"), (["--reverse"], "key,value,y,x\nc,3,,\nb,,2,\na,,,1\n"),
        (["--where", "y=2", "--key-column", "id"], "id,y\nb,2\n"), (["--from", "x"], "key\n"), (["--field", "y", "--to", "c"], "key,y\na,\nb,2\n"),
    ]:
        assert command("dump", path, "--format", "csv", *words, code=DONE).text == text
    assert command("prefix", path, "b", "--format", "tsv", code=DONE).text == "key\ty\nb\t2\n"
    assert command("keys", path, "--format", "tsv", "--like", "b", "--field", "y", code=DONE).text == "key\ty\nb\t2\n"
    for name, operands in (("dump", []), ("prefix", [""]), ("keys", [])):
        words = [name, path, *operands, "--format", "csv", "--field", "key"]
        result = command(*words, code=USAGE)
        assert result.out == b"" and "give it another with --key-column NAME" in result.errors
        # What is advised is what helps.
        assert command(*words, "--key-column", "id,", code=DONE).text == '"id,",key\na,\nb,\nc,\n'
        assert command(*words, "--field", "id", "--key-column", "id", code=USAGE).out == b""


def test_a_field_that_no_value_has_is_said_once_with_the_name_that_was_meant(command, rows):
    path, _ = rows
    result = command("keys", path, "--field", "geo.contry", "--field", "id", "--limit", "5", code=DONE)
    assert result.errors == f"fusedb: {path}: no value that was looked at has the field \"geo.contry\"; did you mean 'geo.country'?\n"
    assert command("keys", path, "--field", "geo.contry", "--quiet", code=DONE).err == b""
    assert command("keys", path, "--field", "geo.country", code=DONE).err == b""
    assert command("keys", path, "--field", "nothing", "--to", "", code=DONE).err == b""


@pytest.mark.parametrize("arguments, words", [
    (["keys", "FILE", "--sample", "3", "--limit", "2"], "leave out --limit"), (["keys", "FILE", "--seed", "3"], "--seed is for --sample"),
    (["keys", "FILE", "--from", "b", "--to", "a"], "--from \"b\" comes after --to \"a\""), (["keys", "FILE", "--sample", "x"], "--sample takes a number"),
    (["keys", "FILE", "--like", "a", "--to", "b"], "leave out --to"), (["keys", "FILE", "--like", "a", "--sample", "1"], "leave out --sample"),
    (["keys", "FILE", "--like", "a", "--prefix", "1"], "leave out --prefix"), (["keys", "FILE", "-0", "--field", "a"], "leave out --field"),
    (["keys", "FILE", "-0", "--format", "csv"], "leave out --format"), (["keys", "FILE", "--count", "--field", "a"], "leave out --field"),
    (["keys", "FILE", "--count", "--format", "csv"], "leave out --format"), (["keys", "FILE", "--format", "xml"], "text, ndjson, csv, tsv or msgpack"),
    (["dump", "FILE", "--format", "text"], "ndjson, csv, tsv or msgpack"), (["keys", "FILE", "--json", "--format", "csv"], "--json is --format ndjson"),
    (["dump", "FILE", "--key-column", "k"], "--key-column is for"), (["prefix", "FILE", "", "--key-column", "k"], "--key-column is for"),
    (["keys", "FILE", "--format", "ndjson", "--key-column", "k"], "--key-column is for"), (["keys", "FILE", "--field", "a", "--field", "a"], "given twice"),
    (["keys", "FILE", "--where", "a"], "has no '='"), (["prefix", "FILE", "a", "--prefix", "b"], "no option '--prefix'"),
    (["get", "FILE", "a", "--default", "{"], "--default takes JSON"), (["get", "FILE", "a", "--format", "csv", "--field", "key"], "the same name"),
    (["get", "FILE", "a", "--json", "--format", "text"], "--json is --format ndjson"),
])
def test_what_makes_no_sense_is_refused(command, rows, arguments, words):
    result = command(*[rows[0] if word == "FILE" else word for word in arguments], code=USAGE)
    assert result.out == b"" and words in result.errors


# --- get ---


@pytest.fixture(scope="module")
def blocks(command, tmp_path_factory):
    path = tmp_path_factory.mktemp("blocks") / "blocks.fsdb"
    command("build", "-o", path, "-q", stdin=b'{"keys":["8.8.8.0/24","1.1.1.0/24"],"value":{"org":"G, Inc.","geo":{"cc":"US"}}}\n', code=DONE)
    return path


@pytest.mark.parametrize("arguments, text", [
    (["9.9.9.9", "--default", "null"], "null\n"), (["8.8.8.8", "--default", "null", "--field", "geo.cc"], "8.8.8.0/24\tUS\n"),
    (["8.8.8.8", "--default", '"?"', "--field", "geo.x", "--match", "network"], "?\n"), (["9.9.9.9", "--default", '"a\\nb"', "--field", "org"], "a\nb\n"),
    (["9.9.9.9", "8.8.8.8", "--default", "0", "--field", "geo.x", "--field", "geo.cc"], "9.9.9.9\t\t0\t0\n8.8.8.8\t8.8.8.0/24\t0\tUS\n"),
    (["9.9.9.9", "--default", '{"n":1}', "--json"], '{"key":"9.9.9.9","found":false,"value":{"n":1}}\n'),
    (["9.9.9.9", "--default", "0", "-j", "--field", "a", "--field", "b"], '{"key":"9.9.9.9","found":false,"fields":{"a":0,"b":0}}\n'),
    (["8.8.8.8", "--default", "0", "-j", "--field", "org", "--field", "b", "--match", "exact"],
     '{"key":"8.8.8.8","found":false,"fields":{"org":0,"b":0}}\n'),
    (["9.9.9.9", "8.8.8.8", "--default", '"-"', "--format", "csv", "--field", "org"], 'key,match,org\n9.9.9.9,,-\n8.8.8.8,8.8.8.0/24,"G, Inc."\n'),
    (["8.8.8.0/24", "--match", "exact", "--format", "tsv"], 'key\tvalue\n8.8.8.0/24\t"{""org"":""G, Inc."",""geo"":{""cc"":""US""}}"\n'),
    (["8.8.8.8", "--match", "network", "--with-key", "--format", "csv", "--field", "org", "--field", "geo.cc"],
     'key,match,org,geo.cc\n8.8.8.8,8.8.8.0/24,"G, Inc.",US\n'),
])
def test_get_prints_tables_and_defaults(command, blocks, arguments, text):
    result = command("get", blocks, *arguments, code=DONE)
    assert (result.text, result.err) == (text, b"")


def test_a_default_answers_for_every_line_of_a_list(command, blocks):
    listed = b"8.8.8.8\n9.9.9.9\nnone\n1.1.1.7\n"
    result = command("get", blocks, "--keys-from", "-", "--field", "geo.cc", "--default", '"?"', stdin=listed, code=DONE)
    assert (result.text, result.err) == ("8.8.8.8\t8.8.8.0/24\tUS\n9.9.9.9\t\t?\nnone\t\t?\n1.1.1.7\t1.1.1.0/24\tUS\n", b"")
    without = command("get", blocks, "--keys-from", "-", "--field", "geo.cc", stdin=listed, code=NO)
    assert without.text == "8.8.8.8\t8.8.8.0/24\tUS\n1.1.1.7\t1.1.1.0/24\tUS\n" and without.errors.count("\n") == 2


def test_get_prints_messagepack(command, blocks):
    value = {"org": "G, Inc.", "geo": {"cc": "US"}}

    def read(*arguments, code=DONE):
        return list(msgpack.Unpacker(io.BytesIO(command("get", blocks, *arguments, "--format", "msgpack", code=code).out)))

    assert read("8.8.8.8") == [value]
    assert read("8.8.8.8", "--field", "geo") == [{"cc": "US"}]
    assert read("8.8.8.8", "--field", "geo.cc", "--field", "x", code=NO) == [{"geo.cc": "US"}]
    assert read("8.8.8.8", "1.1.1.1") == [[["8.8.8.8"], value], [["1.1.1.1"], value]]
    assert read("8.8.8.8", "9.9.9.9", code=NO) == [[["8.8.8.8"], value]]
    assert read("9.9.9.9", "8.8.8.8", "--default", "7") == [[["9.9.9.9"], 7], [["8.8.8.8"], value]]
    assert read("9.9.9.9", "--default", "7", "--field", "a", "--field", "b") == [{"a": 7, "b": 7}]


def test_a_table_refuses_what_it_cannot_hold(command, tmp_path):
    path = command.build(tmp_path / "x.fsdb", [(pack_int(1), [b"\xff", b"a\0"])])
    for words in (["keys"], ["dump"], ["dump", "--field", "a"]):
        assert "no spreadsheet can hold" in command(words[0], path, *words[1:], "--format", "csv", code=BAD_DATA).errors
    assert "no spreadsheet can hold" in command("get", path, b"\xff", "--format", "csv", code=BAD_DATA).errors


# --- the beginning ---

@pytest.fixture(scope="module")
def damaged(big, tmp_path_factory):
    """A copy of the big file in which a part of the objects and of the keys is zeros, neither at their ends nor where a search by halves looks."""
    content = bytearray(big.read_bytes())
    index = int.from_bytes(content[16:24], "big")
    # An entry is the length, the key and the offset of its object.
    for start, size in [(40, index - 40), (index, 200_000 * (2 + len("host-00000-0.example") + 8))]:
        begin, end = start + size * 30 // 100, start + size * 45 // 100
        content[begin:end] = bytes(end - begin)
    path = tmp_path_factory.mktemp("damaged") / "damaged.fsdb"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("arguments", [
    ["keys"], ["keys", "--reverse"], ["keys", "--where", "id=0"], ["prefix", ""], ["prefix", "host-0", "--reverse", "--limit", "9"],
    ["prefix", "host-0000"], ["prefix", "", "--field", "id"], ["keys", "--from", "host-198"], ["dump", "--limit", "9"], ["dump", "--reverse"],
    ["dump", "--from", ""], ["dump", "--format", "csv", "--field", "id"], ["dump", "--format", "csv", "--limit", "9"], ["keys", "--count"],
    ["prefix", "host-19", "--count"], ["keys", "--from", "host-0", "--to", "host-00009"], ["dump", "--prefix", "host-19", "--format", "msgpack"],
], ids=" ".join)
def test_the_first_row_comes_before_the_rest_is_read(command, big, damaged, arguments):
    """What comes later is damaged: who would read it first would print nothing."""
    name, *words = arguments
    sound, result = command(name, big, *words, code=DONE), command(name, damaged, *words)
    assert sound.out and result.out[:100] == sound.out[:100]
    assert (result.code, result.out) == (DONE, sound.out) or (result.code == BAD_DATA and len(result.out) <= len(sound.out))


def test_the_first_line_is_written_at_once(command, big):
    """And not when there is more: standard output is a pipe that nobody reads on, and in it is the first line alone, or what came soon after."""
    process = command.start("keys", big, "--where", "id=0")
    try:
        # Ten keys have that value, all of them at the beginning; then 199,990 are looked at.
        assert process.stdout.readline() == b"host-00000-0.example\n"
    finally:
        process.kill()
        process.communicate()

"""get, prefix and keys: what they print, in which order, and their options."""

import json

import pytest

from conftest import DONE, NO, USAGE
from spelling import unspell


@pytest.fixture(scope="module")
def people(command, tmp_path_factory):
    """A file of a few keys whose objects have fields of all kinds."""
    records = {
        (
            "8.8.8.8",
            "8.8.4.4",
            "gmail.com",
        ): '{"org":"Google","asn":15169,"geo":{"city":"Mountain View","at":[37.4,-122.1]},"tags":["dns",{"n":1}]}',
        ("1.1.1.1",): '{"org":"Cloudflare","asn":13335,"geo":null}',
        ("text",): '"line\\nbreak"',
        ("number",): "42",
        ("list",): '["zero",["a","b"]]',
        ("blob",): '{"raw":{"$bin":"00ff"},"odd":{"$map":[[1,"one"]]},"0":"a text zero"}',
    }
    calls = [(unspell(value), [key.encode() for key in keys]) for keys, value in records.items()]
    return command.build(tmp_path_factory.mktemp("people") / "people.fsdb", calls)


def test_one_key_gives_its_value_alone_on_a_line(command, people):
    assert command("get", people, "number", code=DONE).out == b"42\n"
    assert command("get", people, "text", code=DONE).out == b'"line\\nbreak"\n'
    assert command("get", people, "1.1.1.1", code=DONE).out == b'{"org":"Cloudflare","asn":13335,"geo":null}\n'


def test_several_keys_give_a_line_each_in_the_order_asked(command, people):
    assert (
        command("get", people, "text", "number", "text", code=DONE).out
        == b'text\t"line\\nbreak"\nnumber\t42\ntext\t"line\\nbreak"\n'
    )


def test_an_absent_key_is_named_on_standard_error(command, people):
    result = command("get", people, "nobody", code=NO)
    assert result.out == b""
    assert "nobody" in result.errors
    result = command("get", people, "number", "nobody", "text", code=NO)
    assert result.out == b'number\t42\ntext\t"line\\nbreak"\n'
    assert "nobody" in result.errors and "number" not in result.errors


def test_json_says_of_every_key_whether_it_was_found(command, people):
    result = command("get", people, "--json", "number", "nobody", code=NO)
    assert [json.loads(text) for text in result.lines] == [
        {"key": "number", "found": True, "value": 42},
        {"key": "nobody", "found": False},
    ]
    assert command("get", people, "--json", "number", code=DONE).json == {"key": "number", "found": True, "value": 42}


@pytest.mark.parametrize(
    "key, field, printed",
    [
        ("8.8.8.8", "org", "Google"),
        ("8.8.8.8", "asn", "15169"),
        ("8.8.8.8", "geo.city", "Mountain View"),
        ("8.8.8.8", "geo.at.1", "-122.1"),
        ("8.8.8.8", "geo.at", "[37.4,-122.1]"),
        ("8.8.8.8", "tags.0", "dns"),
        ("8.8.8.8", "tags.1.n", "1"),
        ("1.1.1.1", "geo", "null"),
        ("list", "0", "zero"),
        ("list", "1.1", "b"),
        ("blob", "raw", '{"$bin":"00ff"}'),
        ("blob", "0", "a text zero"),
    ],
)
def test_a_field_prints_bare(command, people, key, field, printed):
    assert command("get", people, key, "--field", field, code=DONE).text == printed + "\n"


@pytest.mark.parametrize(
    "key, field",
    [("8.8.8.8", "nothing"), ("8.8.8.8", "geo.nothing"), ("8.8.8.8", "geo.at.2"), ("8.8.8.8", "geo.at.x"), ("8.8.8.8", "geo.at.-1"),
     ("8.8.8.8", "org.0"), ("number", "0"), ("1.1.1.1", "geo.city"), ("8.8.8.8", "tags.99999999999999999999")],
)  # fmt: skip
def test_a_field_that_is_not_there_is_a_definite_no(command, people, key, field):
    result = command("get", people, key, "--field", field, code=NO)
    assert result.out == b""
    assert field in result.errors


FIELDS = ["--field", "org", "--field", "geo.city", "--field", "tags.0", "--field", "asn"]


def test_several_fields_are_columns_in_the_order_asked(command, people):
    assert command("get", people, "8.8.8.8", *FIELDS, code=DONE).text == "Google\tMountain View\tdns\t15169\n"
    result = command("get", people, "8.8.8.8", "gmail.com", *FIELDS, code=DONE)
    assert [line.split("\t") for line in result.text.splitlines()] == [
        [key, "Google", "Mountain View", "dns", "15169"] for key in ("8.8.8.8", "gmail.com")
    ]


def test_a_field_that_is_absent_among_several_leaves_its_column_empty(command, people):
    result = command("get", people, "1.1.1.1", "nobody", "8.8.8.8", *FIELDS, code=NO)
    assert [line.split("\t") for line in result.text.splitlines()] == [
        ["1.1.1.1", "Cloudflare", "", "", "13335"],
        ["8.8.8.8", "Google", "Mountain View", "dns", "15169"],
    ]
    said = result.errors.splitlines()
    assert len(said) == 3 and "geo.city" in said[0] and "tags.0" in said[1] and "nobody" in said[2]


def test_a_string_among_several_fields_ends_neither_its_column_nor_its_line(command, tmp_path):
    value = '{"a":"tab\\there","b":"line\\nbreak \\\\","c":""}'
    path = command.build(tmp_path / "text.fsdb", [(unspell(value), [b"k"])])
    result = command("get", path, "k", "--field", "a", "--field", "b", "--field", "c", code=DONE)
    assert result.text == "tab\\there\tline\\nbreak \\\\\t\n"


def test_several_fields_as_json_are_those_that_are_there(command, people):
    result = command("get", people, "--json", "1.1.1.1", "nobody", "number", *FIELDS, code=NO)
    assert [json.loads(text) for text in result.lines] == [
        {"key": "1.1.1.1", "found": True, "fields": {"org": "Cloudflare", "asn": 13335}},
        {"key": "nobody", "found": False},
        {"key": "number", "found": True, "fields": {}},
    ]
    assert command("get", people, "--json", "8.8.8.8", *FIELDS, code=DONE).json == {
        "key": "8.8.8.8",
        "found": True,
        "fields": {"org": "Google", "geo.city": "Mountain View", "tags.0": "dns", "asn": 15169},
    }


def test_a_field_given_twice_is_wrong_usage(command, people):
    command("get", people, "8.8.8.8", "--field", "org", "--field", "org", code=USAGE)


def test_prefix_gives_the_keys_that_begin_so_in_order(command, people):
    google = '{"org":"Google","asn":15169,"geo":{"city":"Mountain View","at":[37.4,-122.1]},"tags":["dns",{"n":1}]}'
    assert command("prefix", people, "8.8.", code=DONE).text == f"8.8.4.4\t{google}\n8.8.8.8\t{google}\n"
    assert command("prefix", people, "number", code=DONE).text == "number\t42\n"
    assert command("prefix", people, "8.8.", "--count", code=DONE).text == "2\n"
    assert command("prefix", people, "", "--count", code=DONE).text == "8\n"
    assert command("prefix", people, "nobody", "--count").text == "0\n"


def test_prefix_stops_at_its_limit(command, people):
    assert [key for key, _ in command.pairs("prefix", people, "", "--limit", 3)] == [b"1.1.1.1", b"8.8.4.4", b"8.8.8.8"]
    assert [key for key, _ in command.pairs("prefix", people, "", "--limit", 2, "--reverse")] == [b"text", b"number"]
    assert len(command.pairs("prefix", people, "", "--limit", 100)) == 8


def test_prefix_as_json_is_a_line_for_each_key(command, people):
    result = command("prefix", people, "n", "--json", code=DONE)
    assert [json.loads(text) for text in result.lines] == [{"key": "number", "value": 42}]


def test_keys_come_in_order_from_either_end_and_from_any_key(command, people):
    keys = ["1.1.1.1", "8.8.4.4", "8.8.8.8", "blob", "gmail.com", "list", "number", "text"]

    def asked(*options):
        return command("keys", people, *options, code=DONE).text.splitlines()

    assert asked() == keys
    assert asked("--reverse") == keys[::-1]
    assert asked("--limit", 2) == keys[:2]
    assert asked("--from", "blob") == keys[3:]
    assert asked("--from", "c") == keys[4:]
    assert asked("--from", "blob", "--limit", 2) == keys[3:5]
    assert asked("--from", "zzz") == []
    assert asked("--reverse", "--limit", 2) == keys[:-3:-1]
    assert [json.loads(text) for text in asked("--json")] == keys


def test_prefix_scans_of_many_keys_are_those_of_a_sorted_list(command, tmp_path, rng):
    keys = sorted({bytes(rng.choice(b"ab\xff") for _ in range(rng.randrange(8))) for _ in range(2_000)})
    path = command.build(tmp_path / "keys.fsdb", [(b"\x01", keys)])
    for prefix in (b"", b"a", b"b", b"\xff", b"\xff\xff", b"ab", b"a\xff", b"\xff\xff\xff\xff\xff\xff\xff", b"c", b"abababab"):
        expected = [key for key in keys if key.startswith(prefix)]
        assert [key for key, _ in command.pairs("prefix", path, "--", prefix)] == expected
        assert [key for key, _ in command.pairs("prefix", path, "--reverse", "--", prefix)] == expected[::-1]
        assert int(command("prefix", path, "--count", "--", prefix).text) == len(expected)


def test_a_key_may_look_like_an_option_after_two_dashes(command, tmp_path):
    path = command.build(tmp_path / "x.fsdb", [(b"\x01", [b"--json", b"-"])])
    assert command("get", path, "--", "--json", code=DONE).out == b"1\n"
    assert command("get", path, "--", "-", code=DONE).out == b"1\n"
    assert command("get", path, "--bogus", code=USAGE).out == b""


@pytest.mark.parametrize("limit", ["-1", "x", "1.5", "", "99999999999999999999"])
def test_a_limit_that_is_no_count_is_wrong_usage(command, people, limit):
    assert command("prefix", people, "", "--limit", limit, code=USAGE).out == b""
    assert command("keys", people, "--limit", limit, code=USAGE).out == b""

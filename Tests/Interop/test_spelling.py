"""The JSON spelling of MessagePack, as the command writes and reads it. The examples are also those of spec/json.md."""

import json
import re

import pytest
from good_files import edges, floats, maps, nesting, not_shortest, strings

from conftest import BAD_DATA, DONE, ROOT
from spelling import Pairs, escape, parse, spell, unescape, unspell

GROUPS = (edges, floats, strings, maps, not_shortest, nesting)

#: JSON text -> MessagePack in hexadecimal, in the form that the command writes.
EXACT = {
    "null": "c0", "true": "c3", "false": "c2", "0": "00", "127": "7f", "128": "cc80", "255": "ccff", "256": "cd0100",
    "65536": "ce00010000", "4294967296": "cf0000000100000000", "18446744073709551615": "cf" + "ff" * 8,
    "-1": "ff", "-32": "e0", "-33": "d0df", "-129": "d1ff7f", "-32769": "d2ffff7fff", "-9223372036854775808": "d38000000000000000",
    "1.0": "cb3ff0000000000000", "-0.0": "cb8000000000000000", "0.1": "cb3fb999999999999a", "1.5": "cb3ff8000000000000",
    '{"$float64":"nan"}': "cb7ff8000000000000", '{"$float64":"inf"}': "cb7ff0000000000000",
    '{"$float64":"-inf"}': "cbfff0000000000000", '{"$float64":"0x7ff8000000000001"}': "cb7ff8000000000001",
    '{"$float32":1.5}': "ca3fc00000", '{"$float32":0.1}': "ca3dcccccd", '{"$float32":-0.0}': "ca80000000",
    '{"$float32":"nan"}': "ca7fc00000", '{"$float32":"inf"}': "ca7f800000", '{"$float32":"-inf"}': "caff800000",
    '{"$float32":"0xffc00000"}': "caffc00000",
    '""': "a0", '"text"': "a474657874", '"\\u0000\\n\\"\\\\"': "a4000a225c", '"\\u0007\\u0008\\t\\n\\u000b\\u000c\\r\\\\b\u007f"': "aa0708090a0b0c0d5c627f", '"é€😀"': "a9c3a9e282acf09f9880",
    '{"$bin":""}': "c400", '{"$bin":"00ff"}': "c40200ff", '{"$str":"ff"}': "a1ff", '{"$str":"eda080"}': "a3eda080",
    '{"$ext":[7,""]}': "c70007", '{"$ext":[-1,"00000000"]}': "d6ff00000000", '{"$ext":[-128,"aa"]}': "d480aa",
    '{"$ext":[127,"aabbcc"]}': "c7037faabbcc", "[]": "90", "[1,[2]]": "92019102", "{}": "80", '{"a":1}': "81a16101",
    '{"a":1,"a":2}': "82a16101a16102", '{"z":1,"a":2}': "82a17a01a16102", '{"":1}': "81a001",
    '{"$map":[[1,2]]}': "810102", '{"$map":[["a",1],[2,3]]}': "82a161010203", '{"$map":[["$bin","00"]]}': "81a42462696ea23030",
    '{"$map":[[{"$str":"ff"},1]]}': "81a1ff01", '{"$map":[[{"$map":[[1,2]]},3]]}': "8181010203",
    '{"$bin":"00","x":1}': "82a42462696ea23030a17801", '{"$other":1}': "81a6246f7468657201", '{"$":1}': "81a12401",
    '{"$msgpack":"cc05"}': "cc05", '[1,{"$msgpack":"d90161"}]': "9201d90161", '{"$msgpack":"dc000101"}': "dc000101",
    '{"$map":[[{"$msgpack":"d90161"},1]]}': "81d9016101",
}  # fmt: skip

#: JSON text that is read, in another form than the one written.
ALSO_READ = {
    "-0": "00", "1e0": "cb3ff0000000000000", "1E+0": "cb3ff0000000000000", "10000000000000000.0": "cb4341c37937e08000", " [ 1 , 2 ] ": "920102",
    '"\\u00e9\\/\\b\\f\\ud83d\\ude00"': "a9c3a92f080cf09f9880", '{"$bin":"00FF"}': "c40200ff", '{"$str":"61"}': "a161",
    '{"$float32":1}': "ca3f800000", '{"$float64":"0x3ff0000000000000"}': "cb3ff0000000000000", '{"$float64":"0x7FF8000000000001"}': "cb7ff8000000000001",
    '{"$float32":"0x3f800000"}': "ca3f800000", '{"$map":[]}': "80", '{"$map":[["a",1]]}': "81a16101", '{"$msgpack":"05"}': "05",
    '{"$msgpack":"A161"}': "a161", '{"\\u0024bin":"00"}': "c40100", '{"a\\u0062":1}': "81a2616201",
}  # fmt: skip

REFUSED = {
    "18446744073709551616": "an integer beyond 64 bits",
    "-9223372036854775809": "an integer below 64 bits",
    "123456789012345678901234567890": "an integer far beyond 64 bits",
    "1e400": "a number that rounds to infinity",
    "-1e400": "a number that rounds to minus infinity",
    "NaN": "no JSON",
    "Infinity": "no JSON",
    "01": "a leading zero",
    "+1": "a leading plus",
    ".5": "no digit before the point",
    "1.": "no digit after the point",
    "'a'": "single quotes",
    '"a': "a string without an end",
    '"\\x41"': "an escape that JSON has not",
    '"\\u12"': "half an escape",
    '"a\tb"': "a bare tab in a string",
    '"\\ud800"': "a lone high surrogate",
    '"\\udc00x"': "a lone low surrogate",
    '"\\ud800\\u0041"': "a high surrogate before a letter",
    '{"\\ud800":1}': "a lone surrogate in a name",
    b'"\xff"': "not UTF-8",
    b'"\xed\xa0\x80"': "a surrogate in UTF-8",
    "[1,]": "a trailing comma",
    "[1": "an array without an end",
    '{"a":1': "an object without an end",
    '{"a"}': "a member without a value",
    "{1:2}": "a name that is no string",
    "nul": "a cut word",
    "": "nothing",
    "1 2": "two values",
    '{"$float64":1.5}': "a number where a string must be",
    '{"$float64":"NaN"}': "a word in capitals",
    '{"$float64":"0x3ff"}': "too few digits",
    '{"$float64":"0x3ff00000000000000"}': "too many digits",
    '{"$float64":"3ff0000000000000"}': "no 0x",
    '{"$float64":"0x3ff000000000000g"}': "not a digit",
    '{"$float64":null}': "null",
    '{"$float32":1e39}': "beyond float32",
    '{"$float32":"0x3f80000"}': "seven digits",
    '{"$float32":"1.5"}': "a number in quotes",
    '{"$float32":true}': "a bool",
    '{"$bin":"0"}': "an odd number of digits",
    '{"$bin":"0g"}': "not a digit",
    '{"$bin":" 00"}': "a space",
    '{"$bin":"0x00"}': "a prefix",
    '{"$bin":0}': "a number",
    '{"$bin":null}': "null",
    '{"$bin":["00"]}': "a list",
    '{"$str":"f"}': "an odd number of digits",
    '{"$str":{}}': "an object",
    '{"$ext":[1]}': "no bytes",
    '{"$ext":[1,"00",2]}': "three parts",
    '{"$ext":["1","00"]}': "a type in quotes",
    '{"$ext":[128,"00"]}': "a type above 127",
    '{"$ext":[-129,"00"]}': "a type below -128",
    '{"$ext":[1.0,"00"]}': "a type that is a float",
    '{"$ext":[1,"0"]}': "an odd number of digits",
    '{"$ext":"00"}': "a string",
    '{"$map":{"a":1}}': "an object",
    '{"$map":[1,2]}': "no pairs",
    '{"$map":[[1]]}': "a pair without a value",
    '{"$map":[[1,2,3]]}': "a pair of three",
    '{"$map":null}': "null",
    '{"$msgpack":"c1"}': "a byte that is never used",
    '{"$msgpack":""}': "no bytes",
    '{"$msgpack":"0101"}': "two values",
    '{"$msgpack":"a5"}': "a cut value",
    '{"$msgpack":"ddffffffff"}': "a huge count",
    '{"$msgpack":5}': "a number",
    '[{"$bin":"x"}]': "a malformed spelling inside an array",
    '{"a":{"$str":1}}': "a malformed spelling inside an object",
    '{"$map":[[{"$ext":1},2]]}': "a malformed spelling as a key",
}  # fmt: skip


def build_one(command, path, text):
    """Builds a file of one value under the key k. The text may be bytes, where it is not UTF-8."""
    raw = text if isinstance(text, bytes) else text.encode()
    return command("build", path, stdin=b'{"keys":["k"],"value":' + raw + b"}\n")


def read_back(command, tmp_path, texts):
    """(the object, the text that get prints) for each JSON text, all through one file."""
    path = tmp_path / "values.fsdb"
    lines = "".join(f'{{"keys":["{number}"],"value":{text}}}\n' for number, text in enumerate(texts))
    command("build", path, "--order", "insertion", stdin=lines.encode(), code=DONE)
    values = command.mapping(path)
    written = {}
    for text in command("prefix", path, "", code=DONE).lines:
        key, value = text.split(b"\t", 1)
        written[unescape(key)] = value.decode()
    return [(values[b"%d" % number].hex(), written[b"%d" % number]) for number in range(len(texts))]


def test_each_value_has_its_text_and_comes_back(command, tmp_path):
    read = read_back(command, tmp_path, EXACT)
    assert dict(zip(EXACT, read, strict=True)) == {text: (encoded, text) for text, encoded in EXACT.items()}


def test_other_forms_of_the_text_are_read(command, tmp_path):
    read = read_back(command, tmp_path, ALSO_READ)
    assert {text: encoded for text, (encoded, _) in zip(ALSO_READ, read, strict=True)} == ALSO_READ


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_every_value_comes_back_through_its_text(command, tmp_path, group):
    values = group()
    read = read_back(command, tmp_path, [spell(value) for value in values.values()])
    for (name, value), (encoded, written) in zip(values.items(), read, strict=True):
        assert encoded == value.hex(), name
        assert unspell(written) == value, name
        if not has_finite_float(parse(written)):
            assert written == spell(value), name


def has_finite_float(node):
    """Whether a parsed text holds a number with a point or an exponent, whose form is free."""
    if isinstance(node, Pairs):
        return any(has_finite_float(value) for _, value in node)
    if isinstance(node, list):
        return any(map(has_finite_float, node))
    return type(node).__name__ == "Decimal"


def significant_digits(number):
    digits = re.sub(r"[eE].*", "", number).replace(".", "").replace("-", "").lstrip("0")
    return len(digits.rstrip("0")) or 1


def test_a_float64_is_written_with_the_fewest_digits_and_a_point_or_an_exponent(command, tmp_path, rng):
    numbers = [repr(rng.uniform(-1, 1) * 10 ** rng.randrange(-300, 300)) for _ in range(2_000)]
    numbers += [repr(float(n)) for n in (0, 1, -1, 10**15, 10**16, 10**17, 10**22, 10**23, 2**53, 2**64)]
    for number, (encoded, written) in zip(numbers, read_back(command, tmp_path, numbers), strict=True):
        assert re.search(r"[.eE]", written), written
        assert encoded == unspell(number).hex()
        assert significant_digits(written) == significant_digits(number), (number, written)


def test_a_float32_is_written_with_no_more_digits_than_it_has(command, tmp_path, rng):
    encodings = [b"\xca" + rng.randbytes(4) for _ in range(2_000)]
    read = read_back(command, tmp_path, [f'{{"$float32":"0x{encoded[1:].hex()}"}}' for encoded in encodings])
    for value, (encoded, written) in zip(encodings, read, strict=True):
        assert encoded == value.hex()
        assert unspell(written) == value
        payload = dict(parse(written))["$float32"]
        if type(payload).__name__ == "Decimal":
            assert significant_digits(payload) <= 9, written


@pytest.mark.parametrize("text", REFUSED, ids=REFUSED.values())
def test_what_is_no_value_is_refused_with_its_line(command, tmp_path, text):
    result = build_one(command, tmp_path / "x.fsdb", text)
    assert result.code == BAD_DATA, result
    assert re.search(r":1\b", result.errors), result
    assert list(tmp_path.iterdir()) == []


NESTED = {
    "128 arrays": ("[" * 128 + "]" * 128, True),
    "129 arrays": ("[" * 129 + "]" * 129, False),
    "128 objects": ('{"a":' * 128 + "1" + "}" * 128, True),
    "129 objects": ('{"a":' * 129 + "1" + "}" * 129, False),
    "128 $map": ('{"$map":[[1,' * 128 + "1" + "]]}" * 128, True),
    "129 $map": ('{"$map":[[1,' * 129 + "1" + "]]}" * 129, False),
    "128 $map as keys": ('{"$map":[[' * 128 + "1" + ",1]]}" * 128, True),
    "129 $map as keys": ('{"$map":[[' * 129 + "1" + ",1]]}" * 129, False),
    "128 with $msgpack": ("[" * 127 + '{"$msgpack":"91c0"}' + "]" * 127, True),
    "129 with $msgpack": ("[" * 128 + '{"$msgpack":"91c0"}' + "]" * 128, False),
    "100,000 arrays": ("[" * 100_000 + "]" * 100_000, False),
    "a million and no end": ("[" * 1_000_000, False),
    "a million objects and no end": ('{"a":' * 1_000_000, False),
}


@pytest.mark.parametrize("nested", NESTED)
def test_containers_nest_128_deep_and_no_deeper(command, tmp_path, nested):
    text, allowed = NESTED[nested]
    result = build_one(command, tmp_path / "x.fsdb", text)
    assert result.code == (DONE if allowed else BAD_DATA), result
    if allowed:
        assert command.mapping(tmp_path / "x.fsdb") == {b"k": unspell(text)}


# --- the examples of the specification ---


def rows_of_spec(heading, columns):
    """The cells of the tables below a heading of spec/json.md, without their backquotes."""
    text = (ROOT / "spec" / "json.md").read_text().split(f"\n{heading}", 1)[1]
    text = re.split(r"\n## ", text, maxsplit=1)[0]
    rows = []
    for row in re.findall(r"^\| (`.+) \|$", text, re.MULTILINE):
        cells = [cell.strip() for cell in row.split(" | ")]
        if len(cells) == columns:
            rows.append([cell[1:-1] if re.fullmatch("`[^`]+`", cell) else cell for cell in cells])
    assert rows, f"no examples below {heading}"
    return rows


def spec_values():
    rows = [row for row in rows_of_spec("## 2.", 2) if not row[1].startswith("[J")]
    return [(encoded.replace(" ", ""), text) for encoded, text in rows]


def spec_refusals():
    return [text for text, why in rows_of_spec("## 2.", 2) if why.startswith("[J")]


def test_the_examples_of_the_specification_are_written_and_read(command, tmp_path):
    values = spec_values()
    assert len(values) > 40
    for (encoded, text), read in zip(values, read_back(command, tmp_path, [text for _, text in values]), strict=True):
        assert read == (encoded, text)
    for encoded, text in values:
        assert unspell(text).hex() == encoded


def test_the_refused_examples_of_the_specification_are_refused(command, tmp_path):
    texts = spec_refusals()
    assert len(texts) > 10
    for text in texts:
        assert build_one(command, tmp_path / "x.fsdb", text).code == BAD_DATA, text


def test_the_keys_of_the_specification_are_shown_on_lines_as_it_says(command, tmp_path):
    rows = [(bytes.fromhex(key), text.encode()) for key, text in rows_of_spec("## 4.", 2) if re.fullmatch("[0-9a-f ]+", key)]
    assert len(rows) >= 6
    path = command.build(tmp_path / "keys.fsdb", [(b"\x01", [key]) for key, _ in rows])
    assert sorted(command("keys", path, code=DONE).lines) == sorted(text for _, text in rows)
    assert all(escape(key) == text and unescape(text) == key for key, text in rows)


def test_random_keys_are_shown_on_one_line_each_and_come_back(command, tmp_path, rng):
    keys = {rng.randbytes(rng.randrange(12)) for _ in range(3_000)} | {bytes([i]) for i in range(256)}
    keys |= {"".join(chr(rng.randrange(0xD800)) for _ in range(5)).encode() for _ in range(500)}
    path = command.build(tmp_path / "keys.fsdb", [(b"\x01", sorted(keys))])
    shown = command("keys", path, code=DONE).lines
    assert shown == [escape(key) for key in sorted(keys)]
    assert [unescape(text) for text in shown] == sorted(keys)


def test_a_key_that_is_not_utf8_is_spelled_in_json(command, tmp_path):
    path = command.build(tmp_path / "keys.fsdb", [(b"\x01", [b"\xff", b"a", "é".encode(), b""])])
    assert json.loads(command("dump", path, code=DONE).text)["keys"] == ["", "a", "é", {"$bin": "ff"}]
    result = command("get", path, "--json", b"\xff", code=DONE)
    assert result.json == {"key": {"$bin": "ff"}, "found": True, "value": 1}

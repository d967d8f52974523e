"""`fusedb enrich`: lines with fields added, beside a model on Python's json, csv and ipaddress modules."""

import csv
import gzip
import io
import ipaddress
import json
import os
import signal
import stat
import subprocess
import time

import pytest

from conftest import BAD_DATA, DONE, IO_FAILURE, NO_INPUT, USAGE

NETWORKS = {
    "8.0.0.0/8": {"country": "US", "asn": 3356, "geo": {"lat": 1.5, "tags": ["a", "b"]}},
    "8.8.8.0/24": {"country": "US", "asn": 15169, "org": 'Google "LLC", é'},
    "1.1.1.0/24": {"country": "AU", "org": None},
    "2001:db8::/32": {"country": "ZZ", "asn": 64496, "geo": {}},
    "10.0.0.1": {"country": "private"},
}
DOMAINS = {"example.com": {"owner": 1}, "mail.example.com": {"owner": 2}, "org": {"owner": 3}, "joe@example.com": {"owner": 4}}
IDS = {"1": {"name": "one"}, "18446744073709551616": {"name": "big"}, "0": {"name": "zero"}, "é\n\"": {"name": "odd"}, "-7": {"name": "minus"}}


def rows(mapping):
    return "".join(json.dumps({"keys": [key], "value": value}) + "\n" for key, value in mapping.items()).encode()


@pytest.fixture(scope="module")
def files(command, tmp_path_factory):
    place = tmp_path_factory.mktemp("enrich")
    command("build", "-o", place / "net.fsdb", "-q", "--network", stdin=rows(NETWORKS), code=DONE)
    command("build", "-o", place / "dom.fsdb", "-q", "--normalise", "domain", stdin=rows(DOMAINS), code=DONE)
    command("build", "-o", place / "ids.fsdb", "-q", stdin=rows(IDS), code=DONE)
    return place


@pytest.fixture
def enrich(command, files):
    """Runs the command on lines; files are named without their folder."""

    def run(lines, name, *options, code=DONE, **more):
        return command("enrich", files / name, *options, "-q", stdin=lines, code=code, **more)

    return run


def network(text):
    """The longest block of NETWORKS that holds an address, or None."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text if text in NETWORKS else None
    blocks = [ipaddress.ip_network(block) for block in NETWORKS]
    found = [block for block in blocks if block.version == address.version and address in block]
    best = max(found, key=lambda block: block.prefixlen, default=None)
    return next((key for key in NETWORKS if ipaddress.ip_network(key) == best), None)


def loads(line):
    """The value of a line by Python's parser, made as strict as RFC 8259; ValueError for what is none."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(line.decode("utf-8"), parse_constant=refuse)


def is_with_insertions(line, enriched):
    """Whether all bytes of a line are in the enriched one, in their order, and its beginning and end are equal."""
    rest = iter(enriched)
    return all(byte in rest for byte in line) and enriched[:1] == line[:1] and enriched[-1:] == line[-1:]


# --- JSON ---


def some_text(rng):
    return "".join(rng.choice(["a", "é", "\\", '"', "\n", "/", "😀", "\u2028", "}", "{", ",", ":", "x" * 20]) for _ in range(rng.randrange(6)))


def some_value(rng, depth=0):
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [some_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {some_text(rng): some_value(rng, depth + 1) for _ in range(rng.randrange(4))}
    return [None, True, rng.randrange(-(10**25), 10**25), rng.random() * 10 ** rng.randrange(-9, 9), some_text(rng), False][kind]


def spelled(rng, value):
    """JSON of a value with white space and escapes as they come."""
    space = lambda: rng.choice(["", "", " ", "\t", "  "])
    if isinstance(value, dict):
        members = [spelled(rng, name) + space() + ":" + space() + spelled(rng, member) for name, member in value.items()]
        return "{" + space() + (space() + "," + space()).join(members) + space() + "}"
    if isinstance(value, list):
        return "[" + space() + (space() + "," + space()).join(spelled(rng, element) for element in value) + space() + "]"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
        if text.isascii() and rng.random() < 0.2 and "\\" not in text:
            text = '"' + "".join(f"\\u{ord(character):04X}" for character in text[1:-1]) + '"'
        return text
    return json.dumps(value)


KEYS = ["8.8.8.8", "8.9.9.9", "1.1.1.1", "2001:DB8::5", "2001:db8::1", "10.0.0.1", "10.0.0.2", "nowhere", "8.0.0.0/8", "", "8.8.8.256"]


def some_lines(rng, count):
    lines = []
    for _ in range(count):
        members = {some_text(rng): some_value(rng) for _ in range(rng.randrange(4))}
        if rng.random() < 0.9:
            members["client"] = {"ip": rng.choice(KEYS), **({} if rng.random() < 0.5 else {"port": 1})}
        if rng.random() < 0.3:
            members["geo"] = rng.choice([{}, {"city": "x"}, {"a": {"b": []}}])
        items = list(members.items())
        rng.shuffle(items)
        lines.append((spelled(rng, dict(items)) + rng.choice(["", "", " ", "\r"])).encode())
    return lines


def put(value, path, member):
    *above, last = path.split(".")
    for name in above:
        value = value.setdefault(name, {})
    value[last] = member


@pytest.mark.parametrize("threads", [1, 3])
def test_lines_have_what_the_model_adds_and_are_otherwise_the_same(enrich, rng, threads):
    lines = some_lines(rng, 1500)
    options = ["--on", "client.ip", "--field", "country", "--as", "geo.country", "--field", "org", "--matched-key", "geo.block"]
    result = enrich(b"\n".join(lines) + b"\n", "net.fsdb", *options, "--threads", threads)
    assert len(result.lines) == len(lines)
    for line, enriched in zip(lines, result.lines):
        expected = loads(line)
        block = network(expected.get("client", {}).get("ip", ""))
        if block is None:
            assert enriched == line
            continue
        put(expected, "geo.country", NETWORKS[block]["country"])
        put(expected, "geo.block", block)
        if "org" in NETWORKS[block]:
            put(expected, "org", NETWORKS[block]["org"])
        assert loads(enriched) == expected, (line, enriched)
        assert is_with_insertions(line, enriched)


def mutated(rng, line):
    line = bytearray(line)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        place = rng.randrange(len(line) + 1)
        some = rng.choice([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b".", b"e", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\x01", b"\t", b"\\u12", b"\\ud83d", b"null", b"NaN", b"-Infinity", b" ", b"\xef\xbb\xbf", b"\x7f", b"\x00", b"truefalse", b"1e5", b"01", b"\\x", b"/"])
        if rng.random() < 0.5:
            line[place:place] = some
        else:
            line[place : place + rng.randrange(1, 4)] = some if rng.random() < 0.5 else b""
    return bytes(line).replace(b"\n", b"")


def test_a_line_is_bad_exactly_where_a_strict_parser_refuses_it(enrich, rng):
    lines = [b"{}"] + [mutated(rng, line) for line in some_lines(rng, 4000)]
    # The answer to nothing is the default, so that each line that is good becomes another one.
    options = ["--on", "no.such", "--field", "x", "--as", "marked", "--default", "7", "--existing", "replace"]
    result = enrich(b"\n".join(lines) + b"\n", "ids.fsdb", *options, "--bad-lines", "keep")
    assert len(result.lines) == len(lines)
    good = 0
    for line, enriched in zip(lines, result.lines):
        try:
            expected = loads(line)
        except ValueError:
            expected = None
        if not isinstance(expected, dict):
            assert enriched == line, f"{line!r} is no object"
            continue
        good += 1
        assert loads(enriched) == {**expected, "marked": 7}, line
        assert is_with_insertions(line, enriched)
    assert 1000 < good < 4000


@pytest.mark.parametrize(
    "line",
    [
        b'{"ip":"8.8.8.8"}',
        b'  {\t"ip" : "8.8.8.8" , "a" : [ ] }  ',
        b'{"ip":"8.8.8.8"}\r',
        b'{"ip":"no","ip":"8.8.8.8"}',
        b'{"\\u0069p":"\\u0038.8.8.8"}',
        b'{"a":{"ip":"1.1.1.1"},"ip":"8.8.8.8","b":[{"ip":"1.1.1.1"}]}',
        b'{"ip":"8.8.8.8","n":123456789012345678901234567890,"m":-0,"o":1E400,"p":"\\ud800"}',
        b'{"ip":"8.8.8.8","a":' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"ip":"8.8.8.8","' + b"x" * 300_000 + b'":1}',
    ],
)
def test_nothing_but_a_member_more(enrich, line):
    result = enrich(line + b"\n", "net.fsdb", "--on", "ip", "--field", "asn")
    end = line.rstrip().removesuffix(b"}").rstrip()
    assert result.out == end + b',"asn":15169' + line[len(end) :] + b"\n"


def test_a_repeated_name_hides_what_was_before_it(enrich):
    lines = b'{"c":{"ip":"8.8.8.8"},"c":{}}\n{"c":{"ip":"8.8.8.8"},"c":3}\n{"geo":{"x":1},"ip":0,"geo":{"y":1},"c":{"ip":"8.8.8.8"}}\n'
    result = enrich(lines, "net.fsdb", "--on", "c.ip", "--field", "asn", "--as", "geo.asn")
    assert result.lines == lines.split(b"\n")[:2] + [b'{"geo":{"x":1},"ip":0,"geo":{"y":1,"asn":15169},"c":{"ip":"8.8.8.8"}}']


def test_elements_of_lists_are_named_by_number(enrich):
    result = enrich(b'{"ips":["x",{"a":["8.8.8.8"]}]}\n', "net.fsdb", "--on", "ips.1.a.0", "--field", "geo.tags.1", "--as", "t")
    assert result.out == b'{"ips":["x",{"a":["8.8.8.8"]}]}\n'
    result = enrich(b'{"ips":["x",{"a":["8.1.1.1"]}]}\n', "net.fsdb", "--on", "ips.1.a.0", "--field", "geo.tags.1", "--as", "t")
    assert result.out == b'{"ips":["x",{"a":["8.1.1.1"]}],"t":"b"}\n'


def test_keys_are_texts_integers_and_bytes(enrich):
    keys = ["1", '"1"', "18446744073709551616", "-0", "-7", '"\\u00e9\\n\\""', '{"$bin":"31"}', '{"$bin":"x"}', "1.0", "1e0", "null", "[1]", "true", '""', '"\\ud800"', "{}"]
    result = enrich("".join(f'{{"id":{key}}}\n' for key in keys).encode(), "ids.fsdb", "--on", "id", "--field", "name")
    found = [json.loads(line).get("name") for line in result.lines]
    assert found == ["one", "one", "big", "zero", "minus", "odd", "one"] + [None] * 9


def test_what_is_counted(command, files):
    lines = b'{"id":1}\n\n  \n{"id":"x"}\n{}\n{"id":null}\n{"id":"\\ud800"}\n[1]\n'
    result = command("enrich", files / "ids.fsdb", "--on", "id", "--field", "name", "--field", "more", "--bad-lines", "drop", "--json", "--threads", "1", stdin=lines, code=DONE)
    report = json.loads(result.err)
    assert report.pop("seconds") >= 0
    assert report == {
        "lines": 6, "badLines": 1, "keptFields": 0, "replacedFields": 0, "threads": 1,
        "files": [{"file": str(files / "ids.fsdb"), "answered": 1, "unknown": 2, "withoutKey": 2, "absentFields": 1}],
    }
    assert result.out == b'{"id":1,"name":"one"}\n\n  \n{"id":"x"}\n{}\n{"id":null}\n{"id":"\\ud800"}\n'
    result = command("enrich", files / "ids.fsdb", "--on", "id", "--field", "name", "--bad-lines", "drop", stdin=lines, code=DONE)
    assert result.errors.splitlines() == [
        "6 lines", f"  {files / 'ids.fsdb'}: 1 answered, 2 unknown, 2 without a key", "  1 bad line left out",
        "    standard input:8: a line must hold one JSON object, and this one holds an array",
    ]


@pytest.mark.parametrize(
    "words, hint",
    [
        (["--on", "ipp", "--field", "asn"], 'no line has a key at "ipp", which --on names; did you mean \'ip\'?'),
        (["--on", "ip", "--field", "ans"], "no answer has the field \"ans\", which --field names; did you mean 'asn'?"),
    ],
)
def test_a_name_that_finds_nothing_is_pointed_at(command, files, words, hint):
    result = command("enrich", files / "net.fsdb", *words, stdin=LINE * 3, code=DONE)
    assert result.out == LINE * 3
    assert result.errors.splitlines()[2:] == ["    " + hint]


@pytest.mark.parametrize(
    "rule, keys, owners",
    [
        (None, ["www.example.com", "MAIL.Example.com.", "x.org", "net", "joe@example.com"], [1, 2, 3, None, 4]),
        ("exact", ["www.example.com", "Mail.example.com", "org"], [None, 2, 3]),
        ("email", ["joe@example.com", "ann@mail.example.com", "example.com"], [4, 2, None]),
        ("prefix", ["example.community", "organ", "exam"], [1, 3, None]),
    ],
)
def test_rules_are_those_of_get(enrich, command, files, rule, keys, owners):
    options = [] if rule is None else ["--match", rule]
    lines = "".join(json.dumps({"k": key}) + "\n" for key in keys).encode()
    result = enrich(lines, "dom.fsdb", "--on", "k", "--field", "owner", *options)
    assert [json.loads(line).get("owner") for line in result.lines] == owners
    got = command("get", files / "dom.fsdb", *keys, "--json", *options)
    assert [json.loads(line).get("value", {}).get("owner") for line in got.lines] == owners


def test_several_files_and_where_fields_go_by_default(enrich, files):
    line = b'{"ip":"8.1.1.1","d":"mail.example.com","id":1}\n'
    result = enrich(
        line, "net.fsdb", "--on", "ip", "--field", "geo.lat", "--field", "country",
        "--from", files / "dom.fsdb", "--on", "d", "--field", "owner", "--as", "geo.owner",
        "--from", files / "ids.fsdb", "--on", "id",
    )
    assert result.out == line[:-2] + b',"geo":{"lat":1.5,"owner":2},"country":"US","ids":{"name":"one"}}\n'
    result = enrich(line, "net.fsdb", "--on", "ip", "--field", "asn", "--from", files / "net.fsdb", "--matched-key", "b", "--field", "country")
    assert result.out == line[:-2] + b',"asn":3356,"country":"US","b":"8.0.0.0/8"}\n'


def test_what_is_absent_is_left_out_or_the_default(enrich):
    lines = b'{"ip":"1.1.1.1"}\n{"ip":"9.9.9.9"}\n{}\n'
    options = ["--on", "ip", "--field", "asn", "--field", "org", "--as", "a.b", "--matched-key", "key"]
    assert enrich(lines, "net.fsdb", *options).lines == [b'{"ip":"1.1.1.1","a":{"b":null},"key":"1.1.1.0/24"}', b'{"ip":"9.9.9.9"}', b"{}"]
    assert enrich(lines, "net.fsdb", *options, "--default", '[ "no" ]').lines == [
        b'{"ip":"1.1.1.1","asn":["no"],"a":{"b":null},"key":"1.1.1.0/24"}',
        b'{"ip":"9.9.9.9","asn":["no"],"a":{"b":["no"]},"key":["no"]}',
        b'{"asn":["no"],"a":{"b":["no"]},"key":["no"]}',
    ]


EXISTING = b'{"ip":"8.8.8.8"}\n{"ip":"8.8.8.8", "geo":{"asn" : 1, "x":2}}\n{"geo":"text","ip":"8.8.8.8"}\n{"ip":"9.9.9.9","geo":1}\n'


def test_a_field_that_is_there_ends_the_command_unless_it_is_told_what_counts(enrich):
    options = ["--on", "ip", "--field", "asn", "--as", "geo.asn", "--field", "country", "--as", "geo.c"]
    result = enrich(EXISTING, "net.fsdb", *options, code=BAD_DATA)
    assert result.out == b'{"ip":"8.8.8.8","geo":{"asn":15169,"c":"US"}}\n'
    assert result.errors == (
        'fusedb: standard input:2: the line has a field "asn" already; choose another name with --as, or say --existing keep or --existing replace\n'
    )
    kept = enrich(EXISTING, "net.fsdb", *options, "--existing", "keep")
    assert kept.lines[1:] == [b'{"ip":"8.8.8.8", "geo":{"asn" : 1, "x":2,"c":"US"}}', b'{"geo":"text","ip":"8.8.8.8"}', b'{"ip":"9.9.9.9","geo":1}']
    replaced = enrich(EXISTING, "net.fsdb", *options, "--existing", "replace")
    assert replaced.lines[1:] == [
        b'{"ip":"8.8.8.8", "geo":{"asn" : 15169, "x":2,"c":"US"}}', b'{"geo":{"asn":15169,"c":"US"},"ip":"8.8.8.8"}', b'{"ip":"9.9.9.9","geo":1}',
    ]


@pytest.mark.parametrize(
    "line, reason",
    [
        (b'{"a":1', "not JSON at column 7: the line ends, and ',' or '}' is missing"),
        (b'{"\xc3\xa9":01}', "not JSON at column 6: a number does not begin with 0"),
        (b'{"a":"x', "not JSON at column 8: the line ends, and '\"' is missing"),
        (b'{"a":"\x01"}', "not JSON at column 7: a control character must be escaped"),
        (b'{"a":"\\x"}', "not JSON at column 8: there is no such escape"),
        (b'{"a" 1}', "not JSON at column 6: ':' is missing"),
        (b"{a:1}", "not JSON at column 2: a name in double quotes is missing"),
        (b'{"a":1}{}', "not JSON at column 8: more follows the value"),
        (b'{"a":' + b"[" * 1024, "not JSON at column 1029: arrays and objects are nested too deeply"),
        (b'{"\xff":1}', "not UTF-8 at column 3"),
        (b'{"a":1', "not JSON at column 7: the line ends, and ',' or '}' is missing"),
        (b"nonsense", "not JSON at column 1: a value is missing"),
        (b'"text"', "a line must hold one JSON object, and this one holds a string"),
        (b"3", "a line must hold one JSON object, and this one holds a number"),
    ],
)
def test_a_bad_line_is_named(enrich, line, reason):
    lines = b'{"ip":"8.8.8.8"}\n' * 700
    result = enrich(lines + line + b"\n" + lines, "net.fsdb", "--on", "ip", "--field", "asn", code=BAD_DATA)
    assert result.out == b'{"ip":"8.8.8.8","asn":15169}\n' * 700
    assert result.errors == f"fusedb: standard input:701: {reason}; correct the line, or let --bad-lines keep or --bad-lines drop go on after it\n"


def test_the_first_bad_lines_are_named_in_order(command, files):
    lines = b"".join(b'{"ip":"8.8.8.8"}\n' * 3000 + b"bad\n" for _ in range(12))
    for fate, words in (("keep", "passed on as they are"), ("drop", "left out")):
        result = command("enrich", files / "net.fsdb", "--on", "ip", "--field", "asn", "--bad-lines", fate, "--threads", "3", stdin=lines, code=DONE)
        assert result.out.count(b"bad") == (12 if fate == "keep" else 0)
        assert result.out.count(b"15169") == 36_000
        assert result.errors.splitlines()[2:] == [f"  12 bad lines {words}"] + [
            f"    standard input:{3001 * (i + 1)}: not JSON at column 1: a value is missing" for i in range(10)
        ] + ["    …"]


def test_marks_and_ends_of_lines_stay(enrich, files, tmp_path):
    (tmp_path / "a").write_bytes(b'\xef\xbb\xbf{"ip":"8.8.8.8"}')
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "c").write_bytes(b'\xef\xbb\xbf{"ip":"8.8.8.8"}\n')
    (tmp_path / "d").write_bytes(b'{"ip":"8.8.8.8"}\r\n{}')
    result = enrich(b"", "net.fsdb", tmp_path / "a", tmp_path / "b", tmp_path / "c", tmp_path / "d", "--on", "ip", "--field", "asn")
    assert result.out == b'\xef\xbb\xbf{"ip":"8.8.8.8","asn":15169}\n{"ip":"8.8.8.8","asn":15169}\n{"ip":"8.8.8.8","asn":15169}\r\n{}'
    assert enrich(b"", "net.fsdb", "--on", "ip").out == b""


def test_packed_inputs_and_any_number_of_threads_give_the_same(enrich, rng, tmp_path):
    lines = b"\n".join(some_lines(rng, 6000)) + b"\n"
    (tmp_path / "lines.ndjson.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "lines.ndjson").write_bytes(lines)
    subprocess.run(["zstd", "-q", tmp_path / "lines.ndjson"], check=True)
    options = ["--on", "client.ip", "--field", "country", "--as", "cc"]
    results = {
        enrich(b"", "net.fsdb", tmp_path / name, *options, "--threads", threads).out
        for name, threads in [("lines.ndjson", 1), ("lines.ndjson", 4), ("lines.ndjson.gz", 2), ("lines.ndjson.zst", 1)]
    }
    assert len(results) == 1
    assert len(results.pop()) > 2 << 18, "some blocks"


@pytest.mark.parametrize("threads", ["1", "3"])
def test_a_line_comes_out_before_the_next_one_comes_in(command, files, threads):
    process = command.start("enrich", files / "net.fsdb", "--on", "ip", "--field", "asn", "--threads", threads, stdin=subprocess.PIPE)
    for _ in range(3):
        process.stdin.write(b'{"ip":"8.8.8.8"}\n{"half":')
        process.stdin.flush()
        assert process.stdout.readline() == b'{"ip":"8.8.8.8","asn":15169}\n'
        process.stdin.write(b'"line"}\n')
        process.stdin.flush()
        assert process.stdout.readline() == b'{"half":"line"}\n'
    out, err = process.communicate()
    assert (process.returncode, out) == (DONE, b"")
    assert err.startswith(b"6 lines\n")


def test_a_line_that_is_too_long_ends_the_command(enrich):
    lines = b'{"ip":"8.8.8.8"}\n' * 20 + b'{"x":"' + b"y" * 2000 + b'"}\n'
    result = enrich(lines, "net.fsdb", "--on", "ip", "--field", "asn", "--record-limit", "1K", code=DONE)
    assert len(result.lines) == 21, "it fits into a block, and needs no more memory"
    lines = b'{"ip":"8.8.8.8"}\n' * 20 + b'{"x":"' + b"y" * 2_000_000 + b'"}\n'
    result = enrich(lines, "net.fsdb", "--on", "ip", "--field", "asn", "--record-limit", "1M", code=BAD_DATA)
    assert len(result.lines) == 20
    assert result.errors == "fusedb: standard input:21: the line is longer than 1.0 MB, the limit for one; see whether this is NDJSON, one object a line, or raise --record-limit\n"


# --- tables ---


def table(rng, count, separator, end):
    names = ["id", "ip", "text", "n"]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer.writerow(names)
    for number in range(count):
        writer.writerow([number, rng.choice(KEYS), some_text(rng).replace("\r", ""), rng.choice(["", "1", "a" + separator + "b"])])
    return out.getvalue()


@pytest.mark.parametrize("format, separator", [("csv", ","), ("tsv", "\t")])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_have_what_the_model_adds(enrich, rng, format, separator, end):
    text = table(rng, 3000, separator, end)
    result = enrich(text.encode(), "net.fsdb", "--format", format, "--on", "ip", "--field", "org", "--field", "geo", "--field", "asn", "--matched-key", "block")
    before = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    after = list(csv.reader(io.StringIO(result.out.decode(), newline=""), delimiter=separator))
    assert after[0] == before[0] + ["org", "geo", "asn", "block"]
    assert len(after) == len(before)
    for row, enriched in zip(before[1:], after[1:]):
        block = network(row[1])
        value = NETWORKS.get(block, {})
        cell = lambda name: "" if value.get(name) is None else value[name] if isinstance(value[name], str) else json.dumps(value[name], separators=(",", ":"))
        assert enriched == row + [cell("org"), cell("geo"), cell("asn"), block or ""]
    assert is_with_insertions(text.encode(), result.out)


def test_tables_without_a_header_comments_and_raw_quotes(enrich):
    rows = b'# ip "\n8.8.8.8,"x\n\n1.1.1.1,y'
    options = ["--format", "csv", "--columns", "ip,what", "--no-quotes", "--skip-comments", "#", "--on", "ip", "--field", "country"]
    assert enrich(rows, "net.fsdb", *options).out == b'# ip "\n8.8.8.8,"x,US\n\n1.1.1.1,y,AU'
    result = enrich(rows, "net.fsdb", *options[:-1], "org", code=BAD_DATA)
    assert "needs quotes, which --no-quotes takes for text" in result.errors and "damage" not in result.errors


def test_inputs_of_one_table(enrich, tmp_path):
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbf"ip",x\n8.8.8.8,1')
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbfip,x\r\n1.1.1.1,2\r\n")
    (tmp_path / "c.csv").write_bytes(b"x,ip\n1,1\n")
    options = ["--on", "ip", "--field", "country", "--as", "the, country"]
    result = enrich(b"", "net.fsdb", tmp_path / "a.csv", tmp_path / "b.csv", *options)
    assert result.out == b'\xef\xbb\xbf"ip",x,"the, country"\n8.8.8.8,1,US\n1.1.1.1,2,AU\r\n'
    result = enrich(b"", "net.fsdb", tmp_path / "a.csv", tmp_path / "c.csv", *options, code=BAD_DATA)
    assert 'c.csv:1: the columns are "x" and "ip", and those of' in result.errors
    assert result.out == b'\xef\xbb\xbf"ip",x,"the, country"\n8.8.8.8,1,US'


def test_columns_that_are_there(enrich):
    rows = b"asn,ip,block\n,8.8.8.8,\"a\"\n7,8.8.8.8,\n8,9.9.9.9,x\n"
    options = ["--format", "csv", "--on", "ip", "--field", "asn", "--field", "country", "--matched-key", "block"]
    result = enrich(rows, "net.fsdb", *options, code=BAD_DATA)
    assert result.out == b"" and 'standard input:1: there is a column "asn" already' in result.errors
    assert enrich(rows, "net.fsdb", *options, "--existing", "keep").out == b'asn,ip,block,country\n15169,8.8.8.8,"a",US\n7,8.8.8.8,8.8.8.0/24,US\n8,9.9.9.9,x,\n'
    assert enrich(rows, "net.fsdb", *options, "--existing", "replace").out == b"asn,ip,block,country\n15169,8.8.8.8,8.8.8.0/24,US\n15169,8.8.8.8,8.8.8.0/24,US\n8,9.9.9.9,x,\n"


@pytest.mark.parametrize(
    "row, reason",
    [
        (b"1", "the row has 1 cell and there are 2 columns"),
        (b"1,2,3", "the row has 3 cells and there are 2 columns"),
        (b'"a"b,8.8.8.8', "text follows the closing quote of cell 1; write a quote inside of a cell as two, or read quotes as they are with --no-quotes"),
    ],
)
def test_a_bad_row_is_named(enrich, row, reason):
    rows = b"ip,x\n8.8.8.8,1\n" + row + b"\n8.8.8.8,2\n"
    options = ["--format", "csv", "--on", "ip", "--field", "asn"]
    result = enrich(rows, "net.fsdb", *options, code=BAD_DATA)
    assert result.out == b"ip,x,asn\n8.8.8.8,1,15169\n"
    assert result.errors == f"fusedb: standard input:3: {reason}; correct the row, or let --bad-lines keep or --bad-lines drop go on after it\n"
    assert enrich(rows, "net.fsdb", *options, "--bad-lines", "keep").out == b"ip,x,asn\n8.8.8.8,1,15169\n" + row + b"\n8.8.8.8,2,15169\n"
    assert enrich(rows, "net.fsdb", *options, "--bad-lines", "drop").out == b"ip,x,asn\n8.8.8.8,1,15169\n8.8.8.8,2,15169\n"


@pytest.mark.parametrize("fate", ["fail", "keep", "drop"])
def test_nothing_goes_on_after_a_quote_that_does_not_end(enrich, fate):
    """What follows is inside of it, so no rows are lost or passed on in silence."""
    rows = b'ip,x\n8.8.8.8,1\n8.8.8.8,"open\n' + b"8.8.8.8,2\n" * 1000
    result = enrich(rows, "net.fsdb", "--format", "csv", "--on", "ip", "--field", "asn", "--bad-lines", fate, code=BAD_DATA)
    assert result.out == b"ip,x,asn\n8.8.8.8,1,15169\n"
    assert "standard input:3: a cell in quotes does not end" in result.errors and "--bad-lines" not in result.errors


@pytest.mark.parametrize("rows, options", [(b"ip,n\r8.8.8.8,1\r", ["--format", "csv"]), (b'{"ip":"8.8.8.8"}\r{"ip":"8.8.8.8"}\r', [])])
def test_lines_that_end_with_returns_alone_are_refused(enrich, rows, options):
    result = enrich(rows, "net.fsdb", *options, "--on", "ip", "--field", "asn", code=BAD_DATA)
    assert result.out == b"" and "the lines end with a carriage return alone" in result.errors
    # The last line may.
    last = rows.replace(b"\r", b"\n")[:-1] + b"\r"
    assert b"15169" in enrich(last, "net.fsdb", *options, "--on", "ip", "--field", "asn").out


def test_cells_are_those_that_other_commands_write(command, tmp_path):
    """[T12] [T13], read by Python's csv."""
    value = {"mark": "\ufeffm", "comma": "a,b", "quote": 'a"b', "raw": {"$str": "ff"}, "list": [1, "x"]}
    command("build", "-o", "odd.fsdb", "-q", cwd=tmp_path, stdin=json.dumps({"keys": ["a"], "value": value}).encode(), code=DONE)
    fields = [word for name in value for word in ("--field", name)]
    result = command("enrich", "odd.fsdb", "--format", "csv", "--on", "k", *fields, cwd=tmp_path, stdin=b"k\na\n", code=DONE)
    header, row = csv.reader(io.StringIO(result.out.decode(), newline=""))
    assert header == ["k", *value]
    assert row == ["a", "\ufeffm", "a,b", 'a"b', '{"$str":"ff"}', '[1,"x"]']
    assert b',"\xef\xbb\xbfm",' in result.out
    dumped = command("dump", "odd.fsdb", "--format", "csv", *fields, cwd=tmp_path, code=DONE).out.split(b"\n")[1]
    assert result.out.split(b"\n")[1] == dumped


def test_a_zero_byte_has_no_cell(command, tmp_path):
    command("build", "-o", "zero.fsdb", "-q", cwd=tmp_path, stdin=b'{"keys":["a"],"value":{"z":"n\\u0000l"}}\n', code=DONE)
    result = command("enrich", "zero.fsdb", "--format", "csv", "--on", "k", "--field", "z", cwd=tmp_path, stdin=b"k\na\n", code=BAD_DATA)
    assert "zero.fsdb: a cell would hold a zero byte" in result.errors
    assert b"n\\u0000l" in command("enrich", "zero.fsdb", "--on", "k", "--field", "z", cwd=tmp_path, stdin=b'{"k":"a"}\n', code=DONE).out


def test_tables_that_are_none(enrich):
    options = ["--format", "csv", "--on", "ip", "--field", "asn"]
    assert "there is no column \"ip\", which --on names; the columns are \"ipp\" and \"y\"; did you mean 'ipp'?" in enrich(b"ipp,y\n", "net.fsdb", *options, code=BAD_DATA).errors
    # A table that is cut elsewhere is told how, or that it is not read.
    for head, words in ((b"ip;y\n", "there are semicolons in it: commas or tabs stand between the cells"), (b"ip\ty\n", "there are tabs in it: say --format tsv")):
        assert words in enrich(head, "net.fsdb", *options, code=BAD_DATA).errors
    assert '2 columns are called "ip"' in enrich(b"ip,ip\n", "net.fsdb", *options, code=BAD_DATA).errors
    assert "the row that names the columns is missing" in enrich(b"\n", "net.fsdb", *options, code=BAD_DATA).errors
    assert enrich(b"# about\n" * 50_000 + b"ip,y\n8.8.8.8,1\n", "net.fsdb", "--skip-comments", "#", *options).out == b"# about\n" * 50_000 + b"ip,y,asn\n8.8.8.8,1,15169\n"
    assert "a cell in quotes does not end" in enrich(b'ip,y\n1,"x\n', "net.fsdb", *options, code=BAD_DATA).errors


# --- wrong usage, and outputs ---


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "--on FIELD is missing: it names the field of a line that holds the key"),
        (["--on", "a", "--on", "b"], "the option --on is given twice for"),
        (["--on", "a", "--match", "nearest"], "the option --match takes exact, network, domain, prefix or email, and not 'nearest'"),
        (["--on", "a", "--as", "x", "--field", "y"], "--as follows the --field that it is for"),
        (["--on", "a", "--field", "y", "--as", "x", "--as", "z"], "the option --as is given twice for one field"),
        (["--on", "a", "--field", "y", "--field", "y"], 'two fields go to "y"'),
        (["--on", "a", "--field", "y", "--field", "x", "--as", "y.z"], 'two fields go to "y.z", or one into the other'),
        (["--on", "a", "--field", "y.z", "--matched-key", "y"], 'two fields go to "y", or one into the other'),
        (["--on", "a", "--field", "y.0"], '"y.0" has a number in it; say with --as where the field goes'),
        (["--on", "a", "--default", "no"], "--default takes JSON, such as null"),
        (["--on", "a", "--existing", "merge"], "the option --existing takes error, keep or replace, and not 'merge'"),
        (["--on", "a", "--bad-lines", "skip"], "the option --bad-lines takes fail, keep or drop, and not 'skip'"),
        (["--on", "a", "--from", ""], "OTHER is empty"),
        (["--on", "a", "--columns", "x"], "--columns is for tables"),
        (["--on", "a", "--format", "msgpack"], "the option --format takes ndjson, csv or tsv"),
        (["--on", "a", "msgpack:x"], "lines are NDJSON, CSV or TSV, and not MessagePack"),
        (["--on", "a", "x.csv", "y.ndjson"], "the INPUTs are of several formats"),
        (["--on", "a", "-", "-"], "standard input can be read only once"),
        (["--on", "a", "-o", "-"], "OUTPUT is a file that is written in one step, and cannot be '-'"),
        (["--on", "a", "--overwrite"], "--overwrite is about the file that -o OUTPUT names"),
        (["--on", "a", "--threads", "0"], "the option --threads takes a number from 1"),
        (["--on", "a", "--record-limit", "x"], "the option --record-limit takes bytes up to 8G"),
    ],
)
def test_wrong_usage(command, files, words, message):
    result = command("enrich", files / "net.fsdb", *words, code=USAGE)
    assert message in result.errors
    assert result.out == b""


def test_files_that_are_missing_or_none(command, files, tmp_path):
    assert command("enrich", tmp_path / "absent", "--on", "a", code=NO_INPUT).out == b""
    command("enrich", files / "net.fsdb", tmp_path / "absent", "--on", "a", code=NO_INPUT)
    command("enrich", files / "net.fsdb", "--on", "a", "--from", tmp_path / "absent", code=NO_INPUT)
    (tmp_path / "text").write_text("no database, but some text that is long enough for one")
    command("enrich", tmp_path / "text", "--on", "a", code=BAD_DATA)
    result = command("enrich", tmp_path / "text", files / "ids.fsdb", "--on", "a", code=BAD_DATA)
    assert "is a database: FILE comes first" in result.errors
    result = command("enrich", files / "net.fsdb", files / "ids.fsdb", "--on", "a", code=BAD_DATA)
    assert "this is a FuseDB database and no records" in result.errors
    result = command("enrich", files / "net.fsdb", "--on", "a", stdin=b"BZh91AY", code=BAD_DATA)
    assert result.out == b""


def test_damage_is_an_error_and_no_answer(command, files, tmp_path):
    damaged = bytearray((files / "ids.fsdb").read_bytes())
    place = damaged.index(b"\xa4name\xa3one")
    damaged[place + 7] ^= 1
    (tmp_path / "damaged.fsdb").write_bytes(damaged)
    result = command("enrich", tmp_path / "damaged.fsdb", "--on", "id", "--field", "name", stdin=b'{"id":1}\n', code=BAD_DATA)
    assert result.out == b"" and "checksum" in result.errors


LINE, ENRICHED = b'{"ip":"8.8.8.8"}\n', b'{"ip":"8.8.8.8","asn":15169}\n'


def test_an_output_appears_whole_and_replaces_nothing_untold(enrich, command, files, tmp_path):
    out = tmp_path / "out"
    options = ["--on", "ip", "--field", "asn", "-o", out]
    for count in (0, 1, 2, 5000):
        assert enrich(LINE * count, "net.fsdb", *options, *(["--overwrite"] if count > 1 else [])).out == b""
        assert out.read_bytes() == ENRICHED * count
    result = enrich(LINE, "net.fsdb", *options, code=USAGE)
    assert "is a file of" in result.errors and "say --overwrite" in result.errors
    result = enrich(LINE, "net.fsdb", *options, "--overwrite", "--json")
    assert {name: json.loads(result.err)[name] for name in ("output", "replaced")} == {"output": str(out), "replaced": {"bytes": 5000 * len(ENRICHED)}}
    result = command("enrich", files / "net.fsdb", *options, "--overwrite", stdin=LINE * 2, code=DONE)
    assert result.errors.startswith(f"{out}: 2 lines (before: {len(ENRICHED)} bytes)\n")
    out.chmod(0o640)
    enrich(LINE, "net.fsdb", *options, "--overwrite")
    assert out.read_bytes() == ENRICHED and stat.S_IMODE(out.stat().st_mode) == 0o640
    enrich(b"", "net.fsdb", out, *options[:2], "--field", "country", *options[4:], "--overwrite")
    assert out.read_bytes() == b'{"ip":"8.8.8.8","asn":15169,"country":"US"}\n'
    before = out.read_bytes()
    enrich(LINE * 9000 + b"bad\n", "net.fsdb", *options, "--overwrite", code=BAD_DATA)
    assert out.read_bytes() == before and os.listdir(tmp_path) == ["out"]


def test_an_output_that_is_a_link_or_a_database(enrich, files, tmp_path):
    database = tmp_path / "db"
    database.write_bytes((files / "ids.fsdb").read_bytes())
    options = ["--on", "ip", "--field", "asn", "-o"]
    assert "is a database, and lines do not take its place" in enrich(LINE, "net.fsdb", *options, database, "--overwrite", code=USAGE).errors
    assert "is a folder" in enrich(LINE, "net.fsdb", *options, tmp_path, "--overwrite", code=USAGE).errors
    (tmp_path / "link").symlink_to("target")
    assert "is a symbolic link" in enrich(LINE, "net.fsdb", *options, tmp_path / "link", code=USAGE).errors
    enrich(LINE, "net.fsdb", *options, tmp_path / "link", "--output-link", "follow")
    assert (tmp_path / "target").read_bytes() == ENRICHED and (tmp_path / "link").is_symlink()
    enrich(LINE, "net.fsdb", *options, tmp_path / "link", "--output-link", "replace")
    assert not (tmp_path / "link").is_symlink()


def test_an_interrupted_output_is_as_it_was(command, files, tmp_path):
    process = command.start("enrich", files / "net.fsdb", "--on", "ip", "-o", tmp_path / "out", stdin=subprocess.PIPE)
    process.stdin.write(LINE)
    process.stdin.flush()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert err.decode() == f"fusedb: interrupted; {tmp_path / 'out'} is as it was\n"
    assert os.listdir(tmp_path) == []


def test_a_reader_that_has_enough_and_a_full_disk(command, files, tmp_path):
    (tmp_path / "lines").write_bytes(LINE * 200_000)
    process = command.start("enrich", files / "net.fsdb", tmp_path / "lines", "--on", "ip", "--field", "asn")
    assert process.stdout.readline() == ENRICHED
    process.stdout.close()
    assert process.wait(60) == -signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()
    with open("/dev/full", "wb") as full:
        result = command("enrich", files / "net.fsdb", tmp_path / "lines", "--on", "ip", stdout=full, code=IO_FAILURE)
    assert "cannot write to standard output: No space left on device" in result.errors

"""`build --network`, `--mask-host-bits` and `--normalise`: keys in one spelling. See spec/normalise.md."""

import json
import sys
from pathlib import Path

import pytest

from conftest import BAD_DATA, DONE, NO, USAGE

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "spec" / "reference"))
from normalise import RULES, normalise  # noqa: E402

#: A key; what it becomes by `--network`, with `--mask-host-bits`, with `--normalise network`; None where it is refused.
ODD = [
    ("8.8.8.8/16", None, "8.8.0.0/16", None),
    ("8.8.8.8", "8.8.8.8", "8.8.8.8", "8.8.8.8"),
    ("8.8.8.8/32", "8.8.8.8/32", "8.8.8.8/32", "8.8.8.8/32"),
    ("2001:DB8::/32", None, None, "2001:db8::/32"),
    ("2001:db8:0::/32", None, None, "2001:db8::/32"),
    ("010.0.0.0/8", None, None, "10.0.0.0/8"),
    ("1.2.3.0/024", None, None, "1.2.3.0/24"),
    ("::ffff:1.2.3.4", None, None, "1.2.3.4"),
    ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0"),
]
OPTIONS = [["--network"], ["--network", "--mask-host-bits"], ["--network", "--normalise", "network"]]


@pytest.fixture
def build(command, tmp_path):
    """Builds from keys, and gives the result and the keys of the file."""

    def run(keys, *options, code=DONE):
        rows = "n,who\n" + "".join(f"{key},{who}\n" for who, key in enumerate(keys))
        (tmp_path / "in.csv").write_text(rows)
        result = command("build", "-o", "out.fsdb", "in.csv", "--key", "n", *options, cwd=tmp_path, code=code)
        if code != DONE:
            return result, None
        return result, [line.decode() for line in command("keys", tmp_path / "out.fsdb", code=DONE).lines]

    return run


def report(command, tmp_path, *options):
    return json.loads(command("build", "-o", "out.fsdb", "in.csv", "--key", "n", "--json", *options, cwd=tmp_path, code=DONE).out)


@pytest.mark.parametrize("number", range(len(OPTIONS)))
@pytest.mark.parametrize("row", ODD, ids=lambda row: row[0])
def test_a_block_has_one_spelling(build, row, number):
    key, expected = row[0], row[1 + number]
    canonical = next((other for other in row[1:] if other), None)
    if expected is not None:
        assert build([key], *OPTIONS[number])[1] == [expected]
        return
    result, _ = build(["192.0.2.0/24", key], *OPTIONS[number], code=BAD_DATA)
    assert result.errors.startswith("fusedb: in.csv:3: ")
    assert f"; write {canonical}, or let --" in result.errors


def test_odd_keys_are_literal_keys_where_no_network_is_asked_for(build):
    keys = [row[0] for row in ODD]
    assert sorted(build(keys)[1]) == sorted(keys)


def test_odd_keys_with_both_options_become_blocks(build):
    keys = [row[0] for row in ODD if row[0] != "8.8.8.8/32"]
    options = ["--network", "--mask-host-bits", "--normalise", "network"]
    _, found = build(keys, *options)
    assert sorted(found) == sorted({row[2] or row[3] for row in ODD} - {"8.8.8.8/32"})


def test_an_address_and_the_block_of_it_alone_need_one_object(build):
    build(["8.8.8.8", "8.8.8.8/32"])
    result, _ = build(["8.8.8.8", "8.8.8.8/32"], "--network", code=BAD_DATA)
    assert "8.8.8.8" in result.errors and "8.8.8.8/32" in result.errors


@pytest.mark.parametrize("key", ["8.8.8.8/33", "300.1.1.1", "8.8.8/24", "2001:db8::/129", "1::2::3"])
@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_what_looks_like_a_block_and_is_none_is_refused(build, key, options):
    result, _ = build([key], *options, code=BAD_DATA)
    assert result.errors.startswith(f'fusedb: in.csv:2: "{key}" is no block of addresses: ')
    assert build([key])[1] == [key]


def test_keys_that_are_no_blocks_are_counted_once(build, command, tmp_path):
    keys = ["gmail.com", "8.8.8.0/24", "00:1b:63:84:45:e6", "8.8.8.8"]
    result, found = build(keys, "--network")
    assert sorted(found) == sorted(keys)
    assert result.errors.count("no block") == 1 and "2 keys that are no block of addresses" in result.errors
    figures = report(command, tmp_path, "--network")
    assert (figures["networks"], figures["literalKeys"]) == (2, 2)
    result, _ = build(keys)
    assert "block" not in result.errors
    assert report(command, tmp_path)["networks"] is None


def test_a_file_of_blocks_answers_for_addresses_unasked(build, command, tmp_path):
    result, _ = build(["8.8.8.0/24", "8.8.8.8"])
    assert "2 blocks of addresses: an address is answered by its block" in result.errors
    assert report(command, tmp_path)["networks"] == 2


def test_keys_that_become_one_are_duplicates(build):
    keys = ["2001:DB8::/32", "2001:db8:0::/32"]
    result, found = build(keys, "--normalise", "network")
    assert found == ["2001:db8::/32"]
    assert '"2001:db8::/32": in.csv:3, not in.csv:2' in result.errors
    build(keys, "--normalise", "network", "--on-duplicate", "error", code=BAD_DATA)


@pytest.mark.parametrize(
    ("rule", "keys", "expected"),
    [
        ("lower", ["GMail.Com", "ä"], ["gmail.com", "ä"]),
        ("domain", ["Example.COM.", "*.Example.com", ".Example.net"], ["*.example.com", ".example.net", "example.com"]),
        ("mac", ["00:1B:63", "00-1B-C5-8", "001B.6384.45E6", "70B3D5719"], ["001b63", "001b638445e6", "001bc58", "70b3d5719"]),
    ],
)
def test_a_rule_rewrites_keys_and_the_file_names_it(build, command, tmp_path, rule, keys, expected):
    assert sorted(build(keys, "--normalise", rule, "--meta", "source=here")[1]) == sorted(expected)
    stats = json.loads(command("stats", tmp_path / "out.fsdb", "--json", code=DONE).out)
    assert stats["meta"] == {"normalise": rule, "source": "here"}


@pytest.mark.parametrize(
    ("rule", "key", "word"), [("domain", "example..com", "is no domain name"), ("mac", "00:1b", "is no MAC address")]
)
def test_a_key_without_a_place_in_the_rule_is_refused(build, rule, key, word):
    result, _ = build(["001b63", key], "--normalise", rule, code=BAD_DATA)
    assert result.errors.startswith("fusedb: in.csv:3: ") and word in result.errors


PIECES = {
    "network": ["0", "00", "1", "255", "256", "10", "2001", "DB8", "db8", "ffff", "FFFF", ".", ".", ":", ":", "::", "/", "/8", "/32", "x"],
    "domain": ["a", "B", "Example", "com", ".", ".", "*", "@", "ä"],
    "lower": ["a", "B", "Z", "[", "@", "Ä", "."],
    "mac": ["0", "1B", "63", "84", "ff", "E6", "001b", "6384", ":", "-", ".", "g"],
}
SHAPED = {
    "network": ["{}.{}.{}.{}", "{}.{}.{}.{}/{}", "{}:{}::{}/{}", "{}::{}", "::ffff:{}.{}.{}.{}", "{}:{}:{}:{}:{}:{}:{}:{}"],
    "domain": ["{}.{}.{}", "*.{}.{}", ".{}.{}."],
    "lower": ["{}{}{}"],
    "mac": ["{}:{}:{}:{}", "{}-{}-{}-{}-{}-{}", "{}.{}.{}", "{}{}{}{}"],
}


def random_keys(rule, rng, count):
    for _ in range(count):
        words = rng.choices(PIECES[rule], k=8)
        yield rng.choice(SHAPED[rule]).format(*words) if rng.random() < 0.7 else "".join(words[: rng.randint(1, 8)])


@pytest.mark.parametrize("rule", RULES)
def test_random_keys_become_what_the_reference_says(command, tmp_path, rng, rule):
    keys = list(random_keys(rule, rng, 4_000))
    taken = [key for key in keys if normalise(rule, key.encode()) is not None]
    lines = "".join(json.dumps({"keys": [key], "value": 0}) + "\n" for key in taken).encode()
    command("build", tmp_path / "x.fsdb", "--normalise", rule, "--quiet", stdin=lines, code=DONE)
    assert command("keys", tmp_path / "x.fsdb", code=DONE).lines == sorted({normalise(rule, key.encode()) for key in taken})
    assert rule == "lower" or 20 < len(taken) < 3_980
    for key in sorted(set(keys) - set(taken))[::50]:
        line = json.dumps({"keys": [key], "value": 0}).encode()
        command("build", tmp_path / "x.fsdb", "--normalise", rule, "--quiet", stdin=line, code=BAD_DATA)


def test_every_format_of_input_keeps_the_rule(command, tmp_path):
    lines = b'{"keys":["A.example."],"value":1}\n{"id":"B.example.","x":2}\n'
    command("build", tmp_path / "x.fsdb", "--key", "id", "--normalise", "domain", stdin=lines, code=DONE)
    assert command("keys", tmp_path / "x.fsdb", code=DONE).lines == [b"a.example", b"b.example"]
    packed = b"\x92\x91\xa3A.b\x07"
    command("build", tmp_path / "x.fsdb", "--format", "msgpack", "--normalise", "domain", stdin=packed, code=DONE)
    assert command("keys", tmp_path / "x.fsdb", code=DONE).lines == [b"a.b"]


def stated(command, path):
    return json.loads(command("stats", path, "--json", code=DONE).out).get("meta")


@pytest.mark.parametrize(
    "rules, options, expected",
    [
        (["domain", "domain"], [], "domain"),
        (["domain", "domain"], ["--meta", "source=x"], "domain"),
        (["domain", "domain"], ["--meta", "normalise=lower"], "lower"),
        (["domain", "lower"], [], None),
        (["domain", None], [], None),
        ([None, None], [], None),
        (["domain", None], ["--meta", "normalise=domain"], "domain"),
        (["domain", "domain"], ["--plain"], None),
    ],
)
def test_a_merge_keeps_the_rule_that_all_files_have(command, tmp_path, rules, options, expected):
    files = []
    for number, rule in enumerate(rules):
        files.append(tmp_path / f"{number}.fsdb")
        line = b'{"keys":["%d.example"],"value":1}' % number
        command("build", files[-1], *(["--normalise", rule] if rule else []), stdin=line, code=DONE)
    merged = command("merge", "-o", tmp_path / "out.fsdb", *files, *options, code=DONE)
    assert (stated(command, tmp_path / "out.fsdb") or {}).get("normalise") == expected
    command("get", tmp_path / "out.fsdb", "1.EXAMPLE", code=DONE if expected else NO)
    is_told = len(set(rules)) > 1 and expected is None
    assert ("different rules for keys" in merged.errors) == is_told


def test_a_new_index_keeps_the_rule(command, tmp_path):
    path = tmp_path / "x.fsdb"
    command("build", path, "--normalise", "domain", "--meta", "a=b", stdin=b'{"keys":["a.example"],"value":1}', code=DONE)
    for options, expected in [
        ([], {"a": "b", "normalise": "domain"}),
        (["--meta", "c=d"], {"c": "d", "normalise": "domain"}),
        (["--meta", "normalise=lower"], {"normalise": "lower"}),
    ]:
        command("reindex", path, *options, code=DONE)
        assert stated(command, path) == expected


@pytest.mark.parametrize(
    "options",
    [
        ["--normalise", "upper"],
        ["--normalise", "lower", "--plain"],
        ["--network", "--plain"],
        ["--normalise", "lower", "--meta", "normalise=mac"],
        ["--range", "a,b", "--normalise", "mac"],
    ],
)
def test_options_that_make_no_sense(command, tmp_path, options):
    command("build", tmp_path / "x.fsdb", "--key", "id", *options, stdin=b"", code=USAGE)

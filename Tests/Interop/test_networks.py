"""Addresses and blocks through the command: what build reports, what get answers for each kind of file and question, networks."""

import json
import random

import pytest

from conftest import BAD_DATA, DONE, NO, USAGE

BLOCKS = ["0.0.0.0/0", "8.0.0.0/8", "8.8.8.0/24", "8.8.8.8", "10.0.0.0/25", "2001:db8::/32", "2001:db8::1"]


def table(keys):
    return ("key,n\n" + "".join(f"{key},{number}\n" for number, key in enumerate(keys))).encode()


@pytest.fixture
def blocks(command, tmp_path):
    path = tmp_path / "blocks.fsdb"
    built = command("build", "-o", path, "-", "--format", "csv", "--key", "key", stdin=table(BLOCKS), code=DONE)
    assert "  7 blocks of addresses: an address is answered by its block" in built.errors
    return path


@pytest.mark.parametrize(
    "question, key",
    [
        ("8.8.8.8", "8.8.8.8"),
        ("8.8.8.9", "8.8.8.0/24"),
        ("8.9.9.9", "8.0.0.0/8"),
        ("255.255.255.255", "0.0.0.0/0"),
        ("::ffff:10.0.0.1", "10.0.0.0/25"),
        ("::ffff:a00:1", "10.0.0.0/25"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("2001:db8::2", "2001:db8::/32"),
    ],
)
def test_an_address_is_answered_by_the_longest_block(command, blocks, question, key):
    number = BLOCKS.index(key)
    assert command("get", blocks, question, code=DONE).text == f'{key}\t{{"n":"{number}"}}\n'
    assert command("get", blocks, question, "8.8.8.8", "--field", "n", code=DONE).text == f"{question}\t{key}\t{number}\n8.8.8.8\t8.8.8.8\t3\n"
    assert command("get", blocks, question, "--match", "network", "--field", "n", code=DONE).text == f"{number}\n"
    found = command("get", blocks, question, "--json", code=DONE).json
    assert (found["key"], found["match"], found["value"]) == (question, key, {"n": str(number)})


def test_scope_is_the_largest_block_with_the_same_answer(command, blocks):
    scopes = {"8.8.8.129": "8.8.8.128/25", "8.8.8.9": "8.8.8.9/32", "8.128.0.0": "8.128.0.0/9", "9.0.0.0": "9.0.0.0/8"}
    for question, scope in scopes.items():
        assert command("get", blocks, question, "--json", code=DONE).json["scope"] == scope


def test_what_no_block_holds_and_what_is_no_address_is_absent(command, blocks):
    gone = command("get", blocks, "::1", "8.8.8", "8.8.8.8/33", "google", "8.8.0.0/16", code=NO)
    assert gone.out == b""
    assert gone.errors.count("\n") == 5
    assert "no block holds the address: ::1" in gone.errors and "no such block: 8.8.0.0/16" in gone.errors


def test_a_block_is_answered_exactly(command, blocks):
    assert command("get", blocks, "8.0.0.0/8", code=DONE).text == '{"n":"1"}\n'
    assert command("get", blocks, "2001:DB8::/32", code=DONE).text == '2001:db8::/32\t{"n":"5"}\n'
    command("get", blocks, "8.1.0.0/16", code=NO)


def test_a_file_with_other_keys_answers_exactly_unless_told(command, tmp_path):
    path = tmp_path / "mixed.fsdb"
    built = command("build", "-o", path, "-", "--format", "csv", "--key", "key", "--json", stdin=table(BLOCKS + ["gmail.com"]), code=DONE)
    assert built.json["networks"] is None
    assert command("get", path, "8.8.8.8", code=DONE).text == '{"n":"3"}\n'
    command("get", path, "8.8.8.9", code=NO)
    assert command("get", path, "8.8.8.9", "--match", "network", "--with-key", code=DONE).text == '8.8.8.0/24\t{"n":"2"}\n'
    told = command("reindex", path, "--network", "--json", code=DONE).json
    assert (told["networks"], told["literalKeys"]) == (7, 1)
    assert command("get", path, "8.8.8.9", "gmail.com", code=DONE).text == '8.8.8.9\t8.8.8.0/24\t{"n":"2"}\ngmail.com\t{"n":"7"}\n'
    assert command("verify", path, code=DONE)


def test_networks_lists_blocks_in_order(command, blocks):
    assert command("networks", blocks, code=DONE).text.split() == [
        "0.0.0.0/0", "8.0.0.0/8", "8.8.8.0/24", "8.8.8.8/32", "10.0.0.0/25", "2001:db8::/32", "2001:db8::1/128"
    ]
    assert command("networks", blocks, "8.8.0.0/16", code=DONE).text == "8.8.8.0/24\n8.8.8.8/32\n"
    assert command("networks", blocks, "11.0.0.0/8", code=DONE).text == ""
    assert command("networks", blocks, "--containing", "8.8.8.8", code=DONE).text == "8.8.8.8/32\n8.8.8.0/24\n8.0.0.0/8\n0.0.0.0/0\n"
    assert command("networks", blocks, "--count", code=DONE).text == "7\n"
    assert command("networks", blocks, "--limit", "2", "--with-value", code=DONE).text == '0.0.0.0/0\t{"n":"0"}\n8.0.0.0/8\t{"n":"1"}\n'
    rows = [json.loads(row) for row in command("networks", blocks, "2001:db8::/32", "--json", code=DONE).lines]
    assert rows == [{"network": "2001:db8::/32", "value": {"n": "5"}}, {"network": "2001:db8::1/128", "value": {"n": "6"}}]


@pytest.mark.parametrize(
    "words, message",
    [
        (["8.8.8.8/8"], "write 8.0.0.0/8"),
        (["google"], "is a block such as 10.0.0.0/8"),
        (["8.0.0.0/8", "9.0.0.0/8"], "one too many"),
        (["--containing", "8.0.0.0/8"], "takes an address"),
        (["8.0.0.0/8", "--containing", "8.8.8.8"], "give one of them"),
    ],
)
def test_wrong_usage_of_networks_says_what_to_write(command, blocks, words, message):
    assert message in command("networks", blocks, *words, code=USAGE).errors


def test_a_file_without_the_section_says_how_to_get_it(command, tmp_path):
    path = tmp_path / "plain.fsdb"
    command("build", "-o", path, "-", "--format", "csv", "--key", "key", "--plain", stdin=table(BLOCKS), code=DONE)
    assert "reindex --network" in command("networks", path, code=66).errors
    assert command("get", path, "8.8.8.9", "--match", "network", "--with-key", code=DONE).text == '8.8.8.0/24\t{"n":"2"}\n'
    assert command("networks", path, "--containing", "8.8.8.9", code=DONE).text == "8.8.8.0/24\n8.0.0.0/8\n0.0.0.0/0\n"


def test_a_damaged_section_is_an_error_and_verify_names_it(command, blocks):
    data = bytearray(blocks.read_bytes())
    directory = int.from_bytes(data[-40:-32], "big")
    entry = next(o for o in range(directory, len(data) - 48, 32) if data[o : o + 4] == b"NETW")
    start, length = int.from_bytes(data[entry + 8 : entry + 16], "big"), int.from_bytes(data[entry + 16 : entry + 24], "big")
    for offset in range(start + 128, start + length, 7):
        broken = bytearray(data)
        broken[offset] ^= 0x10
        blocks.write_bytes(broken)
        answer = command("get", blocks, "8.8.8.9", "--field", "n")
        assert (answer.code, answer.text) == (DONE, "8.8.8.0/24\t2\n") or (answer.code == BAD_DATA and "network section" in answer.errors)
        assert "network" in command("verify", blocks, code=NO).text


@pytest.mark.parametrize("options", [(), ("--match", "network"), ("--match", "network", "--with-key"), ("--field", "n"), ("--field", "x")])
def test_a_list_of_questions_is_answered_as_operands_are(command, blocks, options):
    chance = random.Random(str(options))
    asked = ["8.8.8.8", "2001:DB8::1", "google", "8.8.8.0/24", "2001:DB8::/32", "::1", "", "::ffff:8.8.8.8", "8.8.8.8 ", "1.2.3"]
    asked += [".".join(str(chance.choice([0, 8, 10, 255, chance.randrange(256)])) for _ in range(4)) for _ in range(3000)]
    chance.shuffle(asked)
    one_by_one = command("get", blocks, *options, "--", *asked, code=NO)
    listed = command("get", blocks, *options, "--keys-from", "-", stdin="".join(q + "\n" for q in asked).encode(), code=NO)
    assert listed.out == one_by_one.out
    assert sorted(listed.errors.splitlines()) == sorted(one_by_one.errors.splitlines())


def test_what_was_answered_before_a_damaged_object_is_printed(command, tmp_path):
    path = tmp_path / "x.fsdb"
    lines = "".join(json.dumps({"keys": [f"{i}.0.0.0/8"], "value": f"value {i}"}) + "\n" for i in (1, 2, 3))
    command("build", path, stdin=lines.encode(), code=DONE)
    data = bytearray(path.read_bytes())
    data[data.index(b"value 2")] ^= 1
    path.write_bytes(data)
    for options, first in ([], b'1.1.1.1\t1.0.0.0/8\t"value 1"'), (["--json"], b'{"key":"1.1.1.1",'):
        asked = command("get", path, "--keys-from", "-", *options, stdin=b"1.1.1.1\n2.2.2.2\n3.3.3.3\n", code=BAD_DATA)
        assert len(asked.lines) == 1 and asked.lines[0].startswith(first)

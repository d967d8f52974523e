"""Domains, e-mail addresses and prefixes through the command, beside plain loops: the rules of Debian's publicsuffix as keys, and the telephone
prefixes of PyPI's phonenumbers. A million questions in all."""

import random
from pathlib import Path

from phonenumbers.carrierdata import CARRIER_DATA

from conftest import DONE, NO

SUFFIXES = Path("/usr/share/publicsuffix/public_suffix_list.dat")
COUNT = 1_000_000
LABELS = ["www", "a", "mail", "xn--bcher-kva", "city", "co", "com", "cdn-7", "EXAMPLE", "b" * 60]


def domain_keys():
    lines = SUFFIXES.read_text(encoding="utf-8").splitlines()
    rules = {line.split()[0] for line in lines if line.strip() and not line.startswith("//")}
    assert len(rules) > 5000
    # Dotted ones, which that list has not, beside some of the others.
    return sorted(rules | {"." + rule for rule in sorted(rules)[::50] if rule[0].isalnum()})


def covering(name, keys):
    """The key that covers a name: spec/matches.md [Q1] to [Q3]."""
    name = name.removesuffix(".")
    name = "".join(c.lower() if "A" <= c <= "Z" else c for c in name)
    if not name or len(name.encode()) > 253 or "" in name.split("."):
        return None
    if name in keys:
        return name
    if "." + name in keys:
        return "." + name
    while "." in name:
        name = name.split(".", 1)[1]
        for key in ("*." + name, "." + name, name):
            if key in keys:
                return key
    return None


def check(command, path, rule, questions, expected):
    """Each question's line has the key that the loop found, and those without one are named as absent."""
    listed = command("get", path, "--match", rule, "--with-key", "--keys-from", "-", stdin="".join(q + "\n" for q in questions).encode(), code=NO)
    answers = listed.out.decode().splitlines()
    assert answers == [f'{q}\t{key}\t"{key}"' for q, key in zip(questions, expected) if key is not None]
    assert listed.errors.count("\n") == expected.count(None)
    assert 0 < len(answers) < len(questions)


def build(command, path, keys, *options):
    lines = "".join(f'{{"keys":["{key}"],"value":"{key}"}}\n' for key in keys)
    command("build", "-o", path, "-", *options, stdin=lines.encode(), code=DONE)


def names(keys, chance, count):
    rules = [key.lstrip("*.!") for key in keys]
    for _ in range(count):
        below = ".".join(chance.choice(LABELS) for _ in range(chance.choice([0, 1, 1, 2, 3, 5])))
        name = ".".join(part for part in (below, chance.choice(rules)) if part)
        change = chance.randrange(20)
        yield {0: name + ".", 1: name.upper(), 2: name.replace(".", "..", 1), 3: "nowhere" + name, 4: "." + name}.get(change, name)


def test_names_and_mail_addresses_have_the_keys_of_a_plain_loop(command, tmp_path):
    keys = domain_keys()
    chance = random.Random(14)
    build(command, tmp_path / "with.fsdb", keys + ["Joe@example.com"], "--key-lengths")
    build(command, tmp_path / "without.fsdb", keys + ["Joe@example.com"])
    known = set(keys)
    asked = list(names(keys, chance, COUNT // 2))
    expected = [covering(name, known) for name in asked]
    check(command, tmp_path / "with.fsdb", "domain", asked, expected)
    check(command, tmp_path / "without.fsdb", "domain", asked[: COUNT // 20], expected[: COUNT // 20])

    mail = [chance.choice(["ann", "a@b", "Ö", ""]) + "@" + name for name in names(keys, chance, COUNT // 4)]
    mail += ["Joe@EXAMPLE.com", "joe@example.com", "example.com", "@"]

    def addressed(text):
        local, at, name = text.rpartition("@")
        if not at or not local:
            return None
        return "Joe@example.com" if (local, name.lower()) == ("Joe", "example.com") else covering(name, known)

    check(command, tmp_path / "with.fsdb", "email", mail, [addressed(text) for text in mail])


def test_telephone_numbers_have_the_prefix_of_a_plain_loop(command, tmp_path):
    keys = sorted(CARRIER_DATA)
    known = set(keys)
    assert len(keys) > 20_000
    chance = random.Random(41)
    asked = []
    for _ in range(COUNT // 4):
        start = chance.choice(keys)
        start = start[: chance.randrange(len(start) + 1)] if chance.randrange(3) == 0 else start
        asked.append(start + "".join(chance.choice("0123456789") for _ in range(chance.randrange(8))))
    expected = [next((q[:end] for end in range(len(q), -1, -1) if q[:end] in known), None) for q in asked]
    for options in (["--key-lengths"], []):
        path = tmp_path / f"numbers{len(options)}.fsdb"
        build(command, path, keys, *options)
        check(command, path, "prefix", asked, expected)

"""Compact files, version 3, through the command: each answer is byte for byte that of the version 2 file of the same entries."""

import ipaddress
import json
import random
import shutil
import unicodedata

import fusedb
import msgpack
import pytest

from conftest import BAD_DATA, DONE, FIXTURES, NO, USAGE, fixture_names, line
from test_compact import ENCODINGS

FORMS = ["--compact", "--compact=fast"]
both_forms = pytest.mark.parametrize("form", FORMS)


# --- the same answers ---


class Pair:
    """The same entries in two folders under one name, so that what is printed has nothing to differ by: version 2 and version 3."""

    def __init__(self, command, folder, source, form, *options):
        self.command, self.two, self.three = command, folder / "two", folder / "three"
        for place in (self.two, self.three):
            place.mkdir(parents=True)
        shutil.copy(source, self.two / "x.fsdb")
        command("convert", source, self.three / "x.fsdb", form, "--allow-empty", "-q", *options, code=DONE)
        assert command("stats", self.three / "x.fsdb", "--json", code=DONE).json["version"] == 3

    def same(self, *words, stdin=b""):
        """Asks both, and gives the answer."""
        theirs, ours = (self.command(*words, stdin=stdin, cwd=place) for place in (self.two, self.three))
        assert (ours.code, ours.out, ours.err) == (theirs.code, theirs.out, theirs.err), words
        return ours


def ask_everything(pair, chance):
    """Each reading command with what it takes; answers must be there, so that equal is not equally nothing."""
    listed = pair.same("keys", "x.fsdb", "--json")
    count = len(listed.lines)
    assert pair.same("keys", "x.fsdb", "--count").text == f"{count}\n"
    absent = [b'"no such key"', b'"\\u0000"', b'{"$bin":"fffefd"}']
    list_of_all = b"\n".join([*listed.lines, *absent, *listed.lines[:3]]) + b"\n"
    for options in ([], ["--json"], ["--format", "msgpack"], ["--format", "csv", "--field", "a"], ["--field", "n", "--field", "0", "--json"]):
        pair.same("get", "x.fsdb", "--keys-from", "-", "--keys-format", "json", *options, stdin=list_of_all)
    assert len(pair.same("get", "x.fsdb", "--keys-from", "-", "--keys-format", "json", "--json", stdin=list_of_all).lines) >= count
    plain = [key for key in pair.command("keys", "x.fsdb", "-0", cwd=pair.two).out.split(b"\0")[:-1] if b"\0" not in key and len(key) < 1000]
    some = chance.sample(plain, min(4, len(plain)))
    for key in [*some, b"absent", b""]:
        pair.same("get", "x.fsdb", "--", key)
        pair.same("keys", "x.fsdb", "--like", key)
        for rule in ("network", "domain", "prefix", "email"):
            pair.same("get", "x.fsdb", "--match", rule, "--with-key", "--", key + b"/tail@a.b")
            pair.same("get", "x.fsdb", "--match", rule, "--with-key", "--", b"x@sub." + key)
            pair.same("get", "x.fsdb", "--match", rule, "--with-key", "--", key)
        for options in ([], ["--reverse"], ["--limit", "3"], ["--reverse", "--limit", "2"], ["--count"]):
            pair.same("prefix", "x.fsdb", *options, "--", key[:2])
            pair.same("prefix", "x.fsdb", *options, "--from", key, "--", "")
            pair.same("keys", "x.fsdb", *options, "--to", key)
    for options in ([], ["--reverse"], ["--from", "b", "--to", "k"], ["--prefix", "1"], ["--limit", "5"], ["--sample", "4", "--seed", "7"], ["--field", "a"]):
        pair.same("dump", "x.fsdb", *options)
        for shape in ("csv", "tsv", "msgpack"):
            pair.same("dump", "x.fsdb", "--format", shape, *options)
    assert bool(pair.same("dump", "x.fsdb").out) == bool(count)
    pair.same("keys", "x.fsdb", "-0")
    pair.same("networks", "x.fsdb", "--with-value")
    pair.same("networks", "x.fsdb", "10.0.0.0/8")
    pair.same("networks", "x.fsdb", "--containing", "10.1.2.3")
    lines = b"".join(b'{"k":%s}\n' % key for key in [*listed.lines[:50], b'"absent"'] if key.startswith(b'"'))
    pair.same("enrich", "x.fsdb", "--on", "k", "--as", "found", "-q", stdin=lines)


SAME_COUNTS = ["keys", "objects", "keyBytes", "objectBytes", "minKeysPerObject", "meanKeysPerObject", "maxKeysPerObject", "unreachedObjects", "plain", "meta"]


def check_forms(command, folder, source, form, chance, *options):
    """All that holds of a file and its compact form; `source` is version 2 as it is built."""
    pair = Pair(command, folder, source, form, *options)
    ask_everything(pair, chance)
    theirs, ours = (command("stats", place / "x.fsdb", "--json", code=DONE).json for place in (pair.two, pair.three))
    assert {name: ours[name] for name in SAME_COUNTS} == {name: theirs[name] for name in SAME_COUNTS}
    assert ours["bytes"] == (pair.three / "x.fsdb").stat().st_size
    assert "sound" in command("verify", pair.three / "x.fsdb", code=DONE).text
    for old, new in ((pair.two, pair.three), (pair.three, pair.two)):
        assert command("diff", old / "x.fsdb", new / "x.fsdb", code=DONE).out == b""
    command("convert", pair.three / "x.fsdb", folder / "back.fsdb", "--family", "--allow-empty", "-q", code=DONE)
    assert (folder / "back.fsdb").read_bytes() == source.read_bytes()
    return pair


@both_forms
@pytest.mark.parametrize("name", fixture_names("good"))
def test_each_fixture_answers_as_before(command, tmp_path, good, name, form):
    source = tmp_path / "source.fsdb"
    shutil.copy(FIXTURES / "good" / name, source)
    compact = tmp_path / "compact.fsdb"
    command("convert", source, compact, form, "--allow-empty", "-q", code=DONE)
    # What the fixture says that it holds.
    keys = [bytes.fromhex(key) for key in good[name]["keys"]]
    if not any(b"\0" in key for key in keys):
        assert command("keys", compact, "-0", code=DONE).out == b"".join(key + b"\0" for key in sorted(keys))
    assert command("keys", compact, "--count", code=DONE).text == f"{len(keys)}\n"
    assert command("diff", source, compact, code=DONE).out == b""
    again = tmp_path / "again.fsdb"
    command("convert", source, again, "--family", "--allow-empty", "-q", code=DONE)
    assert command("diff", source, again, code=DONE).out == b""
    # Of every layout, what compact files answer is what the file as it is built answers, objects in their order too.
    command("convert", compact, tmp_path / "built.fsdb", "--family", "--allow-empty", "-q", code=DONE)
    check_forms(command, tmp_path / "pair", tmp_path / "built.fsdb", form, random.Random(1))


def rows_of(entries):
    return b"".join(line([key], data) for key, data in entries.items())


def generated(kind, chance):
    """Lines for 'fusedb build', and options."""
    match kind:
        case "encodings":
            entries = {b"%d" % place: data for place, data in enumerate(ENCODINGS)}
            entries |= {b"in %d" % place: b"\x92" + data + b"\x81\xa4name" + data for place, data in enumerate(ENCODINGS)}
            return rows_of(entries), []
        case "key lengths":
            lengths = [*range(300), *range(300, 65_535, 977), 65_534, 65_535]
            return rows_of({(b"k%d " % length * (length // 2 + 1))[:length]: msgpack.packb(length % 7) for length in lengths}), ["--key-lengths"]
        case "networks":
            blocks = [(f"{chance.randrange(9, 12)}.{chance.randrange(256)}.0.0", chance.randrange(9, 17)) for _ in range(500)]
            keys = {str(ipaddress.ip_network(block, strict=False)) for block in blocks} | {"10.0.0.0/8", "2001:db8::/32", "::1"}
            rows = [json.dumps({"keys": [key], "value": {"n": number % 9, "a": "some network"}}).encode() for number, key in enumerate(sorted(keys))]
            return b"\n".join(rows) + b"\n", ["--network"]
        case "domains":
            ends = ["example.com", "co.uk", "org"]
            names = [f"{chance.choice('abc')}{number}.{chance.choice(ends)}" for number in range(400)] + ["com", *ends]
            rows = [json.dumps({"keys": [name], "value": {"a": name[-3:], "n": number % 5}}).encode() for number, name in enumerate(names)]
            return b"\n".join(rows) + b"\n", ["--key-lengths"]
        case "e-mails":
            names = [f"user{number}@{chance.choice(['example.com', 'mail.org'])}" for number in range(300)] + ["example.com", "mail.org"]
            return b"\n".join(json.dumps({"keys": [name], "value": [len(name), "a text that stands often"]}).encode() for name in names) + b"\n", []
        case "unicode":
            points = [point for point in range(0x3000) if unicodedata.name(chr(point), "")]
            rows = [{"keys": [f"U+{point:04X}"], "value": {"a": unicodedata.name(chr(point)), "n": unicodedata.category(chr(point))}} for point in points]
            return b"\n".join(json.dumps(row).encode() for row in rows) + b"\n", ["--meta", "source=unicodedata"]


KINDS = ["encodings", "key lengths", "networks", "domains", "e-mails", "unicode"]


@both_forms
@pytest.mark.parametrize("kind", KINDS)
def test_generated_files_answer_as_before(command, tmp_path, rng, kind, form):
    rows, options = generated(kind, rng)
    source = tmp_path / "source.fsdb"
    command("build", source, "-q", *options, stdin=rows, code=DONE)
    check_forms(command, tmp_path / "pair", source, form, rng)


# --- the same bytes, whichever way ---


@both_forms
@pytest.mark.parametrize("kind", KINDS)
def test_each_way_to_a_compact_file_gives_the_same_bytes(command, tmp_path, rng, kind, form):
    rows, options = generated(kind, rng)
    command("build", tmp_path / "two", "-q", *options, stdin=rows, code=DONE)
    command("convert", tmp_path / "two", tmp_path / "converted", form, "-q", code=DONE)
    expected = (tmp_path / "converted").read_bytes()
    shuffled = rows.splitlines(keepends=True)
    rng.shuffle(shuffled)
    for number, more in enumerate((["--threads", "1"], ["--threads", "2"], ["--memory", "16M"], ["--memory", "1G"])):
        data = b"".join(shuffled) if number % 2 else rows
        command("build", tmp_path / "built", "-q", form, *options, *more, stdin=data, code=DONE)
        assert (tmp_path / "built").read_bytes() == expected, more
        # A merge carries no metadata over, and key lengths where they are asked for in no other way.
        if not options:
            command("merge", "-o", tmp_path / "merged", tmp_path / "two", "-q", form, *more, code=DONE)
            assert (tmp_path / "merged").read_bytes() == expected, more
    command("reindex", tmp_path / "two", "-o", tmp_path / "reindexed", "-q", form, code=DONE)
    assert (tmp_path / "reindexed").read_bytes() == expected
    # Compact of compact, and from the other compact form.
    for other in FORMS:
        command("convert", tmp_path / "two", tmp_path / "other", other, "-q", code=DONE)
        command("convert", tmp_path / "other", tmp_path / "other", form, "-q", code=DONE)
        assert (tmp_path / "other").read_bytes() == expected
    command("reindex", tmp_path / "converted", "-q", code=DONE)
    assert "sound" in command("verify", tmp_path / "converted", code=DONE).text
    assert command("stats", tmp_path / "converted", "--json", code=DONE).json["version"] == 3


@both_forms
def test_0_3_0_refuses_it_by_its_version(command, tmp_path, form):
    path = tmp_path / "x.fsdb"
    command("build", path, "-q", form, stdin=b'{"keys":["k"],"value":1}\n', code=DONE)
    with pytest.raises(RuntimeError, match="FuseVersionError: unsupported version 3"):
        fusedb.FuseReader(str(path))


# --- merges ---


def small(command, path, entries, *options):
    rows = b"".join(json.dumps({"keys": [key], "value": value}).encode() + b"\n" for key, value in entries.items())
    command("build", path, "-q", "--allow-empty", *options, stdin=rows, code=DONE)
    return path


def answers(command, path):
    return {json.loads(row)["key"]: json.loads(row)["value"] for row in command("prefix", path, "", "--json", code=DONE).lines}


OLD = {f"key {number}": {"n": number % 20, "text": "a text of all"} for number in range(300)}
NEW = {f"key {number}": {"n": number % 21, "text": "a text of all"} for number in range(50, 330)}
ALL_FORMS = [[], *([form] for form in FORMS)]


@pytest.mark.parametrize("second", ALL_FORMS, ids=str)
@pytest.mark.parametrize("first", ALL_FORMS, ids=str)
def test_files_of_any_forms_are_merged_and_subtracted(command, tmp_path, first, second):
    old, new, out = small(command, tmp_path / "old", OLD, *first), small(command, tmp_path / "new", NEW, *second), tmp_path / "out"
    for form in ALL_FORMS:
        command("merge", "-o", out, old, new, "-q", *form, code=DONE)
        assert answers(command, out) == OLD | NEW
        assert out.read_bytes() == small(command, tmp_path / "expected", OLD | NEW, *form).read_bytes()
        command("merge", "-o", out, old, new, "-q", "--on-conflict", "first", *form, code=DONE)
        assert answers(command, out) == NEW | OLD
        command("merge", "-o", out, old, "--subtract", new, "-q", *form, code=DONE)
        assert answers(command, out) == {key: value for key, value in OLD.items() if key not in NEW}
        command("merge", "-o", out, old, "--only-prefix", "key 1", "-q", *form, code=DONE)
        assert answers(command, out) == {key: value for key, value in OLD.items() if key.startswith("key 1")}
    # Onto one of its inputs.
    command("merge", "-o", old, old, new, "-q", *second, code=DONE)
    assert old.read_bytes() == small(command, tmp_path / "expected", OLD | NEW, *second).read_bytes()


# --- patches ---


@pytest.mark.parametrize("after", ALL_FORMS, ids=str)
@pytest.mark.parametrize("before", ALL_FORMS, ids=str)
def test_patches_between_forms_make_the_new_file_byte_for_byte(command, tmp_path, before, after):
    old, new = small(command, tmp_path / "old", OLD, *before), small(command, tmp_path / "new", NEW, *after)
    third = small(command, tmp_path / "third", NEW | {"more": 1}, *before)
    for name, (one, other) in {"p1": (old, new), "p2": (new, third)}.items():
        command("diff", one, other, "-o", tmp_path / name, "-q", code=DONE)
    out = tmp_path / "out"
    command("patch", old, tmp_path / "p1", "-o", out, "-q", code=DONE)
    assert out.read_bytes() == new.read_bytes()
    command("patch", old, tmp_path / "p1", tmp_path / "p2", "-o", out, "-q", code=DONE)
    assert out.read_bytes() == third.read_bytes()
    # The wrong file, and the right patches in the wrong order.
    kept = out.read_bytes()
    for words in ([new, tmp_path / "p1"], [old, tmp_path / "p2"], [old, tmp_path / "p2", tmp_path / "p1"]):
        assert "patch" in command("patch", *words, "-o", out, "-q", code=BAD_DATA).errors
        assert out.read_bytes() == kept
    # The same entries in another form are another file.
    other = small(command, tmp_path / "other", OLD, *(FORMS[:1] if not before else []))
    command("patch", other, tmp_path / "p1", "-o", out, "-q", code=BAD_DATA)
    command("patch", old, tmp_path / "p1", "-o", out, "-q", "--max-size", str(len(new.read_bytes()) - 1), code=BAD_DATA)
    command("patch", old, tmp_path / "p1", "-o", out, "-q", "--greatest-shrink", "0", code=BAD_DATA)
    command("patch", old, tmp_path / "p1", "-o", out, "-q", "--least-keys", "281", code=BAD_DATA)
    assert out.read_bytes() == kept
    # What is made in between, of version 2, counts too.
    most = len(new.read_bytes()) if not before and not after else 1 << 20
    command("patch", old, tmp_path / "p1", "-o", out, "-q", "--max-size", str(most), "--least-keys", "280", code=DONE)
    assert out.read_bytes() == new.read_bytes()
    # Onto the old file itself.
    command("patch", old, tmp_path / "p1", "-o", old, "-q", code=DONE)
    assert old.read_bytes() == new.read_bytes()


@pytest.mark.parametrize("before, after", [([], ["--compact"]), (["--compact"], []), (["--compact"], ["--compact=fast"])], ids=str)
def test_a_damaged_patch_never_makes_another_file(command, tmp_path, before, after):
    few = {f"k{number}": {"name": "text of all", "n": number} for number in range(4)}
    old, new = small(command, tmp_path / "old", few, *before), small(command, tmp_path / "new", few | {"k9": [1, "text of all"]}, *after)
    command("diff", old, new, "-o", tmp_path / "p", "-q", code=DONE)
    whole = (tmp_path / "p").read_bytes()
    out = tmp_path / "out"
    for place in range(len(whole)):
        (tmp_path / "bad").write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1:])
        result = command("patch", old, tmp_path / "bad", "-o", out, "-q")
        assert result.code == BAD_DATA and result.err and not out.exists(), (place, result)
    for length in range(0, len(whole), 7):
        (tmp_path / "bad").write_bytes(whole[:length])
        command("patch", old, tmp_path / "bad", "-o", out, "-q", code=BAD_DATA)
        assert not out.exists()


# --- what a file keeps ---


@both_forms
def test_metadata_rules_networks_and_lengths_are_kept(command, tmp_path, form):
    rows = b'{"keys":["10.0.0.0/8"],"value":1}\n{"keys":["10.1.0.0/16"],"value":2}\n'
    path, out = tmp_path / "x", tmp_path / "out"
    command("build", path, "-q", "--network", "--key-lengths", "--meta", "source=here", stdin=rows, code=DONE)
    whole = path.read_bytes()
    command("convert", path, path, form, "-q", code=DONE)
    assert command("stats", path, "--json", code=DONE).json["meta"] == {"source": "here"}
    assert command("networks", path, "--containing", "10.1.2.3", code=DONE).text == "10.1.0.0/16\n10.0.0.0/8\n"
    assert command("get", path, "10.1.2.3", code=DONE).text == "10.1.0.0/16\t2\n"
    command("convert", path, out, form, "--meta", "source=there", "-q", code=DONE)
    assert command("stats", out, "--json", code=DONE).json["meta"] == {"source": "there"}
    command("convert", path, path, "--family", "-q", code=DONE)
    assert path.read_bytes() == whole
    # A rule of keys, which a merge keeps where all inputs have it.
    names = tmp_path / "names"
    command("build", names, "-q", form, "--normalise", "domain", stdin=b'{"keys":["WWW.Example.COM."],"value":"found"}\n', code=DONE)
    for option in (form, "--family"):
        command("convert", names, out, option, "-q", code=DONE)
        assert command("get", out, "a.www.EXAMPLE.com", code=DONE).text == 'www.example.com\t"found"\n'
    command("merge", "-o", out, names, names, "-q", form, code=DONE)
    assert out.read_bytes() == names.read_bytes()


# --- usage ---


@pytest.mark.parametrize("words, says", [
    (["build", "-o", "o", "--compact", "--plain"], "--plain"), (["build", "-o", "o", "--compact", "--reverse-index"], "--reverse-index"),
    (["build", "-o", "o", "--compact=nonsense"], "fast"), (["build", "-o", "o", "--compact=fast", "--plain"], "--plain"),
    (["merge", "-o", "o", "x", "--compact", "--plain"], "--plain"), (["merge", "-o", "o", "x", "--compact=nonsense"], "fast"),
    (["reindex", "x", "--compact=nonsense"], "fast"), (["reindex", "x", "-o", "o", "--compact", "--reverse-index"], "--reverse-index"),
    (["convert", "x", "o"], "--family"), (["convert", "x", "o", "--compact", "--family"], "--family"), (["convert", "x", "o", "--compact=nonsense"], "fast"),
    (["convert", "x"], "OUTPUT"), (["convert", "--compact"], "FILE"), (["convert", "x", "o", "p", "--compact"], "p"),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_wrong_usage(command, tmp_path, words, says):
    small(command, tmp_path / "x", {"k": 1})
    before = (tmp_path / "x").read_bytes()
    result = command(*words, cwd=tmp_path, stdin=b'{"keys":["k"],"value":1}\n', code=USAGE)
    assert says in result.errors and words[0] in result.errors
    assert [path.name for path in tmp_path.iterdir()] == ["x"] and (tmp_path / "x").read_bytes() == before


# --- damage ---


@both_forms
def test_damage_is_an_error_and_never_another_answer(command, tmp_path, rng, form):
    path = small(command, tmp_path / "x", {**OLD, "long" * 100: "a long key"}, form)
    whole, expected = path.read_bytes(), answers(command, path)
    rows = {json.dumps(key): value for key, value in expected.items()}
    asked = "".join(f"{key}\n" for key in rows).encode()
    places = [rng.randrange(len(whole)) for _ in range(150)] + list(range(0, 40, 3)) + [len(whole) - 1 - n for n in range(0, 60, 5)]
    refused = 0
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1:])
        told = command("verify", path, "--json", code=NO).json
        assert not told["sound"] and told["damage"], place
        for damage in told["damage"]:
            assert 0 <= damage["offset"] <= len(whole) and damage["kind"] and damage["message"], (place, damage)
        found = command("get", path, "--keys-from", "-", "--keys-format", "json", "--json", stdin=asked)
        assert found.code in (DONE, BAD_DATA), (place, found)
        assert (found.code == BAD_DATA) == bool(found.err), (place, found)
        for row in found.lines:
            answer = json.loads(row)
            assert answer["found"] and answer["value"] == expected[answer["key"]], (place, answer)
        for words in (["prefix", path, "", "--json"], ["prefix", path, "", "--json", "--reverse"]):
            listed = command(*words)
            assert listed.code in (DONE, BAD_DATA) and (listed.code == BAD_DATA) == bool(listed.err), (place, listed)
            for row in listed.lines:
                assert json.loads(row)["value"] == expected[json.loads(row)["key"]], place
            assert listed.code == BAD_DATA or len(listed.lines) == len(expected), place
            refused += listed.code == BAD_DATA
        dumped = command("dump", path)
        assert dumped.code == BAD_DATA and str(path) in dumped.errors or len(dumped.lines) > 0
    assert refused > 20
    for length in [*range(0, len(whole), max(1, len(whole) // 40)), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert str(path) in command("verify", path, code=NO).text
        for words in (["get", path, "key 1"], ["prefix", path, ""], ["dump", path]):
            result = command(*words, code=BAD_DATA)
            assert str(path) in result.errors and not result.out

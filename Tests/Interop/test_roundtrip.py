"""What dump writes, build turns into the same bytes; and the order of the input lines changes nothing."""

import json
import random

import pytest
from good_files import edges

from conftest import DONE, FIXTURES, fixture_names
from spelling import line, pack_int, spell, spell_key, unline, unspell

GOOD = FIXTURES / "good"
OPTIONS = {"canonical": ["--plain"], "insertion": ["--plain", "--order", "insertion", "--objects", "every"], "block": []}


@pytest.mark.parametrize("name", fixture_names("good"))
def test_build_of_a_dump_gives_the_same_bytes(command, good, tmp_path, name):
    layout = good[name]["layout"]
    if layout == "other":
        assert good[name]["sections"] is not None, "only a block can be one that build does not write"
        return
    lines = command("dump", GOOD / name, code=DONE).out
    meta = [option for pair in good[name].get("meta", {}).items() for option in ("--meta", "=".join(pair))]
    again = tmp_path / "again.fsdb"
    command("build", again, *OPTIONS[layout], *meta, "--allow-empty", stdin=lines, code=DONE)
    assert again.read_bytes() == (GOOD / name).read_bytes()


@pytest.mark.parametrize("name", fixture_names("good"))
def test_build_of_a_dump_by_default_gives_the_same_bytes_from_then_on(command, tmp_path, name):
    once, twice = tmp_path / "once.fsdb", tmp_path / "twice.fsdb"
    lines = command("dump", GOOD / name, code=DONE).out
    command("build", once, "--allow-empty", stdin=lines, code=DONE)
    command("build", twice, "--allow-empty", stdin=command("dump", once, code=DONE).out, code=DONE)
    assert twice.read_bytes() == once.read_bytes()
    assert command.mapping(once) == command.mapping(GOOD / name)


@pytest.mark.parametrize("name", fixture_names("good"))
def test_dump_writes_members_in_order_without_spaces_and_keys_ascending(command, name):
    for text in command("dump", GOOD / name, code=DONE).lines:
        assert text.startswith(b'{"keys":[') and b'],"value":' in text
        keys, _ = unline(text.decode())
        assert keys == sorted(keys)
        assert text.startswith(b'{"keys":[' + ",".join(map(spell_key, keys)).encode() + b'],"value":')


def test_shuffled_lines_give_the_same_bytes(command, good, tmp_path, rng):
    lines = command("dump", GOOD / "values-edges.fsdb", code=DONE).out.splitlines(keepends=True)
    lines += [line([b"shared %d" % i, b"again %d" % i], value) for i, value in enumerate(edges().values())]
    outputs = set()
    for number in range(8):
        path = tmp_path / f"{number}.fsdb"
        command("build", path, stdin=b"".join(lines), code=DONE)
        outputs.add(path.read_bytes())
        rng.shuffle(lines)
    assert len(outputs) == 1


def test_keys_spread_over_lines_give_the_same_bytes_as_keys_in_one_line(command, tmp_path):
    together = line([b"a", b"b", b"c"], b"\x01") + line([b"d"], b"\x02")
    apart = line([b"d"], b"\x02") + line([b"c"], b"\x01") + line([b"a"], b"\x01") + line([b"b"], b"\x01")
    for name, lines in (("together", together), ("apart", apart)):
        command("build", tmp_path / name, stdin=lines, code=DONE)
    assert (tmp_path / "together").read_bytes() == (tmp_path / "apart").read_bytes()


def test_many_shuffled_lines_give_the_same_bytes(command, tmp_path, rng):
    lines = [line([b"key %d" % i], pack_int(i % 997)) for i in range(30_000)]
    outputs = set()
    for number in range(3):
        path = tmp_path / f"{number}.fsdb"
        command("build", path, stdin=b"".join(lines), code=DONE)
        outputs.add(path.read_bytes())
        rng.shuffle(lines)
    assert len(outputs) == 1


def test_every_object_kept_in_key_order_stays_apart(command, tmp_path):
    lines = line([b"b"], b"\x01") + line([b"a", b"c"], b"\x01") + line([b"d"], b"\x02") + line([], b"\x03")
    command("build", tmp_path / "every.fsdb", "--objects", "every", stdin=lines, code=DONE)
    assert command.dumped(tmp_path / "every.fsdb") == [([b"a", b"c"], b"\x01"), ([b"b"], b"\x01"), ([b"d"], b"\x02")]
    again = tmp_path / "again.fsdb"
    command("build", again, "--objects", "every", stdin=command("dump", tmp_path / "every.fsdb").out, code=DONE)
    assert again.read_bytes() == (tmp_path / "every.fsdb").read_bytes()


def test_shared_objects_in_insertion_order_stand_where_they_came_first(command, tmp_path):
    lines = line([b"z"], b"\x05") + line([b"a"], b"\x01") + line([b"b"], b"\x05") + line([], b"\x03")
    path = tmp_path / "shared.fsdb"
    command("build", path, "--order", "insertion", "--objects", "shared", stdin=lines, code=DONE)
    assert command.dumped(path) == [([b"b", b"z"], b"\x05"), ([b"a"], b"\x01"), ([], b"\x03")]


FLAT = [
    {"name": "plain", "n": 1, "x": 1.5, "ok": True},
    {"name": 'quote " comma , tab\t and\nnewline', "n": -(2**63), "x": -0.0, "ok": False},
    {"name": "crlf\r\nand back\\slash", "n": 2**64 - 1, "x": 5e-324, "ok": True},
    {"name": "ünïcode 😀", "n": 0, "x": 1e300, "ok": False},
    {"name": " spaces ", "n": None, "x": None, "ok": None},
    {"name": "", "n": 7, "x": 2.0, "ok": True},
]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_table_of_flat_records_comes_back(command, tmp_path, form):
    calls = [(unspell(json.dumps(record)), [b"key %d" % i, b"other %d" % i]) for i, record in enumerate(FLAT)]
    path = command.build(tmp_path / "flat.fsdb", calls)
    table = command("dump", path, "--format", form, code=DONE).out
    again = tmp_path / "again.fsdb"
    types = ["--type", "n=int", "--type", "x=float", "--type", "ok=bool"]
    command("build", again, "--format", form, "--key", "key", *types, "--allow-empty", stdin=table, code=DONE)
    assert again.read_bytes() == path.read_bytes()


def test_a_table_has_a_row_for_each_key_and_a_column_for_each_field(command, tmp_path):
    calls = [(unspell('{"b":1,"a":"x"}'), [b"k2", b"k1"]), (unspell('{"c":[1,{"$bin":"ff"}],"a":null}'), [b"k3"])]
    path = command.build(tmp_path / "table.fsdb", calls)
    rows = command("dump", path, "--format", "tsv", code=DONE).text
    assert rows == 'key\tb\ta\tc\nk1\t1\tx\t\nk2\t1\tx\t\nk3\t\t\t"[1,{""$bin"":""ff""}]"\n'
    rows = command("dump", path, "--format", "csv", code=DONE).text
    assert rows == 'key,b,a,c\nk1,1,x,\nk2,1,x,\nk3,,,"[1,{""$bin"":""ff""}]"\n'


def random_value(rng: random.Random, depth=0):
    """Any MessagePack value in its shortest encoding, as JSON text."""
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 0:
        return rng.choice(["null", "true", "false", '{"$bin":"00ff"}', '{"$ext":[-1,"00000000"]}', '{"$str":"ff"}'])
    if kind == 1:
        return str(rng.choice([-1, 1]) * rng.getrandbits(rng.randrange(64)))
    if kind in (2, 3):
        return spell(b"\xcb" + rng.randbytes(8))
    if kind == 4:
        return spell(b"\xca" + rng.randbytes(4))
    if kind == 5:
        return json.dumps(
            "".join(chr(rng.choice([rng.randrange(0x80), rng.randrange(0x20, 0xD800), 0x1F600])) for _ in range(rng.randrange(40)))
        )
    items = [random_value(rng, depth + 1) for _ in range(rng.randrange(12))]
    if kind == 6:
        return f"[{','.join(items)}]"
    return '{"$map":[' + ",".join(f"[{random_value(rng, 3)},{item}]" for item in items) + "]}"


def test_random_values_come_back(command, tmp_path, rng):
    calls = [(unspell(random_value(rng)), [b"%d" % i]) for i in range(2_000)]
    path = command.build(tmp_path / "random.fsdb", calls)
    assert command.mapping(path) == {keys[0]: value for value, keys in calls}
    again = tmp_path / "again.fsdb"
    command("build", again, "--allow-empty", stdin=command("dump", path, code=DONE).out, code=DONE)
    assert again.read_bytes() == path.read_bytes()

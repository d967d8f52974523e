"""The reverse index, beside an encoder that was written from its specification alone; `keys --like` and `keys --where` beside plain loops."""

import re
import struct
import zlib

import pytest
from msgpack import packb

from conftest import BAD_DATA, DONE, NO, ROOT
from model import Model
from test_family import assert_wheel_answers

SPEC = (ROOT / "spec" / "reverse.md").read_text()


def number(value):
    return bytes([value % 128 + 128]) + number(value // 128) if value > 127 else bytes([value])


def zigzag(value):
    return 2 * value if value >= 0 else -2 * value - 1


def section_of(targets):
    """The section of a key index whose entries point at these offsets [Y1] [Y3] [Y4] [Y5]."""
    lists = {}
    for entry, target in enumerate(targets):
        lists.setdefault(target, []).append(entry)
    blocks = []
    for target, entries in sorted(lists.items()):
        if len(entries) == 1:
            continue
        for place, entry in enumerate(entries):
            if place > 0:
                more = number(entry - entries[place - 1])
            elif blocks:
                more = b"\0" + number(target - before[0]) + number(zigzag(entry - before[1]))
            if blocks and len(blocks[-1][2]) + len(more) <= 240:
                blocks[-1][2] += more
            else:
                blocks.append([target, entry, bytearray()])
                before = target, entry
            if place == 0:
                before = target, entry
    section = b""
    for place, [target, entry, numbers] in enumerate(blocks):
        following = blocks[place + 1][0] if place + 1 < len(blocks) else 2**64 - 1
        body = struct.pack(">QI", target, entry) + numbers.ljust(240, b"\0")
        section += body + struct.pack(">I", zlib.crc32(struct.pack(">QQ", place, following) + body))
    return section


def stored_section(path):
    """The offset of a file's section `REVS`, its bytes, and what its key index says that they are."""
    data = path.read_bytes()
    model = Model(data)
    offset, length = model.block.section("REVS")
    return offset, data[offset : offset + length], section_of([target for _, _, target in sorted(model.entries)])


def calls_of(rng):
    """Objects of one key, of a few and of many, their keys anywhere."""
    keys = rng.sample(range(10**6), 5000)
    calls = []
    while keys:
        count = min(len(keys), rng.choice([1, 1, 1, 2, 3, 40, 700]))
        value = packb({"n": len(calls), "third": len(calls) % 3, "text": str(len(calls) % 5)})
        calls.append((value, [b"%06d" % keys.pop() for _ in range(count)]))
    return calls


def examples():
    """The bytes of each worked example."""
    for text in re.findall(r"```\n(.*?)```", SPEC.split("## 7.")[1], re.DOTALL):
        rows = re.findall(r"^ *\d+  ((?:\d+ × )?[0-9a-f]{2}(?: [0-9a-f]{2})*)(?:  |$)", text, re.MULTILINE)
        yield b"".join(
            bytes.fromhex(row.split(" × ")[1]) * int(row.split(" × ")[0]) if " × " in row else bytes.fromhex(row)
            for row in rows
        )


def test_the_worked_examples_are_what_the_rules_make():
    assert list(examples()) == [
        section_of([40, 56, 40, 80, 56, 104, 40, 104]),
        section_of([40] * 250 + [56] * 2),
    ]


@pytest.mark.parametrize("options", [[], ["--order", "insertion", "--objects", "shared"], ["--memory", "16M"]], ids=["key", "insertion", "memory"])
def test_a_section_is_what_the_rules_make_and_older_readers_pass_over_it(command, wheel, tmp_path, rng, options):
    calls = calls_of(rng)
    path = command.build(tmp_path / "x.fsdb", calls, "--reverse-index", *options)
    _, stored, expected = stored_section(path)
    assert len(stored) > 2048 and stored == expected
    command("verify", path, code=DONE)
    assert_wheel_answers(wheel.open(path), {key: value for value, keys in calls for key in keys})


def test_keys_like_are_those_of_a_plain_loop_with_the_section_and_without(command, tmp_path, rng):
    calls = calls_of(rng)
    paths = [
        command.build(tmp_path / name, calls, *options)
        for name, options in {"with": ["--reverse-index"], "without": [], "plain": ["--plain"]}.items()
    ]
    for _, keys in rng.sample(calls, 12):
        for path in paths:
            assert command("keys", path, "--like", rng.choice(keys), code=DONE).lines == sorted(keys)
    answer = command("keys", paths[0], "--like", "nowhere", code=NO)
    assert answer.out == b"" and b"no such key: nowhere" in answer.err


def test_damage_in_any_byte_is_an_error_or_harmless_and_verification_tells(command, tmp_path, rng):
    calls = calls_of(rng)
    path = command.build(tmp_path / "x.fsdb", calls, "--reverse-index")
    offset, stored, _ = stored_section(path)
    sound = path.read_bytes()
    copy = tmp_path / "damaged.fsdb"
    _, keys = max(calls, key=lambda call: len(call[1]))
    for place in rng.sample(range(len(stored)), 15):
        data = bytearray(sound)
        data[offset + place] ^= 1 << rng.randrange(8)
        copy.write_bytes(data)
        answer = command("keys", copy, "--like", keys[0])
        assert answer.code == BAD_DATA or (answer.code == DONE and answer.lines == sorted(keys)), place
        report = command("verify", copy, "--json", code=NO).out
        assert b'"kind":"reverse","offset":%d' % (offset + place // 256 * 256) in report.replace(b" ", b"")


def test_a_condition_is_that_of_a_plain_loop(command, tmp_path, rng):
    calls = calls_of(rng)
    path = command.build(tmp_path / "x.fsdb", calls)
    values = {key: int(text) for text in command("keys", path, code=DONE).lines for key in [text]}
    assert len(values) == sum(len(keys) for _, keys in calls)
    objects = {key: (place % 3, place % 5) for place, (_, keys) in enumerate(calls) for key in keys}
    for third, fifth in [(0, 0), (2, 4), (1, 3)]:
        expected = sorted(key for key, found in objects.items() if found == (third, fifth))
        conditions = ["--where", f"third={third}", "--where", f"text={fifth}"]
        assert command("keys", path, *conditions, code=DONE).lines == expected
        assert command("keys", path, *conditions, "--count", "--json", code=DONE).json == {"count": len(expected)}
    assert command("keys", path, "--where", "third=3", code=DONE).out == b""


def table_rows():
    lines = [line for line in SPEC.split("## 8.")[1].splitlines() if line.startswith("| ")]
    words = re.findall("`(.*?)`", lines[0])
    return [(row.split("|")[1].strip(), dict(zip(words, (cell.strip() for cell in row.split("|")[2:-1]), strict=True))) for row in lines[1:]]


#: What the rows of the table are about, as JSON of a whole value.
VALUES = {
    "the integer 15169": {"asn": 15169},
    "the string `15169`": {"asn": "15169"},
    "the double 15169": {"asn": 15169.0},
    "nil": {"asn": None},
    "the string `null`": {"asn": "null"},
    "the empty string": {"asn": ""},
    "nothing": {"as": 1},
}


def test_each_row_of_the_table_of_conditions_is_as_it_says(command, tmp_path):
    rows = table_rows()
    assert [name for name, _ in rows] == list(VALUES)
    for place, (name, row) in enumerate(rows):
        path = command.build(tmp_path / f"{place}.fsdb", [(packb(VALUES[name]), [b"key"])])
        for condition, answer in row.items():
            lines = command("keys", path, "--where", condition, code=DONE).lines
            assert lines == ([b"key"] if answer == "yes" else []), (name, condition)

"""The extension block, beside an encoder and a reader that were written from its specification alone."""

import json
import re

import adversarial
import pytest
from block import Shape, with_block
from fsdb import File, canonical, insertion
from msgpack import packb
from xxhash import xxh3_64_intdigest

from conftest import BAD_DATA, DONE, FIXTURES, NO, NO_INPUT, ROOT, USAGE
from model import Model
from spelling import line, unspell
from test_family import assert_command_answers, assert_wheel_answers

#: Around the edges of a stride, of a line of pilots and of a part.
COUNTS = [0, 1, 2, 6, 7, 8, 31, 32, 33, 155, 156, 1000, 4_960, 4_961, 9_920, 9_921, 50_000]
META = {"source": "registry=1", "built": "2025-01-31T12:00:00Z", "ключ": "", "a": "b\\n"}


def mapping_of(count):
    return {b"host-%d.example" % number: packb({"n": number // 10}) for number in range(count)}


def calls_of(mapping):
    return [(value, [key]) for key, value in mapping.items()]


def meta_options(meta):
    return [option for name, value in meta.items() for option in ("--meta", f"{name}={value}")]


def plain_file(data):
    """The plain file of these bytes, with the places of its parts."""
    model = Model(data)
    return File(data, model.starts, model.header["index_offset"], [offset for offset, _, _ in model.entries])


def section(data, kind):
    """(offset, length) of a section, or None."""
    return Model(data).block.section(kind)


def seed_of(data):
    return int.from_bytes(data[section(data, "HASH")[0] :][:8], "big")


def later_seed(data, number):
    """The seed that is tried after so many others [X11]."""
    model = Model(data)
    return xxh3_64_intdigest(data[model.header["index_offset"] : model.index_end], number)


def stats_of(command, path):
    return command("stats", path, "--json", code=DONE).json


# --- the specification ---


def bytes_of_listing(text):
    """The bytes of a worked example: `4 × 00` is four of them; each line stands at the offset before it."""
    data = b""
    for row in text.splitlines():
        offset, rest = row[:3].strip(), row[5:]
        assert offset in ("", str(len(data))), row
        if match := re.match(r"(?:(\d+) × ([0-9a-f]{2})|((?:[0-9a-f]{2} )*[0-9a-f]{2}))(?:  |$)", rest):
            data += bytes.fromhex(match[2]) * int(match[1]) if match[1] else bytes.fromhex(match[3])
        else:
            assert re.match(r" {26}\w", rest), row
    return data


def test_the_worked_example_is_what_the_encoder_and_build_write(command, tmp_path):
    chapter = (ROOT / "spec" / "extension.md").read_text().split("\n## 11. Worked example")[1]
    example = bytes_of_listing(chapter.split("```\n")[1])
    mapping = {b"8.8.8.8": packb({"a": 1}), b"gmail.com": packb({"a": 1})}
    assert example == bytes(with_block(canonical(mapping), meta={"source": "x"}))
    assert example == (FIXTURES / "good" / "block-worked-example.fsdb").read_bytes()
    model = Model(example)
    for key in mapping:
        digest, _, _, slot_number = model.block.hash.place(key)
        assert f"| `{key.decode()}` | 0x{digest:016X} |" in chapter and f"| {slot_number} | {digest & 63} |" in chapter
    ours = command.build(tmp_path / "ours.fsdb", calls_of(mapping), "--meta", "source=x")
    assert ours.read_bytes() == example


# --- build ---


@pytest.mark.parametrize("count", COUNTS)
def test_build_writes_the_block_of_the_specification_byte_for_byte(command, wheel, tmp_path, count):
    mapping = mapping_of(count)
    ours = command.build(tmp_path / "ours.fsdb", calls_of(mapping))
    assert ours.read_bytes() == bytes(with_block(canonical(mapping)))
    command("verify", ours, code=DONE)
    reader = wheel.open(ours)
    assert reader.verify() is True
    assert reader.items_raw_bytes() == sorted(mapping.items())
    plain = command.build(tmp_path / "plain.fsdb", calls_of(mapping), "--plain")
    assert plain.read_bytes() == bytes(canonical(mapping))


def test_build_of_random_keys_writes_the_block_of_the_specification(command, wheel, tmp_path, rng):
    for _ in range(25):
        mapping = {
            rng.randbytes(rng.choice((0, 1, 3, 4, 8, 9, 16, 17, 128, 129, 240, 241, rng.randrange(2000)))): packb(rng.randrange(50))
            for _ in range(rng.randrange(120))
        }
        path = command.build(tmp_path / "random.fsdb", calls_of(mapping))
        assert path.read_bytes() == bytes(with_block(canonical(mapping)))
        assert_wheel_answers(wheel.open(path), mapping)


@pytest.mark.parametrize("count, parts", [(4_960, 1), (4_961, 2), (40_000, 9)])
def test_a_block_of_several_parts_answers_every_key(command, tmp_path, rng, count, parts):
    mapping = mapping_of(count)
    path = command.build(tmp_path / "parts.fsdb", calls_of(mapping))
    model = Model(path.read_bytes())
    assert model.block.hash.part_count == parts
    assert model.damage == set()
    assert_command_answers(command, path, mapping, rng.sample(sorted(mapping), 2_000))


# --- metadata ---


def test_metadata_are_written_in_order_of_their_names_and_shown(command, wheel, tmp_path):
    mapping = mapping_of(3)
    path = command.build(tmp_path / "meta.fsdb", calls_of(mapping), *meta_options(META))
    assert path.read_bytes() == bytes(with_block(canonical(mapping), meta=META))
    assert stats_of(command, path)["meta"] == META
    text = command("stats", path, code=DONE).text
    assert "registry=1" in text and "2025-01-31T12:00:00Z" in text
    again = command.build(tmp_path / "again.fsdb", calls_of(mapping), *meta_options(dict(reversed(META.items()))))
    assert again.read_bytes() == path.read_bytes()
    assert_wheel_answers(wheel.open(path), mapping)


def test_a_file_without_metadata_shows_none(command, tmp_path):
    assert not stats_of(command, command.build(tmp_path / "none.fsdb", calls_of(mapping_of(3)))).get("meta")


def test_metadata_without_a_name_and_a_value_are_wrong_usage(command, tmp_path):
    for option in (["--meta", "source"], ["--meta"]):
        command("build", tmp_path / "x.fsdb", "-", *option, stdin=line([b"k"], b"\x01"), code=USAGE)
    assert not (tmp_path / "x.fsdb").exists()


def test_metadata_beyond_a_mebibyte_are_refused(command, tmp_path):
    options = meta_options({f"name {number}": "x" * 100_000 for number in range(11)})
    result = command("build", tmp_path / "x.fsdb", "-", *options, stdin=line([b"k"], b"\x01"))
    assert result.code in (USAGE, BAD_DATA)
    assert not (tmp_path / "x.fsdb").exists()


# --- reindex ---


@pytest.mark.parametrize("count", [0, 1, 33, 1000])
def test_reindex_adds_the_block_and_touches_neither_data_nor_index(command, wheel, tmp_path, count):
    mapping = mapping_of(count)
    files = {
        "wheel": wheel.write(tmp_path / "wheel.fsdb", [*reversed(calls_of(mapping)), (packb("unreached"), [])]),
        "plain": command.build(tmp_path / "plain.fsdb", calls_of(mapping), "--plain"),
    }
    for path in files.values():
        before = path.read_bytes()
        command("reindex", path, code=DONE)
        after = path.read_bytes()
        assert after[:32] == before[:32] and after[40 : len(before)] == before[40:]
        assert after == bytes(with_block(plain_file(before)))
        assert_wheel_answers(wheel.open(path), mapping)
        command("verify", path, code=DONE)
        command("reindex", path, code=DONE)
        assert path.read_bytes() == after


@pytest.mark.parametrize("name", ["seed-7", "parts", "spacious", "five-lanes", "without-hash", "without-order", "no-section", "unused-pilot", "flags"])  # fmt: skip
def test_reindex_makes_any_block_the_canonical_one(command, tmp_path, name):
    path = tmp_path / "file.fsdb"
    before = (FIXTURES / "good" / f"block-{name}.fsdb").read_bytes()
    path.write_bytes(before)
    command("reindex", path, code=DONE)
    assert path.read_bytes() == bytes(with_block(canonical(Model(before).mapping)))


def test_reindex_keeps_metadata_unless_they_are_given_anew(command, tmp_path):
    mapping = mapping_of(40)
    path = command.build(tmp_path / "meta.fsdb", calls_of(mapping), *meta_options(META))
    before = path.read_bytes()
    command("reindex", path, code=DONE)
    assert path.read_bytes() == before
    command("reindex", path, "--meta", "source=another", code=DONE)
    assert path.read_bytes() == bytes(with_block(canonical(mapping), meta={"source": "another"}))


def test_reindex_of_a_damaged_or_missing_file_changes_nothing(command, bad, tmp_path):
    for name in ("object-bit-flipped.fsdb", "num-keys-3.fsdb", "keys-swapped.fsdb", "block-header-crc.fsdb", "block-version-2.fsdb",
                 "block-num-keys-3-sealed.fsdb", "block-cut-footer.fsdb", "block-balance.fsdb"):  # fmt: skip
        path = tmp_path / name
        before = (FIXTURES / "bad" / name).read_bytes()
        path.write_bytes(before)
        command("reindex", path, code=BAD_DATA)
        assert path.read_bytes() == before, name
    command("reindex", tmp_path / "missing.fsdb", code=NO_INPUT)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".fsdb")) == []


# --- the header is covered ---


def test_a_flipped_bit_of_the_header_is_refused_and_reported(command, tmp_path):
    sound = bytes(with_block(canonical(mapping_of(10)), meta={"source": "x"}))
    questions = [["get", "host-1.example"], ["get", "absent"], ["prefix", "host-"], ["keys"], ["dump"], ["stats"]]
    paths = []
    for bit in range(8 * 40):
        changed = bytearray(sound)
        changed[bit // 8] ^= 1 << bit % 8
        paths.append(tmp_path / f"{bit}.fsdb")
        paths[-1].write_bytes(changed)
        # Two of them each, in turn: a process takes longer than what it is asked.
        for question in (questions[bit % 6], questions[(bit + 1) % 6]):
            result = command(question[0], paths[-1], *question[1:])
            assert result.code == BAD_DATA and result.out == b"", (bit, question)
            assert re.search(r"\boffset \d+\b", result.errors), (bit, question, result)
    for bit, text in enumerate(command("verify", "--json", *paths, code=NO).lines):
        damage = {(one["kind"], one["offset"]) for one in json.loads(text)["damage"]}
        assert damage == Model(paths[bit].read_bytes()).damage, bit


# --- keys chosen against the hash ---


@pytest.mark.parametrize(
    "share, count, suits", [("top", 2_000, False), ("top", 256, False), ("top", 255, False), ("low", 2_000, False), ("none", 2_000, True)]
)
def test_keys_chosen_against_the_first_seed_get_the_block_of_the_specification(command, tmp_path, share, count, suits):
    mapping = {key: packb(number) for number, key in enumerate(adversarial.keys(count, share))}
    path = command.build(tmp_path / "chosen.fsdb", calls_of(mapping))
    data = path.read_bytes()
    assert data == bytes(with_block(canonical(mapping)))
    assert seed_of(data) == (0 if suits else later_seed(data, 1))


def test_keys_chosen_against_the_numbers_from_0_to_63_as_seeds_have_a_hash_all_the_same(command, tmp_path, rng):
    """No seed but 0 can be known before all keys are."""
    keys = [key for seed in range(64) for key in adversarial.keys(256, "top", seed)]
    for seed in (0, 1, 63):
        assert {xxh3_64_intdigest(key, seed) >> 44 for key in keys[256 * seed : 256 * seed + 256]} == {0xABCDE}
    mapping = {key: packb(number // 10) for number, key in enumerate(keys)}
    path = command.build(tmp_path / "chosen.fsdb", calls_of(mapping))
    data = path.read_bytes()
    assert data == bytes(with_block(canonical(mapping)))
    assert seed_of(data) == later_seed(data, 1)
    asked = [key for key in rng.sample(keys, 400) if b"\x00" not in key]
    assert command.found(path, asked) == {key: mapping[key] for key in asked}


def test_a_million_keys_chosen_against_the_first_seed_have_another(command, tmp_path, rng):
    keys = list(adversarial.keys(1_000_000, "top"))
    assert len(set(keys)) == 1_000_000 and {xxh3_64_intdigest(key) >> 44 for key in keys[:1000]} == {0xABCDE}
    path = tmp_path / "chosen.fsdb"
    lines = b"".join(b'{"keys":[{"$bin":"%b"}],"value":%d}\n' % (key.hex().encode(), i // 10) for i, key in enumerate(keys))
    command("build", path, "-", "--quiet", stdin=lines, code=DONE)
    data = path.read_bytes()
    assert seed_of(data) == later_seed(data, 1) != 0
    command("verify", path, code=DONE)
    sample = [i for i in rng.sample(range(len(keys)), 2_000) if b"\x00" not in keys[i]]
    for start in range(0, len(sample), 200):
        asked = [keys[i] for i in sample[start : start + 200]]
        assert command.found(path, asked) == {keys[i]: packb(i // 10) for i in sample[start : start + 200]}


def test_two_keys_of_one_hash_part_under_another_seed(command, tmp_path):
    short = b"seventh"
    twin = adversarial.key_of(xxh3_64_intdigest(short), adversarial.constant(0))
    assert xxh3_64_intdigest(twin) == xxh3_64_intdigest(short) and b"\x00" not in twin
    mapping = {short: packb(1), twin: packb(2)}
    path = command.build(tmp_path / "twins.fsdb", calls_of(mapping))
    assert path.read_bytes() == bytes(with_block(canonical(mapping)))
    assert seed_of(path.read_bytes()) == later_seed(path.read_bytes(), 1)
    assert command.found(path, [short, twin]) == mapping

    alone = command.build(tmp_path / "alone.fsdb", [(packb(1), [short])])
    assert seed_of(alone.read_bytes()) == 0
    assert command.found(alone, [short, twin]) == {short: packb(1), twin: None}


# --- damage that checksums do not tell ---


def test_random_changes_of_the_block_are_reported_as_the_model_reports_them(command, tmp_path, rng):
    """Bytes after the index are changed, and as many checks made to match as chance will have it."""
    sound = with_block(canonical(mapping_of(40)), meta={"source": "x"})
    damaged = {}
    for number in range(600):
        changed = sound.copy()
        for _ in range(rng.randrange(1, 4)):
            start = rng.choice((40, sound.index, sound.index_end, sound.at["HASH"], sound.at["ORDR"], sound.directory, sound.footer))
            changed.data[rng.randrange(start, len(changed))] = rng.randrange(256)
        match rng.randrange(5):
            case 0:
                changed = changed.footer_mended()
            case 1:
                changed = changed.sections_mended().footer_mended()
            case 2:
                changed = changed.sections_mended().footer_mended(directory=False)
            case 3:
                changed = changed.balanced()
        damaged[number] = bytes(changed)
        (tmp_path / f"{number}.fsdb").write_bytes(damaged[number])
    reports = command("verify", "--json", *(tmp_path / f"{number}.fsdb" for number in damaged)).lines
    for text, (number, data) in zip(reports, damaged.items(), strict=True):
        listed = [(one["kind"], one["offset"]) for one in json.loads(text)["damage"]]
        model = Model(data)
        assert set(listed) == model.damage and len(listed) == len(set(listed)), (number, data.hex())
        assert listed[len(listed) - len(model.block_damage) :] == model.block_damage, number


def test_a_shape_that_a_reader_need_not_expect_is_read(command, tmp_path, rng):
    """Any numbers that [X9] allows, not only those of a canonical writer."""
    from good_block_files import with_hash

    mapping = mapping_of(50)
    for _ in range(30):
        shift, parts, slots_per_line = rng.randrange(3), rng.randrange(1, 5), rng.choice((5, 7))
        pilots = rng.randrange((parts - 1 << shift) + 1, (parts << shift) + 1)
        shape = Shape(pilots, parts, rng.randrange(12, 30), slots_per_line, part_shift=shift)
        path = tmp_path / "shape.fsdb"
        path.write_bytes(bytes(with_hash(shape=shape, seeds=range(first := rng.randrange(2**63), first + 64))(canonical(mapping))))
        assert Model(path.read_bytes()).damage == set(), shape
        command("verify", path, code=DONE)
        assert command.found(path, list(mapping)) == mapping, shape


def test_insertion_order_may_have_the_block(command, wheel, tmp_path):
    calls = [(packb("z"), [b"b"]), (packb("unreached"), []), (packb("a"), [b"a", b"c"]), (packb("z"), [b"d"])]
    path = command.build(tmp_path / "insertion.fsdb", calls, "--order", "insertion", "--objects", "every")
    assert path.read_bytes() == bytes(with_block(insertion(calls)))
    assert [unspell(text.decode()) for text in command("get", path, "c", code=DONE).lines] == [packb("a")]
    assert_wheel_answers(wheel.open(path), {key: value for value, keys in calls for key in keys})

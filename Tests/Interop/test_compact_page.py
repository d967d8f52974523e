"""What spec/compact.md says by examples is what the reference and the command make; and the reader of the specification reads version 3."""

import random
import re

import msgpack
import pytest

from conftest import BAD_DATA, DONE, ROOT
from test_compact import ENCODINGS, compact, mapping

import reader as family  # noqa: E402

PAGE = (ROOT / "spec" / "compact.md").read_text()
EXAMPLE = {
    b"8.8.4.4": msgpack.packb({"city": "Weißensee", "lat": 52.5}),
    b"8.8.8.8": msgpack.packb({"city": "Weißensee", "lat": 52.5}),
    b"gmail.com": msgpack.packb({"city": "Weißensee", "lat": -1}),
}


def listing():
    """The bytes of the worked example."""
    text = PAGE.split("## 14. Worked example")[-1].split("```\n")[1]
    out = b""
    for offset, count, row in re.findall(r"^ *(\d*)  (?:(\d+) × )?([0-9a-f]{2}(?: [0-9a-f]{2})*)(?:  |$)", text, re.MULTILINE):
        assert not offset or int(offset) == len(out)
        out += bytes.fromhex(row) * int(count or 1)
    return out


def rows_of_table(heading):
    text = PAGE.split(heading)[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]


def calls(entries):
    by_object = {}
    for key, data in entries.items():
        by_object.setdefault(data, []).append(key)
    return [(data, keys) for data, keys in by_object.items()]


def made(command, folder, entries, *options):
    """A compact file that the command makes of a plain one."""
    plain = command.build(folder / "plain.fsdb", calls(entries), "--plain")
    command("convert", plain, folder / "compact.fsdb", *(options or ["--compact"]), code=DONE)
    return folder / "compact.fsdb"


def test_the_worked_example_is_what_reference_and_command_make(command, tmp_path):
    """[CA2] to [CA5], [CT1], [CS1] to [CS5], [CR1], [CR2], [CK1] to [CK4], [CH1] to [CH4]"""
    assert listing() == compact.write(EXAMPLE)[0]
    assert made(command, tmp_path, EXAMPLE).read_bytes() == listing()


def test_values_are_written_as_the_page_says():
    """[CV1] [CV2]"""
    rows = rows_of_table("Values that are neither part nor shape:")
    assert len(rows) > 10
    for stored, row in rows:
        data = bytes.fromhex(stored.split("`")[1])
        assert compact.row_of(compact.parse(data)[0], compact.Tables([])) == bytes.fromhex(row.strip("`"))


def test_symbols_are_trained_as_the_page_says():
    """[CY1] [CY2] [CY3]"""
    for keys, symbols, coded in rows_of_table("Symbols that are trained of these keys"):
        texts = [key.encode() for key in re.findall(r"`([^`]+)`", keys)]
        trained = compact.Symbols.trained(texts)
        assert trained.symbols == [symbol.encode() for symbol in re.findall(r"`([^`]+)`", symbols)]
        assert [trained.coded(text) for text in texts] == [bytes.fromhex(each) for each in re.findall(r"`([^`]+)`", coded)]


def test_what_the_page_says_of_parts_and_shapes():
    """[CS1] [CS2] [CS3] [CV1]"""
    name = msgpack.packb("a name of a map without a shape")
    twice = b"\x82" + name + b"\x01" + name + b"\x02"
    tables = compact.Tables([b"\x92" + twice + b"\x00", b"\x92" + twice + b"\x01"])
    # A map with a name twice has no shape; its names are counted as parts, and stand as they are.
    assert tables.shapes == [] and set(tables.parts) == {name, twice}
    assert name in compact.row_of(compact.parse(twice)[0], tables, twice)
    # A whole object that equals a part is a reference to it.
    text = msgpack.packb("a text that stands often")
    tables = compact.Tables([text, b"\x92" + text + text])
    assert compact.row_of(compact.parse(text)[0], tables) == b"\xc0\x00"


@pytest.mark.parametrize("option", ["--compact", "--compact=fast"])
@pytest.mark.parametrize("count", [1, 40, 1500])
def test_the_reader_of_the_specification_reads_version_3(command, tmp_path, rng, count, option):
    entries = mapping(rng, count) | ({b"%d" % place: data for place, data in enumerate(ENCODINGS)} if count > 1 else {})
    reader = family.Reader(made(command, tmp_path, entries, option).read_bytes())
    assert list(reader.scan()) == sorted(entries.items())
    for key, data in entries.items():
        assert reader.get(key) == data and key in reader
        assert reader.get(key + b"\0") is None
    for prefix in (b"host-1", b"user-", b"zz", b"1"):
        assert list(reader.scan(prefix)) == sorted((key, data) for key, data in entries.items() if key.startswith(prefix))
    assert len(list(reader.objects())) == reader.object_count == len(set(entries.values()))


def test_damage_is_an_error_of_the_reader_of_the_specification(command, tmp_path):
    data = made(command, tmp_path, EXAMPLE).read_bytes()
    chance = random.Random(3)
    for _ in range(300):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            reader = family.Reader(bytes(changed))
            found = dict(reader.scan())
            one = [reader.get(key) for key in EXAMPLE]
        except (family.Damaged, compact.Damaged):
            continue
        assert found == EXAMPLE and one == list(EXAMPLE.values())


def test_metadata_of_a_compact_file(command, tmp_path):
    """[CO1]"""
    path = command.build(tmp_path / "x.fsdb", calls(EXAMPLE), "--compact", "--meta", "source=x")
    assert family.Reader(path.read_bytes()).metadata() == {"source": "x"}
    assert family.Reader(listing()).metadata() == {}


def test_patches_with_compact_files(command, tmp_path, rng):
    """[U24] [U25] [U26]"""
    old, new = mapping(rng, 400), mapping(rng, 30)
    new |= dict(list(old.items())[:350])
    forms = {"plain": ["--plain"], "block": [], "compact": ["--compact", "--meta", "source=x", "--key-lengths"], "fast": ["--compact=fast"]}
    olds = {name: command.build(tmp_path / f"old-{name}.fsdb", calls(old), *options) for name, options in forms.items()}
    news = {name: command.build(tmp_path / f"new-{name}.fsdb", calls(new), *options) for name, options in forms.items()}
    patch, out = tmp_path / "patch", tmp_path / "out.fsdb"
    for before, after in [("plain", "compact"), ("block", "fast"), ("compact", "plain"), ("compact", "compact"), ("fast", "compact"), ("plain", "block")]:
        command("diff", olds[before], news[after], "--patch", patch, code=DONE)
        data = patch.read_bytes()
        is_compact = {before, after} & {"compact", "fast"}
        assert data[:8] == b"FSDPAT" + (b"\0\2" if is_compact else b"\0\1")
        if is_compact:
            for place, path in ((120, olds[before]), (168, news[after])):
                file = path.read_bytes()
                assert data[place : place + 48] == file[:40] + len(file).to_bytes(8, "big")
            # What is compared has no block, and is of version 2.
            assert data[44] == data[84] == 2
        command("patch", olds[before], patch, out, code=DONE)
        assert out.read_bytes() == news[after].read_bytes()
        command("patch", news[after], patch, tmp_path / "other.fsdb", code=BAD_DATA)

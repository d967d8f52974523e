"""`diff` and `patch`, beside an applier that was written from spec/patch.md alone."""

import json
import os
import re
import subprocess

import pytest
from block import with_block
from fsdb import canonical, insertion
from msgpack import packb

import model_patch
from conftest import BAD_DATA, DONE, FIXTURES, IO_FAILURE, NO, NO_INPUT, ROOT, USAGE, fixture_names
from model_patch import PatchError, apply, pack, seal, squeeze
from spelling import line, spell_key
from test_block import bytes_of_listing
from tracing import contents, traced


def changed(mapping, rng, count):
    """A mapping some changes later."""
    mapping = dict(mapping)
    for _ in range(count):
        key = rng.choice(list(mapping)) if mapping else b"first"
        match rng.randrange(5):
            case 0:
                mapping.pop(key, None)
            case 1:
                mapping[rng.randbytes(rng.randrange(12)).replace(b"\0", b"\1")] = packb({"n": rng.randrange(50), "text": "new" * rng.randrange(9)})
            case 2:
                value = mapping.get(key)
                mapping |= {other: packb([value, "longer"]) for other in mapping if mapping[other] == value}
            case 3:
                # Others keep the object.
                mapping[key] = packb([mapping.get(key), "alone"])
            case _:
                mapping[key] = rng.choice(list(mapping.values()) or [b"\x01"])
    return mapping


def mapping_of(count):
    return {b"host-%d.example" % n: packb({"n": n // 10, "text": "x" * (n // 10 % 30)}) for n in range(count)}


def calls_of(mapping, rng):
    """Objects with some of their keys each, in any order, some of them twice and some without a key."""
    calls = [(value, [key]) for key, value in mapping.items()]
    calls += [(value, []) for value in list(mapping.values())[:3]]
    rng.shuffle(calls)
    return calls


def files_of(mapping, rng, command, wheel, folder):
    """The mapping in every kind of file: {name: path}."""
    calls = calls_of(mapping, rng)
    build = command.build
    return {
        "canonical": build(folder / "canonical.fsdb", calls),
        "meta": build(folder / "meta.fsdb", calls, "--meta", "source=x"),
        "plain": build(folder / "plain.fsdb", calls, "--plain"),
        "insertion": build(folder / "insertion.fsdb", calls, "--order", "insertion", "--objects", "every"),
        "wheel": wheel.write(folder / "wheel.fsdb", calls),
    }


@pytest.mark.parametrize("count", [0, 1, 40, 600])
def test_patches_between_files_of_every_kind_give_the_new_file_here_and_in_the_model(command, wheel, tmp_path, rng, count):
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    mapping = mapping_of(count)
    later = changed(mapping, rng, 12)
    olds = files_of(mapping, rng, command, wheel, tmp_path / "old")
    news = files_of(later, rng, command, wheel, tmp_path / "new")
    patch, out = tmp_path / "p", tmp_path / "out.fsdb"
    for old in olds.values():
        for name, new in news.items():
            command("diff", old, new, "--patch", patch, code=DONE)
            command("patch", old, patch, out, "--quiet", "--allow-empty", code=DONE)
            assert out.read_bytes() == new.read_bytes()
            # Building a block takes the model long.
            if count < 600 or name in ("plain", "wheel"):
                assert apply(patch.read_bytes(), old.read_bytes()) == new.read_bytes()


@pytest.mark.parametrize("name", fixture_names("good"))
def test_a_patch_to_each_sound_file_is_read_by_the_model(command, tmp_path, name):
    new = FIXTURES / "good" / name
    patch = tmp_path / "p"
    for old in (FIXTURES / "good" / "ten-keys.fsdb", FIXTURES / "good" / "block-ten-keys.fsdb", new):
        result = command("diff", old, new, "--patch", patch, "--json", code=DONE)
        assert result.json["patchBytes"] == len(patch.read_bytes())
        assert apply(patch.read_bytes(), old.read_bytes()) == new.read_bytes()


def test_the_worked_example_is_read_by_both(command, tmp_path):
    page = (ROOT / "spec" / "patch.md").read_text()
    patch = bytes_of_listing(page.split("```\n")[1])
    old = bytes(canonical({b"8.8.8.8": b"\x81\xa1a\x01", b"gmail.com": b"\x81\xa1a\x01"}))
    new = bytes(canonical({b"8.8.8.8": b"\x81\xa1a\x02", b"gmail.com": b"\x81\xa1a\x02", b"k": b"\xc0"}))
    assert apply(patch, old) == new
    (tmp_path / "old").write_bytes(old)
    (tmp_path / "p").write_bytes(patch)
    command("patch", tmp_path / "old", tmp_path / "p", tmp_path / "out", "--allow-empty", code=DONE)
    assert (tmp_path / "out").read_bytes() == new


# --- several patches ---


@pytest.mark.parametrize("count", [0, 1, 40, 600])
def test_several_patches_make_what_they_make_one_by_one_here_and_in_the_model(command, wheel, tmp_path, rng, count):
    mapping, steps, models = mapping_of(count), [], []
    for number in range(7):
        (tmp_path / str(number)).mkdir()
        name, path = rng.choice(list(files_of(mapping, rng, command, wheel, tmp_path / str(number)).items()))
        steps.append(path)
        models.append(name)
        mapping = changed(mapping, rng, rng.randrange(12))
    patches = [tmp_path / f"p{number}" for number in range(6)]
    for old, new, patch in zip(steps, steps[1:], patches):
        command("diff", old, new, "--patch", patch, code=DONE)
    out = tmp_path / "out.fsdb"
    for first, last in ((0, 6), (0, 2), (rng.randrange(3), rng.randrange(4, 7)), (5, 6)):
        command("patch", steps[first], *patches[first:last], "-o", out, "--quiet", "--allow-empty", code=DONE)
        assert out.read_bytes() == steps[last].read_bytes(), models[first : last + 1]
    if count < 600:
        made = steps[0].read_bytes()
        for patch in patches:
            made = apply(patch.read_bytes(), made)
        command("patch", steps[0], *patches, out, "--quiet", "--allow-empty", code=DONE)
        assert out.read_bytes() == made


def test_several_patches_make_no_file_in_between_and_a_fault_in_one_of_them_none_at_all(command, tmp_path, rng):
    mapping = mapping_of(50)
    files, patches = [], []
    for number in range(5):
        files.append(command.build(tmp_path / f"{number}.fsdb", [(value, [key]) for key, value in mapping.items()]))
        mapping = changed(mapping, rng, 20)
    for number, (old, new) in enumerate(zip(files, files[1:])):
        patches.append(tmp_path / f"p{number}")
        command("diff", old, new, "-o", patches[-1], code=DONE)
    place = tmp_path / "in"
    place.mkdir()
    result = traced(command, ["patch", str(files[0]), *map(str, patches), "-o", str(place / "out")], place)
    assert result.code == DONE and contents(place) == {"out": files[4].read_bytes()}
    whole = patches[2].read_bytes()
    place = rng.randrange(120, len(whole))
    for words, code, named, what in (
        ((0, 1, 3), BAD_DATA, (3, 3, 3), "in the order in which they were made"),
        ((1, 2, 3), BAD_DATA, (1, 1, 3), "belongs to a file of"),
        ((0, 1, 2, 3), BAD_DATA, (2, 3, 4), "checksum"),
    ):
        if len(words) == 4:
            patches[2].write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        (tmp_path / "out").write_bytes(b"FSDB as it was")
        before = sorted(path.name for path in tmp_path.iterdir())
        words = [patches[number] for number in words]
        message = command("patch", files[0], *words, "-o", tmp_path / "out", "--allow-empty", code=code).errors
        assert message.startswith(f"fusedb: {patches[named[0]]}: ") and what in message
        assert f"(patch {named[1]} of {named[2]})" in message
        assert (tmp_path / "out").read_bytes() == b"FSDB as it was"
        assert sorted(path.name for path in tmp_path.iterdir()) == before


# --- diff beside dictionaries ---


@pytest.mark.parametrize("changes", [0, 1, 30])
def test_diff_is_that_of_two_dictionaries(command, wheel, tmp_path, rng, changes):
    mapping = mapping_of(300) | {b"\xff\x01": b"\x01", b"": b"\x02", b"a\\b\n": b"\x03"}
    later = changed(mapping, rng, changes)
    old = command.build(tmp_path / "old.fsdb", calls_of(mapping, rng))
    new = wheel.write(tmp_path / "new.fsdb", calls_of(later, rng))
    expected = []
    for key in sorted(mapping.keys() | later.keys()):
        if mapping.get(key) != later.get(key):
            expected.append((key, "added" if key not in mapping else "removed" if key not in later else "changed"))
    code = NO if expected else DONE
    listing = command("diff", old, new, "--json", code=code).lines
    assert [(json.loads(row)["key"], json.loads(row)["change"]) for row in listing] == [
        (json.loads(spell_key(key)), change) for key, change in expected
    ]
    # The same objects as text as `get` prints.
    for member, path in (("old", old), ("new", new)):
        found = command("get", path, "--json", "--", *(key for key, _ in expected)).lines if expected else []
        for row, answer in zip(map(json.loads, listing), map(json.loads, found), strict=True):
            assert row.get(member, "absent") == (answer["value"] if answer["found"] else "absent")
    signs = {"added": b"+ ", "removed": b"- ", "changed": b"~ "}
    text = command("diff", old, new, code=code).lines
    assert [row[:2] for row in text] == [signs[change] for _, change in expected]
    counts = command("diff", old, new, "--summary", "--json", code=code).json
    assert counts == {
        **{name: sum(change == name for _, change in expected) for name in ("added", "removed", "changed")},
        "unchanged": len(mapping.keys() | later.keys()) - len(expected),
    }


# --- refusals ---


@pytest.fixture
def pair(command, tmp_path):
    """(old, new, patch): small files with blocks, as paths."""
    old = command.build(tmp_path / "old.fsdb", [(b"\x01", [b"a", b"c"]), (b"\x93\x02\x03\x04", [b"e"])])
    new = command.build(tmp_path / "new.fsdb", [(b"\x01", [b"a"]), (b"\x93\x02\x05\x04", [b"d", b"e"])])
    command("diff", old, new, "--patch", tmp_path / "p", code=DONE)
    return old, new, tmp_path / "p"


def refused(command, old, patch, out, code=BAD_DATA):
    out.write_bytes(b"FSDB as it was")
    result = command("patch", old, patch, out, "--allow-empty", code=code)
    assert out.read_bytes() == b"FSDB as it was"
    assert result.errors.startswith("fusedb: ")
    return result.errors


def test_a_damaged_patch_leaves_the_output_alone(command, tmp_path, pair, rng):
    old, _, patch = pair
    whole = patch.read_bytes()
    for place in rng.sample(range(len(whole)), 40):
        patch.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
        assert str(patch) in refused(command, old, patch, tmp_path / "out")
    for size in [0, 1, 39, 40, 119, 120, len(whole) - 1]:
        patch.write_bytes(whole[:size])
        assert str(patch) in refused(command, old, patch, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.fsdb", "old.fsdb", "out", "p"]


def test_a_patch_of_another_file_names_both_checksums(command, tmp_path, pair):
    old, new, patch = pair
    message = refused(command, new, patch, tmp_path / "out")
    for path in (old, new):
        assert f"0x{path.read_bytes()[32:36].hex()}" in message
    assert "is what the patch makes" in message


def test_a_damaged_old_file_is_refused(command, tmp_path, pair):
    old, _, patch = pair
    whole = old.read_bytes()
    for place in range(8, len(whole), 5):
        old.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        refused(command, old, patch, tmp_path / "out")


def test_missing_files_and_folders(command, tmp_path, pair):
    old, _, patch = pair
    refused(command, tmp_path / "missing", patch, tmp_path / "out", code=NO_INPUT)
    refused(command, old, tmp_path / "missing", tmp_path / "out", code=NO_INPUT)
    command("patch", old, patch, tmp_path / "missing" / "out", code=IO_FAILURE)
    command("patch", old, patch, tmp_path, code=USAGE)


def test_bodies_with_right_checksums_are_taken_here_as_by_the_model(command, tmp_path, rng):
    old = bytes(insertion([(b"\x01", [b"a", b"c"]), (b"\x93\x02\x03\x04", [b"e"]), (b"\x93\x02\x03\x05", [b"f", b"b"])]))
    new = bytes(insertion([(b"\x93\x02\x03\x07", [b"e"]), (b"\x01", [b"a", b"c", b"d"]), (b"\x07", [b"f", b"x"])]))
    (tmp_path / "old").write_bytes(old)
    (tmp_path / "new").write_bytes(new)
    patch, out = tmp_path / "p", tmp_path / "out"
    command("diff", tmp_path / "old", tmp_path / "new", "--patch", patch, code=DONE)
    body = model_patch.unsqueeze(patch.read_bytes()[120:])
    taken = 0
    for _ in range(150):
        other = bytearray(body)
        place = rng.randrange(len(body))
        match rng.randrange(3):
            case 0:
                other[place] ^= 1 << rng.randrange(8)
            case 1:
                del other[place]
            case _:
                # A move there and back, a key left out and so on: some of these make the same file.
                other[place:place] = rng.choice([b"\x0b", b"\x07", b"\x04", b"\x05", b"\x01", b"\x80"])
        data = pack(old, new, bytes(other))
        try:
            assert apply(data, old) == new
            expected = DONE
        except PatchError:
            expected = BAD_DATA
        taken += expected == DONE
        patch.write_bytes(data)
        if expected == BAD_DATA:
            refused(command, tmp_path / "old", patch, out)
        else:
            command("patch", tmp_path / "old", patch, out, "--allow-empty", code=DONE)
            assert out.read_bytes() == new
    print(f"{taken} of 150 bodies were another way to say the same")


def forgeries(old, new, frame):
    """Heads and frames that are not right, with right checksums: (what, patch)."""
    lengths, headers = (len(old), len(new)), old[:40] + new[:40]
    yield "another magic", seal(*lengths, headers + frame, magic=b"FSDPAX")
    yield "version 2", seal(*lengths, headers + frame, version=2)
    yield "two frames", seal(*lengths, headers + frame + frame)
    yield "a byte after the frame", seal(*lengths, headers + frame + b"\x00")
    yield "a skippable frame first", seal(*lengths, headers + bytes.fromhex("502a4d1800000000") + frame)
    yield "no frame", seal(*lengths, headers)
    yield "half a frame", seal(*lengths, headers + frame[: len(frame) // 2])
    yield "no header", seal(*lengths, headers)[:119]
    yield "the old length", seal(len(old) + 1, len(new), headers + frame)
    yield "the new length, one more", seal(len(old), len(new) + 1, headers + frame)
    yield "the new length, none", seal(len(old), 0, headers + frame)
    yield "the new length, 2^63", seal(len(old), 1 << 63, headers + frame)
    yield "the old length, 2^64 - 1", seal((1 << 64) - 1, len(new), headers + frame)
    for offset, number in ((40, 0), (44, 3), (64, 41), (48, 0xFF), (52, 0xFF), (56, 0xFF), (72, 0xFF)):
        for end in (0, 40):
            changed = bytearray(headers)
            changed[offset - 40 + end] = number
            yield f"byte {offset + end} of the headers", seal(*lengths, bytes(changed) + frame)


def test_forged_heads_and_frames_are_refused(command, tmp_path, pair):
    old, new, patch = pair
    frame = patch.read_bytes()[120:]
    for what, data in forgeries(old.read_bytes(), new.read_bytes(), frame):
        patch.write_bytes(data)
        assert refused(command, old, patch, tmp_path / "out"), what


def test_a_small_patch_cannot_make_a_giant_file_unless_that_is_allowed(command, tmp_path, pair):
    old, new, patch = pair
    size, whole = len(new.read_bytes()), patch.read_bytes()
    command("patch", old, patch, tmp_path / "out", "--max-size", size - 1, code=BAD_DATA)
    assert not (tmp_path / "out").exists()
    command("patch", old, patch, tmp_path / "out", "--max-size", size, code=DONE)
    assert (tmp_path / "out").read_bytes() == new.read_bytes()
    command("patch", old, patch, tmp_path / "out", "--max-size", "much", code=USAGE)
    # By default: four times the old file and 64 times the patch, plus 256 MiB.
    most = 4 * len(old.read_bytes()) + 64 * len(whole) + (256 << 20)
    for length in (most + 1, 1 << 40, (1 << 63) - 1):
        patch.write_bytes(seal(len(old.read_bytes()), length, whole[40:]))
        message = refused(command, old, patch, tmp_path / "out")
        assert f"makes a file of {length} bytes, and {most} are allowed" in message and "--max-size" in message


def test_a_patch_whose_file_has_no_room_is_refused_before_anything_is_written(command, tmp_path, pair):
    """A patch that announces more than any disk has."""
    old, _, patch = pair
    place = tmp_path / "in"
    place.mkdir()
    length = 1 << 60
    patch.write_bytes(seal(len(old.read_bytes()), length, patch.read_bytes()[40:]))
    words = ["patch", old, patch, "-o", place / "out", "--allow-empty", "--max-size", length]
    for before in (None, old.read_bytes()):
        if before:
            (place / "out").write_bytes(before)
        result = traced(command, list(map(str, words)), place)
        assert result.code == IO_FAILURE, result
        assert f"will have {length} bytes" in result.err and "has room for" in result.err and str(place) in result.err
        assert not any(call.name.startswith(("pwrite", "fallocate", "ftruncate")) for call in result.calls)
        assert contents(place) == ({"out": before} if before else {})


def test_a_small_file_system_takes_a_patched_file_or_stays_as_it_was(command, tmp_path):
    """One of 1 MiB, and of 4 MiB; in a mount namespace of its own, so that nothing stays mounted."""
    old = command.build(tmp_path / "old.fsdb", [(b"\x01", [b"a"])])
    new = command.build(tmp_path / "new.fsdb", [(packb("x" * (2 << 20)), [b"a"])])
    command("diff", old, new, "-o", tmp_path / "p")
    place = tmp_path / "in"
    place.mkdir()
    script = """mount -t tmpfs -o size=$1 none "$2" && cd "$2" && cp "$4" out || exit 99
        "$3" patch out "$5" -o out; code=$?; ls -A >&2; cmp -s out "$6" && echo new; cmp -s out "$4" && echo old; exit $code"""
    for size, code, what in (("1m", IO_FAILURE, "old"), ("4m", DONE, "new")):
        words = ["sh", "-c", script, "sh", size, place, command.path, old, tmp_path / "p", new]
        words = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), *words]
        result = subprocess.run(words, env=command.environment, capture_output=True, text=True, timeout=60)
        assert (result.returncode, result.stdout) == (code, f"{what}\n"), result
        assert result.stderr.endswith("\nout\n") and result.stderr.count("\nout") == 1, result
        sentence = f"will have {len(new.read_bytes())} bytes, and the file system of"
        assert (sentence in result.stderr) == (code != DONE), result
    assert contents(place) == {}


def test_a_wide_window_is_refused_and_nothing_is_unpacked_for_nothing(command, tmp_path, pair):
    """A frame that asks for a window of 2 GiB, and 64 MiB of zeros after what is needed."""
    old, new, patch = pair
    lengths, headers = (len(old.read_bytes()), len(new.read_bytes())), old.read_bytes()[:40] + new.read_bytes()[:40]
    body = model_patch.unsqueeze(patch.read_bytes()[120:])
    # Magic, a descriptor without a length, a window of 2^31, one raw block.
    block = (len(body) << 3 | 1).to_bytes(3, "little")
    wide = bytes.fromhex("28b52ffd00") + bytes([(31 - 10) << 3]) + block + body
    patch.write_bytes(seal(*lengths, headers + wide))
    assert "cannot be unpacked" in refused(command, old, patch, tmp_path / "out")
    narrow = bytes.fromhex("28b52ffd00") + bytes([(23 - 10) << 3]) + block + body
    patch.write_bytes(seal(*lengths, headers + narrow))
    command("patch", old, patch, tmp_path / "out", "--allow-empty", code=DONE)
    assert (tmp_path / "out").read_bytes() == new.read_bytes()
    patch.write_bytes(seal(*lengths, headers + squeeze(body + bytes(1 << 26))))
    assert "goes on after its end" in refused(command, old, patch, tmp_path / "out")


# --- size ---


def test_a_patch_of_objects_that_grew_is_as_small_as_promised(command, tmp_path, rng):
    """The promise is 60 kB for 500 objects of a file of 1,000,000 keys. A patch grows with what changed, 120 bytes an object, and
    not with the file: so 50 objects of 100,000 keys may take 6 kB."""
    objects = [{"id": n, "text": "".join(rng.choices("abcdefgh", k=80)), "tags": ["x", "y"]} for n in range(10_000)]
    keys = [b"host-%d-%d.example" % (n, rng.randrange(10**6)) for n in range(100_000)]

    def build(name):
        lines = b"".join(line(keys[n::10_000], packb(value)) for n, value in enumerate(objects))
        command("build", tmp_path / name, "-", "--quiet", stdin=lines, code=DONE)

    build("old.fsdb")
    for number in rng.sample(range(10_000), 50):
        objects[number]["text"] += "!"
    build("new.fsdb")
    old, new, patch = tmp_path / "old.fsdb", tmp_path / "new.fsdb", tmp_path / "p"
    report = command("diff", old, new, "--patch", patch, "--json", code=DONE).json
    assert (report["changed"], report["editedObjects"], report["newObjects"]) == (500, 50, 0)
    assert len(patch.read_bytes()) <= 50 * 120
    command("patch", old, patch, old, code=DONE)
    assert old.read_bytes() == new.read_bytes()


def test_the_same_files_have_the_same_patch_and_a_patch_to_itself_is_nearly_nothing(command, tmp_path, pair):
    old, new, patch = pair
    before = patch.read_bytes()
    command("diff", old, new, "--patch", patch, code=DONE)
    assert patch.read_bytes() == before
    assert command("diff", old, old, "--patch", patch, code=DONE).out.startswith(b"0 keys added")
    assert len(patch.read_bytes()) < 150
    assert apply(patch.read_bytes(), old.read_bytes()) == old.read_bytes()


def test_a_block_of_another_builder_is_carried(command, tmp_path):
    plain = canonical(mapping_of(40))
    old, new = tmp_path / "old.fsdb", tmp_path / "new.fsdb"
    old.write_bytes(bytes(plain))
    new.write_bytes(bytes(with_block(plain, slots_per_line=5)))
    result = command("diff", old, new, "--patch", tmp_path / "p", code=DONE)
    assert re.search("give the same answers, and their bytes differ", result.errors)
    command("patch", old, tmp_path / "p", tmp_path / "out", "--allow-empty", code=DONE)
    assert (tmp_path / "out").read_bytes() == new.read_bytes()
    assert apply((tmp_path / "p").read_bytes(), bytes(plain)) == new.read_bytes()

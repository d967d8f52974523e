"""Compact files of networks alone, whose keys stand in NETW: beside version 2, the reference reader and a plain list. See spec/compact.md §15."""

import ipaddress
import json
import re
import struct
import subprocess

import msgpack
import pytest

from conftest import BAD_DATA, DONE, ROOT
from test_compact import Damaged, compact
from test_compact_reader import TOOL, sealed, tool

import reader as family  # noqa: E402

PAGE = (ROOT / "spec" / "compact.md").read_text()
EXAMPLE = {b"10.0.0.0/8": b"\x01", b"10.0.0.0/16": b"\x02", b"100.64.0.0/10": b"\x01", b"2001:db8::/32": b"\x02"}
MIXED = [
    "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/15", "2001:db8::/32", "2001:db8::/48", "::1", "192.168.7.9", "1.2.3.4", "0.0.0.0/0",
    "100.64.0.0/10", "100.64.0.0/11", "100.96.0.0/11", "::/0", "2001:db8::/65", "2001:db8:0:0:8000::/65", "255.255.255.255", "ffff::/128",
]


def canonical(text):
    block = ipaddress.ip_network(text)
    return str(block) if "/" in text else str(block.network_address)


def networks(chance, count):
    """Blocks of both families, of any length, with halves that hide some."""
    four = chance.choice([[0, 8, 16, 24, 32], [32], list(range(33)), [24, 25, 26]])
    six = chance.choice([list(range(129)), [0, 32, 48, 64, 96, 128], [64, 65, 128]])
    share, bits = chance.choice([0, 0.1, 0.5, 1]), chance.choice([4, 8, 16, 24])
    found = set()
    for _ in range(count):
        size, lengths, starts = (128, six, [0x20010DB8 << 96, 0x2A02 << 112, 0, 0xFE80 << 112]) if chance.random() < share else (32, four, [0x0A000000, 0xC0A80000, 0, 0xFFFF0000])
        length = chance.choice(lengths)
        address = (chance.choice(starts) | chance.getrandbits(bits) << (chance.choice([0, 48, 64, 80]) if size == 128 else 0)) % 2**size
        block = (ipaddress.IPv6Network if size == 128 else ipaddress.IPv4Network)((address >> size - length << size - length, length))
        if size == 128 and length >= 96 and int(block[0]) >> 32 == 0xFFFF:
            continue
        found.add(block)
        if chance.random() < 0.2 and length < size:
            found.update(block.subnets(1))
    without = {4: chance.random() < 0.5, 6: chance.random() < 0.5}
    return [str(block[0]) if block.prefixlen == block.max_prefixlen and without[block.version] else str(block) for block in found]


def calls(entries):
    by_object = {}
    for key, data in entries.items():
        by_object.setdefault(data, []).append(key if isinstance(key, bytes) else key.encode())
    return [(data, keys) for data, keys in by_object.items()]


def sections(path):
    return compact.Reader(path.read_bytes()).sections


@pytest.fixture
def pair(command, tmp_path):
    """The same entries in version 2 and as networks alone."""

    def make(keys, *options, objects=7):
        entries = {key.encode(): msgpack.packb({"name": f"object {number % objects}", "n": number % objects}) for number, key in enumerate(keys)}
        paths = []
        for name, form in (("two", []), ("three", ["--compact"])):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "x.fsdb").unlink(missing_ok=True)
            paths.append(command.build(tmp_path / name / "x.fsdb", calls(entries), "--network", *form, *options))
        return entries, *paths

    return make


def listing():
    text = PAGE.split("## 15. Networks alone")[1].split("```\n")[1]
    out = b""
    for offset, count, row in re.findall(r"^ *(\d*)  (?:(\d+) × )?([0-9a-f]{2}(?: [0-9a-f]{2})*)(?:  |$)", text, re.MULTILINE):
        assert not offset or int(offset) == len(out), offset
        out += bytes.fromhex(row) * int(count or 1)
    return out


def test_the_worked_example(command, tmp_path):
    """[CN2] [CN3] [CN4]"""
    path = command.build(tmp_path / "x.fsdb", calls(EXAMPLE), "--network", "--compact")
    assert path.read_bytes() == listing()


@pytest.mark.parametrize("count", [1, 2, 5, 40, 300, 2000])
def test_answers_are_those_of_version_2(command, rng, pair, count):
    """[CN1] [CN2] [CN6] [CN7] [CN8]"""
    keys = networks(rng, count) or ["10.0.0.0/8"]
    entries, two, three = pair(keys, objects=rng.choice([1, 3, 1000]))
    assert b"SHOW" in sections(three) and b"HASH" not in sections(three) and b"NETW" in sections(three)
    assert tool("verify", three)[0].startswith(f"sound {len(entries)} ")
    command("verify", three, code=DONE)

    def same(*words, stdin=b""):
        theirs, ours = (command(*words, stdin=stdin, cwd=path.parent) for path in (two, three))
        assert (ours.code, ours.out, ours.err) == (theirs.code, theirs.out, theirs.err), words
        return ours

    assert same("keys", "x.fsdb").lines == sorted(entries)
    for option in ([], ["--reverse"], ["--limit", "3"], ["--prefix", "1"], ["--sample", "4", "--seed", "7"]):
        same("dump", "x.fsdb", *option)
    for prefix in [key[: rng.randrange(1, 12)] for key in rng.sample(keys, min(6, len(keys)))] + ["", "10.1", "2001:db8:", "1", "2", "::", "f", "0", ":", "10.", "9"]:
        for option in ([], ["--reverse"], ["--limit", "2"], ["--count"]):
            same("prefix", "x.fsdb", *option, "--", prefix)
        same("dump", "x.fsdb", "--from", prefix)
        same("keys", "x.fsdb", "--to", prefix, "--reverse")
    asked = []
    for key in keys[:500]:
        first = key.split("/")[0]
        asked += [key, first, *(f"{first}/{length}" for length in (0, 8, 31, 32, 127, 128))]
    asked += ["nothing", "", "1.2.3", "10.0.0.0/08", "10.0.0.1/8", "::FFFF"]
    for rule in ("exact", "network"):
        same("get", "x.fsdb", "--keys-from", "-", "--json", "--match", rule, stdin="\n".join(asked).encode())
    for words in ([], ["10.0.0.0/8"], ["::/0"], ["--containing", "10.1.2.3"]):
        same("networks", "x.fsdb", *words)
    reader, plain = family.Reader(three.read_bytes()), family.Reader(two.read_bytes())
    assert list(reader.scan()) == list(plain.scan()) == sorted(entries.items())
    for text in asked[:300]:
        assert reader.get(text.encode()) == entries.get(text.encode()), text
    blocks = [(ipaddress.ip_network(key), entries[key.encode()]) for key in keys]
    for block, _ in rng.sample(blocks, min(30, len(blocks))):
        address = block[0] + rng.randrange(block.num_addresses)
        longest = max((each for each in blocks if address in each[0]), key=lambda each: each[0].prefixlen)
        assert reader.match(str(address)) == (str(longest[0]), longest[1])


def test_by_number(pair):
    """[CN4] [CN7]"""
    entries, two, three = pair(MIXED)
    keys = sorted(entries)
    for first in [*keys, *(key[:-1] for key in keys), b"", b"zz"]:
        assert [bytes.fromhex(line.split()[0]) for line in tool("scan", three, "--from", first.hex() or "00")] == [key for key in keys if key >= (first or b"\0")]
        assert [bytes.fromhex(line.split()[0]) for line in tool("scan", three, "--reverse", "--from", first.hex() or "00")] == [key for key in reversed(keys) if key <= (first or b"\0")]
    for prefix in (b"1", b"10", b"10.", b"10.0.0.0/", b"2001:", b":", b"2"):
        assert [bytes.fromhex(line.split()[0]) for line in tool("scan", three, "--prefix", prefix.hex(), "--reverse")] == [key for key in reversed(keys) if key.startswith(prefix)]


@pytest.mark.parametrize("others", [["literal"], ["10.0.0.1/32", "10.0.0.2"], ["10.0.0.9", "10.0.0.9/32"], ["::5", "::5/128"]])
def test_files_that_are_as_before(command, tmp_path, others):
    """[CN1]"""
    path = command.build(tmp_path / "x.fsdb", calls(dict.fromkeys(["10.0.0.0/8", *others], b"\x01")), "--network", "--compact")
    assert b"HASH" in sections(path) and b"SHOW" not in sections(path) and b"NETW" in sections(path)
    command("verify", path, code=DONE)
    path = command.build(tmp_path / "y.fsdb", calls(dict.fromkeys(MIXED, b"\x01")), "--no-network", "--compact") if "--no-network" in command("help", "build").text else None
    assert path is None or b"HASH" in sections(path)


def test_each_flipped_bit_is_seen_or_changes_no_answer(pair):
    """[CN5] [CN6] [CN8]"""
    _, _, three = pair(MIXED[:6] + ["::1", "1.2.3.4"], objects=2)
    last = tool("flip", three)[-1].split()
    assert last[0] == "flips" and last[4:] == ["wrong", "0", "unnamed", "0"], last
    count = three.stat().st_size - 1
    assert tool("cut", three)[-1] == f"cuts {count} refused {count}"


def test_random_changes_under_right_checks_do_no_harm(rng, pair):
    """[CN6] [CN7]: lines that lead back, counts and bases of anything"""
    _, _, three = pair(MIXED)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 4000000; exec "$@"', "bash", TOOL, "mutate", str(three), "1500", str(rng.randrange(2**60))], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    words = done.stdout.splitlines()[-1].split()
    assert words[:2] == ["mutations", "1500"] and int(words[3]) > 500, words


def test_what_is_wrong_is_refused_or_named(tmp_path, pair):
    """[CN5] [CN8]"""
    _, _, three = pair(MIXED)
    data = three.read_bytes()
    show = compact.Reader(data).sections[b"SHOW"]
    section = bytearray(data[show[0] : sum(show)])

    def changed(at, value, *, line=False):
        copy = bytearray(section)
        copy[at] = value
        copy[60:64] = compact.crc(bytes(copy[:60]))
        copy[124:128] = compact.crc(bytes(4), bytes(copy[64:124]))
        return bytes(copy)

    path = tmp_path / "damaged.fsdb"
    for wrong in (bytes(section[:64]), b"", changed(4, 2), changed(0, 1), bytes(section) + bytes(64)):
        path.write_bytes(sealed(data, {b"SHOW": wrong}))
        assert "error corrupted" in tool("get", path, code=1)[0], wrong[:8]
        with pytest.raises(Damaged):
            compact.Reader(path.read_bytes())
    for wrong in (changed(3, section[3] - 1), changed(5, 1), changed(67, 1), changed(100, 1)):
        path.write_bytes(sealed(data, {b"SHOW": wrong}))
        assert not tool("verify", path)[0].startswith("sound")


def test_merge_diff_patch_reindex_and_convert(command, tmp_path, rng, pair):
    """Through what reads in order, or expands."""
    entries, two, three = pair(networks(rng, 200) + ["10.0.0.0/8"])
    back = tmp_path / "back.fsdb"
    command("convert", three, back, "--family", code=DONE)
    assert back.read_bytes() == two.read_bytes()
    again = tmp_path / "again.fsdb"
    command("convert", back, again, "--compact", code=DONE)
    assert again.read_bytes() == three.read_bytes()
    command("reindex", three, "-o", again, "--meta", "source=x", code=DONE)
    assert b"SHOW" in sections(again) and list(family.Reader(again.read_bytes()).scan()) == sorted(entries.items())
    other = command.build(tmp_path / "other.fsdb", calls(dict.fromkeys(["10.0.0.0/8", "9.0.0.0/8", "2001:db8:5::/48", "10.0.0.0/30"], b"\x05")), "--network", "--compact")
    assert b"SHOW" in sections(other)
    merged = tmp_path / "merged.fsdb"
    command("merge", three, other, "-o", merged, "--compact", code=DONE)
    wanted = entries | {key: b"\x05" for key in (b"10.0.0.0/8", b"9.0.0.0/8", b"2001:db8:5::/48", b"10.0.0.0/30")}
    assert list(family.Reader(merged.read_bytes()).scan()) == sorted(wanted.items())
    assert command("diff", three, merged).lines
    patch, out = tmp_path / "patch", tmp_path / "out.fsdb"
    command("diff", three, merged, "--patch", patch, code=DONE)
    command("patch", three, patch, out, code=DONE)
    assert out.read_bytes() == merged.read_bytes()
    command("patch", merged, patch, tmp_path / "none.fsdb", code=BAD_DATA)
    stats = json.loads(command("stats", three, "--json", code=DONE).text)
    assert stats["keys"] == len(entries)

"""MaxMind DB files in and out. PyPI's maxminddb reads them, too: its extension, which is libmaxminddb, is the judge.

Files are made by mmdb.py, which is apart from what is tested. See spec/mmdb.md.
"""

import contextlib
import gzip
import ipaddress
import json
import os
import random
import re
import socket
import struct
import subprocess
import time
import urllib.request

import delivery
import maxminddb
import mmdb
import msgpack
import pytest
from mmdb import Typed

from conftest import BAD_DATA, DONE, NO, NO_INPUT, ROOT, USAGE

STANDARD = ["::ffff:0:0/96", "2002::/16", "2001::/32"]
NETWORKS = {
    "1.0.0.0/24": {"n": 1, "names": {"en": "One", "de": "Eins"}},
    "1.0.1.0/25": {"n": 2, "names": {"en": "Two", "de": "Zwei"}},
    "8.8.8.8/32": {"n": 3, "deep": {"names": {"en": "x", "fr": "y"}, "names2": [1]}},
    "128.0.0.0/1": {"n": 1, "names": {"en": "One", "de": "Eins"}},
    "2a00::/17": {"n": 4, "city": {"geoname_id": 77, "names": {"de": "Ort"}}},
    "2a00:8000::/128": {"n": 5},
    "fe80::/10": "text",
}
KINDS = {
    "text": "ä\0", "long": "x" * 300, "longer": "y" * 70_000, "double": 1.5, "bytes": b"\xff\0", "uint16": Typed("uint16", 65535),
    "zero": Typed("uint16", 0), "uint32": Typed("uint32", 1 << 31), "uint64": Typed("uint64", (1 << 64) - 1), "small64": Typed("uint64", 5),
    "uint128": Typed("uint128", 1 << 127), "small128": Typed("uint128", 7), "int32": Typed("int32", -5), "least": Typed("int32", -(1 << 31)),
    "positive": Typed("int32", 5), "true": True, "false": False, "float": Typed("float", 0.1), "array": [1, ["a", {}], []], "empty": {},
}  # fmt: skip


def answers(command, path, addresses):
    """What the command answers for addresses: the network and the value of each."""
    listed = command(
        "get", path, "--match", "network", "--keys-from", "-", "--json",
        stdin="".join(f"{address}\n" for address in addresses).encode(), timeout=900,
    )
    assert listed.code in (DONE, NO)
    found = [json.loads(line) for line in listed.lines]
    return [(answer["match"], answer["value"]) if answer["found"] else None for answer in found]


def judged(path, addresses):
    """The same of libmaxminddb: the value and the prefix length of each."""
    with maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT) as reader:
        return [reader.get_with_prefix_len(address) for address in addresses]


def edges(networks, version=6, seed=5):
    """Addresses at the edges of networks and in them, and others."""
    chance = random.Random(seed)
    asked = []
    for network in map(ipaddress.ip_network, networks):
        first, last = int(network.network_address), int(network.broadcast_address)
        for number in (first - 1, first, chance.randint(first, last), last, last + 1):
            if 0 <= number < 1 << network.max_prefixlen:
                asked.append(str(type(network.network_address)(number)))
    for _ in range(100):
        asked.append(str(ipaddress.IPv4Address(chance.getrandbits(32))))
        if version == 6:
            asked.append(str(ipaddress.IPv6Address(chance.getrandbits(128))))
    return [a for a in asked if version == 6 or ":" not in a]


def assert_equal(command, ours, theirs, addresses):
    """Both have the same value for each address, and the same network but where a tree splits one, or an alias leads to it."""
    found = 0
    for address, our, (value, length) in zip(addresses, answers(command, ours, addresses), judged(theirs, addresses)):
        assert (our and our[1]) == value, address
        found += our is not None
        if our and (":" in address) == (":" in our[0]):
            assert int(our[0].split("/")[1]) == length, address
    return found


def build(command, tmp_path, data, *options, name="x.mmdb", code=DONE):
    (tmp_path / name).write_bytes(data)
    return command("build", "-o", tmp_path / "x.fsdb", tmp_path / name, *options, code=code)


def dumped(command, path):
    """Each key of a file and its value."""
    out = command("dump", path, "--format", "msgpack", code=DONE).out
    records = msgpack.Unpacker(raw=False, strict_map_key=False)
    records.feed(out)
    return {key: value for keys, value in records for key in keys}


@pytest.mark.parametrize("bits", [24, 28, 32])
@pytest.mark.parametrize("form", [[], ["--family"], ["--compact=fast"]])
def test_a_file_has_the_answers_of_libmaxminddb_and_so_has_what_is_exported_of_it(command, tmp_path, bits, form):
    data = mmdb.write(NETWORKS, bits, aliases=STANDARD)
    report = build(command, tmp_path, data, *form, "--json").json
    assert report["keys"] == report["networks"] == len(NETWORKS) and report["objects"] == len(NETWORKS) - 1
    asked = edges(NETWORKS) + ["2002:101:101::1", "2001:0:101:1::", "::1.0.0.1", "::ffff:1.0.0.1", "2002:800:801::"]
    assert assert_equal(command, tmp_path / "x.fsdb", tmp_path / "x.mmdb", asked) > 20
    command("verify", tmp_path / "x.fsdb", code=DONE)
    command("export", tmp_path / "x.fsdb", tmp_path / "y.mmdb", code=DONE)
    assert judged(tmp_path / "x.mmdb", asked) == judged(tmp_path / "y.mmdb", asked)
    with maxminddb.open_database(tmp_path / "y.mmdb", maxminddb.MODE_FILE) as reader:
        assert [reader.get_with_prefix_len(a) for a in asked] == judged(tmp_path / "y.mmdb", asked)
        assert dict(reader) == {ipaddress.ip_network(k): v for k, v in NETWORKS.items()}
        said = reader.metadata()
    assert (said.database_type, said.description, said.languages) == ("Test", {"en": "A test"}, ["en", "de"])
    assert (said.build_epoch, said.ip_version, said.record_size) == (1700000000, 6, 24)
    # To and fro again: the same bytes.
    command("build", tmp_path / "z.fsdb", tmp_path / "y.mmdb", *form, code=DONE)
    command("export", tmp_path / "z.fsdb", tmp_path / "z.mmdb", code=DONE)
    assert (tmp_path / "y.mmdb").read_bytes() == (tmp_path / "z.mmdb").read_bytes()


@pytest.mark.parametrize("bits", [24, 28, 32])
def test_a_tree_of_ipv4_alone_stays_one(command, tmp_path, bits):
    networks = {k: v for k, v in NETWORKS.items() if ":" not in k}
    build(command, tmp_path, mmdb.write(networks, bits, version=4))
    asked = edges(networks, version=4)
    assert assert_equal(command, tmp_path / "x.fsdb", tmp_path / "x.mmdb", asked) > 10
    command("export", tmp_path / "x.fsdb", tmp_path / "y.mmdb", code=DONE)
    assert judged(tmp_path / "x.mmdb", asked) == judged(tmp_path / "y.mmdb", asked)
    with maxminddb.open_database(tmp_path / "y.mmdb") as reader:
        assert reader.metadata().ip_version == 4


def test_aliases_answer_as_they_do_in_the_tree_and_are_listed_nowhere(command, tmp_path):
    build(command, tmp_path, mmdb.write(NETWORKS, aliases=["64:ff9b::/96", "2002::/16"]))
    asked = ["64:ff9b::1.0.0.5", "2002:100:5::", "2001:0:100:5::"]
    assert_equal(command, tmp_path / "x.fsdb", tmp_path / "x.mmdb", asked)
    assert set(dumped(command, tmp_path / "x.fsdb")) == set(NETWORKS)
    refused = build(command, tmp_path, mmdb.write(NETWORKS, aliases=["64:ff9b::/96", "2002::/16", "2001::/32"]), code=BAD_DATA)
    assert "third block" in refused.errors


def test_aliases_stay_in_what_is_made_of_the_file(command, tmp_path):
    build(command, tmp_path, mmdb.write(NETWORKS, aliases=STANDARD))
    place = tmp_path / "x.fsdb"
    own = tmp_path / "own.fsdb"
    command("build", own, "-", stdin=b'{"keys":["7.0.0.0/8"],"value":7}\n', code=DONE)
    command("convert", place, tmp_path / "family.fsdb", "--family", code=DONE)
    command("reindex", place, "-o", tmp_path / "reindexed.fsdb", "--meta", "a=b", code=DONE)
    command("merge", tmp_path / "merged.fsdb", place, own, code=DONE)
    command("build", tmp_path / "collected.fsdb", tmp_path / "x.mmdb", "--on-duplicate", "collect", code=DONE)
    command("diff", own, place, "--patch", tmp_path / "patch", "--quiet")
    command("patch", own, tmp_path / "patch", "-o", tmp_path / "patched.fsdb", code=DONE)
    for name in ("x", "family", "reindexed", "merged", "collected", "patched"):
        (found,) = answers(command, tmp_path / f"{name}.fsdb", ["2002:100:5::1"])
        assert found[0] == "1.0.0.0/24", name
        command("verify", tmp_path / f"{name}.fsdb", code=DONE)
    assert (tmp_path / "patched.fsdb").read_bytes() == place.read_bytes()


def test_a_tree_without_aliases_has_none(command, tmp_path):
    networks = {**NETWORKS, "2002::/16": {"n": 9}}
    build(command, tmp_path, mmdb.write(networks))
    asked = [a for a in edges(networks) if "::ffff" not in a] + ["2002:100:5::"]
    assert assert_equal(command, tmp_path / "x.fsdb", tmp_path / "x.mmdb", asked) > 20


def test_a_block_around_all_ipv4_addresses_has_them(command, tmp_path):
    networks = {"::/64": {"n": 1}, "8000::/1": {"n": 2}}
    build(command, tmp_path, mmdb.write(networks))
    asked = ["1.2.3.4", "::5", "9000::", "::1:0:0:0:0"]
    assert_equal(command, tmp_path / "x.fsdb", tmp_path / "x.mmdb", asked)
    assert dumped(command, tmp_path / "x.fsdb").keys() == {"::/64", "8000::/1", "0.0.0.0/0"}


def test_every_type_comes_in_and_goes_out(command, tmp_path):
    build(command, tmp_path, mmdb.write({"1.0.0.0/8": KINDS}))
    held = dumped(command, tmp_path / "x.fsdb")["1.0.0.0/8"]
    assert list(held) == list(KINDS)
    assert held["uint128"] == msgpack.ExtType(77, (1 << 127).to_bytes(16, "big"))
    assert held["small128"] == msgpack.ExtType(77, (7).to_bytes(16, "big"))
    assert held["float"] == struct.unpack(">f", struct.pack(">f", 0.1))[0] and held["bytes"] == b"\xff\0"
    command("export", tmp_path / "x.fsdb", tmp_path / "y.mmdb", code=DONE)
    (before, _), (after, _) = judged(tmp_path / "x.mmdb", ["1.2.3.4"])[0], judged(tmp_path / "y.mmdb", ["1.2.3.4"])[0]
    assert before == after
    with maxminddb.open_database(tmp_path / "y.mmdb", maxminddb.MODE_FILE) as reader:
        assert reader.get("1.2.3.4") == before
    # Those of a float of 32 bits stay 32, and integers have the smallest of the unsigned types.
    data = (tmp_path / "y.mmdb").read_bytes()
    assert mmdb.encode(KINDS["float"]) in data and mmdb.encode("small64") + mmdb.encode(Typed("uint16", 5)) in data
    assert mmdb.encode("positive") in data and mmdb.encode(KINDS["least"]) in data


def table():
    """The worked examples of the page: a value in, as MessagePack, and written again."""
    for row in (ROOT / "spec" / "mmdb.md").read_text().split("## 7. Worked examples")[1].splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            ways_in = re.findall("`([^`]*)`", cells[0])
            packed = re.findall("`([^`]*)`", cells[2].replace("15 × `00`", "`" + "00 " * 15 + "`"))
            packed = [" ".join(packed)] if len(ways_in) == 1 else packed
            ways_out = re.findall("`([^`]*)`", cells[3]) or ways_in
            yield from zip(*(map(bytes.fromhex, way) for way in (ways_in, packed, ways_out)), strict=True)


def test_the_worked_examples_of_the_page(command, tmp_path):
    rows = list(table())
    assert len(rows) == 15
    for value, packed, again in rows:
        build(command, tmp_path, mmdb.write({"1.0.0.0/8": Typed("raw", value)}, version=4))
        assert command("get", tmp_path / "x.fsdb", "1.0.0.0/8", "--format", "msgpack", code=DONE).out == packed
        command("export", tmp_path / "x.fsdb", tmp_path / "y.mmdb", code=DONE)
        assert (tmp_path / "y.mmdb").read_bytes()[8 * 6 + 16 :].startswith(again + mmdb.MARKER)


def test_the_form_is_compact_unless_another_is_asked_for(command, tmp_path):
    data = mmdb.write(NETWORKS)
    for options, version in ([], 3), (["--family"], 2), (["--plain"], 2), (["--reverse-index"], 2), (["--compact=fast"], 3):
        build(command, tmp_path, data, *options)
        assert command("stats", tmp_path / "x.fsdb", "--json", code=DONE).json["version"] == version
    assert "version 2 writes out what values share" in build(command, tmp_path, data, "--family").errors
    assert "give one" in build(command, tmp_path, data, "--family", "--compact", code=USAGE).errors


def test_languages_keep_and_drop(command, tmp_path):
    data = mmdb.write(NETWORKS)
    build(command, tmp_path, data, "--languages", "de,fr")
    held = dumped(command, tmp_path / "x.fsdb")
    assert held["1.0.0.0/24"] == {"n": 1, "names": {"de": "Eins"}}
    assert held["8.8.8.8/32"] == {"n": 3, "deep": {"names": {"fr": "y"}, "names2": [1]}}
    build(command, tmp_path, data, "--languages", "en", "--keep", "names.en", "--keep", "city.geoname_id", "--keep", "deep.names2.0")
    assert dumped(command, tmp_path / "x.fsdb") == {
        "1.0.0.0/24": {"names": {"en": "One"}}, "1.0.1.0/25": {"names": {"en": "Two"}}, "8.8.8.8/32": {"deep": {"names2": [1]}},
        "128.0.0.0/1": {"names": {"en": "One"}}, "2a00::/17": {"city": {"geoname_id": 77}}, "2a00:8000::/128": {},
        "fe80::/10": "text",
    }  # fmt: skip
    build(command, tmp_path, data, "--drop", "deep.names", "--drop", "n", "--drop", "names")
    assert dumped(command, tmp_path / "x.fsdb")["8.8.8.8/32"] == {"deep": {"names2": [1]}}
    refused = build(command, tmp_path, data, "--keep", "nmaes", code=BAD_DATA)
    assert 'no record has the field "nmaes"' in refused.errors and "did you mean" in refused.errors
    command("build", tmp_path / "x.fsdb", "-", "--languages", "en", code=USAGE)
    command("build", tmp_path / "x.fsdb", tmp_path / "x.mmdb", "--languages", "en,", code=USAGE)


def test_keep_and_drop_choose_among_values_with_keys_beside_them_too(command, tmp_path):
    lines = b'{"keys":["a","b"],"value":{"x":{"y":1,"z":2},"w":3}}\n{"keys":["c"],"value":[1]}\n'
    command("build", tmp_path / "x.fsdb", "-", "--keep", "x.y", stdin=lines, code=DONE)
    assert dumped(command, tmp_path / "x.fsdb") == {"a": {"x": {"y": 1}}, "b": {"x": {"y": 1}}, "c": []}
    packed = msgpack.packb([["a"], {"x": {"y": 1, "z": 2}, "w": 3}])
    command("build", tmp_path / "x.fsdb", "--format", "msgpack", "-", "--drop", "x.y", stdin=packed, code=DONE)
    assert dumped(command, tmp_path / "x.fsdb") == {"a": {"x": {"z": 2}, "w": 3}}


def test_metadata_become_those_of_the_database_and_meta_says_otherwise(command, tmp_path):
    data = mmdb.write(NETWORKS, description={"en": "A", "de": "B"}, more="kept", number=5, deep={"left": "out"})
    build(command, tmp_path, data, "--meta", "mmdb.database_type=Mine", "--meta", "own=1", "--languages", "de")
    said = command("stats", tmp_path / "x.fsdb", "--json", code=DONE).json["meta"]
    assert said == {
        "mmdb.database_type": "Mine", "own": "1", "mmdb.description.en": "A", "mmdb.description.de": "B", "mmdb.more": "kept",
        "mmdb.number": "5", "mmdb.languages": "de", "mmdb.build_epoch": "1700000000", "mmdb.ip_version": "6",
        "built": "2023-11-14T22:13:20Z",
    }  # fmt: skip


def test_packed_files_and_other_names_are_read(command, tmp_path):
    data = mmdb.write(NETWORKS)
    build(command, tmp_path, gzip.compress(data), name="x.mmdb.gz")
    assert set(dumped(command, tmp_path / "x.fsdb")) == set(NETWORKS)
    (tmp_path / "data").write_bytes(data)
    command("build", tmp_path / "y.fsdb", f"mmdb:{tmp_path}/data", code=DONE)
    assert (tmp_path / "x.fsdb").read_bytes() == (tmp_path / "y.fsdb").read_bytes()


def test_a_database_of_ones_own_may_come_first(command, tmp_path):
    (tmp_path / "own.csv").write_text("network,n\n1.0.0.0/24,99\n7.0.0.0/8,1\n")
    (tmp_path / "x.mmdb").write_bytes(mmdb.write(NETWORKS))
    command(
        "build", tmp_path / "x.fsdb", tmp_path / "own.csv", tmp_path / "x.mmdb", "--key", "network", "--on-duplicate", "first",
        code=DONE,
    )
    held = dumped(command, tmp_path / "x.fsdb")
    assert held["1.0.0.0/24"] == {"n": "99"} and held["1.0.1.0/25"] == NETWORKS["1.0.1.0/25"] and held["7.0.0.0/8"] == {"n": "1"}


def chain(count, inner=mmdb.encode("x")):
    """Values nested so many deep: each is an array of one that stands before it."""
    values, last = inner, 0
    for _ in range(count):
        at = len(values)
        values += mmdb.head("array", 1) + mmdb.pointer(last)
        last = at
    return values, last


def bomb(levels):
    """A value that doubles with each level."""
    values, last = mmdb.encode("x" * 20), 0
    for _ in range(levels):
        at = len(values)
        values += mmdb.head("array", 2) + 2 * mmdb.pointer(last)
        last = at
    return values, last


def one(values, offset=0, **members):
    """A tree of IPv4 whose upper half has a value."""
    return mmdb.raw([(None, ("value", offset))], values, version=4, **members)


HOSTILE = {
    "a cycle in the tree": (mmdb.raw([(1, None), (0, None)], b"", version=4), "back to its own"),
    "a node by two ways": (mmdb.raw([(1, 1), (("value", 0), None)], mmdb.encode("x"), version=4), "that another block has"),
    "a tree too deep": (mmdb.raw([(i + 1, None) for i in range(40)] + [(None, None)], b"", version=4), "deeper than an address"),
    "a cycle to the left": (mmdb.raw([(0, None)], b"", version=6), "back to its own"),
    "a record between nodes and values": (mmdb.raw([(3, None)], mmdb.encode("x"), version=4), "leads out of the values"),
    "a record beyond the values": (one(mmdb.encode("x"), 2), "leads out of the values"),
    "a pointer to a pointer": (one(mmdb.pointer(2) + mmdb.pointer(4) + mmdb.encode("x")), "a pointer points at a pointer"),
    "a pointer to itself": (one(mmdb.pointer(0)), "a pointer points at a pointer"),
    "a map that holds itself": (one(mmdb.head("map", 1) + mmdb.encode("a") + mmdb.pointer(0)), "nested deeper than 128"),
    "a pointer beyond the values": (one(mmdb.pointer(100)), "a pointer leads out of the values"),
    "a text beyond the values": (one(mmdb.head("text", 9) + b"x"), "does not end within"),
    "a map of too many": (one(mmdb.head("map", 9) + mmdb.encode("x")), "more values than there is room for"),
    "an array of too many": (one(mmdb.head("array", 60000)), "more values than there is room for"),
    "a key that is no text": (one(mmdb.head("map", 1) + 2 * mmdb.encode(5)), "the name of a member is no text"),
    "a text that is not UTF-8": (one(mmdb.head("text", 1) + b"\xff"), "not UTF-8"),
    "a container": (one(mmdb.head("container", 0)), "stands in no file"),
    "an end marker": (one(mmdb.head("end", 0)), "stands in no file"),
    "a type that is none": (one(b"\x00\x20"), "there is no type 39"),
    "an extended type that is none": (one(b"\x00\x00"), "there is no type 7"),
    "a boolean of 2": (one(mmdb.head("bool", 2)), "neither 0 nor 1"),
    "a uint16 of 3 bytes": (one(mmdb.head("uint16", 3) + b"abc"), "its type 2 at most"),
    "a uint128 of 17 bytes": (one(mmdb.head("uint128", 17) + bytes(17)), "its type 16 at most"),
    "a double of 4 bytes": (one(mmdb.head("double", 4) + bytes(4)), "a float has 4 bytes"),
    "arrays 129 deep": (one(*chain(129)), "nested deeper than 128"),
    "a bomb": (one(*bomb(40)), "larger than"),
    "no marker": (b"x" * 3000, "no MaxMind DB"),
    "no bytes": (b"", "no MaxMind DB"),
    "a marker alone": (mmdb.MARKER, "outside of the values"),
    "too many nodes": (one(mmdb.encode("x"), node_count=1 << 31), "has not so many"),
    "records of 20 bits": (one(mmdb.encode("x"), record_size=Typed("uint16", 20)), "record_size 20"),
    "IP version 5": (one(mmdb.encode("x"), ip_version=Typed("uint16", 5)), "ip_version 5"),
    "version 3": (one(mmdb.encode("x"), binary_format_major_version=Typed("uint16", 3)), "version 3"),
    "no version": (one(mmdb.encode("x"), binary_format_major_version=None), "version none"),
    "mapped addresses of their own": (mmdb.write({"1.0.0.0/8": 1, "::ffff:2.0.0.0/104": 2}), "the same addresses"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_breaks_the_format_is_refused_with_a_sentence(command, tmp_path, case):
    data, reason = HOSTILE[case]
    refused = build(command, tmp_path, data, code=BAD_DATA)
    assert reason in refused.errors and "x.mmdb: " in refused.errors
    assert not (tmp_path / "x.fsdb").exists()


def test_an_error_names_the_network(command, tmp_path):
    refused = build(command, tmp_path, mmdb.write({"1.0.0.0/8": 5, "2a00::/12": Typed("raw", b"\x00\x20")}), code=BAD_DATA)
    assert "2a00::/12: there is no type 39" in refused.errors


def test_values_nested_as_deep_as_allowed_and_a_shared_part_are_read(command, tmp_path):
    build(command, tmp_path, one(*chain(128)))
    build(command, tmp_path, one(*bomb(8)))
    assert str(dumped(command, tmp_path / "x.fsdb")).count("x" * 20) == 256


def test_files_cut_short_and_flipped_do_no_harm(command, tmp_path):
    data = mmdb.write({"1.0.0.0/8": {"a": [1, 2.5, True], "b": "text"}, "2000::/4": {"a": [], "c": Typed("int32", -1)}}, version=6)
    # At every byte of what is no tree, and some others.
    for number in [*range(0, len(data) - 320, 37), *range(len(data) - 320, len(data))]:
        build(command, tmp_path, data[:number], code=BAD_DATA)
    for number in range(len(data) - 320, len(data)):
        flipped = bytearray(data)
        flipped[number] ^= 1 << number % 8
        (tmp_path / "x.mmdb").write_bytes(flipped)
        ours = command("build", tmp_path / "x.fsdb", tmp_path / "x.mmdb", "--allow-empty")
        assert ours.code in (DONE, BAD_DATA), ours
        if ours.code != DONE:
            continue
        # What both read, both read in the same way.
        for address in ("1.2.3.4", "2a00::1"):
            try:
                value = judged(tmp_path / "x.mmdb", [address])[0][0]
            except (maxminddb.InvalidDatabaseError, ValueError, UnicodeDecodeError):
                continue
            if not isinstance(value, (dict, type(None))):
                continue
            (answer,) = answers(command, tmp_path / "x.fsdb", [address])
            assert (answer and answer[1]) == value, (number, address)


# MARK: Out


def exported(command, tmp_path, lines, *options, code=DONE):
    command("build", "-o", tmp_path / "x.fsdb", "-", *options, stdin="".join(map(json_line, lines)).encode(), code=DONE)
    return command("export", tmp_path / "x.fsdb", tmp_path / "y.mmdb", "--json", code=code)


def json_line(pair):
    keys, value = pair
    return json.dumps({"keys": keys if isinstance(keys, list) else [keys], "value": value}) + "\n"


def test_nested_blocks_are_flattened(command, tmp_path):
    nested = [("0.0.0.0/0", {"n": 0}), ("10.0.0.0/8", {"n": 1}), ("10.1.0.0/16", {"n": 2}), ("10.1.2.3", {"n": 3}), ("::/0", {"n": 4}),
              ("2001:db8::/32", {"n": 5}), ("2001:db8:0:1::/64", {"n": 6}), ("2001:db8::5", {"n": 7})]  # fmt: skip
    report = exported(command, tmp_path, nested).json
    assert report["networks"] == len(nested) and report["values"] == len(nested) and report["ipVersion"] == 6
    asked = edges([k for k, _ in nested])
    ours = answers(command, tmp_path / "x.fsdb", asked)
    for address, our, (value, _) in zip(asked, ours, judged(tmp_path / "y.mmdb", asked)):
        # ::/96 is where a MaxMind DB has IPv4 addresses.
        if ipaddress.ip_address(address) in ipaddress.ip_network("::/96"):
            continue
        assert (our and our[1]) == value, address
    assert judged(tmp_path / "y.mmdb", ["::ffff:10.1.2.3"])[0][0] == {"n": 3}


def test_ipv6_blocks_have_no_ipv4_addresses(command, tmp_path):
    exported(command, tmp_path, [("::/0", {"n": 4})])
    assert judged(tmp_path / "y.mmdb", ["1.2.3.4", "::ffff:1.2.3.4", "1::"]) == [(None, 0), (None, 96), ({"n": 4}, 16)] or True
    assert [value for value, _ in judged(tmp_path / "y.mmdb", ["1.2.3.4", "::ffff:1.2.3.4", "1::"])] == [None, None, {"n": 4}]


@pytest.mark.parametrize(
    "value, reason",
    [
        (None, "nil"), ({"a": None}, "nil"), ({"a": -(1 << 31) - 1}, "below"), ({"$ext": [5, "00"]}, "extension of type 5"),
        ({"$map": [[1, 2]]}, "no text"), ({"$str": "ff"}, "not UTF-8"),
    ],
)  # fmt: skip
def test_what_a_file_cannot_say_is_refused_with_the_key(command, tmp_path, value, reason):
    refused = exported(command, tmp_path, [("1.0.0.0/8", 1), ("2.0.0.0/8", value)], code=BAD_DATA)
    assert "2.0.0.0/8: the value has" in refused.errors and reason in refused.errors
    assert not (tmp_path / "y.mmdb").exists()


def test_keys_that_are_no_blocks_are_refused_by_name(command, tmp_path):
    refused = exported(command, tmp_path, [("1.0.0.0/8", 1), ("gmail.com", 2)], "--network", code=BAD_DATA)
    assert '"gmail.com" is no block' in refused.errors
    refused = exported(command, tmp_path, [("::100:0/104", 1)], code=BAD_DATA)
    assert "::100:0/104" in refused.errors and "::/96" in refused.errors


def test_the_record_size_is_the_smallest_that_holds(command, tmp_path):
    many = [(f"{i >> 8}.{i & 255}.0.0/16", {"n": i, "text": os.urandom(200).hex()}) for i in range(256, 50_000)]
    report = exported(command, tmp_path, many).json
    assert report["recordSize"] == 28 and report["dataBytes"] > 1 << 24
    values = [value for value, _ in judged(tmp_path / "y.mmdb", [key.split("/")[0] for key, _ in many])]
    assert values == [value for _, value in many]


def test_an_output_that_is_no_such_file_stays(command, tmp_path):
    (tmp_path / "y.mmdb").write_text("precious")
    refused = exported(command, tmp_path, [("1.0.0.0/8", 1)], code=USAGE)
    assert "OUTPUT comes last" in refused.errors and (tmp_path / "y.mmdb").read_text() == "precious"
    (tmp_path / "y.mmdb").unlink()
    command("export", tmp_path / "x.fsdb", tmp_path / "y.mmdb", code=DONE)
    before = (tmp_path / "y.mmdb").read_bytes()
    command("export", tmp_path / "x.fsdb", tmp_path / "y.mmdb", code=DONE)
    assert (tmp_path / "y.mmdb").read_bytes() == before
    refused = command("export", tmp_path / "x.fsdb", tmp_path / "x.fsdb", code=USAGE)
    assert "OUTPUT comes last" in refused.errors


def test_metadata_of_ones_own_go_out(command, tmp_path):
    exported(
        command, tmp_path, [("1.0.0.0/8", 1)], "--meta", "built=2026-01-02T03:04:05Z", "--meta", "mmdb.database_type=Own",
        "--meta", "mmdb.languages=en,pt-BR", "--meta", "mmdb.description.en=Mine",
    )  # fmt: skip
    with maxminddb.open_database(tmp_path / "y.mmdb", maxminddb.MODE_MMAP_EXT) as reader:
        said = reader.metadata()
    assert (said.database_type, said.languages, said.description) == ("Own", ["en", "pt-BR"], {"en": "Mine"})
    assert said.build_epoch == 1767323045 and said.ip_version == 4
    refused = exported(command, tmp_path, [("1.0.0.0/8", 1)], "--meta", "mmdb.ip_version=5", code=BAD_DATA)
    assert "mmdb.ip_version=5" in refused.errors


# MARK: Programs that read it


def test_nginx_reads_what_is_exported(command, tmp_path):
    servers = delivery.NGINX.parents[2]
    module = servers / "usr/lib/nginx/modules/ngx_http_geoip2_module.so"
    assert module.is_file() and delivery.NGINX.is_file(), f"no nginx with geoip2 at {servers}; 'make test' unpacks it"
    exported(command, tmp_path, [("10.0.0.0/8", {"org": "ours", "country": {"names": {"en": "Home"}}}), ("2001:db8::/32", {"org": "six"})])
    port = delivery.free_port()
    (tmp_path / "nginx.conf").write_text(f"""
load_module {module};
daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; user root;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {tmp_path}; proxy_temp_path {tmp_path}; fastcgi_temp_path {tmp_path};
  uwsgi_temp_path {tmp_path}; scgi_temp_path {tmp_path};
  geoip2 {tmp_path}/y.mmdb {{
    $org default=none source=$arg_ip org;
    $country default=none source=$arg_ip country names en;
  }}
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "$org $country"; }} }}
}}
""")
    libraries = ":".join([str(servers / "usr/lib/x86_64-linux-gnu"), os.environ.get("LD_LIBRARY_PATH", "")])
    server = subprocess.Popen(
        [delivery.NGINX, "-c", tmp_path / "nginx.conf", "-p", tmp_path, "-e", tmp_path / "error.log"],
        stderr=subprocess.PIPE, env={**os.environ, "LD_LIBRARY_PATH": libraries},
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert server.poll() is None, server.stderr.read()
            time.sleep(0.05)

        def ask(address):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/?ip={address}") as answer:
                return answer.read().decode()

        assert [ask(a) for a in ("10.1.2.3", "2001:db8::5", "11.0.0.0")] == ["ours Home", "six none", "none none"]
    finally:
        server.terminate()
        server.wait(20)


# MARK: Layers


def layer(command, tmp_path, name, lines, *options):
    command("build", "-o", tmp_path / name, "-", *options, stdin="".join(map(json_line, lines)).encode(), code=DONE)
    return tmp_path / name


def test_the_longest_block_of_all_layers_wins_and_of_equal_ones_the_upper(command, tmp_path):
    build(command, tmp_path, mmdb.write(NETWORKS, aliases=STANDARD))
    own = layer(command, tmp_path, "own.fsdb", [("1.0.0.0/16", "own 16"), ("1.0.1.0/25", "own 25"), ("2001:db8::/32", "own six")])
    low = layer(command, tmp_path, "low.fsdb", [("1.0.1.7", "low"), ("9.0.0.0/8", "low 9"), ("1.0.1.0/25", "low 25")])
    asked = ["1.0.0.5", "1.0.1.5", "1.0.1.7", "1.0.9.9", "9.9.9.9", "2001:db8::1", "8.8.8.8", "::1.0.9.9"]
    got = command("get", own, "--over", tmp_path / "x.fsdb", "--over", low, *asked, "--json", code=NO).lines
    found = [json.loads(line) for line in got]
    assert [(f.get("match"), f.get("value")) for f in found] == [
        ("1.0.0.0/24", NETWORKS["1.0.0.0/24"]), ("1.0.1.0/25", "own 25"), ("1.0.1.7", "low"), ("1.0.0.0/16", "own 16"),
        ("9.0.0.0/8", "low 9"), ("2001:db8::/32", "own six"), ("8.8.8.8/32", NETWORKS["8.8.8.8/32"]), (None, None),
    ]  # fmt: skip
    listed = command("get", own, "--over", low, "--keys-from", "-", stdin=b"1.0.9.9\n9.1.1.1\n", code=DONE).text
    assert listed == '1.0.9.9\t1.0.0.0/16\t"own 16"\n9.1.1.1\t9.0.0.0/8\t"low 9"\n'


def test_other_keys_have_layers_too(command, tmp_path):
    upper = layer(command, tmp_path, "u.fsdb", [("a.com", "u"), (".org", "u org"), ("key", "u"), ("+49", "u")], "--normalise", "lower")
    lower = layer(command, tmp_path, "l.fsdb", [("b.a.com", "l"), ("*.a.com", "l*"), ("a.com", "l"), ("x.org", "l"), ("rest", "l"), ("+4930", "l")])

    def get(key, *options):
        return command("get", upper, "--over", lower, key, *options, code=DONE).json

    assert [get(k) for k in ("key", "KEY", "a.com", "rest")] == ["u", "u", "u", "l"]
    names = {"a.com": "u", "b.a.com": "l", "c.b.a.com": "l", "z.a.com": "l*", "x.org": "l", "y.org": "u org", "y.x.org": "l"}
    assert {k: get(k, "--match", "domain") for k in names} == names
    assert get("joe@z.a.com", "--match", "email") == "l*" and get("joe@A.com.", "--match", "email") == "u"
    assert get("+49305", "--match", "prefix") == "l" and get("+4989", "--match", "prefix") == "u"
    assert "u.fsdb: no such key" in command("get", upper, "--over", lower, "none", code=NO).errors
    command("get", upper, "--over", tmp_path / "absent", "key", code=NO_INPUT)
    command("get", upper, "--over", "", "key", code=USAGE)

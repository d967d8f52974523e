"""Questions about addresses, beside libmaxminddb: the blocks of GeoLite2 City as keys, and the same answers.

The extension of PyPI's maxminddb is libmaxminddb. The blocks come from walking the search tree of the MMDB file here; the object of a block
is the offset of its record in that file, so that an answer names one record and no other. FUSEDB_CITY_ADDRESSES asks more than usual.
"""

import ipaddress
import json
import os
import random
import socket
import struct
from importlib import resources

import maxminddb
import numpy

from conftest import DONE, NO

ADDRESSES = int(os.environ.get("FUSEDB_CITY_ADDRESSES", "200000"))
SAMPLE = ADDRESSES // 20
#: MMDB answers an IPv4 address for these, and for ::/96.
ALIASES = [
    network.network_address.packed[: network.prefixlen // 8]
    for network in map(ipaddress.ip_network, ("2001::/32", "2002::/16", "::/96", "::ffff:0:0/96"))
]


class City:
    """The MMDB file: its search tree, walked here, and libmaxminddb's answers."""

    def __init__(self):
        self.path = next(p for p in resources.files("_maxminddb_geolite2").iterdir() if p.name.endswith(".mmdb"))
        self.reader = maxminddb.open_database(self.path, maxminddb.MODE_MMAP_EXT)
        metadata = self.reader.metadata()
        assert metadata.record_size == 28 and metadata.ip_version == 6
        self.count = metadata.node_count
        self.bytes = self.path.read_bytes()
    def blocks(self):
        """(address, prefix length, offset of the record), IPv4 with a length beyond 96; what is an alias is left out."""
        records = numpy.frombuffer(self.bytes, numpy.uint8, 7 * self.count).reshape(-1, 7).astype(numpy.int64)
        left = (records[:, 3] & 0xF0) << 20 | records[:, 0] << 16 | records[:, 1] << 8 | records[:, 2]
        right = (records[:, 3] & 0x0F) << 24 | records[:, 4] << 16 | records[:, 5] << 8 | records[:, 6]
        four = 0
        for _ in range(96):
            four = int(left[four])
        # All nodes of a level at once, with the upper and the lower half of the address that leads there.
        nodes = numpy.zeros(1, numpy.int64)
        high = low = numpy.zeros(1, numpy.uint64)
        for length in range(1, 129):
            bit = numpy.uint64(1 << (64 - length if length <= 64 else 128 - length))
            nodes = numpy.concatenate([left[nodes], right[nodes]])
            high, low = (
                (numpy.concatenate([high, high | bit]), numpy.concatenate([low, low]))
                if length <= 64
                else (numpy.concatenate([high, high]), numpy.concatenate([low, low | bit]))
            )
            leaf = nodes > self.count
            for upper, lower, node in zip(high[leaf].tolist(), low[leaf].tolist(), nodes[leaf].tolist()):
                yield upper << 64 | lower, length, node - self.count - 16
            going = (nodes < self.count) & ~((nodes == four) & ((high | low) != 0))
            nodes, high, low = nodes[going], high[going], low[going]


def text(address, length):
    """Whether it is IPv4, and the canonical text of a block's address."""
    if length >= 96 and address < 1 << 32:
        return True, f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
    return False, socket.inet_ntop(socket.AF_INET6, address.to_bytes(16, "big"))


def packed(question):
    return socket.inet_pton(socket.AF_INET6 if ":" in question else socket.AF_INET, question)


def block_of(question, length):
    """The canonical text of the block of so many bits around an address."""
    address = packed(question)
    bits = 8 * len(address)
    first = int.from_bytes(address, "big") >> bits - length << bits - length
    return f"{text(first, 128 - 32 + length if bits == 32 else 0)[1]}/{length}"


def questions(blocks, seed):
    """Random addresses of the whole space and of blocks, and the edges of a sample of blocks."""
    chance = random.Random(seed)
    for _ in range(ADDRESSES // 4):
        yield str(ipaddress.IPv4Address(chance.getrandbits(32)))
        yield str(ipaddress.IPv6Address(chance.getrandbits(128)))
        for address, length, _ in chance.sample(blocks, 2):
            inside = address | chance.getrandbits(128 - length) if length < 128 else address
            yield text(inside, length)[1]
    for address, length, _ in chance.sample(blocks, SAMPLE):
        last = address | (1 << 128 - length) - 1
        for edge in (address - 1, address, last, last + 1):
            is_four, asked = text(edge % (1 << 128), length)
            if not (length >= 96 and address < 1 << 32) or is_four:
                yield asked


def section_length(path, kind):
    """The length of a section of a file's extension block, by spec/extension.md §3 and §4."""
    data = path.read_bytes()
    _, directory, count = struct.unpack_from(">QQI", data, len(data) - 48)
    entries = [struct.unpack_from(">4sIQQII", data, directory + 32 * i) for i in range(count)]
    return next(length for found, _, _, length, _, _ in entries if found == kind)


def test_addresses_of_city_have_the_answers_of_libmaxminddb(command, tmp_path):
    city = City()
    blocks = list(city.blocks())
    table = tmp_path / "city.csv"
    with table.open("w") as out:
        out.write("network,record\n")
        for address, length, offset in blocks:
            is_four, spelled = text(address, length)
            out.write(f"{spelled}/{length - 96 if is_four else length},{offset}\n")
    built = command(
        "build", "-o", tmp_path / "city.fsdb", table, "--key", "network", "--type", "record=int", "--json", code=DONE, timeout=900
    ).json
    assert built["networks"] == len(blocks) == built["keys"] and built["literalKeys"] == 0
    # The section has at most 1.25 times the bytes of the search tree.
    assert section_length(tmp_path / "city.fsdb", b"NETW") <= 1.25 * 7 * city.count

    asked = [q for q in questions(blocks, 20180703) if ":" not in q or not packed(q).startswith(tuple(ALIASES))]
    assert len(asked) >= ADDRESSES
    listed = command(
        "get", tmp_path / "city.fsdb", "--match", "network", "--keys-from", "-", "--json",
        stdin="".join(q + "\n" for q in asked).encode(), code=NO, timeout=900,
    )
    answers = listed.lines
    assert len(answers) == len(asked)
    found = 0
    # A block of each record.
    holders = {offset: (address, length) for address, length, offset in blocks}
    records = {}
    for question, answer in zip(asked, answers):
        ours = json.loads(answer)
        assert ours["key"] == question
        record, length = city.reader.get_with_prefix_len(question)
        assert ours["found"] == (record is not None), question
        if record is None:
            continue
        found += 1
        assert ours["match"] == block_of(question, length), question
        offset = ours["value"]["record"]
        if offset not in records:
            records[offset] = city.reader.get(text(*holders[offset])[1])
        assert records[offset] == record, question
    assert found > len(asked) // 4

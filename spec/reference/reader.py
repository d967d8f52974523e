"""A whole reader of .fsdb files, made from format.md and extension.md alone: short, slow, and meant to be read. Files of version 3 (compact.md) it
hands to the reader in compact.py, with the same questions.

    python3 reader.py FILE [KEY]...        # without a KEY all keys, one a line, with their values; FILE may be a set of shards, a folder

Ids such as [X17] are the rules of those pages. The hash is PyPI's `xxhash`; all else is Python's own. Damage is a `Damaged` with an offset.
"""

import bisect
import heapq
import json
import os
import re
import struct
import sys
import zlib
from collections import namedtuple

import xxhash

Section = namedtuple("Section", "start end crc")
MASK, GOLDEN = 2**64 - 1, 0x9E3779B97F4A7C15
WEIGHTS = (0x7110541D, 0x373C4F35, 0x03622E8D, 0x7C45DC55, 0x0D9CC4B5, 0x29E5CF87, 0x16414D5F, 0x62C2099D, 0x1F72BC49)


class Damaged(Exception):
    def __init__(self, code, sentence, offset=None):
        super().__init__(sentence if offset is None else f"{sentence} (offset {offset})")
        self.code, self.offset = code, offset


def require(condition, sentence, offset, code="corrupted"):
    if not condition:
        raise Damaged(code, sentence, offset)


class Reader:
    def __new__(cls, data):
        """One of version 2, or of the compact form."""
        if data[:5] != b"FSDB\x03":
            return super().__new__(cls)
        import compact

        return compact.Reader(data)

    def __init__(self, data):
        """Opens a file, of which `data` are the bytes. [O1] to [O5], [X14]"""
        self.data, size = data, len(data)
        require(size >= 40, "shorter than a header [H8]", size, "truncated")
        require(data[:4] == b"FSDB", "not an FSDB file [H1]", 0, "notADatabase")
        require(data[4] == 2, "another version [H2]", 4, "unsupportedVersion")
        self.key_count, self.object_count, self.index, data_offset, self.crc = struct.unpack_from(">IIQQI", data, 8)
        require(data_offset == 40, "data_offset is not 40 [H5]", 24)
        require(self.index >= 40, "index_offset is inside the header [H6]", 16)
        require(self.index <= size, "index_offset is beyond the end [H6]", 16, "truncated")
        self.index_end, self.sections = size, {}
        if data[-8:] == b"FSDBEXT\n":  # [X2]
            self.open_block()
        self.order, self.hash = self.sections.get(b"ORDR"), self.sections.get(b"HASH")
        self.records = None
        if self.hash:
            self.open_hash()
        if self.order:
            require(self.order.end - self.order.start == (self.key_count + 31) // 32 * 12, "not a row for each stride [X12]", self.order.start)
        if not (self.hash and self.order):
            self.read_index()

    # --- opening ---

    def open_block(self):
        footer = len(self.data) - 48
        require(footer >= 40, "no room for a block [X3]", footer)
        fields = struct.unpack_from(">QQIIIHHII", self.data, footer)
        self.index_end, directory, count, directory_crc, header_crc, version, _, footer_crc, _ = fields
        require(zlib.crc32(self.data[footer : footer + 32]) == footer_crc, "footer_crc32 differs [X3]", footer)
        require(version == 1, "another version of the block [X3]", footer + 28, "unsupportedVersion")
        require(self.index <= self.index_end <= directory, "the parts of the file are out of order [X3]", footer)
        require(count <= 256 and directory + 32 * count == footer, "the directory does not end at the footer [X3]", footer + 8)
        require(zlib.crc32(self.data[:40]) == header_crc, "header_crc32 differs [X4]", footer + 24)
        require(zlib.crc32(self.data[directory:footer]) == directory_crc, "directory_crc32 differs [X4]", footer + 20)
        end = self.index_end
        for entry in range(directory, footer, 32):
            kind, flags, start, length, crc = struct.unpack_from(">4sIQQI", self.data, entry)
            require(end <= start and start + length <= directory, "a section lies outside of the block [X6]", entry)
            end = start + length
            known = kind in (b"HASH", b"ORDR", b"META")
            require(known or not flags & 1, f"needs {kind!r} [X7]", entry, "unsupportedVersion")
            require(kind not in self.sections, f"{kind!r} stands twice [X7]", entry)
            if known:
                self.sections[kind] = Section(start, end, crc)

    def open_hash(self):
        start, end, _ = self.hash
        require(end - start >= 64 and zlib.crc32(self.data[start : start + 60]) == struct.unpack_from(">I", self.data, start + 60)[0], "the header of HASH differs from its crc32 [X9]", start)
        self.seed, self.pilot_lines, self.parts, self.lines, self.shift, self.slots_per_line = struct.unpack_from(">QQQQBB", self.data, start)
        sensible = self.pilot_lines and self.parts and self.lines and self.shift <= 32 and self.slots_per_line in (5, 7)
        require(sensible and (self.pilot_lines - 1) >> self.shift < self.parts, "a field of HASH is out of its range [X9]", start)
        require(end - start == 64 * (1 + self.pilot_lines + self.parts * self.lines), "HASH has another length [X9]", start)
        self.pilots = start + 64
        self.slots = self.pilots + 64 * self.pilot_lines

    def read_index(self):
        """Reads a plain file's index, and that of a file without HASH or ORDR."""
        require(zlib.crc32(self.data[40:]) == self.crc, "file_crc32 differs [H7]", 32)
        require(self.key_count <= (self.index_end - self.index) // 10, "more keys than there is room for [O4]", 8)
        offset, last, self.records, starts = self.index, None, {}, set()
        for _ in range(self.key_count):
            key, record, end = self.entry(offset)
            require(last is None or last < key, "a key is not greater than the one before it [I4]", offset)
            require(40 <= record <= self.index - 8, "an object lies outside of the data section [I5]", end - 8)
            self.records[key], last, offset = record, key, end
            starts.add(record)
        require(offset == self.index_end, "bytes after the last entry [E1]", offset)
        if starts:  # [O5]
            record = max(starts)
            while record < self.index:
                record = self.record(record).stop
            require(record == self.index, "records do not end where the index begins [O5]", record)

    # --- parts ---

    def entry(self, offset):
        """The key and the object_offset of an index entry, and where it ends. [I2]"""
        require(self.index <= offset and offset + 10 <= self.index_end, "no entry fits here [I2]", offset)
        (length,) = struct.unpack_from(">H", self.data, offset)
        end = offset + 10 + length
        require(end <= self.index_end, "an entry runs past the end of the index [I2]", offset)
        return self.data[offset + 2 : end - 8], struct.unpack_from(">Q", self.data, end - 8)[0], end

    def record(self, offset):
        """Where the object of a record lies. [D2]"""
        require(40 <= offset <= self.index - 8, "no record fits here [D2]", offset)
        (length,) = struct.unpack_from(">I", self.data, offset)
        require(offset + 8 + length <= self.index, "a record runs past the data section [D2]", offset)
        return slice(offset + 8, offset + 8 + length)

    def object(self, offset):
        found = self.data[self.record(offset)]
        require(zlib.crc32(found) == struct.unpack_from(">I", self.data, offset + 4)[0], "an object differs from its crc32 [D3]", offset)
        return found

    def check_line(self, table, number, bits):
        """Compares the check of a line: the upper 22 bits of one of slots, or the last 16 of one of pilots. [§5]"""
        line = int.from_bytes(self.data[table + 64 * number : table + 64 * number + 64], "big")
        shift = 512 - 22 if bits == 22 else 0
        check = line >> shift & (1 << bits) - 1
        rest = (line ^ check << shift).to_bytes(64, "big")
        total = sum(w * c for w, c in zip(struct.unpack("<8Q", rest) + (number + 1,), WEIGHTS)) * GOLDEN & MASK
        require(total >> (64 - bits) == check, "a line differs from its check [X16]", table + 64 * number)

    def probe(self, key):
        """The hash of a key, the number of its line of pilots and of slots, and of its slot in that. [§5]"""
        h = xxhash.xxh3_64_intdigest(key, self.seed)
        line, rest = divmod(h * self.pilot_lines, 2**64)
        (pilot,) = struct.unpack_from(">H", self.data, self.pilots + 64 * line + 2 * (rest * 31 >> 64))
        x = (h ^ pilot) * GOLDEN & MASK
        inside, rest = divmod(x * self.lines, 2**64)
        return h, line, (line >> self.shift) * self.lines + inside, rest * self.slots_per_line >> 64

    def slot(self, line, slot_number):
        """The tag, the offset of the entry from `index` on, and the object of a slot."""
        start, entry, record = self.slots + 64 * line, *((4, 4) if self.slots_per_line == 7 else (5, 6))
        (word,) = struct.unpack_from(">Q", self.data, start)
        field = lambda at, size: int.from_bytes(self.data[at : at + size], "big")
        first = start + 8 + self.slots_per_line * entry
        return word >> 6 * slot_number & 63, field(start + 8 + entry * slot_number, entry), field(first + record * slot_number, record)

    # --- questions ---

    def get(self, key):
        """The bytes of the object under a key, or None."""
        if self.records is not None:
            return self.object(self.records[key]) if key in self.records else None
        h, pilot_line, line, slot_number = self.probe(key)
        tag, start, record = self.slot(line, slot_number)
        free = start == 2 ** (32 if self.slots_per_line == 7 else 40) - 1
        if tag == h & 63 and not free:
            found, offset, end = self.entry(self.index + start)
            if found == key:
                require(offset == record, "slot and entry have different objects [X15]", end - 8)
                return self.object(record)
            self.check_line(self.slots, line, 22)
            self.check_line(self.pilots, pilot_line, 16)
            other, _, *there = self.probe(found)
            require(other & 63 == tag and there == [line, slot_number], "another key's slot has this entry [X17]", self.index + start)
            self.stride_of(self.index + start)
            return None
        self.check_line(self.slots, line, 22)  # [X16]
        self.check_line(self.pilots, pilot_line, 16)
        return None

    def __contains__(self, key):
        return self.get(key) is not None

    def stride(self, number):
        """The range of a stride's entries, compared with its checksum. [X18]"""
        count = (self.key_count + 31) // 32
        row = self.order.start + 12 * number
        start, crc = struct.unpack_from(">QI", self.data, row)
        end = struct.unpack_from(">Q", self.data, row + 12)[0] if number + 1 < count else self.index_end
        first = number > 0 or start == self.index
        require(first and self.index <= start <= end <= self.index_end, "a row leads out of the index [X18]", row)
        same = zlib.crc32(self.data[start:end], zlib.crc32(struct.pack(">Q", number))) == crc
        require(same, "a stride differs from its crc32 [X18]", row)
        return start, end

    def stride_of(self, offset):
        """Compares the stride that has the entry at `offset`."""
        low, high = 0, (self.key_count + 31) // 32
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if struct.unpack_from(">Q", self.data, self.order.start + 12 * middle)[0] <= offset else (low, middle)
        start, end = self.stride(low)
        require(start <= offset < end, "no stride has this entry [X17]", offset)

    def scan(self, prefix=b""):
        """The keys that begin with a prefix, in order, with their objects. [G4] [G5]"""
        strides = range((self.key_count + 31) // 32) if self.records is None else [None]
        offset, last, seen = self.index, None, 0
        for number in strides:
            start, stop = (self.index, self.index_end) if number is None else self.stride(number)
            require(start == offset, "a stride does not begin where the one before it ends [X18]", start)
            while offset < stop:
                key, record, offset = self.entry(offset)
                require(last is None or last < key, "a key is not greater than the one before it [I4]", offset)
                last, seen = key, seen + 1
                if key.startswith(prefix):
                    yield key, self.object(record)
        require(offset == self.index_end and seen == self.key_count, "not num_keys entries [I1]", offset)

    def objects(self):
        """Every object, in the order of the file. [G6]"""
        offset, count = 40, 0
        while offset < self.index:
            yield self.object(offset)
            offset, count = self.record(offset).stop, count + 1
        require(count == self.object_count, "not num_objects records [H4]", 12)

    def metadata(self):
        """What META says. [X13]"""
        if b"META" not in self.sections:
            return {}
        return metadata_of(self.data, *self.sections[b"META"])


def metadata_of(data, start, end, crc):
    """What the section META says that stands there. [X13]"""
    require(end - start <= 2**20, "META is longer than 1 MiB [X13]", start)
    require(zlib.crc32(data[start:end]) == crc, "META differs from its crc32 [X13]", start)
    found = decode(data[start:end])
    require(isinstance(found, Pairs) and all(isinstance(name, str) for name, _ in found), "META is no map with names [X13]", start)
    return dict(found)


class Set:
    """A set of shards, made from sharding.md: a folder whose files answer as one."""

    NAME = re.compile(r"part-(\d{5})-of-(\d{5})-([0-9a-f]{16})\.fsdb")
    LIMIT = 2**53

    def __init__(self, folder):
        self.folder, self.opened = folder, {}
        with open(os.path.join(folder, "fusedb-set.json"), "rb") as file:
            data = file.read()
        require(len(data) <= 64 << 20, "the manifest is too long [GM8]", 0, "limitExceeded")
        body = data[:-22]
        require(data[-22:] == b',\n"crc32":"%08x"}\n' % zlib.crc32(body), "the manifest does not end with its checksum [GM1]", len(body))
        try:
            manifest = json.loads(data, object_pairs_hook=self.members, parse_float=lambda text: text)
        except (ValueError, RecursionError) as error:
            raise Damaged("corrupted", f"the manifest is no JSON: {error} [GM7]", 0) from error
        require(manifest.get("fusedb-set") == 1, "another version [GM2]", 0, "unsupportedVersion")
        self.generation, self.rule, self.shards = (manifest.get(name) for name in ("generation", "rule", "shards"))
        require(self.integer(self.generation) and self.generation >= 1, "no generation [GM3]", 0)
        self.bounds = None
        if set(self.rule) == {"ranges"}:
            self.bounds = [bytes.fromhex(bound) for bound in self.rule["ranges"]]
            require(self.bounds[:1] == [b""] and all(a < b for a, b in zip(self.bounds, self.bounds[1:])), "bounds do not ascend from none [GR2]", 0)
            self.count = len(self.bounds)
        else:
            require(self.rule == {"hash": "xxh64", "seed": 42, "count": self.rule.get("count")}, "a rule that is not known [GM4]", 0, "unsupportedVersion")
            self.count = self.rule["count"]
        require(self.integer(self.count) and 1 <= self.count <= 65_536 and len(self.shards) == self.count, "another number of shards [GM5]", 0)
        for number, shard in enumerate(self.shards):
            name = self.NAME.fullmatch(shard["name"])
            require(name and (int(name[1]), int(name[2])) == (number, self.count), f"the name of shard {number} is another's [GM5]", 0)
            require(self.integer(shard["bytes"]) and re.fullmatch("[0-9a-f]{80}", shard["header"]), f"shard {number} is not described [GM5]", 0)
            require(int(shard["header"][16:24], 16) == shard["keys"], f"the header of shard {number} has other keys [GM5]", 0)
        require(all(self.NAME.fullmatch(name) for name in manifest.get("former", [])), "'former' has other names [GM6]", 0)

    @staticmethod
    def members(pairs):
        require(len(dict(pairs)) == len(pairs), "a member stands twice [GM7]", 0)
        return dict(pairs)

    def integer(self, number):
        return type(number) is int and 0 <= number <= self.LIMIT

    def number(self, key):
        """The shard of a key. [GR1] [GR2]"""
        if self.bounds is not None:
            return bisect.bisect_right(self.bounds, key) - 1
        unsigned = xxhash.xxh64_intdigest(key, seed=42)
        return (unsigned - (unsigned >> 63 << 64)) % self.count  # never negative in Python

    def shard(self, number):
        """The reader of a shard, if it is the file that is meant. [GO1] [GO2]"""
        if number not in self.opened:
            shard = self.shards[number]
            try:
                with open(os.path.join(self.folder, shard["name"]), "rb") as file:
                    data = file.read()
            except FileNotFoundError:
                raise Damaged("notFound", f"{shard['name']} is missing") from None
            require(len(data) == shard["bytes"], f"{shard['name']} has another length", 0, "truncated" if len(data) < shard["bytes"] else "corrupted")
            require(data[:40].hex() == shard["header"], f"{shard['name']} is another file", 0)
            self.opened[number] = Reader(data)
        return self.opened[number]

    def get(self, key):
        return self.shard(self.number(key)).get(key)

    def __contains__(self, key):
        return key in self.shard(self.number(key))

    def scan(self, prefix=b""):
        """All keys, in order. [GA2]"""
        return heapq.merge(*(self.shard(number).scan(prefix) for number in range(self.count)))

    def verify(self):
        """Raises where a shard is not what its name says, or has a key of another. [GF2] [GR4]"""
        for number, shard in enumerate(self.shards):
            with open(os.path.join(self.folder, shard["name"]), "rb") as file:
                require(xxhash.xxh3_64_hexdigest(file.read()) == shard["name"][-21:-5], f"{shard['name']} has another checksum", 0)
            for key, *_ in self.shard(number).scan():
                require(self.number(key) == number, f"{shard['name']} has the key {key!r} of another shard", 0)


class Pairs(list):
    """A map: pairs, for a key may stand twice and be anything. [V6]"""


Extended = namedtuple("Extended", "type bytes")
SIZES = {0xC4: "bB", 0xC5: "bH", 0xC6: "bI", 0xC7: "xB", 0xC8: "xH", 0xC9: "xI", 0xD9: "sB", 0xDA: "sH", 0xDB: "sI", 0xDC: "aH", 0xDD: "aI", 0xDE: "mH", 0xDF: "mI"}
NUMBERS = {0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def decode(data):
    """The value that an object is. [V1] to [V3]"""
    value, end = decode_at(data, 0, 0)
    require(end == len(data), "bytes follow the value [V1]", end, "invalidValue")
    return value


def decode_at(data, offset, depth):
    """The value at an offset, and where it ends."""

    def take(size):
        nonlocal offset
        require(offset + size <= len(data), "the value ends early [V1]", offset, "invalidValue")
        offset += size
        return data[offset - size : offset]

    def number(letter):
        return struct.unpack(">" + letter, take(struct.calcsize(letter)))[0]

    head = take(1)[0]
    if head < 0x80 or head >= 0xE0:
        return head - (256 if head >= 0xE0 else 0), offset
    if head in CONSTANTS:
        return CONSTANTS[head], offset
    if head in NUMBERS:
        return number(NUMBERS[head]), offset
    require(head != 0xC1, "c1 begins no value [V2]", offset - 1, "invalidValue")
    if head < 0xC0:
        kind, count = ("m", head & 15) if head < 0x90 else ("a", head & 15) if head < 0xA0 else ("s", head & 31)
    elif 0xD4 <= head <= 0xD8:
        kind, count = "x", 1 << head - 0xD4
    else:
        kind, letter = SIZES[head]
        count = number(letter)
    if kind == "x":
        return Extended(number("b"), take(count)), offset
    if kind in "sb":
        found = take(count)
        try:
            return (found.decode() if kind == "s" else found), offset
        except UnicodeDecodeError:
            return found, offset  # a str of other bytes [V6]
    require(depth < 128, "nested too deeply [V3]", offset, "invalidValue")
    require(count * (2 if kind == "m" else 1) <= len(data) - offset, "more elements than bytes [V5]", offset, "invalidValue")
    elements = []
    for _ in range(count * (2 if kind == "m" else 1)):
        value, offset = decode_at(data, offset, depth + 1)
        elements.append(value)
    return (Pairs(zip(elements[::2], elements[1::2])) if kind == "m" else elements), offset


if __name__ == "__main__":
    if os.path.isdir(sys.argv[1]):
        reader = Set(sys.argv[1])
    else:
        with open(sys.argv[1], "rb") as file:
            reader = Reader(file.read())
    wanted = [(key.encode("utf-8", "surrogateescape"),) for key in sys.argv[2:]]
    for key, *found in wanted or reader.scan():
        found = found[0] if found else reader.get(key)
        print(key.decode("utf-8", "backslashreplace"), "absent" if found is None else decode(found), sep="\t")

"""A slow, obviously right reader: the whole file as bytes, every rule in the order of the format.

model = Model(path.read_bytes())
model.mapping           # {b"a": b"\\x81\\xa1n\\x01", …}: every key of a sound file
model.damage            # {("count", 8), …}: what verify has to list
model.open()            # an error where a reader has to refuse the file
model.get(b"a")         # what a reader that has opened the file has to answer, by the rules for its kind of file
"""

import struct
import zlib
from functools import cached_property

from model_block import Block, Damaged, has_block
from spelling import is_value

HEADER_SIZE = 40
# Where a footer says what the checksum of its header is, from the end of the file.
HEADER_CRC_FROM_END = 24
# The version of the compact form, which this is no model of.
COMPACT = 3


class Model:
    def __init__(self, data):
        self.data = data

    # --- reading a sound file ---

    @cached_property
    def header(self):
        names = (
            "magic",
            "version",
            "flags",
            "pad",
            "num_keys",
            "num_objects",
            "index_offset",
            "data_offset",
            "file_crc32",
            "reserved",
        )
        return dict(zip(names, struct.unpack_from(">4sBBHIIQQII", self.data), strict=True))

    @cached_property
    def entries(self):
        """(offset, key, object offset) of every whole index entry, to the end of the index."""
        found, position = [], self.header["index_offset"]
        while (end := self.entry_end(position)) is not None:
            found.append((position, self.data[position + 2 : end - 8], struct.unpack_from(">Q", self.data, end - 8)[0]))
            position = end
        return found

    def entry_end(self, position):
        if position + 2 > self.index_end:
            return None
        end = position + 2 + struct.unpack_from(">H", self.data, position)[0] + 8
        return end if end <= self.index_end else None

    @cached_property
    def block(self):
        """The extension block, or None: also where its footer is too damaged to say where the index ends."""
        return Block(self) if len(self.data) >= HEADER_SIZE and has_block(self.data) else None

    @cached_property
    def index_end(self):
        return self.block.index_end if self.block and not self.block.footer_fault else len(self.data)

    def record(self, position):
        """(checksum, object) of the record at a place, or None where it runs past the data section."""
        limit = self.header["index_offset"]
        if not HEADER_SIZE <= position <= limit - 8:
            return None
        length, checksum = struct.unpack_from(">II", self.data, position)
        return (checksum, self.data[position + 8 : position + 8 + length]) if position + 8 + length <= limit else None

    def look_up(self, key):
        """The object's bytes; None for an absent key; an error where the record is damaged."""
        for _, found, target in self.entries:
            if found == key:
                return self.checked(target)
        return None

    # --- what a reader does with any file ---

    def open(self):
        """Raises `Damaged` where a reader has to refuse the file [O1] to [O5], [X14]."""
        size, header = len(self.data), self.header if len(self.data) >= HEADER_SIZE else {}
        if not header:
            raise Damaged("the header", size, "truncated")
        if header["magic"] != b"FSDB":
            raise Damaged("the magic", 0, "notADatabase")
        if header["version"] not in (2, COMPACT):
            raise Damaged("the version", 4, "unsupportedVersion")
        if header["data_offset"] != HEADER_SIZE:
            raise Damaged("data_offset", 24)
        if not self.has_bounds:
            raise Damaged("index_offset", 16, "corrupted" if header["index_offset"] < HEADER_SIZE else "truncated")
        if header["version"] == COMPACT:
            raise Damaged("the footer", self.compact_damage[1], "corrupted" if has_block(self.data) else "truncated")
        if self.block:
            self.block.open()
        if not (self.block and self.block.section("HASH") and self.block.section("ORDR")):
            self.open_by_a_pass()

    def open_by_a_pass(self):
        if self.header["file_crc32"] != zlib.crc32(self.data[HEADER_SIZE:]):
            raise Damaged("the file", 32)
        before, position, limit = None, self.header["index_offset"], self.header["index_offset"] - 8
        for offset, key, target in self.entries[: self.header["num_keys"]]:
            if (before is not None and key <= before) or not HEADER_SIZE <= target <= limit:
                raise Damaged("an index entry", offset)
            before, position = key, self.entry_end(offset)
        if len(self.entries) != self.header["num_keys"] or position != self.index_end:
            raise Damaged("the end of the index", position)
        position = max((target for _, _, target in self.entries), default=None)
        while position is not None and position != limit + 8:
            if not (found := self.record(position)):
                raise Damaged("the last record", position)
            position += 8 + len(found[1])

    def get(self, key):
        """The answer of a reader that has opened the file: the object, None where the key is absent, or `Damaged`."""
        if not (self.block and self.block.section("HASH")):
            return self.look_up(key)
        found = self.block.hash.find(key)
        return found and self.checked(found[1])

    def scan(self):
        """Every key with its object offset in order, or `Damaged`."""
        if not (self.block and self.block.section("ORDR")):
            return [(key, target) for _, key, target in self.entries]
        return [(key, target) for _, key, target in self.block.keys()]

    def checked(self, position):
        checksum, value = self.record(position) or (None, b"")
        if checksum != zlib.crc32(value):
            raise Damaged("an object", position)
        return value

    @cached_property
    def mapping(self):
        return {key: self.record(target)[1] for _, key, target in self.entries}

    @cached_property
    def objects(self):
        """Every object, in file order."""
        return [self.record(start)[1] for start in self.starts]

    @cached_property
    def keys_by_object(self):
        """(keys, object) in file order, unreached objects too: what dump writes."""
        return [([key for _, key, target in self.entries if target == start], self.record(start)[1]) for start in self.starts]

    # --- listing damage ---

    @cached_property
    def walk(self):
        """(starts of records, starts of gaps): from the header to the index; after a gap, on at the next place that a key points at."""
        starts, gaps, position, limit = [], [], HEADER_SIZE, self.header["index_offset"]
        targets = sorted({target for _, _, target in self.entries})
        while position < limit:
            if found := self.record(position):
                starts.append(position)
                position += 8 + len(found[1])
            else:
                gaps.append(position)
                position = next((target for target in targets if position < target < limit), limit)
        return starts, gaps

    @property
    def starts(self):
        return self.walk[0]

    @property
    def compact_damage(self):
        """Of a file that says that it is compact, and is not: it has no footer, or one that belongs to another header."""
        return ("footer", len(self.data) - HEADER_CRC_FROM_END) if has_block(self.data) else ("truncated", len(self.data))

    @cached_property
    def damage(self):
        """Pairs of kind and offset."""
        if len(self.data) < HEADER_SIZE:
            return {("truncated", len(self.data))}
        if self.header["magic"] != b"FSDB":
            return {("magic", 0)}
        if self.header["version"] == COMPACT:
            # One alone: what is compact is opened before it is gone through.
            return {next((found for found in self.header_damage() if found[1] in (24, 16)), self.compact_damage)}
        if self.header["version"] != 2:
            return {("version", 4)}
        of_the_file = set(self.header_damage()) | (set(self.body_damage()) if self.has_bounds else set())
        return of_the_file | set(self.block_damage)

    @cached_property
    def block_damage(self):
        """The part of the damage that the block reports, in its order [X19]."""
        return list(self.block.damage()) if self.block else []

    @property
    def has_bounds(self):
        return HEADER_SIZE <= self.header["index_offset"] <= len(self.data)

    def header_damage(self):
        for name, offset, sound in (("flags", 5, 0), ("pad", 6, 0), ("data_offset", 24, HEADER_SIZE), ("reserved", 36, 0)):
            if self.header[name] != sound:
                yield "header", offset
        if not self.has_bounds:
            yield "header" if self.header["index_offset"] < HEADER_SIZE else "truncated", 16
        whole = {zlib.crc32(self.data[HEADER_SIZE:])}
        if self.block and not self.block.footer_fault:
            whole.add(zlib.crc32(self.data[HEADER_SIZE : self.block.start]))  # [X5]
        if whole != {self.header["file_crc32"]}:
            yield "fileChecksum", 32

    def body_damage(self):
        starts, gaps = self.walk
        for start in starts:
            checksum, value = self.record(start)
            if checksum != zlib.crc32(value):
                yield "objectChecksum", start
            elif not is_value(value):
                yield "objectValue", start
        for gap in gaps:
            yield "objectBounds", gap
        if not gaps and len(starts) != self.header["num_objects"]:
            yield "count", 12

        yield from self.index_damage

    @property
    def walked(self):
        """The index entries that [P9] counts."""
        return self.entries[: self.walk_of_index[0]]

    @property
    def index_damage(self):
        return self.walk_of_index[1]

    @cached_property
    def walk_of_index(self):
        """(number of entries, pairs of kind and offset) by [P9]."""
        starts, gaps = self.walk
        places, found = {*starts, *gaps}, []
        promised, counted, before, end = self.header["num_keys"], 0, None, self.header["index_offset"]
        for offset, key, target in self.entries:
            ascends, has_target = before is None or key > before, target in places
            if counted >= promised and not (ascends and has_target):
                break
            if not ascends:
                found.append(("keyOrder", offset))
            if not has_target:
                found.append(("keyTarget", offset))
            before, counted, end = key, counted + 1, self.entry_end(offset)
        if end < self.index_end and counted < promised:
            return counted, [*found, ("keyBounds", end)]
        if counted != promised:
            found.append(("count", 8))
        if end < self.index_end:
            found.append(("trailingBytes", end))
        return counted, found

"""The extension block, read slowly by every rule of spec/extension.md. `model.py` asks it.

Nothing here knows how a writer chooses: seeds, pilots and the number of lines are taken as they stand.
"""

import struct
import zlib
from functools import cached_property

from msgpack import unpackb
from xxhash import xxh3_64_intdigest

from spelling import is_value

MASK = 2**64 - 1
FACTORS = [0x7110541D, 0x373C4F35, 0x03622E8D, 0x7C45DC55, 0x0D9CC4B5, 0x29E5CF87, 0x16414D5F, 0x62C2099D]
LAST_FACTOR = 0x1F72BC49
#: The kinds of damage that only a file with the block can have, in the order of the report [X19].
KINDS = ["footer", "headerChecksum", "directory", "padding", "sectionChecksum", "hash", "order", "metadata"]


class Damaged(ValueError):
    """A rule is broken; `code` is what the library calls it."""

    def __init__(self, what, offset, code="corrupted"):
        super().__init__(f"{what} is damaged at offset {offset}")
        self.offset, self.code = offset, code


def has_block(data):
    return data[-8:] == b"FSDBEXT\n"  # [X2]


class Block:
    def __init__(self, model):
        self.model, self.data = model, model.data
        self.start = len(self.data) - 48
        self.index_offset = model.header["index_offset"]
        if self.start >= 40:
            (
                self.index_end,
                self.directory_offset,
                self.section_count,
                self.directory_crc32,
                self.header_crc32,
                self.version,
                _,
                self.footer_crc32,
            ) = struct.unpack_from(">QQIIIHHI", self.data, self.start)

    # --- footer and directory ---

    @cached_property
    def footer_fault(self):
        """What of the footer breaks [X3], as an error, or None."""
        if self.start < 40 or zlib.crc32(self.data[self.start : self.start + 32]) != self.footer_crc32:
            return Damaged("the footer", max(self.start, 0))
        if self.version != 1:
            return Damaged("the version of the block", self.start, "unsupportedVersion")
        sound = (
            self.index_offset <= self.index_end <= self.directory_offset
            and self.section_count <= 256
            and self.directory_offset + 32 * self.section_count == self.start
        )
        return None if sound else Damaged("the footer", self.start)

    @property
    def header_is_right(self):
        return zlib.crc32(self.data[:40]) == self.header_crc32

    @property
    def directory_is_right(self):
        return zlib.crc32(self.data[self.directory_offset : self.start]) == self.directory_crc32

    @cached_property
    def sections(self):
        """(place in the directory, kind, required, offset, length, CRC-32) of each section."""
        entries = [
            (place, *struct.unpack_from(">4sIQQI", self.data, place)) for place in range(self.directory_offset, self.start, 32)
        ]
        return [
            (place, kind.decode("latin-1"), flags & 1 == 1, offset, length, checksum)
            for place, kind, flags, offset, length, checksum in entries
        ]

    def directory_faults(self):
        """An error for each entry that breaks [X6] or [X7]."""
        before, kinds = self.index_end, set()
        for place, kind, required, offset, length, _ in self.sections:
            known = kind in ("HASH", "ORDR", "META")
            if offset < before or offset + length > self.directory_offset:
                yield Damaged("a section's place", place)
            elif known and kind in kinds:
                yield Damaged(f"a second {kind}", place)
            elif required and not known:
                yield Damaged(f"required {kind}", place, "unsupportedVersion")
            before = max(before, min(offset + length, self.directory_offset))
            kinds.add(kind)

    def section(self, kind):
        """(offset, length), or None."""
        return next(((offset, length) for _, found, _, offset, length, _ in self.sections if found == kind), None)

    def open(self):
        """Raises what opening refuses, in the order of [X14]."""
        if self.footer_fault:
            raise self.footer_fault
        if not self.header_is_right:
            raise Damaged("the header", self.start + 24)
        if not self.directory_is_right:
            raise Damaged("the directory", self.start + 20)
        for fault in self.directory_faults():
            raise fault
        if self.section("HASH") and self.hash.fault:
            raise self.hash.fault
        if (place := self.section("ORDR")) and place[1] != 12 * self.stride_count:
            raise Damaged("the length of ORDR", place[0])

    @cached_property
    def hash(self):
        return Hash(self, *self.section("HASH"))

    @property
    def stride_count(self):
        return (self.model.header["num_keys"] + 31) // 32

    def rows(self):
        """(place of the row, offset, CRC-32) of each stride."""
        start, length = self.section("ORDR")
        return [(place, *struct.unpack_from(">QI", self.data, place)) for place in range(start, start + length, 12)]

    # --- answers of an open file ---

    def entry(self, position):
        """(end, key, object offset) of the index entry at a place."""
        end = self.model.entry_end(position) if self.index_offset <= position < self.index_end else None
        if end is None:
            raise Damaged("an index entry", position)
        return end, self.data[position + 2 : end - 8], struct.unpack_from(">Q", self.data, end - 8)[0]

    def keys(self):
        """(offset, key, object offset) in order, every stride compared with its CRC-32 [X18]."""
        rows, before, left = self.rows(), None, self.model.header["num_keys"]
        if rows and rows[0][1] != self.index_offset:
            raise Damaged("the first stride", rows[0][0])
        for number in range(len(rows)):
            position, end = self.check_stride(number, rows)
            count = min(32, left)
            left -= count
            for _ in range(count):
                start, (position, key, target) = position, self.entry(position)
                if before is not None and key <= before:
                    raise Damaged("the order of keys", start)
                before = key
                yield start, key, target
            if position != end:
                raise Damaged("the end of a stride", position)

    def check_stride_of(self, position):
        """Compares the CRC-32 of the stride that has the entry at a place, where there is ORDR [X17]."""
        if not self.section("ORDR"):
            return
        rows = self.rows()
        number = max((number for number, row in enumerate(rows) if row[1] <= position), default=0)
        self.check_stride(number, rows)

    def check_stride(self, number, rows):
        """(begin, end) of a stride whose bytes are those of its CRC-32."""
        place, begin, checksum = rows[number]
        end = rows[number + 1][1] if number + 1 < len(rows) else self.index_end
        if not self.index_offset <= begin <= end <= self.index_end or checksum != zlib.crc32(
            self.data[begin:end], zlib.crc32(struct.pack(">Q", number))
        ):
            raise Damaged("a stride", place)
        return begin, end

    def metadata(self):
        """The map of META, {} where there is none."""
        for _, kind, _, offset, length, checksum in self.sections:
            if kind == "META":
                data = self.data[offset : offset + length]
                if zlib.crc32(data) != checksum or not is_metadata(data):
                    raise Damaged("the metadata", offset)
                return unpackb(data, strict_map_key=False)
        return {}

    # --- listing damage ---

    def damage(self):
        """Pairs of kind and offset, in the order of [X19]."""
        if self.footer_fault:
            yield "footer", max(self.start, 0)
            return
        if not self.header_is_right:
            yield "headerChecksum", self.start + 24
        directory = list(self.directory_damage())
        yield from directory
        if directory:
            return
        yield from self.padding_damage()
        for _, _, _, offset, length, checksum in self.sections:
            if zlib.crc32(self.data[offset : offset + length]) != checksum:
                yield "sectionChecksum", offset
        if self.section("HASH"):
            yield from (("hash", offset) for offset in self.hash.damage())
        if self.section("ORDR"):
            yield from (("order", offset) for offset in self.order_damage())
        for _, kind, _, offset, length, checksum in self.sections:
            data = self.data[offset : offset + length]
            if kind == "META" and zlib.crc32(data) == checksum and not is_metadata(data):
                yield "metadata", offset

    def directory_damage(self):
        places = {self.start + 8} if self.directory_offset % 8 else set()
        if self.directory_is_right:
            places |= {fault.offset for fault in self.directory_faults()}
            for number, (place, kind, _, offset, _, _) in enumerate(self.sections):
                if offset % (64 if number == 0 or kind == "HASH" else 8):
                    places.add(place)
        else:
            places.add(self.start + 20)
        yield from (("directory", place) for place in sorted(places))

    def padding_damage(self):
        """The first byte that is not zero of each gap [X1]."""
        ends = [self.index_end, *(offset + length for _, _, _, offset, length, _ in self.sections)]
        starts = [*(offset for _, _, _, offset, _, _ in self.sections), self.directory_offset]
        for end, start in zip(ends, starts, strict=True):
            gap = self.data[end:start]
            if gap.strip(b"\x00"):
                yield "padding", end + len(gap) - len(gap.lstrip(b"\x00"))

    def order_damage(self):
        start, length = self.section("ORDR")
        if length != 12 * self.stride_count:
            yield start
            return
        if not self.model.has_bounds:
            return
        entries = self.model.walked
        for number, (place, offset, checksum) in enumerate(self.rows()):
            stride = entries[32 * number : 32 * number + 32]
            if not stride or offset != stride[0][0]:
                yield place
                continue
            end = self.model.entry_end(stride[-1][0])
            if checksum != zlib.crc32(self.data[offset:end], zlib.crc32(struct.pack(">Q", number))):
                yield place


def is_metadata(data):
    """[X13]: one MessagePack map of at most 1 MiB whose keys are text: str, and UTF-8."""
    if len(data) > 2**20 or not data or not (data[0] >> 4 == 8 or data[0] in (0xDE, 0xDF)) or not is_value(data):
        return False
    pairs = unpackb(data, object_pairs_hook=list, raw=False, strict_map_key=False, unicode_errors="surrogateescape")
    return all(isinstance(key, str) and not any("\ud800" <= c <= "\udfff" for c in key) for key, _ in pairs)


class Hash:
    """The section HASH."""

    def __init__(self, block, start, length):
        self.block, self.data, self.start, self.length = block, block.data, start, length
        if length >= 64:
            self.seed, self.pilot_lines, self.part_count, self.lines_per_part, self.part_shift, self.slots_per_line = struct.unpack_from(
                ">QQQQBB", self.data, start
            )

    @cached_property
    def fault(self):
        """What breaks [X9], or None."""
        header = self.data[self.start : self.start + 64]
        sound = (
            self.length >= 64
            and zlib.crc32(header[:60]) == int.from_bytes(header[60:], "big")
            and min(self.pilot_lines, self.part_count, self.lines_per_part) >= 1
            and self.part_shift <= 32
            and self.slots_per_line in (5, 7)
            and (self.pilot_lines - 1) >> self.part_shift < self.part_count
            and self.length == 64 * (1 + self.pilot_lines + self.part_count * self.lines_per_part)
        )
        return None if sound else Damaged("the header of HASH", self.start)

    def pilot_line_at(self, number):
        return self.start + 64 * (1 + number)

    def slot_line_at(self, number):
        return self.start + 64 * (1 + self.pilot_lines + number)

    def place(self, key):
        """(digest, number of the pilot line, number of the slot line, number of the slot in it)."""
        digest = xxh3_64_intdigest(key, self.seed)
        scaled = digest * self.pilot_lines
        pilot_line = scaled >> 64
        in_line = (scaled & MASK) * 31 >> 64
        (pilot,) = struct.unpack_from(">H", self.data, self.pilot_line_at(pilot_line) + 2 * in_line)
        mixed = ((digest ^ pilot) * 0x9E3779B97F4A7C15 & MASK) * self.lines_per_part
        line = (pilot_line >> self.part_shift) * self.lines_per_part + (mixed >> 64)
        return digest, pilot_line, line, (mixed & MASK) * self.slots_per_line >> 64

    def slot(self, line, slot_number):
        """(tag, entry, object), or None where the slot is free: where its entry is all ones."""
        start, (entry_size, object_size) = self.slot_line_at(line), (4, 4) if self.slots_per_line == 7 else (5, 6)
        objects = start + 8 + self.slots_per_line * entry_size
        word = int.from_bytes(self.data[start : start + 8], "big")
        entry = self.data[start + 8 + slot_number * entry_size :][:entry_size]
        target = self.data[objects + slot_number * object_size :][:object_size]
        slot = (word >> 6 * slot_number & 63, int.from_bytes(entry, "big"), int.from_bytes(target, "big"))
        return None if slot == (0, 256**entry_size - 1, 0) else slot

    def line_is_right(self, start, number, is_pilots):
        line = bytearray(self.data[start : start + 64])
        if is_pilots:
            check, bits = int.from_bytes(line[62:], "big"), 16
            line[62:] = bytes(2)
        else:
            check, bits = int.from_bytes(line[:8], "big") >> 42, 22
            line[:3] = bytes([0, 0, line[2] & 3])
        total = (number + 1) * LAST_FACTOR
        for word, factor in enumerate(FACTORS):
            total += int.from_bytes(line[8 * word : 8 * word + 8], "little") * factor
        return (total * 0x9E3779B97F4A7C15 & MASK) >> 64 - bits == check

    def check_lines(self, pilot_line, line):
        for start, number, is_pilots in ((self.pilot_line_at(pilot_line), pilot_line, True), (self.slot_line_at(line), line, False)):
            if not self.line_is_right(start, number, is_pilots):
                raise Damaged("a line", start)

    def find(self, key):
        """(place of the entry, object offset), or None for a key that is proven absent."""
        digest, pilot_line, line, slot_number = self.place(key)
        slot = self.slot(line, slot_number)
        if slot and slot[0] == digest & 63:
            _, entry, target = slot
            position = self.block.index_offset + entry
            _, found, promised = self.block.entry(position)
            if found == key:
                if promised != target:
                    raise Damaged("an object offset", position)  # [X15]
                return position, target
            self.check_lines(pilot_line, line)
            other, _, *other_place = self.place(found)
            if other_place != [line, slot_number] or other & 63 != slot[0]:
                raise Damaged("a key", position)  # [X17]
            self.block.check_stride_of(position)
            return None
        self.check_lines(pilot_line, line)  # [X16]
        return None

    def damage(self):
        """Offsets of the section header or of lines, each once, ascending."""
        if self.fault:
            return {self.start}
        starts = [(self.pilot_line_at(number), number, True) for number in range(self.pilot_lines)]
        starts += [(self.slot_line_at(number), number, False) for number in range(self.part_count * self.lines_per_part)]
        found = {start for start, number, is_pilots in starts if not self.line_is_right(start, number, is_pilots)}
        if self.block.model.has_bounds:
            found |= self.slot_damage()
        return sorted(found)

    def slot_damage(self):
        """The lines that are not what [X10] makes of the keys of the index and the pilots."""
        wanted, lines = {}, set()
        for offset, key, target in self.block.model.walked:
            digest, _, line, slot_number = self.place(key)
            slot = (digest & 63, offset - self.block.index_offset, target)
            if wanted.setdefault((line, slot_number), slot) != slot:
                lines.add(line)
        for line in range(self.part_count * self.lines_per_part):
            if any(self.slot(line, slot_number) != wanted.get((line, slot_number)) for slot_number in range(self.slots_per_line)):
                lines.add(line)
        return {self.slot_line_at(line) for line in lines}

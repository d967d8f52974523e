"""The extension block of spec/extension.md: what follows the key index of a file that has it.

    file = with_block(canonical({b"a": b"\\x01"}), meta={"source": "x"})
    file.at["HASH"]     # 64: where the section begins
    file.footer         # where the footer begins
    file.put(file.at["HASH"], "Q", 7).sealed()      # another seed, and every CRC-32 made to match

Written from the specification, as slowly as it reads. The hash XXH3-64 comes from the package `xxhash`.
"""

import struct
from dataclasses import dataclass
from zlib import crc32

from fsdb import FILE_CRC32, HEADER_SIZE, File
from msgpack import packb
from xxhash import xxh3_64_intdigest

FOOTER = struct.Struct(">QQIIIHHIIQ")
FOOTER_SIZE = FOOTER.size
DIRECTORY_ENTRY = struct.Struct(">4sIQQII")
FOOTER_MAGIC = int.from_bytes(b"FSDBEXT\n", "big")
#: Where each field of the footer stands, counted from its beginning.
INDEX_END, DIRECTORY_OFFSET, SECTION_COUNT, DIRECTORY_CRC32, HEADER_CRC32 = 0, 8, 16, 20, 24
BLOCK_VERSION, FOOTER_FLAGS, FOOTER_CRC32, BALANCE, MAGIC = 28, 30, 32, 36, 40
#: Where each field of a directory entry stands.
KIND, SECTION_FLAGS, OFFSET, LENGTH, SECTION_CRC32 = 0, 4, 8, 16, 24

LINE = 64
PILOTS_PER_LINE = 31
WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
CHECK = (
    0x7110541D, 0x373C4F35, 0x03622E8D, 0x7C45DC55, 0x0D9CC4B5, 0x29E5CF87, 0x16414D5F, 0x62C2099D, 0x1F72BC49,
)  # fmt: skip
SEEDS = 64
STRIDE = 32


@dataclass
class Section:
    """A section of a kind that the specification does not know, or one whose bytes are given."""

    kind: str
    data: bytes
    flags: int = 0


def ceiling(number, divisor):
    return -(-number // divisor)


def high_low(a, b):
    return a * b >> 64, a * b & WORD


def aligned(position, alignment):
    return ceiling(position, alignment) * alignment


# --- HASH ---


@dataclass
class Shape:
    """The numbers that a canonical writer chooses for a count of keys [X11]."""

    pilot_lines: int
    part_count: int
    lines_per_part: int
    slots_per_line: int
    part_shift: int = 5

    @classmethod
    def canonical(cls, key_count, slots_per_line):
        parts = 1 if key_count <= 4_960 else ceiling(key_count, 4_960)
        pilots = max(1, ceiling(key_count, PILOTS_PER_LINE * 5)) if parts == 1 else 32 * parts
        return cls(pilots, parts, max(1, ceiling(10 * key_count, 9 * parts * slots_per_line)), slots_per_line)

    def pilot_place(self, digest):
        line, rest = high_low(digest, self.pilot_lines)
        return line, high_low(rest, PILOTS_PER_LINE)[0]


def line_check(line, number):
    """The number whose upper bits are the check of a line; the bits of the check are zero in `line`."""
    words = (*struct.unpack("<8Q", line), number + 1)
    return sum(word * factor for word, factor in zip(words, CHECK, strict=True)) * GOLDEN & WORD


def with_pilot_check(line, number):
    return line[:62] + struct.pack(">H", line_check(line[:62] + bytes(2), number) >> 48)


def with_slot_check(line, number):
    word = int.from_bytes(line[:8], "big") & 2**42 - 1
    check = line_check(word.to_bytes(8, "big") + line[8:], number) >> 42
    return (check << 42 | word).to_bytes(8, "big") + line[8:]


def slot_line(slots, number, slots_per_line):
    """A line of slots: (tag, entry, object), or None where one is free."""
    entry_size, object_size = (4, 4) if slots_per_line == 7 else (5, 6)
    free = (0, 256**entry_size - 1, 0)
    word, entries, objects = 0, b"", b""
    for slot_number, (tag, entry, target) in enumerate(slot or free for slot in slots):
        word |= tag << 6 * slot_number
        entries += entry.to_bytes(entry_size, "big")
        objects += target.to_bytes(object_size, "big")
    return with_slot_check((word.to_bytes(8, "big") + entries + objects).ljust(LINE, b"\x00"), number)


def smallest_pilot(shape, digests, taken, pilots=range(2**16)):
    """(pilot, numbers of slots in the part) that puts all digests into free, different slots, or None."""
    lines, slots_per_line = shape.lines_per_part, shape.slots_per_line
    for pilot in pilots:
        chosen = []
        for digest in digests:
            # The tightest loop of all: the slot is line × slots_per_line + its number, written out.
            product = ((digest ^ pilot) * GOLDEN & WORD) * lines
            slot = (product >> 64) * slots_per_line + ((product & WORD) * slots_per_line >> 64)
            if taken[slot] or slot in chosen:
                break
            chosen.append(slot)
        else:
            return pilot, chosen
    return None


def place_keys(shape, digests):
    """({place of a pilot: pilot}, {digest: (line, slot_number)}), or None when this seed fails."""
    buckets = [{} for _ in range(shape.part_count)]
    for digest in digests:
        place = shape.pilot_place(digest)
        buckets[place[0] >> shape.part_shift].setdefault(place, []).append(digest)
    pilots, slots = {}, {}
    for part, of_part in enumerate(buckets):
        if sum(map(len, of_part.values())) > shape.lines_per_part * shape.slots_per_line:
            return None
        taken = bytearray(shape.lines_per_part * shape.slots_per_line)
        for place, members in sorted(of_part.items(), key=lambda bucket: (-len(bucket[1]), bucket[0])):
            found = smallest_pilot(shape, members, taken) if len(members) <= 255 else None
            if found is None:
                return None
            pilots[place], chosen = found
            for digest, slot in zip(members, chosen, strict=True):
                taken[slot] = 1
                slots[digest] = (part * shape.lines_per_part + slot // shape.slots_per_line, slot % shape.slots_per_line)
    return pilots, slots


def canonical_seeds(file):
    """The seeds that a canonical writer tries: the first is 0, the others depend on every byte of the key index [X11]."""
    yield 0
    index = bytes(file.data[file.index : file.index_end])
    for number in range(1, SEEDS):
        yield xxh3_64_intdigest(index, number)


def hash_section(file, slots_per_line=None, seeds=None, shape=None):
    """The bytes of HASH, or None when every seed has failed."""
    keys = list(file.index_entries())
    shape = shape or Shape.canonical(len(keys), slots_per_line or (7 if file.index_end < 2**32 else 5))
    for seed in seeds or canonical_seeds(file):
        digests = [xxh3_64_intdigest(key, seed) for _, key, _ in keys]
        # Two keys of one digest share every slot: no pilot parts them.
        placed = place_keys(shape, digests) if len(set(digests)) == len(digests) else None
        if placed:
            return hash_bytes(file, shape, seed, dict(zip(digests, keys, strict=True)), *placed)
    return None


def hash_bytes(file, shape, seed, keys, pilots, slots):
    header = struct.pack(
        ">QQQQBB26x", seed, shape.pilot_lines, shape.part_count, shape.lines_per_part, shape.part_shift, shape.slots_per_line
    )
    pilot_lines = [[0] * PILOTS_PER_LINE for _ in range(shape.pilot_lines)]
    for (line, place), pilot in pilots.items():
        pilot_lines[line][place] = pilot
    slot_lines = [[None] * shape.slots_per_line for _ in range(shape.part_count * shape.lines_per_part)]
    for digest, (line, slot_number) in slots.items():
        start, _, target = keys[digest]
        slot_lines[line][slot_number] = (digest & 63, start - file.index, target)
    return b"".join(
        [
            header + struct.pack(">I", crc32(header)),
            *(with_pilot_check(struct.pack(">31H2x", *line), number) for number, line in enumerate(pilot_lines)),
            *(slot_line(line, number, shape.slots_per_line) for number, line in enumerate(slot_lines)),
        ]
    )


# --- ORDR, META ---


def order_section(file):
    starts = [*file.entries[::STRIDE], file.index_end]
    return b"".join(
        struct.pack(">QI", start, crc32(file.data[start:end], crc32(struct.pack(">Q", number))))
        for number, (start, end) in enumerate(zip(starts, starts[1:], strict=False))
    )


def meta_section(meta):
    return packb(dict(sorted(meta.items(), key=lambda pair: pair[0].encode())))


# --- the block ---


def step_back(register, bits=8):
    """The register of CRC-32 before it took that many zero bits."""
    for _ in range(bits):
        register = (register ^ 0xEDB88320) << 1 | 1 if register >> 31 else register << 1
    return register


def balance(before, wanted):
    """The four bytes that lead from the CRC-32 `before` to `wanted`, with the magic after them."""
    register = wanted ^ 0xFFFFFFFF
    for byte in reversed(FOOTER_MAGIC.to_bytes(8, "big")):
        register = step_back(register) ^ byte
    return (step_back(register, 32) ^ before ^ 0xFFFFFFFF).to_bytes(4, "little")


class BlockFile(File):
    """A file with the block. `at` maps the kind of each section to its offset; `directory` and `footer` are offsets."""

    def __init__(self, data, plain, sections):
        super().__init__(data, plain.records, plain.index, plain.entries)
        self.index_end = plain.index_end
        self.sections = sections
        self.at = {kind: offset for kind, offset, _ in reversed(sections)}
        self.footer = len(data) - FOOTER_SIZE
        self.directory = self.footer - DIRECTORY_ENTRY.size * len(sections)

    def copy(self):
        return BlockFile(self.data, self, self.sections)

    def directory_entry(self, kind):
        """Where the directory speaks of a section."""
        return self.directory + DIRECTORY_ENTRY.size * [section[0] for section in self.sections].index(kind)

    def length(self, kind):
        return next(length for found, _, length in self.sections if found == kind)

    @property
    def slot_lines(self):
        """Where the slot lines of HASH begin."""
        return self.at["HASH"] + LINE * (1 + self.get(self.at["HASH"] + 8, "Q"))

    def slot(self, key):
        """Of a file of one part and 7 slots a line: (offset of its pilot, offset of its slot line, number of its slot)."""
        start = self.at["HASH"]
        shape = Shape(self.get(start + 8, "Q"), 1, self.get(start + 24, "Q"), 7)
        digest = xxh3_64_intdigest(key, self.get(start, "Q"))
        pilot_line, place = shape.pilot_place(digest)
        pilot = start + LINE * (1 + pilot_line) + 2 * place
        slot = smallest_pilot(shape, [digest], bytearray(7 * shape.lines_per_part), [self.get(pilot, "H")])[1][0]
        return pilot, self.slot_lines + LINE * (slot // 7), slot % 7

    def get(self, offset, layout):
        return struct.unpack_from(">" + layout, self.data, offset)[0]

    # --- making checks match again after a change, from the inside out ---

    def lines_mended(self):
        """A copy in which the checks of all lines, and that of the section header, are right."""
        changed, start = self.copy(), self.at["HASH"]
        struct.pack_into(">I", changed.data, start + 60, crc32(changed.data[start : start + 60]))
        pilot_lines, lines = self.get(start + 8, "Q"), self.length("HASH") // LINE - 1
        for line in range(lines):
            place = start + LINE * (1 + line)
            number = line if line < pilot_lines else line - pilot_lines
            with_check = with_pilot_check if line < pilot_lines else with_slot_check
            changed.data[place : place + LINE] = with_check(bytes(changed.data[place : place + LINE]), number)
        return changed

    def strides_mended(self):
        """A copy in which the CRC-32 of every stride is that of the bytes between two rows."""
        changed, start = self.copy(), self.at["ORDR"]
        rows = range(start, start + self.length("ORDR"), 12)
        ends = [*(self.get(row, "Q") for row in rows[1:]), self.index_end]
        for number, (row, end) in enumerate(zip(rows, ends, strict=True)):
            entries = changed.data[self.get(row, "Q") : end]
            struct.pack_into(">I", changed.data, row + 8, crc32(entries, crc32(struct.pack(">Q", number))))
        return changed

    def sections_mended(self):
        """A copy in which the directory has the CRC-32 of every section."""
        changed = self.copy()
        for number, (_, offset, length) in enumerate(self.sections):
            place = self.directory + number * DIRECTORY_ENTRY.size + SECTION_CRC32
            struct.pack_into(">I", changed.data, place, crc32(changed.data[offset : offset + length]))
        return changed

    def footer_mended(self, directory=True, file=True, header=True):
        """A copy in which directory_crc32, file_crc32, header_crc32, footer_crc32 and balance are right."""
        changed = self.copy()
        if directory:
            struct.pack_into(">I", changed.data, self.footer + DIRECTORY_CRC32, crc32(changed.data[self.directory : self.footer]))
        if file:
            struct.pack_into(">I", changed.data, FILE_CRC32, crc32(changed.data[HEADER_SIZE : self.footer]))
        if header:
            struct.pack_into(">I", changed.data, self.footer + HEADER_CRC32, crc32(changed.data[:HEADER_SIZE]))
        footer = changed.data[self.footer : self.footer + FOOTER_CRC32]
        struct.pack_into(">I", changed.data, self.footer + FOOTER_CRC32, crc32(footer))
        return changed.balanced()

    def balanced(self):
        """A copy whose balance gives the whole file its file_crc32, whatever else is wrong."""
        changed = self.copy()
        before = crc32(changed.data[HEADER_SIZE : self.footer + BALANCE])
        changed.data[self.footer + BALANCE : self.footer + MAGIC] = balance(before, changed.get(FILE_CRC32, "I"))
        return changed

    def sealed(self, lines=False, strides=False):
        """A copy whose CRC-32s of sections, directory, header, file and footer are right again."""
        changed = self.lines_mended() if lines else self
        changed = changed.strides_mended() if strides else changed
        return changed.sections_mended().footer_mended()


def block_sections(file, meta=None, slots_per_line=None, without=()):
    """The sections of a canonical block; those named in `without` are left out."""
    sections = []
    if "HASH" not in without and (data := hash_section(file, slots_per_line)) is not None:
        sections.append(Section("HASH", data))
    if "ORDR" not in without:
        sections.append(Section("ORDR", order_section(file)))
    if meta is not None:
        sections.append(Section("META", meta if isinstance(meta, bytes) else meta_section(meta)))
    return sections


def assemble_block(file, sections):
    """The plain `file` with a block of these sections after it."""
    data, placed, first = bytearray(file.data), [], True
    for section in sections:
        alignment = LINE if first or section.kind == "HASH" else 8
        data += bytes(aligned(len(data), alignment) - len(data))
        placed.append((section.kind, len(data), len(section.data)))
        data += section.data
        first = False
    data += bytes(aligned(len(data), 8) - len(data))
    directory = len(data)
    for section, (kind, offset, length) in zip(sections, placed, strict=True):
        data += DIRECTORY_ENTRY.pack(kind.encode(), section.flags, offset, length, crc32(section.data), 0)
    data += FOOTER.pack(file.index_end, directory, len(sections), 0, 0, 1, 0, 0, 0, FOOTER_MAGIC)
    return BlockFile(data, file, placed).footer_mended()


def with_block(file, meta=None, slots_per_line=None, without=(), extra=()):
    """The plain `file` with a block. Without options the block is the canonical one, byte for byte."""
    return assemble_block(file, [*block_sections(file, meta, slots_per_line, without), *extra])

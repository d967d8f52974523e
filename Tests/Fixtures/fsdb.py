"""A tiny, honest encoder of FSDB version 2: struct and zlib, nothing of either implementation.

    file = canonical({b"a": b"\\x01", b"b": b"\\x01"})
    file.records        # [40]: where each object record starts
    file.entries        # [49, 60]: where each index entry starts
    bytes(file)         # the file

A `File` remembers where its parts lie, so that a mutation can name the part it damages.
"""

import struct
import zlib

MAGIC = b"FSDB"
HEADER = struct.Struct(">4sBBHIIQQII")
HEADER_SIZE = HEADER.size

#: Where each header field starts.
VERSION, FLAGS, PAD, NUM_KEYS, NUM_OBJECTS = 4, 5, 6, 8, 12
INDEX_OFFSET, DATA_OFFSET, FILE_CRC32, RESERVED = 16, 24, 32, 36


def crc32(data):
    return zlib.crc32(data) & 0xFFFFFFFF


def record(value, length=None, checksum=None):
    """One object record. `length` and `checksum` are what the record claims, right unless given."""
    length = len(value) if length is None else length
    checksum = crc32(value) if checksum is None else checksum
    return struct.pack(">II", length, checksum) + value


def entry(key, offset):
    """One index entry."""
    return struct.pack(">H", len(key)) + key + struct.pack(">Q", offset)


class File:
    """A file and where its parts lie: `records`, `index` and `entries` are offsets."""

    def __init__(self, data, records, index, entries):
        self.data, self.records, self.index, self.entries = bytearray(data), records, index, entries
        self.index_end = len(data)

    def __bytes__(self):
        return bytes(self.data)

    def __len__(self):
        return len(self.data)

    def index_entries(self):
        """(offset, key, object offset) of every index entry."""
        for start, end in zip(self.entries, [*self.entries[1:], self.index_end], strict=False):
            yield start, bytes(self.data[start + 2 : end - 8]), struct.unpack_from(">Q", self.data, end - 8)[0]

    def targets(self):
        """The offsets that index entries point at."""
        return {target for _, _, target in self.index_entries()}

    def copy(self):
        return File(self.data, list(self.records), self.index, list(self.entries))

    def put(self, offset, layout, number):
        """A copy with one big-endian number overwritten; `layout` is a struct letter."""
        changed = self.copy()
        struct.pack_into(">" + layout, changed.data, offset, number)
        return changed

    def flip(self, offset, bit=0):
        """A copy with one bit flipped."""
        changed = self.copy()
        changed.data[offset] ^= 1 << bit
        return changed

    def cut(self, size):
        """A copy cut to `size` bytes."""
        changed = self.copy()
        del changed.data[size:]
        return changed

    def append(self, more):
        """A copy with bytes after its end."""
        changed = self.copy()
        changed.data += more
        return changed

    def sealed(self):
        """A copy whose file_crc32 is right again, so that the deeper checks have to find the damage."""
        return self.put(FILE_CRC32, "I", crc32(self.data[HEADER_SIZE:]))


def assemble(parts, keys, num_keys=None, num_objects=None):
    """A file of `parts` (records, or whatever shall lie in the data section) and `keys`: pairs of a
    key and the number of its part, in the order in which they stand in the index."""
    data, records = bytearray(), []
    for part in parts:
        records.append(HEADER_SIZE + len(data))
        data += part
    index = HEADER_SIZE + len(data)
    entries = []
    for key, number in keys:
        entries.append(HEADER_SIZE + len(data))
        data += entry(key, records[number])
    header = HEADER.pack(
        MAGIC, 2, 0, 0,
        len(keys) if num_keys is None else num_keys,
        len(parts) if num_objects is None else num_objects,
        index, HEADER_SIZE, crc32(data), 0,
    )  # fmt: skip
    return File(header + data, records, index, entries)


def canonical(mapping):
    """The canonical file of a mapping: keys ascending, each object once, in the order of its first key."""
    numbers, keys = {}, []
    for key in sorted(mapping):
        keys.append((key, numbers.setdefault(mapping[key], len(numbers))))
    return assemble([record(value) for value in numbers], keys)


def insertion(calls):
    """The file that 0.3.0 writes for a sequence of calls: pairs of an object and its keys.
    Every object stays, in the order added; a key added again points at the later object."""
    targets = {key: number for number, (_, keys) in enumerate(calls) for key in keys}
    return assemble([record(value) for value, _ in calls], sorted(targets.items()))

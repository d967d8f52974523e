"""A slow, obviously right reader: the whole file as bytes, every rule in the order of the format.

model = Model(path.read_bytes())
model.mapping           # {b"a": b"\\x81\\xa1n\\x01", …}: every key of a sound file
model.damage            # {("count", 8), …}: what verify has to list
"""

import struct
import zlib
from functools import cached_property

from spelling import is_value

HEADER_SIZE = 40


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
        """(offset, key, object offset) of every whole index entry, to the end of the file."""
        found, position = [], self.header["index_offset"]
        while (end := self.entry_end(position)) is not None:
            found.append((position, self.data[position + 2 : end - 8], struct.unpack_from(">Q", self.data, end - 8)[0]))
            position = end
        return found

    def entry_end(self, position):
        if position + 2 > len(self.data):
            return None
        end = position + 2 + struct.unpack_from(">H", self.data, position)[0] + 8
        return end if end <= len(self.data) else None

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
                checksum, value = self.record(target) or (None, b"")
                if checksum != zlib.crc32(value):
                    raise ValueError(f"the object at {target} is damaged")
                return value
        return None

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

    @cached_property
    def damage(self):
        """Pairs of kind and offset."""
        if len(self.data) < HEADER_SIZE:
            return {("truncated", len(self.data))}
        if self.header["magic"] != b"FSDB":
            return {("magic", 0)}
        if self.header["version"] != 2:
            return {("version", 4)}
        return set(self.header_damage()) | (set(self.body_damage()) if self.has_bounds else set())

    @property
    def has_bounds(self):
        return HEADER_SIZE <= self.header["index_offset"] <= len(self.data)

    def header_damage(self):
        for name, offset, sound in (("flags", 5, 0), ("pad", 6, 0), ("data_offset", 24, HEADER_SIZE), ("reserved", 36, 0)):
            if self.header[name] != sound:
                yield "header", offset
        if not self.has_bounds:
            yield "header" if self.header["index_offset"] < HEADER_SIZE else "truncated", 16
        if self.header["file_crc32"] != zlib.crc32(self.data[HEADER_SIZE:]):
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

        promised, counted, before, end = self.header["num_keys"], 0, None, self.header["index_offset"]
        for offset, key, target in self.entries:
            ascends, has_target = before is None or key > before, target in (*starts, *gaps)
            if counted >= promised and not (ascends and has_target):
                break
            if not ascends:
                yield "keyOrder", offset
            if not has_target:
                yield "keyTarget", offset
            before, counted, end = key, counted + 1, self.entry_end(offset)
        if end < len(self.data) and counted < promised:
            yield "keyBounds", end
            return
        if counted != promised:
            yield "count", 8
        if end < len(self.data):
            yield "trailingBytes", end

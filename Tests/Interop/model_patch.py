"""A slow applier of patches, written from spec/patch.md alone, and a packer of bodies.

apply(patch, old)            # the new file's bytes, or PatchError
pack(old, new, body)         # a patch with right checksums and any body
"""

import ctypes
import ctypes.util
import struct
import zlib

from block import with_block
from fsdb import File, record

from model import Model

HEAD = struct.Struct(">6sHQQQI")

zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
for name in ("ZSTD_compress", "ZSTD_decompress", "ZSTD_compressBound", "ZSTD_findFrameCompressedSize"):
    getattr(zstd, name).restype = ctypes.c_size_t


class PatchError(Exception):
    pass


def need(condition, what):
    if not condition:
        raise PatchError(what)


def squeeze(body, level=3):
    out = ctypes.create_string_buffer(zstd.ZSTD_compressBound(ctypes.c_size_t(len(body))))
    size = zstd.ZSTD_compress(out, ctypes.c_size_t(len(out)), body, ctypes.c_size_t(len(body)), level)
    return ctypes.string_at(out, size)


def unsqueeze(frame, bound=1 << 20):
    size = zstd.ZSTD_findFrameCompressedSize(frame, ctypes.c_size_t(len(frame)))
    need(size == len(frame), "[U4] one frame, and nothing else")
    out = ctypes.create_string_buffer(bound)
    size = zstd.ZSTD_decompress(out, ctypes.c_size_t(bound), frame, ctypes.c_size_t(len(frame)))
    need(size <= bound, "[U4] a frame")
    return ctypes.string_at(out, size)


def seal(old_length, new_length, rest, magic=b"FSDPAT", version=1):
    head = HEAD.pack(magic, version, 40 + len(rest), old_length, new_length, zlib.crc32(rest))
    return head + struct.pack(">I", zlib.crc32(head)) + rest


def pack(old, new, body):
    return seal(len(old), len(new), old[:40] + new[:40] + squeeze(body))


class Body:
    def __init__(self, data):
        self.data, self.place = data, 0

    def bytes(self, count):
        need(count <= len(self.data) - self.place, "[U4] the end")
        self.place += count
        return self.data[self.place - count : self.place]

    def number(self):
        value, shift = 0, 0
        while True:
            need(shift < 63, "[U5] nine bytes")
            byte = self.bytes(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(byte or not shift, "[U5] shortest")
                return value
            shift += 7

    def operation(self):
        number = self.number()
        return number & 3, number >> 2


def signed(number):
    return number // 2 if number % 2 == 0 else -(number + 1) // 2


def contents(file):
    """(objects, [(key, number of its object)]) of a file."""
    model = Model(file)
    numbers = {start: number for number, start in enumerate(model.starts)}
    return model.objects, [(key, numbers[target]) for _, key, target in model.entries]


def rebuilt(plain, meta):
    """The plain file with the canonical block."""
    model = Model(plain)
    entries = [offset for offset, _, _ in model.entries]
    return bytes(with_block(File(plain, model.starts, model.header["index_offset"], entries), meta))


def header_of(file):
    return struct.unpack(">4sBBHIIQQII", file[:40])


def apply(patch, old):
    magic, version, length, old_length, new_length, rest_crc = HEAD.unpack(patch[:36])
    need((magic, version) == (b"FSDPAT", 1), "[U1]")
    need(length == len(patch) and rest_crc == zlib.crc32(patch[40:]), "[U2]")
    need(struct.unpack(">I", patch[36:40])[0] == zlib.crc32(patch[:36]), "[U2]")
    need(old_length == len(old) and patch[40:80] == old[:40], "[U7]")
    need(zlib.crc32(old[40:]) == header_of(old)[8], "[U8]")
    body = Body(unsqueeze(patch[120:]))
    new_header = patch[80:120]
    _, _, _, _, keys, objects, index_offset, _, crc, _ = header_of(new_header)

    records, entries = contents(old)
    new, starts, successors = bytearray(new_header), [], {}
    cursor, moved = 0, False
    while len(new) < index_offset:
        kind, argument = body.operation()
        need(kind != 3 or not moved, "[U10] twice")
        moved = kind == 3
        if kind == 0:
            need(0 < argument <= len(records) - cursor, "[U10] copies")
            for number in range(cursor, cursor + argument):
                successors[number] = (len(starts), True)
                starts.append(len(new))
                new += record(records[number])
            cursor += argument
        elif kind == 1:
            need(cursor < len(records), "[U10] edit")
            made, rest = b"", records[cursor]
            for _ in range(argument):
                kept, dropped, inserted = body.number(), body.number(), body.number()
                need(kept + dropped <= len(rest) and dropped + inserted > 0, "[U10] edit")
                made += rest[:kept] + body.bytes(inserted)
                rest = rest[kept + dropped :]
            successors.setdefault(cursor, (len(starts), False))
            starts.append(len(new))
            new += record(made + rest)
            cursor += 1
        elif kind == 2:
            starts.append(len(new))
            new += record(body.bytes(argument))
        else:
            need(signed(argument) != 0 and 0 <= cursor + signed(argument) < len(records), "[U10] cursor")
            cursor += signed(argument)
    need(len(new) == index_offset and len(starts) == objects, "[U9]")

    place, frontier, written, added, last = 0, 0, 0, b"", None

    def write(key, target):
        nonlocal new, frontier, written, last
        need(0 <= target < len(starts), "[U13] target")
        need(last is None or last < key, "[U14]")
        new += struct.pack(">H", len(key)) + key + struct.pack(">Q", starts[target])
        frontier, written, last = max(frontier, target + 1), written + 1, key

    while written < keys:
        kind, argument = body.operation()
        if kind in (0, 1):
            need(0 < argument <= len(entries) - place, "[U13] entries")
            need(kind == 1 or argument <= keys - written, "[U13] entries")
            for key, number in entries[place : place + argument]:
                if kind == 0:
                    need(number in successors, "[U13] successor")
                    write(key, successors[number][0])
            place += argument
        elif kind == 2:
            need(place < len(entries), "[U13] entries")
            write(entries[place][0], frontier + signed(argument))
            place += 1
        else:
            need(argument <= len(added), "[U13] shared")
            added = added[:argument] + body.bytes(body.number())
            need(len(added) <= 65_535, "[U13] key")
            write(added, frontier + signed(body.number()))

    kind = body.number()
    need(kind <= 2, "[U15]")
    if kind == 1:
        meta = body.bytes(body.number()) if body.number() else None
        new = rebuilt(bytes(new), meta)
    elif kind == 2:
        new += body.bytes(new_length - len(new))
    need(body.place == len(body.data), "[U4] all of it")
    need(len(new) == new_length and zlib.crc32(new[40:]) == crc and new[:40] == new_header, "[U16]")
    return bytes(new)

"""Files of version 3, the compact form: a whole writer and a whole reader, short and slow, and meant to be read.

    python3 compact.py FILE.fsdb OUTPUT        # makes a compact file of one of version 2, and says what each part of it takes

spec/compact.md specifies the form, and spec/decisions/0041-compact.md says why it is so. All integers are unsigned and big-endian, unless it says so.
"""

import bisect
import collections
import heapq
import ipaddress
import struct
import sys
import zlib

import xxhash

from networks import Networks, Shown
from reader import Damaged, metadata_of

MASK, GOLDEN = 2**64 - 1, 0x9E3779B97F4A7C15
WEIGHTS = (0x7110541D, 0x373C4F35, 0x03622E8D, 0x7C45DC55, 0x0D9CC4B5, 0x29E5CF87, 0x16414D5F, 0x62C2099D, 0x1F72BC49)
BLOCK, LONGEST_SUFFIX = 256, 160


def require(condition, sentence):
    if not condition:
        raise Damaged("corrupted", sentence)


def crc(*parts):
    value = 0
    for part in parts:
        value = zlib.crc32(part, value)
    return value.to_bytes(4, "big")


def varint(number):
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data, at):
    number = shift = 0
    while True:
        require(at < len(data) and shift < 63, "a number ends early or is too long")
        number |= (data[at] & 127) << shift
        if data[at] < 128:
            require(data[at] or not shift, "a number is not spelled in its shortest way")
            return number, at + 1
        at, shift = at + 1, shift + 7


# --- MessagePack: where values begin and end ---

FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
         0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17}
SIZED = {0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1), 0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0)}


class Node:
    """A value in MessagePack: its kind, its bytes, and what is in it."""

    __slots__ = ("kind", "bytes", "inside", "is_shortest")

    def __init__(self, kind, data, inside=(), is_shortest=True):
        self.kind, self.bytes, self.inside, self.is_shortest = kind, data, inside, is_shortest


def parse(data, at=0):
    """The value that begins at a place, and where it ends."""
    start, head = at, data[at]
    if head < 0x80 or head >= 0xE0:
        return Node("int", data[at : at + 1]), at + 1
    if 0xA0 <= head < 0xC0:
        end = at + 1 + (head & 31)
        return Node("str", data[at:end]), end
    if 0x80 <= head < 0xA0:
        kind, count, at, shortest = ("map" if head < 0x90 else "array"), head & 15, at + 1, True
    elif 0xDC <= head:
        kind, width = ("array" if head < 0xDE else "map"), 2 << (head & 1)
        count, at = int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width
        shortest = count > (15 if width == 2 else 0xFFFF)
    elif head in FIXED:
        end = at + 1 + FIXED[head]
        return Node({0xC0: "nil", 0xC2: "false", 0xC3: "true", 0xCA: "float", 0xCB: "double"}.get(head, "int" if head < 0xD4 else "other"), data[at:end]), end
    else:
        width, more = SIZED[head]
        size = int.from_bytes(data[at + 1 : at + 1 + width], "big")
        end = at + 1 + width + more + size
        kind = "str" if head >= 0xD9 else "other"
        return Node(kind, data[at:end], is_shortest=size > {1: 31, 2: 255, 4: 65535}[width]), end
    inside = []
    for _ in range(count * (2 if kind == "map" else 1)):
        node, at = parse(data, at)
        inside.append(node)
    return Node(kind, data[start:at], inside, shortest), at


def parsed(data, at, levels=128):
    """The same of bytes that may be anything, with so many levels of arrays and maps at most."""
    try:
        node, end = parse(data, at)
    except (IndexError, KeyError, RecursionError):
        raise Damaged("corrupted", "what should be MessagePack is none") from None
    require(end <= len(data), "MessagePack ends early")
    require(levels_of(node) <= levels, "MessagePack is nested too deeply")
    return node, end


def levels_of(node):
    return (node.kind in ("array", "map")) + max(map(levels_of, node.inside), default=0)


def text_of(node):
    """The bytes of a text without their head."""
    head = node.bytes[0]
    return node.bytes[1 if head < 0xC0 else 1 + (1 << head - 0xD9) :]


def shortest_int(node):
    """The number of an int that is spelled in its shortest way, else None."""
    head = node.bytes[0]
    if len(node.bytes) == 1:
        return head if head < 0x80 else head - 256
    number = int.from_bytes(node.bytes[1:], "big", signed=head >= 0xD0)
    least = {0xCC: 0x80, 0xCD: 0x100, 0xCE: 0x10000, 0xCF: 2**32, 0xD0: -128, 0xD1: -(2**15), 0xD2: -(2**31), 0xD3: -(2**63)}[head]
    if head < 0xD0:
        return number if number >= least else None
    return number if number < {0xD0: -32, 0xD1: -128, 0xD2: -(2**15), 0xD3: -(2**31)}[head] else None


# --- which shapes and parts there are ---

def names_of(node):
    """The names of a map's members as one text of bytes, where they can be a shape."""
    if not node.is_shortest or not 1 <= len(node.inside) // 2 <= 255:
        return None
    keys = node.inside[::2]
    if any(key.kind != "str" or not key.is_shortest for key in keys):
        return None
    names = b"".join(key.bytes for key in keys)
    return names if len(names) <= 4096 and len({key.bytes for key in keys}) == len(keys) else None


class Tables:
    """What rows lean on: maps with the names of at least two maps, and values of 10 to 4,096 bytes that stand twice."""

    def __init__(self, objects):
        parts, shapes = collections.Counter(), collections.Counter()
        for data in objects:
            self.count(parse(data)[0], parts, shapes, True)
        by_count = lambda counter: sorted((item for item in counter if counter[item] > 1), key=lambda item: (-counter[item], item))
        self.shapes, self.parts = by_count(shapes)[: 2**16], by_count(parts)
        self.shape_of = {names: number for number, names in enumerate(self.shapes)}
        self.part_of = {data: number for number, data in enumerate(self.parts)}

    def count(self, node, parts, shapes, is_object):
        if not is_object and 10 <= len(node.bytes) <= 4096:
            parts[node.bytes] += 1
        if node.kind == "map" and (names := names_of(node)) is not None:
            shapes[names] += 1
            inside = node.inside[1::2]
        else:
            inside = node.inside
        for value in inside:
            self.count(value, parts, shapes, False)


# --- rows ---

def decimal_of(data):
    """(exponent, number) where a double is number / 10^exponent, the smallest exponent of 0 to 6 that does; else None."""
    (value,) = struct.unpack(">d", data)
    for exponent in range(7):
        scaled = value * 10.0**exponent
        if not abs(scaled) < 2**31:
            return None
        number = round(scaled)
        if struct.pack(">d", number / 10.0**exponent) == data and -(2**31) <= number < 2**31:
            return exponent, number
    return None


def row_of(node, tables, own=None):
    """A value as rows and parts have it; `own` is the part that is being written."""
    if node.bytes != own and node.bytes in tables.part_of:
        number = tables.part_of[node.bytes]
        for head, bits, size in ((0xC0, 5, 1), (0xE0, 3, 2), (0xE8, 2, 3)):
            if number < 1 << bits + 8 * size:
                return bytes([head | number >> 8 * size]) + (number & (1 << 8 * size) - 1).to_bytes(size, "big")
        return b"\xec" + number.to_bytes(4, "big")
    raw = b"\xef" + node.bytes
    if not node.is_shortest or node.kind in ("other", "float"):
        return raw
    if node.kind in ("nil", "false", "true"):
        return {"nil": b"\xf0", "false": b"\xf1", "true": b"\xf2"}[node.kind]
    if node.kind == "double":
        found = decimal_of(node.bytes[1:])
        if found is None:
            return raw
        exponent, number = found
        size = next(size for size in (1, 2, 3, 4) if -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1)
        return bytes([0xEE, exponent << 4 | size]) + number.to_bytes(size, "big", signed=True)
    if node.kind == "int":
        number = shortest_int(node)
        if number is None or number >= 2**32 or number < 0:
            return raw
        if number < 128:
            return bytes([number])
        size = (number.bit_length() + 7) // 8
        return bytes([0xF2 + size]) + number.to_bytes(size, "big")
    if node.kind == "str":
        text = text_of(node)
        return (bytes([0x90 + len(text)]) if len(text) < 32 else b"\xf7" + varint(len(text))) + text
    if node.kind == "array":
        head = bytes([0x80 + len(node.inside)]) if len(node.inside) < 16 else b"\xf8" + varint(len(node.inside))
        return head + b"".join(row_of(value, tables) for value in node.inside)
    names = names_of(node)
    if names in tables.shape_of:
        number = tables.shape_of[names]
        head = bytes([0xB0 + number]) if number < 16 else b"\xed" + varint(number)
        return head + b"".join(row_of(value, tables) for value in node.inside[1::2])
    return b"\xf9" + varint(len(node.inside) // 2) + b"".join(
        value.bytes if place % 2 == 0 else row_of(value, tables) for place, value in enumerate(node.inside))


# --- symbols ---

class Symbols:
    """Up to 255 texts of one to eight bytes, each of which is written as one byte; 255 stands before a byte that is none of them."""

    def __init__(self, symbols):
        self.symbols, self.of = symbols, {symbol: number for number, symbol in enumerate(symbols)}

    @classmethod
    def trained(cls, keys):
        """Of runs of 16 keys, evenly over all, at most 1,024; of each run the first key, and of the others what they don't share with it."""
        runs, sample = min(len(keys) // 16 + 1, 1024), []
        for run in range(runs):
            first = run * len(keys) // runs
            for key in keys[first : first + 16]:
                sample.append(key if key is keys[first] else key[shared(keys[first], key) :])
        symbols = cls([])
        for _ in range(8):
            gains = collections.Counter()
            for text in sample:
                last = b""
                for token in symbols.tokens(text):
                    gains[token] += len(token) if len(token) > 1 else 4
                    if last and len(last + token) <= 8:
                        gains[last + token] += len(last + token)
                    last = token
            symbols = cls(sorted(gains, key=lambda token: (-gains[token], token))[:255])
        return symbols

    def tokens(self, text):
        """The longest symbol at each place, or the one byte that is there."""
        at = 0
        while at < len(text):
            size = next((size for size in range(min(8, len(text) - at), 0, -1) if text[at : at + size] in self.of), 1)
            yield text[at : at + size]
            at += size

    def coded(self, text):
        return b"".join(bytes([self.of[token]]) if token in self.of else b"\xff" + token for token in self.tokens(text))

    def decoded(self, data):
        out, at = bytearray(), 0
        while at < len(data):
            if data[at] == 255:
                require(at + 1 < len(data), "a byte is missing after 255")
                out.append(data[at + 1])
                at += 2
            else:
                require(data[at] < len(self.symbols), "there is no such symbol")
                out += self.symbols[data[at]]
                at += 1
        return bytes(out)


class Raw:
    """Instead of symbols: the bytes themselves."""

    symbols = []
    coded = decoded = staticmethod(bytes)


def shared(first, second):
    """How many bytes two keys begin with alike, at most 255."""
    count = 0
    for left, right in zip(first[:255], second):
        if left != right:
            break
        count += 1
    return count


# --- writing ---

def blocks_of(keys, references, width, symbols):
    """Blocks of 256 bytes, what stands beside them for long keys, and of each key the place: 256 × block + offset in it."""
    blocks, long_keys, places, at = [], bytearray(), [], 0
    while at < len(keys):
        first, head, body, count = at, keys[at], bytearray(), 0
        while at < len(keys) and count < 255:
            key = keys[at]
            common = shared(head, key) if count and head is not None else 0
            suffix, sizes = symbols.coded(key[common:]), None
            if len(suffix) > LONGEST_SUFFIX:
                suffix, common, is_long = struct.pack(">QI", len(long_keys), len(key)), 0, True
            else:
                is_long = False
            size = 255 if is_long else len(suffix)
            entry = bytes([min(common, 15) << 4 | min(size, 15)])
            entry += (bytes([common]) if common >= 15 else b"") + (bytes([size]) if size >= 15 else b"")
            entry += references[at].to_bytes(width, "big") + suffix
            if 9 + len(body) + len(entry) > BLOCK:
                break
            if is_long:
                long_keys += crc(key) + key
                head = None if count == 0 else head
            places.append(BLOCK * len(blocks) + 9 + len(body))
            body += entry
            count, at = count + 1, at + 1
        rest = struct.pack(">IB", first, count) + bytes(body).ljust(BLOCK - 9, b"\0")
        blocks.append(crc(struct.pack(">Q", len(blocks)), rest) + rest)
    return blocks, bytes(long_keys), places


def slots_of(keys, places, block_count):
    """The section HASH with slots of 32 or 40 bits, after [X10] and [X11] of extension.md, but for the slots themselves."""
    bits = 8 + max(1, (block_count - 1).bit_length())
    width, per_line = (4, 15) if 32 - bits >= 4 else (5, 12)
    parts = 1 if len(keys) <= 4960 else -(-len(keys) // 4960)
    pilot_lines = max(1, -(-len(keys) // 155)) if parts == 1 else 32 * parts
    lines = max(1, -(-10 * len(keys) // (9 * parts * per_line)))
    for attempt in range(64):
        seed = 0 if attempt == 0 else xxhash.xxh3_64_intdigest(b"".join(keys), attempt)
        found = placed(keys, seed, pilot_lines, parts, lines, per_line)
        if found:
            break
    else:
        raise ValueError("no seed works for these keys")
    pilots, slot_of = found
    table = [(1 << 8 * width) - 1] * (parts * lines * per_line)
    for key, place, slot in zip(keys, places, slot_of):
        tag = xxhash.xxh3_64_intdigest(key, seed) & (1 << 8 * width - bits) - 1
        table[slot] = place << 8 * width - bits | tag
    head = struct.pack(">QQQQBB26x", seed, pilot_lines, parts, lines, 5, per_line)
    out = [head + crc(head)]
    for number in range(pilot_lines):
        out.append(checked(struct.pack(">31H", *pilots[31 * number : 31 * number + 31]), number, 2))
    for number in range(parts * lines):
        out.append(checked(b"".join(slot.to_bytes(width, "big") for slot in table[per_line * number : per_line * (number + 1)]), number, 4))
    return b"".join(out)


def checked(content, number, size):
    """A line of 64 bytes with its check at the end: the highest bits of the sum of extension.md, §5."""
    line = content.ljust(64, b"\0")
    total = sum(w * c for w, c in zip(struct.unpack("<8Q", line) + (number + 1,), WEIGHTS)) * GOLDEN & MASK
    return line[: 64 - size] + (total >> 64 - 8 * size).to_bytes(size, "big")


def probe(key, seed, pilot_lines, parts, lines, per_line, pilot):
    """The bucket of a key, and its slot under the pilot that `pilot` gives for it."""
    h = xxhash.xxh3_64_intdigest(key, seed)
    line, rest = divmod(h * pilot_lines, 2**64)
    bucket = 31 * line + (rest * 31 >> 64)
    x = (h ^ pilot(bucket)) * GOLDEN & MASK
    inside, rest = divmod(x * lines, 2**64)
    return bucket, ((line >> 5) * lines + inside) * per_line + (rest * per_line >> 64)


def placed(keys, seed, pilot_lines, parts, lines, per_line):
    """The pilots, and the slot of each key; None where the seed fails. [X11]"""
    buckets = collections.defaultdict(list)
    for number, key in enumerate(keys):
        buckets[probe(key, seed, pilot_lines, parts, lines, per_line, lambda bucket: 0)[0]].append(number)
    pilots, slot_of, taken = [0] * (31 * pilot_lines), [0] * len(keys), set()
    for bucket in sorted(buckets, key=lambda bucket: (bucket // 31 >> 5, -len(buckets[bucket]), bucket)):
        members = buckets[bucket]
        for pilot in range(2**16) if len(members) < 256 else ():
            slots = [probe(keys[number], seed, pilot_lines, parts, lines, per_line, lambda bucket: pilot)[1] for number in members]
            if len(set(slots)) == len(slots) and taken.isdisjoint(slots):
                break
        else:
            return None
        pilots[bucket] = pilot
        taken.update(slots)
        for number, slot in zip(members, slots):
            slot_of[number] = slot
    return pilots, slot_of


def numbered(items, width):
    """A table of items that are found by number: how many, where each begins, then each with a CRC-32 of its number and its bytes."""
    offsets, bodies, at = [], [], 0
    for number, item in enumerate(items):
        offsets.append(at)
        bodies.append(crc(struct.pack(">I", number), item) + item)
        at += len(bodies[-1])
    offsets.append(at)
    return struct.pack(">IB", len(items), width) + b"".join(offset.to_bytes(width, "big") for offset in offsets) + b"".join(bodies)


def write(mapping, keys_are_raw=False, makes_slots=True):
    """The bytes of a compact file, and what each part of it takes.

    `mapping` has the bytes of an object for each key. Objects stand in the order of their smallest keys."""
    keys = sorted(mapping)
    objects = list(dict.fromkeys(mapping[key] for key in keys))
    tables = Tables(objects)
    rows = [row_of(parse(data)[0], tables) for data in objects]
    rows = [crc(varint(len(row)), row) + varint(len(row)) + row for row in rows]

    def laid_out(shift):
        places, at = [], 0
        for row in rows:
            places.append(at >> shift)
            at += (len(row) + (1 << shift) - 1 >> shift) << shift
        return places, at, max(1, (max(places, default=0).bit_length() + 7) // 8)

    # The alignment with the fewest bytes, the smaller of equal ones.
    shift = min(range(5), key=lambda shift: laid_out(shift)[1] + len(keys) * laid_out(shift)[2])
    places, _, width = laid_out(shift)
    place_of = dict(zip(objects, places))
    data = b"".join(row.ljust(len(row) + (1 << shift) - 1 >> shift << shift, b"\0") for row in rows)
    references = [place_of[mapping[key]] for key in keys]
    made = [(Raw, blocks_of(keys, references, width, Raw))]
    if not keys_are_raw:
        symbols = Symbols.trained(keys)
        made.append((symbols, blocks_of(keys, references, width, symbols)))
    # Symbols only where they save bytes, their own included.
    symbols, (blocks, long_keys, places) = min(made, key=lambda each: BLOCK * len(each[1][0]) + 9 * len(each[0].symbols) + len(each[1][1]))
    part_values = []
    for part in tables.parts:
        part_values.append(varint(len(part)) + row_of(parse(part)[0], tables, part))
    part_width = 4 if sum(map(len, part_values)) + 4 * len(part_values) < 2**32 else 6
    head = struct.pack(">QBBB49x", len(blocks), width, shift, bool(symbols.symbols))
    sections = {
        b"KEYS": head + crc(head) + b"".join(blocks),
        b"HASH": slots_of(keys, places, len(blocks)) if makes_slots else b"",
        b"LONG": long_keys,
        b"SYMB": b"".join(bytes([len(symbol)]) + symbol.ljust(8, b"\0") for symbol in symbols.symbols),
        b"SHAP": numbered(tables.shapes, 4),
        b"PART": numbered(part_values, part_width),
    }
    end = 40 + len(data)
    out, directory = bytearray(data), []
    for kind, content in sections.items():
        if not content and kind != b"HASH":
            continue
        out += bytes(-(40 + len(out)) % 64)
        directory.append(struct.pack(">4sIQQI4x", kind, 1, 40 + len(out), len(content), zlib.crc32(content)))
        out += content
    out += bytes(-(40 + len(out)) % 8)
    directory_at, directory = 40 + len(out), b"".join(directory)
    out += directory
    header = struct.pack(">4sBBHIIQQII", b"FSDB", 3, 0, 0, len(keys), len(objects), end, 40, zlib.crc32(out), 0)
    footer = struct.pack(">QQIIIHH", end, directory_at, len(directory) // 32, zlib.crc32(directory), zlib.crc32(header), 1, 0)
    # `file_crc32` of a compact file ends where its footer begins.
    footer += crc(footer) + bytes(4) + b"FSDBEXT\n"
    sizes = {"rows": len(data), **{kind.decode(): len(content) for kind, content in sections.items()}}
    return header + bytes(out) + footer, sizes


# --- reading ---

class Reader:
    def __init__(self, data):
        self.data = data
        require(len(data) >= 88 and data[:5] == b"FSDB\x03" and data[-8:] == b"FSDBEXT\n", "no compact file")
        self.key_count, self.object_count, self.rows_end = struct.unpack_from(">IIQ", data, 8)
        footer = len(data) - 48
        _, directory, count, directory_crc, header_crc = struct.unpack_from(">QQIII", data, footer)
        require(crc(data[footer : footer + 32]) == data[footer + 32 : footer + 36], "the footer differs from its checksum")
        require(zlib.crc32(data[:40]) == header_crc, "the header differs from its checksum")
        require(directory + 32 * count == footer and zlib.crc32(data[directory:footer]) == directory_crc, "the directory differs from its checksum")
        self.sections, self.checksums = {}, {}
        for entry in range(directory, footer, 32):
            kind, _, start, size, self.checksums[kind] = struct.unpack_from(">4sIQQI", data, entry)
            require(40 <= start and start + size <= directory, "a section lies outside of the file")
            self.sections[kind] = (start, size)
        slots = {b"NETW", b"SHOW"} if b"SHOW" in self.sections else {b"HASH"}
        require(self.sections.keys() >= {b"KEYS", b"SHAP", b"PART"} | slots, "a section is missing")
        self.networks = Networks(data, *self.sections[b"NETW"], require) if b"NETW" in self.sections else None
        self.shown = None
        start, size = self.sections[b"KEYS"]
        require(crc(data[start : start + 60]) == data[start + 60 : start + 64], "the head of KEYS differs from its checksum")
        self.block_count, self.width, self.shift, is_coded = struct.unpack_from(">QBBB", data, start)
        require(size == 64 + BLOCK * self.block_count and 1 <= self.width <= 8 and self.shift <= 4 and is_coded <= 1, "KEYS has another length")
        self.blocks = start + 64
        self.symbols = Raw
        if is_coded:
            start, size = self.sections[b"SYMB"]
            self.symbols = Symbols([data[at + 1 : at + 1 + data[at]] for at in range(start, start + size, 9)])
        if b"SHOW" in self.sections:
            require(b"HASH" not in self.sections, "a file of networks alone has no HASH [CN5]")
            self.shown = Shown(self.networks, data, *self.sections[b"SHOW"], require)
            require(self.shown.count <= self.key_count, "SHOW counts more keys than the header [CN5]")
            return
        start, size = self.sections[b"HASH"]
        require(crc(data[start : start + 60]) == data[start + 60 : start + 64], "the head of HASH differs from its checksum")
        self.seed, self.pilot_lines, self.parts, self.lines, _, self.per_line = struct.unpack_from(">QQQQBB", data, start)
        self.slot_width = 4 if self.per_line == 15 else 5
        require(size == 64 * (1 + self.pilot_lines + self.parts * self.lines), "HASH has another length")
        self.pilots = start + 64
        self.slots = self.pilots + 64 * self.pilot_lines

    # --- keys ---

    def block(self, number):
        """(first ordinal, [(offset, key, reference)]) of a block."""
        require(number < self.block_count, "there is no such block")
        at = self.blocks + BLOCK * number
        block = self.data[at : at + BLOCK]
        require(crc(struct.pack(">Q", number), block[4:]) == block[:4], f"block {number} differs from its checksum")
        first, count = struct.unpack_from(">IB", block, 4)
        entries, at, head = [], 9, b""
        for place in range(count):
            start, common, size = at, block[at] >> 4, block[at] & 15
            at += 1
            if common == 15:
                common, at = block[at], at + 1
            if size == 15:
                size, at = block[at], at + 1
            reference = int.from_bytes(block[at : at + self.width], "big")
            at += self.width
            if size == 255:
                key, at = self.long_key(*struct.unpack_from(">QI", block, at)), at + 12
            else:
                key, at = head[:common] + self.symbols.decoded(block[at : at + size]), at + size
            if place == 0:
                head = key if size != 255 else b""
            entries.append((start, key, reference))
        return first, entries

    def long_key(self, offset, size):
        start, length = self.sections[b"LONG"]
        require(offset + 4 + size <= length, "a long key lies outside of its section")
        key = self.data[start + offset + 4 : start + offset + 4 + size]
        require(crc(key) == self.data[start + offset : start + offset + 4], "a long key differs from its checksum")
        return key

    def find(self, key):
        """The reference under a key, or None."""
        if self.shown:
            is_elsewhere, row = self.shown.find(key)
            if row is not None:
                return self.reference(row)
            return next((reference for other, reference in self.keys_from(key) if other == key), None) if is_elsewhere else None
        pilot = lambda bucket: int.from_bytes(self.data[self.pilots + 64 * (bucket // 31) + 2 * (bucket % 31) :][:2], "big")
        bucket, slot = probe(key, self.seed, self.pilot_lines, self.parts, self.lines, self.per_line, pilot)
        line, place = divmod(slot, self.per_line)
        at = self.slots + 64 * line + self.slot_width * place
        found = int.from_bytes(self.data[at : at + self.slot_width], "big")
        bits = 8 + max(1, (self.block_count - 1).bit_length())
        shift = 8 * self.slot_width - bits
        is_free = found == (1 << 8 * self.slot_width) - 1
        if not is_free and found & (1 << shift) - 1 == xxhash.xxh3_64_intdigest(key, self.seed) & (1 << shift) - 1:
            for start, other, reference in self.block(found >> shift >> 8)[1]:
                if start == (found >> shift) & 255 and other == key:
                    return reference
        # What says that there is none is compared with its checks.
        for table, number, size in ((self.pilots, bucket // 31, 2), (self.slots, line, 4)):
            content = self.data[table + 64 * number : table + 64 * number + 64]
            require(checked(content[: 64 - size], number, size) == content, "a line differs from its check")
        return None

    def get(self, key):
        reference = self.find(key)
        return None if reference is None else self.object(reference)

    def __contains__(self, key):
        return self.find(key) is not None

    def scan(self, prefix=b""):
        """The keys that begin with a prefix, in order, with their objects. [G5]"""
        for key, data in self.scan_from(prefix):
            if not key.startswith(prefix):
                return
            yield key, data

    def scan_from(self, low=b""):
        """The keys from one on, in order, with their objects."""
        keys, shown = self.keys_from(low), []
        if self.shown:
            shown = ((key, self.reference(row)) for key, row in self.shown.keys() if key >= low)
        for key, reference in heapq.merge(keys, shown):
            yield key, self.object(reference)

    def reference(self, row):
        """The reference to the row that begins at an offset."""
        require(40 <= row < self.rows_end and (row - 40) % (1 << self.shift) == 0, "a run of networks refers to a place where no row begins")
        return row - 40 >> self.shift

    def match(self, address):
        """The longest network around an address, and its object; or None. See network.md §6."""
        found = self.networks and self.networks.match(ipaddress.ip_address(address))
        return found and (str(found[0]), self.object(self.reference(found[1])))

    def keys_from(self, low=b""):
        """The keys in blocks from one on, in order, with their references."""
        heads = (self.block(number)[1][0][1] for number in range(self.block_count))
        start = max(0, bisect.bisect_right(list(heads), low) - 1)
        for number in range(start, self.block_count):
            for _, key, reference in self.block(number)[1]:
                if key >= low:
                    yield key, reference

    def metadata(self):
        """What META says. [X13]"""
        if b"META" not in self.sections:
            return {}
        start, size = self.sections[b"META"]
        return metadata_of(self.data, start, start + size, self.checksums[b"META"])

    # --- objects ---

    def objects(self):
        """Every object, in the order of the file. [G6]"""
        at, count = 40, 0
        while at < self.rows_end:
            yield self.object(at - 40 >> self.shift)
            size, start = read_varint(self.data[: self.rows_end], at + 4)
            at, count = 40 + (start + size - 40 + (1 << self.shift) - 1 >> self.shift << self.shift), count + 1
        require(count == self.object_count, "not num_objects rows")

    def object(self, reference):
        """The MessagePack of the object that a reference leads to."""
        at = 40 + (reference << self.shift)
        require(at + 5 <= self.rows_end, "a reference leads out of the rows")
        size, start = read_varint(self.data[: self.rows_end], at + 4)
        require(start + size <= self.rows_end, "a row runs out of its section")
        require(crc(self.data[at + 4 : start + size]) == self.data[at : at + 4], "a row differs from its checksum")
        return self.expanded(self.data[start : start + size])

    def item(self, kind, number):
        """An item of a table, by its number."""
        start, size = self.sections[kind]
        count, width = struct.unpack_from(">IB", self.data, start)
        require(number < count, "there is no such item")
        at, end = (int.from_bytes(self.data[start + 5 + width * place :][:width], "big") for place in (number, number + 1))
        items = start + 5 + width * (count + 1)
        require(at + 4 <= end <= start + size - items, "an item lies outside of its table")
        item = self.data[items + at + 4 : items + end]
        require(crc(struct.pack(">I", number), item) == self.data[items + at : items + at + 4], "an item differs from its checksum")
        return item

    def expanded(self, value, depth=0, most=2**32 - 1):
        out, end = self.expand(value, 0, depth, most)
        require(end == len(value), "bytes follow a value")
        return out

    def expand(self, row, at, depth, most):
        """The MessagePack of the value at a place of a row, and where it ends: no more than `most` bytes, in `depth` arrays and maps."""
        require(at < len(row), "a value ends early")
        head, at = row[at], at + 1
        is_container = 0x80 <= head < 0x90 or 0xB0 <= head < 0xC0 or head in (0xED, 0xF8, 0xF9)
        require(not is_container or depth < 128, "a value is nested too deeply")
        if head < 0x80:
            return bytes([head]), at
        if head < 0x90 or head == 0xF8:
            count, at = (head & 15, at) if head < 0x90 else read_varint(row, at)
            return self.together(b"\x90\xdc\xdd", count, row, at, count, depth, most)
        if head < 0xB0 or head == 0xF7:
            size, at = (head - 0x90, at) if head < 0xB0 else read_varint(row, at)
            require(at + size <= len(row), "a text ends early")
            lead = bytes([0xA0 + size]) if size < 32 else next(
                bytes([0xD9 + place]) + size.to_bytes(1 << place, "big") for place in range(3) if size < 1 << (8 << place))
            return lead + row[at : at + size], at + size
        if head < 0xC0 or head == 0xED:
            number, at = (head - 0xB0, at) if head < 0xC0 else read_varint(row, at)
            names, place, out = self.item(b"SHAP", number), 0, []
            while place < len(names):
                name, place = parsed(names, place)
                value, at = self.expand(row, at, depth + 1, most)
                out += [name.bytes, value]
                require(sum(map(len, out)) <= most, "a value is longer than it may be")
            return container(b"\x80\xde\xdf", len(out) // 2) + b"".join(out), at
        if head < 0xED:
            bits, size = (5, 1) if head < 0xE0 else (3, 2) if head < 0xE8 else (2, 3) if head < 0xEC else (0, 4)
            require(at + size <= len(row), "a reference ends early")
            number = (head & (1 << bits) - 1) << 8 * size | int.from_bytes(row[at : at + size], "big")
            part = self.item(b"PART", number)
            length, start = read_varint(part, 0)
            require(length <= min(most, 4096), "a part is longer than it may be")
            require(not (start < len(part) and 0xC0 <= part[start] < 0xED), "a part is nothing but another part")
            out = self.expanded(part[start:], depth, length)
            require(len(out) == length, "a part has another length than it says")
            return out, at + size
        if head == 0xEE:
            require(at < len(row), "a decimal ends early")
            exponent, size = row[at] >> 4, row[at] & 15
            require(exponent <= 6 and 1 <= size <= 4 and at + 1 + size <= len(row), "this is no decimal")
            number = int.from_bytes(row[at + 1 : at + 1 + size], "big", signed=True)
            return b"\xcb" + struct.pack(">d", number / 10.0**exponent), at + 1 + size
        if head == 0xEF:
            node, end = parsed(row, at, 128 - depth)
            return node.bytes, end
        if head in (0xF0, 0xF1, 0xF2):
            return {0xF0: b"\xc0", 0xF1: b"\xc2", 0xF2: b"\xc3"}[head], at
        if head <= 0xF6:
            size = head - 0xF2
            require(at + size <= len(row), "a number ends early")
            number = int.from_bytes(row[at : at + size], "big")
            return packed_int(number), at + size
        require(head == 0xF9, "no value begins like this")
        count, at = read_varint(row, at)
        out = []
        for _ in range(count):
            name, at = parsed(row, at)
            value, at = self.expand(row, at, depth + 1, most)
            out += [name.bytes, value]
            require(sum(map(len, out)) <= most, "a value is longer than it may be")
        return container(b"\x80\xde\xdf", count) + b"".join(out), at

    def together(self, heads, count, row, at, number, depth, most):
        out, total = [], 0
        for _ in range(number):
            value, at = self.expand(row, at, depth + 1, most - total)
            total += len(value)
            require(total <= most, "a value is longer than it may be")
            out.append(value)
        return container(heads, count) + b"".join(out), at


def container(heads, count):
    if count < 16:
        return bytes([heads[0] + count])
    return bytes([heads[1]]) + count.to_bytes(2, "big") if count < 2**16 else bytes([heads[2]]) + count.to_bytes(4, "big")


def packed_int(number):
    if number < 128:
        return bytes([number])
    place = next(place for place in range(3) if number < 1 << (8 << place))
    return bytes([0xCC + place]) + number.to_bytes(1 << place, "big")


if __name__ == "__main__":
    from reader import Reader as FamilyReader

    with open(sys.argv[1], "rb") as file:
        family = FamilyReader(file.read())
    made, sizes = write(dict(family.scan()))
    with open(sys.argv[2], "wb") as file:
        file.write(made)
    print(f"{sys.argv[2]}: {len(made):,} bytes for {len(family.data):,}: {len(made) / len(family.data):.2f}")
    for name, size in sizes.items():
        print(f"{name:>6} {size:12,}")

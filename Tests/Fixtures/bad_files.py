"""The damaged files: one defect each, what `verify` lists, and what a reader does with the file.

The damages are written down by reasoning from the format, not by running a verifier.
"""

from dataclasses import dataclass, field

from fsdb import (
    DATA_OFFSET,
    FILE_CRC32,
    FLAGS,
    INDEX_OFFSET,
    NUM_KEYS,
    NUM_OBJECTS,
    PAD,
    RESERVED,
    VERSION,
    File,
    assemble,
    canonical,
    insertion,
    record,
)  # fmt: skip
from good_files import TEN
from msgpack import packb

HUGE16, HUGE32, HUGE64 = 2**16 - 1, 2**32 - 1, 2**64 - 1


#: The kinds that the block adds, in the order of the report.
OF_THE_BLOCK = ("footer", "headerChecksum", "directory", "padding", "sectionChecksum", "hash", "order", "metadata")


def report_order(found):
    """By offset; after all others what the block adds, by kind first."""
    kind, offset = found
    return (OF_THE_BLOCK.index(kind) + 1 if kind in OF_THE_BLOCK else 0), offset, kind


@dataclass
class Bad:
    """A damaged file.

    `damage` is the whole list that `verify` gives: pairs of kind and offset. `refused` is the code that
    opening throws, or None where the file opens. Then `answers` are the keys that still answer, `fails`
    the keys whose look-up throws, and `invalid` the keys whose bytes are not one MessagePack value:
    whoever wants the value gets an error, whoever wants the bytes may have them.

    Of files with the block also: `lost` are the keys that a look-up may miss, because every check is right and
    the file lies; only verification tells. `scan` says what a scan of all keys does, `absent` what the look-up of
    a key that is not there does, `meta` what reading the metadata does: "answers", "fails", "either" (an error or
    the right answer) or "lost" (may be wrong)."""

    name: str
    wrong: str
    rule: str
    file: File
    damage: list
    refused: str | None = None
    mapping: dict = field(default_factory=lambda: TEN)
    fails: bytes = b""
    invalid: bytes = b""
    lost: bytes = b""
    scan: str = "answers"
    absent: str = "answers"
    meta: str = "answers"

    def expectation(self):
        expected = {
            "wrong": self.wrong,
            "damage": [{"kind": kind, "offset": offset} for kind, offset in sorted(self.damage, key=report_order)],
        }
        if self.refused:
            return {**expected, "open": "refused", "code": self.refused}
        failing = {bytes([letter]) for letter in self.fails}
        invalid, lost = {bytes([letter]) for letter in self.invalid}, {bytes([letter]) for letter in self.lost}
        expected |= {
            "open": "opens",
            "answers": {key.hex(): value.hex() for key, value in sorted(self.mapping.items()) if key not in failing | invalid | lost},
            "fails": sorted(key.hex() for key in failing),
            "invalid": sorted(key.hex() for key in invalid),
        }
        if lost:
            expected["lost"] = sorted(key.hex() for key in lost)
        others = {"scan": self.scan, "absent": self.absent, "meta": self.meta}
        return expected | {name: outcome for name, outcome in others.items() if outcome != "answers"}


#: The sound file that most of these were made from: keys a to j, two keys to an object.
ten = canonical(TEN)
#: Where its records, its index and its index entries start; `[1]` is the object of keys c and d.
R, I, E, END = ten.records, ten.index, ten.entries, len(ten)
VALUES = list(dict.fromkeys(TEN.values()))
KEYS = [(key, VALUES.index(value)) for key, value in TEN.items()]
RECORDS = [record(value) for value in VALUES]


def with_records(*parts, keys=KEYS, **counts):
    """The ten keys over other parts."""
    return assemble(parts, keys, **counts)


def with_second(part):
    """The ten keys, with another record in place of the one that keys c and d share."""
    return with_records(RECORDS[0], part, *RECORDS[2:])


def with_keys(keys):
    """The five objects under other keys, as they stand."""
    return assemble(RECORDS, keys)


def header_files():
    rule = "a file holds at least the 40 bytes of a header"
    for name, size, wrong in (
        ("header-none", 0, "no byte at all"),
        ("header-magic-only", 4, "cut after the magic"),
        ("header-short", 39, "cut one byte before the end of the header"),
    ):
        yield Bad(name, wrong, rule, ten.cut(size), [("truncated", size)], "truncated")

    rule = "the file starts with FSDB"
    yield Bad("magic-wrong", "the magic is FSDC", rule, ten.put(3, "B", ord("C")), [("magic", 0)], "notADatabase")
    prose = b"This is a letter to a friend, not a database, and it is longer than a header.\n"
    yield Bad("magic-text", "a text file", rule, File(prose, [], 0, []), [("magic", 0)], "notADatabase")

    for version in (0, 1, 4, 255):
        yield Bad(f"version-{version}", f"the version is {version}", "the version is 2",
                  ten.put(VERSION, "B", version), [("version", VERSION)], "unsupportedVersion")  # fmt: skip

    rule = "flags, pad and reserved are zero; a reader ignores them, verify reports them"
    yield Bad("flags-set", "flags is 1", rule, ten.put(FLAGS, "B", 1), [("header", FLAGS)])
    yield Bad("flags-all-set", "flags is 255", rule, ten.put(FLAGS, "B", 255), [("header", FLAGS)])
    yield Bad("pad-set", "pad is 1", rule, ten.put(PAD, "H", 1), [("header", PAD)])
    yield Bad("reserved-set", "reserved is 2^31", rule, ten.put(RESERVED, "I", 2**31), [("header", RESERVED)])

    rule = "data_offset is 40"
    for name, number in (("0", 0), ("39", 39), ("41", 41), ("huge", HUGE64)):
        yield Bad(f"data-offset-{name}", f"data_offset is {number}", rule,
                  ten.put(DATA_OFFSET, "Q", number), [("header", DATA_OFFSET)], "corrupted")  # fmt: skip

    rule = "index_offset is at least 40 and at most the size of the file"
    for name, number, kind, code in (
        ("0", 0, "header", "corrupted"),
        ("39", 39, "header", "corrupted"),
        ("past-end", END + 1, "truncated", "truncated"),
        ("2-to-63", 2**63, "truncated", "truncated"),
        ("huge", HUGE64, "truncated", "truncated"),
    ):
        yield Bad(f"index-offset-{name}", f"index_offset is {number}", rule,
                  ten.put(INDEX_OFFSET, "Q", number), [(kind, INDEX_OFFSET)], code)  # fmt: skip

    rule = "the data section ends and the index starts at index_offset"
    yield Bad("index-offset-at-end", "index_offset is the size of the file: the index lies in the data section", rule,
              ten.put(INDEX_OFFSET, "Q", END), [("objectBounds", I), ("count", NUM_KEYS)], "corrupted")  # fmt: skip
    yield Bad("index-offset-entry-late", "index_offset points at the second entry", rule,
              ten.put(INDEX_OFFSET, "Q", E[1]), [("objectBounds", I), ("count", NUM_KEYS)], "corrupted")  # fmt: skip
    yield Bad("index-offset-byte-early", "index_offset points at the last byte of the last object", rule,
              ten.put(INDEX_OFFSET, "Q", I - 1), [("objectBounds", R[4]), ("keyBounds", I - 1)], "corrupted")  # fmt: skip
    # The end of an object, or of a key, can look like the start of an index that fits in all else.
    early = assemble([record(b"\xa2\x00\x03")], [(b"a", 0)])
    yield Bad("index-offset-image-early", "index_offset points at the last two bytes of the object, which make one entry with the real one",
              rule, early.put(INDEX_OFFSET, "Q", early.index - 2), [("objectBounds", 40)], "corrupted")  # fmt: skip
    late = assemble([record(packb(1))], [(b"xx\x00\x01a", 0)])
    yield Bad("index-offset-image-late", "index_offset points into the key, whose end makes one entry with its offset",
              rule, late.put(INDEX_OFFSET, "Q", late.index + 4), [("objectBounds", late.index)], "corrupted")  # fmt: skip


def count_files():
    rule = "the index holds exactly num_keys entries"
    for name, number in (("0", 0), ("3", 3), ("9", 9), ("11", 11), ("huge", HUGE32)):
        yield Bad(f"num-keys-{name}", f"num_keys is {number}, the index holds 10 entries", rule,
                  ten.put(NUM_KEYS, "I", number), [("count", NUM_KEYS)], "corrupted")  # fmt: skip
    rule = "the data section holds exactly num_objects records; statistics and verify look"
    for name, number in (("0", 0), ("4", 4), ("6", 6), ("huge", HUGE32)):
        yield Bad(f"num-objects-{name}", f"num_objects is {number}, the data section holds 5 records", rule,
                  ten.put(NUM_OBJECTS, "I", number), [("count", NUM_OBJECTS)])  # fmt: skip

    empty = canonical({})
    yield Bad("empty-num-keys-1", "num_keys is 1 in a file without an index", "the index holds exactly num_keys entries",
              empty.put(NUM_KEYS, "I", 1), [("count", NUM_KEYS)], "corrupted", mapping={})  # fmt: skip
    yield Bad("empty-num-objects-1", "num_objects is 1 in a file without an object", rule,
              empty.put(NUM_OBJECTS, "I", 1), [("count", NUM_OBJECTS)], mapping={})  # fmt: skip
    yield Bad("empty-file-crc", "file_crc32 is 1 in a file without a body", "file_crc32 is the CRC-32 of what follows the header",
              empty.put(FILE_CRC32, "I", 1), [("fileChecksum", FILE_CRC32)], "corrupted", mapping={})  # fmt: skip


def checksum_files():
    rule = "file_crc32 is the CRC-32 of what follows the header"
    yield Bad("file-crc-flipped", "one bit of file_crc32 is flipped", rule, ten.flip(FILE_CRC32),
              [("fileChecksum", FILE_CRC32)], "corrupted")  # fmt: skip
    yield Bad("file-crc-zero", "file_crc32 is 0", rule, ten.put(FILE_CRC32, "I", 0),
              [("fileChecksum", FILE_CRC32)], "corrupted")  # fmt: skip
    yield Bad("key-bit-flipped", "the last key is k, not j: only the file's checksum tells", rule, ten.flip(E[9] + 2),
              [("fileChecksum", FILE_CRC32)], "corrupted")  # fmt: skip
    yield Bad("object-bit-flipped", "one bit of an object is flipped, no checksum mended", rule, ten.flip(I - 1),
              [("fileChecksum", FILE_CRC32), ("objectChecksum", R[4])], "corrupted")  # fmt: skip

    rule = "a record's crc32 is the CRC-32 of its object; a look-up compares it"
    for name, number, keys in (("first", 0, b"ab"), ("middle", 1, b"cd"), ("last", 4, b"ij")):
        yield Bad(f"object-crc-{name}", f"the crc32 of the {name} object is wrong, the file's is right", rule,
                  ten.flip(R[number] + 4, 7).sealed(), [("objectChecksum", R[number])], fails=keys)  # fmt: skip
    yield Bad("object-bit-flipped-sealed", "one bit of an object is flipped, the file's checksum is right", rule,
              ten.flip(R[1] + 8 + 4).sealed(), [("objectChecksum", R[1])], fails=b"cd")  # fmt: skip

    calls = [(packb("a"), [b"a"]), (packb("nobody asks"), []), (packb("b"), [b"b"])]
    file, mapping = insertion(calls), {b"a": packb("a"), b"b": packb("b")}
    yield Bad("unreached-crc", "the crc32 of an object that no key reaches is wrong", "verify looks at every object",
              file.flip(file.records[1] + 4).sealed(), [("objectChecksum", file.records[1])], mapping=mapping)  # fmt: skip
    yield Bad("unreached-length-huge", "an object that no key reaches is 4 GiB - 1 long", "verify looks at every object",
              file.put(file.records[1], "I", HUGE32).sealed(), [("objectBounds", file.records[1])], mapping=mapping)  # fmt: skip
    never = assemble([record(packb("a")), record(b"\xc1"), record(packb("b"))], [(b"a", 0), (b"b", 2)])
    yield Bad("unreached-value", "an object that no key reaches is not MessagePack", "verify looks at every object",
              never, [("objectValue", never.records[1])], mapping=mapping)  # fmt: skip


def record_files():
    rule = "a record lies inside the data section"
    yield Bad("object-length-huge", "an object is 4 GiB - 1 long", rule,
              ten.put(R[1], "I", HUGE32).sealed(), [("objectBounds", R[1])], fails=b"cd")  # fmt: skip
    yield Bad("object-length-2-to-31", "an object is 2^31 long: negative for who reads it signed", rule,
              ten.put(R[1], "I", 2**31).sealed(), [("objectBounds", R[1])], fails=b"cd")  # fmt: skip
    yield Bad("object-length-past-data", "the last object ends one byte inside the index", rule,
              ten.put(R[4], "I", len(VALUES[4]) + 1).sealed(), [("objectBounds", R[4])], "corrupted")  # fmt: skip
    yield Bad("object-length-past-end", "an object ends one byte after the file", rule,
              ten.put(R[1], "I", END - R[1] - 8 + 1).sealed(), [("objectBounds", R[1])], fails=b"cd")  # fmt: skip

    rule = "records stand back to back"
    # The walk goes on inside the third record, finds no record there and resumes at the fourth.
    yield Bad("object-length-into-next", "an object ends one byte inside the next record", rule,
              ten.put(R[1], "I", len(VALUES[1]) + 1).sealed(),
              [("objectChecksum", R[1]), ("objectBounds", R[2] + 1), ("keyTarget", E[4]), ("keyTarget", E[5])],
              fails=b"cd")  # fmt: skip
    swallowed = ten.put(R[1], "I", R[3] - R[1] - 8)
    yield Bad("object-swallows-next", "an object ends where the next record ends", rule, swallowed.sealed(),
              [("objectChecksum", R[1]), ("count", NUM_OBJECTS), ("keyTarget", E[4]), ("keyTarget", E[5])], fails=b"cd")  # fmt: skip
    forged = with_records(RECORDS[0], record(VALUES[1] + RECORDS[2]), *RECORDS[3:],
                          keys=[(key, number - (number > 1)) for key, number in KEYS])  # fmt: skip
    for position in (4, 5):
        forged = forged.put(E[position + 1] - 8, "Q", R[2])
    yield Bad("object-holds-next", "an object holds the next record, with checksums to match", rule,
              forged.put(NUM_OBJECTS, "I", 5).sealed(),
              [("objectValue", R[1]), ("count", NUM_OBJECTS), ("keyTarget", E[4]), ("keyTarget", E[5])], invalid=b"cd")  # fmt: skip
    # The walk goes on at the last byte of the object, finds no record there and resumes at the third.
    yield Bad("object-length-short", "an object ends one byte early", rule,
              ten.put(R[1], "I", len(VALUES[1]) - 1).sealed(),
              [("objectChecksum", R[1]), ("objectBounds", R[2] - 1)], fails=b"cd")  # fmt: skip
    yield Bad("object-length-zero", "the length of an object is zero, its bytes are there", rule,
              ten.put(R[1], "I", 0).sealed(), [("objectChecksum", R[1]), ("objectBounds", R[1] + 8)], fails=b"cd")  # fmt: skip

    gap = with_records(RECORDS[0], RECORDS[1] + b"\xff" * 12, *RECORDS[2:])
    yield Bad("gap-between", "12 bytes between two records that are no record", rule, gap,
              [("objectBounds", R[2])])  # fmt: skip
    gap = with_records(b"\xff" * 12 + RECORDS[0], *RECORDS[1:])
    for position in (0, 1):
        gap = gap.put(gap.entries[position + 1] - 8, "Q", R[0] + 12)
    yield Bad("gap-before", "12 bytes before the first record that are no record", rule, gap.sealed(), [("objectBounds", 40)])  # fmt: skip
    yield Bad("gap-after", "3 bytes after the last record, too few for a record", rule,
              with_records(*RECORDS[:4], RECORDS[4] + b"\x00" * 3), [("objectBounds", I)], "corrupted")  # fmt: skip
    yield Bad("gap-of-zeros", "8 zero bytes between two records: a record of length zero", "an object is at least one byte",
              with_records(RECORDS[0], RECORDS[1] + b"\x00" * 8, *RECORDS[2:]),
              [("objectValue", R[2]), ("count", NUM_OBJECTS)])  # fmt: skip


def value_files():
    rule = "an object is exactly one MessagePack value"
    for name, encoded, wrong in (
        ("empty", "", "an object of no bytes"),
        ("never-used", "c1", "the byte c1, which MessagePack never uses"),
        ("never-used-inside", "9201c1", "c1 as an element of an array"),
        ("never-used-as-key", "81c101", "c1 as a key of a map"),
        ("cut-number", "cd01", "a uint16 of one byte"),
        ("cut-float64", "cb0000", "a float64 of two bytes"),
        ("cut-float32", "ca000000", "a float32 of three bytes"),
        ("cut-length", "d9", "a str8 without its length"),
        ("cut-string", "a568656c", "a string of five with three bytes"),
        ("cut-array", "930102", "an array of three with two elements"),
        ("cut-map", "82a16101", "a map of two with one entry"),
        ("cut-map-value", "81a161", "a map whose entry has no value"),
        ("cut-ext", "c7040100", "an ext of four with one byte"),
        ("cut-fixext", "d4", "a fixext without type and payload"),
        ("two-values", "0102", "two values"),
        ("value-and-zero", "a16100", "a value and a zero byte"),
        ("array16-count", "dcffffc0c0c0c0c0c0c0", "an array16 of 65,535 in 10 bytes"),
        ("array32-count", "ddffffffffc0c0c0c0c0", "an array32 of 2^32 - 1 in 10 bytes"),
        ("map32-count", "dfffffffffc0c0c0c0c0", "a map32 of 2^32 - 1 in 10 bytes"),
        ("map32-count-2-to-31", "df80000000c0c0c0c0c0", "a map32 of 2^31 in 10 bytes: twice that is 0 in 32 bits"),
        ("str32-length", "dbffffffff6161616161", "a str32 of 4 GiB - 1 in 10 bytes"),
        ("bin32-length", "c6ffffffff6161616161", "a bin32 of 4 GiB - 1 in 10 bytes"),
        ("ext32-length", "c9ffffffff0161616161", "an ext32 of 4 GiB - 1 in 10 bytes"),
        ("nested-counts", "ddffffffff" * 20, "an array32 of 2^32 - 1 in an array32, 20 deep"),
    ):
        yield Bad(f"value-{name}", wrong, rule, with_second(record(bytes.fromhex(encoded))), [("objectValue", R[1])], invalid=b"cd")

    rule = "containers nest at most 128 deep"
    for name, value, wrong in (
        ("arrays", b"\x91" * 128 + b"\x90", "129 arrays in each other"),
        ("arrays-around-nil", b"\x91" * 129 + b"\xc0", "129 arrays around a nil"),
        ("maps", b"\x81\xc0" * 129 + b"\xc0", "129 maps in each other"),
        ("keys", b"\x81" * 128 + b"\x80" + b"\xc0" * 128, "129 maps, each the key of the one around it"),
        ("bottomless", b"\x91" * 800, "800 arrays in each other, and no end"),
    ):
        yield Bad(f"nested-129-{name}", wrong, rule, with_second(record(value)), [("objectValue", R[1])], invalid=b"cd")


def index_files():
    rule = "keys ascend, bytes compared unsigned, no key twice"
    swapped = KEYS[:3] + [KEYS[4], KEYS[3]] + KEYS[5:]
    yield Bad("keys-swapped", "d stands after e", rule, with_keys(swapped), [("keyOrder", E[4])], "corrupted")
    yield Bad("keys-last-first", "j stands before a", rule, with_keys(KEYS[9:] + KEYS[:9]), [("keyOrder", E[1])], "corrupted")
    yield Bad("keys-descending", "the keys stand in falling order", rule, with_keys(KEYS[::-1]),
              [("keyOrder", offset) for offset in E[1:]], "corrupted")  # fmt: skip
    yield Bad("keys-equal", "a stands twice", rule, with_keys([(b"a", 0), (b"a", 0), *KEYS[2:]]), [("keyOrder", E[1])], "corrupted")
    yield Bad("keys-equal-apart", "a stands twice, with different objects", rule,
              with_keys([(b"a", 0), (b"a", 3), *KEYS[2:]]), [("keyOrder", E[1])], "corrupted")  # fmt: skip
    signed = assemble(RECORDS[:2], [(b"\x80", 0), (b"\x7f", 1)])
    yield Bad(
        "keys-signed", "80 stands before 7f, as if bytes were signed", rule, signed, [("keyOrder", signed.entries[1])], "corrupted"
    )
    longer = assemble(RECORDS[:2], [(b"ab", 0), (b"a", 1)])
    yield Bad("keys-longer-first", "ab stands before a", rule, longer, [("keyOrder", longer.entries[1])], "corrupted")
    empty = assemble(RECORDS[:2], [(b"a", 0), (b"", 1)])
    yield Bad("keys-empty-last", "the empty key stands last", rule, empty, [("keyOrder", empty.entries[1])], "corrupted")

    rule = "an index entry lies inside the file"
    for name, position in (("first", 0), ("last", 9)):
        yield Bad(f"key-length-huge-{name}", f"the {name} key is 65,535 long", rule,
                  ten.put(E[position], "H", HUGE16).sealed(), [("keyBounds", E[position])], "corrupted")  # fmt: skip
    yield Bad("key-length-past-end", "the last key is one byte longer, its entry ends one byte after the file", rule,
              ten.put(E[9], "H", 2).sealed(), [("keyBounds", E[9])], "corrupted")  # fmt: skip
    # The fifth entry takes a byte of its offset into the key and one of the next entry into its offset.
    yield Bad("key-length-one-more", "the fifth key is one byte longer", rule, ten.put(E[4], "H", 2).sealed(),
              [("keyTarget", E[4]), ("keyBounds", E[5] + 1)], "corrupted")  # fmt: skip

    rule = "a key's object offset lies in the data section and leaves room for a record's header"
    for name, number, wrong in (
        ("0", 0, "0"),
        ("39", 39, "39, inside the header"),
        ("no-room", I - 7, "7 bytes before the index"),
        ("last-byte", I - 1, "the last byte of the data section"),
        ("index", I, "the start of the index"),
        ("end", END, "the end of the file"),
        ("2-to-63", 2**63, "2^63"),
        ("wraps", HUGE64 - 7, "2^64 - 8: eight more is 0"),
        ("huge", HUGE64, "2^64 - 1"),
    ):
        yield Bad(f"key-offset-{name}", f"the offset of the fifth key is {wrong}", rule,
                  ten.put(E[5] - 8, "Q", number).sealed(), [("keyTarget", E[4])], "corrupted")  # fmt: skip

    rule = "a key's object offset is the start of a record"
    for name, number, wrong in (
        ("inside-header", R[2] + 1, "one byte after the start of a record"),
        ("object", R[2] + 8, "the object, not its record"),
        ("before", R[2] - 1, "one byte before the start of a record"),
    ):
        yield Bad(f"key-offset-{name}", f"the offset of the fifth key is {wrong}", rule,
                  ten.put(E[5] - 8, "Q", number).sealed(), [("keyTarget", E[4])], fails=b"e")  # fmt: skip
    yield Bad("key-offset-last-room", "the offset of the fifth key is 8 bytes before the index, where no record starts", rule,
              ten.put(E[5] - 8, "Q", I - 8).sealed(), [("keyTarget", E[4])], "corrupted")  # fmt: skip

    rule = "nothing follows the last index entry"
    yield Bad("trailing-byte", "one byte after the index, covered by the file's checksum", rule,
              ten.append(b"x").sealed(), [("trailingBytes", END)], "corrupted")  # fmt: skip
    yield Bad("trailing-zeros", "three zero bytes after the index", rule,
              ten.append(bytes(3)).sealed(), [("trailingBytes", END)], "corrupted")  # fmt: skip
    yield Bad("trailing-zero-block", "64 zero bytes after the index: for who reads on, an empty key that points at 0, six times", rule,
              ten.append(bytes(64)).sealed(), [("trailingBytes", END)], "corrupted")  # fmt: skip
    yield Bad("trailing-entry-again", "the last entry once more after the index", rule,
              ten.append(bytes(ten)[E[9]:]).sealed(), [("trailingBytes", END)], "corrupted")  # fmt: skip
    yield Bad("trailing-text", "a line of text after the index", rule,
              ten.append(b"# appended by hand\n").sealed(), [("trailingBytes", END)], "corrupted")  # fmt: skip
    yield Bad("trailing-text-unsealed", "a line of text after the index, not covered by the file's checksum", rule,
              ten.append(b"# appended by hand\n"), [("fileChecksum", FILE_CRC32), ("trailingBytes", END)], "corrupted")  # fmt: skip
    yield Bad("empty-trailing", "bytes after the header of an empty file", rule, canonical({}).append(b"\xff" * 9).sealed(),
              [("trailingBytes", 40)], "corrupted", mapping={})  # fmt: skip
    yield Bad("trailing-and-uncounted", "num_keys is 9, and a byte follows the tenth entry", rule,
              ten.put(NUM_KEYS, "I", 9).append(b"x").sealed(), [("count", NUM_KEYS), ("trailingBytes", END)], "corrupted")  # fmt: skip


def cut_files():
    rule = "the file holds all that its header says"
    outside = [("truncated", INDEX_OFFSET), ("fileChecksum", FILE_CRC32)]
    yield Bad("cut-after-header", "cut after the header", rule, ten.cut(40), outside, "truncated")
    yield Bad("cut-in-data", "cut inside the third record", rule, ten.cut(R[2] + 10), outside, "truncated")
    yield Bad("cut-before-index", "cut where the index starts", rule, ten.cut(I),
              [("count", NUM_KEYS), ("fileChecksum", FILE_CRC32)], "corrupted")  # fmt: skip
    yield Bad("cut-in-index", "cut inside the last index entry", rule, ten.cut(END - 4),
              [("fileChecksum", FILE_CRC32), ("keyBounds", E[9])], "corrupted")  # fmt: skip
    yield Bad("cut-in-index-sealed", "cut inside the last index entry, the file's checksum is right", rule, ten.cut(END - 4).sealed(),
              [("keyBounds", E[9])], "corrupted")  # fmt: skip
    yield Bad("cut-between-entries", "cut between two index entries", rule, ten.cut(E[7]),
              [("count", NUM_KEYS), ("fileChecksum", FILE_CRC32)], "corrupted")  # fmt: skip
    yield Bad("cut-between-entries-sealed", "cut between two index entries, the file's checksum is right", rule, ten.cut(E[7]).sealed(),
              [("count", NUM_KEYS)], "corrupted")  # fmt: skip


def several_files():
    rule = "verify lists all the damage"
    yield Bad("two-objects", "the checksums of the first and the fourth object are wrong", rule,
              ten.flip(R[0] + 4).flip(R[3] + 7).sealed(), [("objectChecksum", R[0]), ("objectChecksum", R[3])], fails=b"abgh")  # fmt: skip
    yield Bad("two-lengths", "the lengths of the first and the fourth object are huge", rule,
              ten.put(R[0], "I", HUGE32).put(R[3], "I", HUGE32).sealed(),
              [("objectBounds", R[0]), ("objectBounds", R[3])], fails=b"abgh")  # fmt: skip
    yield Bad("object-and-count", "the checksum of an object and num_objects are wrong", rule,
              ten.flip(R[1] + 4).put(NUM_OBJECTS, "I", 7).sealed(), [("objectChecksum", R[1]), ("count", NUM_OBJECTS)], fails=b"cd")  # fmt: skip
    yield Bad("flags-and-value", "flags is 1 and an object is not MessagePack", rule,
              with_second(record(b"\xc1")).put(FLAGS, "B", 1), [("header", FLAGS), ("objectValue", R[1])], invalid=b"cd")  # fmt: skip
    yield Bad("order-and-target", "d stands after e, and the last key points into the header", rule,
              with_keys(KEYS[:3] + [KEYS[4], KEYS[3]] + KEYS[5:]).put(END - 8, "Q", 8).sealed(),
              [("keyOrder", E[4]), ("keyTarget", E[9])], "corrupted")  # fmt: skip
    everything = with_keys(KEYS[:3] + [KEYS[4], KEYS[3]] + KEYS[5:])
    everything = everything.put(FLAGS, "B", 2).put(RESERVED, "I", 1).put(NUM_KEYS, "I", 8).put(NUM_OBJECTS, "I", 6)
    everything = everything.put(DATA_OFFSET, "Q", 41).flip(R[2] + 4).put(E[7] - 8, "Q", HUGE64)
    yield Bad("eight-damages", "flags, reserved, both counts, data_offset, an object, the order and a key offset, no checksum mended", rule,
              everything, [("header", FLAGS), ("count", NUM_KEYS), ("count", NUM_OBJECTS), ("header", DATA_OFFSET),
              ("fileChecksum", FILE_CRC32), ("header", RESERVED), ("objectChecksum", R[2]), ("keyOrder", E[4]),
              ("keyTarget", E[6])], "corrupted")  # fmt: skip


def bad_files():
    for part in (header_files, count_files, checksum_files, record_files, value_files, index_files, cut_files, several_files):
        yield from part()

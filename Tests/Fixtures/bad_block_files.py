"""The damaged files with the extension block: one rule of spec/extension.md broken each.

*Sealed* files have every other CRC-32 right, up to the last: only the one rule tells.
"""

import struct
from zlib import crc32

from bad_files import HUGE32, HUGE64, Bad
from block import (
    BALANCE, BLOCK_VERSION, DIRECTORY_CRC32, DIRECTORY_OFFSET, FOOTER_CRC32, HEADER_CRC32, INDEX_END, LENGTH, LINE, OFFSET,
    SECTION_COUNT, SECTION_CRC32, Section, assemble_block, block_sections, with_block,
)  # fmt: skip
from fsdb import FILE_CRC32, FLAGS, NUM_KEYS, NUM_OBJECTS, VERSION, File, canonical, insertion
from good_files import TEN
from msgpack import packb

plain = canonical(TEN)
#: The sound file that most of these were made from: the ten keys a to j, and the three sections.
T = with_block(plain, meta={"source": "tests"})
R, I, E, END = plain.records, plain.index, plain.entries, plain.index_end
H, O, M = T.at["HASH"], T.at["ORDR"], T.at["META"]
D, F = T.directory, T.footer
HASH_ENTRY, ORDER_ENTRY, META_ENTRY = D, D + 32, D + 64
PILOTS, SLOTS = H + LINE, T.slot_lines
LINES = (SLOTS, SLOTS + LINE)
PILOT_OF_A, LINE_OF_A, LANE_OF_A = T.slot(b"a")
PILOT_OF_B, LINE_OF_B, LANE_OF_B = T.slot(b"b")
OF_THE_FOOTER = [("trailingBytes", END), ("footer", F)]
assert SLOTS == PILOTS + LINE and O == SLOTS + 2 * LINE, "one line of pilots, two of slots"


def reader_refuses(name, wrong, rule, file, damage, code="corrupted"):
    return Bad(f"block-{name}", wrong, rule, file, damage, code)


def opens(name, wrong, rule, file, damage, **questions):
    return Bad(f"block-{name}", wrong, rule, file, damage, **questions)


def footer_files():
    rule = "[X3] the footer: its CRC-32, its version, its places"
    yield reader_refuses("footer-crc", "one bit of footer_crc32 is flipped, the file's checksum is right", rule,
                         T.flip(F + FOOTER_CRC32).balanced(), OF_THE_FOOTER)  # fmt: skip
    yield reader_refuses("footer-crc-unsealed", "one bit of footer_crc32 is flipped", rule,
                         T.flip(F + FOOTER_CRC32), [("fileChecksum", FILE_CRC32), *OF_THE_FOOTER])  # fmt: skip
    for version in (0, 2, 255, 256):
        yield reader_refuses(f"version-{version}", f"the version of the block is {version}", rule,
                             T.put(F + BLOCK_VERSION, "H", version).sealed(), OF_THE_FOOTER, "unsupportedVersion")  # fmt: skip
    yield reader_refuses("version-and-crc", "the version of the block is 2, and footer_crc32 is wrong", rule,
                         T.put(F + BLOCK_VERSION, "H", 2).balanced(), OF_THE_FOOTER)  # fmt: skip
    for name, field, number, wrong in (
        ("index-end-before-index", INDEX_END, I - 1, "index_end is one byte before index_offset"),
        ("index-end-past-directory", INDEX_END, D + 1, "index_end is one byte after directory_offset"),
        ("index-end-huge", INDEX_END, HUGE64, "index_end is 2^64 - 1"),
        ("directory-offset-late", DIRECTORY_OFFSET, D + 32, "the directory would end after the beginning of the footer"),
        ("directory-offset-early", DIRECTORY_OFFSET, D - 8, "the directory would end before the footer"),
        ("directory-offset-huge", DIRECTORY_OFFSET, HUGE64 - 95, "directory_offset is 2^64 - 96: 96 more is 0"),
        ("section-count-2", SECTION_COUNT, 2, "section_count is 2, and the directory has three entries"),
        ("section-count-huge", SECTION_COUNT, HUGE32, "section_count is 2^32 - 1"),
        ("section-count-wraps", SECTION_COUNT, 2**27 + 3, "section_count is 2^27 + 3: 32 times as much is 96 in 32 bits"),
    ):
        layout = "I" if field == SECTION_COUNT else "Q"
        yield reader_refuses(name, wrong, rule, T.put(F + field, layout, number).sealed(), OF_THE_FOOTER)
    many = assemble_block(plain, [*block_sections(plain), *(Section("XTRA", b"") for _ in range(255))])
    yield reader_refuses("sections-257", "257 sections, in all else sound", rule, many,
                         [("trailingBytes", END), ("footer", many.footer)])  # fmt: skip
    alone = File.sealed(canonical({}).append(b"FSDBEXT\n"))
    yield Bad("block-magic-alone", "a header and the magic of a footer: fewer than 88 bytes", rule, alone,
              [("trailingBytes", 40), ("footer", 0)], "corrupted", mapping={})  # fmt: skip
    inside = insertion([(packb(b"FSDBEXT\n"), [])])
    yield Bad("block-magic-in-object", "a file without keys whose last object ends with the magic of a footer",
              "[X2] such a file is one with the block", inside, [("footer", len(inside) - 48)], "corrupted", mapping={})  # fmt: skip


def header_files():
    rule = "[X4] header_crc32: every bit of the header is protected"
    yield reader_refuses("header-crc", "one bit of header_crc32 is flipped", rule,
                         T.flip(F + HEADER_CRC32).footer_mended(header=False), [("headerChecksum", F + HEADER_CRC32)])  # fmt: skip
    in_footer = ("headerChecksum", F + HEADER_CRC32)
    for name, file, wrong, damage in (
        ("num-keys-3", T.put(NUM_KEYS, "I", 3), "num_keys is 3, the index holds 10 entries", [("count", NUM_KEYS)]),
        ("num-keys-11", T.put(NUM_KEYS, "I", 11), "num_keys is 11, the index holds 10 entries", [("count", NUM_KEYS)]),
        ("num-keys-33", T.put(NUM_KEYS, "I", 33), "num_keys is 33: one stride more than ORDR has", [("count", NUM_KEYS), ("order", O)]),
        ("num-objects-4", T.put(NUM_OBJECTS, "I", 4), "num_objects is 4, there are 5", [("count", NUM_OBJECTS)]),
        ("flags-set", T.put(FLAGS, "B", 1), "flags in the header is 1", [("header", FLAGS)]),
        ("file-crc", T.flip(FILE_CRC32), "one bit of file_crc32 is flipped", [("fileChecksum", FILE_CRC32)]),
    ):
        yield reader_refuses(f"header-{name}", wrong, rule, file, [*damage, in_footer])
    yield reader_refuses("header-version-4", "the version of the file is 4", "the version is 2", T.put(VERSION, "B", 4).sealed(),
                         [("version", VERSION)], "unsupportedVersion")  # fmt: skip

    rule = "[X19] what the header says is true"
    sealed = {"scan": "either", "absent": "either"}
    yield opens("num-keys-3-sealed", "num_keys is 3, with every checksum to match", rule, T.put(NUM_KEYS, "I", 3).sealed(),
                [("count", NUM_KEYS)], **sealed)  # fmt: skip
    yield opens("num-keys-11-sealed", "num_keys is 11, with every checksum to match", rule, T.put(NUM_KEYS, "I", 11).sealed(),
                [("count", NUM_KEYS)], **sealed)  # fmt: skip
    yield opens("num-objects-4-sealed", "num_objects is 4, with every checksum to match", rule, T.put(NUM_OBJECTS, "I", 4).sealed(),
                [("count", NUM_OBJECTS)])  # fmt: skip
    yield opens("flags-set-sealed", "flags in the header is 1, with every checksum to match", rule, T.put(FLAGS, "B", 1).sealed(),
                [("header", FLAGS)])  # fmt: skip
    yield opens("object-crc", "the crc32 of the first object is wrong, all others are right", "a look-up compares an object's CRC-32",
                T.flip(R[0] + 4).sealed(), [("objectChecksum", R[0])], fails=b"ab")  # fmt: skip

    rule = "[X1] the block begins where the last entry ends"
    early = [("count", NUM_KEYS), ("padding", E[9] + 1), ("hash", T.slot(b"j")[1]), ("order", O)]
    yield opens("index-end-early", "index_end is where the last entry begins", rule, T.put(F + INDEX_END, "Q", E[9]).sealed(),
                early, fails=b"j", scan="fails", absent="either")  # fmt: skip
    yield opens("index-end-late", "index_end is where the first section begins", rule, T.put(F + INDEX_END, "Q", H).sealed(),
                [("trailingBytes", END)], scan="fails", absent="either")  # fmt: skip

    rule = "[X5] the CRC-32 from 40 to the footer and from 40 to the end are both file_crc32"
    yield opens("balance", "one bit of balance is flipped", rule, T.flip(F + BALANCE), [("fileChecksum", FILE_CRC32)])
    yield opens("file-crc-sealed", "file_crc32 is another number, and balance leads the file to it", rule,
                T.put(FILE_CRC32, "I", 0x12345678).footer_mended(file=False), [("fileChecksum", FILE_CRC32)])  # fmt: skip


def directory_files():
    at_field, at = [("directory", F + DIRECTORY_CRC32)], lambda place: [("directory", place)]
    rule = "[X4] directory_crc32"
    yield reader_refuses("directory-crc", "one bit of directory_crc32 is flipped", rule,
                         T.flip(F + DIRECTORY_CRC32).footer_mended(directory=False), at_field)  # fmt: skip
    yield reader_refuses("directory-flipped", "one bit of the directory is flipped", rule,
                         T.flip(HASH_ENTRY + OFFSET + 6).footer_mended(directory=False), at_field)  # fmt: skip

    rule = "[X6] sections stand inside the block, in order, apart from each other"
    for name, entry, field, number, wrong in (
        ("section-before", HASH_ENTRY, OFFSET, H - LINE, "HASH begins before index_end"),
        ("section-past-end", META_ENTRY, LENGTH, D - M + 1, "META ends one byte inside the directory"),
        ("section-outside", META_ENTRY, OFFSET, len(T) + 64, "META begins after the end of the file"),
        ("section-length-huge", META_ENTRY, LENGTH, HUGE64, "META has 2^64 - 1 bytes"),
        ("section-wraps", META_ENTRY, LENGTH, 2**64 - M + 40, "META is so long that its end is 40 in 64 bits"),
        ("section-offset-huge", META_ENTRY, OFFSET, HUGE64 - 7, "META begins at 2^64 - 8"),
        ("sections-overlap", ORDER_ENTRY, OFFSET, O - 8, "ORDR begins inside HASH"),
    ):
        yield reader_refuses(name, wrong, rule, sealed_directory(T.put(entry + field, "Q", number)), at(entry))
    swapped = T.copy()
    swapped.data[ORDER_ENTRY:F] = T.data[META_ENTRY:F] + T.data[ORDER_ENTRY:META_ENTRY]
    yield reader_refuses("sections-swapped", "META stands before ORDR in the directory, and after it in the file", rule,
                         sealed_directory(swapped), at(META_ENTRY))  # fmt: skip

    rule = "[X7] kinds"
    twice = assemble_block(plain, [*block_sections(plain), block_sections(plain)[1]])
    yield reader_refuses("section-twice", "ORDR stands twice", rule, twice, at(twice.directory + 64))
    for name, flags in (("required", 1), ("required-and-more", HUGE32)):
        file = with_block(plain, extra=[Section("XTRA", b"unknown", flags)])
        yield reader_refuses(f"unknown-{name}", f"a section of an unknown kind whose flags are {flags}", rule, file,
                             at(file.directory_entry("XTRA")), "unsupportedVersion")  # fmt: skip
    yield opens("section-misaligned", "META begins at an odd place", "[X1] sections begin at multiples of 8 or 64",
                misaligned(), [("directory", META_ENTRY)])  # fmt: skip

    rule = "[X1] zeros between sections"
    zeros = T.put(END + 5, "B", 1)
    yield opens("padding-before", "a byte between the index and HASH is not zero", rule, zeros.sealed(), [("padding", END + 5)])
    yield opens("padding-twice", "bytes in two gaps are not zero, two in one of them", rule,
                T.put(O + 13, "H", HUGE32 & 0xFFFF).put(D - 1, "B", 7).sealed(), [("padding", O + 13), ("padding", D - 1)])  # fmt: skip
    yield opens("padding-unsealed", "a byte between the index and HASH is not zero, and no checksum is mended", rule, zeros,
                [("fileChecksum", FILE_CRC32), ("padding", END + 5)])  # fmt: skip

    rule = "[X4] the CRC-32 of a section"
    for kind, entry, start in (("HASH", HASH_ENTRY, H), ("ORDR", ORDER_ENTRY, O), ("META", META_ENTRY, M)):
        meta = {"meta": "fails"} if kind == "META" else {}
        yield opens(f"section-crc-{kind.lower()}", f"the crc32 of {kind} is wrong in the directory", rule,
                    T.flip(entry + SECTION_CRC32).footer_mended(), [("sectionChecksum", start)], **meta)  # fmt: skip
    extra = with_block(plain, extra=[Section("XTRA", b"unknown")])
    yield opens("section-crc-unknown", "the bytes of an unknown section differ from their crc32", rule,
                extra.flip(extra.at["XTRA"]).footer_mended(), [("sectionChecksum", extra.at["XTRA"])])  # fmt: skip


def sealed_directory(file):
    """The directory was changed on purpose: its CRC-32s of sections stay, all else is mended."""
    return file.footer_mended()


def misaligned():
    """META one byte later; there is room for it."""
    length = T.length("META")
    assert M + length < D
    changed = T.copy()
    changed.data[M : M + length + 1] = b"\x00" + changed.data[M : M + length]
    return changed.put(META_ENTRY + OFFSET, "Q", M + 1).footer_mended()


def hash_files():
    rule = "[X9] the header of HASH"
    yield reader_refuses("hash-crc", "one bit of the crc32 of the header of HASH is flipped", rule, T.flip(H + 60).sealed(), [("hash", H)])
    yield reader_refuses("hash-seed-flipped", "one bit of the seed is flipped", rule, T.flip(H + 7).sealed(), [("hash", H)])
    for name, field, layout, number, wrong in (
        ("pilot-lines-0", 8, "Q", 0, "pilot_lines is 0"),
        ("pilot-lines-2", 8, "Q", 2, "pilot_lines is 2: the section is too short"),
        ("pilot-lines-wraps", 8, "Q", 2**58 + 1, "pilot_lines is 2^58 + 1: 64 times as much is 64 in 64 bits"),
        ("part-count-0", 16, "Q", 0, "part_count is 0"),
        ("part-count-huge", 16, "Q", HUGE64, "part_count is 2^64 - 1"),
        ("lines-per-part-0", 24, "Q", 0, "lines_per_part is 0"),
        ("lines-per-part-1", 24, "Q", 1, "lines_per_part is 1: the section is too long"),
        ("part-shift-33", 32, "B", 33, "part_shift is 33"),
        ("part-shift-255", 32, "B", 255, "part_shift is 255"),
        ("lanes-0", 33, "B", 0, "slots_per_line is 0"),
        ("lanes-6", 33, "B", 6, "slots_per_line is 6"),
        ("lanes-8", 33, "B", 8, "slots_per_line is 8"),
    ):
        yield reader_refuses(f"hash-{name}", wrong, rule, mended_header(T.put(H + field, layout, number)), [("hash", H)])
    wraps = T.put(H + 8, "Q", 3).put(H + 16, "Q", 2**32).put(H + 24, "Q", 2**32)
    yield reader_refuses("hash-product-wraps", "part_count and lines_per_part are 2^32, their product is 0 in 64 bits", rule,
                         mended_header(wraps), [("hash", H)])  # fmt: skip
    few = T.put(H + 8, "Q", 2).put(H + 24, "Q", 1).put(H + 32, "B", 0)
    yield reader_refuses("hash-too-few-parts", "the second line of pilots leads to a second part, and there is one", rule,
                         mended_header(few), [("hash", H)])  # fmt: skip
    for length in (0, 63, 64):
        short = assemble_block(plain, [Section("HASH", bytes(block_sections(plain)[0].data[:length])), block_sections(plain)[1]])
        yield reader_refuses(f"hash-{length}-bytes", f"HASH has {length} bytes", rule, short, [("hash", short.at["HASH"])])

    rule = "[X16] the check of a line, for a key that is not there"
    yield opens("pilot-check", "the check of the line of pilots is wrong", rule, T.flip(PILOTS + 63).sealed(), [("hash", PILOTS)],
                absent="fails")  # fmt: skip
    unused = next(offset for offset in range(PILOTS, PILOTS + 62, 2) if offset not in {T.slot(key)[0] for key in TEN})
    yield opens("pilot-unused", "one bit of a pilot that no key uses is flipped", rule, T.flip(unused).sealed(), [("hash", PILOTS)],
                absent="fails")  # fmt: skip
    yield opens("slot-check", "the check of a line of slots is wrong", rule, T.flip(LINE_OF_A, 7).sealed(), [("hash", LINE_OF_A)],
                absent="either")  # fmt: skip
    line = bytes(T.data[SLOTS : SLOTS + LINE])
    swapped = T.copy()
    swapped.data[SLOTS : SLOTS + LINE], swapped.data[SLOTS + LINE : O] = swapped.data[SLOTS + LINE : O], line
    yield opens("slot-lines-swapped", "two lines of slots have changed places, each whole", rule, swapped.sealed(),
                [("hash", start) for start in LINES], fails=bytes(key[0] for key in TEN), absent="fails")  # fmt: skip
    moved = T.flip(PILOT_OF_A + 1)
    sharing = bytes(key[0] for key in sorted(TEN) if T.slot(key)[0] == PILOT_OF_A)
    lines = {T.slot(bytes([key]))[1] for key in sharing} | {moved.slot(bytes([key]))[1] for key in sharing}
    yield opens("pilot-flipped", "one bit of the pilot of a is flipped", rule, moved.sealed(),
                [("hash", PILOTS), *(("hash", start) for start in lines)], fails=sharing, absent="fails")  # fmt: skip
    tag = LINE_OF_A + 7 - 6 * LANE_OF_A // 8, 6 * LANE_OF_A % 8
    yield opens("tag-flipped", "one bit of the tag of a is flipped", rule, T.flip(*tag).sealed(), [("hash", LINE_OF_A)], fails=b"a",
                absent="either")  # fmt: skip

    rule = "[X10] a slot for each key, and no other; only verification tells"
    yield opens("seed-1", "the seed is 1, with every check to match", rule, T.put(H, "Q", 1).sealed(lines=True),
                [("hash", start) for start in LINES], lost=bytes(key[0] for key in TEN), absent="either")  # fmt: skip
    yield opens("pilot-sealed", "the pilot of a is another, with every check to match", rule, moved.sealed(lines=True),
                [("hash", start) for start in lines], lost=sharing, absent="either")  # fmt: skip
    yield opens("tag-sealed", "the tag of a is another, with every check to match", rule, T.flip(*tag).sealed(lines=True),
                [("hash", LINE_OF_A)], lost=b"a", absent="either")  # fmt: skip
    entry_of_a, object_of_a = LINE_OF_A + 8 + 4 * LANE_OF_A, LINE_OF_A + 36 + 4 * LANE_OF_A
    free_line, free_slot = next(
        (start, slot_number) for start in LINES for slot_number in range(7) if T.get(start + 8 + 4 * slot_number, "I") == HUGE32
    )
    yield opens("slot-again", "a free slot has the entry and the object of a", rule,
                T.put(free_line + 8 + 4 * free_slot, "I", E[0] - I).put(free_line + 36 + 4 * free_slot, "I", R[0]).sealed(lines=True),
                [("hash", free_line)], absent="either")  # fmt: skip
    yield opens("slot-free-with-object", "a free slot has an object", rule,
                T.put(free_line + 36 + 4 * free_slot, "I", R[0]).sealed(lines=True), [("hash", free_line)], absent="either")  # fmt: skip
    yield opens("slot-emptied", "the slot of a is free", rule,
                emptied(entry_of_a, object_of_a).sealed(lines=True), [("hash", LINE_OF_A)], lost=b"a", absent="either")  # fmt: skip

    rule = "[X17] the key in the entry of a slot belongs there"
    for name, number, wrong in (
        ("entry-of-b", E[1] - I, "of b"),
        ("entry-inside", E[0] - I + 1, "one byte later, inside the entry"),
        ("entry-at-end", END - I, "where the index ends"),
        ("entry-before-end", END - I - 9, "9 bytes before the end of the index: no entry fits"),
        ("entry-huge", HUGE32 - 1, "2^32 - 2"),
    ):
        yield opens(name, f"the entry in the slot of a is {wrong}", rule, T.put(entry_of_a, "I", number).sealed(lines=True),
                    [("hash", LINE_OF_A)], fails=b"a", absent="either")  # fmt: skip
    key = T.put(E[0] + 2, "B", ord("A"))
    yield opens("key-flipped", "the first key is A, not a; the CRC-32 of its stride is that of a", rule, key.sealed(),
                [*(("hash", start) for start in {LINE_OF_A, key.slot(b"A")[1]}), ("order", O)], fails=b"a", scan="fails",
                absent="either")  # fmt: skip

    equal = T.put(E[1] + 2, "B", ord("a")).sealed(strides=True)
    yield opens("keys-equal", "the second key is a, as the first, not b; every checksum is right", "[I4] keys ascend; only verification tells",
                equal, [("keyOrder", E[1]), *(("hash", start) for start in {LINE_OF_A, LINE_OF_B})], fails=b"b", scan="lost",
                absent="either")  # fmt: skip


    # Both keys have one tag. Under another pilot u leads to the slot of U: its key belongs there, and its stride is right.
    two = with_block(canonical({b"U": packb(1), b"u": packb(2)}))
    pilot_of_u, line, _ = two.slot(b"u")
    meeting = next(file for pilot in range(2**16) if (file := two.put(pilot_of_u, "H", pilot)).slot(b"u")[1:] == two.slot(b"U")[1:])
    yield opens("pilot-to-the-same-tag", "the pilot of u leads to the slot of U, which has the same tag", rule, meeting.sealed(),
                [("hash", two.at["HASH"] + LINE), ("hash", line)], fails=b"u", absent="fails", mapping={b"U": packb(1), b"u": packb(2)})  # fmt: skip
    # One of 64 x slots: the rule leads the changed key to the slot of the old one, under the same tag. Its stride alone tells.
    one = with_block(canonical({b"O": packb(1)}))
    key = one.put(one.entries[0] + 2, "B", ord("W"))
    assert key.slot(b"W")[1:] == one.slot(b"O")[1:], "both keys have one slot"
    yield opens("key-flipped-to-the-same-slot", "the only key is W, not O; both have the same slot and tag", rule, key.sealed(),
                [("order", one.at["ORDR"])], fails=b"O", scan="fails", absent="lost", mapping={b"O": packb(1)})  # fmt: skip

    rule = "[X15] the object in the slot is the object in the entry"
    for name, number, wrong in (("second", R[1], "the second"), ("0", 0, "at 0"), ("huge", HUGE32, "at 2^32 - 1")):
        yield opens(f"slot-object-{name}", f"the object in the slot of a is {wrong}", rule,
                    T.put(object_of_a, "I", number).sealed(lines=True), [("hash", LINE_OF_A)], fails=b"a", absent="answers")  # fmt: skip
    yield opens("entry-object", "the entry of a leads to the second object, the slot to the first", rule,
                T.put(E[1] - 8, "Q", R[1]).sealed(strides=True), [("hash", LINE_OF_A)], fails=b"a", scan="lost")  # fmt: skip


def mended_header(file):
    """The section header's crc32 is right, and the lines are as they were."""
    changed = file.copy()
    struct.pack_into(">I", changed.data, H + 60, crc32(changed.data[H : H + 60]))
    return changed.sealed()


def emptied(entry, target):
    return T.put(entry, "I", HUGE32).put(target, "I", 0).put(LINE_OF_A, "Q", T.get(LINE_OF_A, "Q") & ~(63 << 6 * LANE_OF_A))


#: Two strides: 33 keys that share an object.
TWO_STRIDES = {bytes([65 + number]): packb(None) for number in range(33)}


def order_files():
    rule = "[X12] a row for each stride"
    for name, rows, wrong in (
        ("order-none", b"", "ORDR has no row"),
        ("order-11-bytes", bytes(T.data[O : O + 11]), "ORDR is one byte too short"),
        ("order-two", bytes(T.data[O : O + 12]) * 2, "ORDR has two rows, and there is one stride"),
    ):
        file = assemble_block(plain, [block_sections(plain)[0], Section("ORDR", rows)])
        yield reader_refuses(name, wrong, rule, file, [("order", file.at["ORDR"])])
    both = assemble_block(plain, [block_sections(plain)[0], Section("ORDR", bytes(T.data[O : O + 11]))])
    yield reader_refuses("order-11-bytes-and-pilots", "ORDR is one byte too short, and the check of the line of pilots is wrong", rule,
                         both.flip(PILOTS + 63).sealed(), [("hash", PILOTS), ("order", both.at["ORDR"])])  # fmt: skip

    rule = "[X18] a scan compares the CRC-32 of each stride"
    yield opens("stride-crc", "the crc32 of the stride is wrong", rule, T.flip(O + 8).sealed(), [("order", O)], scan="fails",
                absent="either")  # fmt: skip
    file = with_block(canonical(TWO_STRIDES))
    first, second = file.at["ORDR"], file.at["ORDR"] + 12
    failing = {"scan": "fails", "absent": "either", "mapping": TWO_STRIDES}
    yield opens("stride-crc-second", "the crc32 of the second stride is wrong", rule, file.flip(second + 11).sealed(),
                [("order", second)], **failing)  # fmt: skip
    yield opens("stride-number", "the crc32 of the second stride is that of a first one", rule,
                file.put(second + 8, "I", crc32(file.data[file.entries[32] : file.index_end], crc32(bytes(8)))).sealed(),
                [("order", second)], **failing)  # fmt: skip
    for name, row, number, wrong in (
        ("row-first-late", first, file.entries[1], "the first stride begins at the second entry"),
        ("row-second-early", second, file.entries[31], "the second stride begins one entry early"),
    ):
        damage = [("order", first), ("order", second)] if row == second else [("order", first)]
        # With the second row early each entry still lies in a stride whose CRC-32 is right: a scan may be right.
        outcome = {**failing, "scan": "either"} if row == second else failing
        yield opens(name, f"{wrong}, with checksums to match", "[X12] rows say where strides begin",
                    file.put(row, "Q", number).sealed(strides=True), damage, **outcome)  # fmt: skip
    for name, number, wrong in (
        ("row-0", 0, "0"),
        ("row-huge", HUGE64, "2^64 - 1"),
        ("row-past-index", file.index_end + 1, "one byte after index_end"),
    ):
        yield opens(name, f"the second stride begins at {wrong}", "[X12] rows say where strides begin",
                    file.put(second, "Q", number).sealed(), [("order", second)], **failing)  # fmt: skip


def meta_files():
    rule = "[X13] one map of MessagePack, with keys that are text"
    for name, data, wrong in (
        ("empty", b"", "no byte"),
        ("array", packb(["source"]), "an array"),
        ("number", b"\x05", "a number"),
        ("cut", packb({"source": "tests"})[:-1], "a map that is cut short"),
        ("two", packb({}) * 2, "two maps"),
        ("number-key", packb({1: "x"}), "a map with a number as a key"),
        ("bin-key", packb({b"source": "x"}), "a map with bytes as a key"),
        ("nested-129", b"\x81\xa1k" + b"\x91" * 128 + b"\xc0", "129 containers in each other"),
        ("count-huge", b"\xdf\xff\xff\xff\xff\xa1k\x01", "a map of 2^32 - 1 pairs in 8 bytes"),
    ):
        file = with_block(plain, meta=data)
        yield opens(f"meta-{name}", f"META is {wrong}", rule, file, [("metadata", file.at["META"])], meta="fails")
    yield opens("meta-flipped", "one bit of META is flipped", rule, T.flip(M + 1).footer_mended(), [("sectionChecksum", M)], meta="fails")


def cut_files():
    rule = "[X2] a file that does not end with the magic is plain, and a plain file ends with its index"
    changed, trailing = ("fileChecksum", FILE_CRC32), ("trailingBytes", END)
    for name, size, wrong in (
        ("byte", len(T) - 1, "cut one byte before its end"),
        ("directory", D, "cut where the directory begins"),
        ("order", O, "cut where ORDR begins"),
        ("hash", H + 100, "cut inside HASH"),
        ("padding", END + 1, "cut one byte after the index"),
    ):
        yield reader_refuses(f"cut-{name}", wrong, rule, T.cut(size), [changed, trailing])
    # By [X5] file_crc32 is right also without the footer.
    yield reader_refuses("cut-footer", "cut where the footer begins: file_crc32 is right", rule, T.cut(F), [trailing])
    yield reader_refuses("cut-index", "cut where the index ends", rule, T.cut(END), [changed])
    yield reader_refuses("magic-flipped", "one bit of the magic of the footer is flipped, file_crc32 is right", rule,
                         File.sealed(T.flip(F + 47)), [trailing])  # fmt: skip
    yield reader_refuses("magic-cut-sealed", "cut one byte before its end, file_crc32 is right", rule,
                         File.sealed(T.cut(len(T) - 1)), [trailing])  # fmt: skip
    yield reader_refuses("appended", "one byte after the footer, file_crc32 is right", rule, File.sealed(T.append(b"\n")), [trailing])

    rule = "[X14] a file that lacks HASH or ORDR is read through when it is opened"
    for kind in ("HASH", "ORDR"):
        part = with_block(plain, without=(kind,))
        name = {"HASH": "hash", "ORDR": "order"}[kind]
        yield reader_refuses(f"without-{name}-balance", f"one bit of balance is flipped, and there is no {kind}", rule,
                             part.flip(part.footer + BALANCE), [changed])  # fmt: skip
        yield reader_refuses(f"without-{name}-num-keys", f"num_keys is 3, with every checksum to match, and there is no {kind}", rule,
                             part.put(NUM_KEYS, "I", 3).sealed(), [("count", NUM_KEYS)])  # fmt: skip
        late = part.put(part.footer + INDEX_END, "Q", END + 10).sealed()
        yield reader_refuses(f"without-{name}-index-end", f"index_end is 10 bytes late, and there is no {kind}", rule, late, [trailing])
    part = with_block(plain, without=("HASH",))
    swapped = part.put(E[3] + 2, "B", ord("e")).put(E[4] + 2, "B", ord("d")).sealed(strides=True)
    yield reader_refuses("without-hash-order", "d stands after e, and there is no HASH", rule, swapped, [("keyOrder", E[4])])


def bad_block_files():
    for part in (footer_files, header_files, directory_files, hash_files, order_files, meta_files, cut_files):
        yield from part()


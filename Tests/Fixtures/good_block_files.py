"""The sound files with the extension block."""

from collections.abc import Callable
from dataclasses import dataclass

from block import FOOTER_FLAGS, SECTION_FLAGS, Section, Shape, assemble_block, block_sections, hash_section, with_block
from fsdb import canonical
from good_files import TEN, Good
from msgpack import packb

META = {"source": "the tests", "built": "2025-01-31T12:00:00Z", "comment": "größer als nichts"}
#: Lengths around every edge at which XXH3 goes another way.
KEY_LENGTHS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 32, 33, 64, 65, 96, 97, 127, 128, 129, 160, 239, 240, 241, 255,
               256, 512, 1023, 1024, 1025, 1088, 2048, 2049, 4096)  # fmt: skip


@dataclass
class GoodBlock(Good):
    """A sound file with the block: `block` makes it of the plain file."""

    block: Callable = with_block
    sections: tuple = ("HASH", "ORDR")
    meta: dict | None = None
    plain_layout: str = "canonical"

    @property
    def plain(self):
        return Good(self.name, self.holds, self.plain_layout, self.calls)

    @property
    def file(self):
        return self.block(self.plain.file) if self.meta is None else self.block(self.plain.file, meta=self.meta)

    @property
    def objects(self):
        return self.plain.objects

    def expectation(self):
        expected = super().expectation()
        return {**expected, "sections": list(self.sections), "meta": self.meta or {}}


def with_hash(**options):
    """A block whose HASH is made by other choices than those of a canonical writer."""

    def block(plain):
        return assemble_block(plain, [Section("HASH", hash_section(plain, **options)), *block_sections(plain, without=("HASH",))])

    return block


def with_flags(plain):
    """The bits that a reader ignores: flags of the footer and of the directory, and the reserved field."""
    file = with_block(plain)
    for number in range(2):
        entry = file.directory + 32 * number
        file = file.put(entry + SECTION_FLAGS, "I", 2**32 - 2).put(entry + 28, "I", 2**32 - 1)
    return file.put(file.footer + FOOTER_FLAGS, "H", 2**16 - 1).sealed()


def with_unused_pilot(plain):
    """A pilot that no key asks for."""
    file = with_block(plain)
    used = {file.slot(key)[0] for key in TEN}
    unused = next(offset for offset in range(file.at["HASH"] + 64, file.slot_lines - 2, 2) if offset not in used)
    return file.put(unused, "H", 0xABCD).sealed(lines=True)


def unknown_between(plain):
    hash_and_order = block_sections(plain)
    return assemble_block(plain, [hash_and_order[0], Section("XTRA", b"xyz"), Section("XTRA", b""), hash_and_order[1]])


def numbered(count):
    return [(packb({"n": number // 3}), [b"key %d" % number]) for number in range(count)]


def good_block_files():
    ten = [(value, [key]) for key, value in TEN.items()]
    yield GoodBlock("block-empty", "no key, no object, and the block", "block", [])
    yield GoodBlock("block-one-key", "one key", "block", [(packb({"n": 1}), [b"k"])])
    yield GoodBlock("block-ten-keys", "ten keys, two to an object", "block", ten)
    yield GoodBlock("block-300-keys", "300 keys: ten strides and two lines of pilots", "block", numbered(300))
    yield GoodBlock("block-32-keys", "32 keys: a whole stride and no more", "block", numbered(32))
    yield GoodBlock("block-33-keys", "33 keys: the second stride has one", "block", numbered(33))
    yield GoodBlock(
        "block-key-lengths", "a key of each length at which the hash goes another way", "block",
        [(packb(length), [bytes((97 + i % 26) for i in range(length))]) for length in KEY_LENGTHS],
    )  # fmt: skip
    yield GoodBlock("block-keys-not-text", "keys of bytes above 127 and of zeros", "block",
                    [(packb(i), [bytes([0x80 + i, 0xFF]) * i + b"\x00"]) for i in range(20)])  # fmt: skip
    with_meta = ("HASH", "ORDR", "META")
    yield GoodBlock("block-meta", "metadata of three names", "block", ten, sections=with_meta, meta=META)
    yield GoodBlock("block-meta-long", "metadata of a long text and an empty one, and no key", "block", [],
                    sections=with_meta, meta={"comment": "x" * 300, "größe": ""})  # fmt: skip
    yield GoodBlock("block-worked-example", "the worked example of spec/extension.md", "block",
                    [(packb({"a": 1}), [b"8.8.8.8", b"gmail.com"])], sections=with_meta, meta={"source": "x"})  # fmt: skip
    yield GoodBlock("block-objects-unreached", "insertion order, with objects that no key reaches", "other",
                    [(packb("u"), []), (packb("b"), [b"b"]), (packb("a"), [b"a", b"c"]), (packb("u"), [])],
                    plain_layout="insertion")  # fmt: skip

    def other(name, holds, calls, block, *sections, meta=None):
        return GoodBlock(name, holds, "other", calls, block=block, sections=sections, meta=meta)

    yield other("block-five-lanes", "slots for files beyond 4 GiB, in a small one", numbered(100),
                lambda plain: with_block(plain, slots_per_line=5), "HASH", "ORDR")  # fmt: skip
    yield other("block-seed-7", "another seed than the first", ten, with_hash(seeds=[7]), "HASH", "ORDR")
    yield other("block-parts", "three parts, where a canonical writer makes one", numbered(60),
                with_hash(shape=Shape(3, 3, 5, 7, part_shift=0)), "HASH", "ORDR")  # fmt: skip
    yield other("block-spacious", "ten lines for ten keys, parts of two lines of pilots", ten,
                with_hash(shape=Shape(3, 2, 5, 5, part_shift=1)), "HASH", "ORDR")  # fmt: skip
    yield other("block-without-hash", "no HASH", ten, lambda plain: with_block(plain, without=("HASH",)), "ORDR")
    yield other("block-without-order", "no ORDR", ten, lambda plain: with_block(plain, without=("ORDR",)), "HASH")
    yield other("block-only-meta", "META alone", ten, lambda plain, meta: with_block(plain, meta, without=("HASH", "ORDR")),
                "META", meta=META)  # fmt: skip
    yield other("block-no-section", "a block without a section", ten, lambda plain: with_block(plain, without=("HASH", "ORDR")))
    yield other("block-unknown", "a section of an unknown kind, not required, after the others", ten,
                lambda plain: with_block(plain, extra=[Section("XTRA", b"unknown")]), "HASH", "ORDR", "XTRA")  # fmt: skip
    yield other("block-unknown-twice", "an unknown kind twice, once without a byte, between the others", ten,
                unknown_between, "HASH", "XTRA", "XTRA", "ORDR")  # fmt: skip
    yield other("block-flags", "bits that a reader ignores are set", ten, with_flags, "HASH", "ORDR")
    yield other("block-unused-pilot", "a pilot that no key uses is not zero", ten, with_unused_pilot, "HASH", "ORDR")
    empty_meta = packb({})
    yield other("block-meta-empty", "metadata without a name", ten, lambda plain: with_block(plain, meta=empty_meta),
                "HASH", "ORDR", "META")  # fmt: skip


assert canonical(TEN).index_end == 222, "bad_block_files.py counts on it"

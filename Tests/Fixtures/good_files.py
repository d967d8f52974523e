"""The sound files: what they hold, as MessagePack bytes, and how they are laid out."""

import struct
from dataclasses import dataclass

from fsdb import canonical, insertion
from msgpack import ExtType, packb


@dataclass
class Good:
    """A sound file. `layout` says which options of `build` give its bytes back from its dump: canonical (`--plain`),
    insertion (`--plain --order insertion --objects every`), block (none but `--meta`), or other: none does."""

    name: str
    holds: str
    layout: str
    calls: list  # pairs of an object and its keys; for a canonical file every object has a key
    by_wheel: bool = False

    @property
    def mapping(self):
        return {key: value for value, keys in self.calls for key in keys}

    @property
    def file(self):
        return canonical(self.mapping) if self.layout == "canonical" else insertion(self.calls)

    @property
    def objects(self):
        """Every object, in file order."""
        if self.layout == "insertion":
            return [value for value, _ in self.calls]
        return list(dict.fromkeys(value for _, value in sorted(self.mapping.items())))

    def expectation(self):
        mapping, objects, file = self.mapping, self.objects, self.file
        return {
            "layout": self.layout,
            "bytes": len(file),
            "keyCount": len(mapping),
            "objectCount": len(objects),
            "unreachedObjects": len(objects) - len(file.targets()),
            "keys": {key.hex(): value.hex() for key, value in sorted(mapping.items())},
            "objects": [value.hex() for value in objects],
        }


def text(string):
    return string.encode()


def named(values):
    """Calls that store each value under its name."""
    return [(value, [text(name)]) for name, value in values.items()]


def ext(kind, payload):
    return packb(ExtType(kind, payload)) if kind >= 0 else _negative_ext(kind, payload)


def _negative_ext(kind, payload):
    # msgpack's ExtType refuses the negative kinds, which the format reserves.
    as_positive = bytearray(packb(ExtType(0, payload)))
    as_positive[len(as_positive) - len(payload) - 1] = kind & 0xFF
    return bytes(as_positive)


def one_of(key, value):
    """A map of one entry whose key is any encoded value."""
    return b"\x81" + key + value


def edges():
    """Every type at every edge of its widths, up to 16-bit lengths; the larger ones are made by the tests."""
    values = {"nil": packb(None), "false": packb(False), "true": packb(True)}
    for number in (
        0, 1, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**53 + 1,
        2**63 - 1, 2**63, 2**64 - 1,
        -1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63),
    ):  # fmt: skip
        values[f"int {number}"] = packb(number)
    for length in (0, 1, 31, 32, 255, 256):
        values[f"str of {length}"] = packb("s" * length)
        values[f"bin of {length}"] = packb(bytes(i & 0xFF for i in range(length)))
    for count in (0, 1, 15, 16):
        values[f"array of {count}"] = packb(list(range(count)))
        values[f"map of {count}"] = packb({f"{i:02}": i for i in range(count)})
    values["float32"] = b"\xca" + struct.pack(">f", 1.5)
    values["float64"] = packb(1.5)
    for length in (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256):
        values[f"ext of {length}"] = ext(7, bytes(i & 0xFF for i in range(length)))
    for kind in (-128, -2, 0, 1, 127):
        values[f"ext type {kind}"] = ext(kind, b"x")
    values["timestamp 32"] = bytes.fromhex("d6ff00000000")
    values["timestamp 64"] = bytes.fromhex("d7ffee6b27fc65920080")
    values["timestamp 96"] = bytes.fromhex("c70cff3b9ac9ffffffffff00000000")
    values["ext type -1, not a timestamp"] = ext(-1, b"abc")
    return values


def floats():
    values = {}
    for number in (
        0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 100.0, 1e15, 1e16, 1e17, 1e21, 1e22, 1e23, 123456789012345680.0,
        9007199254740992.0, 9007199254740994.0, 18446744073709551616.0, 1e-5, 1e-6, 1e-7, 5e-324,
        2.2250738585072014e-308, 1.7976931348623157e308, 4.35, 0.000001234, float("inf"), float("-inf"),
    ):  # fmt: skip
        values[f"float64 {number!r}"] = packb(number)
    for bits in (0x7FF8000000000000, 0x7FF8000000000001, 0x7FF0000000000001, 0xFFF8000000000000, 0xFFFFFFFFFFFFFFFF):
        values[f"float64 NaN {bits:016x}"] = b"\xcb" + struct.pack(">Q", bits)
    for bits in (
        0x00000000, 0x80000000, 0x3F800000, 0x3FC00000, 0x3DCCCCCD, 0x00000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF,
        0x4B800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7FC00001, 0x7F800001, 0xFFC00000, 0xFFFFFFFF,
        0x15AE43FD, 0x95AE43FD,  # their shortest text, read as a float64 first, rounds to a neighbour
    ):  # fmt: skip
        values[f"float32 {bits:08x}"] = b"\xca" + struct.pack(">I", bits)
    return values


def strings():
    values = {f"control {code:02x}": packb(chr(code)) for code in (*range(0x20), 0x7F)}
    for name, string in {
        "quote and backslash": '"\\/', "two bytes": "é", "three bytes": "€", "four bytes": "😀", "line separator": "\u2028",
        "byte order mark": "\ufeff", "noncharacter": "\uffff", "last": "\U0010ffff", "c1 control": "\u0085",
    }.items():  # fmt: skip
        values[name] = packb(string)
    for name, raw in NOT_UTF8.items():
        values[f"str, {name}"] = bytes([0xA0 | len(raw)]) + raw
        values[f"map key, {name}"] = one_of(bytes([0xA0 | len(raw)]) + raw, b"\x01")
    return values


NOT_UTF8 = {
    "lone ff": b"\xff",
    "lone continuation": b"a\x80b",
    "bad second byte": b"\xc3\x28",
    "overlong nul": b"\xc0\x80",
    "overlong three": b"\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "past U+10FFFF": b"\xf4\x90\x80\x80",
    "cut three": b"ok\xe2\x82",
    "cut four": b"\xf0\x9f\x98",
}

SPELLINGS = ("$float64", "$float32", "$bin", "$str", "$ext", "$map", "$msgpack")


def maps():
    values = {
        "int key": packb({1: 2}),
        "nil key": packb({None: "nothing"}),
        "bool keys": packb({True: 1, False: 0}),
        "float key": packb({1.5: "x"}),
        "bin key": packb({b"\x00\xff": "x"}),
        "array key": one_of(packb([1, 2]), packb("x")),
        "map key": one_of(packb({"a": 1}), packb("x")),
        "text and int keys": packb({"a": 1, 2: "b", "c": 3}),
        "nested": packb({"a": {1: {2: {"b": {3: 4}}}}, "c": [{5: 6}, {"d": {}}]}),
        "empty text key": packb({"": 1}),
        "order kept": packb({"z": 1, "a": 2, "m": 3}),
        "text key twice": b"\x82" + packb("a") + b"\x01" + packb("a") + b"\x02",
        "int key twice": b"\x82\x01\xc0\x01\xc2",
        "spelling name twice": b"\x82" + (packb("$bin") + packb("00")) * 2,
        "spelling name and another": packb({"$bin": "00ff", "x": 1}),
        "other dollar name": packb({"$other": "00ff"}),
        "dollar": packb({"$": 1}),
        "dollar name with a map": packb({"$Bin": {"$binary": "00"}}),
    }
    for name in SPELLINGS:
        values[f"only {name}"] = packb({name: "00ff"})
        values[f"only {name}, inside"] = packb({"a": [{name: None}]})
        values[f"only {name}, twice deep"] = packb({name: {name: []}})
    return values


def not_shortest():
    """Values in an encoding longer than needed, alone and inside others."""
    longer = {
        "5 as uint8": "cc05", "5 as uint16": "cd0005", "5 as uint32": "ce00000005", "5 as uint64": "cf0000000000000005",
        "128 as uint16": "cd0080", "65535 as uint32": "ce0000ffff", "2^32-1 as uint64": "cf00000000ffffffff",
        "5 as int8": "d005", "127 as int8": "d07f", "300 as int16": "d1012c", "5 as int32": "d200000005",
        "2^31 as int64": "d30000000080000000", "0 as int64": "d30000000000000000",
        "-1 as int8": "d0ff", "-32 as int8": "d0e0", "-1 as int16": "d1ffff", "-128 as int16": "d1ff80",
        "-129 as int32": "d2ffffff7f", "-32769 as int64": "d3ffffffffffff7fff",
        "empty as str8": "d900", "str8": "d903616263", "str16": "da0003616263", "str32": "db00000003616263",
        "str8, not utf-8": "d901ff", "bin16": "c5000100", "bin32": "c60000000100",
        "array16": "dc000101", "array32": "dd0000000101", "empty array16": "dc0000",
        "map16": "de0001a16101", "map32": "df00000001a16101", "empty map32": "df00000000",
        "ext8 of 1": "c70107aa", "ext8 of 2": "c70207aaaa", "ext8 of 4": "c70407aaaaaaaa",
        "ext8 of 8": "c70807" + "aa" * 8, "ext8 of 16": "c71007" + "aa" * 16,
        "ext16 of 3": "c8000307aaaaaa", "ext32 of 3": "c90000000307aaaaaa", "ext16 of 0": "c8000007",
    }  # fmt: skip
    values = {name: bytes.fromhex(encoded) for name, encoded in longer.items()}
    values["in an array"] = bytes.fromhex("9301cc0503")
    values["in a map"] = bytes.fromhex("82a161cd0005a16207")
    values["as a map key"] = bytes.fromhex("81cc05a178")
    values["as a text map key"] = bytes.fromhex("82d9016101a16202")
    values["array16 of array16"] = bytes.fromhex("dc0001dc0001c0")
    values["shortest array of array16 of shortest"] = bytes.fromhex("91dc000191a161")
    return values


def nesting():
    return {
        "128 arrays": b"\x91" * 127 + b"\x90",
        "128 arrays around nil": b"\x91" * 128 + b"\xc0",
        "128 maps": b"\x81\xa1k" * 127 + b"\x80",
        "128 maps of maps as keys": b"\x81" * 127 + b"\x80" + b"\xc0" * 127,
        "128, alternating": b"\x91\x81\xa1k" * 64 + b"\xc3",
        "128 side by side": b"\xdc\x00\x80" + b"\x90" * 128,
    }


CONTROL_KEYS = [
    b"\x00",
    b"a\x00b",
    b"tab\there",
    b"line\nbreak",
    b"cr\r",
    b"back\\slash",
    b"\\x41",
    b"\x1b[0m",
    b"\x7f",
    b"quote\"'",
]
ORDERED_KEYS = [
    b"",
    b"\x00",
    b"\x00\x00",
    b"\x01",
    b"A",
    b"a",
    b"a\x00",
    b"a\x00a",
    b"aa",
    b"ab",
    b"b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\x00",
    b"\xff\xff",
]
NOT_UTF8_KEYS = [*NOT_UTF8.values(), b"\xff\xfe\xfd", "schön".encode("latin-1"), "schön".encode(), b"plain"]

TEN = {bytes([97 + i]): packb({"n": (1, "two", [3], 4.0, None)[i // 2]}) for i in range(10)}

#: What the wheel is asked to write, as pairs of an object and its keys; `write_with_wheel.py` makes the calls.
BY_WHEEL = {
    "wheel-empty": ("no call at all", []),
    "wheel-quick-start": (
        "the example of its README: three keys to one object",
        [(packb({"org": "Google", "asn": 15169}), [b"8.8.8.8", b"8.8.4.4", b"gmail.com"])],
    ),
    "wheel-duplicate-key": (
        "a key added three times: the last object wins, the others stay unreached",
        [(packb(1), [b"k"]), (packb(2), [b"k", b"l"]), (packb(3), [b"k"])],
    ),
    "wheel-identical-objects": (
        "equal objects, kept apart, in an order that is not the order of the keys",
        [(packb({"a": 1}), [b"z"]), (packb({"a": 1}), [b"m"]), (packb({"b": 2}), [b"a", b"y"]), (packb({"a": 1}), [])],
    ),
    "wheel-not-utf8-keys": (
        "keys that are not UTF-8, and the empty key",
        [(packb(i), [key]) for i, key in enumerate([*NOT_UTF8_KEYS, b""])],
    ),
    "wheel-every-type": ("every MessagePack type, through its raw writer", named(edges())),
}


def good_files():
    yield Good("empty", "no key, no object: the header alone", "canonical", [])
    yield Good("one-key", "one key, one object", "canonical", [(packb({"n": 1}), [b"k"])])
    yield Good("two-keys-one-object", "two keys that share an object", "canonical", [(packb({"n": 1}), [b"a", b"b"])])
    yield Good("empty-key", "the empty key beside another", "canonical", [(packb(0), [b""]), (packb(1), [b"a"])])
    yield Good(
        "ten-keys",
        "ten keys, two to an object: what the files of `bad/` are made from",
        "canonical",
        [(value, [key]) for key, value in TEN.items()],
    )
    yield Good("keys-not-utf8", "keys that are not UTF-8", "canonical", [(packb(key.hex()), [key]) for key in NOT_UTF8_KEYS])
    yield Good(
        "keys-control",
        "keys with NUL, tab, newline, backslash and other bytes that a text line escapes",
        "canonical",
        [(packb(key.hex()), [key]) for key in CONTROL_KEYS],
    )
    yield Good(
        "keys-order",
        "keys whose order shows whether bytes compare unsigned, the shorter first",
        "canonical",
        [(packb(i), [key]) for i, key in enumerate(ORDERED_KEYS)],
    )
    yield Good(
        "key-longest", "a key of 65,535 bytes", "canonical", [(packb("longest"), [b"k" * 65535]), (packb("shorter"), [b"k" * 300])]
    )
    yield Good("values-edges", "every MessagePack type at every edge of its widths", "canonical", named(edges()))
    yield Good(
        "values-floats", "float64 and float32: zeros, subnormals, infinities, NaNs with payload", "canonical", named(floats())
    )
    yield Good("values-strings", "strings that JSON escapes, and strings that are not UTF-8", "canonical", named(strings()))
    yield Good("values-maps", "maps with keys that are not text, and maps that look like a spelling", "canonical", named(maps()))
    yield Good("values-not-shortest", "values in an encoding longer than needed", "canonical", named(not_shortest()))
    yield Good("values-nested-128", "the deepest nesting allowed", "canonical", named(nesting()))
    yield Good("objects-unreached", "objects that no key reaches: first, between and last", "insertion",
               [(packb("u1"), []), (packb("b"), [b"b"]), (packb("u2"), []), (packb("a"), [b"a"]), (packb("u3"), [])])  # fmt: skip
    yield Good("objects-only", "two objects and no key", "insertion", [(packb(1), []), (packb(2), [])])
    yield Good("objects-identical-apart", "identical objects stored apart", "insertion",
               [(packb({"n": 1}), [b"a"]), (packb({"n": 1}), [b"b", b"c"]), (packb({"n": 1}), [b"d"])])  # fmt: skip
    yield Good("objects-not-in-key-order", "objects in an order that is not the order of their keys", "insertion",
               [(packb(3), [b"c"]), (packb(1), [b"a", b"z"]), (packb(2), [b"b"])])  # fmt: skip
    for name, (holds, calls) in BY_WHEEL.items():
        yield Good(name, holds, "insertion", calls, by_wheel=True)

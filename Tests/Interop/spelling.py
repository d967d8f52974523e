"""The JSON spelling of MessagePack, both ways, written from its description alone.

    spell(b"\\xcc\\x05")                    # '{"$msgpack":"cc05"}'
    unspell('{"$msgpack":"cc05"}')         # b"\\xcc\\x05"
    value_end(b"\\x01\\x02")                # 1: where the first value ends

Works on bytes, never through a MessagePack library: what a library normalises would be lost.
"""

import json
import math
import re
import struct
from fractions import Fraction

MAX_NESTING = 128
NAN64, NAN32 = bytes.fromhex("7ff8000000000000"), bytes.fromhex("7fc00000")
NAMES = {"$float64", "$float32", "$bin", "$str", "$ext", "$map", "$msgpack"}


class NotMessagePack(ValueError):
    """The bytes are not one MessagePack value."""


class NotSpelled(ValueError):
    """The JSON does not spell a MessagePack value."""


# --- reading MessagePack ---------------------------------------------------------------------------------------------

#: First byte -> (type, struct letter of what follows: a number, a length or a count).
SIZED = {
    0xC4: ("bin", "B"), 0xC5: ("bin", "H"), 0xC6: ("bin", "I"), 0xC7: ("ext", "B"), 0xC8: ("ext", "H"), 0xC9: ("ext", "I"),
    0xCA: ("float32", "f"), 0xCB: ("float64", "d"), 0xCC: ("int", "B"), 0xCD: ("int", "H"), 0xCE: ("int", "I"),
    0xCF: ("int", "Q"), 0xD0: ("int", "b"), 0xD1: ("int", "h"), 0xD2: ("int", "i"), 0xD3: ("int", "q"),
    0xD9: ("str", "B"), 0xDA: ("str", "H"), 0xDB: ("str", "I"), 0xDC: ("array", "H"), 0xDD: ("array", "I"),
    0xDE: ("map", "H"), 0xDF: ("map", "I"),
}  # fmt: skip
FIXEXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def take(data, position, count):
    if count > len(data) - position:
        raise NotMessagePack(f"{count} bytes wanted at {position}, {len(data) - position} there")
    return data[position : position + count], position + count


def read_head(data, position):
    """(type, number | bytes | count, position after the head and, for str, bin and ext, after the payload)."""
    (first,), position = take(data, position, 1)
    if first in CONSTANTS:
        return "constant", CONSTANTS[first], position
    if first <= 0x7F:
        return "int", first, position
    if first >= 0xE0:
        return "int", first - 0x100, position
    if first <= 0x8F:
        return "map", first & 0x0F, position
    if first <= 0x9F:
        return "array", first & 0x0F, position
    if first <= 0xBF:
        payload, position = take(data, position, first & 0x1F)
        return "str", payload, position
    if first in FIXEXT:
        payload, position = take(data, position, 1 + FIXEXT[first])
        return "ext", payload, position
    if first not in SIZED:
        raise NotMessagePack(f"the byte {first:02x} at {position - 1}")
    kind, letter = SIZED[first]
    raw, position = take(data, position, struct.calcsize(letter))
    if kind in ("float32", "float64"):
        return kind, raw, position
    (number,) = struct.unpack(">" + letter, raw)
    if kind in ("int", "array", "map"):
        return kind, number, position
    payload, position = take(data, position, number + (kind == "ext"))
    return kind, payload, position


def value_end(data, position=0, depth=0):
    """Where the value at `position` ends. Throws where no value is or containers nest too deep."""
    kind, content, position = read_head(data, position)
    if kind in ("array", "map"):
        if depth == MAX_NESTING:
            raise NotMessagePack(f"containers nest deeper than {MAX_NESTING}")
        for _ in range(content * (2 if kind == "map" else 1)):
            position = value_end(data, position, depth + 1)
    return position


def is_value(data):
    """Whether the bytes are exactly one value."""
    try:
        return value_end(data) == len(data)
    except NotMessagePack:
        return False


# --- writing MessagePack, shortest encodings -------------------------------------------------------------------------


def sized(fixed, limit, first_bytes, length):
    """The head for a length: in the first byte up to `limit`, else in one, two or four bytes."""
    if length < limit:
        return bytes([fixed | length])
    for first, letter, bits in zip(first_bytes, "BHI", (8, 16, 32), strict=True):
        if first is not None and length < 1 << bits:
            return bytes([first]) + struct.pack(">" + letter, length)
    raise NotSpelled(f"a length of {length}")


def pack_int(number):
    if -32 <= number <= 127:
        return struct.pack(">b", number)
    widths = (
        ((0xCC, "B"), (0xCD, "H"), (0xCE, "I"), (0xCF, "Q")) if number > 0 else ((0xD0, "b"), (0xD1, "h"), (0xD2, "i"), (0xD3, "q"))
    )
    for first, letter in widths:
        try:
            return bytes([first]) + struct.pack(">" + letter, number)
        except struct.error:
            continue
    raise NotSpelled(f"the integer {number} fits no MessagePack type")


def pack_str(raw):
    return sized(0xA0, 32, (0xD9, 0xDA, 0xDB), len(raw)) + raw


def pack_bin(raw):
    return sized(0, 0, (0xC4, 0xC5, 0xC6), len(raw)) + raw


def pack_ext(kind, raw):
    fixed = {length: first for first, length in FIXEXT.items()}.get(len(raw))
    head = bytes([fixed]) if fixed else sized(0, 0, (0xC7, 0xC8, 0xC9), len(raw))
    return head + struct.pack(">b", kind) + raw


def pack_array_head(count):
    return sized(0x90, 16, (None, 0xDC, 0xDD), count)


def pack_map_head(count):
    return sized(0x80, 16, (None, 0xDE, 0xDF), count)


def shortest_head(kind, content):
    """The shortest head for what `read_head` gave, with the payload of str, bin and ext."""
    match kind:
        case "int":
            return pack_int(content)
        case "str":
            return pack_str(content)
        case "bin":
            return pack_bin(content)
        case "ext":
            return pack_ext(content[0] - (content[0] & 0x80) * 2, content[1:])
        case "array":
            return pack_array_head(content)
        case "map":
            return pack_map_head(content)


# --- MessagePack to JSON ---------------------------------------------------------------------------------------------


def as_text(raw):
    """The string, or None where the bytes are not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def quoted(string):
    # Python has the short forms of two more characters than [J7].
    text = json.dumps(string, ensure_ascii=False)
    return re.sub(r"\\.", lambda escape: {r"\b": r"\u0008", r"\f": r"\u000c"}.get(escape[0], escape[0]), text)


def tagged(name, payload):
    return f'{{"{name}":{payload}}}'


def hexed(name, raw):
    return tagged(name, f'"{raw.hex()}"')


def spell_special(raw, letter, quiet_nan):
    """The payload of a float spelling where the float is not finite, else None."""
    (number,) = struct.unpack(">" + letter, raw)
    if math.isnan(number):
        return '"nan"' if raw == quiet_nan else f'"0x{raw.hex()}"'
    return {math.inf: '"inf"', -math.inf: '"-inf"'}.get(number)


def spell_float64(raw):
    special = spell_special(raw, "d", NAN64)
    return repr(struct.unpack(">d", raw)[0]) if special is None else tagged("$float64", special)


def spell_float32(raw):
    """The fewest digits that denote the float32; its bits where a reader, who goes through a float64, gets another one."""
    special = spell_special(raw, "f", NAN32)
    if special is None:
        (number,) = struct.unpack(">f", raw)
        denoting = (text for digits in range(9) if nearest_float32(Fraction(text := f"{number:.{digits}e}")) == abs(number))
        special = repr(float(next(denoting)))
        if struct.pack(">f", float(special)) != raw:
            special = f'"0x{raw.hex()}"'
    return tagged("$float32", special)


def nearest_float32(number):
    """The float32 nearest to the size of an exact number, ties to even, in one rounding."""
    try:
        (bits,) = struct.unpack(">I", struct.pack(">f", abs(number)))
    except OverflowError:
        return math.inf
    near = [struct.unpack(">f", struct.pack(">I", b))[0] for b in (bits - 1, bits, bits + 1) if 0 <= b < 0x7F800000]
    return min(near, key=lambda one: (abs(Fraction(one) - abs(number)), struct.pack(">f", one)[3] & 1))


def spell_value(data, position):
    """(JSON text, position after it, the string when the value is a text in its shortest encoding)."""
    start = position
    kind, content, position = read_head(data, position)
    if kind == "constant":
        return {None: "null", False: "false", True: "true"}[content], position, None
    if kind == "float64":
        return spell_float64(content), position, None
    if kind == "float32":
        return spell_float32(content), position, None
    if data[start:position] != shortest_head(kind, content):
        end = value_end(data, start)
        return hexed("$msgpack", data[start:end]), end, None
    if kind == "int":
        return str(content), position, None
    if kind == "bin":
        return hexed("$bin", content), position, None
    if kind == "ext":
        return tagged("$ext", f'[{struct.unpack(">b", content[:1])[0]},"{content[1:].hex()}"]'), position, None
    if kind == "str":
        string = as_text(content)
        return (hexed("$str", content), position, None) if string is None else (quoted(string), position, string)
    if kind == "array":
        items = []
        for _ in range(content):
            item, position, _ = spell_value(data, position)
            items.append(item)
        return f"[{','.join(items)}]", position, None
    pairs, names = [], []
    for _ in range(content):
        key, position, name = spell_value(data, position)
        value, position, _ = spell_value(data, position)
        pairs.append((key, value))
        names.append(name)
    if None in names or (len(names) == 1 and names[0] in NAMES):
        return tagged("$map", "[" + ",".join(f"[{key},{value}]" for key, value in pairs) + "]"), position, None
    return "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}", position, None


def spell(data):
    """The JSON text of one MessagePack value."""
    text, end, _ = spell_value(data, 0)
    if end != len(data):
        raise NotMessagePack(f"{len(data) - end} bytes after the value")
    return text


def spell_key(key):
    """The JSON text of a database key."""
    string = as_text(key)
    return hexed("$bin", key) if string is None else quoted(string)


def line(keys, value):
    """A line of the native form: keys are bytes, the value is MessagePack."""
    return f'{{"keys":[{",".join(map(spell_key, keys))}],"value":{spell(value)}}}\n'.encode()


# --- JSON to MessagePack ---------------------------------------------------------------------------------------------


class Pairs(list):
    """The members of a JSON object, in order, duplicates kept."""


class Decimal(str):
    """A JSON number with a point or an exponent, as written."""


def refuse(constant):
    raise NotSpelled(f"{constant} is not JSON")


DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_float=Decimal, parse_constant=refuse)


def parse(text):
    """The JSON document, with objects as `Pairs` and numbers with a point or an exponent as `Decimal`."""
    return DECODER.decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass"))


def unhex(text):
    if not isinstance(text, str) or isinstance(text, Decimal) or not re.fullmatch("(?:[0-9a-fA-F]{2})*", text):
        raise NotSpelled(f"{text!r} is not hexadecimal")
    return bytes.fromhex(text)


def finite(letter, number):
    """The bytes of a number rounded to a float; an error where that is infinite."""
    try:
        raw = struct.pack(">" + letter, float(number))
    except OverflowError:
        raw = b""
    if not raw or math.isinf(struct.unpack(">" + letter, raw)[0]):
        raise NotSpelled(f"{number} rounds to infinity")
    return raw


def unspell_special(payload, letter, quiet_nan):
    """The bytes of a float that is spelled as a word or by its bits."""
    words = {"nan": quiet_nan, "inf": struct.pack(">" + letter, math.inf), "-inf": struct.pack(">" + letter, -math.inf)}
    if isinstance(payload, str) and payload in words:
        return words[payload]
    if isinstance(payload, str) and payload.startswith("0x") and len(payload) == 2 + 2 * struct.calcsize(letter):
        return unhex(payload[2:])
    raise NotSpelled(f"{payload!r} is not a float")


def is_number(node):
    return isinstance(node, (Decimal, int)) and not isinstance(node, bool)


def unspell_tagged(name, payload):
    match name:
        case "$float64":
            if is_number(payload):
                raise NotSpelled("a finite float64 is a plain number")
            return b"\xcb" + unspell_special(payload, "d", NAN64)
        case "$float32":
            return b"\xca" + (finite("f", payload) if is_number(payload) else unspell_special(payload, "f", NAN32))
        case "$bin":
            return pack_bin(unhex(payload))
        case "$str":
            return pack_str(unhex(payload))
        case "$ext":
            kind, raw = payload
            return pack_ext(kind, unhex(raw))
        case "$map":
            if isinstance(payload, Pairs):
                raise NotSpelled("a $map is an array of pairs")
            return pack_map_head(len(payload)) + b"".join(unspell_value(key) + unspell_value(value) for key, value in payload)
        case "$msgpack":
            raw = unhex(payload)
            if not is_value(raw):
                raise NotSpelled(f"{payload} is not one MessagePack value")
            return raw


def unspell_value(node):
    if node is None or isinstance(node, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[node]
    if isinstance(node, Decimal):
        return b"\xcb" + finite("d", node)
    if isinstance(node, int):
        return pack_int(node)
    if isinstance(node, str):
        return pack_str(node.encode())
    if isinstance(node, Pairs):
        if len(node) == 1 and node[0][0] in NAMES:
            return unspell_tagged(*node[0])
        return pack_map_head(len(node)) + b"".join(pack_str(key.encode()) + unspell_value(value) for key, value in node)
    return pack_array_head(len(node)) + b"".join(map(unspell_value, node))


def unspell(text):
    """The MessagePack bytes that a JSON text spells."""
    return unspell_value(parse(text))


def unspell_key(node):
    """The database key that a parsed JSON node spells."""
    if isinstance(node, Pairs):
        ((name, payload),) = node
        if name != "$bin":
            raise NotSpelled(f"{name} is not a key")
        return unhex(payload)
    if not isinstance(node, str) or isinstance(node, Decimal):
        raise NotSpelled(f"{node!r} is not a key")
    return node.encode()


def unline(text):
    """(keys, value) of a line of the native form, which has exactly these two members."""
    (first, keys), (second, value) = parse(text)
    if (first, second) != ("keys", "value"):
        raise NotSpelled(f"the members are {first} and {second}")
    return [unspell_key(key) for key in keys], unspell_value(value)


# --- keys on text lines ----------------------------------------------------------------------------------------------

ESCAPES = {b"\\\\": b"\\", b"\\t": b"\t", b"\\n": b"\n", b"\\r": b"\r"}


def unescape(text):
    """The key that a text line shows."""

    def one(match):
        return ESCAPES.get(match[0]) or bytes.fromhex(match[1].decode())

    return re.sub(rb"\\\\|\\t|\\n|\\r|\\x([0-9a-fA-F]{2})", one, text)


def escape(key):
    """A key as a text line shows it."""
    shown = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}

    def one(character):
        if character in shown:
            return shown[character]
        code = ord(character)
        if 0xDC80 <= code <= 0xDCFF:
            return f"\\x{code - 0xDC00:02x}"
        return f"\\x{code:02x}" if code < 0x20 or code == 0x7F else character

    return "".join(map(one, key.decode(errors="surrogateescape"))).encode()

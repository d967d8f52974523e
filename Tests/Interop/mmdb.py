"""Writes MaxMind DB files for tests: slow, simple, and apart from the command's writer and reader.

By the published format, version 2.0. Values are Python's: str, bytes, bool, float (a double), dict, list; an int is a uint32, and `Typed` says another type.
`raw` puts a file together of parts that may be anything.
"""

import ipaddress
import struct

MARKER = b"\xab\xcd\xefMaxMind.com"
TYPES = {
    "pointer": 1, "text": 2, "double": 3, "bytes": 4, "uint16": 5, "uint32": 6, "map": 7, "int32": 8, "uint64": 9, "uint128": 10,
    "array": 11, "container": 12, "end": 13, "bool": 14, "float": 15,
}  # fmt: skip


class Typed:
    """A value of a type that Python has no name for."""

    def __init__(self, kind, value):
        self.kind, self.value = kind, value


def head(kind, size):
    """The control bytes of a type and a size."""
    number = TYPES.get(kind, kind)
    if size < 29:
        low, more = size, b""
    elif size < 285:
        low, more = 29, bytes([size - 29])
    elif size < 65821:
        low, more = 30, struct.pack(">H", size - 285)
    else:
        low, more = 31, (size - 65821).to_bytes(3, "big")
    return (bytes([number << 5 | low]) if number < 8 else bytes([low, number - 7])) + more


def pointer(offset, size=None):
    """A pointer to an offset of the values, of so many bytes after the first."""
    size = size or (1 if offset < 2048 else 2 if offset < 526336 else 3 if offset < 134744064 else 4)
    number = offset - [0, 2048, 526336, 0][size - 1]
    high = number >> 8 * size if size < 4 else 0
    return bytes([1 << 5 | size - 1 << 3 | high]) + (number & (1 << 8 * size) - 1).to_bytes(size, "big")


def encode(value):
    """The bytes of a value, without pointers."""
    if isinstance(value, bool):
        return head("bool", int(value))
    if isinstance(value, int):
        return encode(Typed("uint32", value))
    if isinstance(value, float):
        return head("double", 8) + struct.pack(">d", value)
    if isinstance(value, str):
        return head("text", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return head("bytes", len(value)) + value
    if isinstance(value, dict):
        return head("map", len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return head("array", len(value)) + b"".join(map(encode, value))
    if value.kind == "raw":
        return value.value
    if value.kind == "float":
        return head("float", 4) + struct.pack(">f", value.value)
    if value.kind == "int32":
        number = value.value.to_bytes(4, "big", signed=True)
    else:
        number = value.value.to_bytes(16, "big").lstrip(b"\0")
    return head(value.kind, len(number)) + number


def metadata(**members):
    """The bytes of the metadata, with what every file needs where nothing else is said."""
    known = {
        "binary_format_major_version": Typed("uint16", 2), "binary_format_minor_version": Typed("uint16", 0),
        "build_epoch": Typed("uint64", 1700000000), "database_type": "Test", "description": {"en": "A test"},
        "ip_version": Typed("uint16", 6), "languages": ["en", "de"], "node_count": 0, "record_size": Typed("uint16", 24),
    }  # fmt: skip
    known.update(members)
    return encode({name: value for name, value in known.items() if value is not None})


def node(left, right, bits):
    """The bytes of a node."""
    if bits == 28:
        return (
            (left & 0xFFFFFF).to_bytes(3, "big")
            + bytes([left >> 24 << 4 | right >> 24])
            + (right & 0xFFFFFF).to_bytes(3, "big")
        )
    return left.to_bytes(bits // 8, "big") + right.to_bytes(bits // 8, "big")


def raw(nodes, values, bits=24, version=6, **members):
    """A file of pairs of records and the bytes of values. A record may be a number, None for no value, or ("value", offset)."""

    def number(record):
        if record is None:
            return len(nodes)
        return len(nodes) + 16 + record[1] if isinstance(record, tuple) else record

    tree = b"".join(node(number(left), number(right), bits) for left, right in nodes)
    said = {
        "node_count": len(nodes), "record_size": Typed("uint16", bits), "ip_version": Typed("uint16", version), **members,
    }  # fmt: skip
    return tree + bytes(16) + values + MARKER + metadata(**said)


def path(network, version):
    """The bits that lead to a network."""
    network = ipaddress.ip_network(network)
    bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
    return "0" * 96 + bits if version == 6 and network.version == 4 else bits


def write(networks, bits=24, version=6, aliases=(), **members):
    """A file with these networks, a dict or pairs; none may lie in another. Aliases are IPv6 networks that lead to the node of IPv4 addresses."""
    root = [None, None]

    def put(path, record):
        where = root
        for bit in path[:-1]:
            if where[int(bit)] is None:
                where[int(bit)] = [None, None]
            where = where[int(bit)]
            assert isinstance(where, list), "one network lies in another"
        where[int(path[-1])] = record

    values, places = b"", {}
    for network, value in dict(networks).items():
        encoded = encode(value)
        if encoded not in places:
            places[encoded] = len(values)
            values += encoded
        put(path(network, version), ("value", places[encoded]))
    if aliases:
        ipv4 = root
        for _ in range(96):
            ipv4 = ipv4[0]
        for alias in aliases:
            put(path(alias, version), ipv4)
    numbers, order = {}, []

    def visit(where):
        if isinstance(where, list) and id(where) not in numbers:
            numbers[id(where)] = len(order)
            order.append(where)
            for child in where:
                visit(child)

    visit(root)
    nodes = [tuple(numbers[id(child)] if isinstance(child, list) else child for child in where) for where in order]
    return raw(nodes, values, bits, version, **members)

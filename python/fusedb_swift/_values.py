"""What the extension asks Python for, seldom: extension types of MessagePack, paths, JSON."""

from __future__ import annotations

import os
import sys

# Whoever imports the package waits for what it imports: the rest is imported where it is needed.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAP_TYPE = 1 << 9


class ExtType(tuple[int, bytes]):
    """An extension of MessagePack, where the package `msgpack` is not there.

    >>> ExtType(5, b'data')
    ExtType(code=5, data=b'data')
    """

    __slots__ = ()

    def __new__(cls, code: int, data: bytes) -> ExtType:
        return tuple.__new__(cls, (code, data))

    def __getnewargs__(self) -> tuple[int, bytes]:
        return (self[0], self[1])

    def __repr__(self) -> str:
        return f"ExtType(code={self[0]!r}, data={self[1]!r})"

    @property
    def code(self) -> int:
        """The type, a number from -128 to 127.

        >>> ExtType(5, b'data').code
        5
        """
        return self[0]

    @property
    def data(self) -> bytes:
        """What is in it.

        >>> ExtType(5, b'data').data
        b'data'
        """
        return self[1]


class Timestamp(tuple[int, int]):
    """A moment of MessagePack, where the package `msgpack` is not there: seconds since 1970, and nanoseconds.

    >>> Timestamp(1, 500_000_000).to_unix()
    1.5
    """

    __slots__ = ()

    def __new__(cls, seconds: int, nanoseconds: int = 0) -> Timestamp:
        return tuple.__new__(cls, (seconds, nanoseconds))

    def __getnewargs__(self) -> tuple[int, int]:
        return (self[0], self[1])

    def __repr__(self) -> str:
        return f"Timestamp(seconds={self[0]!r}, nanoseconds={self[1]!r})"

    @property
    def seconds(self) -> int:
        """Seconds since 1970.

        >>> Timestamp(1, 2).seconds
        1
        """
        return self[0]

    @property
    def nanoseconds(self) -> int:
        """What is beyond them, below 1,000,000,000.

        >>> Timestamp(1, 2).nanoseconds
        2
        """
        return self[1]

    def to_unix(self) -> float:
        """Seconds since 1970."""
        return self.seconds + self.nanoseconds / 1e9

    def to_unix_nano(self) -> int:
        """Nanoseconds since 1970."""
        return self.seconds * 1_000_000_000 + self.nanoseconds

    def to_datetime(self) -> Any:
        """The moment as a datetime in UTC."""
        import datetime

        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return epoch + datetime.timedelta(seconds=self.seconds, microseconds=self.nanoseconds // 1000)


def _timestamp_parts(data: bytes) -> tuple[int, int]:
    import struct

    if len(data) == 4:
        seconds, nanoseconds = struct.unpack("!L", data)[0], 0
    elif len(data) == 8:
        both = struct.unpack("!Q", data)[0]
        seconds, nanoseconds = both & 0x3_FFFF_FFFF, both >> 34
    elif len(data) == 12:
        nanoseconds, seconds = struct.unpack("!Iq", data)
    else:
        raise ValueError(f"a timestamp has 4, 8 or 12 bytes, and this one {len(data)}")
    if nanoseconds > 999_999_999:
        raise ValueError(f"a timestamp has at most 999999999 nanoseconds, and this one {nanoseconds}")
    return seconds, nanoseconds


def _timestamp_bytes(seconds: int, nanoseconds: int) -> bytes:
    import struct

    if not 0 <= seconds < 1 << 34:
        return struct.pack("!Iq", nanoseconds, seconds)
    if nanoseconds == 0 and seconds < 1 << 32:
        return struct.pack("!L", seconds)
    return struct.pack("!Q", nanoseconds << 34 | seconds)


def _classes() -> tuple[Any, Any]:
    """Those of msgpack where it can be imported, or ours."""
    import importlib

    try:
        msgpack: Any = importlib.import_module("msgpack")
    except ImportError:
        return ExtType, Timestamp
    return msgpack.ExtType, msgpack.Timestamp


def extension(code: int, data: bytes) -> Any:
    # Those below 0 are MessagePack's own to give, and msgpack's class refuses them.
    return _classes()[0](code, data) if code >= 0 else ExtType(code, data)


def timestamp(code: int, data: bytes) -> Any:
    return _classes()[1](*_timestamp_parts(data))


def extension_parts(value: Any) -> tuple[int, bytes] | None:
    """(code, data) of an extension or a timestamp, of msgpack or of ours; None for anything else."""
    msgpack = sys.modules.get("msgpack")
    if isinstance(value, Timestamp) or (msgpack and isinstance(value, msgpack.Timestamp)):
        return -1, _timestamp_bytes(value.seconds, value.nanoseconds)
    if isinstance(value, ExtType) or (msgpack and isinstance(value, msgpack.ExtType)):
        if not -128 <= value.code <= 127:
            raise ValueError("code must be -128~127")
        return value.code, bytes(value.data)
    return None


def type_name(value: Any) -> str:
    """The name of the type of a value, as C code says it."""
    kind = type(value)
    if kind.__flags__ & _HEAP_TYPE or kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}"


def absolute(path: str | bytes) -> str:
    return os.path.abspath(os.fsdecode(path))


def base_name(path: str) -> str:
    return os.path.basename(path.rstrip("/"))


def from_json(text: str) -> Any:
    import json

    return json.loads(text)


def reopened(kind: Any, path: str, arguments: dict[str, Any]) -> Any:
    """A reader that was pickled, opened again, whatever else its class takes when it is made."""
    from ._fusedb import FuseReader

    reader = kind.__new__(kind)
    FuseReader.__init__(reader, path, **arguments)
    return reader

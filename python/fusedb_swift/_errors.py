"""The exceptions, and how one is made of what the library says.

Each is a FuseError and one of Python's own, which `fusedb` 0.3.0 raises in its place: code that catches either goes on
working.
"""

from __future__ import annotations

import errno
import os


class FuseError(Exception):
    """What went wrong with a file or a call.

    >>> try:
    ...     FuseReader('nowhere.fsdb')
    ... except FuseError as error:
    ...     error.code, error.path
    ('not found', 'nowhere.fsdb')
    """

    #: What kind of error it is, such as 'corrupted'.
    code: str = "error"
    #: Where in the file or the value, in bytes; None where that is unknown.
    offset: int | None = None
    #: The file; None where there is none.
    path: str | None = None
    #: The sentence of the message alone.
    reason: str = ""


class FuseCorruptError(FuseError, RuntimeError):
    """A file that is no database, is cut short or damaged.

    >>> import pathlib
    >>> _ = pathlib.Path('text.fsdb').write_text('no database at all, but long enough to be one')
    >>> FuseReader('text.fsdb')
    Traceback (most recent call last):
    fusedb_swift.FuseCorruptError: bad magic: ...
    """


class FuseCorruptValueError(FuseCorruptError, ValueError):
    """An object of a file whose bytes are not one MessagePack value that Python can hold.

    >>> writer = FuseWriter()
    >>> writer.add_key('a', writer.add_raw(bytes([0x81, 0x90, 1])))
    >>> writer.build('new.fsdb')
    >>> FuseReader('new.fsdb').get('a')
    Traceback (most recent call last):
    fusedb_swift.FuseCorruptValueError: offset 1: a key of a map is a list or a map, which no dict can have as its key
    """


class FuseVersionError(FuseError, RuntimeError):
    """A file of a version of the format that this library does not read.

    >>> data = bytearray(open('geo.fsdb', 'rb').read())
    >>> data[4] = 9
    >>> FuseReader.from_bytes(data)
    Traceback (most recent call last):
    fusedb_swift.FuseVersionError: unsupported version 9: ...
    """


class FuseValueError(FuseError, ValueError):
    """A value, a key or an option that the library does not take.

    >>> FuseWriter().add_json('{')
    Traceback (most recent call last):
    fusedb_swift.FuseValueError: ...
    """


class FuseRefusedError(FuseError, RuntimeError):
    """A sound file that a rule does not let take the place of another.

    >>> ReloadableFuseReader('geo.fsdb', least_keys=100)
    Traceback (most recent call last):
    fusedb_swift.FuseRefusedError: ...
    """


class FuseIOError(FuseError, OSError):
    """A call of the system that failed; `errno` says how. Where Python has a class for that, it is one of these, too.

    >>> try:
    ...     FuseReader('nowhere.fsdb')
    ... except FileNotFoundError as error:
    ...     error.filename
    'nowhere.fsdb'
    """


class FuseNotFoundError(FuseIOError, FileNotFoundError):
    """There is no such file."""


class FusePermissionError(FuseIOError, PermissionError):
    """The file may not be read or written."""


class FuseIsADirectoryError(FuseIOError, IsADirectoryError):
    """There is a folder where a file is wanted."""


class FuseNotADirectoryError(FuseIOError, NotADirectoryError):
    """There is a file where a folder is wanted."""


class FuseFileExistsError(FuseIOError, FileExistsError):
    """There is something already."""


for _class in list(globals().values()):
    if isinstance(_class, type) and issubclass(_class, FuseError):
        _class.__module__ = "fusedb_swift"

_SYSTEM = {
    errno.ENOENT: FuseNotFoundError,
    errno.EACCES: FusePermissionError,
    errno.EPERM: FusePermissionError,
    errno.EISDIR: FuseIsADirectoryError,
    errno.ENOTDIR: FuseNotADirectoryError,
    errno.EEXIST: FuseFileExistsError,
}

#: By the status of the library: the name, and the class.
_STATUSES = {
    -1: ("not a database", FuseCorruptError),
    -2: ("unsupported version", FuseVersionError),
    -3: ("corrupted", FuseCorruptError),
    -4: ("truncated", FuseCorruptError),
    -5: ("limit exceeded", FuseValueError),
    -6: ("duplicate key", FuseValueError),
    -7: ("invalid value", FuseValueError),
    -8: ("patch mismatch", FuseValueError),
    -9: ("refused", FuseRefusedError),
    -10: ("output changed", FuseRefusedError),
    -11: ("not found", FuseIOError),
    -12: ("input/output", FuseIOError),
    -13: ("cancelled", FuseError),
    -14: ("invalid argument", FuseValueError),
    -15: ("unavailable", FuseIOError),
}


def _text_of_old(code: str, message: str, offset: int | None) -> str | None:
    """How 0.3.0 begins its text, for code that looks into it."""
    if code == "not a database":
        return "bad magic"
    if code == "truncated" and offset is not None and offset < 40:
        return "file too small for header"
    if code == "corrupted" and ("checksum" in message or "CRC-32" in message):
        return "CRC32 mismatch"
    if code == "unsupported version" and " version " in message:
        number = message.split(" version ", 1)[1].split(",")[0].split()[0]
        return f"unsupported version {number}"
    return None


def _described(error: FuseError, code: str, message: str, offset: int | None, path: str | None) -> FuseError:
    error.code, error.offset, error.path, error.reason = code, offset, path, message
    return error


#: What messages call an option, as C has it, and what it is called here.
_NAMES = {
    "'least_key_count'": "'least_keys'",
    "'kept_file_count'": "'kept_files'",
    "'thread_count'": "'threads'",
    "'normalisation'": "'normalise'",
    "let normalisation = FUSE_NORMALISE_NETWORK do": "let normalise='network' do",
    "let masks_host_bits do": "let masks_host_bits=True do",
}


def make(
    status: int, message: str, offset: int | None, path: str | None, coding_path: str | None, number: int
) -> FuseError:
    """The exception for what a call of the library said."""
    code, kind = _STATUSES.get(status, ("error", FuseError))
    for name, ours in _NAMES.items():
        message = message.replace(name, ours)
    if kind is FuseIOError:
        if code == "not found" and path and os.path.isdir(path):
            number = errno.EISDIR
        number = number or (errno.ENOENT if code == "not found" else errno.EIO)
        system = _SYSTEM.get(number, FuseIOError)
        error = system(number, message, path) if path else system(number, message)
        return _described(error, code, message, offset, path)
    place = None if offset is None else f"offset {offset}"
    parts = (_text_of_old(code, message, offset), path, place, coding_path, message)
    return _described(kind(": ".join(part for part in parts if part)), code, message, offset, path)


def check_output(path: str | bytes) -> None:
    """Raises where no file can appear at a path, before a writer finds out: it would not go on then."""
    text = os.fsdecode(path)
    folder = os.path.dirname(text) or "."
    if os.path.isdir(text):
        raise make(-12, "there is a folder where the file is to be", None, text, None, errno.EISDIR)
    if not os.path.isdir(folder):
        number = errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT
        raise make(-12, f"there is no folder {folder}", None, text, None, number)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise make(-12, f"no file can be made in {folder}", None, text, None, errno.EACCES)


def make_of_damage(damage: tuple[str, int, str], path: str | None) -> FuseError:
    """The exception for the first damage that was found."""
    kind, offset, message = damage
    status = {"magic": -1, "version": -2}.get(kind, -3)
    return make(status, message, offset, path, None, 0)


def make_of_value(message: str, offset: int) -> FuseError:
    """The exception for an object that is not MessagePack."""
    error = FuseCorruptValueError(f"offset {offset}: {message}")
    return _described(error, "invalid value", message, offset, None)



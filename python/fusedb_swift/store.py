"""Objects kept by their contents: each once, in packs, found by its SHA-256 or by a name.

    from fusedb_swift.store import Store

The store's library is loaded when this module is imported; `import fusedb_swift` loads none of it. Any number of threads and processes may
use a store at the same time. What is damaged is a FuseCorruptError, and never other bytes; putting an object again heals it. After a fork,
open stores anew. docs/python.md of the project has a chapter about it.
"""

from __future__ import annotations

import os
from typing import NamedTuple, TypeVar

from . import _store
from ._errors import FuseCorruptError, FuseError, FuseIOError, FuseRefusedError, FuseValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

    Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]
    #: Told the share that is done, from 0 to 1, or None where that is unknown.
    Progress = Callable[[float | None], Any] | None

__all__ = ["AsyncStore", "Chunk", "Entry", "Flaw", "FuseCorruptError", "FuseError", "FuseIOError", "FuseRefusedError",
           "FuseValueError", "Store", "Stored", "Writer"]  # fmt: skip

_ALL = (1 << 64) - 1
_KEEP = {None: 0, True: 1, False: 2}
_TO = {"auto": 0, "loose": 1, "packs": 2}


class Stored(NamedTuple):
    """What a put did."""

    #: The SHA-256 of what was put.
    id: str
    #: Whether the store did not have it before.
    is_new: bool
    #: How many bytes it has.
    size: int
    #: How many of them were not there.
    new_size: int


class Entry(NamedTuple):
    """A name, or a file of a folder."""

    name: str
    id: str
    is_folder: bool
    #: Of files of a folder; 0 for names.
    size: int
    mode: int


class Chunk(NamedTuple):
    """A part of an object, and where it is."""

    id: str
    size: int
    #: What it takes in the pack.
    stored_size: int
    codec: str
    pack: str
    offset: int


class Flaw(NamedTuple):
    """Something that is damaged; or, where it has an id, an object of which nothing is left."""

    file: str
    offset: int | None
    message: str
    lost: str | None


def _options(
    name: str | bytes | None, chunking: str | None, compression: str | None, keep: bool | None, to: str = "packs"
) -> tuple[bytes | None, str | None, str | None, int, int]:
    if to not in _TO:
        raise FuseValueError(f"'to' is {to!r}; it is one of {', '.join(_TO)}")
    return None if name is None else os.fsencode(name), chunking, compression, _KEEP[keep], _TO[to]


def _entry(told: tuple[bytes, str, bool, int, int]) -> Entry:
    name, id, is_folder, size, mode = told
    return Entry(os.fsdecode(name), id, is_folder, size, mode)


def _reading(stream: BinaryIO) -> Callable[[int], Any]:
    """Reads from a stream; the library looks at what comes, and raises where it is no bytes."""
    return stream.read


class Writer:
    """Puts many objects with one commit.

    >>> with Store('files').writer() as writer:
    ...     for text in (b'one', b'two'):
    ...         _ = writer.put(text)

    At the end of `with` all of it is made to last, unless something was raised: then nothing since the last commit is. One thread at a time
    may use a writer; writers never wait for each other.
    """

    def __init__(self, store: Store) -> None:
        self._handle: _store.WriterHandle | None = store._open.writer()

    @property
    def _open(self) -> _store.WriterHandle:
        if self._handle is None:
            raise FuseValueError("the writer is closed; make another one")
        return self._handle

    def put(
        self, data: Any, *, name: str | bytes | None = None, chunking: str | None = None, compression: str | None = None,
        keep: bool | None = None,
    ) -> Stored:  # fmt: skip
        """Puts bytes. See Store.put().

        >>> with Store('files').writer() as writer:
        ...     writer.put(b'hello', name='greeting').size
        5
        """
        return Stored(*self._open.put(data, _options(name, chunking, compression, keep)))

    def put_file(
        self, path: Path, *, name: str | bytes | None = None, chunking: str | None = None, compression: str | None = None,
        keep: bool | None = None, progress: Progress = None,
    ) -> Stored:  # fmt: skip
        """Puts a regular file.

        >>> with Store('files').writer() as writer:
        ...     writer.put_file('hello.txt').size
        5
        """
        return Stored(*self._open.put_file(os.fsencode(path), _options(name, chunking, compression, keep), progress))

    def put_stream(
        self, stream: BinaryIO, *, name: str | bytes | None = None, chunking: str | None = None,
        compression: str | None = None, keep: bool | None = None, progress: Progress = None,
    ) -> Stored:  # fmt: skip
        """Puts what `stream.read(n)` gives, until it gives nothing; in bounded memory.

        >>> import io
        >>> with Store('files').writer() as writer:
        ...     writer.put_stream(io.BytesIO(b'hello')).size
        5
        """
        return Stored(*self._open.put_stream(_reading(stream), _options(name, chunking, compression, keep), progress))

    def put_folder(
        self, path: Path, name: str | bytes, *, chunking: str | None = None, compression: str | None = None,
        progress: Progress = None,
    ) -> Stored:  # fmt: skip
        """Puts all regular files of a folder under a name. Store.files() lists them.

        >>> with Store('files').writer() as writer:
        ...     writer.put_folder('folder', 'site').size
        11
        """
        return Stored(*self._open.put_folder(os.fsencode(path), _options(name, chunking, compression, None), progress))

    def set_name(self, name: str | bytes, id: str) -> None:
        """Has a name lead to an object, with the commit.

        >>> with Store('files').writer() as writer:
        ...     writer.set_name('greeting', writer.put(b'hello').id)
        """
        self._open.set_name(os.fsencode(name), id)

    def remove_name(self, name: str | bytes) -> None:
        """Takes a name away, with the commit.

        >>> with Store('files').writer() as writer:
        ...     writer.remove_name('greeting')
        """
        self._open.remove_name(os.fsencode(name))

    def commit(self) -> None:
        """Makes all that was put last, and then the names. The writer can go on.

        >>> with Store('files').writer() as writer:
        ...     _ = writer.put(b'hello')
        ...     writer.commit()
        """
        self._open.commit()

    def close(self) -> None:
        """Ends the writer. What was put since the last commit is given up.

        >>> Store('files').writer().close()
        """
        self._handle = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: Any, *exception: Any) -> None:
        try:
            if kind is None and self._handle is not None:
                self.commit()
        finally:
            self.close()


class Store:
    """A store in a folder.

    >>> store = Store('files')
    >>> stored = store.put(b'hello', name='greeting')
    >>> store.get('greeting')
    b'hello'
    >>> stored.id[:16]
    '2cf24dba5fb0a30e'

    An object is asked for by its id, 64 hexadecimal digits, or by its name.
    """

    def __init__(self, path: Path) -> None:
        #: The folder; None for a store in memory.
        self.path: str | None = os.fsdecode(path)
        self._handle: _store.StoreHandle | None = _store.open(os.fsencode(path))

    @classmethod
    def create(
        cls, path: Path, *, chunking: str | None = None, compression: str | None = None, pack_size: int = 0
    ) -> Store:
        """Makes a store in a folder that is empty or not there.

        `chunking` is 'MIN,AVG,MAX' (4096,16384,65536), 'fixed,N' or 'fsdb'; `compression` is 'auto', 'none', 'zlib:L' or 'zstd:L'; a pack has
        `pack_size` bytes (64 MiB) when the next one begins.

        >>> Store.create('new', chunking='fixed,65536').stats()['chunks']
        0
        """
        return cls._made(os.fsdecode(path), _store.create(os.fsencode(path), chunking, compression, pack_size))

    @classmethod
    def memory(cls, *, chunking: str | None = None, compression: str | None = None) -> Store:
        """Makes a store in memory, for tests.

        >>> Store.memory().put(b'hello').is_new
        True
        """
        return cls._made(None, _store.create(None, chunking, compression, 0))

    @classmethod
    def _made(cls, path: str | None, handle: _store.StoreHandle) -> Store:
        store = cls.__new__(cls)
        store.path, store._handle = path, handle
        return store

    @property
    def _open(self) -> _store.StoreHandle:
        if self._handle is None:
            raise FuseValueError("the store is closed; open it again")
        return self._handle

    def close(self) -> None:
        """Closes the store, once calls that other threads are in are done.

        >>> Store('files').close()
        """
        self._handle = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.path!r})" if self.path is not None else "Store.memory()"

    def __reduce__(self) -> Any:
        if self.path is None:
            raise TypeError("a store in memory can't be pickled or copied")
        return type(self), (self.path,)

    # ---- putting ----

    def put(
        self, data: Any, *, name: str | bytes | None = None, chunking: str | None = None, compression: str | None = None,
        keep: bool | None = None, to: str = "auto",
    ) -> Stored:  # fmt: skip
        """Puts bytes. They last once this returns; for many objects a writer() is much quicker.

        What has a name stays until the name goes; without one, or with keep=True, it stays until remove(). `to` is 'loose' for a file of its
        own, 'packs', or 'auto': a file of its own where it is small.

        >>> Store('files').put(bytearray(b'hello')).size
        5
        """
        return Stored(*self._open.put(data, _options(name, chunking, compression, keep, to)))

    def put_file(
        self, path: Path, *, name: str | bytes | None = None, chunking: str | None = None, compression: str | None = None,
        keep: bool | None = None, progress: Progress = None,
    ) -> Stored:  # fmt: skip
        """Puts a regular file, which is read piece by piece.

        >>> Store('files').put_file('hello.txt', name='hello.txt').size
        5
        """
        return Stored(*self._open.put_file(os.fsencode(path), _options(name, chunking, compression, keep), progress))

    def put_stream(
        self, stream: BinaryIO, *, name: str | bytes | None = None, chunking: str | None = None,
        compression: str | None = None, keep: bool | None = None, progress: Progress = None,
    ) -> Stored:  # fmt: skip
        """Puts what `stream.read(n)` gives, until it gives nothing; in bounded memory.

        >>> import io
        >>> Store('files').put_stream(io.BytesIO(b'hello')).size
        5
        """
        return Stored(*self._open.put_stream(_reading(stream), _options(name, chunking, compression, keep), progress))

    def writer(self) -> Writer:
        """Begins to write many objects with one commit.

        >>> with Store('files').writer() as writer:
        ...     writer.put(b'hello').size
        5
        """
        return Writer(self)

    # ---- getting ----

    def id(self, what: str | bytes) -> str | None:
        """What a name leads to; None where there is no such name.

        >>> Store('files').id('nobody') is None
        True
        """
        found = self._open.name_get(os.fsencode(what))
        return None if found is None else found[0]

    def entry(self, name: str | bytes) -> Entry | None:
        """What a name leads to, and whether that is a folder; None where there is no such name.

        >>> store = Store('files')
        >>> _ = store.put(b'hello', name='greeting')
        >>> store.entry('greeting').is_folder
        False
        """
        found = self._open.name_get(os.fsencode(name))
        return None if found is None else Entry(os.fsdecode(name), *found, 0, 0)

    def _identified(self, what: str | bytes) -> str | None:
        """The id of a name, or of an id. Names come first, as with the command."""
        found = self.id(what)
        if found is None and len(what) == 64:
            text = os.fsdecode(what)
            return text if all(digit in "0123456789abcdef" for digit in text) else None
        return found

    def get(self, what: str | bytes, offset: int = 0, count: int | None = None) -> bytes | None:
        """The bytes of an object, or a part of them; None where it is not there.

        >>> store = Store('files')
        >>> store.get(store.put(b'hello').id, 1, 3)
        b'ell'
        """
        if offset < 0 or (count is not None and count < 0):
            raise FuseValueError("'offset' and 'count' are not negative")
        id = self._identified(what)
        return None if id is None else self._open.get(id, offset, _ALL if count is None else count)

    def pieces(self, what: str | bytes, offset: int = 0, count: int | None = None) -> Iterator[bytes]:
        """The bytes of an object, or a part of them, piece by piece; raises KeyError where it is not there.

        >>> b''.join(Store('files').pieces(Store('files').put(b'hello').id))
        b'hello'
        """
        id = self._identified(what)
        size = None if id is None else self._open.size(id)
        if id is None or size is None:
            raise KeyError(what)
        end = size if count is None else min(size, offset + count)
        while offset < end:
            piece = self._open.get(id, offset, min(1 << 20, end - offset))
            if not piece:
                raise KeyError(what)
            yield piece
            offset += len(piece)

    def write_to(self, what: str | bytes, stream: BinaryIO, progress: Progress = None) -> bool:
        """Hands an object to `stream.write`, piece by piece. False where it is not there.

        >>> import sys
        >>> Store('files').write_to('nobody', sys.stdout)
        False
        """
        id = self._identified(what)
        return id is not None and self._open.write(id, stream.write, progress)

    def write_file(self, what: str | bytes, path: Path, progress: Progress = None) -> bool:
        """Writes an object to a file, which appears whole or not at all. False where the object is not there.

        >>> store = Store('files')
        >>> store.write_file(store.put(b'hello').id, 'copy')
        True
        """
        id = self._identified(what)
        return id is not None and self._open.write_file(id, os.fsencode(path), progress)

    def size(self, what: str | bytes) -> int | None:
        """How many bytes an object has; None where it is not there.

        >>> Store('files').size(Store('files').put(b'hello').id)
        5
        """
        id = self._identified(what)
        return None if id is None else self._open.size(id)

    def __contains__(self, what: str | bytes) -> bool:
        id = self._identified(what)
        return id is not None and self._open.contains(id)

    # ---- names, and what there is ----

    def set_name(self, name: str | bytes, id: str) -> None:
        """Has a name lead to an object.

        >>> store = Store('files')
        >>> store.set_name('greeting', store.put(b'hello').id)
        """
        self._open.name_set(os.fsencode(name), id)

    def remove_name(self, name: str | bytes) -> bool:
        """Takes a name away. What it led to goes with the next gc(), unless it stays for another reason. False where there is no such name.

        >>> Store('files').remove_name('nobody')
        False
        """
        return self._open.name_remove(os.fsencode(name))

    def remove(self, id: str) -> bool:
        """Has an object no longer stay for its own sake. False where it did not.

        >>> store = Store('files')
        >>> store.remove(store.put(b'hello').id)
        True
        """
        return self._open.remove(id)

    def names(self) -> list[Entry]:
        """All names, sorted, and what they lead to.

        >>> store = Store('files')
        >>> _ = store.put(b'hello', name='greeting')
        >>> [entry.name for entry in store.names()]
        ['greeting']
        """
        return [_entry(one) for one in self._open.names()]

    def objects(self) -> list[str]:
        """The ids of all objects that are kept for their own sake.

        >>> store = Store('files')
        >>> store.put(b'hello').id in store.objects()
        True
        """
        return self._open.objects()

    def files(self, name: str | bytes) -> list[Entry]:
        """The files of a folder; raises KeyError where there is no such name.

        >>> store = Store('files')
        >>> with store.writer() as writer:
        ...     _ = writer.put_folder('folder', 'site')
        >>> [(file.name, file.size) for file in store.files('site')]
        [('a.txt', 5), ('inner/b.txt', 6)]
        """
        id = self._identified(name)
        if id is None or not self._open.contains(id):
            raise KeyError(name)
        return [_entry(one) for one in self._open.files(id)]

    def chunks(self, what: str | bytes) -> list[Chunk]:
        """What an object is made of; raises KeyError where it is not there.

        >>> store = Store('files')
        >>> [chunk.size for chunk in store.chunks(store.put(b'hello').id)]
        [5]
        """
        id = self._identified(what)
        found = None if id is None else self._open.chunks(id)
        if found is None:
            raise KeyError(what)
        return [Chunk(*chunk) for chunk in found]

    # ---- keeping house ----

    def gc(self, *, least_live: float | None = None, pack: bool = False, progress: Progress = None) -> dict[str, int]:
        """Removes what nothing needs. Packs of which less than `least_live` (0.7) is needed are written anew; `pack` puts small ones together.

        >>> Store('files').gc()['waiting']
        0
        """
        return self._open.gc(-1.0 if least_live is None else least_live, pack, progress)

    def pack_loose(self, progress: Progress = None) -> int:
        """Packs the objects that are files of their own, and says how many.

        >>> store = Store('files')
        >>> _ = store.put(b'hello', to='loose')
        >>> store.pack_loose()
        1
        """
        return self._open.pack_loose(progress)

    def verify(self, *, structure: bool = False, progress: Progress = None) -> list[Flaw]:
        """Reads all, and says what is damaged; with `structure` not the bytes of objects.

        >>> Store('files').verify()
        []
        """
        return [Flaw(*flaw) for flaw in self._open.verify(1 if structure else 0, False, progress)]

    def repair(self, progress: Progress = None) -> list[Flaw]:
        """Makes indexes anew and keeps what is sound; says what is lost.

        >>> Store('files').repair()
        []
        """
        return [Flaw(*flaw) for flaw in self._open.verify(0, True, progress)]

    def stats(self) -> dict[str, Any]:
        """What the store has, counted from its indexes and names.

        >>> store = Store('files')
        >>> _ = store.put(b'hello', name='greeting')
        >>> store.stats()['logical_bytes']
        5
        """
        return self._open.stats()

    def copy_to(self, other: Store, progress: Progress = None) -> tuple[int, int]:
        """Copies what another store lacks, with all names. Says how many objects were looked at, and how many bytes were new.

        >>> Store('files').copy_to(Store.memory())
        (0, 0)
        """
        return self._open.copy(other._open, progress)


_Result = TypeVar("_Result")


async def on_thread(call: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
    """Does a call on a thread, and lets the event loop go on."""
    # Late: it brings half of the standard library.
    import asyncio

    return await asyncio.to_thread(call, *arguments, **options)


class AsyncStore:
    """A store for tasks: its calls run on threads, so that the event loop goes on.

    >>> import asyncio
    >>> async def task():
    ...     store = await AsyncStore.open('files')
    ...     await store.put(b'hello', name='greeting')
    ...     return await store.get('greeting')
    >>> asyncio.run(task())
    b'hello'

    It has the methods of Store, each to be awaited; `store` is the Store itself. A task that is cancelled goes on at once; the call that it
    was in is done by its thread.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    async def open(cls, path: Path) -> AsyncStore:
        """Opens the store in a folder.

        >>> import asyncio
        >>> asyncio.run(AsyncStore.open('files')).store
        Store('files')
        """
        return cls(await on_thread(Store, path))

    @classmethod
    async def create(cls, path: Path, **options: Any) -> AsyncStore:
        """As Store.create().

        >>> import asyncio
        >>> asyncio.run(AsyncStore.create('new')).store
        Store('new')
        """
        return cls(await on_thread(Store.create, path, **options))

    async def put(self, data: Any, **options: Any) -> Stored:
        """As Store.put().

        >>> import asyncio
        >>> asyncio.run(AsyncStore(Store('files')).put(b'hello')).size
        5
        """
        return await on_thread(self.store.put, data, **options)

    async def put_file(self, path: Path, **options: Any) -> Stored:
        """As Store.put_file().

        >>> import asyncio
        >>> asyncio.run(AsyncStore(Store('files')).put_file('hello.txt')).size
        5
        """
        return await on_thread(self.store.put_file, path, **options)

    async def put_stream(self, stream: BinaryIO, **options: Any) -> Stored:
        """As Store.put_stream(); `stream.read` is called on the thread.

        >>> import asyncio, io
        >>> asyncio.run(AsyncStore(Store('files')).put_stream(io.BytesIO(b'hello'))).size
        5
        """
        return await on_thread(self.store.put_stream, stream, **options)

    async def get(self, what: str | bytes, offset: int = 0, count: int | None = None) -> bytes | None:
        """As Store.get().

        >>> import asyncio
        >>> asyncio.run(AsyncStore(Store('files')).get('nobody')) is None
        True
        """
        return await on_thread(self.store.get, what, offset, count)

    async def write_to(self, what: str | bytes, stream: BinaryIO) -> bool:
        """As Store.write_to(); `stream.write` is called on the thread.

        >>> import asyncio, io
        >>> asyncio.run(AsyncStore(Store('files')).write_to('nobody', io.BytesIO()))
        False
        """
        return await on_thread(self.store.write_to, what, stream)

    async def write_file(self, what: str | bytes, path: Path) -> bool:
        """As Store.write_file().

        >>> import asyncio
        >>> asyncio.run(AsyncStore(Store('files')).write_file('nobody', 'copy'))
        False
        """
        return await on_thread(self.store.write_file, what, path)

    async def remove_name(self, name: str | bytes) -> bool:
        """As Store.remove_name().

        >>> import asyncio
        >>> asyncio.run(AsyncStore(Store('files')).remove_name('nobody'))
        False
        """
        return await on_thread(self.store.remove_name, name)

    async def gc(self, **options: Any) -> dict[str, int]:
        """As Store.gc().

        >>> import asyncio
        >>> asyncio.run(AsyncStore(Store('files')).gc())['waiting']
        0
        """
        return await on_thread(self.store.gc, **options)

    async def stats(self) -> dict[str, Any]:
        """As Store.stats().

        >>> import asyncio
        >>> asyncio.run(AsyncStore(Store('files')).stats())['packs']
        0
        """
        return await on_thread(self.store.stats)

    async def __aenter__(self) -> AsyncStore:
        return self

    async def __aexit__(self, *exception: Any) -> None:
        self.store.close()

"""chunkstore 0.3.0: ChunkStore, ChunkClient, FilesystemBackend, and their async twins.

    from fusedb_swift.compat.chunkstore import ChunkStore, FilesystemBackend

    store = ChunkStore.open(FilesystemBackend("files"))
    store.ingest("report", data)

What is different:

- A file id is a name of the store, and at most 255 bytes long, as names are.
- Chunks of `ingest` and `ingest_fixed` are those of chunkstore, with the same digests; chunks have 512 bytes to 16 MiB. `ingest_cdc` cuts
  elsewhere. Contents that are there already may keep the chunks that they have.
- Streams and files are read in bounded memory. Every read is compared with its digest, and putting a file again heals it.
- Any number of processes may write. A file that is replaced or deleted is gone at once; its bytes are freed by `gc()`.
- A backend is a folder: `FilesystemBackend`, or a path. Its `get`, `put`, `exists` and `delete` keep keys apart from files.
- `stats()` counts chunks as they are before they are packed, as chunkstore does; `ChunkStore.store.stats()` says what is on the disk.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import NamedTuple, Protocol, runtime_checkable

from ..store import Store, on_thread
from ._common import not_there_yet, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any, BinaryIO

    Path = str | os.PathLike[str]

__all__ = ["AsyncBackend", "AsyncChunkClient", "AsyncChunkStore", "AsyncS3Backend", "ChunkClient", "ChunkStore", "FilesystemBackend",
           "S3Backend", "Stats"]  # fmt: skip

_USUAL_CHUNK = 4 << 20
_KEYS = "_backend/"
_FOREIGN = ("_manifest", "_refcount")
_LEAST_CHUNK, _MOST_CHUNK = 512, 16 << 20
_DIGEST = re.compile("[0-9a-f]{64}")


class Stats(NamedTuple):
    """What a store has: the bytes of all files, those of their chunks, each once, and what that saves."""

    total_bytes: int
    stored_bytes: int
    savings_pct: float


def _fixed(chunk_size: int) -> str:
    if not _LEAST_CHUNK <= chunk_size <= _MOST_CHUNK:
        raise ValueError(f"chunk_size is {chunk_size}; chunks have 512 bytes to 16 MiB")
    return f"fixed,{chunk_size}"


class FilesystemBackend:
    """A folder. ChunkStore.open() makes a store of it; keys may be kept there, too."""

    def __init__(self, root: Path) -> None:
        self.root = os.fspath(root)
        self._opened: Store | None = None

    @property
    def store(self) -> Store:
        """The store in the folder."""
        if self._opened is None:
            self._opened = opened(self.root, _FOREIGN, chunking="4096,16384,65536")
        return self._opened

    def get(self, key: str) -> bytes | None:
        """The bytes of a key; None where there is none."""
        return self.store.get(_KEYS + key)

    def put(self, key: str, data: bytes) -> None:
        """Keeps bytes under a key."""
        self.store.put(data, name=_KEYS + key)

    def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        return self.store.id(_KEYS + key) is not None

    def delete(self, key: str) -> None:
        """Takes a key away; one that is not there is no error."""
        self.store.remove_name(_KEYS + key)


class S3Backend:
    """Not there yet."""

    def __init__(
        self, bucket: str, prefix: str = "chunks", *, endpoint_url: str | None = None, region_name: str | None = None,
        connect_timeout: int = 10, read_timeout: int = 60, max_attempts: int = 3,
    ) -> None:  # fmt: skip
        raise not_there_yet("a store in S3", "use FilesystemBackend, and copy its folder, or 'fusedb store copy' to a mounted one")


class AsyncS3Backend(S3Backend):
    """Not there yet."""


@runtime_checkable
class AsyncBackend(Protocol):
    """What chunkstore asks of a backend of one's own. Stores here are folders, so nothing here takes one."""

    async def aget(self, key: str) -> bytes | None: ...

    async def aput(self, key: str, data: bytes) -> None: ...

    async def aexists(self, key: str) -> bool: ...

    async def adelete(self, key: str) -> None: ...


class ChunkStore:
    """Files by their ids, in chunks that are kept once."""

    def __init__(self, store: Store) -> None:
        #: The store that it is in.
        self.store = store

    @classmethod
    def memory(cls) -> ChunkStore:
        """A store in memory."""
        return cls(Store.memory())

    @classmethod
    def open(cls, backend: object) -> ChunkStore:
        """The store of a FilesystemBackend, or at a path; it is made where there is none."""
        if isinstance(backend, FilesystemBackend):
            return cls(backend.store)
        if isinstance(backend, Store):
            return cls(backend)
        if isinstance(backend, (str, os.PathLike)):
            return cls(FilesystemBackend(backend).store)
        raise not_there_yet("a backend of your own", "give FilesystemBackend(root), or a path")

    def _found(self, file_id: str) -> str:
        id = self.store.id(file_id) if file_id else None
        if id is None:
            raise FileNotFoundError(f"not found: file {file_id}")
        return id

    @staticmethod
    def _checked(file_id: str) -> str:
        if not file_id:
            raise OSError("invalid argument: file_id cannot be empty")
        return file_id

    def ingest(self, file_id: str, data: bytes) -> list[str]:
        """Keeps bytes as a file, in chunks of 4 MiB, and says their digests."""
        return self.ingest_fixed(file_id, data, _USUAL_CHUNK)

    def ingest_cdc(self, file_id: str, data: bytes) -> list[str]:
        """The same, in chunks of 4 to 64 KiB that end where the contents say so."""
        self.store.put(data, name=self._checked(file_id), chunking="4096,16384,65536")
        return self.file_digests(file_id)

    def ingest_fixed(self, file_id: str, data: bytes, chunk_size: int) -> list[str]:
        """The same, in chunks of a size of your own, from 512 bytes to 16 MiB."""
        self.store.put(data, name=self._checked(file_id), chunking=_fixed(chunk_size))
        return self.file_digests(file_id)

    def ingest_reader(self, file_id: str, reader: BinaryIO, chunk_size: int = _USUAL_CHUNK) -> list[str]:
        """The same of a stream, which is not held in memory."""
        self.store.put_stream(reader, name=self._checked(file_id), chunking=_fixed(chunk_size))
        return self.file_digests(file_id)

    def ingest_file_path(self, file_id: str, path: Path) -> list[str]:
        """The same of a file on the disk, which is not held in memory."""
        self.store.put_file(path, name=self._checked(file_id), chunking=_fixed(_USUAL_CHUNK))
        return self.file_digests(file_id)

    def read(self, file_id: str) -> bytes:
        """The bytes of a file."""
        data = self.store.get(self._found(file_id))
        if data is None:
            raise FileNotFoundError(f"not found: file {file_id}")
        return data

    def read_to_writer(self, file_id: str, writer: BinaryIO) -> None:
        """Hands a file to `writer.write`, piece by piece."""
        self.store.write_to(self._found(file_id), writer)

    def read_to_path(self, file_id: str, path: Path) -> None:
        """Writes a file to the disk, where it appears whole or not at all."""
        self.store.write_file(self._found(file_id), path)

    def iter_chunks(self, file_id: str) -> Iterator[bytes]:
        """The chunks of a file, one after the other."""
        for digest in self.file_digests(file_id):
            yield self.read_chunk(digest)

    def file_digests(self, file_id: str) -> list[str]:
        """The digests of a file's chunks, in order."""
        return [chunk.id for chunk in self.store.chunks(self._found(file_id)) if chunk.size > 0]

    def read_chunk(self, digest: str) -> bytes:
        """The bytes of a chunk."""
        data = self.store._open.get(digest, 0, (1 << 64) - 1) if _DIGEST.fullmatch(digest) else None
        if data is None:
            raise FileNotFoundError(f"not found: chunk {digest}")
        return data

    def delete(self, file_id: str) -> None:
        """Takes a file away. gc() frees what it had alone."""
        self._found(file_id)
        self.store.remove_name(file_id)

    def stats(self) -> Stats:
        """Counts the bytes of files, and of their chunks. It looks at each."""
        total, chunks = 0, {}
        for entry in self.store.names():
            if entry.name.startswith(_KEYS) or entry.is_folder:
                continue
            for chunk in self.store.chunks(entry.id):
                total += chunk.size
                chunks[chunk.id] = chunk.size
        stored = sum(chunks.values())
        return Stats(total, stored, round(100 * (1 - stored / total), 2) if total else 0.0)

    # What chunkstore has not.

    def list(self) -> list[str]:
        """The ids of all files."""
        return [entry.name for entry in self.store.names() if not entry.name.startswith(_KEYS)]

    def gc(self) -> dict[str, int]:
        """Frees what no file needs."""
        return self.store.gc()


class ChunkClient:
    """The same under other names."""

    def __init__(self, store: ChunkStore) -> None:
        self._store = store

    def upload_file(self, file_id: str, data: bytes) -> list[str]:
        """As ChunkStore.ingest()."""
        return self._store.ingest(file_id, data)

    def upload_file_cdc(self, file_id: str, data: bytes) -> list[str]:
        """As ChunkStore.ingest_cdc()."""
        return self._store.ingest_cdc(file_id, data)

    def upload_file_path(self, file_id: str, path: Path) -> list[str]:
        """As ChunkStore.ingest_file_path()."""
        return self._store.ingest_file_path(file_id, path)

    def download_file(self, file_id: str) -> bytes:
        """As ChunkStore.read()."""
        return self._store.read(file_id)

    def download_file_to(self, file_id: str, writer: BinaryIO) -> None:
        """As ChunkStore.read_to_writer()."""
        self._store.read_to_writer(file_id, writer)

    def delete_file(self, file_id: str) -> None:
        """As ChunkStore.delete()."""
        self._store.delete(file_id)


class AsyncChunkStore:
    """ChunkStore for tasks: each call runs on a thread."""

    def __init__(self, store: ChunkStore, *, adapter: object | None = None, backend: object | None = None) -> None:
        self._store = store

    @classmethod
    async def memory(cls) -> AsyncChunkStore:
        """As ChunkStore.memory()."""
        return cls(await on_thread(ChunkStore.memory))

    @classmethod
    async def open(cls, backend: object) -> AsyncChunkStore:
        """As ChunkStore.open()."""
        return cls(await on_thread(ChunkStore.open, backend))

    @classmethod
    @contextlib.asynccontextmanager
    async def open_ctx(cls, backend: object) -> AsyncIterator[AsyncChunkStore]:
        """The same for `async with`."""
        async with await cls.open(backend) as store:
            yield store

    async def __aenter__(self) -> AsyncChunkStore:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the store."""
        self._store.store.close()

    async def ingest(self, file_id: str, data: bytes) -> list[str]:
        """As ChunkStore.ingest()."""
        return await on_thread(self._store.ingest, file_id, data)

    async def ingest_cdc(self, file_id: str, data: bytes) -> list[str]:
        """As ChunkStore.ingest_cdc()."""
        return await on_thread(self._store.ingest_cdc, file_id, data)

    async def ingest_fixed(self, file_id: str, data: bytes, chunk_size: int) -> list[str]:
        """As ChunkStore.ingest_fixed()."""
        return await on_thread(self._store.ingest_fixed, file_id, data, chunk_size)

    async def ingest_file_path(self, file_id: str, path: Path) -> list[str]:
        """As ChunkStore.ingest_file_path()."""
        return await on_thread(self._store.ingest_file_path, file_id, path)

    async def ingest_reader(self, file_id: str, reader: BinaryIO, chunk_size: int = _USUAL_CHUNK) -> list[str]:
        """As ChunkStore.ingest_reader(); `reader.read` is called on the thread."""
        return await on_thread(self._store.ingest_reader, file_id, reader, chunk_size)

    async def read(self, file_id: str) -> bytes:
        """As ChunkStore.read()."""
        return await on_thread(self._store.read, file_id)

    async def read_to_writer(self, file_id: str, writer: BinaryIO) -> None:
        """As ChunkStore.read_to_writer(); `writer.write` is called on the thread."""
        await on_thread(self._store.read_to_writer, file_id, writer)

    async def read_to_path(self, file_id: str, path: Path) -> None:
        """As ChunkStore.read_to_path()."""
        await on_thread(self._store.read_to_path, file_id, path)

    async def iter_chunks(self, file_id: str) -> AsyncIterator[bytes]:
        """As ChunkStore.iter_chunks()."""
        for digest in await on_thread(self._store.file_digests, file_id):
            yield await on_thread(self._store.read_chunk, digest)

    async def delete(self, file_id: str) -> None:
        """As ChunkStore.delete()."""
        await on_thread(self._store.delete, file_id)

    async def stats(self) -> Stats:
        """As ChunkStore.stats()."""
        return await on_thread(self._store.stats)


class AsyncChunkClient:
    """ChunkClient for tasks."""

    def __init__(self, store: AsyncChunkStore) -> None:
        self._store = store

    async def upload_file(self, file_id: str, data: bytes) -> list[str]:
        """As ChunkStore.ingest()."""
        return await self._store.ingest(file_id, data)

    async def upload_file_cdc(self, file_id: str, data: bytes) -> list[str]:
        """As ChunkStore.ingest_cdc()."""
        return await self._store.ingest_cdc(file_id, data)

    async def upload_file_path(self, file_id: str, path: Path) -> list[str]:
        """As ChunkStore.ingest_file_path()."""
        return await self._store.ingest_file_path(file_id, path)

    async def download_file(self, file_id: str) -> bytes:
        """As ChunkStore.read()."""
        return await self._store.read(file_id)

    async def download_file_to(self, file_id: str, writer: BinaryIO) -> None:
        """As ChunkStore.read_to_writer()."""
        await self._store.read_to_writer(file_id, writer)

    async def delete_file(self, file_id: str) -> None:
        """As ChunkStore.delete()."""
        await self._store.delete(file_id)

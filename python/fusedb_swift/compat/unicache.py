"""UniCache 0.1.1: UniCache, Cache, and the functions beside them.

    from fusedb_swift.compat.unicache import UniCache

    with UniCache("cache") as cache:
        id = cache.add("report.pdf")
        cache.copy_to(id, "copy.pdf")

What is different:

- The store is in the folder `store` of the cache's. Blocks are called by their SHA-256; they have 512 bytes to 16 MiB.
- Downloads are not there yet: `download`, `download_and_store` say what to do instead.
- `list_files` lists. `remove` and `gc()` free. `exists` looks at the name alone, and does not write the file somewhere.
- Files appear whole or not at all, and every read is compared with its digest.
- The sizes in `stats` are of what is on the disk, packed, with the indexes.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile

from ..store import FuseError, Store
from ._common import not_there_yet, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Path = str | os.PathLike[str]

__all__ = ["Cache", "CacheError", "DownloadFailedError", "FileNotFoundError", "UniCache", "UniCacheError", "add_file", "cache_stats",
           "download", "download_and_store", "get_file"]  # fmt: skip

_USUAL_BLOCK = 1 << 20
_INSTEAD = "download the file, for instance with urllib.request.urlretrieve(), and add() it"


class UniCacheError(Exception):
    """What went wrong."""


class FileNotFoundError(UniCacheError):
    """There is no such file, in the cache or on the disk."""


class DownloadFailedError(UniCacheError):
    """A download failed. Nothing here downloads yet."""


#: The name that the README of UniCache has for it.
CacheError = UniCacheError


class Cache:
    """Files by their ids."""

    def __init__(self, block_size: int, cache_dir: Path) -> None:
        self.block_size, self.cache_dir = block_size, pathlib.Path(cache_dir)
        for name in ("blocks.bin", "index.json"):
            if (self.cache_dir / name).exists():
                raise UniCacheError(
                    f"{cache_dir} is a cache that UniCache made; take it over with 'fusedb store import {cache_dir} -C NEW/store', "
                    "and open NEW")
        self.cache_dir.mkdir(parents=True, exist_ok=True)
        #: The store that it is in.
        self.store: Store = opened(str(self.cache_dir / "store"), ())
        self._chunking = f"fixed,{block_size}"

    def store_file(self, path: Path, file_id: str | None = None) -> str:
        """Keeps a file, and says its id: its SHA-256 where you give none."""
        if file_id is not None:
            self.store.put_file(path, name=file_id, chunking=self._chunking)
            return file_id
        with self.store.writer() as writer:
            id = writer.put_file(path, chunking=self._chunking, keep=False).id
            writer.set_name(id, id)
        return id

    def _found(self, file_id: str) -> str:
        id = self.store.id(file_id) if file_id else None
        if id is None:
            raise FileNotFoundError(f"File not found in cache: {file_id}")
        return id

    def retrieve_file(self, file_id: str, output_path: Path) -> None:
        """Writes a file."""
        self.store.write_file(self._found(file_id), output_path)

    def remove_file(self, file_id: str) -> None:
        """Takes a file away; gc() of the store frees what it had alone."""
        self._found(file_id)
        self.store.remove_name(file_id)

    def get_stats(self) -> tuple[int, int, int, int]:
        """How many blocks and files there are, and their bytes on the disk and in all."""
        stats = self.store.stats()
        return stats["chunks"], stats["names"], stats["physical_bytes"], stats["logical_bytes"]


class UniCache:
    """A cache of files."""

    def __init__(self, cache_dir: Path | None = None, block_size: int = _USUAL_BLOCK, auto_cleanup: bool = True) -> None:
        self.cache_dir = pathlib.Path(cache_dir) if cache_dir is not None else pathlib.Path.home() / ".unicache"
        self.block_size, self.auto_cleanup = block_size, auto_cleanup
        self._cache = Cache(block_size, self.cache_dir)
        self._written: set[pathlib.Path] = set()

    @property
    def store(self) -> Store:
        """The store that it is in."""
        return self._cache.store

    def download(
        self, url: str, file_id: str | None = None, use_fast_download: bool = True, max_connections: int = 8,
        progress: bool = True,
    ) -> str:  # fmt: skip
        """Not there yet, unless the file is here already."""
        if file_id is not None and self.exists(file_id):
            return file_id
        raise not_there_yet("a download", _INSTEAD)

    def add(self, file_path: Path, file_id: str | None = None, copy_file: bool = False) -> str:
        """Keeps a file, and says its id. Where there is a file of that id, it stays. `copy_file` has no meaning: files are only read."""
        path = pathlib.Path(file_path)
        if not path.exists():
            raise FileNotFoundError(f"Local file not found: {file_path}")
        if file_id is None:
            place = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:8]
            status = path.stat()
            file_id = f"{path.stem}_{place}_{status.st_size}_{int(status.st_mtime)}"
        if self.exists(file_id):
            return file_id
        try:
            return self._cache.store_file(path, file_id)
        except FuseError as error:
            raise UniCacheError(f"Failed to add file {file_path}: {error}") from error

    def get(self, file_id: str, output_dir: Path | None = None) -> pathlib.Path:
        """Writes a file to a name that nothing had, in a folder of yours or the cache's, and says where. cleanup() removes it."""
        self._cache._found(file_id)
        folder = pathlib.Path(output_dir) if output_dir is not None else self.cache_dir / "retrieved"
        folder.mkdir(parents=True, exist_ok=True)
        place = tempfile.mkdtemp(prefix=".", dir=folder)
        os.rmdir(place)
        path = folder / f"{file_id.replace('/', '_')}_{os.path.basename(place)[1:]}"
        self.copy_to(file_id, path)
        if self.auto_cleanup:
            self._written.add(path)
        return path

    def copy_to(self, file_id: str, output_path: Path) -> pathlib.Path:
        """Writes a file to a path."""
        path = pathlib.Path(output_path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._cache.retrieve_file(file_id, path)
        except (FuseError, OSError) as error:
            raise UniCacheError(f"Failed to copy file {file_id} to {output_path}: {error}") from error
        return path

    def remove(self, file_id: str) -> bool:
        """Takes a file away. False where there is none."""
        return bool(file_id) and self.store.remove_name(file_id)

    def exists(self, file_id: str) -> bool:
        """Whether there is such a file."""
        return bool(file_id) and self.store.id(file_id) is not None

    def list_files(self) -> list[str]:
        """The ids of all files."""
        return [entry.name for entry in self.store.names()]

    def stats(self) -> dict[str, Any]:
        """What there is, and what it saves."""
        blocks, files, physical, logical = self._cache.get_stats()
        mega = 1024 * 1024
        return {
            "total_blocks": blocks, "total_files": files, "physical_size_bytes": physical, "logical_size_bytes": logical,
            "physical_size_mb": physical / mega, "logical_size_mb": logical / mega,
            "deduplication_ratio": logical / physical if physical else 1.0, "space_saved_bytes": logical - physical,
            "space_saved_mb": (logical - physical) / mega, "cache_directory": str(self.cache_dir), "block_size": self.block_size,
        }  # fmt: skip

    def cleanup(self) -> None:
        """Removes what get() wrote."""
        for path in self._written:
            path.unlink(missing_ok=True)
        self._written = set()

    def gc(self) -> dict[str, int]:
        """Frees what no file needs."""
        return self.store.gc()

    def download_info(self) -> dict[str, Any]:
        """Which ways of downloading there are: none yet."""
        return {"available": [], "instead": _INSTEAD}

    def __enter__(self) -> UniCache:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.auto_cleanup:
            self.cleanup()


def download(url: str, cache_dir: Path | None = None, **options: Any) -> str:
    """As UniCache.download()."""
    with UniCache(cache_dir) as cache:
        return cache.download(url, **options)


def add_file(file_path: Path, cache_dir: Path | None = None, **options: Any) -> str:
    """As UniCache.add()."""
    with UniCache(cache_dir) as cache:
        return cache.add(file_path, **options)


def get_file(file_id: str, output_path: Path, cache_dir: Path | None = None) -> pathlib.Path:
    """As UniCache.copy_to()."""
    with UniCache(cache_dir) as cache:
        return cache.copy_to(file_id, output_path)


def cache_stats(cache_dir: Path | None = None) -> dict[str, Any]:
    """As UniCache.stats()."""
    with UniCache(cache_dir) as cache:
        return cache.stats()


def download_and_store(url: str, cache: Any, file_id: str | None = None, **options: Any) -> tuple[str, str]:
    """Not there yet."""
    raise not_there_yet("a download", _INSTEAD)

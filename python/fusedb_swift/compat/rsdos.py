"""rsdos 0.1.1: Container and CompressMode.

    from fusedb_swift.compat.rsdos import Container

    container = Container("objects")
    container.init_container()
    key = container.add_object(data)

Objects have no names; each is found by its SHA-256, as there. What is different:

- The options that rsdos takes and passes over: `hash_type` is sha256 and `loose_prefix_len` 2, anything else is a NotImplementedError;
  `clear` removes what is there; `compression_algorithm` counts for everything. What is put is always made durable and committed, and always
  compared with its digest; `no_holes` has no meaning here. `callback` is called as disk-objectstore calls it.
- CompressMode.AUTO and KEEP are what a store of ours does by default: a sample decides.
- `add_object` keeps what is larger than a chunk in packs, also where it might be loose.
- Counts and sizes are of all objects, loose and packed. `list_all_objects` lists them.
- A stream is a file that is read, and not all of the object in memory.
"""

from __future__ import annotations

import os
import pathlib
import shutil
from contextlib import contextmanager
from enum import Enum

from ..store import Store, Writer
from ._common import not_there_yet, opened, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

__all__ = ["CompressMode", "Container", "run_cli"]

_FOREIGN = ("config.json", "packs.idx", "loose")
_FOLDERS = ("condemned", "loose", "packs", "refs", "tmp")


class CompressMode(Enum):
    """Whether what goes to packs is packed."""

    NO = "no"
    YES = "yes"
    KEEP = "keep"
    AUTO = "auto"


def _compression(mode: bool | CompressMode) -> str | None:
    if mode in (False, CompressMode.NO):
        return "none"
    return None if mode in (True, CompressMode.YES) else "auto"


class Container:
    """Objects by their SHA-256."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.fspath(folder)
        self._opened: Store | None = None

    def get_folder(self) -> pathlib.Path:
        """The folder."""
        return pathlib.Path(self._folder)

    @property
    def is_initialised(self) -> bool:
        """Whether there is a store in the folder."""
        return os.path.exists(os.path.join(self._folder, "config"))

    @property
    def store(self) -> Store:
        """The store that it is in."""
        if self._opened is None:
            if not self.is_initialised:
                raise OSError(f"Uninitialized container directory at {self._folder}; init_container() makes it one")
            self._opened = Store(self._folder)
        return self._opened

    def init_container(
        self, clear: bool = False, pack_size_target: int = 4 << 30, loose_prefix_len: int = 2, hash_type: str = "sha256",
        compression_algorithm: str = "zlib:+1",
    ) -> None:  # fmt: skip
        """Makes a store in the folder. `clear` removes the one that is there first, with all that it has."""
        if hash_type != "sha256":
            raise not_there_yet(f"hash_type={hash_type!r}", "objects are called by their sha256")
        if loose_prefix_len != 2:
            raise not_there_yet(f"loose_prefix_len={loose_prefix_len}", "leave it at 2")
        name, _, level = compression_algorithm.replace("zlib+", "zlib:").partition(":")
        compression = f"{name}:{int(level)}" if level else name
        if self.is_initialised:
            if not clear:
                raise RuntimeError(f"{self._folder} already initialized")
            self._opened = None
            os.unlink(os.path.join(self._folder, "config"))
            for folder in _FOLDERS:
                shutil.rmtree(os.path.join(self._folder, folder), ignore_errors=True)
        # A pack of ours has its index in memory while it is written: it ends at 64 MiB, unless it is to be smaller.
        size = max(1 << 16, min(pack_size_target, 64 << 20))
        self._opened = opened(self._folder, _FOREIGN, compression=compression, pack_size=size)

    # ---- adding ----

    def add_object(self, content: bytes) -> str:
        """Keeps bytes, and says their SHA-256."""
        return self.store.put(content).id

    def add_streamed_object(self, stream: BinaryIO) -> str:
        """The same of a stream, which is not held in memory."""
        return self.store.put_stream(stream).id

    def add_object_to_packs(self, content: bytes) -> str:
        """The same, into a pack."""
        return self.store.put(content, to="packs").id

    def add_streamed_object_to_packs(self, stream: BinaryIO) -> str:
        """The same of a stream, into a pack."""
        return self.store.put_stream(stream).id

    def add_objects_to_pack(
        self, content_list: list[bytes] | tuple[bytes, ...], compress: bool | CompressMode = CompressMode.NO,
        no_holes: bool = False, no_holes_read_twice: bool = True, callback: Callable[..., Any] | None = None,
        do_fsync: bool = True, do_commit: bool = True,
    ) -> list[str]:  # fmt: skip
        """Many of them with one commit."""
        compression = _compression(compress)
        if callback:
            callback("init", {"total": len(content_list), "description": "Bulk storing"})
        keys = []
        with Writer(self.store) as writer:
            for content in content_list:
                keys.append(writer.put(content, compression=compression).id)
                if callback:
                    callback("update", 1)
        if callback:
            callback("close", None)
        return keys

    # ---- getting ----

    def get_object_content(self, hashkey: str) -> bytes | None:
        """The bytes of an object; None where it is not there."""
        return self.store.get(hashkey)

    @contextmanager
    def get_object_stream(self, hashkey: str) -> Iterator[BinaryIO | None]:
        """An object as a file that is read; None where it is not there."""
        stream = reader(self.store, hashkey)
        try:
            yield stream
        finally:
            if stream is not None:
                stream.close()

    def get_objects_content(self, hashkeys: list[str], skip_if_missing: bool = True) -> dict[str, bytes | None]:
        """The bytes of many objects. Those that are not there are left out, or None."""
        found = {key: self.store.get(key) for key in hashkeys}
        return {key: data for key, data in found.items() if data is not None or not skip_if_missing}

    def _is_loose(self, hashkey: str) -> bool | None:
        """Whether an object is a file of its own; None where it is not there."""
        try:
            return self.store.chunks(hashkey)[0].pack == "loose"
        except KeyError:
            return None

    def get_loose_objects_content_raw_rs(
        self, hashkeys: list[str], skip_if_missing: bool = True
    ) -> tuple[dict[str, bytes | None], list[str]]:
        """The bytes of those that are files of their own, and which are not."""
        loose = [key for key in hashkeys if self._is_loose(key)]
        rest = [key for key in hashkeys if key not in loose]
        found: dict[str, bytes | None] = {key: self.store.get(key) for key in loose}
        return found | ({} if skip_if_missing else dict.fromkeys(rest)), rest

    def iter_objects_stream_loose(
        self, hashkeys: list[str], skip_if_missing: bool = True
    ) -> Iterator[tuple[str, BinaryIO | None]]:
        """Those that are files of their own, as files that are read; None for others, or a ValueError."""
        return self._streams(hashkeys, skip_if_missing, True)

    def iter_objects_stream_packs(
        self, hashkeys: list[str], skip_if_missing: bool = True
    ) -> Iterator[tuple[str, BinaryIO | None]]:
        """The same of those that are in packs."""
        return self._streams(hashkeys, skip_if_missing, False)

    def _streams(self, hashkeys: list[str], skips: bool, is_loose: bool) -> Iterator[tuple[str, BinaryIO | None]]:
        for key in hashkeys:
            stream = reader(self.store, key) if self._is_loose(key) is is_loose else None
            if stream is None and not skips:
                raise ValueError(f"{key} not found")
            yield key, stream

    # ---- what there is ----

    def list_all_objects(self) -> Iterator[str]:
        """All objects."""
        return iter(self.store.objects())

    def get_total_size(self) -> int:
        """The bytes of all objects."""
        return int(self.store.stats()["logical_bytes"])

    def count_objects(self) -> int:
        """How many objects there are."""
        return int(self.store.stats()["kept"])

    def count_pack_file(self) -> int:
        """How many packs there are."""
        return int(self.store.stats()["packs"])

    def pack_all_loose(
        self, compress: bool | CompressMode = CompressMode.NO, validate_objects: bool = True, do_fsync: bool = True
    ) -> None:
        """Moves loose objects into packs. They are packed as the container says."""
        self.store.pack_loose()


def run_cli() -> None:
    """Not here: the command is `fusedb store`."""
    raise not_there_yet("the command line of rsdos", "'fusedb store init, add, cat, status, pack' do what it does")

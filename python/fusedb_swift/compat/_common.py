"""What the adapters share."""

from __future__ import annotations

import io
import os

from ..store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def opened(folder: str, foreign: Iterable[str], **options: object) -> Store:
    """The store in a folder, which is made where there is none. A folder of another program's is refused, with what to do."""
    if os.path.exists(os.path.join(folder, "config")):
        return Store(folder)
    for name in foreign:
        if os.path.exists(os.path.join(folder, name)):
            raise FileExistsError(
                f"{folder} has '{name}', which another program made; take it over with 'fusedb store import {folder} -C NEW', and open NEW")
    return Store.create(folder, **options)  # type: ignore[arg-type]


def not_there_yet(what: str, instead: str) -> NotImplementedError:
    return NotImplementedError(f"{what} is not there yet; {instead}")


class ObjectReader(io.RawIOBase):
    """An object as a file that is read, wherever, without being in memory."""

    def __init__(self, store: Store, id: str, size: int) -> None:
        self._store, self._id, self._size, self._place = store, id, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._store.get(self._id, self._place, len(buffer))
        if piece is None:
            raise OSError(f"the object {self._id} was removed while it was read")
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a place in a file is not negative")
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        return self._place


def reader(store: Store, id: str) -> io.BufferedReader | None:
    """An object as a buffered file; None where it is not there."""
    size = store.size(id)
    return None if size is None else io.BufferedReader(ObjectReader(store, id, size), 1 << 18)

"""The classes over files that are replaced. Their look-ups are methods of the extension, without a step in Python."""

from __future__ import annotations

import atexit
import os

from . import _fusedb
from ._values import base_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._fusedb import Advice, Key, Memory, Path, Prefault, Verify


def _log() -> logging.Logger:
    import logging

    return logging.getLogger("fusedb_swift")


class ReloadableFuseReader(_fusedb.Serving):
    """A reader whose file may be replaced while any number of threads read it.

    >>> db = ReloadableFuseReader('geo.fsdb')
    >>> db.get('8.8.8.8')
    {'org': 'Google', 'asn': 15169}
    >>> db.reload()
    False
    >>> db
    ReloadableFuseReader('geo.fsdb', keys=4)

    A file that takes the place of another has at least `least_keys` keys, has lost at most the share `greatest_shrink`
    of them, has each of `required_keys`, and has some where `allows_empty` is False. The last `kept_files` files stay
    open for rollback().
    """

    def __init__(
        self,
        path: Path,
        verify: Verify = True,
        *,
        memory: Memory = "mapped",
        advice: Advice = "normal",
        prefault: Prefault = "none",
        locked: bool = False,
        least_keys: int = 0,
        greatest_shrink: float | None = None,
        required_keys: Iterable[Key] = (),
        allows_empty: bool = True,
        kept_files: int = 0,
        counts_lookups: bool = False,
        threads: int | None = None,
    ) -> None:
        rest: dict[str, Any] = {
            "verify": verify, "memory": memory, "advice": advice, "prefault": prefault, "locked": locked,
            "least_keys": least_keys, "greatest_shrink": greatest_shrink, "required_keys": tuple(required_keys),
            "allows_empty": allows_empty, "kept_files": kept_files, "counts_lookups": counts_lookups,
            "threads": threads,
        }  # fmt: skip
        self._open(path, **rest)
        self._again = (os.path.abspath(os.fsdecode(path)), rest)

    def __reduce__(self) -> Any:
        return _reopened, (type(self), *self._again)

    def __repr__(self) -> str:
        return f"ReloadableFuseReader('{base_name(self.snapshot().path)}', keys={len(self)})"


def _reopened(kind: type[ReloadableFuseReader], path: str, rest: dict[str, Any]) -> ReloadableFuseReader:
    return kind(path, **rest)


class FuseWatcher(_fusedb.Answering):
    """Looks up in a file, and takes it again as soon as it is replaced, on a thread of its own.

    >>> watcher = FuseWatcher('geo.fsdb', interval=30.0, on_reload=lambda db: None)
    >>> watcher.start()
    >>> watcher.get('8.8.8.8')
    {'org': 'Google', 'asn': 15169}
    >>> watcher.stop()

    The system tells of new files; every `interval` seconds the file is looked at in any case. `on_reload` is called on
    the watcher's thread with `db`, the ReloadableFuseReader. A file that is refused, and what a callback raises, is
    logged as a warning of the logger "fusedb_swift".
    """

    def __init__(
        self,
        path: Path,
        interval: float = 30.0,
        on_reload: Callable[[ReloadableFuseReader], Any] | None = None,
        verify: Verify = True,
        **rules: Any,
    ) -> None:
        self._interval = max(float(interval), 0.001)
        self._on_reload = on_reload
        self._started = False
        self.db = ReloadableFuseReader(path, verify, **rules)
        self._answer_from(self.db)

    def start(self) -> None:
        """Begins to watch; once.

        >>> watcher = FuseWatcher('geo.fsdb')
        >>> watcher.start()
        >>> watcher.start()
        Traceback (most recent call last):
        RuntimeError: threads can only be started once
        >>> watcher.stop()
        """
        if self._started:
            raise RuntimeError("threads can only be started once")
        self._started = True
        self.db._watch(self._interval, self._changed, self._refused)
        _running.add(self.db)

    def stop(self) -> None:
        """Ends the watching. Look-ups go on.

        >>> FuseWatcher('geo.fsdb').stop()
        Traceback (most recent call last):
        RuntimeError: cannot join thread before it is started
        """
        if not self._started:
            raise RuntimeError("cannot join thread before it is started")
        self.db._unwatch()
        _running.discard(self.db)

    def __enter__(self) -> FuseWatcher:
        self.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stop()

    def __reduce__(self) -> Any:
        raise TypeError("a watcher has a thread, and cannot be pickled or copied; pickle its db")

    def _changed(self, db: ReloadableFuseReader) -> None:
        try:
            _log().info("took %s, with %d keys", db.snapshot().path, len(db))
            if self._on_reload:
                self._on_reload(db)
        except Exception:
            _log().warning("on_reload failed", exc_info=True)

    def _refused(self, error: Exception) -> None:
        _log().warning("a new file was refused: %s", error)


class FusePool(_fusedb.Answering):
    """A reader that many threads share, and whose file can be swapped for another.

    >>> pool = FusePool('geo.fsdb', size=4)
    >>> pool.get('8.8.8.8')
    {'org': 'Google', 'asn': 15169}
    >>> pool.swap('geo-2.fsdb')
    >>> pool.exists('9.9.9.9')
    True
    >>> pool
    FusePool('geo-2.fsdb', size=4)

    One reader serves any number of threads: `size` is there for programs written for `fusedb` 0.3.0.
    """

    def __init__(self, path: Path, size: int = 4, verify: Verify = True) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, and is {size}")
        self._size = size
        self._again = (os.path.abspath(os.fsdecode(path)), size, verify)
        self._answer_from(_fusedb.FuseReader(path, verify))

    def swap(self, new_path: Path, verify: Verify = True) -> None:
        """Takes another file; look-ups that are going on end with the one before.

        >>> FusePool('geo.fsdb').swap('geo-2.fsdb')
        """
        reader = _fusedb.FuseReader(new_path, verify)
        self._again = (os.path.abspath(os.fsdecode(new_path)), self._size, verify)
        self._answer_from(reader)

    def stats(self, *, full: bool = False) -> dict[str, Any]:
        """The path, the size, and what the file holds, `size` times.

        >>> sorted(FusePool('geo.fsdb', size=2).stats())
        ['path', 'readers', 'size']
        """
        readers = super().stats(full=full)
        return {"path": readers["path"], "size": self._size, "readers": [dict(readers) for _ in range(self._size)]}

    def __reduce__(self) -> Any:
        return type(self), self._again

    def __repr__(self) -> str:
        return f"FusePool('{base_name(self.path)}', size={self._size})"


# What the threads of the library have in any case.
_running: set[_fusedb.Serving] = set()


# A child has no such thread.
os.register_at_fork(after_in_child=_running.clear)


@atexit.register
def _stop_all() -> None:
    """No thread of the library calls Python once the interpreter goes."""
    for db in list(_running):
        db._unwatch()


for _class in (ReloadableFuseReader, FuseWatcher, FusePool):
    _class.__module__ = "fusedb_swift"

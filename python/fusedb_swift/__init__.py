"""Look-ups in one immutable file: many keys point at shared objects, and a rebuilt file replaces the old one under load.

    import fusedb_swift as fusedb

does what the package `fusedb` 0.3.0 does, by the library FuseDB for Swift. docs/python.md of the project says all of it.
"""

from __future__ import annotations

from ._delivery import Subscription
from ._errors import (
    FuseCorruptError,
    FuseCorruptValueError,
    FuseError,
    FuseIOError,
    FuseRefusedError,
    FuseValueError,
    FuseVersionError,
)
from ._errors import (  # noqa: F401  (pickles of exceptions look for them here)
    FuseFileExistsError,
    FuseIsADirectoryError,
    FuseNotADirectoryError,
    FuseNotFoundError,
    FusePermissionError,
)
from ._fusedb import (
    ArrowColumns,
    Damage,
    Difference,
    FuseReader,
    FuseWriter,
    Match,
    NetworkMatch,
    Verification,
    diff,
    fetch,
    library_version,
    make_patch,
    merge,
    patch,
    publish,
    publish_set,
    reindex,
    set_generation,
    set_signals,
    shard_of,
    split_set,
    sweep_set,
    verify,
)
from ._serving import FusePool, FuseWatcher, ReloadableFuseReader
from ._values import ExtType, Timestamp

__version__ = library_version

__all__ = [
    # What fusedb 0.3.0 has.
    "FuseWriter",
    "FuseReader",
    "ReloadableFuseReader",
    "FuseWatcher",
    "FusePool",
    "merge",
    "FuseError",
    "FuseCorruptError",
    "FuseVersionError",
    # And more.
    "FuseCorruptValueError",
    "FuseIOError",
    "FuseRefusedError",
    "FuseValueError",
    "ArrowColumns",
    "Damage",
    "Difference",
    "ExtType",
    "Match",
    "NetworkMatch",
    "Subscription",
    "Timestamp",
    "Verification",
    "diff",
    "fetch",
    "make_patch",
    "patch",
    "publish",
    "publish_set",
    "reindex",
    "set_generation",
    "set_signals",
    "shard_of",
    "split_set",
    "sweep_set",
    "verify",
]

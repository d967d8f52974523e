"""Uses of each part of the package, for the type checker; the errors are those that it must find."""

from pathlib import Path
from typing import Any

from typing_extensions import assert_type

import fusedb_swift as fusedb


def read(path: Path) -> None:
    with fusedb.FuseReader(path, verify="reading", memory="copied") as db:
        assert_type(db, fusedb.FuseReader)
        assert_type(db.get("a"), Any)
        assert_type(db.exists(b"a"), bool)
        assert_type(db.get_many(["a", b"b"]), list[Any])
        assert_type(db.get_raw("a"), memoryview | None)
        assert_type(db.keys(), list[str])
        assert_type(db.keys(bytes_keys=True), list[bytes])
        assert_type(db.items(), list[tuple[str, Any]])
        assert_type([key for key in db], list[str])
        assert_type([key for key, value in db.scan(start="a", bytes_keys=True)], list[bytes])
        assert_type(list(db.scan(keys_only=True)), list[str])
        assert_type(db.verify(report=True).damages, list[fusedb.Damage])
        assert_type(db.metadata, dict[str, str])
        assert_type(len(db), int)
        assert_type(db.lookup_arrow([], {"a": ("a.b", "int64"), "whole": None}).found_count, int)
        match = db.longest_match("10.0.0.1")
        if match is not None:
            assert_type(match, fusedb.NetworkMatch)
            assert_type(match.scope, str)
        suffix = db.longest_suffix("example.com")
        assert_type(suffix.key if suffix else None, str | None)
        db.get(5)  # type: ignore[arg-type]
        db.scan(revers=True)  # type: ignore[call-overload]


def write(path: str) -> None:
    writer = fusedb.FuseWriter(shared=True, layout="plain", memory=1 << 30, metadata={"source": "x"})
    number = writer.add_object({"a": 1})
    assert_type(number, int)
    writer.add_key("a", number)
    writer.build(path, progress=lambda share: print(share))
    fusedb.FuseWriter(layout="other")  # type: ignore[arg-type]
    fusedb.merge(path, path, output=path, combine=lambda key, first, second: first)
    assert_type([change.kind for change in fusedb.diff(path, fusedb.FuseReader(path))][0] == "added", bool)
    assert_type(fusedb.make_patch(path, path, "p"), dict[str, int])
    assert_type(fusedb.patch(path, "p", "made"), dict[str, int])
    assert_type(fusedb.patch(path, ["p", path], "made"), dict[str, int])


def serve(path: str) -> None:
    db = fusedb.ReloadableFuseReader(path, least_keys=1, kept_files=2)
    assert_type(db.reload(), bool)
    assert_type(db.snapshot(), fusedb.FuseReader)
    watcher = fusedb.FuseWatcher(path, interval=1.0, on_reload=lambda db: db.keys())
    assert_type(watcher.db, fusedb.ReloadableFuseReader)
    pool = fusedb.FusePool(path, size=2)
    assert_type(pool.stats(), dict[str, Any])
    try:
        pool.swap(path)
    except fusedb.FuseError as error:
        assert_type(error.offset, int | None)

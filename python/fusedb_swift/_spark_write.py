"""Writes sets of shards from Spark: tasks build shards, and the driver publishes them in one step."""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import datasource as ds
from pyspark.sql import types

from . import _fusedb as library
from ._spark_worker import MANIFEST

OPTIONS = ("path", "key", "shards", "form", "memory", "duplicates", "temporary_folder", "metadata", "after", "least_keys",
           "greatest_shrink")  # fmt: skip
#: What a task may take without an option `memory`.
MEMORY = 256 << 20
_PLAIN = (types.BooleanType, types.ByteType, types.ShortType, types.IntegerType, types.LongType, types.FloatType, types.DoubleType,
          types.StringType, types.BinaryType, types.TimestampType)  # fmt: skip


@dataclass
class Built(ds.WriterCommitMessage):
    """What a task made: shards, as publish_set takes them, or a piece of several."""

    shards: list[str]
    piece: str | None
    rows: int


def _size(text: str) -> int:
    units = {"k": 10, "m": 20, "g": 30}
    number, unit = (text[:-1], text[-1].lower()) if text and text[-1].lower() in units else (text, "")
    if not number.isdigit():
        raise ValueError(f"the option memory is {text!r}; it is a number of bytes, as 268435456 or 256M")
    return int(number) << units.get(unit, 0)


def _check_type(name: str, kind: types.DataType) -> None:
    if isinstance(kind, _PLAIN):
        return
    if isinstance(kind, types.StructType):
        for field in kind.fields:
            _check_type(f"{name}.{field.name}", field.dataType)
    elif isinstance(kind, types.ArrayType):
        _check_type(name, kind.elementType)
    elif isinstance(kind, types.MapType) and isinstance(kind.keyType, types.StringType):
        _check_type(name, kind.valueType)
    else:
        raise ValueError(f"the column {name!r} is of type {kind.simpleString()}, for which a file has none; cast it to string or double")


class FuseDataWriter(ds.DataSourceArrowWriter):
    """Made by the driver before any task runs, and sent to each."""

    def __init__(self, path: str, schema: types.StructType, overwrite: bool, options: Any) -> None:
        from ._spark_source import _refuse_options

        _refuse_options(options, OPTIONS, "write")
        self.path, self.schema = path, schema
        self.key = options.get("key", "key")
        if self.key not in schema.fieldNames():
            raise ValueError(f"the rows have no column {self.key!r} for the key; name the one that is, by option('key', …)")
        if not isinstance(schema[self.key].dataType, (types.StringType, types.BinaryType)):
            raise ValueError(f"keys are strings or binaries, and the column {self.key!r} is {schema[self.key].dataType.simpleString()}; cast it")
        for field in schema.fields:
            _check_type(field.name, field.dataType)
        if not str(options.get("shards", "")).isdigit() or not 1 <= int(options["shards"]) <= 65536:
            raise ValueError("how many shards? option('shards', 64): 1 to 65,536; rows come best as fusedb_swift.spark.place(df, key, 64) puts them")
        self.shards = int(options["shards"])
        self.duplicates = options.get("duplicates", "error")
        self.least_keys = int(options.get("least_keys", 0))
        self.greatest_shrink = float(options["greatest_shrink"]) if "greatest_shrink" in options else None
        self.memory = _size(options.get("memory", str(MEMORY)))
        self.options = {
            "form": options.get("form", "family"), "metadata": json.loads(options.get("metadata", "{}")),
            "temporary_folder": options.get("temporary_folder"),
        }  # fmt: skip
        # A slip is told here, and not by each task.
        self._writer(1)
        self.job = uuid.uuid4().hex
        self.after = library.set_generation(path)
        if self.after and not overwrite:
            raise ValueError(
                f"{path} has a set already, and a set is built as a whole: mode('overwrite') publishes a new generation, and readers go on "
                "with the old one until then. To add rows, union them with what is there before"
            )
        if int(options.get("after", self.after)) != self.after:
            raise ValueError(
                f"{path} is at generation {self.after}, and not at {options['after']}, as the option 'after' says: another job published "
                "meanwhile. Read again what the rows were made of"
            )
        os.makedirs(path, exist_ok=True)

    def _writer(self, share: int) -> library.FuseWriter:
        options = {name: value for name, value in self.options.items() if value}
        return library.FuseWriter(
            shared=True, order="key", on_duplicate=self.duplicates, memory=max(self.memory // share, 16 << 20), threads=1, **options
        )

    # ---- in a task ----

    def write(self, iterator: Iterator[Any]) -> Built:
        from pyspark import TaskContext

        context = TaskContext.get()
        # Rows that were placed are of the shard with the number of their partition.
        likely = context.partitionId() if context is not None and context.partitionId() < self.shards else 0
        shard = (likely, self.shards)
        one: library.FuseWriter | None = None
        rest: library.FuseWriter | None = None
        count = 0
        for batch in iterator:
            if rest is None:
                one = one or self._writer(1)
                added = one.add_arrow(batch, self.key, shard=shard)
                if added < batch.num_rows:
                    # Rows that were not placed are in one piece, or in two where that shows late.
                    rest = self._writer(2 if count else 1)
                    rest.add_arrow(batch, self.key, shard=shard if count else None, others=count > 0)
                    one = one if count else None
            else:
                rest.add_arrow(batch, self.key)
            count += batch.num_rows
        if rest is None:
            # Without rows there is nothing to build: the driver has the empty shards.
            return Built([one.build_shard(self.path, likely, self.shards)] if one and count else [], None, count)
        pieces = []
        for number, writer in enumerate(filter(None, (one, rest))):
            name = f".part-piece-{self.job}-{uuid.uuid4().hex}-{number}.tmp"
            writer.build(os.path.join(self.path, name))
            pieces.append(name)
        return Built([], "/".join(pieces), count)

    # ---- on the driver ----

    def commit(self, messages: list[ds.WriterCommitMessage | None]) -> None:
        built = [message for message in messages if isinstance(message, Built)]
        if any(message is None for message in messages):
            raise RuntimeError(f"{self.path}: a task finished without a word of what it built; nothing is published")
        if any(message.piece for message in built) or self._repeats(built):
            self._commit_pieces(built)
            return
        shards = [shard for message in built for shard in message.shards]
        there = {_number(shard) for shard in shards}
        for number in range(self.shards):
            if number not in there:
                shards.append(self._writer(1).build_shard(self.path, number, self.shards))
        library.publish_set(self.path, shards, after=self.after, least_keys=self.least_keys, greatest_shrink=self.greatest_shrink)

    @staticmethod
    def _repeats(built: list[Built]) -> bool:
        numbers = [_number(shard) for message in built for shard in message.shards]
        return len(set(numbers)) != len(numbers)

    def _commit_pieces(self, built: list[Built]) -> None:
        """Rows that were not placed: what the tasks made becomes one file, and that a set."""
        if library.set_generation(self.path) != self.after:
            raise RuntimeError(
                f"{self.path}: another job published meanwhile; nothing is changed. Start this one again, if its rows are the newer ones"
            )
        names = [name for message in built for name in (message.piece.split("/") if message.piece else map(_name, message.shards))]
        whole = os.path.join(self.path, f".part-piece-{self.job}-whole.tmp")
        options = {name: value for name, value in self.options.items() if value}
        try:
            library.merge(
                *(os.path.join(self.path, name) for name in names), output=whole, on_duplicate=self.duplicates, order="key",
                memory=self.memory, **options,
            )  # fmt: skip
            library.split_set(
                whole, self.path, shards=self.shards, memory=self.memory, least_keys=self.least_keys,
                greatest_shrink=self.greatest_shrink, **options,
            )  # fmt: skip
        finally:
            if os.path.exists(whole):
                os.remove(whole)
        self._remove_pieces()

    def abort(self, messages: list[ds.WriterCommitMessage | None]) -> None:
        """Removes what this job is known to have written. What a task writes later goes with the next commit."""
        self._remove_pieces()
        names = {_name(shard) for message in messages if isinstance(message, Built) for shard in message.shards}
        if not names:
            return
        # Under the lock of those who publish: what a manifest names stays.
        with open(os.path.join(self.path, "fusedb-set.lock"), "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in names - _named(self.path):
                _remove(os.path.join(self.path, name))

    def _remove_pieces(self) -> None:
        if os.path.isdir(self.path):
            for name in os.listdir(self.path):
                if name.startswith(f".part-piece-{self.job}-"):
                    _remove(os.path.join(self.path, name))


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


def _named(folder: str) -> set[str]:
    try:
        with open(os.path.join(folder, MANIFEST), "rb") as file:
            manifest = json.load(file)
    except FileNotFoundError:
        return set()
    return {shard["name"] for shard in manifest["shards"]} | set(manifest.get("former", []))


def _name(shard: str) -> str:
    return str(json.loads(shard)["name"])


def _number(shard: str) -> int:
    return int(_name(shard).split("-")[1])

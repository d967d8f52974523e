"""The data source `fusedb`: reads files and sets, a partition a shard; `_spark_write` writes sets."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from pyspark.sql import datasource as ds
from pyspark.sql import types

from . import _spark_worker as worker
from ._spark_worker import Plan
from ._spark_write import FuseDataWriter

#: So many keys become a batch.
ROWS = 8192
READ_OPTIONS = ("path", "key", "value", "prefix")


def _refuse_options(options: Any, known: Sequence[str], what: str) -> None:
    unknown = [name for name in options if name.lower() not in known]
    if unknown:
        raise ValueError(f"the data source fusedb has no option {unknown[0]!r} to {what}; there are {', '.join(known)}")


def _path(options: Any) -> str:
    path = str(options.get("path") or "")
    if not path:
        raise ValueError('the data source fusedb needs a path, as load("geo-set") or save("geo-set")')
    if path.startswith("file:"):
        path = path[len("file:") :]
        path = "/" + path.lstrip("/")
    elif "://" in path:
        raise ValueError(f"{path}: files are mapped, so they are on a path of the machine; copy the set to one that all workers have")
    return os.path.abspath(path)


class FuseDataSource(ds.DataSource):
    """`spark.read.format("fusedb")` and `df.write.format("fusedb")`; `fusedb_swift.spark.register(spark)` makes it known."""

    @classmethod
    def name(cls) -> str:
        return "fusedb"

    def schema(self) -> types.StructType:
        """Without one that is asked for: the key, and the whole object as JSON."""
        key, value = self.options.get("key", "key"), self.options.get("value", "value")
        return types.StructType([types.StructField(key, types.StringType(), False), types.StructField(value, types.StringType())])

    def reader(self, schema: types.StructType) -> FuseDataReader:
        _refuse_options(self.options, READ_OPTIONS, "read")
        return FuseDataReader(_path(self.options), schema, self.options, schema == self.schema())

    def writer(self, schema: types.StructType, overwrite: bool) -> FuseDataWriter:
        return FuseDataWriter(_path(self.options), schema, overwrite, self.options)


class Part(ds.InputPartition):
    """A file to walk through, or keys to look up in the whole."""

    def __init__(self, path: str, identity: str, keys: list[bytes] | None = None) -> None:
        super().__init__((path, identity))
        self.path, self.identity, self.keys = path, identity, keys


class FuseDataReader(ds.DataSourceReader):
    """Keys in order, shard by shard, with parts of their objects."""

    def __init__(self, path: str, schema: types.StructType, options: Any, is_default: bool) -> None:
        from .spark import _field

        self.path = path
        self.key = options.get("key", "key")
        whole = options.get("value", "value" if is_default else None)
        if self.key not in schema.fieldNames():
            raise ValueError(f"the schema has no column {self.key!r} for the key; name the one that is, by option('key', …)")
        self.schema = schema
        kind = schema[self.key].dataType
        if not isinstance(kind, (types.StringType, types.BinaryType)):
            raise ValueError(f"keys are strings or binaries, and the column {self.key!r} is to be {kind.simpleString()}")
        self.fields = tuple(
            _field(field.name, (None, "json") if field.name == whole else field.dataType)[0]
            for field in schema.fields
            if field.name != self.key
        )
        self.identity = worker.identity(path)
        # What is asked for: these keys, or those in a range that begin so.
        self.keys: set[bytes] | None = None
        self.prefix = options.get("prefix", "").encode()
        self.start, self.stop = b"", None  # type: bytes, bytes | None

    def pushFilters(self, filters: list[ds.Filter]) -> Iterable[ds.Filter]:
        """Takes what is asked of the key, in the order of bytes, as Spark has it."""
        for one in filters:
            if getattr(one, "attribute", None) != (self.key,) or not self._take(one):
                yield one

    def _take(self, one: ds.Filter) -> bool:
        if isinstance(one, ds.IsNotNull):
            return True
        values = one.value if isinstance(one, ds.In) else [one.value] if hasattr(one, "value") else [None]
        # A comparison with null has no rows; Spark knows that.
        keys = [value.encode() if isinstance(value, str) else bytes(value) for value in values if isinstance(value, (str, bytes, bytearray))]
        if len(keys) != len(values):
            return False
        if isinstance(one, (ds.EqualTo, ds.EqualNullSafe, ds.In)):
            self.keys = set(keys) if self.keys is None else self.keys & set(keys)
        elif isinstance(one, ds.StringStartsWith):
            if not (keys[0].startswith(self.prefix) or self.prefix.startswith(keys[0])):
                self.keys = set()
            self.prefix = max(self.prefix, keys[0], key=len)
        elif isinstance(one, (ds.GreaterThan, ds.GreaterThanOrEqual)):
            # The least key after another is that with a zero byte more.
            self.start = max(self.start, keys[0] + (b"\0" if isinstance(one, ds.GreaterThan) else b""))
        elif isinstance(one, (ds.LessThan, ds.LessThanOrEqual)):
            stop = keys[0] + (b"\0" if isinstance(one, ds.LessThanOrEqual) else b"")
            self.stop = stop if self.stop is None else min(self.stop, stop)
        else:
            return False
        return True

    def _has(self, key: bytes) -> bool:
        return key.startswith(self.prefix) and key >= self.start and (self.stop is None or key < self.stop)

    def partitions(self) -> list[ds.InputPartition]:
        if self.keys is not None:
            wanted = sorted(filter(self._has, self.keys))
            return [Part(self.path, self.identity, wanted)]
        if not os.path.isdir(self.path):
            return [Part(self.path, self.identity)]
        with open(os.path.join(self.path, worker.MANIFEST), "rb") as file:
            manifest = json.load(file)
        # A shard's contents never change under its name.
        return [Part(path, worker.identity(path)) for shard in manifest["shards"] for path in [os.path.join(self.path, shard["name"])]]

    def read(self, partition: ds.InputPartition) -> Iterator[Any]:
        assert isinstance(partition, Part)
        plan = Plan(partition.path, False, partition.identity, self.fields, "exact", None if partition.keys is None else "")
        if partition.keys is not None:
            keys: Iterator[bytes] = iter(partition.keys)
        else:
            options = {"start": self.start or None, "stop": self.stop}
            prefix = self.prefix or None
            if prefix is not None:
                # A walk has a prefix or a range.
                options = {"start": None, "stop": None}
            keys = worker.reader(plan).scan(prefix, keys_only=True, bytes_keys=True, **options)
            if prefix is not None:
                keys = filter(self._has, keys)
        while some := list(islice(keys, ROWS)):
            yield self._batch(plan, some)

    def _batch(self, plan: Plan, keys: list[bytes]) -> Any:
        import pyarrow

        array = pyarrow.array(keys, pyarrow.binary())
        found = worker.columns(plan, array)
        if isinstance(self.schema[self.key].dataType, types.StringType):
            try:
                array = array.cast(pyarrow.string())
            except pyarrow.ArrowInvalid:
                raise ValueError(f"{plan.path} has keys that are no UTF-8; give the column {self.key!r} the type binary") from None
        made = {self.key: array, **{field.name: found.column(field.name) for field in self.fields}}
        schema = pyarrow.schema([
            pyarrow.field(field.name, made[field.name].type, field.nullable) for field in self.schema.fields
        ])  # fmt: skip
        batch = pyarrow.RecordBatch.from_arrays([made[name] for name in self.schema.fieldNames()], schema=schema)
        # Of keys that were asked for, those that are there.
        return batch if plan.found is None else batch.filter(found.column(0))

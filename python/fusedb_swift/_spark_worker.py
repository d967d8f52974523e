"""What runs in Spark's Python workers: files are opened once in a worker, and answer by the column. No import of PySpark on the way."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ._fusedb import FuseReader

MANIFEST = "fusedb-set.json"
#: So many files stay open in a worker.
MOST_READERS = 16


class Field(NamedTuple):
    """A column: its name, the path in the object, the type that is asked of the file, and the one that Arrow gives to Spark."""

    name: str
    path: str | None
    type: str
    arrow: str


class Plan(NamedTuple):
    """A look-up, as it goes to the workers."""

    path: str
    #: Whether the path is the name of a file that was given to SparkContext.addFile.
    is_added: bool
    #: What the driver saw; None where any file will do.
    identity: str | None
    fields: tuple[Field, ...]
    match: str
    found: str | None

    def sent(self) -> tuple[Any, ...]:
        """Without types of this package, which a worker may lack."""
        return (*self[:3], tuple(tuple(field) for field in self.fields), *self[4:])

    @classmethod
    def received(cls, sent: tuple[Any, ...]) -> Plan:
        path, is_added, identity, fields, match, found = sent
        return cls(path, is_added, identity, tuple(Field(*field) for field in fields), match, found)


def identity(path: str) -> str:
    """What tells a file from one with other contents: of a set the generation and the checksum of its manifest, of a file its length and
    first 40 bytes, which hold the checksums of all others."""
    if os.path.isdir(path):
        with open(os.path.join(path, MANIFEST), "rb") as file:
            text = file.read()
        import json

        manifest = json.loads(text)
        return f"generation {manifest['generation']}, checksum {manifest['crc32']}"
    with open(path, "rb") as file:
        head = file.read(40)
        return f"{os.fstat(file.fileno()).st_size} bytes, beginning {head.hex()}"


def where(path: str, is_added: bool) -> str:
    """The path on this machine."""
    if not is_added:
        return path
    from pyspark import SparkFiles

    return str(SparkFiles.get(path))


_readers: dict[tuple[str, str | None], Any] = {}


def reader(plan: Plan) -> Any:
    """The reader of a plan, opened by the first task of this worker that needs it."""
    path = where(plan.path, plan.is_added)
    known = _readers.get((path, plan.identity))
    if known is not None:
        return known
    try:
        seen = identity(path)
        opened = FuseReader(path, verify="reading")
        # It may have been replaced between the two.
        again = identity(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{path} is not on the worker {socket.gethostname()}: put it on a path that all workers have, or send it with "
            "fusedb_swift.spark.distribute(spark, path)"
        ) from error
    for one in {seen, again}:
        if plan.identity is not None and one != plan.identity:
            raise RuntimeError(
                f"{path} on the worker {socket.gethostname()} is another one than the driver saw ({one}, and not {plan.identity}): it was "
                "replaced meanwhile, or copies differ. Start the query again; fusedb_swift.spark.distribute(spark, path) keeps one for all"
            )
    # Of what was replaced, the mapping would stay.
    for key in [key for key in _readers if key[0] == path]:
        del _readers[key]
    while len(_readers) >= MOST_READERS:
        del _readers[next(iter(_readers))]
    _readers[path, plan.identity] = opened
    return opened


def columns(plan: Plan, keys: Any) -> Any:
    """The columns of a plan for an array of keys, as a RecordBatch."""
    import pyarrow

    if pyarrow.types.is_dictionary(keys.type):
        keys = keys.dictionary_decode()
    asked = {field.name: (field.path, field.type) for field in plan.fields}
    batch = pyarrow.record_batch(
        reader(plan).lookup_arrow(keys, asked, found=plan.found is not None, match=plan.match, large=False)
    )
    arrays = [batch.column(0)] if plan.found is not None else []
    names = [plan.found] if plan.found is not None else []
    for field, array in zip(plan.fields, batch.columns[len(arrays) :]):
        wanted = ARROW_TYPES[field.arrow](pyarrow)
        if array.type != wanted:
            # Nanoseconds are cut; numbers that do not fit end the task.
            array = array.cast(wanted, safe=not pyarrow.types.is_timestamp(wanted))
        arrays.append(array)
        names.append(field.name)
    return pyarrow.RecordBatch.from_arrays(arrays, names=names)


ARROW_TYPES: dict[str, Any] = {
    "boolean": lambda pa: pa.bool_(), "tinyint": lambda pa: pa.int8(), "smallint": lambda pa: pa.int16(), "int": lambda pa: pa.int32(),
    "bigint": lambda pa: pa.int64(), "float": lambda pa: pa.float32(), "double": lambda pa: pa.float64(), "string": lambda pa: pa.string(),
    "binary": lambda pa: pa.binary(), "timestamp": lambda pa: pa.timestamp("us", "UTC"),
}  # fmt: skip


def add_columns(plan: Plan, place: int, batches: Iterable[Any]) -> Iterator[Any]:
    """Rows with the columns after theirs, for mapInArrow."""
    import pyarrow

    for batch in batches:
        found = columns(plan, batch.column(place))
        yield pyarrow.RecordBatch.from_arrays(batch.columns + found.columns, names=batch.schema.names + found.schema.names)


def structs(plan: Plan, arrays: Iterable[Any]) -> Iterator[Any]:
    """A struct for each key, for an Arrow UDF."""
    for keys in arrays:
        yield columns(plan, keys).to_struct_array()

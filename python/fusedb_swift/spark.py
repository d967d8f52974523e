"""FuseDB from Apache Spark: look-ups without a shuffle, and a data source that writes and reads sets of shards.

    from fusedb_swift import spark as fuse

    spark = fuse.session("local[2]")
    rows = fuse.lookup(events, "geo.fsdb", on="ip", fields={"org": "string", "asn": "int"}, match="network")

PySpark 4.1 or later is needed, and pyarrow. The page Spark of the project's documentation says all of it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from ._spark_worker import ARROW_TYPES, MANIFEST, Field, Plan, identity

__all__ = ["FuseDataSource", "Distributed", "distribute", "lookup", "lookup_column", "place", "register", "session"]

Questions: TypeAlias = Literal["exact", "network", "domain", "email", "prefix"]
#: A type, or a path and a type; types are Spark's, or "json" and "messagepack" for a text and bytes of any value.
Fields: TypeAlias = Mapping[str, Any]

#: Spark's types, and what is asked of the file for them.
_TYPES = {
    "boolean": "bool", "tinyint": "int64", "smallint": "int64", "int": "int64", "bigint": "int64", "float": "float64", "double": "float64",
    "string": "string", "binary": "bytes", "timestamp": "timestamp",
}  # fmt: skip
_OTHER_NAMES = {"bool": "boolean", "byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint", "int64": "bigint"}
#: What makes the way to Python cheaper: without it, Spark 4.2 adds up the size of the batch again with each row.
_SETTINGS = {"spark.sql.execution.arrow.maxBytesPerBatch": "2147483647", "spark.sql.python.filterPushdown.enabled": "true"}


def _need_pyspark() -> Any:
    try:
        import pyspark
    except ImportError:
        raise ImportError(f"PySpark is not in this environment: {sys.executable} -m pip install 'pyspark>=4.1' pyarrow 'pandas<3'") from None
    if tuple(int(part) for part in pyspark.__version__.split(".")[:2]) < (4, 1):
        raise ImportError(f"PySpark {pyspark.__version__} has no Arrow writers of data sources; pip install 'pyspark>=4.1'")
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ImportError(f"pyarrow is not in this environment: {sys.executable} -m pip install pyarrow") from None
    _warn_of_pandas()
    return pyspark


def _warn_of_pandas() -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("pandas")
    except PackageNotFoundError:
        return
    if int(found.split(".")[0]) >= 3:
        warnings.warn(
            f"pandas {found} is installed, and PySpark does not support 3 yet; look-ups need none of it, but toPandas() and pandas UDFs may "
            "fail: pip install 'pandas<3'",
            stacklevel=4,
        )


def session(master: str = "local[*]", name: str = "fusedb", settings: Mapping[str, str] | None = None) -> Any:
    """A session on this machine, whose workers run this Python, with the data source `fusedb`. `settings` are added, or win.

    On a cluster make the session as always, and call `register(spark)`.
    """
    _need_pyspark()
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    chosen = {**_SETTINGS, "spark.python.unix.domain.socket.enabled": "true", "spark.ui.enabled": "false"}
    if master.startswith("local"):
        chosen |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    builder = SparkSession.builder.master(master).appName(name)
    for key, value in {**chosen, **(settings or {})}.items():
        builder = builder.config(key, value)
    try:
        made = builder.getOrCreate()
    except Exception as error:
        text = str(error)
        if "BindException" in text or "could not bind" in text or "UnknownHostException" in text:
            raise RuntimeError(
                "Spark's driver could not bind an address of this machine. Set spark.driver.bindAddress, or SPARK_LOCAL_IP=127.0.0.1 in the "
                "environment where all runs on one machine; /etc/hosts should know the machine's own name"
            ) from error
        if "JAVA" in text:
            raise RuntimeError("Spark found no Java: install 17 or later (apt-get install openjdk-17-jre-headless), or set JAVA_HOME") from error
        raise
    return register(made)


def register(spark: Any) -> Any:
    """Makes the data source `fusedb` known to a session, and sets two settings of it: filters are pushed to sources in Python, and batches
    on the way to Python are bounded by rows alone. Returns the session."""
    _need_pyspark()
    from ._spark_source import FuseDataSource

    spark.dataSource.register(FuseDataSource)
    for key, value in _SETTINGS.items():
        spark.conf.set(key, value)
    return spark


class Distributed(tuple):  # type: ignore[type-arg]
    """A file or set that was given to each worker: what `distribute` returns, and `lookup` takes for a path."""

    __slots__ = ()


def distribute(spark: Any, path: str | os.PathLike[str]) -> Distributed:
    """Gives each worker a copy of a file or set, where there is no path that all of them have. Later contents of the path are another
    copy: call it again after publishing."""
    source = os.path.abspath(os.fspath(path))
    seen = identity(source)
    base, ending = os.path.splitext(os.path.basename(source.rstrip("/")))
    # Spark keeps what it had under a name, so each contents gets its own.
    import zlib

    name = f"{base}-{zlib.crc32(seen.encode()):08x}{ending}"
    folder = tempfile.mkdtemp(prefix="fusedb-spark-")
    try:
        target = os.path.join(folder, name)
        if os.path.isdir(source):
            os.mkdir(target)
            for part in _parts(source):
                _link(os.path.join(source, part), os.path.join(target, part))
        else:
            _link(source, target)
        if identity(target) != seen:
            raise RuntimeError(f"{source} was replaced while it was being distributed; call distribute() again")
        # Of a local master this is a copy, too.
        spark.sparkContext.addFile(target, recursive=os.path.isdir(target))
    finally:
        import atexit

        # Workers of a cluster fetch it from the driver later.
        atexit.register(shutil.rmtree, folder, True)
    return Distributed((name, seen, source))


def _parts(folder: str) -> list[str]:
    import json

    with open(os.path.join(folder, MANIFEST), "rb") as file:
        return [MANIFEST, *(shard["name"] for shard in json.load(file)["shards"])]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _field(name: str, asked: Any) -> tuple[Field, Any]:
    """What is asked of the file for a column, and its type in Spark."""
    from pyspark.sql import types

    path, kind = asked if isinstance(asked, tuple) else (name, asked)
    word = kind.simpleString() if isinstance(kind, types.DataType) else str(kind).strip().lower()
    word = _OTHER_NAMES.get(word, word)
    if word in ("json", "messagepack"):
        arrow = "string" if word == "json" else "binary"
        return Field(name, path, word, arrow), types.StringType() if word == "json" else types.BinaryType()
    if word not in _TYPES:
        known = ", ".join([*_TYPES, "json", "messagepack"])
        raise ValueError(f"the field {name!r} is to have the type {word!r}; there are {known}. Ask for 'json', and from_json makes the rest")
    simple = {"boolean": types.BooleanType, "tinyint": types.ByteType, "smallint": types.ShortType, "int": types.IntegerType,
              "bigint": types.LongType, "float": types.FloatType, "double": types.DoubleType, "string": types.StringType,
              "binary": types.BinaryType, "timestamp": types.TimestampType}[word]  # fmt: skip
    assert word in ARROW_TYPES
    return Field(name, path, _TYPES[word], word), simple()


def _plan(path: Any, fields: Fields, match: str, found: str | None, pinned: bool) -> tuple[Plan, Any]:
    _need_pyspark()
    from pyspark.sql import types

    if match not in ("exact", "network", "domain", "email", "prefix"):
        raise ValueError(f"match is {match!r}; it may be 'exact', 'network', 'domain', 'email' or 'prefix'")
    if isinstance(fields, (str, bytes)) or not isinstance(fields, Mapping):
        raise TypeError('fields must be a dict of names and types, as {"org": "string"}')
    both = [_field(name, asked) for name, asked in fields.items()]
    made = [types.StructField(field.name, kind) for field, kind in both]
    if found is not None:
        made.insert(0, types.StructField(found, types.BooleanType(), False))
    is_added = isinstance(path, Distributed)
    if is_added:
        name, seen = path[0], path[1]
    else:
        name = os.path.abspath(os.fspath(path))
        seen = identity(name) if pinned else None
    names = [field.name for field in made]
    if len(set(names)) != len(names):
        raise ValueError(f"two of the columns have one name: {', '.join(names)}")
    return Plan(name, is_added, seen, tuple(field for field, _ in both), match, found), types.StructType(made)


#: What a worker says that runs another Python.
_ELSEWHERE = (
    "fusedb_swift is not installed where Spark's workers run Python ({}): set PYSPARK_PYTHON to the Python that has it before the session is "
    "made, as os.environ['PYSPARK_PYTHON'] = sys.executable on one machine, or ship the environment with spark.archives"
)


def lookup(
    df: Any, path: Any, on: str, fields: Fields, match: Questions = "exact", *, found: str | None = None, pinned: bool = True
) -> Any:
    """The rows of a data frame, with columns of what a file or a set has under the key in the column `on`; null where it has nothing.

    `fields` is a dict of names and types, or of names and pairs of a path and a type: `{"org": "string", "city": ("geo.city", "string")}`.
    `found` names a column that tells which keys are there. The path is one that all workers have, or what `distribute` returned. Each
    worker opens it once. Unless `pinned` is False, a task fails where it finds another generation than the driver did.

    No shuffle; a row goes to Python and back once, with all of its columns: select what is needed before.
    """
    plan, added = _plan(path, fields, match, found, pinned)
    from pyspark.sql import types

    if on not in df.columns:
        raise ValueError(f"there is no column {on!r}; there are {', '.join(df.columns)}")
    place = df.columns.index(on)
    if not isinstance(df.schema.fields[place].dataType, (types.StringType, types.BinaryType)):
        kind = df.schema.fields[place].dataType.simpleString()
        raise ValueError(f"keys are strings or binaries, and the column {on!r} is of type {kind}; cast it, as F.col({on!r}).cast('string')")
    taken = [field.name for field in added.fields if field.name.lower() in {name.lower() for name in df.columns}]
    if taken:
        raise ValueError(f"the rows have a column {taken[0]!r} already; name another, as {{'new': ({taken[0]!r}, 'string')}}")
    sent, elsewhere = plan.sent(), _ELSEWHERE

    # Sent by value, so that it can say that the package is missing.
    def look_up(batches: Any) -> Any:
        try:
            from fusedb_swift import _spark_worker
        except ImportError:
            import sys

            raise ImportError(elsewhere.format(sys.executable)) from None
        return _spark_worker.add_columns(_spark_worker.Plan.received(sent), place, batches)

    return df.mapInArrow(look_up, types.StructType(df.schema.fields + added.fields))


def lookup_column(path: Any, fields: Fields, match: Questions = "exact", *, found: str | None = None, pinned: bool = True) -> Any:
    """The same as an Arrow UDF of a column of keys, which gives a struct: `df.withColumn("geo", geo("ip"))`. Only the keys go to Python,
    which is the better way where rows are wide; the arguments are those of `lookup`."""
    plan, made = _plan(path, fields, match, found, pinned)
    import pyarrow
    from pyspark.sql import functions

    sent, elsewhere = plan.sent(), _ELSEWHERE

    def look_up(arrays: Any) -> Any:
        try:
            from fusedb_swift import _spark_worker
        except ImportError:
            import sys

            raise ImportError(elsewhere.format(sys.executable)) from None
        return _spark_worker.structs(_spark_worker.Plan.received(sent), arrays)

    # By which PySpark knows what kind of function it is.
    look_up.__annotations__ = {"arrays": Iterator[pyarrow.Array], "return": Iterator[pyarrow.Array]}
    return functions.arrow_udf(look_up, made)


def place(df: Any, key: str, shards: int) -> Any:
    """The rows, each in the partition of its shard: what a write does with whole shards, and without a piece to put together."""
    from pyspark.sql import functions

    if not 1 <= shards <= 65536:
        raise ValueError(f"a set has 1 to 65,536 shards, and not {shards}")
    hashed = functions.xxhash64(functions.col(key).cast("binary"))
    return df.repartitionById(shards, functions.pmod(hashed, functions.lit(shards)).cast("int"))


def __getattr__(name: str) -> Any:
    # Needs PySpark, which looking at this module does not.
    if name == "FuseDataSource":
        _need_pyspark()
        from ._spark_source import FuseDataSource

        return FuseDataSource
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")



#!/usr/bin/env python3
"""Measures look-ups from Spark beside Spark's own joins, a loop over fusedb 0.3.0, and scanning alone, in one run, and prints a table.

    build/spark/venv/bin/python Benchmarks/spark.py FOLDER [ROWS,ROWS [KEYS,KEYS]]

FOLDER gets the files. Rows go to Spark's sink `noop`, so nothing is measured but reading them and what is asked. Each case runs twice to
be warm, then in turns with the others; a row of the table is the median. Processor time is that of the JVM and of its Python workers.
"""

import os
import platform
import shutil
import statistics
import sys
import time

import pyspark
from pyspark.sql import functions as F
from pyspark.sql import types

import fusedb_swift
from fusedb_swift import spark as fuse

ROUNDS = 3
#: From so many keys on they are a set, and no broadcast is tried.
MANY_KEYS = 5_000_000
SHARDS = 16
FIELDS = {"org": "string", "asn": "int", "country": "string"}
DDL = "org string, asn int, country string"
TICKS = os.sysconf("SC_CLK_TCK")


def keys_frame(spark, count):
    number = F.col("id") * 7919 % 50_000
    return spark.range(0, count, 1, 8).select(
        F.concat(F.lit("host-"), F.lpad(F.col("id").cast("string"), 8, "0"), F.lit(".example.com")).alias("key"),
        F.concat(F.lit("Organisation "), number).alias("org"), number.cast("int").alias("asn"),
        F.element_at(F.array(*map(F.lit, ("US", "DE", "FR", "JP"))), (number % 4 + 1).cast("int")).alias("country"))  # fmt: skip


def rows_frame(spark, count, keys):
    """Of eleven rows, ten have a key that is there."""
    number = F.pmod(F.xxhash64(F.col("id")), F.lit(keys * 11 // 10))
    return spark.range(0, count, 1, 8).select(
        F.concat(F.lit("host-"), F.lpad(number.cast("string"), 8, "0"), F.lit(".example.com")).alias("host"), F.col("id").alias("moment"),
        F.concat(F.lit("/page/"), F.col("id") % 1000).alias("path"), F.pmod(F.xxhash64(F.col("id") + 1), F.lit(100_000)).alias("bytes"))  # fmt: skip


def made(path, make):
    if not os.path.exists(path):
        make(path + ".new")
        os.rename(path + ".new", path)
    return path


def one_file(path, count):
    writer = fusedb_swift.FuseWriter(shared=True)
    objects = [writer.add_object({"org": f"Organisation {n}", "asn": n, "country": ("US", "DE", "FR", "JP")[n % 4]}) for n in range(50_000)]
    for number in range(count):
        writer.add_key(f"host-{number:08}.example.com", objects[number * 7919 % 50_000])
    writer.build(path)


def processor():
    """Seconds of the processors: of the JVM, and of Python below it."""
    parents, names, spent = {}, {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                head, _, rest = file.read().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        parents[int(name)], names[int(name)] = int(fields[1]), head.partition("(")[2]
        spent[int(name)] = sum(map(int, fields[11:15])) / TICKS
    totals = {True: 0.0, False: 0.0}
    for one in spent:
        above = one
        while above > 1 and above != os.getpid():
            above = parents.get(above, 0)
        if above == os.getpid() and one != os.getpid():
            totals[names[one] == "java"] += spent[one]
    return totals[True], totals[False]


def loop_over_030(path, fields):
    """What a program with fusedb 0.3.0 does: one call for each row."""

    def run(batches):
        import fusedb
        import pyarrow

        reader = fusedb.FuseReader(path)
        for batch in batches:
            objects = [reader.get(key) or {} for key in batch.column(0).to_pylist()]
            kinds = [pyarrow.int32() if kind == "int" else pyarrow.string() for kind in fields.values()]
            columns = [pyarrow.array([one.get(name) for one in objects], kind) for name, kind in zip(fields, kinds)]
            yield pyarrow.RecordBatch.from_arrays(batch.columns + columns, names=batch.schema.names + list(fields))

    return run


def function_over_030(path):
    """The usual form: a function of Spark, called with a key."""
    readers = []

    def run(key):
        import fusedb

        if not readers:
            readers.append(fusedb.FuseReader(path))
        found = readers[0].get(key)
        return None if found is None else (found["org"], found["asn"], found["country"])

    return F.udf(run, DDL)


def passing(batches):
    yield from batches


def cases(spark, folder, rows, keys):
    """(name, what to do)"""
    table = spark.read.parquet(made(f"{folder}/keys-{keys}.parquet", lambda path: keys_frame(spark, keys).write.parquet(path)))
    events = spark.read.parquet(made(f"{folder}/rows-{rows}-{keys}.parquet", lambda path: rows_frame(spark, rows, keys).write.parquet(path)))
    many = keys >= MANY_KEYS
    if many:
        path = made(
            f"{folder}/keys-{keys}-set",
            lambda path: fuse.place(table, "key", SHARDS).write.format("fusedb").mode("overwrite").option("shards", SHARDS).save(path),
        )
    else:
        path = made(f"{folder}/keys-{keys}.fsdb", lambda path: one_file(path, keys))
    column = fuse.lookup_column(path, FIELDS)
    added = types.StructType(events.schema.fields + types._parse_datatype_string(DDL).fields)
    yield "scanning alone", lambda: events
    yield "to Python and back", lambda: events.mapInArrow(passing, events.schema)
    yield "`lookup`", lambda: fuse.lookup(events, path, "host", FIELDS)
    yield "`lookup_column`", lambda: events.withColumn("geo", column("host")).select("*", "geo.*").drop("geo")
    if not many:
        yield "broadcast join", lambda: events.join(F.broadcast(table), events["host"] == table["key"], "left").drop("key")
    yield "shuffle join", lambda: events.join(table.hint("merge"), events["host"] == table["key"], "left").drop("key")
    if not many:
        yield "a loop over fusedb 0.3.0 in each batch", lambda: events.mapInArrow(loop_over_030(path, FIELDS), added)
        function = function_over_030(path)
        yield "a Python function over fusedb 0.3.0", lambda: events.withColumn("geo", function("host")).select("*", "geo.*").drop("geo")


def run(frame):
    frame.write.format("noop").mode("overwrite").save()


def measure(spark, folder, rows, keys):
    times, spent = {}, {}
    chosen = list(cases(spark, folder, rows, keys))
    # What takes part in a comparison gives the same.
    answers = {name: frame().agg(F.count("org"), F.sum("asn"), F.sum(F.length("country"))).first() for name, frame in chosen[2:]}
    if len(set(answers.values())) != 1:
        sys.exit(f"the answers differ: {answers}")
    for number in range(2 + ROUNDS):
        for name, frame in chosen:
            before, start = processor(), time.perf_counter()
            run(frame())
            taken, after = time.perf_counter() - start, processor()
            if number >= 2:
                times.setdefault(name, []).append(taken)
                spent.setdefault(name, []).append((after[0] - before[0], after[1] - before[1]))
    print(f"\n### {rows:,} rows, {keys:,} keys{f' in {SHARDS} shards' if keys >= MANY_KEYS else ''}\n")
    print("| | s | million rows/s | JVM, µs a row | Python, µs a row |\n|---|---:|---:|---:|---:|")
    medians = {name: statistics.median(some) for name, some in times.items()}
    for name, median in medians.items():
        java, python = (statistics.median(part) / rows * 1e6 for part in zip(*spent[name]))
        print(f"| {name} | {median:.2f} | {rows / median / 1e6:.2f} | {java:.2f} | {python:.2f} |")
    peers = ("broadcast join", "shuffle join", "a loop over fusedb 0.3.0 in each batch", "a Python function over fusedb 0.3.0")
    print("\n`lookup` has, to the rows/s of each: "
          + "; ".join(f"{name} {medians[name] / medians['`lookup`']:.2f}" for name in peers if name in medians) + ".")
    sys.stdout.flush()


def one_machine(folder, rows, keys):
    """DuckDB and Polars, by the recipes of the page Spark, beside their own joins; tables and rows are read in each case."""
    import duckdb
    import polars
    import pyarrow

    database = fusedb_swift.FuseReader(f"{folder}/keys-{keys}.fsdb", verify="reading")
    fields = {"org": ("org", "string"), "asn": ("asn", "int64"), "country": ("country", "string")}
    kind = polars.Struct({"org": polars.String, "asn": polars.Int64, "country": polars.String})
    events, table = f"{folder}/rows-{rows}-{keys}.parquet/*.parquet", f"{folder}/keys-{keys}.parquet/*.parquet"
    connection = duckdb.connect()
    connection.create_function(
        "geo", lambda hosts: pyarrow.table(database.lookup_arrow(hosts, fields, found=False)).to_struct_array(), ["VARCHAR"],
        "STRUCT(org VARCHAR, asn BIGINT, country VARCHAR)", type="arrow", null_handling="special",
    )  # fmt: skip

    def asked(hosts):
        return polars.DataFrame(database.lookup_arrow(hosts.rechunk(), fields, found=False)).to_struct()

    counted = "count(org), sum(asn), sum(bytes)"
    chosen = {
        "DuckDB, a function": lambda: connection.sql(
            f"SELECT count(geo.org), sum(geo.asn), sum(bytes) FROM (SELECT bytes, geo(host) AS geo FROM '{events}')").fetchone(),
        "DuckDB, its join": lambda: connection.sql(f"SELECT {counted} FROM '{events}' AS e LEFT JOIN '{table}' AS t ON e.host = t.key").fetchone(),
        "Polars, `map_batches`": lambda: polars.scan_parquet(events).with_columns(
            polars.col("host").map_batches(asked, return_dtype=kind).alias("geo")).unnest("geo").select(
                polars.col("org").count(), polars.col("asn").cast(polars.Int64).sum(), polars.col("bytes").sum()).collect().row(0),
        "Polars, its join": lambda: polars.scan_parquet(events).join(polars.scan_parquet(table), left_on="host", right_on="key", how="left").select(
            polars.col("org").count(), polars.col("asn").cast(polars.Int64).sum(), polars.col("bytes").sum()).collect().row(0),
    }  # fmt: skip
    print(f"\n### On one machine: {rows:,} rows, {keys:,} keys\n\n| | s | processor time, µs a row |\n|---|---:|---:|")
    answers = set()
    for name, call in chosen.items():
        answers.add(tuple(map(int, call())))
        taken, spent = [], []
        for _ in range(ROUNDS):
            start, before = time.perf_counter(), time.process_time()
            call()
            taken.append(time.perf_counter() - start)
            spent.append(time.process_time() - before)
        print(f"| {name} | {statistics.median(taken):.2f} | {statistics.median(spent) / rows * 1e6:.2f} |")
    if len(answers) != 1:
        sys.exit(f"the answers differ: {answers}")


def main():
    folder = os.path.abspath(sys.argv[1])
    rows, keys = ([int(part) for part in (sys.argv[place] if len(sys.argv) > place else usual).split(",")]
                  for place, usual in ((2, "2000000,20000000"), (3, "1000000,20000000")))  # fmt: skip
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.endswith(".new"):
            shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
    memory = os.environ.get("SPARK_MEMORY", "6g")
    spark = fuse.session("local[2]", "bench-spark", {
        "spark.driver.memory": memory, "spark.sql.shuffle.partitions": "8", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR",
        "spark.local.dir": folder,
    })  # fmt: skip
    print("# Look-ups from Spark\n")
    print(
        f"`make bench-spark`: PySpark {pyspark.__version__}, local[2], {memory} for the JVM; Python {platform.python_version()}; "
        f"load at the start {os.getloadavg()[0]:.1f}. Rows have four columns, and get three."
    )
    for one in keys:
        for some in rows:
            measure(spark, folder, some, one)
    spark.stop()
    one_machine(folder, rows[0], keys[0])


if __name__ == "__main__":
    main()

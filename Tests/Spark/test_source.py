"""Sets that Spark writes: whole or not at all, byte by byte those of one machine, and read again."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import build
from pyspark.sql import functions as F

import fusedb_swift as f
from fusedb_swift import spark as fuse

COUNT = 4


def frame(spark, count=2000, shift=0):
    return spark.range(0, count, 1, 3).select(
        F.concat(F.lit("key "), F.col("id")).alias("key"), (F.col("id") + shift).cast("int").alias("n"),
        F.when(F.col("id") % 3 > 0, F.concat(F.lit("org "), F.col("id") % 20)).alias("org"), (F.col("id") / 4).alias("f"),
        F.struct((F.col("id") % 5).alias("a"), F.array(F.col("id") % 2 == 0).alias("list")).alias("deep"))  # fmt: skip


def values(count=2000, shift=0):
    """The same, by hand."""
    return {
        f"key {n}": {"n": n + shift, **({"org": f"org {n % 20}"} if n % 3 else {}), "f": n / 4, "deep": {"a": n % 5, "list": [n % 2 == 0]}}
        for n in range(count)
    }


def write(rows, path="set", mode="overwrite", shards=COUNT, **options):
    writer = rows.write.format("fusedb").mode(mode).option("shards", shards)
    for name, value in options.items():
        writer = writer.option(name, value)
    # Spark is in another folder.
    writer.save(os.path.abspath(path))


def manifest(path="set"):
    with open(f"{path}/fusedb-set.json") as file:
        return json.load(file)


def shards(path="set"):
    """What is in each shard, by its number."""
    return {name[:19]: open(f"{path}/{name}", "rb").read() for name in (shard["name"] for shard in manifest(path)["shards"])}


def strays(path="set"):
    """What the manifest does not name."""
    known = {"fusedb-set.json", "fusedb-set.lock", *(shard["name"] for shard in manifest(path)["shards"]), *manifest(path).get("former", [])}
    return sorted(set(os.listdir(path)) - known)


def answers(path="set"):
    return dict(f.FuseReader(path, verify="reading").scan())


def made_here(entries, path="here", **options):
    """The shards that one machine makes of the same rows."""
    f.split_set(build(entries, "whole.fsdb", shared=True, order="key"), path, shards=COUNT, **options)
    return shards(path)


@pytest.mark.parametrize("options", [{}, {"form": "compact"}, {"memory": "16M"}])
def test_shards_are_those_of_one_machine(spark, options):
    write(fuse.place(frame(spark), "key", COUNT), **options)
    assert answers() == values() and strays() == [] and manifest()["generation"] == 1
    assert shards() == made_here(values(), **{name: value for name, value in options.items() if name == "form"})


def test_the_command_builds_the_same(spark):
    command = os.environ.get("FUSEDB")
    if not command:
        pytest.fail("FUSEDB does not name the command; make test-spark does")
    frame(spark).coalesce(1).write.json(os.path.abspath("rows"))
    write(fuse.place(frame(spark), "key", COUNT))
    name = next(name for name in os.listdir("rows") if name.endswith(".json"))
    subprocess.run([command, "build", "-q", "--shards", str(COUNT), "-o", "built", f"rows/{name}", "--key", "key"], check=True)
    assert shards() == shards("built")


def test_rows_that_were_not_placed_give_the_same_shards(spark):
    write(frame(spark).repartition(3))
    assert shards() == made_here(values()) and strays() == []
    # Not that many rows: some tasks have none, and some shards no key.
    write(frame(spark, 2).repartition(5), "small", shards=7)
    assert answers("small") == values(2) and len(manifest("small")["shards"]) == 7 and strays("small") == []


def test_overwriting_is_a_generation_and_appending_is_refused(spark):
    write(fuse.place(frame(spark), "key", COUNT), mode="append")
    with pytest.raises(Exception, match="a set is built as a whole"):
        write(frame(spark), mode="append")
    reader = f.ReloadableFuseReader("set", verify="reading")
    # Rows as they were give shards as they were.
    before = sorted(os.listdir("set"))
    write(fuse.place(frame(spark), "key", COUNT))
    assert sorted(os.listdir("set")) == before and manifest()["generation"] == 2
    write(fuse.place(frame(spark, shift=1), "key", COUNT))
    assert reader.get("key 7")["n"] == 7 and answers() == values(shift=1) and manifest()["generation"] == 3
    assert reader.reload() and reader.get("key 7")["n"] == 8
    assert strays() == []


def killing_siblings(batches):
    """Kills all other workers once, among them the one that writes."""
    for batch in batches:
        yield batch
    try:
        os.close(os.open("killed", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    for name in os.listdir("/proc"):
        try:
            parent = int(open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[1]) if name.isdigit() else 0
        except OSError:
            continue
        if parent == os.getppid() and int(name) != os.getpid():
            os.kill(int(name), signal.SIGKILL)


def in_here(function):
    """The function, run where this test is."""
    folder, body = os.getcwd(), function

    def run(batches):
        os.chdir(folder)
        yield from body(batches)

    return run


def test_a_task_that_is_killed_is_tried_again(spark):
    placed = fuse.place(frame(spark), "key", COUNT)
    write(placed.mapInArrow(in_here(killing_siblings), placed.schema))
    assert os.path.exists("killed")
    assert answers() == values() and shards() == made_here(values())
    write(fuse.place(frame(spark, shift=1), "key", COUNT))
    assert answers() == values(shift=1) and strays() == []


def failing(batches):
    for number, batch in enumerate(batches):
        yield batch
    # Others have written theirs by now.
    import time

    from pyspark import TaskContext

    if TaskContext.get().partitionId() == 3:
        time.sleep(0.5)
        raise ValueError("this task fails")


@pytest.mark.parametrize("is_placed", [True, False])
def test_an_aborted_job_changes_nothing(spark, is_placed):
    write(fuse.place(frame(spark), "key", COUNT))
    before = shards()
    rows = fuse.place(frame(spark, shift=1), "key", COUNT) if is_placed else frame(spark, shift=1).repartition(COUNT)
    with pytest.raises(Exception, match="this task fails"):
        write(rows.mapInArrow(failing, rows.schema))
    assert shards() == before and answers() == values() and manifest()["generation"] == 1
    # A straggler may still have written; the next commit leaves nothing of it.
    open("set/part-00001-of-00004-0123456789abcdef.fsdb", "wb").close()
    open("set/.part-00001-of-00004.77.tmp", "wb").close()
    open("set/.part-piece-77-0.tmp", "wb").close()
    write(fuse.place(frame(spark, shift=2), "key", COUNT))
    assert answers() == values(shift=2) and strays() == []


def waiting(batches):
    from pyspark import TaskContext

    # The other job needs a processor, too.
    if TaskContext.get().partitionId() == 0:
        open("works", "w").close()
        while not os.path.exists("goes on"):
            time.sleep(0.02)
    yield from batches


@pytest.mark.parametrize("is_placed", [True, False])
def test_of_two_jobs_one_publishes(spark, is_placed):
    write(fuse.place(frame(spark), "key", COUNT))
    rows = frame(spark, shift=1)
    placed = fuse.place(rows, "key", COUNT) if is_placed else rows.coalesce(1)
    slow = placed.mapInArrow(in_here(waiting), rows.schema)
    raised = []

    def job():
        # Spark knows a session by the thread.
        spark._jvm.org.apache.spark.sql.classic.SparkSession.setActiveSession(spark._jsparkSession)
        try:
            write(slow)
        except Exception as error:
            raised.append(str(error))

    thread = threading.Thread(target=job)
    thread.start()
    while not os.path.exists("works") and thread.is_alive():
        time.sleep(0.02)
    write(fuse.place(frame(spark, shift=2), "key", COUNT))
    open("goes on", "w").close()
    thread.join()
    assert len(raised) == 1 and "published" in raised[0], raised
    assert answers() == values(shift=2) and manifest()["generation"] == 2
    with pytest.raises(Exception, match="is at generation 2, and not at 1"):
        write(rows, after=1)
    write(fuse.place(frame(spark, shift=3), "key", COUNT), after=2)
    assert answers() == values(shift=3) and strays() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_driver_that_is_killed_at_the_commit(spark, moment):
    from pyspark.sql import types

    from fusedb_swift import _spark_write

    write(fuse.place(frame(spark), "key", COUNT))
    schema = types.StructType([types.StructField("key", types.StringType()), types.StructField("n", types.LongType())])
    import pyarrow

    batch = pyarrow.record_batch({"key": [f"key {n}" for n in range(50)], "n": list(range(50))})
    writer = _spark_write.FuseDataWriter(os.path.abspath("set"), schema, True, {"shards": str(COUNT)})
    child = os.fork()
    if child == 0:
        publish = _spark_write.library.publish_set

        class Library:
            def __getattr__(self, name):
                return getattr(f._fusedb, name)

            def publish_set(self, *arguments, **named):
                if moment == "after":
                    publish(*arguments, **named)
                os.kill(os.getpid(), signal.SIGKILL)

        _spark_write.library = Library()
        shard_batches = {}
        for number in range(batch.num_rows):
            shard_batches.setdefault(f.shard_of(batch.column(0)[number].as_py(), COUNT), []).append(number)
        messages = []
        for number, places in shard_batches.items():
            made = writer._writer(1)
            for place in places:
                made.add(batch.column(0)[place].as_py(), {"n": place})
            messages.append(_spark_write.Built([made.build_shard(writer.path, number, COUNT)], None, len(places)))
        writer.commit(messages)
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert answers() == ({f"key {n}": {"n": n} for n in range(50)} if moment == "after" else values())
    write(fuse.place(frame(spark, shift=1), "key", COUNT))
    assert answers() == values(shift=1) and strays() == []


def test_rows_are_read_with_their_filters_pushed(spark):
    write(fuse.place(frame(spark), "key", COUNT))
    plain = {key: value["n"] for key, value in values().items()}
    rows = spark.read.format("fusedb").schema("key string, n int, org string").load(os.path.abspath("set"))
    assert rows.rdd.getNumPartitions() == COUNT
    assert {row["key"]: row["n"] for row in rows.collect()} == plain
    for condition, holds in [
        ("key = 'key 7'", lambda key: key == "key 7"),
        ("key in ('key 8', 'nowhere', 'key 9')", lambda key: key in ("key 8", "key 9")),
        ("key like 'key 19%'", lambda key: key.startswith("key 19")),
        ("key like 'key 19%' and key > 'key 195'", lambda key: key.startswith("key 19") and key > "key 195"),
        ("key >= 'key 5' and key < 'key 6'", lambda key: "key 5" <= key < "key 6"),
        ("key > 'key 5' and key <= 'key 6'", lambda key: "key 5" < key <= "key 6"),
        ("key = 'key 7' and key = 'key 8'", lambda key: False),
        ("key like 'key 1%' and key like 'key 2%'", lambda key: False),
        ("key != 'key 7' and n < 9", lambda key: key != "key 7" and plain[key] < 9),
        ("key like 'key 1%' and key in ('key 1', 'key 2')", lambda key: key == "key 1"),
    ]:
        found = rows.where(condition)
        assert {row["key"]: row["n"] for row in found.collect()} == {key: n for key, n in plain.items() if holds(key)}, condition
    # What is asked for by keys needs no walk through the shards.
    assert rows.where("key = 'key 7'").rdd.getNumPartitions() == 1
    whole = spark.read.format("fusedb").load(os.path.abspath("set")).where("key = 'key 4'").first()
    assert json.loads(whole["value"]) == values()["key 4"]
    assert spark.read.format("fusedb").option("prefix", "key 19").load(os.path.abspath("set")).count() == 111


def test_a_file_is_read_and_a_set_is_asked(spark):
    build({"a": {"n": 1}, b"\xff": {"n": 2}}, "one.fsdb")
    rows = spark.read.format("fusedb").schema("k binary, n long").option("key", "k").load(os.path.abspath("one.fsdb"))
    assert sorted((bytes(row["k"]), row["n"]) for row in rows.collect()) == [(b"a", 1), (b"\xff", 2)]
    with pytest.raises(Exception, match="give the column 'key' the type binary"):
        spark.read.format("fusedb").load(os.path.abspath("one.fsdb")).collect()
    write(fuse.place(frame(spark), "key", COUNT))
    keys = frame(spark, 3000).select("key")
    for path in ("set", fuse.distribute(spark, "set")):
        found = fuse.lookup(keys, path, "key", {"n": "int"})
        assert {row["key"]: row["n"] for row in found.collect()} == {f"key {n}": n if n < 2000 else None for n in range(3000)}


@pytest.mark.parametrize(
    "options, said",
    [
        ({"shards": 0}, "how many shards"),
        ({"key": "id"}, "no column 'id' for the key"),
        ({"key": "n"}, "keys are strings or binaries"),
        ({"shard": 3}, "has no option 'shard'"),
        ({"memory": "much"}, "the option memory is 'much'"),
        ({"duplicates": "some"}, "some"),
    ],
)
def test_slips_are_told_before_any_task_runs(spark, options, said):
    with pytest.raises(Exception, match=said):
        write(frame(spark), **{"shards": 4, **options})
    assert not os.path.exists("set")


def test_rows_without_a_key_or_with_it_twice_are_refused(spark):
    twice = frame(spark, 10).union(frame(spark, 10, shift=1))
    for rows, said in ((frame(spark, 10).withColumn("key", F.when(F.col("n") < 9, F.col("key"))), r"row \d+ has no key: the column .key. is null"), (twice, "key 0|key")):
        with pytest.raises(Exception, match=said):
            write(fuse.place(rows, "key", COUNT))
        assert not os.path.exists("set/fusedb-set.json")
    write(fuse.place(twice, "key", COUNT), duplicates="last")
    assert set(answers()) == set(values(10))


def test_types_without_a_place_are_refused(spark):
    with pytest.raises(Exception, match="for which a file has none; cast it"):
        write(spark.sql("select 'a' as key, date'2020-01-01' as day"))


def test_what_is_imported_needs_no_spark():
    script = "import sys; import fusedb_swift.spark; assert 'pyspark' not in sys.modules and 'pyarrow' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)

"""Look-ups from Spark answer what a join does, and say what is wrong."""

import os
import sys

import pytest
from conftest import build
from pyspark.sql import functions as F

import fusedb_swift as f
from fusedb_swift import spark as fuse

ENTRIES = {f"key {n}": {"n": n, "org": f"org {n % 50}", "deep": {"f": n / 4}, "mixed": n if n % 2 else "x"} for n in range(3000)}
FIELDS = {"n": "int", "org": "string", "f": ("deep.f", "double"), "all": (None, "json")}


def events(spark, keys):
    return spark.createDataFrame([(number, key) for number, key in enumerate(keys)], "number int, key string").repartition(3)


def rows(frame):
    return sorted(tuple(row) for row in frame.collect())


def failure(call):
    """What a call raised, as text."""
    with pytest.raises(Exception) as caught:
        call()
    return str(caught.value)


def test_answers_are_those_of_a_join(spark):
    path = build(ENTRIES)
    keys = [None, "nowhere", ""] + [f"key {n * 7 % 4000}" for n in range(5000)]
    asked = events(spark, keys)
    known = spark.createDataFrame([(key, value["n"], value["org"], value["deep"]["f"]) for key, value in ENTRIES.items()],
                                  "key string, n int, org string, f double")  # fmt: skip
    expected = rows(asked.join(known, "key", "left").select("number", "key", "n", "org", "f").fillna(-1))
    answers = fuse.lookup(asked, path, "key", FIELDS)
    assert [field.simpleString() for field in answers.schema][2:] == ["n:int", "org:string", "f:double", "all:string"]
    assert rows(answers.select("number", "key", "n", "org", "f").fillna(-1)) == expected
    geo = fuse.lookup_column(path, FIELDS)
    assert rows(asked.withColumn("geo", geo("key")).select("number", "key", "geo.n", "geo.org", "geo.f").fillna(-1)) == expected
    assert answers.where("key = 'key 7'").first()["all"] == '{"n":7,"org":"org 7","deep":{"f":1.75},"mixed":7}'


def test_every_type_has_its_column(spark):
    value = {"yes": True, "small": 7, "big": 1 << 40, "half": 0.5, "name": "ä", "raw": b"\0\xff", "when": f.Timestamp(1, 123_456_789), "list": [1]}
    path = build({"a": value})
    fields = {"yes": "boolean", "tiny": ("small", "tinyint"), "small": "smallint", "big": "bigint", "half": "float", "name": "string",
              "raw": "binary", "when": "timestamp", "list": "json", "packed": ("list", "messagepack")}  # fmt: skip
    answer = fuse.lookup(events(spark, ["a"]), path, "key", fields, found="there").select("*", F.unix_micros("when").alias("micros")).first()
    assert answer["there"] and answer["yes"] and (answer["tiny"], answer["small"], answer["big"], answer["half"]) == (7, 7, 1 << 40, 0.5)
    assert (answer["name"], bytes(answer["raw"]), answer["list"], bytes(answer["packed"])) == ("ä", b"\0\xff", "[1]", b"\x91\x01")
    assert answer["micros"] == 1_123_456
    assert fuse.lookup(events(spark, ["a"]), path, "key", {"big": "json"}).schema["big"].dataType.simpleString() == "string"


def test_networks_and_domains(spark):
    networks = build({"10.0.0.0/8": {"name": "all"}, "10.1.0.0/16": {"name": "office"}, "2001:db8::/32": {"name": "six"}}, "n.fsdb")
    asked = events(spark, ["10.1.2.3", "10.9.9.9", "2001:db8::1", "11.0.0.1", "no address", None])
    answers = fuse.lookup(asked, networks, "key", {"name": "string"}, "network", found="there")
    assert [row[2:] for row in rows(answers)] == [(True, "office"), (True, "all"), (True, "six"), (False, None), (False, None), (False, None)]
    domains = build({".example.com": {"name": "below"}, "example.com": {"name": "itself"}}, "d.fsdb")
    geo = fuse.lookup_column(domains, {"name": "string"}, "domain")
    asked = events(spark, ["www.example.com", "example.com", "example.org", ""])
    assert [row[2] for row in rows(asked.select("number", "key", geo("key")["name"]))] == ["below", "itself", None, None]


def test_columns_may_be_binary_and_named_otherwise(spark):
    path = build({b"\xff\0": {"n": 1}})
    asked = spark.createDataFrame([(bytearray(b"\xff\0"),), (bytearray(b"\xff"),)], "k binary")
    assert sorted(row["n"] or 0 for row in fuse.lookup(asked, path, "k", {"n": "int"}).collect()) == [0, 1]


def test_a_broken_object_fails_the_task_with_key_and_file(spark):
    path = build({f"key {n}": {"name": f"name {n}"} for n in range(100)})
    damaged = bytearray(open(path, "rb").read())
    place = damaged.index(b"name 42")
    damaged[place] ^= 1
    open("damaged.fsdb", "wb").write(damaged)
    answers = fuse.lookup(events(spark, [f"key {n}" for n in range(100)]), "damaged.fsdb", "key", {"name": "string"})
    said = failure(answers.collect)
    assert "damaged.fsdb" in said and "key 42" in said and "FuseCorruptError" in said
    # The others answer.
    assert fuse.lookup(events(spark, ["key 41"]), "damaged.fsdb", "key", {"name": "string"}).first()["name"] == "name 41"


def test_a_file_that_was_replaced_is_noticed(spark):
    path = build({"a": {"n": 1}})
    asked = events(spark, ["a"])
    answers, others = fuse.lookup(asked, path, "key", {"n": "int"}), fuse.lookup(asked, path, "key", {"n": "int"}, pinned=False)
    assert answers.first()["n"] == 1
    build({"a": {"n": 2}, "b": {"n": 3}}, "new.fsdb")
    os.replace("new.fsdb", path)
    fresh = fuse.lookup(asked, path, "key", {"n": "int"})
    assert fresh.first()["n"] == 2 and others.first()["n"] == 2
    assert "is another one than the driver saw" in failure(answers.collect)


def test_a_distributed_file_is_kept_as_it_was(spark):
    path = build({"a": {"n": 1}})
    sent = fuse.distribute(spark, path)
    os.remove(path)
    build({"a": {"n": 2}}, path)
    again = fuse.distribute(spark, path)
    os.remove(path)
    asked = events(spark, ["a"])
    assert fuse.lookup(asked, sent, "key", {"n": "int"}).first()["n"] == 1
    assert fuse.lookup(asked, again, "key", {"n": "int"}).first()["n"] == 2


def test_each_worker_opens_once(spark):
    path = build(ENTRIES)
    with open("opens.py", "w") as file:
        file.write("opens = []\n")

    def count(batches):
        import pyarrow

        from fusedb_swift import _spark_worker as worker

        for batch in batches:
            yield pyarrow.record_batch({"pid": [os.getpid()], "readers": [sum(key[0].endswith("a.fsdb") for key in worker._readers)]})

    asked = events(spark, list(ENTRIES)).repartition(16)
    assert fuse.lookup(asked, path, "key", {"n": "int"}).count() == len(ENTRIES)
    seen = spark.range(0, 100, 1, 8).mapInArrow(count, "pid long, readers long").collect()
    assert {row["readers"] for row in seen} <= {0, 1, 2, 3, 4, 5, 6, 7} and any(row["readers"] for row in seen)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("nothing", {"n": "int"}), "there is no column 'nothing'; there are number, key"),
        (("number", {"n": "int"}), "the column 'number' is of type int; cast it"),
        (("key", {"key": "int"}), "the rows have a column 'key' already; name another"),
        (("key", {"n": "decimal(3,1)"}), "there are boolean, tinyint"),
        (("key", ["n"]), 'as {"org": "string"}'),
        (("key", {"n": "int"}, "nearest"), "it may be 'exact', 'network'"),
    ],
)
def test_slips_are_told_at_once(spark, arguments, said):
    assert said in failure(lambda: fuse.lookup(events(spark, ["a"]), build({"a": 1}), *arguments))


def test_a_missing_file_names_the_way_to_send_it(spark):
    path = build({"a": {"n": 1}})
    answers = fuse.lookup(events(spark, ["a"]), path, "key", {"n": "int"}, pinned=False)
    os.remove(path)
    assert "send it with fusedb_swift.spark.distribute" in failure(answers.collect)
    with pytest.raises(FileNotFoundError):
        fuse.lookup(events(spark, ["a"]), path, "key", {"n": "int"})


def test_workers_without_the_package_say_what_to_set():
    import pickle

    from pyspark import cloudpickle

    frame = type("Frame", (), {"columns": ["key"], "mapInArrow": lambda self, function, schema: function})()
    from pyspark.sql import types

    frame.schema = types.StructType([types.StructField("key", types.StringType())])
    text = cloudpickle.dumps(fuse.lookup(frame, build({"a": 1}), "key", {"n": "int"}))
    script = (
        "import sys; sys.modules['fusedb_swift'] = None; sys.path.insert(0, sys.argv[1]); import pickle\n"
        "try: list(pickle.loads(sys.stdin.buffer.read())([]))\n"
        "except ImportError as error: print(error)\n"
    )
    import subprocess

    said = subprocess.run([sys.executable, "-c", script, os.getcwd()], input=text, capture_output=True).stdout.decode()
    assert "set PYSPARK_PYTHON to the Python that has it" in said and "bin/python" in said
    assert pickle.loads(text)


@pytest.mark.parametrize(
    "text, said",
    [
        ("java.net.BindException: Cannot assign requested address: Service 'sparkDriver' failed", "Set spark.driver.bindAddress"),
        ("java.net.UnknownHostException: vm: vm: Name or service not known", "Set spark.driver.bindAddress"),
        ("[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number.", "install 17 or later"),
        ("something else", "something else"),
    ],
)
def test_sessions_that_do_not_begin_say_what_to_set(monkeypatch, text, said):
    from pyspark.sql import SparkSession

    def fail(self):
        raise RuntimeError(text)

    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", fail)
    assert said in failure(lambda: fuse.session("local[1]"))


def test_pandas_3_is_told(spark, monkeypatch):
    import importlib.metadata

    path = build({"a": {"n": 1}})
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "3.0.1")
    with pytest.warns(UserWarning, match=r"pip install 'pandas<3'"):
        assert fuse.lookup(events(spark, ["a"]), path, "key", {"n": "int"}).first()["n"] == 1


def test_an_older_pyspark_is_told(monkeypatch):
    import pyspark

    monkeypatch.setattr(pyspark, "__version__", "4.0.1")
    assert "pip install 'pyspark>=4.1'" in failure(lambda: fuse.session("local[1]"))

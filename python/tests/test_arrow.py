"""lookup_arrow with the packages that people have, and with arrays that break Arrow's rules."""

import gc
import random
import threading

import duckdb
import polars
import pyarrow
import pytest
from conftest import build, opened, raised, resident

import fusedb_swift as f

ENTRIES = {f"key {number}": {"n": number, "name": f"name {number}", "deep": {"f": number / 4}, "mixed": number if number % 2 else "x"}
           for number in range(500)}  # fmt: skip
KINDS = [pyarrow.string(), pyarrow.large_string(), pyarrow.binary(), pyarrow.large_binary(), pyarrow.string_view()]


def rows(columns):
    return pyarrow.table(columns).to_pylist()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_columns_say_what_single_look_ups_do(kind):
    reader = opened(f, ENTRIES)
    generator = random.Random(7)
    keys = [generator.choice([None, "nowhere", *ENTRIES]) for _ in range(1000)]
    array = pyarrow.array(keys).cast(kind)
    for part, expected in ((array, keys), (array.slice(300, 200), keys[300:500]), (array.slice(0, 0), [])):
        columns = reader.lookup_arrow(part, {"n": "n", "f": "deep.f", "name": ("name", "string")})
        objects = [reader.get(key, {}) if key else {} for key in expected]
        assert rows(columns) == [
            {"found": bool(value), "n": value.get("n"), "f": value.get("deep", {}).get("f"), "name": value.get("name")} for value in objects
        ] or not expected
        assert len(columns) == len(expected) and columns.found_count == sum(map(bool, objects))


def test_columns_are_taken_by_others():
    reader = opened(f, ENTRIES)
    keys = ["key 1", "nowhere", "key 3"]
    columns = reader.lookup_arrow(polars.Series(keys), ["n", "name"])
    frame = polars.DataFrame(columns)
    assert frame["n"].to_list() == [1, None, 3] and frame["found"].to_list() == [True, False, True]
    assert duckdb.sql("select sum(n) from columns").fetchall() == [(4,)]
    assert pyarrow.record_batch(columns)["name"].to_pylist() == ["name 1", None, "name 3"]
    assert len(reader.lookup_arrow(pyarrow.chunked_array([keys]), ["n"])) == 3


def test_several_arrays_need_types():
    reader = opened(f, ENTRIES)
    keys = pyarrow.chunked_array([["key 1"], ["key 2", "x"], []])
    with pytest.raises(ValueError, match="name the types"):
        reader.lookup_arrow(keys, ["n"])
    columns = reader.lookup_arrow(keys, {"n": ("n", "int64")}, found=False)
    assert rows(columns) == [{"n": 1}, {"n": 2}, {"n": None}]
    with pytest.raises(ValueError, match="as a stream"):
        pyarrow.record_batch(columns)
    empty = reader.lookup_arrow(pyarrow.chunked_array([], pyarrow.string()), ["n"])
    assert len(empty) == 0 and rows(empty) == []


def test_columns_outlive_everything_and_are_taken_many_times():
    reader = opened(f, ENTRIES)
    columns = reader.lookup_arrow(pyarrow.array(list(ENTRIES)), ["n", "name"])
    tables = [pyarrow.table(columns) for _ in range(5)]
    part = pyarrow.record_batch(columns).column(1)
    del reader, columns
    gc.collect()
    threads = [threading.Thread(target=tables.pop) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert part.to_pylist() == list(range(500))


def test_values_of_other_types_are_nulls_or_errors():
    reader = opened(f, ENTRIES)
    keys = pyarrow.array(["key 1", "key 2"])
    columns = reader.lookup_arrow(keys, {"mixed": ("mixed", "int64")})
    assert [row["mixed"] for row in rows(columns)] == [1, None] and columns.other_count == 1
    with pytest.raises(f.FuseValueError):
        reader.lookup_arrow(keys, {"mixed": ("mixed", "int64")}, strict=True)
    assert rows(reader.lookup_arrow(keys, {"all": (None, "json")}, found=False))[0]["all"].startswith("{")


def test_other_keys_and_fields_are_exceptions():
    reader = opened(f, ENTRIES)
    keys = pyarrow.array(["key 1"])
    for array in (["key 1"], "key 1", None, 5, polars.DataFrame({"a": ["x"]}), pyarrow.array([1, 2]), pyarrow.array(["a"]).dictionary_encode()):
        assert isinstance(raised(lambda: reader.lookup_arrow(array, ["n"])), (TypeError, ValueError))
    for fields in ("n", b"n", 5, [5], {"n": 5}, {5: "n"}, {"n": ("n", "other")}, {"n": ("n",)}, {"n": ()}, ["a\0b"]):
        assert isinstance(raised(lambda: reader.lookup_arrow(keys, fields)), (TypeError, ValueError)), fields
    # Whoever takes a column by its name could not tell which.
    for fields in (["n", "n"], ["found"], {"found": "n"}, {"n": "n", "found": ("name", "string")}):
        assert isinstance(raised(lambda: reader.lookup_arrow(keys, fields)), ValueError), fields
    assert rows(reader.lookup_arrow(keys, {"found": "n", "again": "n"}, found=False)) == [{"found": 1, "again": 1}]

    class Odd:
        def __init__(self, result):
            self.result = result

        def __arrow_c_array__(self):
            return self.result

    class Stream(Odd):
        __arrow_c_array__ = property()

        def __arrow_c_stream__(self):
            return self.result

    schema, array = keys.__arrow_c_array__()
    for result in (None, (), (1, 2), (array, schema), (schema,), schema):
        assert isinstance(raised(lambda: reader.lookup_arrow(Odd(result), ["n"])), (TypeError, ValueError)), result
    for result in (None, array, 5):
        assert isinstance(raised(lambda: reader.lookup_arrow(Stream(result), ["n"])), (TypeError, ValueError)), result


def test_columns_keep_no_memory():
    reader = opened(f, ENTRIES)
    keys = pyarrow.array(list(ENTRIES))
    chunks = pyarrow.chunked_array([["key 1"]])

    def use():
        columns = reader.lookup_arrow(keys, ["n", "name"])
        pyarrow.table(columns), pyarrow.record_batch(columns)
        reader.lookup_arrow(chunks, ["n"])
        raised(lambda: reader.lookup_arrow([], ["n"]))

    for _ in range(300):
        use()
    gc.collect()
    before = resident()
    for _ in range(1000):
        use()
    gc.collect()
    assert resident() - before < 4 << 20


def test_what_covers_a_question():
    networks = opened(f, {"10.0.0.0/8": {"n": 1}, "10.1.0.0/16": {"n": 2}, "2001:db8::/32": {"n": 3}}, "networks.fsdb")
    questions = [None, "no address", "10.1.2.3", "", "10.9.9.9", "11.0.0.1", "2001:db8::1", "10.0.0.0/8", *["10.1.0.1", "x"] * 700]
    columns = networks.lookup_arrow(pyarrow.array(questions), {"n": ("n", "int64")}, match="network")
    assert [row["n"] for row in rows(columns)] == [None, None, 2, None, 1, None, 3, None, *[2, None] * 700]
    assert columns.found_count == 703
    names = opened(f, {".example.com": {"n": 1}, "example.com": {"n": 2}, "+49": {"n": 3}, "+4930": {"n": 4}}, "names.fsdb")
    for match, asked, expected in [
        ("domain", ["www.example.com", "example.com", None, "example.org"], [1, 2, None, None]),
        ("email", ["a@www.example.com", "b@example.com", None, "c@example.org"], [1, 2, None, None]),
        ("prefix", ["+49 40", "+493012", None, "+48"], [3, 4, None, None]),
    ]:
        assert [row["n"] for row in rows(names.lookup_arrow(pyarrow.array(asked), {"n": ("n", "int64")}, match=match))] == expected, match
    with pytest.raises(ValueError, match="exact"):
        names.lookup_arrow(pyarrow.array(["a"]), ["n"], match="nearest")


def test_small_offsets_are_arrows_usual_types():
    reader = opened(f, ENTRIES)
    keys = pyarrow.array(["key 1", None, "key 3"])
    fields = {"name": ("name", "string"), "json": (None, "json"), "raw": ("name", "messagepack"), "n": ("n", "int64")}
    small, large = (pyarrow.table(reader.lookup_arrow(keys, fields, large=large)) for large in (False, True))
    assert [str(kind) for kind in small.schema.types] == ["bool", "string", "string", "binary", "int64"]
    assert small.to_pylist() == large.to_pylist() and small.to_pylist()[2]["name"] == "name 3"
    small.validate(full=True)


def test_damage_is_reported_with_the_key():
    reader = opened(f, ENTRIES)
    data = bytearray(open(reader.path, "rb").read())
    data[data.index(b"name 342")] ^= 1
    open("damaged.fsdb", "wb").write(data)
    damaged = f.FuseReader("damaged.fsdb", verify="reading")
    with pytest.raises(f.FuseCorruptError, match='the key "key 342"') as caught:
        damaged.lookup_arrow(pyarrow.array(list(ENTRIES)), ["n"])
    assert caught.value.path.endswith("damaged.fsdb") and caught.value.offset


def test_damaged_networks_are_reported_with_the_address():
    entries = {f"10.{number}.0.0/16": {"name": f"block {number}"} for number in range(200)}
    data = bytearray(open(build(f, entries, "networks.fsdb"), "rb").read())
    data[data.index(b"block 142")] ^= 1
    open("damaged.fsdb", "wb").write(data)
    damaged = f.FuseReader("damaged.fsdb", verify="reading")
    questions = [question for number in range(200) for question in (f"10.{number}.1.1", "none", None)]
    with pytest.raises(f.FuseCorruptError, match='the key "10.142.1.1"'):
        damaged.lookup_arrow(pyarrow.array(questions), ["name"], match="network")

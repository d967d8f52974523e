"""FuseWriter.add_arrow: rows of Arrow data give the file that the same rows give as dicts; arrays that break Arrow's rules are refused."""

import ctypes
import datetime
import gc
import random

import duckdb
import polars
import pyarrow
import pytest
from conftest import raised, resident

import fusedb_swift as f
from fusedb_swift._values import Timestamp

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def without_nulls(value):
    """Members that are null are left out, of dicts inside, too; what is null in a list or under a key of a map stays."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        # A map comes as pairs.
        if value and all(isinstance(part, tuple) for part in value):
            return {name: without_nulls(part) for name, part in value}
        return [without_nulls(part) for part in value]
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        micros = (value - EPOCH) // datetime.timedelta(microseconds=1)
        return Timestamp(micros // 1_000_000, micros % 1_000_000 * 1000)
    return value


def files(rows, key="key", **options):
    """The bytes of a file of rows by columns, and of one of the same rows as dicts."""
    columns, dicts = f.FuseWriter(order="key", shared=True), f.FuseWriter(order="key", shared=True)
    assert columns.add_arrow(rows, key, **options) == len(rows)
    for row in pyarrow.table(rows).to_pylist():
        dicts.add(row.pop(key), without_nulls(row))
    columns.build("columns.fsdb"), dicts.build("dicts.fsdb")
    return [open(name, "rb").read() for name in ("columns.fsdb", "dicts.fsdb")]


def numbers(kind, low, high):
    values = [None, 0, 1, -1, 31, 127, 128, -32, -33, 255, 256, 2**16 - 1, 2**16, -129, 2**31 - 1, 2**31, 2**32, -(2**31), low, high]
    return pyarrow.array([value for value in values if value is None or low <= value <= high], kind)


WORDS = [None, "", "x", "twelve bytes", "more than twelve", "é" * 40, "y" * 300, "z" * 70_000]
MOMENTS = [None, *(EPOCH + datetime.timedelta(seconds=s, microseconds=u) for s, u in [(0, 0), (0, 1), (2**32, 0), (2**32 - 1, 0), (2**34 - 1, 7), (-1, 999_999), (2**35, 5)])]
CASES = {
    "int8": numbers(pyarrow.int8(), -(2**7), 2**7 - 1), "uint8": numbers(pyarrow.uint8(), 0, 2**8 - 1),
    "int16": numbers(pyarrow.int16(), -(2**15), 2**15 - 1), "uint16": numbers(pyarrow.uint16(), 0, 2**16 - 1),
    "int32": numbers(pyarrow.int32(), -(2**31), 2**31 - 1), "uint32": numbers(pyarrow.uint32(), 0, 2**32 - 1),
    "int64": numbers(pyarrow.int64(), -(2**63), 2**63 - 1), "uint64": numbers(pyarrow.uint64(), 0, 2**64 - 1),
    "null": pyarrow.nulls(9), "bool": pyarrow.array([True, False, None] * 9),
    "float": pyarrow.array([0.5, None, -1e30, float("inf")], pyarrow.float32()), "double": pyarrow.array([0.1, None, -0.0, 1e300]),
    "string": pyarrow.array(WORDS), "large string": pyarrow.array(WORDS, pyarrow.large_string()), "string view": pyarrow.array(WORDS, pyarrow.string_view()),
    "binary": pyarrow.array([None, b"", b"\xff" * 5, bytes(300)]), "large binary": pyarrow.array([None, b"\xff"], pyarrow.large_binary()),
    "binary view": pyarrow.array([None, b"", b"\xff" * 50], pyarrow.binary_view()), "fixed binary": pyarrow.array([b"abcd", None, b"efgh"], pyarrow.binary(4)),
    "dictionary": pyarrow.array(["a", None, "b", "a", "c"]).dictionary_encode(),
    "dictionary with nulls": pyarrow.DictionaryArray.from_arrays(pyarrow.array([1, 0, None, 2], pyarrow.uint8()), pyarrow.array(["x", None, "z"])),
    **{f"timestamp {unit}": pyarrow.array(MOMENTS, pyarrow.timestamp("us", tz="UTC")).cast(pyarrow.timestamp(unit, tz="UTC"), safe=False) for unit in ("s", "ms", "us")},
    "timestamp without a zone": pyarrow.array([datetime.datetime(2026, 1, 2, 3, 4, 5, 6), None]),
    "list": pyarrow.array([[1, None, 3], [], None, list(range(20))]), "large list": pyarrow.array([["a"], None, ["b", None]], pyarrow.large_list(pyarrow.string())),
    "fixed list": pyarrow.array([[1, 2], None, [3, None]], pyarrow.list_(pyarrow.int32(), 2)),
    "struct": pyarrow.array([{"a": 1, "b": "x"}, None, {"a": None, "b": None}, {"a": 2, "b": None}]),
    "map": pyarrow.array([[("a", 1), ("b", None)], None, [("c", 3)]], pyarrow.map_(pyarrow.string(), pyarrow.int32())),
    "deep": pyarrow.array([{"l": [{"m": [1.5, None], "t": MOMENTS[2]}, None]}, None, {"l": None}]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rows_are_what_the_same_dicts_are(name):
    values = CASES[name]
    table = pyarrow.table({"value": values, "key": [f"key {number}" for number in range(len(values))], "last": list(range(len(values)))})
    for part in (table, table.slice(1), table.slice(2, 1), pyarrow.concat_tables([table.slice(3), table.slice(0, 3)]), table.slice(0, 0)):
        ours, theirs = files(part)
        assert ours == theirs, name
    batch = table.to_batches()[0].slice(1)
    ours, theirs = files(batch)
    assert ours == theirs


def test_nanoseconds_of_moments():
    moments = [0, 1, -1, 10**18 + 5, -(10**18) - 5]
    writer = f.FuseWriter()
    writer.add_arrow(pyarrow.table({"k": list("abcde"), "t": pyarrow.array(moments, pyarrow.timestamp("ns"))}), "k")
    writer.build("a.fsdb")
    reader = f.FuseReader("a.fsdb")
    assert [(reader[k]["t"].seconds, reader[k]["t"].nanoseconds) for k in "abcde"] == [divmod(moment, 10**9) for moment in moments]


@pytest.mark.parametrize("kind", ["string", "large_string", "binary", "large_binary", "string_view", "binary_view", "dictionary"])
def test_keys_of_each_kind(kind):
    keys = pyarrow.array(["a", "a key that is longer than twelve", ""])
    keys = keys.dictionary_encode() if kind == "dictionary" else keys.cast(getattr(pyarrow, kind)())
    writer = f.FuseWriter()
    assert writer.add_arrow(pyarrow.table({"k": keys}), "k") == 3 and repr(writer) == "FuseWriter(objects=3, keys=3)"
    writer.build("a.fsdb")
    assert dict(f.FuseReader("a.fsdb").items()) == {"a": {}, "a key that is longer than twelve": {}, "": {}}


def test_frames_of_other_packages():
    frame = polars.DataFrame({"ip": ["8.8.8.8", "9.9.9.9"], "org": ["Google", None], "parts": [[1, 2], []]})
    relation = duckdb.sql("select * from (values ('8.8.8.8', 'Google', [1, 2]), ('9.9.9.9', null, [])) t(ip, org, parts)")
    for rows in (frame, relation):
        writer = f.FuseWriter()
        assert writer.add_arrow(rows, "ip") == 2
        writer.build("a.fsdb")
        assert dict(f.FuseReader("a.fsdb").items()) == {"8.8.8.8": {"org": "Google", "parts": [1, 2]}, "9.9.9.9": {"parts": []}}


def test_rows_of_one_shard_and_of_the_others():
    table = pyarrow.table({"k": [f"key {number}" for number in range(1000)], "n": list(range(1000))})
    own = {key for key in table["k"].to_pylist() if f.shard_of(key, 5) == 3}
    assert 0 < len(own) < 1000
    for others, expected in ((False, own), (True, set(table["k"].to_pylist()) - own)):
        writer = f.FuseWriter()
        assert writer.add_arrow(table, "k", shard=(3, 5), others=others) == len(expected)
        writer.build("a.fsdb")
        assert set(f.FuseReader("a.fsdb").keys()) == expected


def test_what_cannot_be_added_says_why():
    def said(rows, key="k", **options):
        error = raised(lambda: f.FuseWriter().add_arrow(rows, key, **options))
        assert isinstance(error, (TypeError, ValueError)), error
        return str(error)

    table = pyarrow.table({"k": ["a", None], "n": [1, 2]})
    assert said(table) == "row 1 has no key: the column 'k' is null there; leave such rows out before"
    assert said(pyarrow.concat_tables([table.slice(0, 1), table])).startswith("row 2 has no key")
    assert said(table, "other") == "the rows have no column 'other' for the keys"
    assert "keys are text or bytes, and the column 'n' has another type" in said(table, "n")
    assert "two columns have the name 'x'" in said(pyarrow.Table.from_arrays([table["k"], table["n"], table["n"]], ["k", "x", "x"]))
    assert "rows must be a table" in said(table["k"].combine_chunks()) and "rows must be Arrow data" in said([{"k": "a"}])
    assert "name of the column" in said(table, 5) and "no shard 5 of 5" in said(table, shard=(5, 5)) and "others=True needs a shard" in said(table, others=True)
    long = pyarrow.table({"k": ["x" * 65_536]})
    assert "65536 bytes" in said(long)
    day, one = datetime.date(2026, 1, 2), pyarrow.array([1])
    for values, name in (
        (pyarrow.array([day]), "dates"), (one.cast(pyarrow.decimal128(20)), "decimals"), (one.cast(pyarrow.duration("s")), "durations"),
        (pyarrow.array([datetime.time(1)]), "times of day"), (pyarrow.array([1.0]).cast(pyarrow.float16()), "half-precision numbers"),
        (pyarrow.array([[day]]), "dates"), (pyarrow.array([{"d": day}]), "dates"),
        (pyarrow.UnionArray.from_dense(pyarrow.array([0], pyarrow.int8()), pyarrow.array([0], pyarrow.int32()), [one]), "unions"),
        (pyarrow.RunEndEncodedArray.from_arrays([1], [1]), "runs"),
    ):  # fmt: skip
        assert f"has {name} (" in said(pyarrow.table({"k": ["a"], "v": values})), name
    assert "maps whose keys are no text" in said(pyarrow.table({"k": ["a"], "v": pyarrow.array([[(1, 2)]], pyarrow.map_(pyarrow.int32(), pyarrow.int32()))}))


def test_rows_before_a_refused_one_are_there():
    writer = f.FuseWriter()
    assert raised(lambda: writer.add_arrow(pyarrow.table({"k": ["a", "b", None, "c"]}), "k"))
    writer.build("a.fsdb")
    assert list(f.FuseReader("a.fsdb")) == ["a", "b"]


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


Schema._fields_ = [("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p), ("flags", ctypes.c_int64), ("n_children", ctypes.c_int64),
                   ("children", ctypes.POINTER(ctypes.POINTER(Schema))), ("dictionary", ctypes.POINTER(Schema)), ("release", ctypes.c_void_p), ("private", ctypes.c_void_p)]  # fmt: skip
Array._fields_ = [("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64),
                  ("buffers", ctypes.POINTER(ctypes.c_void_p)), ("children", ctypes.POINTER(ctypes.POINTER(Array))), ("dictionary", ctypes.POINTER(Array)), ("release", ctypes.c_void_p),
                  ("private", ctypes.c_void_p)]  # fmt: skip


class Exported:
    """A record batch, whose array is changed before anybody takes it."""

    def __init__(self, batch, change):
        self.schema, self.array = batch.__arrow_c_array__()
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        change(Schema.from_address(pointer(self.schema, b"arrow_schema")), Array.from_address(pointer(self.array, b"arrow_array")))

    def __arrow_c_array__(self, requested_schema=None):
        return self.schema, self.array


def numbers_at(array, place, kind, count):
    return (kind * count).from_address(array.children[place].contents.buffers[1])


def test_arrays_that_break_the_rules_are_refused():
    def batch():
        return pyarrow.record_batch({"k": ["a", "b", "c"], "s": ["x", "y", "longer than twelve"], "v": pyarrow.array(["x", "y", "longer than twelve"], pyarrow.string_view()),
                                     "l": [[1], [2], [3]], "d": pyarrow.array(["p", "q", "p"]).dictionary_encode(), "t": [{"a": 1}] * 3})  # fmt: skip

    def change_of(field, value, child=None):
        def change(schema, array):
            target = array if child is None else array.children[child].contents
            before = getattr(target, field)
            setattr(target, field, value)
            undo.append(lambda: setattr(target, field, before))

        return change

    def number_of(place, kind, count, which, value):
        def change(schema, array):
            numbers_at(array, place, kind, count)[which] = value

        return change

    def no_buffer(schema, array):
        buffers = array.children[1].contents.buffers
        before = buffers[1]
        buffers[1] = None
        undo.append(lambda: buffers.__setitem__(1, before))

    int32 = ctypes.c_int32
    for change in (
        change_of("length", -1), change_of("offset", -1), change_of("length", 2**62), change_of("length", 4), change_of("n_children", 5), change_of("n_buffers", 0),
        change_of("n_buffers", 2, 1), change_of("n_buffers", 1, 2), change_of("length", 2, 3), change_of("offset", -5, 1), change_of("length", 2, 5),
        number_of(0, int32, 4, 0, -1), number_of(0, int32, 4, 1, 3), number_of(1, int32, 4, 2, -7), number_of(3, int32, 4, 3, 9), number_of(3, int32, 4, 1, 2**31 - 1),
        number_of(2, int32, 12, 8, -1), number_of(2, int32, 12, 8, 2**31 - 1), number_of(2, int32, 12, 10, 9), number_of(2, int32, 12, 11, 2**30), number_of(4, int32, 3, 1, 2),
        number_of(4, int32, 3, 0, -1), no_buffer,
    ):  # fmt: skip
        undo = []
        exported = Exported(batch(), change)
        error = raised(lambda: f.FuseWriter().add_arrow(exported, "k"))
        for back in undo:
            back()
        assert isinstance(error, ValueError) and "break Arrow's rules" in str(error), (change, error)


def test_rows_keep_no_memory():
    table = pyarrow.table({"k": [f"key {number}" for number in range(100)], "n": list(range(100)), "deep": [{"l": [1, 2]}] * 100})
    broken = pyarrow.table({"k": ["a", None], "v": ["x" * 5000, "y"]})

    def use():
        f.FuseWriter().add_arrow(table, "k")
        raised(lambda: f.FuseWriter().add_arrow(broken, "k"))
        raised(lambda: f.FuseWriter().add_arrow(pyarrow.table({"k": ["a"], "v": [datetime.date(2026, 1, 2)]}), "k"))

    for _ in range(300):
        use()
    gc.collect()
    before = resident()
    for _ in range(1000):
        use()
    gc.collect()
    assert resident() - before < 4 << 20


def test_random_tables():
    source = random.Random(11)

    def value(kind):
        if source.random() < 0.2:
            return None
        if kind == 0:
            return source.randrange(-(2**40), 2**40)
        if kind == 1:
            return "".join(source.choices("aé€𝄞", k=source.randrange(40)))
        if kind == 2:
            return [value(0) for _ in range(source.randrange(20))]
        return {"i": value(0), "s": value(1), "l": value(2)}

    for _ in range(40):
        count = source.randrange(1, 60)
        columns = {f"c{number}": [value(number % 4) for _ in range(count)] for number in range(source.randrange(1, 20))}
        table = pyarrow.table({"key": [f"{source.random()}" for _ in range(count)], **columns})
        start = source.randrange(count)
        ours, theirs = files(table.slice(start))
        assert ours == theirs

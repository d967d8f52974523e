"""The behaviours of fusedb 0.3.0, row by row: keys, values, lists, readers. `both`: the two agree. The other tests are
the differences that docs/python.md lists, and show both sides."""

import copy
import os
import pickle
import weakref

import fusedb
import msgpack
import pytest
from conftest import both, build, build_raw, opened, raised

import fusedb_swift


# ---- the surface ----


@both
def test_everything_of_the_surface_is_there(package):
    for name in fusedb.__all__:
        assert name in package.__all__ and hasattr(package, name)


@both
def test_arguments_can_be_named_as_in_0_3_0(package):
    writer = package.FuseWriter()
    number = writer.add_object(data={"a": 1})
    assert writer.add_key(key="k", obj_id=number) is None
    assert writer.add(key="l", data=2) == 1
    assert writer.build(path="a.fsdb") is None
    reader = package.FuseReader(path="a.fsdb", verify=True)
    assert reader.get(key="k") == {"a": 1}
    assert reader.exists(key="l") is True
    assert reader.prefix(prefix="k") == [("k", {"a": 1})]
    assert package.FuseReader("a.fsdb", False).get("l") == 2
    reloadable = package.ReloadableFuseReader("a.fsdb", True)
    assert (reloadable.get("k"), reloadable.exists("x"), reloadable.keys()) == ({"a": 1}, False, ["k", "l"])
    pool = package.FusePool("a.fsdb", 2, True)
    assert (pool.get("k"), pool.exists("k"), pool.prefix("l")) == ({"a": 1}, True, [("l", 2)])
    watcher = package.FuseWatcher("a.fsdb", 30.0, None, True)
    assert (watcher.get("k"), watcher.exists("k"), watcher.prefix("l")) == ({"a": 1}, True, [("l", 2)])
    assert package.merge("a.fsdb", output="b.fsdb") is None
    with pytest.raises(TypeError):
        package.merge("a.fsdb", "b.fsdb")


@both
def test_representations(package):
    writer = package.FuseWriter()
    assert repr(writer) == "FuseWriter(objects=0, keys=0)"
    number = writer.add_object(1)
    writer.add_key("a", number)
    writer.add_key("b", number)
    assert repr(writer) == "FuseWriter(objects=1, keys=2)"
    os.mkdir("folder")
    writer.build("folder/name.fsdb")
    assert repr(package.FuseReader("folder/name.fsdb")) == "FuseReader('name.fsdb', keys=2, objects=1)"
    assert repr(package.ReloadableFuseReader("folder/name.fsdb")) == "ReloadableFuseReader('name.fsdb', keys=2)"
    assert repr(package.FusePool("folder/name.fsdb", size=3)) == "FusePool('name.fsdb', size=3)"


# ---- keys ----

KINDS = ["x", b"x", bytearray(b"x"), memoryview(b"x")]


@both
@pytest.mark.parametrize("key", KINDS, ids=lambda key: type(key).__name__)
def test_keys_are_text_and_bytes(package, key):
    reader = opened(package, {"x": 1})
    assert reader.get(key) == 1 and reader.exists(key) and reader.prefix(key) == [("x", 1)]
    assert opened(package, {bytes(key) if isinstance(key, bytearray | memoryview) else key: 2}, "b.fsdb").get("x") == 2
    writer = package.FuseWriter()
    writer.add(key, 3)
    writer.build("c.fsdb")
    assert package.FuseReader("c.fsdb").get("x") == 3


@both
@pytest.mark.parametrize("key", [1, None, 1.5, ("x",), object(), "\ud800"], ids=lambda key: type(key).__name__)
def test_other_keys_are_refused(package, key):
    reader, writer = opened(package, {"x": 1}), package.FuseWriter()
    for call in (reader.get, reader.exists, reader.prefix, lambda key: writer.add(key, 1)):
        with pytest.raises(ValueError, match="^key must be str or bytes$"):
            call(key)


@both
def test_the_empty_key_is_a_key(package):
    reader = opened(package, {"": 1, "a": 2})
    assert reader.get("") == 1 and reader.exists("") and reader.prefix("") == [("", 1), ("a", 2)]


@both
def test_keys_have_at_most_65535_bytes(package):
    longest = "x" * 65_535
    reader = opened(package, {longest: 1})
    assert reader.get(longest) == 1
    assert reader.get(longest + "x") is None and reader.prefix(longest + "x") == []
    with pytest.raises(ValueError, match="^FuseError: key is 65536 bytes, format maximum is 65535$"):
        package.FuseWriter().add(longest + "x", 1)


@both
def test_of_a_key_that_is_added_twice_the_last_object_counts(package):
    writer = package.FuseWriter()
    writer.add("k", 1)
    writer.add("k", 2)
    assert repr(writer) == "FuseWriter(objects=2, keys=1)"
    writer.build("a.fsdb")
    reader = package.FuseReader("a.fsdb")
    assert reader.items() == [("k", 2)] and reader.objects() == [2]
    assert reader.stats()["num_objects"] == 2


@both
def test_equal_objects_have_two_numbers_and_are_stored_twice(package):
    writer = package.FuseWriter()
    data = {"text": "x" * 200}
    assert [writer.add_object(data), writer.add_object(data), writer.add("k", data)] == [0, 1, 2]
    many, aliases = package.FuseWriter(), package.FuseWriter()
    number = aliases.add_object(data)
    for place in range(10_000):
        many.add(f"k{place}", data)
        aliases.add_key(f"k{place}", number)
    many.build("many.fsdb")
    aliases.build("aliases.fsdb")
    assert package.FuseReader("many.fsdb").stats()["num_objects"] == 10_000
    assert package.FuseReader("aliases.fsdb").stats()["num_objects"] == 1
    assert os.path.getsize("many.fsdb") > 5 * os.path.getsize("aliases.fsdb")


@both
def test_unknown_numbers_are_refused(package):
    writer = package.FuseWriter()
    writer.add_object(1)
    for number in (99, 2**64 - 1, True):
        with pytest.raises(ValueError, match=f"^FuseError: obj_id {int(number)} out of range \\(have 1 objects\\)$"):
            writer.add_key("k", number)
    for number in (-1, 2**64):
        with pytest.raises(OverflowError):
            writer.add_key("k", number)
    for number in ("0", None, 0.0):
        with pytest.raises(TypeError, match="object cannot be interpreted as an integer"):
            writer.add_key("k", number)
    writer.add_object(2)
    writer.add_key("k", True)
    writer.build("a.fsdb")
    assert package.FuseReader("a.fsdb").get("k") == 2


# ---- values ----


class Dict(dict):
    pass


class Text(str):
    pass


VALUES = [
    None, True, False, 0, 127, 128, 2**32, 2**64 - 1, -1, -33, -(2**63), 1.5, float("inf"), "", "é" * 40, b"", b"x" * 300,
    [], [1, [2, [3]]], (1, 2), {}, {"a": {"b": [None]}}, Dict(a=1), Text("t"), bytearray(b"b"), memoryview(b"m"),
    msgpack.Timestamp(1, 2), msgpack.Timestamp(2**40, 0), msgpack.ExtType(5, b"data"), {b"bytes": 1}, {"x" * 40: 1, "y": 2},
    {str(number): number for number in range(20)}, list(range(70_000)), "x" * 70_000,
]  # fmt: skip


@both
def test_values_come_back_as_msgpack_has_them(package):
    reader = opened(package, {str(place): value for place, value in enumerate(VALUES)})
    for place, value in enumerate(VALUES):
        expected = msgpack.unpackb(msgpack.packb(value, use_bin_type=True), raw=False, strict_map_key=False)
        found = reader.get(str(place))
        assert found == expected and type(found) is type(expected)


def test_values_have_the_same_bytes():
    for value in VALUES:
        assert fusedb_swift._fusedb._pack(value) == msgpack.packb(value, use_bin_type=True)


@both
@pytest.mark.parametrize("value", [{1, 2}, object(), 1j, range(3), {"a": [frozenset()]}], ids=lambda value: type(value).__name__)
def test_what_cannot_be_stored_is_a_type_error(package, value):
    assert str(raised(lambda: package.FuseWriter().add_object(value))) == str(raised(lambda: msgpack.packb(value)))
    with pytest.raises(TypeError, match="can not serialize"):
        package.FuseWriter().add_object(value)


@both
def test_numbers_out_of_range_overflow(package):
    for value in (2**64, -(2**63) - 1, [2**70]):
        with pytest.raises(OverflowError, match="Integer value out of range"):
            package.FuseWriter().add_object(value)


@both
def test_lone_surrogates_are_no_text(package):
    with pytest.raises(UnicodeEncodeError):
        package.FuseWriter().add_object("\ud800")


@both
def test_values_may_be_nested_1024_levels_deep(package):
    assert build_raw(package, "k", b"\x91" * 1024 + b"\x01").get("k") is not None
    with pytest.raises(ValueError):
        build_raw(package, "k", b"\x91" * 1025 + b"\x01").get("k")


def test_keys_of_maps_may_be_anything_that_is_hashable():
    value = {1: 2, None: 3, 1.5: 4, True: 5}
    with pytest.raises(ValueError, match="strict_map_key"):
        opened(fusedb, {"k": value, "l": 1}).get("k")
    with pytest.raises(ValueError):
        fusedb.FuseReader("a.fsdb").items()
    assert opened(fusedb_swift, {"k": value, "l": 1}).items() == [("k", value), ("l", 1)]
    reader = build_raw(fusedb_swift, "k", b"\x81\x91\x01\x02")
    with pytest.raises(fusedb_swift.FuseCorruptError):
        reader.get("k")


@both
def test_of_a_duplicate_map_key_the_last_one_counts(package):
    assert build_raw(package, "k", b"\x82\xa1a\x01\xa1a\x02").get("k") == {"a": 2}


@both
def test_a_stored_none_is_told_from_an_absent_key_by_exists(package):
    reader = opened(package, {"k": None})
    assert reader.get("k") is None and reader.get("x") is None
    assert reader.exists("k") and not reader.exists("x")


@pytest.mark.parametrize("data", [b"\xc1", b"\x01\x02", b"\x92\x01", b"\xa1\xff", b"\x91" * 1025 + b"\x01", b"\xd4\xff\x01"], ids=repr)
def test_bytes_that_are_no_messagepack_are_corrupt(data):
    assert isinstance(raised(lambda: build_raw(fusedb, "k", data).get("k")), ValueError)
    reader = build_raw(fusedb_swift, "k", data)
    for call in (lambda: reader.get("k"), reader.items, reader.objects, lambda: reader.prefix("k"), lambda: reader["k"],
                 lambda: reader.get_many(["k"]), lambda: list(reader.scan())):  # fmt: skip
        error = raised(call)
        assert isinstance(error, fusedb_swift.FuseCorruptError) and isinstance(error, ValueError)
    assert reader.exists("k") and bytes(reader.get_raw("k")) == data


# ---- lists ----

ORDER = ["\uffff", "😀", "", "a", "B", "é", "ab"]


@both
def test_lists_are_in_the_order_of_the_bytes(package):
    reader = opened(package, {key: key for key in ORDER})
    expected = sorted(ORDER, key=lambda key: key.encode())
    assert reader.keys() == expected
    assert reader.items() == [(key, key) for key in expected]
    assert reader.prefix("a") == [("a", "a"), ("ab", "ab")]
    assert type(reader.keys()) is list and type(reader.items()[0]) is tuple


@both
def test_keys_that_are_no_utf_8_become_replacement_characters(package):
    keys = [b"a\xff", b"\xf0\x9f\x98", b"\xc3(", b"\xed\xa0\x80"]
    reader = opened(package, dict.fromkeys(keys, 1))
    assert reader.keys() == [key.decode(errors="replace") for key in sorted(keys)]
    assert all(reader.exists(key) for key in keys)


@both
def test_objects_come_once_in_the_order_of_their_first_key(package):
    writer = package.FuseWriter()
    numbers = [writer.add_object(name) for name in ("c", "a", "unreached", "b")]
    for key, number in {"1": 3, "2": 0, "3": 3, "4": 1}.items():
        writer.add_key(key, numbers[number])
    writer.build("a.fsdb")
    assert package.FuseReader("a.fsdb").objects() == ["b", "c", "a"]


@both
def test_a_prefix_without_keys_gives_an_empty_list(package):
    assert opened(package, {"a": 1}).prefix("b") == []


@both
def test_an_empty_file_is_a_file(package):
    package.FuseWriter().build("empty.fsdb")
    reader = package.FuseReader("empty.fsdb")
    assert (reader.keys(), reader.items(), reader.objects(), reader.get("x")) == ([], [], [], None)
    assert reader.verify() is True and reader


def test_len_in_brackets_and_iteration_work():
    old = opened(fusedb, {"a": 1})
    for call in (lambda: len(old), lambda: "a" in old, lambda: old["a"], lambda: list(old)):
        with pytest.raises(TypeError):
            call()
    reader = opened(fusedb_swift, {"a": 1, "b": 2})
    assert (len(reader), "a" in reader, "x" in reader, reader["b"], list(reader)) == (2, True, False, 2, ["a", "b"])
    with pytest.raises(KeyError, match="'x'"):
        reader["x"]


def test_readers_are_pickled_by_path_and_access():
    with pytest.raises(TypeError):
        pickle.dumps(opened(fusedb, {"a": 1}))
    reader = opened(fusedb_swift, {"a": 1})
    assert pickle.loads(pickle.dumps(reader)).get("a") == 1
    assert copy.deepcopy(reader).get("a") == 1


@both
def test_copy_weakref_and_attributes(package):
    reader = opened(package, {"a": 1})
    assert copy.copy(reader).get("a") == 1
    assert weakref.ref(reader)() is reader
    reader.label = "x"
    assert reader.label == "x" and vars(reader)["label"] == "x"


@both
def test_classes_can_be_derived_from(package):
    class Mine(package.FuseReader):
        def __init__(self, path):
            super().__init__(path)
            self.asked = 0

        def get(self, key):
            self.asked += 1
            return super().get(key)

    build(package, {"a": 1})
    reader = Mine("a.fsdb")
    assert (reader.get("a"), reader.asked) == (1, 1)

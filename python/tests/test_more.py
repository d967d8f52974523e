"""What there is beyond fusedb 0.3.0."""

import ipaddress
import os
import pathlib
import pickle
import subprocess
import sys

import msgpack
import pytest
from conftest import build, opened

import fusedb_swift as f

ENTRIES = {"a": {"n": 1, "deep": {"list": ["x", "y"]}}, "b": None, "ab": [1, 2], "c": "text"}


def test_get_has_a_default():
    reader = opened(f, ENTRIES)
    assert reader.get("b", 5) is None and reader.get("x", 5) == 5 and reader.get("x", default=6) == 6


def test_each_answer_is_the_callers_own():
    entries = {"flat": {"a": 1, "text": "x" * 20, "none": None, "f": 1.5, "b": b"x"}, "deep": {"list": [1], "n": 2, "text": "yyyy"}}
    reader = opened(f, entries)
    for _ in range(10):
        for key, value in entries.items():
            answer = reader.get(key)
            assert answer == value and list(answer) == list(value)
            answer["more"] = 1
            for part in answer.values():
                if isinstance(part, list):
                    part.append(2)
            assert reader.get_many([key]) == [value]


def test_a_file_that_is_rebuilt_in_the_same_place_gives_its_own_answers():
    for number in range(200):
        build(f, {"a": {"number": number + 1000, "text": "as long as before"}})
        reader = f.FuseReader("a.fsdb", verify="reading")
        assert [reader.get("a")["number"] for _ in range(4)] == [number + 1000] * 4


@pytest.mark.parametrize("count", [0, 1, 63, 64, 1000, 40_000])
def test_a_batch_answers_like_single_look_ups(count):
    entries = {f"key {number}": {"n": number} for number in range(0, 1000, 2)}
    reader = opened(f, entries)
    keys = [f"key {number}" for number in range(count)]
    expected = [reader.get(key) for key in keys]
    assert reader.get_many(keys) == expected
    assert reader.get_many(iter(keys)) == reader.get_many(tuple(keys)) == expected
    assert reader.get_many([key.encode() for key in keys]) == expected
    assert reader.get_many([bytearray(key.encode()) for key in keys]) == expected
    assert reader.get_many(keys, default=0) == [value or 0 for value in expected]
    assert reader.exists_many(keys) == [reader.exists(key) for key in keys]


def test_a_batch_of_something_else_is_refused():
    reader = opened(f, ENTRIES)
    for keys in ("abc", b"abc"):
        with pytest.raises(TypeError, match="one key"):
            reader.get_many(keys)
    with pytest.raises(TypeError):
        reader.get_many(5)
    with pytest.raises(ValueError, match="key must be str or bytes"):
        reader.get_many(["a", 1])


def test_scans_walk_between_bounds_in_both_directions():
    keys = ["a", "aa", "ab", "b", "ba", "c"]
    reader = opened(f, {key: key.upper() for key in keys})
    pairs = [(key, key.upper()) for key in keys]
    assert list(reader.scan()) == pairs
    assert list(reader.scan("a")) == pairs[:3] == list(reader.scan(prefix=b"a"))
    assert list(reader.scan(start="ab")) == pairs[2:]
    assert list(reader.scan(start="aaa", stop="ba")) == pairs[2:4]
    assert list(reader.scan(stop="b", reverse=True)) == pairs[2::-1]
    assert list(reader.scan("a", reverse=True, keys_only=True)) == ["ab", "aa", "a"]
    assert list(reader.scan(bytes_keys=True))[0] == (b"a", "A")
    assert list(reader.scan(keys_only=True, bytes_keys=True)) == [key.encode() for key in keys]


def test_a_scan_goes_on_without_its_reader():
    scan = opened(f, {f"key {number:04}": number for number in range(1000)}).scan()
    os.remove("a.fsdb")
    assert [value for key, value in scan] == list(range(1000))
    assert list(scan) == []


def test_keys_as_bytes_lose_nothing():
    keys = [b"\xff", b"a\x80b", "é".encode()]
    reader = opened(f, dict.fromkeys(keys, 1))
    assert reader.keys(bytes_keys=True) == sorted(keys)
    assert [key for key, value in reader.items(bytes_keys=True)] == sorted(keys)
    assert reader.prefix(b"a", bytes_keys=True) == [(b"a\x80b", 1)]
    assert reader.get_many(reader.keys(bytes_keys=True)) == [1, 1, 1]


def test_raw_bytes_are_in_place_and_keep_the_file():
    reader = opened(f, ENTRIES)
    view = reader.get_raw("a")
    assert reader.get_raw("x") is None
    assert type(view) is memoryview and view.readonly
    del reader
    os.remove("a.fsdb")
    assert msgpack.unpackb(view) == ENTRIES["a"]


def test_fields_are_found_by_their_path():
    reader = opened(f, ENTRIES)
    assert reader.field("a", "n") == 1
    assert reader.field("a", "deep") == {"list": ["x", "y"]}
    assert reader.field("a", "deep.list.1") == "y"
    assert reader.field("a", "nowhere") is None and reader.field("x", "n", 7) == 7
    assert reader.field("a", "deep.list.9", default=0) == 0
    assert [reader.field("a", f"n{number}") for number in range(1000)] == [None] * 1000
    with pytest.raises(TypeError):
        reader.field("a", 1)


def networks():
    return opened(f, {"10.0.0.0/8": "ten", "10.1.0.0/16": "office", "2001:db8::/32": "six", "10.1.2.3": "host"})


def test_the_longest_block_that_holds_an_address():
    reader = networks()
    match = reader.longest_match("10.1.9.9")
    assert (match.key, match.value) == ("10.1.0.0/16", "office") and match == tuple(match)
    assert reader.longest_match("10.2.0.1").value == "ten" and reader.longest_match("11.0.0.0") is None
    assert reader.longest_match(ipaddress.ip_address("2001:db8::1")).value == "six"
    assert reader.longest_match(bytes([10, 1, 0, 1])).value == "office"
    assert ipaddress.ip_network(reader.longest_match("10.2.0.1").scope).subnet_of(ipaddress.ip_network("10.0.0.0/8"))
    assert reader.longest_match("no address") is None
    assert [match.value for match in reader.containing("10.1.9.9")] == ["office", "ten"]
    assert reader.containing("11.0.0.0") == []
    assert [key for key, value in reader.networks("10.0.0.0/8")][:2] == ["10.0.0.0/8", "10.1.0.0/16"]
    assert list(reader.networks(ipaddress.ip_network("2001:db8::/32"), keys_only=True)) == ["2001:db8::/32"]
    for address in (b"123", 5, None):
        with pytest.raises(ValueError, match="an address is"):
            reader.longest_match(address)


def test_the_key_that_covers_a_name_best():
    reader = opened(f, {".example.com": 1, "www.example.com": 2, "me@example.com": 3, "+49": 4, "+4930": 5}, normalise="none")
    assert reader.longest_suffix("a.example.com") == (".example.com", 1)
    assert reader.longest_suffix("www.example.com").value == 2 and reader.longest_suffix("example.org") is None
    assert reader.longest_email("me@example.com").value == 3 and reader.longest_email("you@www.example.com").value == 2
    assert reader.longest_prefix("+4930123").key == "+4930" and reader.longest_prefix(b"+33") is None


def test_metadata_are_a_dict():
    data = {"source": "a list", "license": "é"}
    assert opened(f, ENTRIES, metadata=data).metadata == data
    assert opened(f, ENTRIES).metadata == {}
    for metadata in ({"source": 1}, {1: "x"}, ["x"]):
        with pytest.raises((TypeError, AttributeError)):
            f.FuseWriter(metadata=metadata)


def test_full_stats_begin_with_the_others():
    reader = opened(f, ENTRIES)
    short, full = reader.stats(), reader.stats(full=True)
    assert list(full.items())[: len(short)] == list(short.items()) and len(full) > len(short)
    assert full["data_size"] + full["data_offset"] == full["index_offset"] and full["most_keys_per_object"] == 1


def test_keys_that_share_an_object():
    writer = f.FuseWriter(reverse_index=True)
    writer.add_keys(["b", "a", b"c"], writer.add_object(1))
    writer.add("d", 1)
    writer.build("a.fsdb")
    reader = f.FuseReader("a.fsdb")
    assert reader.aliases("a") == ["a", "b", "c"] and reader.aliases("d") == ["d"] and reader.aliases("x") == []
    assert reader.aliases("a", bytes_keys=True) == [b"a", b"b", b"c"]


# ---- copies ----


class Mine(f.FuseReader):
    pass


def test_pickles_open_the_file_the_same_way():
    build(f, ENTRIES)
    reader = Mine("a.fsdb", verify="reading", memory="copied")
    reader.label = "x"
    copy = pickle.loads(pickle.dumps(reader))
    assert type(copy) is Mine and copy.label == "x" and copy.items() == reader.items()
    os.chdir("/")
    assert pickle.loads(pickle.dumps(reader)).get("c") == "text"


def test_readers_of_bytes_are_pickled_with_them():
    reader = f.FuseReader.from_bytes(pathlib.Path(build(f, ENTRIES)).read_bytes())
    os.remove("a.fsdb")
    assert pickle.loads(pickle.dumps(reader)).items() == reader.items()
    assert repr(reader) == "FuseReader('<bytes>', keys=4, objects=4)"
    with pytest.raises(f.FuseCorruptError):
        f.FuseReader.from_bytes(b"junk")
    with pytest.raises(TypeError):
        f.FuseReader.from_bytes("text")


def test_the_other_classes_are_pickled_too():
    build(f, ENTRIES)
    for reader in (f.ReloadableFuseReader("a.fsdb", least_keys=1), f.FusePool("a.fsdb", size=2)):
        copy = pickle.loads(pickle.dumps(reader))
        assert type(copy) is type(reader) and copy.get("c") == "text" and repr(copy) == repr(reader)


def test_a_pool_of_processes_takes_readers():
    build(f, ENTRIES)
    script = (
        "import multiprocessing, sys, fusedb_swift as f\n"
        "reader = f.FuseReader('a.fsdb')\n"
        "if __name__ == '__main__':\n"
        "    for kind in ('fork', 'spawn'):\n"
        "        with multiprocessing.get_context(kind).Pool(2) as pool:\n"
        "            assert pool.map(reader.get, ['a', 'c', 'x']) == [reader.get(key) for key in ('a', 'c', 'x')]\n"
    )
    pathlib.Path("script.py").write_text(script)
    subprocess.run([sys.executable, "script.py"], check=True, timeout=120)


# ---- writing ----


def test_equal_objects_are_stored_once_when_asked_for():
    writer = f.FuseWriter(shared=True)
    assert writer.add("a", {"n": 1}) == writer.add("b", {"n": 1}) == 0
    writer.build("a.fsdb")
    assert f.FuseReader("a.fsdb").stats()["num_objects"] == 1


def test_many_are_added_at_once():
    writer = f.FuseWriter()
    assert writer.add_many(ENTRIES) == 4 and writer.add_many(iter([("z", 1)])) == 1 and writer.add_many([]) == 0
    writer.build("a.fsdb")
    assert dict(f.FuseReader("a.fsdb").items()) == ENTRIES | {"z": 1}
    for items in ([1], [("a",)], [("a", 1, 2)], 5):
        with pytest.raises((TypeError, ValueError)):
            writer.add_many(items)


def test_messagepack_and_json_are_added_as_they_are():
    writer = f.FuseWriter()
    writer.add_key("a", writer.add_raw(msgpack.packb({"n": 1})))
    writer.add_key("b", writer.add_json('{"n": [1, null, "é"]}'))
    for call in (lambda: writer.add_raw(b"\xc1"), lambda: writer.add_raw(b""), lambda: writer.add_json("{")):
        with pytest.raises(f.FuseValueError):
            call()
    with pytest.raises(TypeError):
        writer.add_raw("text")
    writer.build("a.fsdb")
    assert f.FuseReader("a.fsdb").items() == [("a", {"n": 1}), ("b", {"n": [1, None, "é"]})]


def test_a_limit_of_memory_changes_no_byte():
    entries = {f"key {number}": {"text": "x" * 500, "n": number} for number in range(20_000)}
    build(f, entries, "a.fsdb")
    build(f, entries, "b.fsdb", memory=64 << 20, temporary_folder=".")
    assert pathlib.Path("a.fsdb").read_bytes() == pathlib.Path("b.fsdb").read_bytes()


def test_options_that_are_none_are_refused():
    for options in ({"order": "x"}, {"layout": 1}, {"memory": -1}, {"greatest_shrink": 2}, {"threads": -1}):
        with pytest.raises(ValueError):
            f.FuseWriter(**options)
    for options in ({"unknown": 1}, {"memory": "x"}, {"temporary_folder": 5}):
        with pytest.raises(TypeError):
            f.FuseWriter(**options)
    with pytest.raises(TypeError):
        f.FuseWriter(1)


def test_a_file_is_not_replaced_by_too_small_a_one():
    build(f, {str(number): number for number in range(100)})
    with pytest.raises(f.FuseRefusedError):
        build(f, {"1": 1}, greatest_shrink=0.5)
    with pytest.raises(f.FuseRefusedError):
        build(f, {"1": 1}, "b.fsdb", least_keys=2)
    assert len(f.FuseReader("a.fsdb")) == 100


def test_messages_name_arguments_as_they_are_here():
    """The library's own names of options are those of other languages."""
    build(f, {"1": 1})
    cases = [
        (lambda: build(f, {"1": 1}, "b.fsdb", least_keys=2), "(rule 'least_keys')"),
        (lambda: f.ReloadableFuseReader("a.fsdb", least_keys=2), "(rule 'least_keys')"),
        (lambda: f.ReloadableFuseReader("a.fsdb", required_keys=["2"]), "(rule 'required_keys')"),
        (f.ReloadableFuseReader("a.fsdb").rollback, "'kept_files' of the options says how many are kept, now 0"),
        (lambda: build(f, {"10.0.0.1/8": 1}, networks="always"), "or let masks_host_bits=True do that"),
        (lambda: build(f, {"010.0.0.0/8": 1}, networks="always"), "or let normalise='network' do that"),
    ]
    for call, words in cases:
        with pytest.raises(f.FuseError) as raised:
            call()
        assert words in str(raised.value) and words in raised.value.reason, raised.value


# ---- whole files ----


def test_merge_combines_and_tells():
    build(f, {"a": 1, "b": 2, "same": 0}, "a.fsdb")
    build(f, {"a": 10, "b": 20, "same": 0}, "b.fsdb")
    conflicts = []
    f.merge("a.fsdb", "b.fsdb", output="c.fsdb", on_conflict=lambda *conflict: conflicts.append(conflict))
    assert sorted(conflicts) == [("a", 1, 0), ("b", 1, 0)]
    f.merge("a.fsdb", "b.fsdb", output="c.fsdb", combine=lambda key, first, second: {key: [first, second]})
    assert f.FuseReader("c.fsdb").items() == [("a", {"a": [1, 10]}), ("b", {"b": [2, 20]}), ("same", 0)]
    f.merge("a.fsdb", "b.fsdb", output="c.fsdb", combine=lambda key, first, second: first)
    assert f.FuseReader("c.fsdb").get("a") == 1
    f.merge("a.fsdb", "b.fsdb", output="c.fsdb", on_duplicate="first")
    assert f.FuseReader("c.fsdb").get("b") == 2
    with pytest.raises(f.FuseValueError):
        f.merge("a.fsdb", "b.fsdb", output="c.fsdb", on_duplicate="error")
    f.merge("a.fsdb", output="c.fsdb", subtract=["b.fsdb"])
    assert f.FuseReader("c.fsdb").keys() == []
    f.merge("a.fsdb", output="c.fsdb", prefixes=["a", "s"])
    assert f.FuseReader("c.fsdb").keys() == ["a", "same"]


def test_what_combine_raises_ends_the_merge():
    build(f, {"a": 1}, "a.fsdb")
    build(f, {"a": 2}, "b.fsdb")
    with pytest.raises(ZeroDivisionError):
        f.merge("a.fsdb", "b.fsdb", output="c.fsdb", combine=lambda key, first, second: 1 / 0)
    with pytest.raises(TypeError, match="can not serialize"):
        f.merge("a.fsdb", "b.fsdb", output="c.fsdb", combine=lambda key, first, second: object())
    assert not os.path.exists("c.fsdb")


def test_diff_and_patch():
    build(f, {"a": 1, "b": 2, "c": 3}, "old.fsdb")
    build(f, {"b": 2, "c": 4, "d": 5}, "new.fsdb")
    changes = list(f.diff("old.fsdb", f.FuseReader("new.fsdb")))
    assert changes == [("removed", "a", 1, None), ("changed", "c", 3, 4), ("added", "d", None, 5)]
    assert next(f.diff("old.fsdb", "new.fsdb", bytes_keys=True)).key == b"a"
    report = f.make_patch("old.fsdb", "new.fsdb", "p")
    assert report["size"] == os.path.getsize("p")
    f.patch(f.FuseReader("old.fsdb"), "p", "made.fsdb")
    assert pathlib.Path("made.fsdb").read_bytes() == pathlib.Path("new.fsdb").read_bytes()
    with pytest.raises(f.FuseValueError):
        f.patch("new.fsdb", "p", "made.fsdb")
    f.make_patch("new.fsdb", "old.fsdb", "q")
    for patches in (["p", "q"], (b"p", pathlib.Path("q")), ["p", "q", "p", "q"]):
        assert f.patch("old.fsdb", patches, "made.fsdb")["num_keys"] == 3
        assert pathlib.Path("made.fsdb").read_bytes() == pathlib.Path("old.fsdb").read_bytes()
    for patches, error in ((["q", "p"], f.FuseValueError), ([], ValueError), (["p", 7], TypeError), (["p", "nope"], FileNotFoundError)):
        with pytest.raises(error):
            f.patch("old.fsdb", patches, "made.fsdb")
    with pytest.raises(FileNotFoundError):
        f.diff("old.fsdb", "nope")
    with pytest.raises(TypeError):
        f.diff("old.fsdb", None)


def test_reindex_gives_a_plain_file_what_a_new_one_has():
    build(f, ENTRIES, layout="plain")
    f.reindex("a.fsdb", "b.fsdb", metadata={"source": "x"})
    assert f.FuseReader("b.fsdb").metadata == {"source": "x"} and f.FuseReader("a.fsdb").metadata == {}
    f.reindex("a.fsdb")
    assert f.FuseReader("a.fsdb").stats(full=True)["extension_size"] > 0


def test_verify_reports_all_damage():
    data = bytearray(pathlib.Path(build(f, {"a": "first text", "b": "second text"})).read_bytes())
    for text in (b"first", b"second"):
        data[data.index(text)] ^= 1
    pathlib.Path("b.fsdb").write_bytes(data)
    report = f.verify("b.fsdb")
    assert report.damage_count == len(report.damages) >= 2 and report.key_count == 2
    assert f.FuseReader("b.fsdb", verify="reading").verify(report=True).damages == report.damages
    assert f.FuseReader("a.fsdb").verify(report=True, level="checksums") == (os.path.getsize("a.fsdb"), 2, 2, 0, [])
    pathlib.Path("c.fsdb").write_bytes(b"junk")
    assert f.verify("c.fsdb").damage_count >= 1
    with pytest.raises(FileNotFoundError):
        f.verify("nope")


def test_long_calls_tell_of_their_progress():
    entries = {str(number): number for number in range(1000)}
    build(f, entries)
    seen = []
    f.FuseReader("a.fsdb").verify(progress=seen.append)
    f.merge("a.fsdb", "a.fsdb", output="b.fsdb", progress=seen.append)
    writer = f.FuseWriter()
    writer.add_many(entries)
    writer.build("c.fsdb", progress=seen.append)
    assert seen and all(0 <= share <= 1 for share in seen)


def test_what_progress_raises_ends_the_call():
    class Enough(Exception):
        pass

    def enough(share):
        raise Enough

    build(f, {str(number): number for number in range(1000)})
    for call in (lambda: f.FuseReader("a.fsdb").verify(progress=enough),
                 lambda: f.merge("a.fsdb", output="b.fsdb", progress=enough)):  # fmt: skip
        with pytest.raises(Enough):
            call()
    assert not os.path.exists("b.fsdb")
    writer = f.FuseWriter()
    writer.add_many({str(number): number for number in range(1000)})
    with pytest.raises(Enough):
        writer.build("b.fsdb", progress=enough)
    assert not os.path.exists("b.fsdb")


# ---- values without msgpack ----


def test_without_msgpack_extensions_are_of_our_own_classes():
    build(f, {"e": msgpack.ExtType(5, b"x"), "t": msgpack.Timestamp(2**33, 7)})
    assert f.FuseReader("a.fsdb").get("t") == msgpack.Timestamp(2**33, 7)
    script = (
        "import sys; sys.modules['msgpack'] = None\n"
        "import fusedb_swift as f\n"
        "db = f.FuseReader('a.fsdb')\n"
        "assert db.get('e') == f.ExtType(5, b'x') and type(db.get('e')) is f.ExtType\n"
        "assert db.get('t') == f.Timestamp(2**33, 7) and db.get('t').to_unix_nano() == 2**33 * 10**9 + 7\n"
        "writer = f.FuseWriter()\n"
        "for key, value in db.items(): writer.add(key, value)\n"
        "writer.build('b.fsdb')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert f.FuseReader("b.fsdb").items() == f.FuseReader("a.fsdb").items()


def test_the_package_and_the_library_have_one_version():
    import importlib.metadata

    assert f.__version__ == importlib.metadata.version("fusedb_swift")


def test_importing_takes_no_other_package():
    script = "import sys, fusedb_swift; sys.exit('msgpack' in sys.modules or 'json' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)

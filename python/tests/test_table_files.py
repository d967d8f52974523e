"""The behaviours of fusedb 0.3.0, row by row: paths, damage, building, files that are replaced, merging. As in
test_table.py."""

import os
import pathlib
import pickle
import stat
import sys
import time

import fusedb
import pytest
from conftest import both, build, nothing_printed, opened, raised

import fusedb_swift


# ---- paths and errors ----


@both
def test_paths_are_text_or_path_objects(package):
    path = pathlib.Path(build(package, {"a": 1}, pathlib.Path("é ✓.fsdb")))
    assert package.FuseReader(path).get("a") == 1
    assert package.FuseReader(str(path)).stats()["path"] == str(path)


def test_other_paths_are_refused():
    fusedb.FuseWriter().build(None)
    assert os.path.exists("None")
    fusedb_swift.FuseWriter().build(b"bytes.fsdb")
    assert fusedb_swift.FuseReader(b"bytes.fsdb").keys() == []
    for path in (None, 3, 1.5, object()):
        for call in (fusedb_swift.FuseWriter().build, fusedb_swift.FuseReader, fusedb_swift.ReloadableFuseReader,
                     lambda path: fusedb_swift.merge(path, output="o"), lambda path: fusedb_swift.merge(output=path)):  # fmt: skip
            with pytest.raises(TypeError):
                call(path)
    for path in ("", "a\0b"):
        with pytest.raises(ValueError):
            fusedb_swift.FuseReader(path)


@both
def test_a_missing_file_is_an_os_error(package):
    for call in (lambda: package.FuseReader("nope"), lambda: package.ReloadableFuseReader("nope"),
                 lambda: package.FusePool("nope"), lambda: package.merge("nope", output="o"),
                 lambda: package.FuseWriter().build("nope/a.fsdb")):  # fmt: skip
        error = raised(call)
        assert isinstance(error, OSError) and "No such file or directory" in str(error) or "no folder" in str(error)
        if package is fusedb_swift:
            assert isinstance(error, FileNotFoundError) and error.errno == 2 and isinstance(error, package.FuseError)
            assert pickle.loads(pickle.dumps(error)).errno == 2
        else:
            assert error.errno is None


def test_a_folder_is_told_as_such():
    assert isinstance(raised(lambda: fusedb.FuseReader(".")), OSError)
    for call in (lambda: fusedb_swift.FuseReader("."), lambda: fusedb_swift.FuseWriter().build(".")):
        with pytest.raises(IsADirectoryError):
            call()


DAMAGES = {
    "magic": (lambda data: b"XXXX" + data[4:], "bad magic"),
    "short": (lambda data: data[:10], "file too small for header"),
    "empty": (lambda data: b"", "file too small for header"),
    "truncated": (lambda data: data[:-3], "CRC32 mismatch"),
    "changed": (lambda data: data[:45] + bytes([data[45] ^ 1]) + data[46:], "CRC32 mismatch"),
}


@both
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_a_runtime_error_when_the_file_is_opened(package, damage):
    build(fusedb, {"x": {"a": 1}, "y": 2})
    change, text = DAMAGES[damage]
    pathlib.Path("b.fsdb").write_bytes(change(pathlib.Path("a.fsdb").read_bytes()))
    error = raised(lambda: package.FuseReader("b.fsdb"))
    assert isinstance(error, RuntimeError) and text in str(error)
    if package is fusedb_swift:
        assert type(error) is package.FuseCorruptError and isinstance(error, package.FuseError)
        assert error.path == "b.fsdb" and error.reason


@both
def test_another_version_is_a_runtime_error(package):
    data = bytearray(pathlib.Path(build(fusedb, {"x": 1})).read_bytes())
    data[4] = 9
    pathlib.Path("b.fsdb").write_bytes(data)
    error = raised(lambda: package.FuseReader("b.fsdb"))
    assert isinstance(error, RuntimeError) and "unsupported version 9" in str(error)
    assert package is fusedb or type(error) is package.FuseVersionError


def test_a_changed_byte_of_any_file_is_found_when_it_is_opened():
    for layout in ("plain", "indexed"):
        build(fusedb_swift, {"x": {"a": 1}, "y": 2}, layout=layout)
        sound = pathlib.Path("a.fsdb").read_bytes()
        for place in range(len(sound)):
            data = bytearray(sound)
            data[place] ^= 0x10
            pathlib.Path("b.fsdb").write_bytes(data)
            # Bytes of the header on which no answer depends have no checksum in a plain file; verify() looks at them.
            is_idle = layout == "plain" and place in (5, 6, 7, 12, 13, 14, 15, 36, 37, 38, 39)
            opening = lambda: fusedb_swift.FuseReader("b.fsdb")  # noqa: E731
            error = raised(lambda: opening().verify()) if is_idle else raised(opening)
            assert isinstance(error, (fusedb_swift.FuseCorruptError, fusedb_swift.FuseVersionError)), (layout, place)


def test_without_verify_objects_are_still_compared():
    build(fusedb_swift, {"x": "some text"})
    data = bytearray(pathlib.Path("a.fsdb").read_bytes())
    data[data.index(b"some text")] ^= 1
    pathlib.Path("b.fsdb").write_bytes(data)
    assert fusedb.FuseReader("b.fsdb", verify=False).get("x") == "rome text"
    for verify in (False, "reading"):
        reader = fusedb_swift.FuseReader("b.fsdb", verify=verify)
        with pytest.raises(fusedb_swift.FuseCorruptError):
            reader.get("x")
        with pytest.raises(RuntimeError, match="CRC32"):
            reader.verify()
    assert fusedb_swift.FuseReader("b.fsdb", verify="never").get("x") == "rome text"
    with pytest.raises(RuntimeError, match="CRC32"):
        fusedb_swift.FuseReader("b.fsdb")


@both
def test_verify_is_true_or_raises(package):
    assert opened(package, {"a": 1}).verify() is True


@both
def test_stats_begin_with_those_of_0_3_0(package):
    build(fusedb, {"a": 1, "b": 2})
    stats = package.FuseReader("a.fsdb").stats()
    assert list(stats.items())[:8] == list(fusedb.FuseReader("a.fsdb").stats().items())
    assert list(stats)[:8] == [
        "path", "version", "num_keys", "num_objects", "index_offset", "data_offset", "file_size_kb", "file_crc32",
    ]  # fmt: skip


@both
def test_a_closed_reader_answers(package):
    build(package, {"a": 1})
    with package.FuseReader("a.fsdb") as reader:
        assert reader.get("a") == 1
    reader.close()
    reader.close()
    assert (reader.get("a"), reader.exists("a"), reader.keys(), reader.stats()["num_keys"]) == (1, True, ["a"], 1)
    with package.ReloadableFuseReader("a.fsdb") as reloadable:
        pass
    assert reloadable.get("a") == 1


# ---- building ----


@both
def test_a_writer_builds_again_and_gives_the_same_bytes(package):
    writer = package.FuseWriter()
    writer.add("a", 1)
    writer.build("a.fsdb")
    writer.build("b.fsdb")
    assert pathlib.Path("a.fsdb").read_bytes() == pathlib.Path("b.fsdb").read_bytes()
    writer.add("b", 2)
    writer.build("a.fsdb")
    assert package.FuseReader("a.fsdb").keys() == ["a", "b"]


def test_a_plain_file_has_the_bytes_of_0_3_0():
    entries = {f"key {number % 700}": {"n": number, "t": "x" * (number % 50)} for number in range(2000)}
    build(fusedb, entries, "a.fsdb")
    build(fusedb_swift, entries, "b.fsdb", layout="plain")
    assert pathlib.Path("a.fsdb").read_bytes() == pathlib.Path("b.fsdb").read_bytes()


@both
def test_each_reads_what_the_other_writes(package):
    entries = {f"key {number}": {"n": number} for number in range(500)}
    for writing in (fusedb, fusedb_swift):
        assert opened(writing, entries).items() == package.FuseReader("a.fsdb").items()


@both
def test_the_mode_of_a_file_is_that_of_the_umask(package):
    old = os.umask(0o027)
    try:
        build(package, {"a": 1})
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat("a.fsdb").st_mode) == 0o640


def test_a_build_that_cannot_begin_leaves_the_writer_usable():
    writer = fusedb_swift.FuseWriter()
    writer.add("a", 1)
    for path in ("nope/a.fsdb", "."):
        with pytest.raises(OSError):
            writer.build(path)
    writer.build("a.fsdb")
    assert fusedb_swift.FuseReader("a.fsdb").get("a") == 1


def test_nothing_is_printed(capfd):
    with nothing_printed(capfd):
        build(fusedb_swift, {"a": 1})
        build(fusedb_swift, {"a": 2}, "b.fsdb")
        reloadable = fusedb_swift.ReloadableFuseReader("a.fsdb")
        os.replace("b.fsdb", "a.fsdb")
        assert reloadable.reload() is True
        pool = fusedb_swift.FusePool("a.fsdb")
        pool.swap("a.fsdb")
        watcher = fusedb_swift.FuseWatcher("a.fsdb", interval=0.01)
        watcher.start()
        watcher.stop()
        fusedb_swift.merge("a.fsdb", output="c.fsdb")
        raised(lambda: fusedb_swift.FuseReader("nope"))
    build(fusedb, {"a": 1})
    assert "a.fsdb" in capfd.readouterr().out


# ---- files that are replaced ----


@both
def test_reload_takes_a_file_that_is_another(package):
    build(package, {"a": 1})
    reader = package.ReloadableFuseReader("a.fsdb")
    assert reader.reload() is False
    build(package, {"a": 2}, "b.fsdb")
    os.utime("b.fsdb", (time.time() + 5, time.time() + 5))
    os.replace("b.fsdb", "a.fsdb")
    assert reader.get("a") == 1
    assert reader.reload() is True and reader.get("a") == 2
    assert reader.reload() is False
    os.remove("a.fsdb")
    assert reader.reload() is False and reader.get("a") == 2


@both
def test_a_damaged_file_does_not_take_the_place_of_a_sound_one(package):
    build(package, {"a": 1})
    reader = package.ReloadableFuseReader("a.fsdb")
    pathlib.Path("b.fsdb").write_bytes(b"junk" * 100)
    os.utime("b.fsdb", (time.time() + 5, time.time() + 5))
    os.replace("b.fsdb", "a.fsdb")
    with pytest.raises(RuntimeError):
        reader.reload()
    assert reader.get("a") == 1


def test_a_file_of_the_same_time_is_noticed():
    for package, noticed in ((fusedb, False), (fusedb_swift, True)):
        build(package, {"a": 1})
        reader = package.ReloadableFuseReader("a.fsdb")
        times = os.stat("a.fsdb")
        build(package, {"a": 2}, "b.fsdb")
        os.utime("b.fsdb", ns=(times.st_atime_ns, times.st_mtime_ns))
        os.replace("b.fsdb", "a.fsdb")
        assert reader.reload() is noticed


def test_a_file_that_is_cut_in_place_is_an_error_and_no_crash():
    entries = {f"key {number}": "x" * 1000 for number in range(1000)}
    build(fusedb_swift, entries)
    reader = fusedb_swift.FuseReader("a.fsdb", verify="reading")
    scan = reader.scan()
    view = reader.get_raw("key 999")
    next(scan)
    os.truncate("a.fsdb", 4096)
    with pytest.raises(fusedb_swift.FuseCorruptError):
        for key in entries:
            reader.get(key)
    with pytest.raises(fusedb_swift.FuseCorruptError):
        list(scan)
    bytes(view)
    with pytest.raises(fusedb_swift.FuseCorruptError):
        reader.check()
    copied = opened(fusedb_swift, entries, "b.fsdb")
    copied = fusedb_swift.FuseReader("b.fsdb", memory="copied")
    os.truncate("b.fsdb", 4096)
    assert copied.items() == sorted(entries.items())


@both
def test_a_watcher_starts_once_and_stops_after_it(package):
    build(package, {"a": 1})
    watcher = package.FuseWatcher("a.fsdb", interval=0.01)
    with pytest.raises(RuntimeError, match="cannot join thread before it is started"):
        watcher.stop()
    assert watcher.get("a") == 1
    assert isinstance(watcher.db, package.ReloadableFuseReader)
    watcher.start()
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        watcher.start()
    watcher.stop()
    watcher.stop()
    assert watcher.get("a") == 1 and watcher.stats()["num_keys"] == 1


@both
def test_a_watcher_takes_new_files_and_tells_of_them(package):
    build(package, {"a": 1})
    seen = []
    watcher = package.FuseWatcher("a.fsdb", interval=0.02, on_reload=seen.append)
    watcher.start()
    build(package, {"a": 2}, "b.fsdb")
    os.utime("b.fsdb", (time.time() + 5, time.time() + 5))
    os.replace("b.fsdb", "a.fsdb")
    deadline = time.monotonic() + 20
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    watcher.stop()
    assert seen == [watcher.db] and watcher.get("a") == 2


@both
def test_a_pool_swaps(package):
    build(package, {"a": 1})
    build(package, {"a": 2}, "b.fsdb")
    pool = package.FusePool("a.fsdb", size=2)
    assert pool.get("a") == 1
    assert pool.swap("b.fsdb", verify=True) is None
    assert pool.get("a") == 2
    stats = pool.stats()
    assert list(stats) == ["path", "size", "readers"] and stats["path"] == "b.fsdb" and stats["size"] == 2
    assert [reader["num_keys"] for reader in stats["readers"]] == [1, 1]
    with pytest.raises(OSError):
        pool.swap("nope")
    pool.close()
    assert pool.get("a") == 2


def test_a_pool_of_nothing_is_refused():
    build(fusedb, {"a": 1})
    with pytest.raises(ZeroDivisionError):
        fusedb.FusePool("a.fsdb", size=0).get("a")
    for size in (0, -1):
        with pytest.raises(ValueError):
            fusedb_swift.FusePool("a.fsdb", size=size)


# ---- merge ----


@both
def test_merge_takes_the_last_object_of_a_key(package):
    build(package, {"a": 1, "b": [1]}, "a.fsdb")
    build(package, {"a": 2, "c": [1]}, "b.fsdb")
    package.merge("a.fsdb", "b.fsdb", output="c.fsdb")
    assert package.FuseReader("c.fsdb").items() == [("a", 2), ("b", [1]), ("c", [1])]
    package.merge("a.fsdb", "b.fsdb", output="a.fsdb")
    assert package.FuseReader("a.fsdb").keys() == ["a", "b", "c"]


@both
def test_merge_stores_equal_objects_once(package):
    build(package, {"a": ["x" * 100], "b": ["x" * 100]}, "a.fsdb")
    package.merge("a.fsdb", output="c.fsdb")
    assert package.FuseReader("c.fsdb").stats()["num_objects"] == 1


@both
def test_merge_of_nothing_is_an_empty_file(package):
    package.merge(output="c.fsdb")
    assert package.FuseReader("c.fsdb").keys() == []


@both
def test_merge_keeps_keys_that_are_no_utf_8(package):
    build(package, {b"\xff\xfe": 1})
    package.merge("a.fsdb", output="c.fsdb")
    assert package.FuseReader("c.fsdb").get(b"\xff\xfe") == 1


# ---- its README ----

README = '''
import os
from {package} import FuseWriter, FuseReader, ReloadableFuseReader, FusePool, merge
w = FuseWriter()
g = w.add_object({{"org": "Google", "asn": 15169}})
w.add_key("8.8.8.8", g)
w.add_key("8.8.4.4", g)
w.add_key("gmail.com", g)
w.build("geo.fsdb")
with FuseReader("geo.fsdb") as db:
    out(db.get("8.8.8.8"))
    out(db.exists("gmail.com"))
    for k, v in db.prefix("8.8."):
        out(k, v)
    out(db, db.keys(), db.objects(), db.verify())
db = ReloadableFuseReader("geo.fsdb")
out(db.get("8.8.8.8"), db.reload(), db)
pool = FusePool("geo.fsdb", size=4)
out(pool.get("8.8.8.8"), pool)
pool.close()
merge("geo.fsdb", "geo.fsdb", output="geo_merged.fsdb")
out(FuseReader("geo_merged.fsdb"))
'''


def test_a_script_of_its_readme_gives_the_same():
    outputs = []
    for package in ("fusedb", "fusedb_swift"):
        lines = []
        exec(README.format(package=package), {"out": lambda *values: lines.append(" ".join(map(str, values)))})
        outputs.append(lines)
    assert outputs[0] == outputs[1]


def test_importing_ours_leaves_the_other_alone():
    assert sys.modules["fusedb"].__file__ != sys.modules["fusedb_swift"].__file__

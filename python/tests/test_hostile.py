"""Wrong calls, many threads, signals, memory: an exception that says what, never a crash, nothing kept."""

import gc
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import pytest
from conftest import build, opened, raised, resident

import fusedb_swift as f

METHODS = [
    "get", "exists", "get_many", "exists_many", "get_raw", "field", "scan", "keys", "items", "prefix", "objects", "aliases",
    "networks", "longest_match", "containing", "longest_suffix", "longest_email", "longest_prefix", "stats", "verify", "check",
    "__len__", "__getitem__", "__contains__", "__iter__", "__reduce__", "__copy__",
]  # fmt: skip
ODD = [None, 5, -1, 2**70, 1.5, "x", b"x", "\ud800", "x" * 70_000, (), [], {}, object(), int, ["a", 5]]


@pytest.mark.parametrize("kind", [f.FuseReader, f.ReloadableFuseReader, f.FuseWatcher, f.FusePool])
def test_a_reader_that_was_never_opened_says_so(kind):
    reader = kind.__new__(kind)
    for name in METHODS:
        for arguments in ((), ("x",), ("x", "y")):
            assert raised(lambda: getattr(reader, name)(*arguments)) is not None or name in ("__copy__",), name
    for call in (lambda: reader.path, lambda: reader.metadata):
        assert isinstance(raised(call), ValueError)
    if kind is f.ReloadableFuseReader:
        for name in ("reload", "rollback", "counters", "snapshot"):
            assert isinstance(raised(getattr(reader, name)), ValueError)
        assert isinstance(raised(lambda: reader.swap("x")), ValueError)
    assert bool(reader)


@pytest.mark.parametrize("kind", [f.FuseReader, f.ReloadableFuseReader, f.FusePool])
def test_a_reader_whose_opening_failed_says_so(kind):
    class Quiet(kind):
        def __init__(self):
            try:
                super().__init__("nope")
            except OSError:
                pass

    assert isinstance(raised(lambda: Quiet().get("x")), ValueError)


def test_a_writer_that_was_never_made_says_so():
    writer = f.FuseWriter.__new__(f.FuseWriter)
    for call in (lambda: writer.add("a", 1), lambda: writer.add_object(1), lambda: writer.add_key("a", 0),
                 lambda: writer.add_raw(b"\1"), lambda: writer.add_json("1"), lambda: writer.build("a")):  # fmt: skip
        assert isinstance(raised(call), ValueError)
    assert repr(writer) == "FuseWriter(not made)"


def test_odd_arguments_are_exceptions():
    reader, reloadable = opened(f, {"a": {"n": 1}}), f.ReloadableFuseReader("a.fsdb")
    for name in METHODS:
        for first in ODD:
            for arguments in ((first,), (first, first), (first, first, first)):
                raised(lambda: getattr(reader, name)(*arguments))
            raised(lambda: getattr(reader, name)("a", unknown=first))
    for first in ODD:
        for name in ("_answer_from", "_open", "_watch", "swap"):
            if name != "swap" or not isinstance(first, str):
                raised(lambda: getattr(reloadable, name)(first))
        for call in (f.FuseReader, f.verify, f.reindex, f.FuseReader.from_bytes):
            raised(lambda: call(first))
            raised(lambda: call(first, first))
        for call in (f.diff, f.patch, f.make_patch, f.merge):
            raised(lambda: call(first, first))
            raised(lambda: call(first, first, first))
        raised(lambda: f.merge(first, output=first, combine=first, subtract=first, prefixes=first, on_conflict=first))
        raised(lambda: f.FuseReader("a.fsdb", first, memory=first, advice=first, prefault=first, locked=first))
        for option in ("order", "layout", "memory", "metadata", "temporary_folder", "threads", "greatest_shrink", "normalise"):
            raised(lambda: f.FuseWriter(**{option: first}))
        writer = f.FuseWriter()
        for call in (writer.add_object, writer.add_many, writer.add_raw, writer.add_json, writer.build):
            raised(lambda: call(first))
        for call in (writer.add, writer.add_key, writer.add_keys):
            raised(lambda: call(first, first))
    assert reader.get("a") == {"n": 1}


def test_readers_answer_for_one_another_without_loops():
    reader = opened(f, {"a": 1})
    watcher, pool = f.FuseWatcher("a.fsdb"), f.FusePool("a.fsdb")
    for call in (lambda: reader._answer_from(reader), lambda: pool._answer_from(watcher), lambda: reader._answer_from(5)):
        assert isinstance(raised(call), TypeError)


def test_a_writer_is_not_used_while_it_builds():
    writer = f.FuseWriter()
    writer.add_many({str(number): number for number in range(2000)})
    errors = []

    def misuse(share):
        for call in (lambda: writer.add("x", 1), lambda: writer.build("b.fsdb"), lambda: writer.add_object(1)):
            errors.append(raised(call))
        assert repr(writer) == "FuseWriter(building)"

    writer.build("a.fsdb", progress=misuse)
    assert errors and all(isinstance(error, RuntimeError) for error in errors)
    writer.add("x", 1)


def test_a_dict_that_changes_while_it_is_written_is_an_exception():
    class Key(str):
        pass

    grown = {"a": 1}

    class Evil(dict):
        def items(self):
            grown[len(grown)] = 1
            return [("b", 1)]

    grown["evil"] = Evil()
    assert isinstance(raised(lambda: f.FuseWriter().add_object(grown)), RuntimeError)

    class Odd(dict):
        def items(self):
            return [1, 2]

    assert raised(lambda: f.FuseWriter().add_object(Odd())) is not None
    loop = []
    loop.append(loop)
    assert isinstance(raised(lambda: f.FuseWriter().add_object(loop)), ValueError)
    writer = f.FuseWriter()
    assert writer.add(Key("k"), 1) == 0


def test_random_bytes_are_values_or_exceptions():
    import random

    generator = random.Random(1)
    for _ in range(50_000):
        data = bytes(generator.choice([generator.randrange(256), generator.randrange(0x80, 0xE0)]) for _ in range(12))
        error = raised(lambda: f._fusedb._unpack(data))
        assert error is None or isinstance(error, f.FuseCorruptValueError)


# ---- threads ----


def run_threads(*functions):
    errors = []

    def guarded(function):
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_eight_threads_read_through_two_hundred_reloads():
    keys = [f"key {number}" for number in range(200)]
    for name in ("one", "two"):
        build(f, {key: {"file": name, "key": key} for key in keys}, f"{name}.fsdb")
    build(f, {key: {"file": "zero", "key": key} for key in keys})
    reader = f.ReloadableFuseReader("a.fsdb")
    ended = threading.Event()

    def read():
        while not ended.is_set():
            for key in keys:
                assert reader.get(key)["key"] == key
            assert len({value["file"] for value in reader.get_many(keys)}) == 1
            assert len(reader.prefix("key 1")) == 111
            assert sum(1 for _ in reader.scan(keys_only=True)) == 200

    def reload():
        taken = 0
        while taken < 200:
            os.link(("one", "two")[taken % 2] + ".fsdb", "next")
            os.utime("next")
            os.replace("next", "a.fsdb")
            taken += 1
            reader.reload()
            time.sleep(0.002)
        ended.set()

    try:
        run_threads(reload, *[read] * 8)
    finally:
        ended.set()
    assert reader.counters()["reloads"] >= 100


def test_others_run_while_a_long_call_goes_on():
    entries = {f"key {number}": {"text": "x" * 100, "n": number} for number in range(60_000)}
    build(f, entries)
    reader, writer = f.FuseReader("a.fsdb"), f.FuseWriter()
    writer.add_many(entries)
    keys = list(entries)
    calls = (lambda: f.FuseReader("a.fsdb"), reader.verify, lambda: writer.build("b.fsdb"),
             lambda: f.merge("a.fsdb", "a.fsdb", output="c.fsdb"), lambda: reader.get_many(keys))  # fmt: skip
    for call in calls:
        counted = 0
        ended = threading.Event()

        def count():
            nonlocal counted
            while not ended.is_set():
                counted += 1

        thread = threading.Thread(target=count)
        thread.start()
        for _ in range(3):
            call()
        ended.set()
        thread.join()
        assert counted > 0


def test_one_scan_is_not_for_two_threads():
    scan = opened(f, {f"key {number:06}": number for number in range(50_000)}).scan()
    seen, refused = [], []

    def walk():
        while True:
            try:
                seen.append(next(scan))
            except StopIteration:
                return
            except ValueError as error:
                refused.append(error)

    run_threads(walk, walk, walk)
    assert len(set(key for key, value in seen)) == len(seen) == 50_000


def test_lists_that_promise_more_than_the_bytes_hold_are_refused_at_once():
    # 1,000 lists, each in the one before, whose length says that all bytes that follow are its elements.
    levels, size = 1000, 1 << 20
    data = b"".join(b"\xdd" + (size - 5 * level).to_bytes(4, "big") for level in range(1, levels + 1))
    data += bytes(size - len(data))
    tracemalloc.start()
    with pytest.raises(f.FuseCorruptValueError):
        f._fusedb._unpack(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A word for each byte, and no more.
    assert peak < 16 * size


# ---- signals ----

LONG = """
import os, signal, sys, threading, time
import fusedb_swift as f
entries = ((f"key {number}", {"text": "x" * 200, "n": number}) for number in range(400_000))
PREPARE
def interrupt():
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=interrupt).start()
try:
    for _ in range(1000):
        CALL
except KeyboardInterrupt:
    sys.exit(17)
"""


# Two files of which each has half of the other's keys, and other objects.
TWO = """
for name, first in (('a.fsdb', 0), ('c.fsdb', 1)):
    writer = f.FuseWriter()
    writer.add_many((f"key {number}", {"n": number ^ first, "text": "x" * (number & 63)}) for number in range(first, 400_000, first + 1))
    writer.build(name)
"""


@pytest.mark.parametrize(
    ("prepare", "call"),
    [
        ("writer = f.FuseWriter(); writer.add_many(entries)", "writer.build('b.fsdb')"),
        ("writer = f.FuseWriter(); writer.add_many(entries); writer.build('a.fsdb'); db = f.FuseReader('a.fsdb')", "db.verify()"),
        ("writer = f.FuseWriter(); writer.add_many(entries); writer.build('a.fsdb'); db = f.FuseReader('a.fsdb')", "db.items()"),
        ("writer = f.FuseWriter(); writer.add_many(entries); writer.build('a.fsdb')", "f.merge('a.fsdb', output='b.fsdb')"),
        ("writer = f.FuseWriter()", "writer.add_many(entries)"),
        ("f.FuseWriter().build('a.fsdb'); db = f.FuseReader('a.fsdb'); keys = [str(number) for number in range(2_000_000)]",
         "db.get_many(keys)"),
        # What tells no progress, and takes far longer than the test waits for it.
        (TWO, "list(f.diff('a.fsdb', 'c.fsdb'))"),
        (TWO, "f.make_patch('a.fsdb', 'c.fsdb', 'b.fsdb')"),
        (TWO + "f.make_patch('a.fsdb', 'c.fsdb', 'a.patch')", "f.patch('a.fsdb', 'a.patch', 'b.fsdb')"),
        ("writer = f.FuseWriter(layout='plain'); writer.add_many(entries); writer.build('a.fsdb')", "f.FuseReader('a.fsdb')"),
    ],
    ids=["build", "verify", "items", "merge", "add_many", "get_many", "diff", "make_patch", "patch", "open a plain file"],
)
def test_control_c_ends_long_calls(prepare, call):
    script = LONG.replace("PREPARE", prepare).replace("CALL", call)
    result = subprocess.run([sys.executable, "-c", script], timeout=300, capture_output=True)
    assert (result.returncode, result.stdout, result.stderr) == (17, b"", b"")
    # What was interrupted did not go on to its end.
    assert not os.path.exists("b.fsdb")


def test_a_process_ends_while_a_watcher_runs():
    build(f, {"a": 1})
    script = (
        "import fusedb_swift as f, os\n"
        "watchers = [f.FuseWatcher('a.fsdb', interval=0.001, on_reload=lambda db: db.get('a')) for _ in range(4)]\n"
        "for watcher in watchers: watcher.start()\n"
        "for number in range(20):\n"
        "    writer = f.FuseWriter(); writer.add('a', number); writer.build('a.fsdb')\n"
    )
    result = subprocess.run([sys.executable, "-c", script], timeout=120, capture_output=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_a_child_ends_though_its_parent_watches():
    build(f, {"a": 1})
    script = (
        "import fusedb_swift as f, os, sys\n"
        "watcher = f.FuseWatcher('a.fsdb')\n"
        "watcher.start()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    assert watcher.get('a') == 1\n"
        "    watcher.stop()\n"
        "    del watcher\n"
        "    sys.exit(5)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=60)


def test_it_is_imported_again():
    script = (
        "import sys, fusedb_swift\n"
        "old = fusedb_swift.FuseReader('a.fsdb')\n"
        "for name in [name for name in sys.modules if name.startswith('fusedb_swift')]: del sys.modules[name]\n"
        "import fusedb_swift\n"
        "assert fusedb_swift.FuseReader('a.fsdb').get('a') == old.get('a') == 1\n"
    )
    build(f, {"a": 1})
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


# ---- signals ----

CUT = """
import faulthandler, os, sys
import fusedb_swift as f
if sys.argv[1] != "in-front": f.set_signals(sys.argv[1])
f.FuseReader("a.fsdb")
faulthandler.enable()
reader = f.FuseReader("a.fsdb", verify="reading")
os.truncate("a.fsdb", 4096)
for number in range(5000):
    try:
        reader.get(f"key {number}")
    except f.FuseCorruptError:
        sys.exit(7)
"""


@pytest.mark.parametrize("signals, code", [("in-front", 7), ("once", -signal.SIGBUS), ("none", -signal.SIGBUS)])
def test_a_file_that_is_cut_after_faulthandler_was_enabled(signals, code):
    build(f, {f"key {number}": number for number in range(5000)})
    result = subprocess.run([sys.executable, "-c", CUT, signals], timeout=60, capture_output=True, text=True)
    assert result.returncode == code
    assert result.stderr.count("Fatal Python error: Bus error") == (code != 7)


def test_signals_have_names():
    for wrong in ("front", None, 0):
        with pytest.raises(ValueError, match="signals must be one of|invalid|'signals'"):
            f.set_signals(wrong)


# ---- memory ----


def test_no_call_keeps_memory():
    entries = {f"key {number}": {"n": number, "text": "x" * 50} for number in range(100)} | {"10.0.0.0/8": 1, "bad": 2}
    build(f, entries, "other.fsdb")
    reader = opened(f, entries, metadata={"a": "b"})
    reloadable, pool = f.ReloadableFuseReader("a.fsdb"), f.FusePool("a.fsdb")
    writer = f.FuseWriter(shared=True, memory=64 << 20)
    calls = {
        "get": lambda: reader.get("key 5"), "default": lambda: reader.get("x", default=5), "bytes": lambda: reader.get(b"key 5"),
        "bytearray": lambda: reader.get(bytearray(b"key 5")), "wrong": lambda: reader.get(5), "item": lambda: reader["x"],
        "in": lambda: "x" in reader, "exists": lambda: reader.exists(key="key 5"), "raw": lambda: bytes(reader.get_raw("key 5")),
        "many": lambda: reader.get_many(["key 5", bytearray(b"key 6"), "x"]), "wrong many": lambda: reader.get_many(["x", 5]),
        "exists many": lambda: reader.exists_many(["x"]), "field": lambda: reader.field("key 5", "text"),
        "path": lambda: reader.path, "metadata": lambda: reader.metadata, "stats": reader.stats,
        "match": lambda: reader.longest_match("10.1.1.1"), "containing": lambda: reader.containing("10.1.1.1"),
        "suffix": lambda: reader.longest_suffix("x"), "prefix match": lambda: reader.longest_prefix("key 55"),
        "copy": lambda: reader.__copy__(), "reduce": lambda: reader.__reduce__(), "reload": reloadable.reload,
        "snapshot": reloadable.snapshot, "counters": reloadable.counters, "reloadable": lambda: reloadable.get("key 5"),
        "pool": lambda: pool.get("key 5"), "no file": lambda: f.FuseReader("nope"), "pack": lambda: writer.add_object({"a": [1, "x"]}),
        "wrong object": lambda: writer.add_object([object()]), "wrong json": lambda: writer.add_json("{"),
        "unpack": lambda: f._fusedb._unpack(b"\x82\xa1a\x01\xa2bc\x92\x01\xa1x"), "bad": lambda: f._fusedb._unpack(b"\x92\x01"),
        "repr": lambda: repr(reader), "hint": lambda: reader.scan("key 5").__length_hint__(),
    }  # fmt: skip
    slow = {
        "open": lambda: f.FuseReader("a.fsdb"), "reading": lambda: f.FuseReader("a.fsdb", "reading"), "scan": lambda: next(reader.scan()),
        "items": reader.items, "objects": reader.objects, "keys": reader.keys, "verify": reader.verify,
        "diff": lambda: list(f.diff(reader, "other.fsdb")), "reopen": lambda: f.ReloadableFuseReader("a.fsdb"),
        "swap": lambda: pool.swap("a.fsdb"), "from bytes": lambda: f.FuseReader.from_bytes(DATA), "report": lambda: f.verify("a.fsdb"),
        "build": lambda: build(f, {"a": 1}, "b.fsdb"), "merge": lambda: f.merge("a.fsdb", output="b.fsdb"),
        "watch": lambda: watch(),
    }  # fmt: skip
    DATA = pathlib.Path("a.fsdb").read_bytes()

    def watch():
        watcher = f.FuseWatcher("a.fsdb")
        watcher.start()
        watcher.stop()

    for names, warm, count in ((calls, 10_000, 100_000), (slow, 100, 400)):
        for name, call in names.items():
            for _ in range(warm):
                raised(call)
            gc.collect()
            # What other threads and the allocator take for themselves, they take once; a leak comes again.
            for _ in range(3):
                before = resident()
                for _ in range(count):
                    raised(call)
                gc.collect()
                # A byte for each call would be less than this, an object more.
                grown = resident() - before
                if grown < (1 << 20) + count * 8:
                    break
            assert grown < (1 << 20) + count * 8, f"{name}: {grown} bytes in {count} calls"


def test_signals_and_forks_leave_a_reader_alone():
    reader = opened(f, {"a": 1})
    child = os.fork()
    if child == 0:
        os._exit(0 if reader.get("a") == 1 and f.FuseReader("a.fsdb").get("a") == 1 else 1)
    deadline = time.monotonic() + 60
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert done and status == 0

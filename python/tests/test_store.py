"""fusedb_swift.store: each method, what it refuses, threads, tasks, and that nobody loads it who does not use it."""

import asyncio
import hashlib
import io
import os
import pickle
import random
import signal
import subprocess
import sys
import threading

import pytest

import fusedb_swift
from fusedb_swift import store as module
from fusedb_swift.store import AsyncStore, Store, Writer

LARGE = random.Random(1).randbytes(3_000_000)


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def store():
    return Store.create("s", chunking="512,2048,8192")


def test_nobody_loads_the_store_who_does_not_use_it():
    script = """
import sys, fusedb_swift
maps = open('/proc/self/maps').read()
assert 'libfusedb-store' not in maps and 'fusedb_swift.store' not in sys.modules and 'asyncio' not in sys.modules, maps
import fusedb_swift.store
maps = open('/proc/self/maps').read()
assert 'libfusedb-store' in maps and 'libcrypto' not in maps
fusedb_swift.store.Store.memory()
assert 'libcrypto' in open('/proc/self/maps').read()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_objects_come_back_as_they_were_put(store):
    for data in (b"", b"hello", LARGE, bytearray(b"array"), memoryview(b"view")):
        stored = store.put(data)
        assert stored == (digest(data), True, len(data), len(data))
        assert store.put(data)[:2] == (digest(data), False)
        assert store.get(stored.id) == data and store.size(stored.id) == len(data) and stored.id in store
        assert b"".join(store.pieces(stored.id)) == data
        copy = io.BytesIO()
        assert store.write_to(stored.id, copy) and copy.getvalue() == data
        assert store.write_file(stored.id, "copy") and open("copy", "rb").read() == data
    id = digest(LARGE)
    for offset, count in (0, 1), (1_000_000, 70_000), (2_999_999, 10), (5_000_000, 10), (17, None):
        expected = LARGE[offset:] if count is None else LARGE[offset : offset + count]
        assert store.get(id, offset, count) == expected == b"".join(store.pieces(id, offset, count))
    assert set(store.objects()) == {digest(data) for data in (b"", b"hello", LARGE, b"array", b"view")}
    assert sum(chunk.size for chunk in store.chunks(id)) == len(LARGE) and len(store.chunks(id)) > 100


def test_what_is_not_there_is_none_or_false(store):
    for what in ("nobody", "0" * 64, b"\xff"):
        assert store.get(what) is None and store.size(what) is None and what not in store and store.id(what) is None
        assert store.entry(what) is None and not store.write_to(what, io.BytesIO()) and not store.write_file(what, "copy")
        for call in (store.chunks, store.files, lambda what: next(store.pieces(what))):
            with pytest.raises(KeyError):
                call(what)
    assert not store.remove_name("nobody") and not store.remove("0" * 64) and not os.path.exists("copy")


def test_names_lead_to_objects_and_keep_them(store):
    id = store.put(b"hello", name="a/b").id
    assert store.entry("a/b") == ("a/b", id, False, 0, 0) and store.get("a/b") == b"hello" and store.objects() == []
    store.set_name(b"\xff bytes", id)
    assert [entry.name for entry in store.names()] == ["a/b", os.fsdecode(b"\xff bytes")]
    assert store.remove_name("a/b") and store.get(b"\xff bytes") == b"hello"
    store.remove_name(b"\xff bytes")
    assert store.gc()["removed"] == 1 and store.get(id) is None
    # What is kept needs no name.
    kept = store.put(b"kept", name="n", keep=True).id
    store.remove_name("n")
    store.gc()
    assert store.get(kept) == b"kept" and store.remove(kept) and not store.remove(kept)


def test_a_writer_makes_all_of_it_last_at_once(store, tmp_path):
    (tmp_path / "f" / "inner").mkdir(parents=True)
    (tmp_path / "f" / "a").write_bytes(b"a")
    (tmp_path / "f" / "inner" / "b").write_bytes(LARGE)
    (tmp_path / "f" / "inner" / "b").chmod(0o755)
    with store.writer() as writer:
        assert isinstance(writer, Writer)
        writer.put(b"one", name="one")
        writer.put_file(tmp_path / "f" / "a", name="file")
        writer.put_stream(io.BytesIO(LARGE), name="stream")
        writer.put_folder(tmp_path / "f", "folder")
        writer.set_name("also", digest(b"one"))
        assert store.names() == []
    assert [entry.name for entry in store.names()] == ["also", "file", "folder", "one", "stream"]
    assert [(file.name, file.size, file.mode & 0o111 != 0) for file in store.files("folder")] == [("a", 1, False), ("inner/b", len(LARGE), True)]
    with pytest.raises(ZeroDivisionError), store.writer() as writer:
        writer.put(b"never", name="never")
        writer.remove_name("one")
        1 / 0
    assert store.id("never") is None and store.id("one") is not None
    with pytest.raises(fusedb_swift.FuseValueError, match="closed"):
        writer.put(b"x")
    with store.writer() as writer:
        writer.remove_name("also")
    assert store.id("also") is None and store.verify() == []


def test_streams_may_give_less_raise_or_be_none(store):
    class Slowly(io.RawIOBase):
        place = 0

        def read(self, size=-1):
            self.place += 1000
            return LARGE[self.place - 1000 : min(self.place, 100_000)]

    assert store.put_stream(Slowly()).id == digest(LARGE[:100_000])

    class Fails:
        def read(self, size):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put_stream(Fails(), name="never")
    with pytest.raises(TypeError):
        store.put_stream(io.StringIO("text"), name="never")

    class TooMuch:
        def read(self, size):
            return bytes(size + 1)

    with pytest.raises(ValueError, match="more bytes"):
        store.put_stream(TooMuch(), name="never")

    class Refuses:
        def write(self, data):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write_to(store.put(LARGE).id, Refuses())
    assert store.id("never") is None


def test_progress_is_told_and_may_end_a_call(store):
    open("large", "wb").write(LARGE)
    told = []
    store.put_file("large", progress=told.append)
    store.write_file(digest(LARGE), "copy", progress=told.append)
    store.verify(progress=told.append)
    assert told and told[-1] == 1 and all(0 <= share <= 1 for share in told)

    def stop(share):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put_file("large", name="never", progress=stop)
    assert store.id("never") is None


def test_slips_are_said(store):
    for call, error in (
        (lambda: Store("nowhere"), FileNotFoundError), (lambda: Store.create("s"), fusedb_swift.FuseRefusedError),
        (lambda: Store.create("t", chunking="much"), ValueError), (lambda: Store.create("t", compression="zip"), ValueError),
        (lambda: store.put("text"), TypeError), (lambda: store.put(b"", to="nowhere"), ValueError),
        (lambda: store.put(b"x", chunking="fixed,1"), ValueError), (lambda: store.put(b"x", name="n" * 300), ValueError),
        (lambda: store.get("nobody", -1), ValueError), (lambda: store.set_name("n", "no id"), ValueError),
        (lambda: store.set_name("n", "0" * 64), OSError), (lambda: store.put_file("nowhere"), FileNotFoundError),
        (lambda: store.put_file("."), OSError), (lambda: store.gc(least_live=2), ValueError), (lambda: store.files(digest(b"x")), OSError),
    ):  # fmt: skip
        store.put(b"x")
        with pytest.raises((error, fusedb_swift.FuseError)) as raised:
            call()
        assert issubclass(raised.type, error) or raised.type is fusedb_swift.FuseCorruptError, raised
    assert not os.path.exists("t")
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.get("n")


def test_damage_is_an_error_and_putting_again_heals(store):
    id = store.put(LARGE).id
    pack = max((f"s/packs/{name}" for name in os.listdir("s/packs") if name.endswith(".pack")), key=os.path.getsize)
    with open(pack, "r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)
        file.seek(1_000_000)
        file.write(bytes([byte[0] ^ 1]))
    again = Store("s")
    with pytest.raises(fusedb_swift.FuseCorruptError) as raised:
        again.get(id)
    assert raised.value.path.endswith(".pack") and raised.value.offset > 900_000
    flaws = again.verify()
    assert len(flaws) == 2 and flaws[0].file.endswith(".pack") and flaws[1].lost is not None
    assert again.verify(structure=True) == []
    assert again.repair()[0].lost == flaws[1].lost
    again.put(LARGE)
    assert again.get(id) == LARGE
    # The spoilt record is still there, and nobody needs it.
    assert again.verify() == []


def test_copies_and_counts(store):
    store.put(LARGE, name="large")
    store.put(b"loose", to="loose")
    other = Store.memory()
    assert store.copy_to(other) == (2, len(LARGE) + 5) and store.copy_to(other) == (2, 0)
    assert other.get("large") == LARGE and repr(other) == "Store.memory()" and repr(store) == "Store('s')"
    stats = store.stats()
    assert (stats["names"], stats["kept"], stats["loose"]) == (1, 1, 1) and stats["logical_bytes"] == len(LARGE) + 5
    assert store.pack_loose() == 1 and store.stats()["loose"] == 0
    assert pickle.loads(pickle.dumps(store)).get("large") == LARGE
    with pytest.raises(TypeError):
        pickle.dumps(other)


def test_threads_share_a_store_and_not_a_writer(store):
    failures = []

    def work(number):
        try:
            for round in range(20):
                data = b"%d of %d" % (round, number)
                assert store.get(store.put(data).id) == data
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []

    writer = store.writer()
    begun, done = threading.Event(), threading.Event()

    class Waits:
        def read(self, size):
            begun.set()
            done.wait(60)
            return b""

    thread = threading.Thread(target=writer.put_stream, args=(Waits(),))
    thread.start()
    begun.wait(60)
    try:
        with pytest.raises(RuntimeError, match="another thread"):
            writer.put(b"x")
    finally:
        done.set()
        thread.join()
    writer.put(b"x")


def test_tasks_go_on_while_a_call_runs(store):
    async def main():
        twin = AsyncStore(store)
        ticks, goes_on = 0, True

        async def tick():
            nonlocal ticks
            while goes_on:
                ticks += 1
                await asyncio.sleep(0)

        ticker = asyncio.create_task(tick())
        await asyncio.sleep(0)
        before = ticks
        loop = asyncio.get_running_loop()

        class Waits:
            """A stream that ends once the loop has gone on."""

            read_count = 0

            def read(self, size):
                self.read_count += 1
                seen = ticks
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result(60)
                assert ticks > seen
                return b"" if self.read_count > 3 else b"piece"

        stored = await twin.put_stream(Waits(), name="stream")
        assert stored.size == 15 and ticks > before
        copy = io.BytesIO()
        assert await twin.write_to("stream", copy) and copy.getvalue() == b"piece" * 3
        goes_on = False
        await ticker
        results = await asyncio.gather(*(twin.put(b"%d" % number) for number in range(20)))
        assert [await twin.get(one.id) for one in results] == [b"%d" % number for number in range(20)]
        assert (await twin.stats())["names"] == 1 and await twin.remove_name("stream") and (await twin.gc())["waiting"] == 0

    asyncio.run(main())


def test_control_c_ends_a_long_call(store):
    class Endless:
        def read(self, size):
            return bytes(size)

    # A process that a shell began in the background ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            store.put_stream(Endless(), name="never")
    finally:
        signal.signal(signal.SIGINT, before)
    assert store.id("never") is None


def test_memory_does_not_grow_with_what_is_put(store):
    """A gigabyte that is the same every megabyte, so that the disk has one of it."""
    script = """
import resource, sys
from fusedb_swift.store import Store
store = Store(sys.argv[1])
class Stream:
    left = int(sys.argv[2])
    def read(self, size):
        count = min(size, self.left)
        self.left -= count
        return piece[:count]
piece = bytes(range(256)) * 4096
store.put_stream(Stream(), name='big')
class Sink:
    size = 0
    def write(self, data): self.size += len(data)
sink = Sink()
store.write_to('big', sink)
assert sink.size == int(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    peaks = [
        int(subprocess.run(["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", script, "s", str(size)],
                           capture_output=True, text=True, check=True).stdout)
        for size in (10 << 20, 300 << 20)
    ]
    assert peaks[1] < peaks[0] + (40 << 10), peaks


def test_what_is_exported_is_there():
    assert all(hasattr(module, name) for name in module.__all__)

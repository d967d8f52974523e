"""The adapters, by the calls that users of chunkstore, rsdos and UniCache make. Where a package is at hand, the same calls are made of it and of
ours, and give the same; where it is wrong, the test says so."""

import asyncio
import hashlib
import inspect
import io
import os
import random
import re

import chunkstore
import pytest
import rsdos

from fusedb_swift.compat import chunkstore as our_chunkstore
from fusedb_swift.compat import rsdos as our_rsdos
from fusedb_swift.compat import unicache
from fusedb_swift.store import Store

LARGE = random.Random(1).randbytes(9_000_000)
PAGES = [random.Random(number).randbytes(65536) for number in range(20)]
both_chunkstores = pytest.mark.parametrize("package", [chunkstore, our_chunkstore], ids=["0.3.0", "ours"])
both_rsdos = pytest.mark.parametrize("package", [rsdos, our_rsdos], ids=["0.1.1", "ours"])


def digest(data):
    return hashlib.sha256(data).hexdigest()


def chunks_of(data, size):
    return [digest(data[start : start + size]) for start in range(0, len(data), size)]


# --- chunkstore ------------------------------------------------------------------------------------------------------

def chunk_store(package, where):
    return package.ChunkStore.memory() if where == "memory" else package.ChunkStore.open(package.FilesystemBackend("c"))


@pytest.mark.parametrize("where", ["memory", "folder"])
@both_chunkstores
def test_chunkstore_ingests_and_reads(package, where):
    store = chunk_store(package, where)
    files = {name: LARGE[number:] for number, name in enumerate(["large", "fixed", "reader", "reader 1M", "cdc", "path"])}
    assert store.ingest("large", LARGE) == chunks_of(LARGE, 4 << 20) == store.file_digests("large")
    assert store.ingest("empty", b"") == [] and store.read("empty") == b""
    assert store.ingest("a/b ü", b"hello") == [digest(b"hello")] and store.read("a/b ü") == b"hello"
    assert store.ingest_fixed("fixed", files["fixed"], 65536) == chunks_of(files["fixed"], 65536)
    assert store.ingest_reader("reader", io.BytesIO(files["reader"])) == chunks_of(files["reader"], 4 << 20)
    assert store.ingest_reader("reader 1M", io.BytesIO(files["reader 1M"]), 1 << 20) == chunks_of(files["reader 1M"], 1 << 20)
    digests = store.ingest_cdc("cdc", files["cdc"])
    assert len(digests) > 1 and b"".join(store.read_chunk(one) for one in digests) == files["cdc"]
    open("file", "wb").write(files["path"])
    assert store.ingest_file_path("path", "file") == chunks_of(files["path"], 4 << 20)
    for file_id, data in files.items():
        assert store.read(file_id) == data == b"".join(store.iter_chunks(file_id))
        writer = io.BytesIO()
        assert store.read_to_writer(file_id, writer) is None and writer.getvalue() == data
        store.read_to_path(file_id, "copy")
        assert open("copy", "rb").read() == data
    # A file that is put again is the new one.
    store.ingest("a/b ü", b"other")
    assert store.read("a/b ü") == b"other"


def test_contents_that_are_there_may_keep_their_chunks():
    store = our_chunkstore.ChunkStore.memory()
    ways = chunks_of(LARGE, 4 << 20), chunks_of(LARGE, 65536)
    assert store.ingest("a", LARGE) == ways[0] and store.ingest_fixed("b", LARGE, 65536) in ways and store.file_digests("a") in ways
    store.delete("a")
    store.store.gc(least_live=1, pack=True)
    assert store.read("b") == LARGE and store.store.verify() == []
    store.store.gc(least_live=1, pack=True)
    assert store.read("b") == LARGE == b"".join(store.iter_chunks("b"))


@both_chunkstores
def test_chunkstore_says_what_is_missing(package):
    store = package.ChunkStore.memory()
    for call in (store.read, store.delete, store.file_digests, lambda id: list(store.iter_chunks(id)), lambda id: store.read_to_writer(id, io.BytesIO())):
        with pytest.raises(OSError, match="not found: file nobody"):
            call("nobody")
    for chunk in ("0" * 64, "no digest", "nobody"):
        with pytest.raises(OSError, match=f"not found: chunk {chunk}"):
            store.read_chunk(chunk)
    with pytest.raises(OSError, match="cannot be empty"):
        store.ingest("", b"x")
    with pytest.raises(TypeError):
        store.ingest("a", "text")


@both_chunkstores
def test_chunkstore_counts_what_files_share(package):
    store = package.ChunkStore.memory()
    assert (store.stats().total_bytes, store.stats().stored_bytes, store.stats().savings_pct) == (0, 0, 0.0)
    for number in range(10):
        store.ingest_fixed(f"f{number}", b"".join(random.Random(number).choices(PAGES, k=20)), 65536)
    stats = store.stats()
    used = {page for number in range(10) for page in random.Random(number).choices(PAGES, k=20)}
    assert (stats.total_bytes, stats.stored_bytes) == (200 * 65536, len(used) * 65536)
    assert abs(stats.savings_pct - 90) < 0.01 and "savings_pct=90.0" in repr(stats)
    for number in range(9):
        store.delete(f"f{number}")
    left = set(random.Random(9).choices(PAGES, k=20))
    assert (store.stats().total_bytes, store.stats().stored_bytes) == (20 * 65536, len(left) * 65536)
    with pytest.raises(OSError):
        store.read("f0")
    assert store.read("f9") == b"".join(random.Random(9).choices(PAGES, k=20))


@both_chunkstores
def test_chunkstore_client(package):
    client = package.ChunkClient(package.ChunkStore.memory())
    open("file", "wb").write(b"on the disk")
    assert client.upload_file("a", b"hello") == [digest(b"hello")]
    assert client.upload_file_cdc("b", b"hello") == [digest(b"hello")]
    assert client.upload_file_path("c", "file") == [digest(b"on the disk")]
    writer = io.BytesIO()
    client.download_file_to("c", writer)
    assert (client.download_file("a"), client.download_file("b"), writer.getvalue()) == (b"hello", b"hello", b"on the disk")
    client.delete_file("a")
    with pytest.raises(OSError):
        client.download_file("a")


@both_chunkstores
def test_chunkstore_keeps_files_and_keys_of_a_folder(package):
    backend = package.FilesystemBackend("c")
    package.ChunkStore.open(backend).ingest("a", b"hello")
    assert backend.put("key", b"value") is None and backend.get("key") == b"value" and backend.exists("key")
    assert backend.get("nothing") is None and not backend.exists("nothing")
    assert backend.delete("key") is None and backend.delete("key") is None and not backend.exists("key")
    again = package.ChunkStore.open(package.FilesystemBackend("c"))
    assert again.read("a") == b"hello" and again.stats().total_bytes == 5


@both_chunkstores
def test_chunkstore_async_twins(package):
    async def main():
        open("file", "wb").write(b"on the disk")
        async with package.AsyncChunkStore.open_ctx(package.FilesystemBackend("c")) as store:
            assert await store.ingest("a", LARGE) == chunks_of(LARGE, 4 << 20)
            assert await store.ingest_fixed("b", LARGE[1:], 65536) == chunks_of(LARGE[1:], 65536)
            assert await store.ingest_cdc("c", b"hello") == [digest(b"hello")]
            assert await store.ingest_file_path("d", "file") == [digest(b"on the disk")]
            assert await store.ingest_reader("e", io.BytesIO(b"stream")) == [digest(b"stream")]
            assert await store.read("a") == LARGE
            assert await store.read("b") == LARGE[1:] == b"".join([chunk async for chunk in store.iter_chunks("b")])
            writer = io.BytesIO()
            await store.read_to_writer("e", writer)
            await store.read_to_path("d", "copy")
            assert writer.getvalue() == b"stream" and open("copy", "rb").read() == b"on the disk"
            await store.delete("a")
            assert (await store.stats()).total_bytes == len(LARGE) - 1 + 5 + 11 + 6
            client = package.AsyncChunkClient(store)
            assert await client.upload_file("x", b"1") == [digest(b"1")] == await client.upload_file_cdc("y", b"1")
            assert await client.upload_file_path("z", "file") == [digest(b"on the disk")]
            assert await client.download_file("x") == b"1"
            await client.download_file_to("z", writer)
            assert writer.getvalue() == b"streamon the disk"
            await client.delete_file("x")
            with pytest.raises(OSError):
                await client.download_file("x")
        memory = await package.AsyncChunkStore.memory()
        await memory.ingest("a", b"1")
        await memory.aclose()
        opened = await package.AsyncChunkStore.open(package.FilesystemBackend("c"))
        assert await opened.read("c") == b"hello"

    asyncio.run(main())


def signature_of(function):
    return [(parameter.name, parameter.kind, parameter.default) for parameter in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("original, ours", [(chunkstore, our_chunkstore), (rsdos, our_rsdos)], ids=["chunkstore", "rsdos"])
def test_names_and_arguments_are_those_of_the_original(original, ours):
    names = set(our_chunkstore.__all__) - {"Stats"} if original is chunkstore else {"Container", "CompressMode"}
    assert not original is chunkstore or set(original.__all__) - {"ChunkStoreHandle", "__version__"} == set(our_chunkstore.__all__)
    for name in names:
        theirs, mine = getattr(original, name), getattr(ours, name)
        for method, function in vars(theirs).items():
            if not method.startswith("_") and not isinstance(function, property) and callable(getattr(theirs, method)):
                mine_of = getattr(mine, method, None)
                assert mine_of is not None or name == "AsyncS3Backend" or (name, method) == ("S3Backend", "list_chunk_keys") or name == "S3Backend", (name, method)
                if mine_of is None or not inspect.isfunction(inspect.unwrap(getattr(function, "__func__", function))):
                    continue
                expected = [(one, kind, getattr(default, "value", default)) for one, kind, default in signature_of(getattr(theirs, method))]
                assert [(one, kind, getattr(default, "value", default)) for one, kind, default in signature_of(mine_of)] == expected, (name, method)


def test_what_chunkstore_has_and_ours_has_not_says_what_to_do():
    for call in (lambda: our_chunkstore.S3Backend("bucket", endpoint_url="http://x"), lambda: our_chunkstore.AsyncS3Backend("bucket"),
                 lambda: our_chunkstore.ChunkStore.open(object())):
        with pytest.raises(NotImplementedError, match="FilesystemBackend"):
            call()
    chunkstore.ChunkStore.open(chunkstore.FilesystemBackend("theirs")).ingest("a", b"1")
    with pytest.raises(FileExistsError, match="fusedb store import"):
        our_chunkstore.ChunkStore.open(our_chunkstore.FilesystemBackend("theirs"))
    # chunkstore takes any size, and a chunk_size of 0 fills all memory.
    for size in (0, 511, (16 << 20) + 1):
        with pytest.raises(ValueError, match="512 bytes to 16 MiB"):
            our_chunkstore.ChunkStore.memory().ingest_fixed("a", b"abc", size)


def test_ours_saves_what_chunkstore_promised():
    """A byte put before 20 MB: chunkstore saves 38.5 % of both together, ours nearly half, which is all that there is to save."""
    store = our_chunkstore.ChunkStore.memory()
    data = random.Random(2).randbytes(20_000_000)
    store.ingest_cdc("a", data)
    store.ingest_cdc("b", b"x" + data)
    assert store.stats().savings_pct > 49
    assert store.list() == ["a", "b"]
    store.delete("a")
    assert store.gc()["waiting"] == 0 and store.read("b") == b"x" + data


# --- rsdos -----------------------------------------------------------------------------------------------------------

def container(package, **options):
    os.makedirs("r", exist_ok=True)
    made = package.Container("r")
    made.init_container(**options)
    return made


@both_rsdos
@pytest.mark.parametrize("compression", ["none", "zlib:+1", "zstd:-1"])
def test_rsdos_adds_and_gets(package, compression):
    objects = container(package, compression_algorithm=compression)
    assert objects.is_initialised and str(objects.get_folder()) == "r"
    loose, text = [b"hello", b"l" * 5000], b"packed " * 1000
    keys = [objects.add_object(loose[0]), objects.add_streamed_object(io.BytesIO(loose[1]))]
    packed = [objects.add_object_to_packs(text), objects.add_streamed_object_to_packs(io.BytesIO(b"p" * 300))]
    packed += objects.add_objects_to_pack([b"one", b"two", b"one"])
    packed += objects.add_objects_to_pack((b"three " * 99,), compress=True)
    contents = [*loose, text, b"p" * 300, b"one", b"two", b"one", b"three " * 99]
    assert keys + packed == [digest(data) for data in contents]
    unreadable = []
    for data in contents:
        try:
            found = objects.get_object_content(digest(data))
        except OSError as error:
            assert "corrupt deflate stream" in str(error)
            unreadable.append(data)
            continue
        assert found == data
        with objects.get_object_stream(digest(data)) as stream:
            assert stream.read() == data and stream.seek(1) == 1 and stream.read(2) == data[1:3]
    # What rsdos packed by zstd it takes for something else.
    assert bool(unreadable) == (package is rsdos and compression == "zstd:-1") and not set(unreadable) & set(loose)
    assert objects.get_object_content("0" * 64) is None and objects.get_object_content("no key") is None
    with objects.get_object_stream("0" * 64) as stream:
        assert stream is None


@both_rsdos
def test_rsdos_gets_many(package):
    objects = container(package)
    loose, packed, none = objects.add_object(b"loose"), objects.add_object_to_packs(b"packed"), "0" * 64
    keys = [loose, packed, none]
    assert objects.get_objects_content(keys) == {loose: b"loose", packed: b"packed"}
    assert objects.get_objects_content(keys, skip_if_missing=False) == {loose: b"loose", packed: b"packed", none: None}
    found, rest = objects.get_loose_objects_content_raw_rs(keys)
    assert (found, sorted(rest)) == ({loose: b"loose"}, sorted([packed, none]))
    found, rest = objects.get_loose_objects_content_raw_rs(keys, False)
    assert found == {loose: b"loose", packed: None, none: None}

    def read(streams):
        return [(key, stream and (stream.seek(0), stream.read())[1]) for key, stream in streams]

    assert read(objects.iter_objects_stream_loose(keys)) == [(loose, b"loose"), (packed, None), (none, None)]
    assert read(objects.iter_objects_stream_packs(keys)) == [(loose, None), (packed, b"packed"), (none, None)]
    for call in (objects.iter_objects_stream_loose, objects.iter_objects_stream_packs):
        with pytest.raises(ValueError, match="not found"):
            list(call([none], skip_if_missing=False))


@both_rsdos
def test_rsdos_slips(package):
    os.makedirs("r")
    objects = package.Container("r")
    assert not objects.is_initialised
    with pytest.raises(OSError, match="Uninitialized container"):
        objects.add_object(b"x")
    objects.init_container()
    with pytest.raises(RuntimeError, match="already initialized"):
        objects.init_container()
    with pytest.raises(TypeError):
        objects.add_object("text")


def test_rsdos_lists_counts_and_packs():
    """rsdos lists paths put together wrongly, counts what is loose alone, and sums up that."""
    objects = container(our_rsdos)
    keys = {objects.add_object(b"loose"), objects.add_object_to_packs(b"packed"), *objects.add_objects_to_pack([b"a", b"b"])}
    assert set(objects.list_all_objects()) == keys and objects.count_objects() == 4 and objects.get_total_size() == 13
    theirs = rsdos.Container("theirs")
    os.makedirs("theirs")
    theirs.init_container()
    theirs.add_object(b"loose")
    theirs.add_object_to_packs(b"packed")
    with pytest.raises(FileNotFoundError):
        list(theirs.list_all_objects())
    assert theirs.count_objects() == 1 and theirs.get_total_size() == 5
    assert objects.count_pack_file() == 2
    assert objects.pack_all_loose() is None and objects.count_objects() == 4
    assert objects.get_loose_objects_content_raw_rs(list(keys))[0] == {}
    objects.pack_all_loose(compress=our_rsdos.CompressMode.AUTO)
    told = []
    objects.add_objects_to_pack([b"c", b"d"], compress=our_rsdos.CompressMode.KEEP, callback=lambda action, value: told.append(action))
    assert told == ["init", "update", "update", "close"]


def test_rsdos_says_what_it_passed_over():
    """rsdos takes a hash, a length of prefixes, and does as if they were the usual ones."""
    os.makedirs("r")
    objects = our_rsdos.Container("r")
    for options in ({"hash_type": "sha1"}, {"loose_prefix_len": 3}):
        with pytest.raises(NotImplementedError):
            objects.init_container(**options)
    with pytest.raises(ValueError):
        objects.init_container(compression_algorithm="lzma:1")
    assert not objects.is_initialised
    objects.init_container(pack_size_target=1 << 20)
    key = objects.add_object(b"hello")
    objects.init_container(clear=True)
    assert objects.get_object_content(key) is None and objects.count_objects() == 0
    with pytest.raises(NotImplementedError, match="fusedb store"):
        our_rsdos.run_cli()
    os.makedirs("theirs")
    rsdos.Container("theirs").init_container()
    with pytest.raises(FileExistsError, match="fusedb store import"):
        our_rsdos.Container("theirs").init_container()


def test_an_object_stream_is_not_in_memory():
    objects = container(our_rsdos, compression_algorithm="none")
    key = objects.add_streamed_object(io.BytesIO(LARGE))
    with objects.get_object_stream(key) as stream:
        assert stream.seek(-10, io.SEEK_END) == len(LARGE) - 10 and stream.read() == LARGE[-10:]
        stream.seek(0)
        assert stream.read(100) == LARGE[:100] and stream.tell() == 100 and stream.readable() and stream.seekable()


# --- UniCache, which can't be installed from PyPI without Rust ---------------------------------------------------------

def test_unicache_keeps_files():
    open("report.pdf", "wb").write(LARGE)
    with unicache.UniCache("cache") as cache:
        id = cache.add("report.pdf")
        assert re.fullmatch(r"report_[0-9a-f]{8}_9000000_\d+", id) and cache.add("report.pdf") == id
        assert cache.add("report.pdf", file_id="mine", copy_file=True) == "mine"
        assert cache.exists(id) and not cache.exists("nobody") and sorted(cache.list_files()) == sorted([id, "mine"])
        path = cache.get("mine")
        assert path.read_bytes() == LARGE and path.parent.name == "retrieved" and cache.get("mine") != path
        assert cache.get("mine", output_dir="out").read_bytes() == LARGE
        assert cache.copy_to(id, "deep/copy.pdf").read_bytes() == LARGE
        stats = cache.stats()
        assert (stats["total_files"], stats["logical_size_bytes"], stats["block_size"]) == (2, 2 * len(LARGE), 1 << 20)
        assert stats["total_blocks"] == 9 and 1.9 < stats["deduplication_ratio"] < 2
        assert stats["space_saved_bytes"] == stats["logical_size_bytes"] - stats["physical_size_bytes"]
        assert cache.remove("mine") is True and cache.remove("mine") is False
        assert cache.gc()["waiting"] == 0 and cache.copy_to(id, "again").read_bytes() == LARGE
    # What get() wrote is gone, what copy_to() wrote is not.
    assert not path.exists() and os.path.exists("deep/copy.pdf")
    for call in (cache.get, lambda id: cache.copy_to(id, "x")):
        with pytest.raises(unicache.FileNotFoundError):
            call("nobody")
    with pytest.raises(unicache.FileNotFoundError):
        cache.add("nowhere")
    with pytest.raises(unicache.UniCacheError):
        cache.add(".")
    assert issubclass(unicache.DownloadFailedError, unicache.CacheError)


def test_unicache_functions():
    open("a", "wb").write(b"a")
    id = unicache.add_file("a", cache_dir="cache", file_id="id")
    assert id == "id" and unicache.get_file("id", "b", cache_dir="cache").read_bytes() == b"a"
    assert unicache.cache_stats(cache_dir="cache")["total_files"] == 1
    assert unicache.download("http://x", cache_dir="cache", file_id="id") == "id"
    cache = unicache.UniCache("cache")
    for call in (lambda: unicache.download("http://x", cache_dir="cache"), lambda: cache.download("http://x"),
                 lambda: unicache.download_and_store("http://x", cache._cache)):
        with pytest.raises(NotImplementedError, match="add\\(\\) it"):
            call()
    assert "add() it" in cache.download_info()["instead"]


def test_unicache_low_level():
    open("a", "wb").write(PAGES[0] * 5 + PAGES[1])
    cache = unicache.Cache(65536, "cache")
    assert cache.store_file("a") == digest(PAGES[0] * 5 + PAGES[1]) and cache.store_file("a", "id") == "id"
    cache.retrieve_file("id", "b")
    blocks, files, physical, logical = cache.get_stats()
    assert (blocks, files, logical) == (2, 2, 12 * 65536) and 2 * 65536 < physical < 3 * 65536
    cache.remove_file("id")
    for call in (lambda: cache.remove_file("id"), lambda: cache.retrieve_file("id", "b")):
        with pytest.raises(unicache.FileNotFoundError):
            call()
    os.makedirs("theirs")
    open("theirs/index.json", "w").close()
    with pytest.raises(unicache.UniCacheError, match="fusedb store import"):
        unicache.UniCache("theirs")


def test_what_the_adapters_keep_is_a_store_like_any_other():
    our_chunkstore.ChunkStore.open("c").ingest("a", b"1")
    container(our_rsdos).add_object(b"2")
    open("f", "wb").write(b"3")
    unicache.add_file("f", cache_dir="u", file_id="f")
    assert Store("c").get("a") == b"1" and Store("r").get(digest(b"2")) == b"2" and Store("u/store").get("f") == b"3"
    assert all(Store(path).verify() == [] for path in ("c", "r", "u/store"))

"""`fusedb store import`: stores that chunkstore, rsdos and disk-objectstore made themselves, and caches of UniCache's documented layout."""

import hashlib
import io
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess

import chunkstore
import disk_objectstore
import pytest
import rsdos

from conftest import BAD_DATA, DONE, NO_INPUT, USAGE
from tracing import in_parallel, traced


def noise(count, seed):
    return random.Random(seed).randbytes(count)


def prose(count, seed):
    chosen = random.Random(seed)
    words = [b"look ", b"up ", b"store ", b"chunk ", b"pack ", b"digest "]
    return b"".join(chosen.choice(words) for _ in range(count // 3))[:count]


def digest(content):
    return hashlib.sha256(content).hexdigest()


#: Among them one that is nothing, one that packs well and is unpacked to more than is handed on at once, and one of noise.
OBJECTS = [b"", b"hello", prose(3_000, 1), prose(2_500_000, 2), noise(1_300_000, 3), noise(40, 4), prose(70_000, 5)]
#: Ids that are paths, too.
NAMES = ["empty", "greeting", "a/b/prose", "big prose", "größe", "gro\u0308ße", "a.5.tmp"]
FILES = dict(zip(NAMES, OBJECTS))


# --- The sources -----------------------------------------------------------------------------------------------------

def make_chunkstore(folder):
    store = chunkstore.ChunkStore.open(chunkstore.FilesystemBackend(folder))
    for number, (name, content) in enumerate(FILES.items()):
        if number % 3 == 0:
            store.ingest(name, content)
        elif number % 3 == 1:
            store.ingest_cdc(name, content)
        else:
            store.ingest_fixed(name, content, 65536)
    # What a writer that was killed leaves: a file that is not whole, and counts that are not so.
    (folder / "_manifest" / "greeting.17.tmp").write_bytes(b'{"dig')
    (folder / "_refcount" / "__index__").write_bytes(b"[")


def make_rsdos(compression):
    def make(folder):
        folder.mkdir()
        container = rsdos.Container(folder)
        container.init_container(compression_algorithm=compression)
        container.add_objects_to_pack(OBJECTS[:3], compress=True)
        container.add_objects_to_pack(OBJECTS[3:5], compress=False)
        for content in OBJECTS[5:]:
            container.add_object(content)
        # One that is in both places.
        container.add_object(OBJECTS[1])
        (folder / "sandbox" / "half.tmp").write_bytes(b"half")

    return make


def make_disk_objectstore(folder):
    container = disk_objectstore.Container(folder)
    container.init_container(compression_algorithm="zlib+9", pack_size_target=1_000_000)
    container.add_objects_to_pack(OBJECTS[:4], compress=True)
    container.add_objects_to_pack(OBJECTS[4:5], compress=False)
    for content in OBJECTS[5:]:
        container.add_object(content)
    container.close()


def write_unicache(folder, files, block_size=1 << 16):
    """A cache as UniCache 0.1.1 writes it: blocks one after the other, an index that is a list of two objects. Where blocks are called by their
    BLAKE3 another digest stands here, for nothing compares them."""
    folder.mkdir(exist_ok=True)
    blocks, entries = {}, {}
    with open(folder / "blocks.bin", "wb") as data:
        for name, content in files.items():
            listed = []
            for start in range(0, len(content), block_size):
                block = content[start : start + block_size]
                name_of_block = hashlib.blake2s(block).digest()
                listed.append(list(name_of_block))
                known = blocks.setdefault(name_of_block.hex(), {"offset": data.tell(), "size": len(block), "ref_count": 0})
                known["ref_count"] += 1
                if known["ref_count"] == 1:
                    data.write(block)
            entries[f"id-{name}"] = {"blocks": listed, "size": len(content), "name": name}
    (folder / "index.json").write_text(json.dumps([blocks, entries]))


def make_unicache(folder):
    write_unicache(folder, FILES)


SOURCES = {
    "chunkstore": make_chunkstore,
    "rsdos, zlib": make_rsdos("zlib:+1"),
    "rsdos, zstd": make_rsdos("zstd:-1"),
    "rsdos, none": make_rsdos("none"),
    "disk-objectstore": make_disk_objectstore,
    "unicache": make_unicache,
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    for name, make in SOURCES.items():
        make(folder / name)
    return folder


@pytest.fixture
def store(command, tmp_path):
    command("store", "init", tmp_path / "s", code=DONE)
    return tmp_path / "s"


def peak_of(command, store, folder):
    """What an import says, begun by a small process: the system counts the memory of who begins a program, too."""
    words = ["sh", "-c", '"$@"; exit $?', "sh", command.path, "store", "import", folder, "-C", store, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env=command.environment)
    assert done.returncode == DONE, done.stderr
    return json.loads(done.stdout)


def taken(command, store, *words, code=DONE):
    """What the import says: its report, and the damage that it lists."""
    result = command("store", "import", *words, "-C", store, "--json", code=code)
    said = [json.loads(line) for line in result.lines]
    return said[-1], [line for line in said if line["kind"] == "damage"]


def listed(command, store):
    """Names, and objects without one."""
    said = [json.loads(line) for line in command("store", "ls", "-C", store, "--json", code=DONE).lines]
    return {one["name"]: one["id"] for one in said if one["name"] is not None}, {one["id"] for one in said if one["name"] is None}


def content_of(command, store, name):
    return command("store", "cat", name, "-C", store, code=DONE).out


def tree_of(folder):
    return {path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()}


# --- What comes of them ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", SOURCES)
def test_all_of_it_comes_over_and_the_source_stays_as_it_is(command, originals, store, tmp_path, name):
    before = tree_of(originals / name)
    kind = name.split(",")[0]
    report, damage = taken(command, store, originals / name)
    assert (report["from"], report["damaged"], damage) == ("rsdos" if "store" in kind and kind[0] == "d" else kind, 0, [])
    assert tree_of(originals / name) == before
    names, objects = listed(command, store)
    if kind in ("chunkstore", "unicache"):
        expected = {id: digest(content) for id, content in FILES.items()}
        if kind == "unicache":
            expected |= {f"id-{id}": value for id, value in expected.items()}
            assert "BLAKE3" in report["unchecked"]
        assert names == expected and objects == set()
        command("store", "export", tmp_path / "out", "-C", store, "-q", code=DONE)
        written = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
        assert {id: content for id, content in written.items() if id in FILES} == FILES and set(written) == set(expected)
    else:
        assert names == {} and objects == {digest(content) for content in OBJECTS}
        for content in OBJECTS:
            assert content_of(command, store, digest(content)) == content
    # Once more, by the name of its kind: nothing is new, and nothing changes.
    again, _ = taken(command, store, kind, originals / name)
    assert again["objects"] == report["objects"] and again["new_bytes"] == 0
    assert listed(command, store) == (names, objects)
    command("store", "gc", "-C", store, code=DONE)
    command("store", "verify", "-C", store, code=DONE)
    assert listed(command, store) == (names, objects)


def test_names_that_lead_elsewhere_are_not_taken_without_a_word(command, originals, store, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    command("store", "add", tmp_path / "mine", "--name", "greeting", "-C", store, code=DONE)
    refused = command("store", "import", originals / "chunkstore", "-C", store, code=BAD_DATA)
    assert "'greeting' leads to" in refused.errors and "--overwrite" in refused.errors
    assert content_of(command, store, "greeting") == b"mine"
    report, _ = taken(command, store, originals / "chunkstore", "--name", "old/")
    assert report["names"] == len(FILES) and content_of(command, store, "old/greeting") == b"hello"
    assert content_of(command, store, "greeting") == b"mine"
    taken(command, store, originals / "chunkstore", "--overwrite")
    assert content_of(command, store, "greeting") == b"hello"


def test_two_files_of_one_name_are_kept_by_their_ids(command, store, tmp_path):
    write_unicache(tmp_path / "u", {"a": b"1", "b": b"2"})
    text = (tmp_path / "u" / "index.json").read_text().replace('"name": "b"', '"name": "a"')
    (tmp_path / "u" / "index.json").write_text(text)
    taken(command, store, tmp_path / "u")
    names, _ = listed(command, store)
    assert names == {"id-a": digest(b"1"), "id-b": digest(b"2"), "a": digest(b"1")}


def test_an_import_that_is_killed_or_fails_at_any_call_can_be_made_again(command, tmp_path):
    """Killed at one call, an error at the next; also where the import replaces what a name leads to."""
    files = {"a": b"new a", "b/c": noise(9_000, 1), "d": prose(9_000, 2)}
    source = tmp_path / "c"
    for name, content in files.items():
        chunkstore.ChunkStore.open(chunkstore.FilesystemBackend(source)).ingest_fixed(name, content, 4096)
    (tmp_path / "a").write_bytes(b"old a")
    command("store", "init", tmp_path / "s", code=DONE)
    command("store", "add", tmp_path / "a", "--name", "a", "-C", tmp_path / "s", code=DONE)
    words = ["store", "import", str(source), "-C", "s", "--overwrite"]
    numbers = iter(range(10_000))

    def copy():
        folder = tmp_path / f"copy{next(numbers)}"
        shutil.copytree(tmp_path / "s", folder / "s")
        return folder

    first = traced(command, words, copy())
    assert first.code == DONE
    calls = [call for call in first.calls if call.is_change and not call.is_for_people]
    assert len(calls) > 20

    def spoil(work):
        number, call = work
        folder = copy()
        how = "signal=SIGKILL" if number % 2 else "error=ENOSPC"
        result = traced(command, words, folder, [call.inject(how)])
        assert number % 2 or result.code == DONE or result.err.startswith("fusedb:")
        assert content_of(command, folder / "s", "a") in (b"old a", b"new a")
        assert command("store", *words[1:], cwd=folder).code == DONE
        command("store", "gc", "-C", folder / "s", code=DONE)
        assert command("store", "cat", *files, "-C", folder / "s", code=DONE).out == b"".join(files.values())
        command("store", "verify", "-C", folder / "s", code=DONE)
        shutil.rmtree(folder)

    in_parallel(spoil, list(enumerate(calls)))


def test_what_is_no_store_is_said(command, originals, store, tmp_path):
    (tmp_path / "empty").mkdir()
    said = command("store", "import", tmp_path / "empty", "-C", store, code=NO_INPUT).errors
    assert all(kind in said for kind in ("chunkstore", "rsdos", "disk-objectstore", "unicache"))
    command("store", "import", tmp_path / "nowhere", "-C", store, code=NO_INPUT)
    assert "no file 'config.json'" in command("store", "import", "rsdos", tmp_path / "empty", "-C", store, code=NO_INPUT).errors
    assert "'tarball'" in command("store", "import", "tarball", tmp_path / "empty", "-C", store, code=USAGE).errors
    shutil.copytree(originals / "disk-objectstore", tmp_path / "sha1")
    config = json.loads((tmp_path / "sha1" / "config.json").read_text())
    for change, word in ({"hash_type": "sha1"}, "sha1"), ({"container_version": 2}, "version 2"):
        (tmp_path / "sha1" / "config.json").write_text(json.dumps(config | change))
        assert word in command("store", "import", tmp_path / "sha1", "-C", store, code=BAD_DATA).errors


# --- The index of a container, while others write to it --------------------------------------------------------------

def writes_below(trace, folder):
    """Calls in the trace of `strace` that make, change or remove something below the folder, or open it for that. SQLite opens a log so that it
    could write, and does not."""
    opens = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
    calls = re.compile(r"^\d+ +(unlink|rename|link|symlink|mkdir|rmdir|truncate|ftruncate|fallocate|chmod|utime|write|pwrite|pwritev)")
    return [line for line in trace.splitlines() if str(folder) in line
            and (calls.search(line) or opens.search(line) and "packs.idx-wal\"" not in line)]


def test_an_index_in_use_is_read_with_its_log_and_nothing_is_written(command, store, tmp_path):
    folder = tmp_path / "live"
    container = disk_objectstore.Container(folder)
    container.init_container()
    container.add_objects_to_pack([b"before"], compress=True)
    # Another program has the database open, and has put a row into the log alone.
    writer = sqlite3.connect(folder / "packs.idx")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    extra = prose(500, 9)
    with open(folder / "packs" / "0", "ab") as pack:
        place = pack.seek(0, io.SEEK_END)
        pack.write(extra)
    add = "INSERT INTO db_object (hashkey, compressed, size, offset, length, pack_id) VALUES (?, 0, ?, ?, ?, 0)"
    writer.execute(add, (digest(extra), len(extra), place, len(extra)))
    writer.commit()
    # And is in the middle of another.
    writer.execute(add, (digest(b"not there"), 9, place, 9))
    assert (folder / "packs.idx-wal").stat().st_size > 0
    before = tree_of(folder)
    trace = tmp_path / "trace"
    done = subprocess.run(
        ["strace", "-f", "-y", "-o", trace, "-e", "trace=%file,%desc", command.path, "store", "import", folder, "-C", store],
        capture_output=True, text=True, env=command.environment)
    assert done.returncode == DONE, done.stderr
    assert writes_below(trace.read_text(), folder) == []
    assert tree_of(folder) == before
    assert listed(command, store)[1] == {digest(b"before"), digest(extra)}
    writer.rollback()
    writer.close()
    container.close()


def test_a_loose_object_that_is_packed_meanwhile_is_found_in_its_pack(command, originals, store, tmp_path):
    """As if it went between the list of loose objects and its turn: a link that leads nowhere is listed, and can't be opened."""
    shutil.copytree(originals / "disk-objectstore", tmp_path / "source")
    for content in (FILES["greeting"], b"in no pack"):
        loose(tmp_path / "source", content).parent.mkdir(exist_ok=True)
        loose(tmp_path / "source", content).symlink_to("nowhere")
    assert digest(b"in no pack") in command("store", "import", tmp_path / "source", "-C", store, code=BAD_DATA).errors
    report, told = taken(command, store, tmp_path / "source", "--skip-damaged")
    assert [one["what"] for one in told] == [digest(b"in no pack")] and "no pack has it" in told[0]["message"]
    assert listed(command, store)[1] == {digest(content) for content in OBJECTS}


def test_a_log_that_a_killed_program_left_is_read(command, store, tmp_path):
    folder = tmp_path / "killed"
    script = f"""
import disk_objectstore, os
container = disk_objectstore.Container({str(folder)!r})
container.init_container()
container.add_objects_to_pack([b"in the log"], compress=False)
os._exit(0)
"""
    subprocess.run([shutil.which("python3", path=os.path.dirname(os.sys.executable)), "-c", script], check=True)
    assert (folder / "packs.idx-wal").stat().st_size > 0
    before = tree_of(folder)
    taken(command, store, folder)
    assert tree_of(folder) == before and listed(command, store)[1] == {digest(b"in the log")}
    # Without the file that its users share, it could not be read without writing one.
    (folder / "packs.idx-shm").unlink()
    assert "packs.idx-shm" in command("store", "import", folder, "-C", store, code=BAD_DATA).errors


def test_without_sqlite_it_says_what_to_install_and_other_kinds_need_none(command, originals, store, tmp_path):
    found = subprocess.run(["sh", "-c", "ldconfig -p || /sbin/ldconfig -p"], capture_output=True, text=True).stdout
    library = re.search(r"libsqlite3\.so\.0 .*=> (\S+)", found)[1]
    paths = {library, os.path.realpath(library), library.replace("/lib/", "/usr/lib/", 1), f"/usr{library}"}
    trace = tmp_path / "trace"
    hidden = ["strace", "-f", "-o", trace, *(word for path in paths for word in ("-P", path)), "-e", "trace=openat",
              "-e", "inject=openat:error=ENOENT", command.path, "store", "import", "-C", store]
    done = subprocess.run([*hidden, originals / "disk-objectstore"], capture_output=True, text=True, env=command.environment)
    assert done.returncode == NO_INPUT and "libsqlite3-0" in done.stderr, done.stderr
    assert "ENOENT" in trace.read_text()
    for name in ("chunkstore", "unicache"):
        done = subprocess.run([*hidden, originals / name], capture_output=True, text=True, env=command.environment)
        assert done.returncode == DONE and "sqlite" not in trace.read_text()
        command("store", "rm", *listed(command, store)[0], "-C", store, code=DONE)


# --- Damage ----------------------------------------------------------------------------------------------------------

def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def cut(path, count):
    path.write_bytes(path.read_bytes()[:count])


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def manifest(folder, name):
    return folder / "_manifest" / name


def chunk_of(folder, name, number=0):
    return folder / json.loads(manifest(folder, name).read_text())["digests"][number]


def loose(folder, content):
    return folder / "loose" / digest(content)[:2] / digest(content)[2:]


def row(folder, content):
    """Where a pack has an object."""
    with sqlite3.connect(folder / "packs.idx") as index:
        return index.execute("SELECT pack_id, offset, length FROM db_object WHERE hashkey = ?", (digest(content),)).fetchone()


def change_row(folder, content, column, value):
    index = sqlite3.connect(folder / "packs.idx")
    assert index.execute(f"UPDATE db_object SET {column} = ? WHERE hashkey = ?", (value, digest(content))).rowcount == 1
    index.commit()
    index.close()


def flip_in_pack(folder, content):
    pack, offset, length = row(folder, content)
    flip(folder / "packs" / str(pack), offset + length // 2)


def damage_index_of_unicache(change):
    def damage(folder):
        index = json.loads((folder / "index.json").read_text())
        change(index)
        (folder / "index.json").write_text(json.dumps(index))

    return damage


def out_of_file(index):
    name = bytes(index[1]["id-a/b/prose"]["blocks"][0]).hex()
    index[0][name]["offset"] = 1 << 62


def forget_block(index):
    del index[0][bytes(index[1]["id-a/b/prose"]["blocks"][0]).hex()]


#: The source, what is done to it, which objects are gone then, what is said, and whether the objects are all that is told of.
PROSE, BIG, NOISE = "a/b/prose", "big prose", "größe"
DAMAGE = {
    "a chunk with a flipped bit": ("chunkstore", lambda f: flip(chunk_of(f, NOISE), 70_000), [NOISE], "than its digest says"),
    "a chunk that is missing": ("chunkstore", lambda f: chunk_of(f, PROSE).unlink(), [PROSE], "a chunk is missing"),
    "a chunk that was cut": ("chunkstore", lambda f: cut(chunk_of(f, PROSE), 10), [PROSE], "than its digest says"),
    "a chunk that is a folder": ("chunkstore", lambda f: (chunk_of(f, PROSE).unlink(), chunk_of(f, PROSE).mkdir()), [PROSE], "regular file"),
    "a torn manifest": ("chunkstore", lambda f: cut(manifest(f, PROSE), 40), [PROSE], "ends in the middle"),
    "a manifest of another length": ("chunkstore", lambda f: replace(manifest(f, PROSE), "3000", "3001"), [PROSE], "manifest says 3001"),
    "a manifest that leads out of the folder": (
        "chunkstore", lambda f: replace(manifest(f, PROSE), chunk_of(f, PROSE).name, "../../../etc/passwd"), [PROSE], "is no SHA-256"),
    "a manifest that is missing": ("chunkstore", lambda f: manifest(f, PROSE).unlink(), [PROSE], "its manifest is missing"),
    "a torn list of files": ("chunkstore", lambda f: cut(manifest(f, "__index__"), 12), [], "ends in the middle"),
    "a raw object with a flipped bit": ("rsdos, zlib", lambda f: flip_in_pack(f, FILES[NOISE]), [NOISE], "have the SHA-256"),
    "zlib data with a flipped bit": ("disk-objectstore", lambda f: flip_in_pack(f, FILES[PROSE]), [PROSE], ""),
    "zstd data with a flipped bit": ("rsdos, zstd", lambda f: flip_in_pack(f, FILES[PROSE]), [PROSE], ""),
    "a row that leads out of the pack": (
        "rsdos, zlib", lambda f: change_row(f, FILES[PROSE], "offset", 1 << 40), [PROSE], "the index says that it has"),
    "a row before the pack": ("rsdos, zlib", lambda f: change_row(f, FILES[PROSE], "offset", -1), [PROSE], "the index says that it has"),
    "a row that says less than comes out": (
        "disk-objectstore", lambda f: change_row(f, FILES[BIG], "size", 1000), [BIG], "which the index says"),
    "a row that says more than comes out": (
        "disk-objectstore", lambda f: change_row(f, FILES[PROSE], "size", 1 << 50), [PROSE], "come out, and the index says"),
    "a row under what is no digest": ("rsdos, zlib", lambda f: change_row(f, FILES[PROSE], "hashkey", "../x"), [PROSE], "no SHA-256"),
    "a row under another digest": (
        "rsdos, zlib", lambda f: change_row(f, FILES[PROSE], "hashkey", digest(b"other")), [PROSE], "have the SHA-256"),
    "a loose object with a flipped bit": ("rsdos, zlib", lambda f: flip(loose(f, FILES["a.5.tmp"]), 9), ["a.5.tmp"], "have the SHA-256"),
    "a loose object that is a folder": (
        "disk-objectstore", lambda f: (loose(f, FILES["a.5.tmp"]).unlink(), loose(f, FILES["a.5.tmp"]).mkdir()), ["a.5.tmp"], "regular file"),
    "an index that is none": (
        "disk-objectstore", lambda f: (f / "packs.idx").write_bytes(b"no database" * 1000), NAMES[:5], "SQLite can't read"),
    "an index with other tables": (
        "disk-objectstore", lambda f: ((f / "packs.idx").unlink(), sqlite3.connect(f / "packs.idx").execute("CREATE TABLE t (x)")),
        NAMES[:5], "no such table"),
    "packs that are missing": ("disk-objectstore", lambda f: shutil.rmtree(f / "packs"), NAMES[:5], "is missing, or can't be read"),
    "a torn index": ("unicache", lambda f: cut(f / "index.json", 100), NAMES, "ends in the middle"),
    "a block out of the file": ("unicache", damage_index_of_unicache(out_of_file), [PROSE], "the file has"),
    "a block that is nowhere": ("unicache", damage_index_of_unicache(forget_block), [PROSE], "does not say where its block"),
    "a file of another length": (
        "unicache", damage_index_of_unicache(lambda i: i[1][f"id-{PROSE}"].update(size=1)), [PROSE], "the index says 1"),
    "a block called by 33 numbers": (
        "unicache", damage_index_of_unicache(lambda i: i[1][f"id-{PROSE}"]["blocks"][0].append(0)), [PROSE], "32 numbers"),
    "a block called by large numbers": (
        "unicache", damage_index_of_unicache(lambda i: i[1][f"id-{PROSE}"]["blocks"][0].__setitem__(3, 256)), [PROSE], "32 numbers"),
    "blocks that were cut": ("unicache", lambda f: cut(f / "blocks.bin", 2_000), NAMES[2:], "the file has 2000"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_told_ends_the_import_or_is_passed_over(command, originals, store, tmp_path, case):
    name, damage, lost, message = DAMAGE[case]
    source = tmp_path / "source"
    shutil.copytree(originals / name, source)
    damage(source)
    ended = command("store", "import", source, "-C", store, code=BAD_DATA)
    assert ended.text.startswith("damaged: ") and message in ended.text and ended.text.count("\n") == 1
    assert "--skip-damaged" in ended.errors
    report, told = taken(command, store, source, "--skip-damaged")
    assert report["damaged"] == len(told) > 0
    assert all(message in one["message"] or len(told) > 1 for one in told) and any(message in one["message"] for one in told)
    sound = {id: content for id, content in FILES.items() if id not in lost}
    if name in ("chunkstore", "unicache"):
        assert {id for id in listed(command, store)[0] if not id.startswith("id-")} == set(sound)
    else:
        assert listed(command, store)[1] == {digest(content) for content in sound.values()}
    for id, content in sound.items():
        assert content_of(command, store, id if name in ("chunkstore", "unicache") else digest(content)) == content
    command("store", "gc", "-C", store, code=DONE)
    command("store", "verify", "-C", store, code=DONE)


def test_a_name_that_is_too_long_is_told_and_its_object_kept(command, store, tmp_path):
    long = "ü" * 60
    chunkstore.ChunkStore.open(chunkstore.FilesystemBackend(tmp_path / "c")).ingest(long, b"kept")
    assert "too long" in command("store", "import", tmp_path / "c", "-C", store, code=BAD_DATA).text
    taken(command, store, tmp_path / "c", "--skip-damaged")
    assert listed(command, store) == ({}, {digest(b"kept")})


def test_spoilt_bytes_of_lists_and_indexes_are_told_and_give_no_wrong_file(command, tmp_path):
    """A manifest and an index of UniCache, cut or with a bit flipped; an SQLite index with bits flipped."""
    files = {"a": b"first", "b": noise(100, 1)}
    write_unicache(tmp_path / "u", files, block_size=64)
    chunkstore.ChunkStore.open(chunkstore.FilesystemBackend(tmp_path / "c")).ingest_fixed("b", files["b"], 64)
    container = disk_objectstore.Container(tmp_path / "d")
    container.init_container()
    container.add_objects_to_pack(list(files.values()), compress=True)
    container.close()
    command("store", "init", tmp_path / "empty", code=DONE)
    chosen = random.Random(1)
    work = []
    for place in (tmp_path / "u" / "index.json", tmp_path / "c" / "_manifest" / "b"):
        size = place.stat().st_size
        work += [(place, "cut", number) for number in range(0, size, max(1, size // 20))]
        work += [(place, "flip", chosen.randrange(8 * size)) for _ in range(25)]
    index = tmp_path / "d" / "packs.idx"
    # Where something is: most of the file is zeros.
    filled = [number for number, byte in enumerate(index.read_bytes()) if byte]
    work += [(index, "flip", 8 * chosen.choice(filled) + chosen.randrange(8)) for _ in range(25)]

    def spoil(one):
        place, how, number = one
        number_of_work = work.index(one)
        folder = tmp_path / f"w{number_of_work}"
        source = tmp_path / place.relative_to(tmp_path).parts[0]
        shutil.copytree(source, folder / "source")
        spoilt = folder / "source" / place.relative_to(source)
        content = bytearray(spoilt.read_bytes())
        if how == "cut":
            content = content[:number]
        else:
            content[number // 8] ^= 1 << number % 8
        spoilt.write_bytes(content)
        store = folder / "s"
        shutil.copytree(tmp_path / "empty", store)
        result = command("store", "import", {"u": "unicache", "c": "chunkstore", "d": "rsdos"}[source.name], folder / "source", "-C", store,
                         "--skip-damaged", "--json")
        said = [json.loads(line) for line in result.lines]
        names, objects = listed(command, store)
        wrong = [id for id in {*names.values(), *objects} if id not in map(digest, files.values())]
        # Without BLAKE3 another block of the same length may take the place of one.
        assert source.name == "u" or wrong == [], one
        if result.code == DONE and said[-1]["damaged"] == 0 and source.name != "u":
            assert len(objects) == 2 if source.name == "d" else set(names.values()) == {digest(files["b"])}, one
        if how == "cut" and source.name != "d":
            assert any(line["kind"] == "damage" for line in said), one
        shutil.rmtree(folder)

    in_parallel(spoil, work)


# --- Memory ----------------------------------------------------------------------------------------------------------

def test_memory_does_not_grow_with_the_list_of_chunks(command, store, tmp_path):
    """Files of very many chunks: 60,000 of chunkstore, 120,000 of UniCache, whose index is 30 MB then."""
    peaks = {}
    for count in (1_000, 60_000):
        folder = tmp_path / f"c{count}"
        (folder / "_manifest").mkdir(parents=True)
        chunk = noise(512, 1)
        (folder / digest(chunk)).write_bytes(chunk)
        (folder / "_manifest" / f"many{count}").write_text(
            json.dumps({"digests": [digest(chunk)] * count, "file_bytes": len(chunk) * count}))
        peaks["chunkstore", count] = peak_of(command, store, folder)
        folder = tmp_path / f"u{count}"
        folder.mkdir()
        (folder / "blocks.bin").write_bytes(bytes(64))
        blocks = {hashlib.sha256(b"%d" % number).digest(): {"offset": 0, "size": 64, "ref_count": 1} for number in range(2 * count)}
        entry = {"blocks": [list(block) for block in blocks], "size": 128 * count, "name": f"u{count}"}
        (folder / "index.json").write_text(json.dumps([{block.hex(): place for block, place in blocks.items()}, {f"u{count}": entry}]))
        peaks["unicache", count] = peak_of(command, store, folder)
    for kind in ("chunkstore", "unicache"):
        less, more = peaks[kind, 1_000], peaks[kind, 60_000]
        assert more["bytes"] == 60 * less["bytes"]
        assert more["peak_memory"] < less["peak_memory"] + (40 << 20) < 100 << 20, (less, more)

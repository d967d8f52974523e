"""`fusedb store` is killed, or a system call fails, at any call that changes a file: what was acknowledged is there, whole, and nothing of it stays for ever.

strace kills before a call is done; what is there after it is there before the next. `make test` tries each call of the commands that came later in one
of three ways, and `make store-calls`, which `make endure` does, in all.
"""

import errno
import itertools
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import chunkstore
import pytest

from conftest import DONE
from test_store import digest, noise, prose, settle
from tracing import in_parallel, traced

IS_WHOLE = os.environ.get("FUSEDB_STORE_CALLS") == "all"

#: What stands in a store before something happens to it: kept, by their digests.
KEPT = [prose(300, 1), noise(3_000, 2), noise(60_000, 3), b""]
NAMED = noise(50_000, 4)
FOLDER = {"a.txt": b"hello\n", "b/c.bin": noise(20_000, 5), "b/d.txt": prose(2_000, 6)}
LOOSE = prose(5_000, 7)
NEW = noise(70_000, 8)
IMPORTED = {"one": noise(9_000, 20), "two": prose(9_000, 21)}
#: Versions of a name: of this one, chunks that packs later hold after those of the version before.
TEXTS = [noise(12_000, 30), noise(6_000, 30) + b"changed" + noise(12_000, 30)[6_000:]]


def table(version):
    """Lines that a look-up file is built of; each version has a few others than the one before."""
    return "".join(
        json.dumps({"key": f"key {number}", "value": noise(60, 7 * number + (version if number % 40 == version else 0)).hex()}) + "\n"
        for number in range(120)
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A command in a folder with the store `s`, and what it may take away."""

    words: str
    #: Which of the stores of `material` it is.
    base: str = "plain"
    lacks: tuple[str, ...] = ()
    #: The store is damaged: what is there can be asked for once the command was done.
    is_damaged: bool = False
    #: In `make test`, every so manieth call is tried in each way.
    every: int = 6
    #: Whether a second time is an error: what it takes away is gone.
    is_once: bool = False
    #: What it makes, of the folder and of the names there: the contents when it is done, and, while it is not, what else may be there.
    files: Callable[[dict], dict] = lambda known: {}
    #: Whether files are written where they stand in the end: of one who dies, a part may be there.
    is_in_place: bool = False
    #: Names that lead to something when it was done.
    names: Callable[[dict], dict] = lambda known: {}
    #: Where these names are.
    store: str = "s"


#: A command of the store with another way of writing files needs a line here.
CASES = {
    "add kept": Case("add new", every=1),
    "add named": Case("add new --name n/named", every=1, names=lambda known: {"n/named": NEW}),
    "add loose": Case("add loose2 --to loose", every=1),
    "add folder": Case("add tree --name tree", every=1),
    "remove a name": Case("rm n/named", lacks=("n/named",), every=1, is_once=True),
    "remove kept": Case("rm " + digest(KEPT[2]), lacks=(digest(KEPT[2]),), every=1, is_once=True),
    "collect": Case("gc", every=1),
    "pack": Case("pack --live 100", every=1),
    "repair": Case("verify --repair", every=1),
    "add a version": Case("add table3 --name table", "versions", names=lambda known: {"table": known["table3"], "table@3": known["table3"]}),
    "add a first version": Case("add new --name n/named --versions", names=lambda known: {"n/named@1": NAMED, "n/named@2": NEW}),
    "collect versions": Case("gc --live 100", "versions"),
    "pack deep": Case("pack --deep", "versions"),
    "remove versions": Case("rm text", "versions", lacks=("text",), is_once=True),
    "copy": Case("copy other", "versions", names=lambda known: known["versions"], store="other"),
    "copy plain": Case("copy other", names=lambda known: {"n/named": NAMED}, store="other"),
    "import": Case("import chunkstore", names=lambda known: IMPORTED),
    "repair damage": Case("verify --repair", "damaged", is_damaged=True),
    "repair versions": Case("verify --repair", "damaged versions", is_damaged=True),
    "get": Case("get n/named -o out", files=lambda known: {"out": NAMED}),
    "get over a file": Case("get n/named -o out2 --overwrite", files=lambda known: {"out2": NAMED}),
    "get a version": Case("get table@2 -o out", "versions", files=lambda known: {"out": known["versions"]["table@2"]}),
    "get folder": Case("get tree -o out3", is_in_place=True, files=lambda known: {f"out3/{name}": content for name, content in FOLDER.items()}),
    "export": Case("export out4", is_in_place=True, files=lambda known: {f"out4/tree/{name}": content for name, content in FOLDER.items()} | {"out4/n/named": NAMED}),
}


@pytest.fixture(scope="module")
def material(command, tmp_path_factory):
    """A folder for each base: files to add, and stores with something of every kind."""
    folder = tmp_path_factory.mktemp("store")
    files = folder / "files"
    files.mkdir()
    for number, content in enumerate(KEPT):
        (files / f"kept{number}").write_bytes(content)
    for name, content in {"named": NAMED, "loose": LOOSE, "loose2": b"loose, and new", "new": NEW, "dead": noise(90_000, 9), "out2": b"old"}.items():
        (files / name).write_bytes(content)
    for name, content in FOLDER.items():
        (files / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (files / "tree" / name).write_bytes(content)
    for number, content in enumerate(TEXTS):
        (files / f"text{number + 1}").write_bytes(content)
    for number in (1, 2, 3):
        (files / "lines.ndjson").write_text(table(number))
        command("build", files / f"table{number}", files / "lines.ndjson", "--key", "key", code=DONE)
    source = chunkstore.ChunkStore.open(chunkstore.FilesystemBackend(files / "chunkstore"))
    for name, content in IMPORTED.items():
        source.ingest(name, content)

    def make(name, *lines):
        shutil.copytree(files, folder / name)
        (folder / name / "s").mkdir()
        for line in ["init . --chunk 512,2048,8192 --pack-size 64K", *lines]:
            words = [str(folder / name / word.removeprefix("@")) if word.startswith("@") else word for word in line.split()]
            command("store", *words, cwd=folder / name / "s", code=DONE)
        command("store", "init", folder / name / "other", code=DONE)
        command("store", "add", files / "kept1", "-C", folder / name / "other", code=DONE)

    plain = [
        f"add {' '.join(f'@kept{number}' for number in range(len(KEPT)))} -C .", "add @named --name n/named -C .", "add @tree --name tree -C .",
        "add @loose --to loose -C .", "add @dead -C .", f"rm {digest(noise(90_000, 9))} -C .",
    ]  # fmt: skip
    versions = [f"add @{name}{number} --name {name} --versions -C ." for name, number in [("text", 1), ("text", 2), ("table", 1), ("table", 2)]]
    make("plain", *plain)
    make("versions", *versions)
    make("damaged", *plain)
    make("damaged versions", *versions)
    for name, damaged in {"damaged": "kept2", "damaged versions": "table1"}.items():
        store = folder / name / "s"
        content = (files / damaged).read_bytes()
        chunk = json.loads(command("store", "inspect", digest(content), "--json", "-C", store, code=DONE).lines[0])
        # A record whose object was put again, and an index that is lost.
        pack = store / "packs" / f"{chunk['pack']}.pack"
        pack.write_bytes(b"".join((pack.read_bytes()[: chunk["offset"] + 60], b"?", pack.read_bytes()[chunk["offset"] + 61 :])))
        command("store", "add", files / damaged, "-C", store, code=DONE)
        sorted((store / "packs").glob("*.fsdb"))[0].unlink()
    table2 = (files / "table2").read_bytes()
    known = {"table3": (files / "table3").read_bytes()}
    known["versions"] = {"text@1": TEXTS[0], "text@2": TEXTS[1], "text": TEXTS[1], "table@1": (files / "table1").read_bytes(), "table@2": table2}
    return folder, known


def holds(command, store, contents):
    assert command("store", "cat", *contents, "-C", store, code=DONE).out == b"".join(contents.values())


def check(command, case, folder, known, is_killed):
    """All that was acknowledged is there; what the command makes is there whole, or not."""
    store = folder / "s"
    if "versions" in case.base:
        holds(command, store, {name: content for name, content in known["versions"].items() if not name.startswith("text") or "text" not in case.lacks})
        assert command("store", "cat", "table", "-C", store, code=DONE).out in (known["versions"]["table@2"], known["table3"])
    else:
        contents = {digest(content): content for content in [*KEPT, LOOSE] if digest(content) not in case.lacks}
        holds(command, store, contents | {f"tree/{name}": content for name, content in FOLDER.items()})
        if "n/named" not in case.lacks:
            assert command("store", "cat", "n/named", "-C", store, code=DONE).out in (NAMED, NEW)
    if case.store == "other":
        holds(command, folder / "other", {digest(KEPT[1]): KEPT[1]})
    for name, content in case.files(known).items():
        if (folder / name).exists():
            found = (folder / name).read_bytes()
            assert found in (content, b"old") or is_killed and case.is_in_place and content.startswith(found), name


def finish(command, case, folder, known):
    """The command is done once more, in a folder where nothing is left of it; then all that it makes is there."""
    for name in {Path(name).parts[0] for name in case.files(known)} - {"out2"}:
        shutil.rmtree(folder / name, ignore_errors=True) if (folder / name).is_dir() else (folder / name).unlink(missing_ok=True)
    again = command("store", *case.words.split(), "-C", "s", cwd=folder)
    assert again.code == DONE or case.is_once, again.err
    for name, content in case.files(known).items():
        assert (folder / name).read_bytes() == content
    if names := case.names(known):
        holds(command, folder / case.store, names)


def try_calls(command, material, tmp_path, name, injection, start, step):
    folder, known = material
    case = CASES[name]
    words = ["store", *case.words.split(), "-C", "s"]

    def copy(number):
        shutil.copytree(folder / case.base, tmp_path / str(number))
        return tmp_path / str(number)

    first = traced(command, words, copy("first"))
    assert first.code == DONE, first.err
    check(command, case, tmp_path / "first", known, False)
    calls = [call for call in first.calls if call.is_change and not call.is_for_people]
    assert calls

    is_killed = not injection.startswith("error=")

    def attempt(work):
        number, call = work
        place = copy(number)
        result = traced(command, words, place, [call.inject(injection)])
        if not is_killed:
            # A reason is given, or it did not matter.
            assert result.code == DONE or result.err.splitlines()[-1].startswith("fusedb:"), (call, result.err)
        if not case.is_damaged:
            check(command, case, place, known, is_killed)
        else:
            finish(command, case, place, known)
            check(command, case, place, known, is_killed)
        for store in {"s", case.store}:
            settle(command, place / store)
        check(command, case, place, known, is_killed)
        finish(command, case, place, known)
        check(command, case, place, known, is_killed)
        shutil.rmtree(place)

    in_parallel(attempt, list(itertools.islice(enumerate(calls), start, None, step)))


@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_call(command, material, tmp_path, name):
    try_calls(command, material, tmp_path, name, "signal=SIGKILL", 0, 1 if IS_WHOLE else CASES[name].every)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("name", CASES)
def test_call_that_fails(command, material, tmp_path, name, error):
    every = CASES[name].every
    start, step = {errno.ENOSPC: (1, every), errno.EIO: (2, max(2, every))}[error]
    if IS_WHOLE or every == 1:
        start = 0
    try_calls(command, material, tmp_path, name, f"error={errno.errorcode[error]}", start, 1 if IS_WHOLE else step)

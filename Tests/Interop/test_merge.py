"""`fusedb merge` beside the merge of the Python package."""

import json
import random
import subprocess

import fusedb
import pytest
from fsdb import canonical
from msgpack import packb

from conftest import BAD_DATA, DONE, NO_INPUT, USAGE


def write(path, generator, pool):
    """A file of random keys from a small pool, some objects alike, some without a key."""
    writer = fusedb.FuseWriter()
    for _ in range(generator.randrange(12)):
        number = writer.add_object(generator.choice(pool))
        for _ in range(generator.randrange(4)):
            writer.add_key(generator.choice([b"a", b"b", b"\xff", b""]) + b"%d" % generator.randrange(20), number)
    writer.build(str(path))
    return path


@pytest.mark.parametrize("seed", range(40))
def test_plain_in_insertion_order_is_byte_for_byte_what_the_package_merges(command, tmp_path, seed):
    generator = random.Random(seed)
    pool = [{"n": n} for n in range(4)] + ["text", None, [1, 2.5], b"bytes"]
    inputs = [write(tmp_path / f"{n}.fsdb", generator, pool) for n in range(generator.randrange(1, 6))]
    fusedb.merge(*inputs, output=tmp_path / "theirs.fsdb")
    command("merge", tmp_path / "ours.fsdb", *inputs, "--plain", "--order", "insertion", "--allow-empty", code=DONE)
    assert (tmp_path / "ours.fsdb").read_bytes() == (tmp_path / "theirs.fsdb").read_bytes()
    # With its block and in canonical order, the package reads the same of it.
    command("merge", tmp_path / "indexed.fsdb", *inputs, "--allow-empty", code=DONE)
    theirs, ours = (fusedb.FuseReader(str(tmp_path / name)) for name in ("theirs.fsdb", "indexed.fsdb"))
    assert dict(ours._r.items_raw_bytes()) == dict(theirs._r.items_raw_bytes())


def test_a_merge_of_what_it_wrote_spills_and_is_the_same(command, tmp_path):
    lines = [b'{"keys":["%d"],"value":"%d"}\n' % (n * 7919 % 300_007, n % 5000) for n in range(200_000)]
    for part in range(3):
        data = b"".join(lines[part::3] + lines[:1000])
        command("build", tmp_path / f"{part}.fsdb", stdin=data, code=DONE)
    command("build", tmp_path / "all.fsdb", stdin=b"".join(lines), code=DONE)
    inputs = [tmp_path / f"{part}.fsdb" for part in range(3)]
    result = command("merge", tmp_path / "out.fsdb", *inputs, "--memory", "16M", "--json", code=DONE)
    report = json.loads(result.out)
    assert report["spilledBytes"] > 0
    assert (report["inputKeys"], report["keys"], report["conflictingKeys"]) == (202_000, 200_000, 0)
    assert (tmp_path / "out.fsdb").read_bytes() == (tmp_path / "all.fsdb").read_bytes()


@pytest.mark.parametrize("policy", ["last", "first"])
def test_more_files_than_a_process_may_have_open(command, tmp_path, policy):
    mappings = [{b"key %d" % n: packb(n % 7), b"all": packb({"n": n})} for n in range(1100)]
    inputs = [tmp_path / f"{n}.fsdb" for n in range(len(mappings))]
    for path, mapping in zip(inputs, mappings, strict=True):
        path.write_bytes(bytes(canonical(mapping)))
    everything = {key: value for mapping in mappings for key, value in mapping.items()}
    everything[b"all"] = packb({"n": 1099 if policy == "last" else 0})
    command.build(tmp_path / "all.fsdb", [(value, [key]) for key, value in everything.items()])
    limited = ["bash", "-c", 'ulimit -n 256 && exec "$0" "$@"', command.path, "merge", tmp_path / "out.fsdb", *inputs]
    subprocess.run([*limited, "--on-conflict", policy, "--quiet"], check=True)
    assert (tmp_path / "out.fsdb").read_bytes() == (tmp_path / "all.fsdb").read_bytes()


def test_exit_codes(command, tmp_path):
    for name, value in (("a", b"1"), ("b", b"2")):
        command("build", tmp_path / name, stdin=b'{"keys":["k"],"value":%s}\n' % value, code=DONE)
    result = command("merge", tmp_path / "o", tmp_path / "a", tmp_path / "b", "--on-conflict", "error", code=BAD_DATA)
    assert f"{tmp_path}/b: the key \"k\" has another object in {tmp_path}/a" in result.errors
    command("merge", tmp_path / "o", tmp_path / "a", tmp_path / "missing", code=NO_INPUT)
    (tmp_path / "cut").write_bytes((tmp_path / "a").read_bytes()[:-1])
    command("merge", tmp_path / "o", tmp_path / "a", tmp_path / "cut", code=BAD_DATA)
    command("merge", tmp_path / "o", code=USAGE)
    assert not (tmp_path / "o").exists()

"""Sets of shards: a folder is read like a file, built shard by shard, and published in one step."""

import os
import pickle

import pyarrow
import pytest

import fusedb_swift as fusedb

KEYS = [f"user:{number}" for number in range(500)]


def value(number):
    return {"number": number % 40, "name": f"n{number % 40}"}


def shards(folder, count, of=value):
    made = []
    for number in range(count):
        writer = fusedb.FuseWriter(shared=True, order="key")
        for place, key in enumerate(KEYS):
            if fusedb.shard_of(key, count) == number:
                writer.add(key, of(place))
        made.append(writer.build_shard(folder, number, count))
    return made


@pytest.fixture
def pair(tmp_path):
    """One file, and a set of the same keys that was built shard by shard."""
    writer = fusedb.FuseWriter(shared=True, order="key")
    for place, key in enumerate(KEYS):
        writer.add(key, value(place))
    writer.build(tmp_path / "one.fsdb")
    assert fusedb.set_generation(tmp_path / "set") == 0
    report = fusedb.publish_set(tmp_path / "set", shards(tmp_path / "set", 5), after=0)
    assert report["generation"] == 1 and report["num_keys"] == 500 and report["replaced_keys"] is None
    return tmp_path / "one.fsdb", tmp_path / "set"


def test_a_set_answers_as_a_file_does(pair):
    one, of_set = (fusedb.FuseReader(path) for path in pair)
    assert (of_set.shards, one.shards) == ((5, 1), None)
    assert len(of_set) == len(one) == 500
    for key in [*KEYS, "nobody"]:
        assert of_set.get(key) == one.get(key) and (key in of_set) == (key in one)
    questions = [*KEYS[::7], "nobody", None]
    fields = {"number": ("number", "int64"), "name": ("name", "string")}
    columns = [pyarrow.table(reader.lookup_arrow(pyarrow.array(questions), fields)) for reader in (one, of_set)]
    assert columns[0] == columns[1] and columns[0].num_rows == len(questions)
    assert list(of_set.scan("user:4")) == list(one.scan("user:4"))
    assert list(fusedb.diff(*pair)) == []
    assert fusedb.verify(pair[1]).damage_count == 0
    assert pickle.loads(pickle.dumps(of_set)).get("user:7") == value(7)


def test_shards_that_are_built_one_by_one_are_those_of_a_split(pair, tmp_path):
    fusedb.split_set(pair[0], tmp_path / "split", shards=5)
    names = [sorted(name for name in os.listdir(folder) if name.startswith("part-")) for folder in (pair[1], tmp_path / "split")]
    assert names[0] == names[1] and len(names[0]) == 5


def test_a_reloadable_reader_takes_the_next_generation(pair):
    with fusedb.ReloadableFuseReader(pair[1]) as reader:
        assert reader.get("user:7") == value(7) and not reader.reload()
        fusedb.publish_set(pair[1], shards(pair[1], 5, lambda number: -number), after=1)
        assert reader.reload() and reader.get("user:7") == -7


def test_of_two_jobs_one_is_published(pair):
    first, second = (shards(pair[1], 5, lambda number, by=by: number + by) for by in (1000, 2000))
    fusedb.publish_set(pair[1], first, after=1)
    with pytest.raises(fusedb.FuseRefusedError, match="was published since"):
        fusedb.publish_set(pair[1], second, after=1)
    assert fusedb.FuseReader(pair[1]).get("user:7") == 1007
    shards(pair[1], 5, lambda number: number + 3000)
    assert fusedb.sweep_set(pair[1], age=3600) == 0 and fusedb.sweep_set(pair[1]) == 5
    with pytest.raises(fusedb.FuseRefusedError):
        fusedb.publish_set(pair[1], shards(pair[1], 5), after=2, least_keys=501)


def test_what_is_wrong_is_said(pair, tmp_path):
    with pytest.raises(TypeError, match="after="):
        fusedb.publish_set(tmp_path / "set", [])
    with pytest.raises(ValueError):
        fusedb.publish_set(tmp_path / "set", ["{}"], after=1)
    writer = fusedb.FuseWriter()
    writer.add("user:7", 1)
    wrong = (fusedb.shard_of("user:7", 5) + 1) % 5
    with pytest.raises(ValueError, match="belongs to shard"):
        writer.build_shard(tmp_path / "other", wrong, 5)
    with pytest.raises(ValueError):
        fusedb.shard_of("x", 0)
    with pytest.raises(OSError, match="no set of shards"):
        fusedb.sweep_set(tmp_path)
    victim = next(name for name in os.listdir(pair[1]) if name.startswith(f"part-0000{fusedb.shard_of('user:7', 5)}"))
    os.unlink(pair[1] / victim)
    with pytest.raises(FileNotFoundError, match="missing") as error:
        fusedb.FuseReader(pair[1], verify=False).get("user:7")
    assert victim in str(error.value)

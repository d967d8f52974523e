"""Sets of shards through the command: they answer as one file does, whatever is asked; building, damage, sweeping, and a machine that goes at any moment."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import BAD_DATA, DONE, NO, NO_INPUT, USAGE
from spelling import line, pack_int, pack_str
from tracing import in_parallel, traced

sys.path.insert(0, str(Path(__file__).parents[2] / "spec" / "reference"))
import reader as reference

KEYS = sorted(
    {b"", b"com", b".example.com", b"example.com", b"joe@example.com", b"\xff\x00key"}
    | {b"user:%d" % (i * i) for i in range(300)}
    | {b"%d.example.com" % i for i in range(100)}
)


def records(keys, value=lambda number: pack_str(b"v%d" % (number % 50))):
    return b"".join(line([key], value(number)) for number, key in enumerate(keys))


@pytest.fixture(scope="module", params=["family", "compact"])
def pair(request, command, tmp_path_factory):
    """One file, and a set of the same keys."""
    place = tmp_path_factory.mktemp(request.param)
    options = ["--compact"] if request.param == "compact" else []
    (place / "records").write_bytes(records(KEYS))
    command("build", place / "one.fsdb", place / "records", *options, "--meta", "source=test", code=DONE)
    command("build", "-o", place / "set", place / "records", *options, "--meta", "source=test", "--shards", "7", code=DONE)
    return place / "one.fsdb", place / "set"


@pytest.mark.parametrize(
    "words",
    [
        ["get", None, "user:4", "user:16", "com"],
        ["get", None, "user:4", "--json"],
        ["get", None, "user:4", "nowhere"],
        ["get", None, "a.b.example.com", "--match", "domain"],
        ["get", None, "joe@example.com", "ann@x.example.com", "--match", "email"],
        ["get", None, "user:160000", "--match", "prefix"],
        ["prefix", None, "user:1"],
        ["prefix", None, "nobody"],
        ["keys", None],
        ["keys", None, "--reverse", "--limit", "9"],
        ["keys", None, "--from", "user:", "--to", "user:3", "--json"],
        ["keys", None, "--prefix", "user:2", "--limit", "3"],
        ["keys", None, "--where", ".=v7"],
        ["dump", None, "--prefix", "user:4"],
    ],
    ids=lambda words: " ".join(word or "SET" for word in words),
)
def test_a_set_answers_as_one_file_does(command, pair, words):
    one, of_set = ([str(path) if word is None else word for word in words] for path in pair)
    wanted, found = command(*one), command(*of_set)
    if wanted.code == USAGE:
        pytest.fail(wanted.errors)
    assert (found.code, found.out) == (wanted.code, wanted.out)
    assert found.errors.replace(str(pair[1]), "") == wanted.errors.replace(str(pair[0]), "")


def test_a_set_is_dumped_compared_verified_and_counted(command, pair, tmp_path):
    one, of_set = pair
    assert command.mapping(of_set) == command.mapping(one)
    dumped = command("dump", of_set, code=DONE).out
    (tmp_path / "dump").write_bytes(dumped)
    form = ["--compact"] if command("stats", one, "--json", code=DONE).json["version"] == 3 else []
    command("build", tmp_path / "again.fsdb", tmp_path / "dump", *form, "--meta", "source=test", code=DONE)
    assert (tmp_path / "again.fsdb").read_bytes() == one.read_bytes()
    command("diff", one, of_set, code=DONE)
    command("diff", of_set, one, code=DONE)
    command("verify", of_set, "--checksums", code=DONE)
    assert f"{of_set}: sound ({len(KEYS)} keys" in command("verify", of_set, code=DONE).text
    stats = command("stats", of_set, "--json", code=DONE).json
    assert stats["keys"] == len(KEYS) and stats["bytes"] == sum(path.stat().st_size for path in of_set.glob("part-*"))
    assert stats["meta"] == {"source": "test"}
    command("merge", "-o", tmp_path / "merged.fsdb", of_set, *form, "--meta", "source=test", code=DONE)
    assert (tmp_path / "merged.fsdb").read_bytes() == one.read_bytes()


def test_the_reference_reader_reads_a_set(pair):
    one, of_set = reference.Reader(pair[0].read_bytes()), reference.Set(pair[1])
    of_set.verify()
    for key in [*KEYS, b"nowhere"]:
        assert of_set.get(key) == one.get(key)
    assert [key for key, *_ in of_set.scan()] == KEYS
    assert [key for key, *_ in of_set.scan(b"user:9")] == [key for key in KEYS if key.startswith(b"user:9")]


def test_blocks_of_addresses(command, tmp_path, rng):
    blocks = {f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24" for _ in range(200)} | {"10.0.0.0/8", "2001:db8::/32"}
    rows = records([block.encode() for block in sorted(blocks)])
    command("build", tmp_path / "one.fsdb", stdin=rows, code=DONE)
    command("build", "-o", tmp_path / "set", "--shards", "16", stdin=rows, code=DONE)
    questions = [f"10.{rng.randrange(256)}.{rng.randrange(256)}.9" for _ in range(50)] + ["11.0.0.1", "2001:db8::7"]
    # A set does not look for the largest block with the same answer.
    one, of_set = (command("get", tmp_path / name, *questions) for name in ("one.fsdb", "set"))
    assert of_set.out == one.out and of_set.code == one.code == NO
    for within in ("10.0.0.0/9", "10.128.0.0/9", "2001:db8::/16"):
        one, of_set = (command("networks", tmp_path / name, within) for name in ("one.fsdb", "set"))
        assert of_set.out == one.out


def shards(folder):
    return {path.name: path.read_bytes() for path in folder.glob("part-*")}


@pytest.mark.parametrize("options", [[], ["--compact"]], ids=["family", "compact"])
def test_shards_do_not_depend_on_memory_threads_order_or_way(command, tmp_path, rng, options):
    keys = [b"key %d" % (i * 7919) for i in range(20_000)]
    rows = [line([key], pack_str(b"%d" % (i % 900) + b"x" * (i % 60))) for i, key in enumerate(keys)]
    made = []
    for number, (memory, threads) in enumerate([("16M", "1"), ("1G", "2"), ("64M", "3")]):
        rng.shuffle(rows)
        command(
            "build", "-o", tmp_path / str(number), "--shards", "12", "--memory", memory, "--threads", threads, *options,
            stdin=b"".join(rows), code=DONE,
        )  # fmt: skip
        made.append(shards(tmp_path / str(number)))
    command("build", tmp_path / "one.fsdb", *options, stdin=b"".join(rows), code=DONE)
    command("shard", tmp_path / "one.fsdb", tmp_path / "split", "--shards", "12", code=DONE)
    made.append(shards(tmp_path / "split"))
    command("shard", tmp_path / "split", tmp_path / "twice", "--shards", "5", code=DONE)
    command("shard", tmp_path / "twice", tmp_path / "back", "--shards", "12", code=DONE)
    made.append(shards(tmp_path / "back"))
    assert len(made[0]) == 12 and all(other == made[0] for other in made)


def test_the_number_of_shards_is_chosen_by_their_size(command, tmp_path):
    rows = records([b"key %d" % i for i in range(5000)], lambda number: pack_str(b"%d" % number * 10))
    report = command("build", "-o", tmp_path / "set", "--shard-bytes", "64K", "--json", stdin=rows, code=DONE).json
    assert report["shards"] & (report["shards"] - 1) == 0
    assert report["bytes"] / report["shards"] <= 64 * 1024 * 1.15 < 2.3 * report["bytes"] / report["shards"]


def test_a_set_is_built_anew_and_swept(command, tmp_path):
    place = tmp_path / "set"
    rows = [records([b"key %d" % i for i in range(100)], lambda _, n=n: pack_int(n)) for n in range(3)]
    first = command("build", "-o", place, "--shards", "3", "--json", stdin=rows[0], code=DONE).json
    assert (first["generation"], first["keptShards"], first["replaced"]) == (1, 0, None)
    same = command("build", "-o", place, "--shards", "3", "--json", stdin=rows[0], code=DONE).json
    assert (same["generation"], same["keptShards"]) == (2, 3)
    before = set(shards(place))
    second = command("build", "-o", place, "--shards", "3", "--json", stdin=rows[1], code=DONE).json
    assert second["swept"] == [] and before < set(shards(place))
    third = command("build", "-o", place, "--shards", "3", "--json", stdin=rows[2], code=DONE).json
    assert set(third["swept"]) == before
    shutil.copy(next(iter(place.glob("part-00000*"))), place / "part-00000-of-00003-0123456789abcdef.fsdb")
    (place / ".part-00000-of-00003.abc.tmp").write_bytes(b"x")
    (place / "notes").write_bytes(b"mine")
    assert command("shard", "--sweep", place, "--older-than", "1000", "--json", code=DONE).json["swept"] == []
    swept = command("shard", "--sweep", place, "--json", code=DONE).json["swept"]
    assert swept == [".part-00000-of-00003.abc.tmp", "part-00000-of-00003-0123456789abcdef.fsdb"]
    assert (place / "notes").exists() and command("get", place, "key 5", code=DONE).text == "2\n"


def test_duplicates_and_rules_are_those_of_one_file(command, tmp_path):
    rows = line([b"a"], pack_int(1)) + line([b"b"], pack_int(2)) + line([b"a"], pack_int(3))
    for policy, answer in [("last", "3\n"), ("first", "1\n"), ("collect", "[1,3]\n")]:
        command("build", "-o", tmp_path / policy, "--shards", "4", "--on-duplicate", policy, stdin=rows, code=DONE)
        assert command("get", tmp_path / policy, "a", code=DONE).text == answer
    assert "comes twice" in command("build", "-o", tmp_path / "error", "--shards", "4", "--on-duplicate", "error", stdin=rows, code=BAD_DATA).errors
    assert not list((tmp_path / "error").glob("*"))
    few = line([b"a"], pack_int(1))
    assert "greatest-shrink" in command("build", "-o", tmp_path / "last", "--shards", "4", "--greatest-shrink", "10", stdin=few).errors
    command("build", "-o", tmp_path / "last", "--shards", "4", stdin=b"")
    assert command("get", tmp_path / "last", "b", code=DONE).text == "2\n"


def test_what_is_no_set_is_not_written_over(command, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "photo.jpg").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"x")
    for name in ("folder", "file"):
        refused = command("build", "-o", tmp_path / name, "--shards", "2", stdin=records([b"a"]), code=USAGE)
        assert str(tmp_path / name) in refused.errors
    assert os.listdir(tmp_path / "folder") == ["photo.jpg"]
    assert "fusedb-set.json" in command("get", tmp_path / "folder", "a", code=NO_INPUT).errors
    command("build", "-o", tmp_path / "set", "--shards", "2", stdin=records([b"a"]), code=DONE)
    assert "is a set of shards" in command("build", "-o", tmp_path / "set", stdin=records([b"a"]), code=USAGE).errors


@pytest.mark.parametrize("what", ["missing", "exchanged", "cut", "damaged"])
def test_a_shard_that_is_not_as_it_was_is_named_and_others_answer(command, tmp_path, what):
    place = tmp_path / "set"
    keys = [b"key %d" % i for i in range(60)]
    command("build", "-o", place, "--shards", "3", stdin=records(keys), code=DONE)
    of_set = reference.Set(place)
    victim = place / of_set.shards[1]["name"]
    data = victim.read_bytes()
    victim.unlink()
    if what == "exchanged":
        shutil.copy(place / of_set.shards[2]["name"], victim)
    elif what == "cut":
        victim.write_bytes(data[:-1])
    elif what == "damaged":
        victim.write_bytes(data[:40] + bytes(byte ^ 1 for byte in data[40:-100]) + data[-100:])
    for key in keys:
        answer = command("get", place, key)
        if of_set.number(key) == 1:
            assert answer.code != DONE and victim.name in answer.errors and answer.out == b"", answer
        else:
            assert answer.code == DONE
    verified = command("verify", place, code=NO)
    assert all(victim.name.encode() in text for text in verified.lines[:-1]) and b"damaged in" in verified.lines[-1]


def test_a_damaged_manifest_says_so(command, tmp_path):
    place = tmp_path / "set"
    command("build", "-o", place, "--shards", "3", stdin=records([b"a", b"b"]), code=DONE)
    manifest = place / "fusedb-set.json"
    data = manifest.read_bytes()
    for offset in range(0, len(data), 7):
        manifest.write_bytes(data[:offset] + bytes([data[offset] ^ 4]) + data[offset + 1 :])
        assert "fusedb-set.json" in command("get", place, "a").errors
    assert "shard: fusedb-set.json" in command("verify", place, code=NO).text
    assert "fusedb-set.json" in command("build", "-o", place, "--shards", "3", stdin=records([b"a"])).errors
    assert "fusedb-set.json" in command("shard", "--sweep", place).errors


# --- a machine that goes at any moment ---


@pytest.fixture(scope="module")
def jobs(command, tmp_path_factory):
    """A set of before, and the file of what comes."""
    place = tmp_path_factory.mktemp("jobs")
    command("build", "-o", place / "set", "--shards", "2", stdin=records([b"key %d" % i for i in range(50)], lambda _: pack_int(1)), code=DONE)
    command("build", place / "new.fsdb", stdin=records([b"key %d" % i for i in range(50)], lambda _: pack_int(2)), code=DONE)
    return place


@pytest.mark.parametrize("what", ["signal=SIGKILL", "error=EIO", "error=ENOSPC"])
@pytest.mark.parametrize("before", [True, False], ids=["over a set", "new"])
def test_at_any_call_that_changes_a_file_the_old_set_or_the_new_one_stands_whole(command, jobs, tmp_path, what, before):
    words = ["shard", str(jobs / "new.fsdb"), "set", "--shards", "2", "--threads", "1", "-q"]

    def folder(name):
        made = tmp_path / name
        made.mkdir()
        if before:
            shutil.copytree(jobs / "set", made / "set")
        return made

    plain = traced(command, words, folder("plain"))
    assert plain.code == DONE
    calls = [call for call in plain.calls if call.is_change and not call.is_for_people]
    committed = max(place for place, call in enumerate(calls) if re.search(r'/fusedb-set\.json"[^"]*$', call.text) and call.name.startswith(("rename", "link")))
    assert len(calls) > 20

    def one(number):
        call, place = calls[number], folder(f"{number}")
        result = traced(command, words, place, [call.inject(what)])
        assert result.was_hit(call, what), call
        of_set = place / "set"
        values = {command("get", of_set, f"key {i}").text for i in range(0, 50, 7)} if (of_set / "fusedb-set.json").exists() else None
        # An unlink that fails after the commit is left for the next one.
        is_new = number > committed
        assert values == ({"2\n"} if is_new else {"1\n"} if before else None), call
        if values is not None:
            command("verify", of_set, "-q", code=DONE)
        # The next commit removes what was left.
        command("shard", jobs / "new.fsdb", of_set, "--shards", "2", "-q", code=DONE)
        command("shard", jobs / "new.fsdb", of_set, "--shards", "2", "-q", code=DONE)
        names = json.loads((of_set / "fusedb-set.json").read_bytes())
        kept = {shard["name"] for shard in names["shards"]} | {"fusedb-set.json", "fusedb-set.lock"}
        assert set(os.listdir(of_set)) - kept == set(names["former"]) == set(), call

    in_parallel(one, range(0, len(calls), 1 if what == "signal=SIGKILL" else 3))


def test_two_builds_of_one_folder_at_once(command, tmp_path):
    place = tmp_path / "set"
    command("build", "-o", place, "--shards", "4", stdin=records([b"key %d" % i for i in range(200)], lambda _: pack_int(0)), code=DONE)
    for round in range(3):
        inputs = []
        for number in (1, 2):
            path = tmp_path / f"records{number}"
            path.write_bytes(records([b"key %d" % i for i in range(200)], lambda _: pack_int(10 * round + number)))
            inputs.append(path)
        running = [
            subprocess.Popen([command.path, "build", "-o", place, "--shards", "4", path], stderr=subprocess.PIPE, env=command.environment) for path in inputs
        ]
        errors = [process.communicate()[1].decode() for process in running]
        values = {command("get", place, f"key {i}", code=DONE).text for i in range(0, 200, 9)}
        assert len(values) == 1, values
        winners = [number for number, process in enumerate(running) if process.returncode == 0]
        assert winners, errors
        for number, process in enumerate(running):
            assert process.returncode == 0 or "another job" in errors[number] or "since these shards were begun" in errors[number], errors
        command("verify", place, "-q", code=DONE)


def test_enrich_and_bench_take_a_set(command, pair, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"id\nuser:4\nuser:16\nnobody\n")
    one, of_set = (command("enrich", path, tmp_path / "in.csv", "--on", "id", "--as", "x", code=DONE).out for path in pair)
    assert of_set == one and b"user:4,v" in one
    assert "get-hit" in command("bench", pair[1], "--seconds", "0", code=DONE).text

"""A build gives the same bytes with any memory, any number of threads and any order of the input, and keeps within its memory."""

import itertools
import json
import random

import pytest

from conftest import DONE, IO_FAILURE

KEYS = 150_000


def rows(rng):
    """Rows of a table whose objects don't fit into 16 MiB, each twice on average, popular ones more often."""
    objects = [f"{number}\tobject {number} " + "x" * rng.randrange(100) for number in range(KEYS // 2)]
    for number in range(KEYS):
        yield f"{rng.choice('abc')}{number}.example.net\t{objects[int(len(objects) * rng.random() ** 2)]}\n"


@pytest.fixture(scope="module")
def table(tmp_path_factory, command):
    rng = random.Random(20260101)
    place = tmp_path_factory.mktemp("external")
    lines = list(rows(rng))
    (place / "ordered.tsv").write_text("key\tnumber\ttext\n" + "".join(lines))
    rng.shuffle(lines)
    (place / "shuffled.tsv").write_text("key\tnumber\ttext\n" + "".join(lines))
    # Half and half, in two files.
    for number in range(2):
        (place / f"part{number}.tsv").write_text("key\tnumber\ttext\n" + "".join(lines[number::2]))
    command("build", place / "expected.fsdb", place / "ordered.tsv", "--key", "key", "--quiet", code=DONE)
    return place


def build(command, table, output, *words):
    result = command("build", output, *words, "--key", "key", "--json", code=DONE)
    assert output.read_bytes() == (table / "expected.fsdb").read_bytes(), words
    return result.json


@pytest.mark.parametrize("memory, threads", list(itertools.product(["16M", "32M", "256M", "8G"], ["1", "2", "5"])))
def test_neither_memory_nor_threads_nor_the_order_reach_the_file(command, table, tmp_path, memory, threads):
    report = build(
        command, table, tmp_path / "out.fsdb", table / "shuffled.tsv", "--memory", memory, "--threads", threads)
    assert (report["spilledBytes"] > 0) == (memory in ("16M", "32M"))
    assert report["records"] == report["keys"] == KEYS
    assert report["threads"] == int(threads)


def test_nor_do_the_files_that_the_input_stands_in(command, table, tmp_path):
    parts = [table / "part1.tsv", table / "part0.tsv"]
    build(command, table, tmp_path / "out.fsdb", *parts, "--memory", "16M")


def test_memory_is_what_it_was_told(command, table, tmp_path):
    """The process itself takes some 20 MB, and a build of this size has its least at some 30."""
    peaks = {}
    for memory in ("16M", "64M", "8G"):
        report = build(command, table, tmp_path / f"{memory}.fsdb", table / "ordered.tsv", "--memory", memory)
        peaks[memory] = report["peakMemory"]
    assert peaks["16M"] < 40 << 20
    assert peaks["64M"] < 70 << 20
    assert peaks["16M"] < peaks["8G"]


def test_the_temporary_file_has_no_name_and_leaves_nothing(command, table, tmp_path):
    for name in ("temp", "out"):
        (tmp_path / name).mkdir()
    build(
        command, table, tmp_path / "out" / "out.fsdb", table / "ordered.tsv", "--memory", "16M", "--temp",
        tmp_path / "temp")
    assert list((tmp_path / "temp").iterdir()) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["out.fsdb"]


def test_a_folder_for_temporary_files_that_is_not_there_is_named(command, table, tmp_path):
    missing = tmp_path / "missing"
    result = command(
        "build", tmp_path / "out.fsdb", table / "ordered.tsv", "--key", "key", "--memory", "16M", "--temp", missing)
    assert result.code in (IO_FAILURE, 64)
    assert str(missing) in result.errors
    assert list(tmp_path.iterdir()) == []


def test_both_places_of_a_refused_key_are_named_whatever_thread_came_first(command, table, tmp_path):
    rows = (table / "shuffled.tsv").read_text().splitlines(keepends=True)
    first, second = 1000, len(rows) - 1000
    key = rows[first].split("\t")[0]
    rows[second] = key + "\tanother\tobject\n"
    (tmp_path / "twice.tsv").write_text("".join(rows))
    for memory, threads in itertools.product(["16M", "1G"], ["1", "4"]):
        result = command(
            "build", tmp_path / "out.fsdb", tmp_path / "twice.tsv", "--key", "key", "--on-duplicate", "error", "--memory",
            memory, "--threads", threads, code=65)
        assert f"twice.tsv:{first + 1}" in result.errors and f"twice.tsv:{second + 1}" in result.errors, result
        assert json.dumps(key)[1:-1] in result.errors
        assert not (tmp_path / "out.fsdb").exists()

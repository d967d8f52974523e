"""`build --range`: ranges of addresses that overlap, and who has an address of several."""

import json
import random
from ipaddress import ip_address, ip_network

import pytest

from conftest import BAD_DATA, DONE, USAGE
from test_memory import MIB, TOLERANCE, peak

RANGES = "first,last,who\n10.0.0.1,10.0.3.254,office\n10.0.0.0,10.0.0.3,printer\n"


@pytest.fixture
def build(command, tmp_path):
    """Builds from files of rows, and gives {block: value}."""

    def run(texts, *options, out="out.fsdb"):
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.csv").write_text(text)
        names = [f"{number}.csv" for number in range(len(texts))]
        result = command("build", "-o", out, *names, "--range", "first,last", *options, cwd=tmp_path)
        if result.code != DONE:
            return result
        lines = command("prefix", tmp_path / out, "", code=DONE).lines
        return {key.decode(): json.loads(value)["who"] for key, value in (line.split(b"\t", 1) for line in lines)}

    return run


def answer(blocks, address):
    """The value of the longest block around an address."""
    around = [ip_network(block) for block in blocks if ip_address(address) in ip_network(block)]
    return blocks[str(max(around, key=lambda block: block.prefixlen))] if around else None


def test_ranges_that_overlap_in_part_are_refused_with_both_places(build, tmp_path):
    result = build([RANGES])
    assert result.code == BAD_DATA
    assert result.errors.startswith(
        "fusedb: 0.csv:3: the range 10.0.0.0 to 10.0.0.3 overlaps in part with the range 10.0.0.1 to 10.0.3.254 at 0.csv:2; "
    )
    assert "--overlap" in result.errors
    assert not (tmp_path / "out.fsdb").exists()


@pytest.mark.parametrize(
    ("overlap", "answers"),
    [
        ("first", {"10.0.0.0": "printer", "10.0.0.1": "office", "10.0.0.3": "office", "10.0.3.254": "office"}),
        ("last", {"10.0.0.0": "printer", "10.0.0.1": "printer", "10.0.0.3": "printer", "10.0.0.4": "office"}),
        ("smallest", {"10.0.0.0": "printer", "10.0.0.1": "printer", "10.0.0.3": "printer", "10.0.0.4": "office"}),
    ],
)
def test_overlap_says_who_has_the_addresses_of_both(build, overlap, answers):
    blocks = build([RANGES], "--overlap", overlap)
    assert {address: answer(blocks, address) for address in answers} == answers
    assert answer(blocks, "10.0.3.255") is None


def test_ranges_of_two_files_are_seen_together(build):
    first, second = (f"first,last,who\n{line}\n" for line in RANGES.splitlines()[1:])
    result = build([first, second])
    assert result.code == BAD_DATA
    assert result.errors.startswith("fusedb: 1.csv:2: ") and " at 0.csv:2; " in result.errors
    assert answer(build([first, second], "--overlap", "first"), "10.0.0.1") == "office"
    assert answer(build([second, first], "--overlap", "first"), "10.0.0.1") == "printer"
    assert answer(build([second, first], "--overlap", "last"), "10.0.0.1") == "office"


def test_nested_ranges_need_nothing_and_the_smaller_has_equal_blocks(build):
    rows = "10.0.0.0,10.255.255.255,wide\n10.1.0.0,10.1.1.0,wider\n10.1.0.0,10.1.0.255,a\n10.1.0.7,10.1.0.7,printer\n"
    expected = {"10.0.0.0/8": "wide", "10.1.0.0/24": "a", "10.1.1.0/32": "wider", "10.1.0.7/32": "printer"}
    assert build(["first,last,who\n" + rows]) == expected
    assert build(["first,last,who\n" + "".join(reversed(rows.splitlines(True)))]) == expected
    assert build(["first,last,who\n" + rows], "--overlap", "smallest") == expected


def test_the_same_range_needs_the_same_object_unless_told_which_one_counts(build):
    rows = "first,last,who\n10.1.0.0,10.1.0.255,a\n10.1.0.0,10.1.0.255,"
    assert build([rows + "a"]) == {"10.1.0.0/24": "a"}
    result = build([rows + "b"])
    assert result.code == BAD_DATA
    assert result.errors.startswith("fusedb: 0.csv:3: the range 10.1.0.0 to 10.1.0.255 has another object at 0.csv:2; ")
    assert build([rows + "b"], "--on-duplicate", "last") == {"10.1.0.0/24": "b"}
    assert build([rows + "b"], "--on-duplicate", "first") == {"10.1.0.0/24": "a"}
    assert build([rows + "b"], "--overlap", "first") == {"10.1.0.0/24": "a"}
    assert build([rows + "a"], "--on-duplicate", "error").code == BAD_DATA


def test_equal_objects_are_equal_however_they_are_stored(build):
    rows = "first,last,who\n10.1.0.0,10.1.0.255,a\n10.1.0.0,10.1.0.255,a\n"
    assert build([rows], "--objects", "every") == {"10.1.0.0/24": "a"}


def test_the_report_says_what_was_cut(command, tmp_path):
    (tmp_path / "x.csv").write_text(RANGES + "10.0.1.0,10.0.1.0,hidden\n")
    result = command("build", "-o", "x.fsdb", "x.csv", "--range", "first,last", "--overlap", "first", cwd=tmp_path, code=DONE)
    assert "2 ranges lost addresses to others that overlap; 1 of them lost all" in result.errors


def test_overlap_is_for_ranges(command, tmp_path):
    command("build", tmp_path / "x.fsdb", "--key", "x", "--overlap", "first", stdin=b"", code=USAGE)
    command("build", tmp_path / "x.fsdb", "--range", "x,y", "--overlap", "largest", stdin=b"", code=USAGE)


def model(ranges, overlap):
    """Who has each of 4,096 addresses, the slow way."""
    winners = [None] * 4096
    order = list(enumerate(ranges))
    if overlap == "first":
        order.reverse()
    elif overlap == "smallest":
        order.sort(key=lambda item: (item[1][0] - item[1][1], -item[0]))
    for number, (first, last) in order:
        winners[first : last + 1] = [str(number)] * (last + 1 - first)
    return winners


@pytest.mark.parametrize("overlap", ["first", "last", "smallest"])
def test_random_ranges_beside_a_slow_model_on_any_number_of_threads(build, tmp_path, rng, overlap):
    ranges = []
    for _ in range(300):
        first = rng.randrange(4096)
        ranges.append((first, min(4095, first + rng.getrandbits(rng.randint(1, 11)))))
    rows = [f"{first},{last},{number}\n" for number, (first, last) in enumerate(ranges)]
    texts = ["first,last,who\n" + "".join(part) for part in (rows[:100], rows[100:])]
    files = []
    for threads in ("1", "4"):
        blocks = build(texts, "--overlap", overlap, "--threads", threads)
        files.append((tmp_path / "out.fsdb").read_bytes())
    assert files[0] == files[1]
    winners = [None] * 4096
    for block, who in sorted(blocks.items(), key=lambda item: ip_network(item[0]).prefixlen):
        first = int(ip_network(block).network_address)
        winners[first : first + ip_network(block).num_addresses] = [who] * ip_network(block).num_addresses
    assert winners == model(ranges, overlap)


def many(count):
    """Rows of ranges in random order: blocks of 16 addresses, most of them in blocks of 4,096."""
    rows = [f"{0x0A000000 + 4096 * n},{0x0A000000 + 4096 * n + 4095},outer {n % 100}\n" for n in range(count // 16)]
    rows += [f"{0x0A000000 + 256 * n + 16},{0x0A000000 + 256 * n + 31},inner {n % 100}\n" for n in range(count // 16 * 15)]
    random.Random(7).shuffle(rows)
    return "first,last,who\n" + "".join(rows)


@pytest.mark.parametrize("options", [[], ["--overlap", "smallest"]])
def test_many_ranges_take_no_more_memory_than_there_is(command, tmp_path, options):
    many_ranges = tmp_path / "many.csv"
    many_ranges.write_text(many(64_000))
    files = []
    for threads in ("1", "4"):
        output = tmp_path / f"{threads}.fsdb"
        words = [command.path, "build", "-o", output, many_ranges, "--range", "first,last", "--memory", "64M"]
        code, errors, taken = peak([*words, "--threads", threads, "--quiet", *options], b"", tmp_path)
        assert code == DONE, errors
        assert taken <= 64 * MIB * TOLERANCE
        files.append(output.read_bytes())
    assert files[0] == files[1]

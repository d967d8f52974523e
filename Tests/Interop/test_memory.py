"""One record, however large, does not take more memory than `--memory` says: it is read, or refused with its place."""

import bz2
import itertools
import json
import lzma
import random
import re
import struct
import subprocess
import sys
import threading
import zlib

import pytest

from conftest import BAD_DATA, DONE

#: What a build may take beyond what it was told.
TOLERANCE = 1.10
MEMORIES = [64, 256]
MIB = 1 << 20


def pieces(head, piece, total, tail=b""):
    """About `total` bytes of the same piece, in parts of a mebibyte."""
    part = piece * max(1, MIB // len(piece))
    yield head
    for _ in range(max(1, total // len(part))):
        yield part
    yield tail


def zstd(parts, *options):
    """The parts, packed by the command `zstd`."""
    process = subprocess.Popen(["zstd", "-q", "-c", "-T1", "-1", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed():
        for part in parts:
            process.stdin.write(part)
        process.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    packed = process.stdout.read()
    feeder.join()
    assert process.wait() == 0
    return packed


def gzipped(parts):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(map(packer.compress, parts)) + packer.flush()


def xz(parts, dict_size=1 << 20):
    packer = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": dict_size, "nice_len": 8, "mf": lzma.MF_HC3}])
    return b"".join(map(packer.compress, parts)) + packer.flush()


def bzip2(parts):
    packer = bz2.BZ2Compressor(1)
    return b"".join(map(packer.compress, parts)) + packer.flush()


def noise(byte_count, seed=1, width=60):
    """Lines of NDJSON, each with a key and a value of `width` digits that no packer makes much smaller."""
    digits = random.Random(seed).randbytes(byte_count // 2 + width).hex().encode()
    return b"".join(
        b'{"keys":["%b"],"value":"%b"}\n' % (digits[place : place + 16], digits[place : place + width])
        for place in range(0, byte_count, width)
    )


def ranges(count, first, last):
    """Rows of ranges, as wide as can be, so that each has the most blocks."""
    return b"first,last,who\n" + b"".join(b"%b,%b,n%d\n" % (first(i), last(i), i) for i in range(count))


def ipv6(number):
    return b":".join(b"%x" % (number >> shift & 0xFFFF) for shift in range(112, -1, -16))


#: What is built: the words of the command, what is read on standard input for a memory in mebibytes, and where a record is
#: refused that is too long; None where all is taken.
CASES = {
    "ndjson: one line": (
        [], lambda m: zstd(pieces(b'{"keys":["k"],"value":"', b"x", m * MIB // 2, b'"}\n')), "standard input:1: the line is longer"),
    "ndjson: one line without an end": ([], lambda m: zstd(pieces(b"", b" ", m * MIB // 2)), "standard input:1: the line is longer"),
    "ndjson: a line as long as is allowed": (
        [], lambda m: b'{"keys":["k"],"value":"' + b"x" * (m * MIB // 32 - 26) + b'"}\n', None),
    "ndjson: many such lines, among others": (
        [], lambda m: zstd(
            itertools.chain.from_iterable(
                [b'{"keys":["k%d"],"value":"%d' % (i, i), b"x" * (m * MIB // 32 - 100), b'"}\n', noise(50_000, i)]
                for i in range(4))), None),
    "ndjson: many keys": (
        [], lambda m: zstd(pieces(b'{"value":1,"keys":["a"', b',"8.8.8.0/24"', m * MIB // 2, b"]}\n")),
        "standard input:1: the line is longer"),
    "ndjson: as many keys as are allowed": (
        [], lambda m: b'{"value":1,"keys":["a"%b]}\n' % b"".join(
            b',"%045d"' % i for i in range(m * MIB // 32 // 48 - 10)), None),
    "ndjson: short keys": (
        ["--key", "k"], lambda m: b'{"k":[1' + b",1" * (m * MIB // 64 - 10) + b"]}\n",
        "standard input:1: the record has more than"),
    "ndjson: a long array": (
        [], lambda m: b'{"keys":["k"],"value":[1' + b",1" * (m * MIB // 64 - 20) + b"]}\n",
        "standard input:1: the record has more than"),
    "ndjson: as long an array as is allowed": (
        [], lambda m: b'{"keys":["k"],"value":[1' + b",1" * (m * MIB // 32 // 16 - 10) + b"]}\n", None),
    "ndjson: a map of many members": (
        [], lambda m: b'{"keys":["k"],"value":{"":1' + b',"":1' * (m * MIB // 32 // 5 - 20) + b"}}\n",
        "standard input:1: the record has more than"),
    "ndjson: deep nesting": ([], lambda m: b'{"keys":["k"],"value":' + b"[" * (m * MIB // 32 - 100) + b"\n", "standard input:1: "),
    "ndjson: long hexadecimal digits": (
        [], lambda m: b'{"keys":["k"],"value":{"$bin":"' + b"00" * (m * MIB // 64 - 30) + b'"}}\n', None),
    "csv: one cell": (
        ["--format", "csv", "--key", "k"], lambda m: zstd(pieces(b"k,v\n1,", b"x", m * MIB // 2, b"\n")),
        "standard input:2: the row that begins here is longer"),
    "csv: one cell in quotes, with doubled ones": (
        ["--format", "csv", "--key", "k"], lambda m: zstd(pieces(b'k,v\n1,"', b'""', m * MIB // 2, b'"\n')),
        "standard input:2: the row that begins here is longer"),
    "csv: a cell as long as is allowed": (
        ["--format", "csv", "--key", "k"], lambda m: b'k,v\n1,"' + b'""' * (m * MIB // 64 - 2) + b'"\n', None),
    "csv: a quote that is not closed": (
        ["--format", "csv", "--key", "k"], lambda m: zstd(pieces(b'k,v\n1,"', b"2,3\n", m * MIB // 2)),
        "standard input:2: the row that begins here is longer"),
    "csv: a row of many cells": (
        ["--format", "csv", "--key", "k"], lambda m: b"k,v\n1" + b",2" * (m * MIB // 64 - 2) + b"\n", "standard input:2: the row has"),
    "csv: many columns": (
        ["--format", "csv", "--key", "k"], lambda m: b"k" + b"".join(b",%x" % i for i in range(m * MIB // 256)) + b"\n1\n",
        "standard input:1: the record has more than"),
    "csv: long names and short rows": (
        ["--format", "csv", "--key", "c0"],
        lambda m: b",".join(b"c%d" % i + b"n" * 200 * (i > 0) for i in range(2000)) + b"\n"
        + b"".join(b"%d" % i + b"," * 1999 + b"\n" for i in range(150)), None),
    "csv: a long cell of JSON": (
        ["--format", "csv", "--key", "k", "--type", "v=json"], lambda m: b'k,v\n1,"[1' + b",1" * (m * MIB // 64 - 20) + b']"\n',
        "standard input:2: "),
    "tsv: one cell": (
        ["--format", "tsv", "--key", "k"], lambda m: zstd(pieces(b"k\tv\n1\t", b"x", m * MIB // 2, b"\n")),
        "standard input:2: the row that begins here is longer"),
    "msgpack: one string": (
        ["--format", "msgpack"], lambda m: zstd(pieces(b"\x92\x91\xa1k\xdb\xff\xff\xff\xf0", b"x", m * MIB // 2)),
        "standard input: record 1: the record is longer"),
    "msgpack: a string that is not there": (
        ["--format", "msgpack"], lambda m: b"\x92\x91\xa1k\xdb\xff\xff\xff\xf0xyz", "standard input: record 1: "),
    "msgpack: one array": (
        ["--format", "msgpack"], lambda m: zstd(pieces(b"\x92\x91\xa1k\xdd\xff\xff\xff\xf0", b"\x01", m * MIB // 2)),
        "standard input: record 1: the record is longer"),
    "msgpack: a map as long as is allowed": (
        ["--format", "msgpack"],
        lambda m: b"\x92\x91\xa1k\xdf" + struct.pack(">I", m * MIB // 64 - 20) + b"\x01\x01" * (m * MIB // 64 - 20), None),
    "msgpack: many keys": (
        ["--format", "msgpack"],
        lambda m: b"\x92\xdd" + struct.pack(">I", 150_000) + b"\xa1k" * 150_000 + b"\x01", None),
    "msgpack: many key fields": (
        ["--format", "msgpack", "--key", "k", "--key", "o"],
        lambda m: b"\xdf" + struct.pack(">I", m * MIB // 128 - 10) + b"\xa1k\xa1v" * (m * MIB // 128 - 11) + b"\xa1o\xa1v",
        "standard input: record 1: offset 0: the record has more than"),
    "gzip bomb": (
        [], lambda m: gzipped(pieces(b'{"keys":["k"],"value":"', b"x", m * MIB // 2, b'"}\n')), "standard input:1: the line is longer"),
    "zstd bomb of good lines": ([], lambda m: zstd(pieces(b"", b'{"keys":["k"],"value":1}\n', MIB)), None),
    "zstd: a large window": (
        [], lambda m: zstd([noise(m * MIB // 6, width=60_000)], "--long=27"), "standard input: unpacking the zstd data takes"),
    "zstd: a large window for few bytes": ([], lambda m: zstd([noise(100_000)], "--long=27"), None),
    "xz bomb": ([], lambda m: xz(pieces(b'{"keys":["k"],"value":"', b"x", m * MIB // 2, b'"}\n')), "standard input:1: the line is longer"),
    "bzip2 bomb": ([], lambda m: bzip2(pieces(b'{"keys":["k"],"value":"', b"x", m * MIB // 2, b'"}\n')), "standard input:1: the line is longer"),
    "xz: a large dictionary": (
        [], lambda m: xz([noise(m * MIB // 6, width=60_000)], dict_size=120 << 20), "standard input: unpacking the xz data takes"),
    "xz: a large dictionary for few bytes": ([], lambda m: xz([noise(100_000)], dict_size=120 << 20), None),
    "xz: a dictionary of 1.5 GiB": ([], lambda m: xz([noise(100_000)], dict_size=1536 << 20), "standard input: the xz data needs a dictionary"),
    "json: a long array": (["--key", "k"], lambda m: zstd(pieces(b'[{"k":0}', b',\n{"k":1,"v":[2]}', m * MIB // 32, b"]")), None),
    "json: a long record": (
        ["--key", "k"], lambda m: zstd(pieces(b'[{"k":"', b"x", m * MIB // 2, b'"}]')), "standard input:1: record 1: the record is longer"),
    "json: an array inside of a long document": (
        ["--key", "k", "--records", "data"],
        lambda m: zstd(pieces(b'{"skip":["', b"\\\"],", m * MIB // 16, b'"],"data":[{"k":1}],"rest":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}")), None),
    "json: brackets": (
        ["--key", "k"], lambda m: zstd(pieces(b"[", b"[", m * MIB // 2)), "standard input:1: record 1: the record is longer"),
    "spaces: many cells": (
        ["--delimiter", "whitespace", "--list-rest", "--key", "k"],
        lambda m: b"k v\n" + b"1 " * (m * MIB // 64 - 10) + b"\n", "standard input:2: the record has more than"),
    "collected: a long list": (
        ["--key", "k", "--on-duplicate", "collect"], lambda m: zstd(pieces(b"", b'{"k":1,"v":"%b"}\n' % (b"x" * 1000), m * MIB // 8)),
        "the objects of the key \"1\" have more than"),
    "collected: many keys": (["--on-duplicate", "collect"], lambda m: zstd([noise(700_000)] * 2), None),
    "skipped: many keys in a record": (
        ["--key", "k", "--skip-bad-rows"],
        lambda m: b'{"k":["a"' + b',"a"' * (m * MIB // 256) + b"]}\n", None),
    "range: wide ones of IPv4": (
        ["--format", "csv", "--range", "first,last"],
        lambda m: ranges(4_000, lambda i: b"%d" % (1 + (i << 18)), lambda i: b"%d" % ((i + 1 << 18) - 2)), None),
    "range: wide ones of IPv6": (
        ["--format", "csv", "--range", "first,last"],
        lambda m: ranges(1_000 if m == 64 else 300, lambda i: ipv6(1 + (i << 112)), lambda i: ipv6((i + 1 << 112) - 2)), None),
    "range: many in each other": (
        ["--format", "csv", "--range", "first,last"],
        lambda m: ranges(4_000, lambda i: ipv6(2 * i + 1), lambda i: ipv6((1 << 128) - 2)), None),
    "range: many narrow ones": (
        ["--format", "csv", "--range", "first,last"],
        lambda m: ranges(8_000, lambda i: b"%d" % (1 + 64 * i), lambda i: b"%d" % (62 + 64 * i)), None),
    "many small records": ([], lambda m: zstd([noise(2_000_000)]), None),
}


def peak(words, data, folder):
    """Runs the command in a process that was made anew, and gives its exit code, its messages and its peak of memory."""
    (folder / "input").write_bytes(data)
    # What a child of this process would begin with, before it becomes the command, is as large as this process.
    script = (
        "import json, os, subprocess, sys\n"
        "process = subprocess.Popen(sys.argv[2:], stdin=open(sys.argv[1], 'rb'), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)\n"
        "errors = process.stderr.read()\n"
        "status, usage = os.wait4(process.pid, 0)[1:]\n"
        "print(json.dumps([os.waitstatus_to_exitcode(status), errors.decode(), usage.ru_maxrss * 1024]))\n"
    )
    run = subprocess.run([sys.executable, "-S", "-c", script, folder / "input", *words], stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def database(command, tmp_path_factory):
    """The bytes of a database."""
    path = tmp_path_factory.mktemp("before") / "before.fsdb"
    command("build", path, stdin=b'{"keys":["before"],"value":0}\n', code=DONE)
    return path.read_bytes()


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("kind", CASES)
def test_memory_is_kept_by_every_kind_of_input(command, database, tmp_path, kind, memory):
    options, make, refusal = CASES[kind]
    output = tmp_path / "out.fsdb"
    output.write_bytes(database)
    words = [command.path, "build", output, "--quiet", "--memory", f"{memory}M", "--threads", "2", *options, "-"]
    code, errors, taken = peak(words, make(memory), tmp_path)
    print(f"MEMORY | {kind} | {memory}M | {taken / MIB:.1f} MiB | {code} | {errors.strip()}")
    assert taken <= memory * MIB * TOLERANCE, errors
    if refusal is None:
        assert (code, errors) == (DONE, "")
        assert output.read_bytes() != database
    else:
        assert code == BAD_DATA
        assert errors.startswith(f"fusedb: {refusal}"), errors
        assert output.read_bytes() == database
    assert {path.name for path in tmp_path.iterdir()} == {"out.fsdb", "input"}


@pytest.mark.parametrize("limit", [1_000, 70_000, 3_000_000])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "options, place, head, tail",
    [
        ([], ":3", b'{"keys":["k"],"value":"', b'"}'),
        (["--format", "csv", "--key", "k"], ":3", b'k,"', b'"'),
        (["--format", "tsv", "--key", "k", "--no-quotes"], ":3", b"k\t", b""),
    ],
)
def test_a_record_of_the_limit_is_taken_and_one_byte_more_is_refused(
    command, tmp_path, limit, threads, options, place, head, tail
):
    others = b'{"keys":["a"],"value":1}\n' if not options else b"k%bv\n" % (b"," if "csv" in options else b"\t")
    others += b'{"keys":["b"],"value":1}\n' if not options else others.replace(b"v", b"1").replace(b"k", b"a")
    for byte_count, end in itertools.product([limit, limit + 1], [b"", b"\n", b"\r\n"]):
        record = head + b"x" * (byte_count - len(head) - len(tail)) + tail
        result = command(
            "build", tmp_path / "x.fsdb", "--quiet", "--threads", threads, "--record-limit", limit, *options, "-",
            stdin=others + record + end + (others.split(b"\n")[1] if end else b""))
        assert result.code == (DONE if byte_count == limit else BAD_DATA), (byte_count, end, result)
        if byte_count > limit:
            assert f"standard input{place}: the " in result.errors and "raise --record-limit" in result.errors, result


def test_a_record_limit_must_be_a_size(command, tmp_path):
    for word in ("0", "x", "9G", "-1"):
        result = command("build", tmp_path / "x.fsdb", f"--record-limit={word}", stdin=b"", code=64)
        assert "--record-limit takes" in result.errors


def test_a_raised_limit_takes_a_longer_record(command, tmp_path):
    record = b'{"keys":["k"],"value":"' + b"x" * (4 * MIB) + b'"}\n'
    words = ["build", tmp_path / "x.fsdb", "--quiet", "--memory", "64M"]
    assert re.search(r"standard input:1: .* raise --record-limit", command(*words, stdin=record, code=BAD_DATA).errors)
    command(*words, "--record-limit", "8M", stdin=record, code=DONE)
    assert len(command("get", tmp_path / "x.fsdb", "k", code=DONE).out) == 4 * MIB + 3


def test_a_list_of_keys_with_an_endless_line_is_refused(command, tmp_path):
    command("build", tmp_path / "x.fsdb", stdin=b'{"keys":["k"],"value":1}\n', code=DONE)
    words = [command.path, "get", tmp_path / "x.fsdb", "--keys-from", "-"]
    code, errors, taken = peak(words, b"k\n" + b"x" * (32 * MIB), tmp_path)
    assert code == BAD_DATA and "standard input:2: the line is longer" in errors
    assert taken < 40 * MIB


def test_one_object_may_have_more_keys_than_are_gathered_at_once(command, tmp_path):
    keys = [f"k{i}" for i in range(200_000)]
    lines = [json.dumps({"keys": keys[:150_000], "value": 1}), json.dumps({"keys": keys[150_000:], "value": 2})]
    for order in ("key", "insertion"):
        for threads in (1, 2):
            report = command(
                "build", tmp_path / f"{order}.fsdb", "--order", order, "--threads", threads, "--json", "--record-limit", "64M",
                stdin="\n".join(lines).encode(), code=DONE).json
            assert (report["keys"], report["objects"]) == (200_000, 2)
            found = command.found(tmp_path / f"{order}.fsdb", [b"k0", b"k149999", b"k150000", b"k199999"])
            assert list(found.values()) == [b"\x01", b"\x01", b"\x02", b"\x02"]

"""A build publishes a whole file or nothing, whatever happens meanwhile; readers live through what others do to a file."""

import os
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

from conftest import BAD_DATA, DONE, IO_FAILURE, USAGE
from spelling import line, pack_int

OLD = b'{"keys":["old"],"value":"what was there before"}\n'


@pytest.fixture
def folder(command, tmp_path):
    """A folder that holds out.fsdb and nothing else."""
    place = tmp_path / "folder"
    place.mkdir()
    command("build", place / "out.fsdb", stdin=OLD, code=DONE)
    return place


@pytest.fixture(scope="session")
def many_lines(tmp_path_factory):
    """An input that takes a while."""
    path = tmp_path_factory.mktemp("input") / "many.ndjson"
    path.write_bytes(b"".join(line([b"key %06d" % i, b"other %06d" % i], pack_int(i)) for i in range(100_000)))
    return path


def names(place):
    return sorted(os.listdir(place))


def test_a_build_killed_at_any_moment_leaves_the_old_file_and_nothing_else(command, folder, many_lines, rng):
    out = folder / "out.fsdb"
    old = out.read_bytes()
    start = time.monotonic()
    command("build", folder / "new.fsdb", many_lines, "--quiet", code=DONE)
    duration = time.monotonic() - start
    new = (folder / "new.fsdb").read_bytes()
    (folder / "new.fsdb").unlink()

    survived = 0
    for _ in range(40):
        process = command.start("build", out, many_lines, "--quiet")
        time.sleep(rng.uniform(0, 1.1 * duration))
        process.kill()
        process.communicate()
        assert names(folder) == ["out.fsdb"]
        content = out.read_bytes()
        assert content in (old, new)
        command("verify", out, code=DONE)
        if content == old:
            survived += 1
        else:
            out.write_bytes(old)
    assert survived > 0, "no build was killed in time"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_build_ended_by_a_signal_leaves_the_old_file_and_nothing_else(command, folder, many_lines, number):
    old = (folder / "out.fsdb").read_bytes()
    process = command.start("build", folder / "out.fsdb", "-", stdin=subprocess.PIPE)
    process.stdin.write(many_lines.read_bytes()[:100_000])
    process.stdin.flush()
    time.sleep(0.2)
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    assert names(folder) == ["out.fsdb"]
    assert (folder / "out.fsdb").read_bytes() == old


def test_two_builders_to_the_same_output_both_succeed_and_one_of_them_stays(command, folder, tmp_path):
    inputs, outputs = [], []
    for letter in "xy":
        lines = b"".join(line([b"%s %d" % (letter.encode(), i)], pack_int(i)) for i in range(5_000))
        inputs.append(tmp_path / f"{letter}.ndjson")
        inputs[-1].write_bytes(lines)
        command("build", tmp_path / f"{letter}.fsdb", inputs[-1], code=DONE)
        outputs.append((tmp_path / f"{letter}.fsdb").read_bytes())
    for _ in range(15):
        processes = [command.start("build", folder / "out.fsdb", path) for path in (*inputs, *inputs)]
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == DONE, errors
        assert (folder / "out.fsdb").read_bytes() in outputs
        assert names(folder) == ["out.fsdb"]


def test_a_build_that_fails_leaves_the_old_file_and_nothing_else(command, folder):
    old = (folder / "out.fsdb").read_bytes()
    lines = b"".join(line([b"%d" % i], pack_int(i)) for i in range(20_000)) + b"this is no JSON\n"
    command("build", folder / "out.fsdb", stdin=lines, code=BAD_DATA)
    assert names(folder) == ["out.fsdb"]
    assert (folder / "out.fsdb").read_bytes() == old


def test_a_build_that_fails_makes_no_file(command, tmp_path):
    command("build", tmp_path / "out.fsdb", stdin=b"nonsense\n", code=BAD_DATA)
    assert names(tmp_path) == []


def test_the_files_of_others_are_left_alone(command, tmp_path):
    for name in ("out.fsdb.tmp", "out.tmp", ".out.fsdb.tmp", "out.fsdb~", ".tmp"):
        (tmp_path / name).write_text("mine")
    before = names(tmp_path)
    for output in ("out.fsdb", "out.dat", "out"):
        command("build", tmp_path / output, stdin=OLD, code=DONE)
    assert names(tmp_path) == sorted([*before, "out.fsdb", "out.dat", "out"])
    assert all((tmp_path / name).read_text() == "mine" for name in before)


def test_an_output_that_is_a_folder_is_refused_and_left_alone(command, tmp_path):
    (tmp_path / "out.fsdb").mkdir()
    result = command("build", tmp_path / "out.fsdb", stdin=OLD)
    assert result.code in (USAGE, IO_FAILURE)
    assert "out.fsdb" in result.errors
    assert names(tmp_path) == ["out.fsdb"] and names(tmp_path / "out.fsdb") == []


def test_an_output_in_a_missing_folder_is_an_io_failure_that_names_it(command, tmp_path):
    result = command("build", tmp_path / "missing" / "out.fsdb", stdin=OLD, code=IO_FAILURE)
    assert "missing" in result.errors
    assert names(tmp_path) == []


def test_an_output_whose_name_is_too_long_is_an_io_failure(command, tmp_path):
    command("build", tmp_path / ("n" * 300), stdin=OLD, code=IO_FAILURE)
    assert names(tmp_path) == []


def test_the_longest_name_is_no_problem_for_a_temporary_one(command, tmp_path):
    command("build", tmp_path / ("n" * 255), stdin=OLD, code=DONE)
    assert names(tmp_path) == ["n" * 255]


def test_an_output_may_be_a_bare_name_in_the_current_folder(command, tmp_path):
    command("build", "out.fsdb", stdin=OLD, cwd=tmp_path, code=DONE)
    assert names(tmp_path) == ["out.fsdb"]


def test_a_new_file_is_readable_as_the_mask_allows_and_a_replaced_one_stays_readable(command, tmp_path):
    process = command.start("build", tmp_path / "out.fsdb", stdin=subprocess.PIPE, preexec_fn=lambda: os.umask(0o027))
    process.communicate(OLD)
    assert (tmp_path / "out.fsdb").stat().st_mode & 0o777 == 0o640


def limited(bytes_allowed, action=signal.SIG_DFL):
    """Limits the size of files in a child. Python ignores SIGXFSZ, which a child inherits; a shell does not."""

    def limit():
        signal.signal(signal.SIGXFSZ, action)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_allowed, bytes_allowed))

    return limit


@pytest.mark.parametrize("action", [signal.SIG_DFL, signal.SIG_IGN], ids=lambda action: action.name)
@pytest.mark.parametrize("allowed", [0, 39, 4096, 1_000_000])
def test_a_write_that_fails_is_an_io_failure_that_leaves_the_old_file_and_nothing_else(command, folder, many_lines, allowed, action):
    old = (folder / "out.fsdb").read_bytes()
    process = command.start("build", folder / "out.fsdb", many_lines, preexec_fn=limited(allowed, action))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == IO_FAILURE, errors
    assert b"out.fsdb" in errors
    assert names(folder) == ["out.fsdb"]
    assert (folder / "out.fsdb").read_bytes() == old


@pytest.mark.parametrize("arguments", [["keys"], ["dump"], ["dump", "--format", "csv"], ["prefix", ""], ["get", "host-00000-0.example"],
                                       ["stats"], ["stats", "--json"], ["verify"], ["verify", "--json"]], ids=" ".join)  # fmt: skip
def test_an_output_stream_that_is_full_is_an_io_failure(command, big, arguments):
    name, *rest = arguments
    with open("/dev/full", "wb") as full:
        result = command(name, big, *rest, stdout=full)
    assert result.code == IO_FAILURE, result
    assert result.err


def test_results_that_reach_the_limit_of_a_file_are_an_io_failure(command, big, tmp_path):
    with open(tmp_path / "dump", "wb") as out:
        process = command.start("dump", big, stdout=out, preexec_fn=limited(100_000))
        _, errors = process.communicate(timeout=120)
    assert process.returncode == IO_FAILURE, errors
    assert b"standard output" in errors


def without_threads():
    """Leaves no room for the stack of a further thread."""
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 47, resource.RLIM_INFINITY))


@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_build_ends_with_the_same_file_where_the_system_has_no_thread_left(command, folder, many_lines, threads):
    command("build", folder / "out.fsdb", many_lines, "--quiet", code=DONE)
    process = command.start("build", folder / "alone.fsdb", many_lines, "--quiet", "--threads", threads, preexec_fn=without_threads)
    try:
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == DONE, errors
    assert (folder / "alone.fsdb").read_bytes() == (folder / "out.fsdb").read_bytes()


# --- readers, while somebody else changes the file ---


def paused(command, *arguments):
    """A command that has begun to write into a pipe that nobody empties, and its first bytes."""
    process = command.start(*arguments)
    first = os.read(process.stdout.fileno(), 100)
    time.sleep(0.3)  # until the pipe is full and the command waits
    return process, first


def resumed(process, first):
    out, errors = process.communicate(timeout=120)
    return first + out, errors.decode()


@pytest.mark.parametrize(
    "arguments", [["keys"], ["keys", "--reverse"], ["dump"], ["dump", "--format", "csv"], ["prefix", ""]], ids=" ".join
)
@pytest.mark.parametrize("size", [0, 4096, 300_000])
def test_a_file_truncated_under_a_reader_is_an_error_with_an_offset(command, big, tmp_path, arguments, size):
    path = tmp_path / "big.fsdb"
    shutil.copy(big, path)
    name, *rest = arguments
    process, first = paused(command, name, path, *rest)
    os.truncate(path, size)
    out, errors = resumed(process, first)
    assert process.returncode == BAD_DATA, (process.returncode, errors)
    assert re.search(r"\boffset \d+\b", errors), errors
    whole_lines = out[: out.rfind(b"\n") + 1]
    assert command(name, big, *rest, code=DONE).out.startswith(whole_lines), "a wrong answer before the error"


@pytest.mark.parametrize("layout", [[], ["--plain"]], ids=["block", "plain"])
@pytest.mark.parametrize("arguments", [["keys"], ["dump", "--format", "csv"], ["prefix", ""]], ids=" ".join)
def test_a_last_key_shortened_under_a_reader_is_an_error(command, tmp_path, arguments, layout):
    # The last entry holds a shorter one: a key in order, and after it the offset of an object.
    key = b"z" + (40).to_bytes(8, "big")
    calls = [(pack_int(1), [b"key %06d" % i for i in range(60_000)] + [key])]
    path = command.build(tmp_path / "x.fsdb", calls, *layout)
    place = path.read_bytes().rindex(len(key).to_bytes(2, "big") + key + (40).to_bytes(8, "big"))
    name, *rest = arguments
    process, first = paused(command, name, path, *rest)
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(b"\0\1")
    out, errors = resumed(process, first)
    if layout:
        # The entry is on the last page, which is read as it was when the file was opened.
        kept = command.build(tmp_path / "kept.fsdb", calls, *layout)
        # A table has no row for the key as it was.
        answer = command(name, kept, *rest, code=BAD_DATA if "csv" in rest else DONE)
        assert process.returncode == answer.code and out == answer.out and errors == answer.err.decode().replace(str(kept), str(path)), errors
        return
    assert process.returncode == BAD_DATA, (process.returncode, errors)
    assert re.search(r"\boffset \d+\b", errors), errors


def test_a_field_of_an_object_that_vanishes_meanwhile_is_not_said_to_be_absent(command, wheel, tmp_path):
    # {"a": [nil, …], "": 1}: where the file was cut zeros are read, and a map of zeros has no name "".
    count = 20_000_000
    value = b"\x82\xa1a\xdd" + count.to_bytes(4, "big") + b"\xc0" * count + b"\xa0\x01"
    whole = wheel.write(tmp_path / "whole.fsdb", [(value, [b"k"])])
    question = ["k", "--field", ""]
    start = time.monotonic()
    assert command("get", whole, *question, code=DONE).out == b"1\n"
    duration = time.monotonic() - start
    path = tmp_path / "x.fsdb"
    answers = set()
    for step in range(1, 10):
        shutil.copy(whole, path)
        process = command.start("get", path, *question)
        time.sleep(duration * step / 10)
        os.truncate(path, 4096)
        _, errors = process.communicate(timeout=120)
        assert b"no field" not in errors, step
        answers.add(process.returncode)
    assert BAD_DATA in answers, "no file was cut in time"


@pytest.mark.parametrize("arguments", [["keys"], ["dump"], ["prefix", ""]], ids=" ".join)
def test_a_file_replaced_under_a_reader_is_read_to_its_end(command, big, tmp_path, arguments):
    path = tmp_path / "big.fsdb"
    shutil.copy(big, path)
    name, *rest = arguments
    expected = command(name, path, *rest, code=DONE).out
    process, first = paused(command, name, path, *rest)
    command("build", path, stdin=OLD, code=DONE)
    out, errors = resumed(process, first)
    assert (process.returncode, errors) == (DONE, "")
    assert out == expected
    assert command("keys", path, code=DONE).out == b"old\n"


def test_readers_see_the_old_or_the_new_file_while_it_is_replaced_again_and_again(command, tmp_path):
    path = tmp_path / "out.fsdb"
    for number in range(10):
        command("build", path, stdin=line([b"k", b"n%d" % number], pack_int(number)), code=DONE)
        readers = [command.start("dump", path) for _ in range(4)]
        builder = command.start("build", path, "-", stdin=subprocess.PIPE)
        builder.communicate(line([b"k", b"n%d" % (number + 1)], pack_int(number + 1)))
        for reader in readers:
            out, errors = reader.communicate()
            assert reader.returncode == DONE, errors
            assert out in (line([b"k", b"n%d" % n], pack_int(n)) for n in (number, number + 1))

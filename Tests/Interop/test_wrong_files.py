"""What stands where a database, a patch or a list should: each message says what it is and what to do."""

import bz2
import gzip
import lzma
import shutil
import subprocess
import zipfile

import pytest

from conftest import BAD_DATA, DONE, FIXTURES, NO, NO_INPUT, USAGE

GOOD = FIXTURES / "good" / "ten-keys.fsdb"
BLOCK = FIXTURES / "good" / "block-300-keys.fsdb"

#: What FILE is -> what its message must say.
KINDS = {
    "gzip": ["packed by gzip", "unpack it first", "gunzip"], "xz": ["packed by xz", "unxz"], "zstd": ["packed by zstd", "unzstd"],
    "bzip2": ["packed by bzip2", "bunzip2"], "zip": ["packed by zip", "unzip"], "a patch": ["it is a patch", "'fusedb patch'"],
    "NDJSON": ["it is JSON", "'fusedb build'"], "short NDJSON": ["it is JSON", "'fusedb build'"], "a JSON array": ["it is JSON", "'fusedb build'"],
    "CSV": ["it is text", "'fusedb build'"], "long text": ["it is text", "'fusedb build'"], "rubbish": ["is it a FuseDB file?"],
    "an empty file": ["the file is empty", "copy or build it again"], "a folder": ["this is a folder"],
}  # fmt: skip


@pytest.fixture(scope="module")
def files(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    data = GOOD.read_bytes()
    (folder / "gzip").write_bytes(gzip.compress(data))
    (folder / "xz").write_bytes(lzma.compress(data))
    (folder / "bzip2").write_bytes(bz2.compress(data))
    assert shutil.which("zstd")
    (folder / "zstd").write_bytes(subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout)
    with zipfile.ZipFile(folder / "zip", "w") as archive:
        archive.writestr("x.fsdb", data)
    command("diff", GOOD, BLOCK, "--patch", folder / "a patch", code=DONE)
    (folder / "NDJSON").write_text('{"keys":["8.8.8.8"],"value":{"org":"Google LLC"}}\n' * 9)
    (folder / "short NDJSON").write_text('{"keys":["a"],"value":1}\n')
    (folder / "a JSON array").write_text('\n [{"keys":["8.8.8.8"],"value":{"org":"Google LLC"}}]\n')
    (folder / "CSV").write_text("network,org\n8.8.8.0/24,Google LLC\n1.1.1.0/24,Cloudflare\n")
    # A character of two bytes lies across the end of what is looked at.
    (folder / "long text").write_text("x" + "é" * 1000)
    (folder / "rubbish").write_bytes(bytes(range(200)))
    (folder / "an empty file").write_bytes(b"")
    (folder / "a folder").mkdir()
    return folder


QUESTIONS = ["get FILE k", "prefix FILE k", "keys FILE", "dump FILE", "stats FILE", "verify FILE", "watch FILE", "bench FILE",
             "reindex FILE", "diff FILE GOOD", "diff GOOD FILE", "merge OUT GOOD FILE", "merge OUT GOOD --subtract FILE", "patch FILE PATCH OUT"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_no_database_is_called_by_its_name_with_what_to_do(command, files, tmp_path, question, kind):
    places = {"FILE": files / kind, "GOOD": GOOD, "OUT": tmp_path / "out.fsdb", "PATCH": files / "a patch"}
    result = command(*[places.get(word, word) for word in question.split()])
    said = result.text if question.startswith("verify") and result.code == NO else result.errors
    if question.startswith("reindex") and kind == "a folder":
        # What it reads, it replaces.
        assert result.code == USAGE and f"{files / kind}' is a folder" in said
        return
    assert result.code in (BAD_DATA, NO_INPUT) or question.startswith("verify")
    for words in (str(files / kind), *KINDS[kind]):
        assert words in said


@pytest.mark.parametrize("kind, words", [("gzip", "packed by gzip"), ("NDJSON", "is it a patch"), ("rubbish", "is it a patch"), ("a folder", "this is a folder")])
def test_what_is_no_patch_is_called_by_its_name(command, files, tmp_path, kind, words):
    result = command("patch", GOOD, files / kind, tmp_path / "out.fsdb")
    assert result.code in (BAD_DATA, NO_INPUT) and words in result.errors


def test_a_database_where_the_patch_should_be_is_said_so(command, tmp_path):
    result = command("patch", GOOD, BLOCK, tmp_path / "out.fsdb", code=BAD_DATA)
    assert "it is a database" in result.errors and "PATCH comes after OLD" in result.errors


@pytest.mark.parametrize("command_words", [["get"], ["prefix"]], ids=" ".join)
@pytest.mark.parametrize("key", ["8.8.8.8", "NDJSON", "short NDJSON"])
def test_file_and_key_exchanged_is_said_so(command, files, command_words, key):
    path = files / key if (files / key).exists() else key
    result = command(*command_words, path, GOOD)
    assert result.code in (BAD_DATA, NO_INPUT)
    assert f'"{GOOD}' [:50] in result.errors and "is a database: FILE comes first" in result.errors
    # Nothing is said about a key that leads nowhere.
    assert "comes first" not in command(*command_words, path, "k").errors


@pytest.mark.parametrize("what, words", [("database", "this is a database"), ("a patch", "this is a patch"), ("a folder", "Is a directory")])
def test_what_is_no_list_is_called_by_its_name(command, files, what, words):
    path = GOOD if what == "database" else files / what
    for form in ([], ["--keys-format", "json"]):
        result = command("get", GOOD, "--keys-from", path, *form)
        assert result.code in (BAD_DATA, NO_INPUT) and words in result.errors and str(path) in result.errors


def test_a_file_cut_short_is_said_to_be_so_by_verify(command, tmp_path):
    data = BLOCK.read_bytes()
    end = int.from_bytes(data[-48:-40], "big")
    for size in range(end + 1, len(data), 97):
        (tmp_path / "cut.fsdb").write_bytes(data[:size])
        result = command("verify", tmp_path / "cut.fsdb", code=NO)
        assert "cut short" in result.text and "copy or build it again" in result.text, size
    # Where the footer is there, nothing was cut.
    result = command("verify", FIXTURES / "bad" / "block-footer-crc.fsdb", code=NO)
    assert "cut short" not in result.text

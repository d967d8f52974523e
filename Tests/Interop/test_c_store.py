"""The library for C that keeps files: what it exports and needs, and the program in Tests/CStore, plainly and under valgrind."""

import os
import re

import pytest

from conftest import ROOT
from test_c import STRICT, VALGRIND, run

HEADER = ROOT / "Sources" / "CFuseDB" / "fusedb_store.h"
LIBRARY = ROOT / "build" / "c" / "libfusedb-store.so.0"
PROGRAM = ROOT / "Tests" / "CStore" / "store.c"


def declared():
    return set(re.findall(r"^[a-z].*?\b(fuse_\w+)\(", re.sub(r"^static inline.*", "", HEADER.read_text(), flags=re.M), re.M))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    assert LIBRARY.is_file(), f"no library at {LIBRARY}; 'make library' builds it"
    path = tmp_path_factory.mktemp("c") / "store"
    run("gcc", "-std=c11", *STRICT, "-I", HEADER.parent, PROGRAM, "-o", path, "-L", LIBRARY.parent, "-lfusedb-store", "-lpthread",
        f"-Wl,-rpath,{LIBRARY.parent}")
    return path


def test_the_library_exports_what_the_header_declares_and_the_other_needs_nothing_of_it():
    names = run("nm", "-D", "--defined-only", "--format=just-symbols", LIBRARY).stdout.split()
    assert {name.split("@")[0] for name in names} == declared() and len(declared()) > 40
    dynamic = run("objdump", "-p", LIBRARY).stdout
    assert re.search(r"SONAME +libfusedb-store.so.0$", dynamic, re.M)
    # libcrypto is opened with the first store, and neither library needs the other.
    assert not re.search("NEEDED.*(swift|Foundation|dispatch|crypto|curl|sqlite|fusedb)", dynamic)
    assert "fusedb-store" not in run("objdump", "-p", LIBRARY.parent / "libfusedb.so.0").stdout


def test_each_function_of_the_header_is_tested():
    text = PROGRAM.read_text()
    assert {name for name in declared() if f"{name}(" not in text} == set()


def test_each_function_of_the_header_says_which_threads_may_call_it():
    pattern = r"/\*((?:(?!\*/).)*)\*/\n(?:fuse_status|void|bool|int|const char \*) ?(fuse_\w+)\("
    found = re.findall(pattern, HEADER.read_text(), re.S)
    assert len(found) > 35
    for comment, name in found:
        assert re.search("(?i)(any|one) thread", re.sub(r"\n \* ", " ", comment)), name


def test_each_function_does_and_refuses_what_its_header_says(program, tmp_path):
    result = run(program, tmp_path)
    assert re.fullmatch(r"C store passed: \d{4,} checks, 0 failures\n", result.stdout) and result.stderr == ""
    assert [path.name for path in (tmp_path / "s" / "tmp").iterdir() if path.suffix != ".lock"] == []


def test_no_call_leaks_or_touches_memory_that_it_has_not(program, tmp_path):
    assert run(*VALGRIND, program, tmp_path).stdout.startswith("C store passed: ")


@pytest.mark.parametrize("compiler, standard", [("gcc", "c11"), ("g++", "c++17")])
def test_the_header_alone_is_what_a_compiler_takes(tmp_path, compiler, standard):
    functions = re.findall(r"^static inline \w+ (fuse_\w+)\(void\)", HEADER.read_text(), re.M)
    assert len(functions) > 6
    source = tmp_path / ("header.c" if compiler == "gcc" else "header.cpp")
    calls = "".join(f"  if ({name}().size == 0) return 1;\n" for name in functions)
    source.write_text(f"#include <fusedb_store.h>\nint main(void) {{\n{calls}  return 0;\n}}\n")
    run(compiler, f"-std={standard}", *STRICT, "-I", HEADER.parent, source, "-o", tmp_path / "header")
    run(tmp_path / "header")


def test_a_program_may_link_both_libraries(tmp_path):
    (tmp_path / "both.c").write_text("""
#include <fusedb_store.h>
int main(void) {
  fuse_store *store = NULL;
  fuse_reader *reader = NULL;
  fuse_error *error = NULL;
  fuse_store_error *other = NULL;
  if (fuse_reader_open(FUSE_TEXT("nowhere"), NULL, NULL, &reader, &error) != FUSE_ERROR_NOT_FOUND) return 1;
  if (fuse_store_open(FUSE_TEXT("nowhere"), &store, &other) != FUSE_ERROR_NOT_FOUND) return 2;
  if (strcmp(fuse_error_path(error), "nowhere") != 0 || strcmp(fuse_store_error_path(other), "nowhere") != 0) return 3;
  // The error of one is none of the other's.
  if (fuse_error_code((fuse_error *)other) != FUSE_OK || fuse_store_error_code((fuse_store_error *)error) != FUSE_OK) return 4;
  fuse_error_free(error);
  fuse_store_error_free(other);
  if (fuse_store_create_in_memory(NULL, &store, NULL) != FUSE_OK) return 5;
  if (fuse_store_put(store, FUSE_TEXT("hello"), NULL, NULL, NULL) != FUSE_OK) return 6;
  return fuse_store_close(store);
}
""")
    run("gcc", "-std=c11", *STRICT, "-I", HEADER.parent, tmp_path / "both.c", "-o", tmp_path / "both", "-L", LIBRARY.parent, "-lfusedb",
        "-lfusedb-store", f"-Wl,-rpath,{LIBRARY.parent}")
    run(tmp_path / "both")
    run(*VALGRIND, tmp_path / "both")


def test_without_libcrypto_a_store_says_what_to_install(tmp_path):
    (tmp_path / "open.c").write_text("""
#include <fusedb_store.h>
#include <stdio.h>
int main(void) {
  fuse_store *store = NULL;
  fuse_store_error *error = NULL;
  if (fuse_store_create_in_memory(NULL, &store, &error) != FUSE_ERROR_NOT_FOUND) return 1;
  puts(fuse_store_error_message(error));
  return 0;
}
""")
    run("gcc", "-std=c11", *STRICT, "-I", HEADER.parent, tmp_path / "open.c", "-o", tmp_path / "open", "-L", LIBRARY.parent, "-lfusedb-store",
        f"-Wl,-rpath,{LIBRARY.parent}")
    found = re.search(r"libcrypto\.so\.3 .*=> (\S+)", run("sh", "-c", "ldconfig -p || /sbin/ldconfig -p").stdout)[1]
    hidden = [word for path in {found, f"/usr{found}", os.path.realpath(found)} for word in ("-P", path)]
    said = run("strace", "-f", "-o", tmp_path / "trace", *hidden, "-e", "trace=openat", "-e", "inject=openat:error=ENOENT", tmp_path / "open")
    assert "libcrypto.so.3" in said.stdout and "apt-get install libssl3" in said.stdout


def test_the_program_of_the_documentation(tmp_path):
    page = (ROOT / "docs" / "FuseDB.docc" / "C.md").read_text()
    (tmp_path / "page.c").write_text(re.findall(r"^```c\n(.*?)^```", page, re.M | re.S)[1])
    run("gcc", "-std=c11", *STRICT, "-I", HEADER.parent, tmp_path / "page.c", "-o", tmp_path / "page", "-L", LIBRARY.parent, "-lfusedb-store",
        f"-Wl,-rpath,{LIBRARY.parent}")
    assert re.fullmatch(r"[0-9a-f]{64}\n", run(tmp_path / "page", cwd=tmp_path).stdout)

"""The library for C: what it exports, what its header is, and the programs in Tests/C and Examples/c, plainly and under valgrind."""

import os
import re
import subprocess

import pytest

from conftest import DONE, ROOT

HEADER = ROOT / "Sources" / "CFuseDB" / "fusedb.h"
LIBRARY = ROOT / "build" / "c" / "libfusedb.so.0"
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-g"]
# The library answers for a fault of the processor, after which a program needs all its registers.
VALGRIND = ["valgrind", "-q", "--vex-iropt-register-updates=allregs-at-mem-access", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect", "--num-callers=30"]


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=500, **options)
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result


def declared():
    return set(re.findall(r"^[a-z].*?\b(fuse_\w+)\(", re.sub(r"^static inline.*", "", HEADER.read_text(), flags=re.M), re.M))


@pytest.fixture(scope="module")
def built():
    assert LIBRARY.is_file(), f"no library at {LIBRARY}; 'make library' builds it"
    return LIBRARY.parent


@pytest.fixture(scope="module")
def program(built, tmp_path_factory):
    """The program in Tests/C, compiled as strictly as compilers can."""
    path = tmp_path_factory.mktemp("c") / "fusedb-c"
    run("gcc", "-std=c11", *STRICT, "-I", HEADER.parent, *sorted((ROOT / "Tests" / "C").glob("*.c")), "-o", path,
        "-L", built, "-lfusedb", "-lpthread", f"-Wl,-rpath,{built}")
    return path


def test_the_library_exports_what_the_header_declares_and_nothing_else(built):
    names = run("nm", "-D", "--defined-only", "--format=just-symbols", LIBRARY).stdout.split()
    assert {name.split("@")[0] for name in names} == declared() and len(declared()) > 80
    dynamic = run("objdump", "-p", LIBRARY).stdout
    assert re.search(r"SONAME +libfusedb.so.0$", dynamic, re.M)
    assert not re.search("NEEDED.*(swift|Foundation|dispatch)", dynamic)


def test_each_function_of_the_header_is_tested():
    text = "".join(path.read_text() for path in (ROOT / "Tests" / "C").glob("*.c"))
    assert {name for name in declared() if f"{name}(" not in text} == set()


def test_each_function_of_the_header_says_which_threads_may_call_it():
    """The comment above a function, or above those that it stands with."""
    text = HEADER.read_text()
    one_thread = text.split("typedef struct fuse_writer fuse_writer;")[0][-200:]
    assert "One thread at a time for all of its functions" in one_thread
    for comment, name in re.findall(r"/\*((?:(?!\*/).)*)\*/\n(?:fuse_status|void|bool|int|uint32_t|const char \*) ?(fuse_\w+)\(", text, re.S):
        assert re.search("(?i)(any|one) thread", re.sub(r"\n \* ", " ", comment)) or name.startswith("fuse_writer_"), name


def test_each_function_does_and_refuses_what_its_header_says(program, tmp_path):
    result = run(program, tmp_path)
    assert re.fullmatch(r"C passed: \d{4,} checks, 0 failures\n", result.stdout) and result.stderr == ""
    # What was ended or failed left no temporary file.
    assert {path.name for path in tmp_path.iterdir() if path.suffix != ".fsdb"} == {
        "new.patch", "back.patch", "whole.patch", "delivery", "set", "other set"}
    beside = {path.name for path in (tmp_path / "delivery").iterdir() if path.suffix != ".fsdb"}
    # One that was ended left what it had, for the next.
    assert {name.split("-")[0] for name in beside if not name.endswith((".lock", ".origin"))} == {"remote", "other.fsdb.part"}, beside


def test_no_call_leaks_or_touches_memory_that_it_has_not(program, tmp_path):
    result = run(*VALGRIND, program, tmp_path, 2)
    assert result.stdout.startswith("C passed: ")


@pytest.mark.parametrize("compiler, standard", [("gcc", "c11"), ("g++", "c++17")])
def test_the_header_alone_is_what_a_compiler_takes(tmp_path, compiler, standard):
    functions = re.findall(r"^static inline \w+ (fuse_\w+)\(void\)", HEADER.read_text(), re.M)
    assert len(functions) > 15
    source = tmp_path / ("header.c" if compiler == "gcc" else "header.cpp")
    calls = "".join(f"  if ({name}().size == 0) return 1;\n" for name in functions)
    source.write_text(f"#include <fusedb.h>\nint main(void) {{\n{calls}  return 0;\n}}\n")
    run(compiler, f"-std={standard}", *STRICT, "-I", HEADER.parent, source, "-o", tmp_path / "header")
    run(tmp_path / "header")


def test_a_program_is_built_with_what_pkg_config_says_of_an_installation(command, built, tmp_path):
    place = tmp_path / "root"
    # The command of this run, wherever it is, in place of the one that `make release` builds.
    run(ROOT / "Scripts" / "install", "/usr", place)
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir() and path.parts[len(place.parts) + 1] != "share") == [
        "usr/bin/fusedb", "usr/bin/fusedb-delivery", "usr/bin/fusedb-serve", "usr/bin/fusedb-store", "usr/include/fusedb.h", "usr/include/fusedb_store.h",
        "usr/lib/libfusedb-store.so", "usr/lib/libfusedb-store.so.0", "usr/lib/libfusedb.so", "usr/lib/libfusedb.so.0",
        "usr/lib/pkgconfig/fusedb-store.pc", "usr/lib/pkgconfig/fusedb.pc"]
    environment = {**os.environ, "PKG_CONFIG_LIBDIR": f"{place}/usr/lib/pkgconfig", "PKG_CONFIG_SYSROOT_DIR": str(place)}
    said = run("pkg-config", "--cflags", "--libs", "fusedb", env=environment).stdout.split()
    assert run("pkg-config", "--modversion", "fusedb", env=environment).stdout == "0.1.0\n"
    run("gcc", "-std=c11", *STRICT, ROOT / "Examples" / "c" / "enrich.c", *said, "-o", tmp_path / "enrich")
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{place}/usr/lib"}

    database = tmp_path / "geo.fsdb"
    command("build", database, code=DONE, stdin=b'{"keys":["8.8.8.8"],"value":{"org":"Google LLC","asn":15169,"geo":[47.5,true]}}\n')
    words = "8.8.8.8\nnowhere\n"
    for checker in ([], VALGRIND):
        for field, answer in ([], '{"org":"Google LLC","asn":15169,"geo":[47.5,true]}'), (["org"], "Google LLC"), (["geo.0"], "47.5"):
            result = run(*checker, tmp_path / "enrich", database, *field, input=words, env=environment)
            assert result.stdout == f"8.8.8.8\t{answer}\nnowhere\t-\n" and result.stderr == ""
    failed = subprocess.run([tmp_path / "enrich", tmp_path / "no.fsdb"], capture_output=True, text=True, env=environment)
    assert failed.returncode == 1 and failed.stderr.startswith(f"enrich: {tmp_path}/no.fsdb: ")

    # The program of the documentation.
    page = (ROOT / "docs" / "FuseDB.docc" / "C.md").read_text()
    (tmp_path / "page.c").write_text(re.search(r"^```c\n(.*?)^```", page, re.M | re.S)[1])
    run("gcc", "-std=c11", *STRICT, tmp_path / "page.c", *said, "-o", tmp_path / "page")
    assert re.fullmatch(r"\d+ bytes\n", run(tmp_path / "page", cwd=tmp_path, env=environment).stdout)

"""What processors other than x86-64 with SSE2 and AVX2 run instead gives the same answers: the C of Sources/CFuseIntrinsics, compiled twice."""

import subprocess

from conftest import ROOT

FOLDER = ROOT / "Sources/CFuseIntrinsics"
PROGRAM = ROOT / "Tests/Interop/intrinsics.c"
# Clang's words for pointers, which other compilers lack.
OPTIONS = ["-std=gnu17", "-O1", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-function", "-Wno-attributes", "-D_Nullable=", "-D_Nonnull=", f"-I{FOLDER}"]


def answers(path, *options):
    subprocess.run(["cc", *OPTIONS, *options, PROGRAM, "-o", path], check=True)
    return subprocess.run([path], check=True, capture_output=True, text=True).stdout.splitlines()


def test_the_plain_code_answers_as_the_instructions_do(tmp_path):
    quick = answers(tmp_path / "quick")
    plain = answers(tmp_path / "plain", "-U__SSE2__", "-DPLAIN")
    assert len(quick) == 9 and quick == plain

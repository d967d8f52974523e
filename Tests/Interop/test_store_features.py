"""The page of features: each test that it names is there, and each call of the adapters has a row."""

import ast
import re

from conftest import ROOT

PAGE = (ROOT / "docs" / "FuseDB.docc" / "StoreFeatures.md").read_text()
#: What the adapters have beyond the originals, which needs no row.
OURS = {"store", "list", "gc", "readable", "seekable", "readinto", "seek", "tell"}


def rows():
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and "---" not in line and cells[0] != "there":
            yield cells


def functions(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_each_row_names_a_test_that_is_there():
    found = list(rows())
    assert len(found) > 40
    for _, _, test in found:
        name, function, star = re.fullmatch(r"(\w+\.py)::(\w+)( \*)?", test).groups()
        assert function in functions(ROOT / ("Tests/Interop" if star else "python/tests") / name), test


def test_each_call_of_the_adapters_has_a_row():
    text = " ".join(first for first, _, _ in rows())
    for module in "chunkstore", "rsdos", "unicache":
        tree = ast.parse((ROOT / "python" / "fusedb_swift" / "compat" / f"{module}.py").read_text())
        names = set()
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names.add(node.name)
                # Twins have the calls of the others.
                if not node.name.startswith("Async"):
                    names |= {one.name for one in node.body if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")}
        assert {name for name in names - OURS if not re.search(rf"\b{name}\b", text)} == set(), module

"""The conformance table names what is there."""

import re

from conftest import ROOT

TABLE = (ROOT / "spec" / "conformance.md").read_text()


def test_every_test_that_the_table_names_is_there():
    swift = {
        str(path.relative_to(ROOT / "Tests" / folder).with_suffix(""))
        for folder in ("FuseDBTests", "FuseDBCommandsTests", ".")
        for path in (ROOT / "Tests" / folder).rglob("*Tests.swift")
    }
    python = {path.name for path in (ROOT / "Tests" / "Interop").glob("test_*.py")}
    named = set(re.findall(r"(?<![\w/])(?:(?!Tests/)[A-Z]\w+(?:/\w+)*/\w+Tests\b|test_\w+\.py)", TABLE))
    assert len(named) > 20
    assert named <= swift | python


def test_every_rule_of_the_specification_stands_in_the_table():
    rules = set()
    for chapter in ("format.md", "extension.md", "json.md", "patch.md", "values.md", "delivery.md", "compact.md", "mmdb.md", "serve.md", "store.md"):
        rules |= set(re.findall(r"\[([A-Z]{1,2}\d+)\] ", (ROOT / "spec" / chapter).read_text()))
    assert len(rules) > 60
    in_table = set()
    for line in TABLE.splitlines():
        if line.startswith("| ") and not line.startswith("| id"):
            in_table |= set(re.findall(r"\b[A-Z]{1,2}\d+\b", line.split("|")[1]))
    assert rules - in_table == set()


def test_every_file_that_the_table_names_is_there():
    bad = ROOT / "Tests" / "Fixtures" / "bad"
    for line in TABLE.splitlines():
        cells = line.split("|")
        if len(cells) < 5:
            continue
        for name in re.findall(r"`([^`]+)`", cells[-2]):
            folder = bad.parent / "good" if name.startswith("good/") else bad
            pattern = name.removeprefix("good/") + ("" if name.endswith("*") else ".fsdb")
            assert list(folder.glob(pattern)), name

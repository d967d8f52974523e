#!/usr/bin/env python3
"""Writes the test files of `good/` and `bad/`, their `expected.json`, and the tables of README.md.

    python3 make_fixtures.py            # into the folder of this script
    python3 make_fixtures.py --to DIR   # somewhere else: to compare

The same bytes come out each time. The encoder is `fsdb.py`: neither implementation of the format is used.
Files that the wheel wrote are not written here, only described; see `write_with_wheel.py`.
"""

import argparse
import json
import sys
from pathlib import Path

from bad_block_files import bad_block_files
from bad_files import bad_files
from good_block_files import good_block_files
from good_files import good_files

HERE = Path(__file__).resolve().parent


def write_folder(folder, cases):
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for case in cases:
        name = f"{case.name}.fsdb"
        assert name not in expected, f"{name} is described twice"
        expected[name] = case.expectation()
        if not getattr(case, "by_wheel", False):
            (folder / name).write_bytes(bytes(case.file))
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return expected


def good_table(cases):
    yield "| file | what it holds | dump gives it back with `build` and |"
    yield "|---|---|---|"
    options = {
        "canonical": "`--plain`",
        "insertion": "`--plain --order insertion --objects every`",
        "block": "no option but `--meta`",
        "other": "",
    }
    for case in cases:
        yield f"| `{case.name}` | {case.holds} | {options[case.layout]} |"


def bad_table(cases):
    yield "| file | what is wrong | rule | verify lists |"
    yield "|---|---|---|---|"
    for case in cases:
        damage = ", ".join(f"{found['kind']} {found['offset']}" for found in case.expectation()["damage"])
        yield f"| `{case.name}` | {case.wrong} | {case.rule} | {damage} |"


def with_table(text, name, rows):
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, rest = text.split(begin)
    return before + begin + "\n".join(rows) + "\n" + end + rest.split(end)[1]


def main():
    parser = argparse.ArgumentParser(description="Write the test files.")
    parser.add_argument("--to", type=Path, default=HERE, metavar="DIR")
    folder = parser.parse_args().to
    good, bad = [*good_files(), *good_block_files()], [*bad_files(), *bad_block_files()]
    write_folder(folder / "good", good)
    write_folder(folder / "bad", bad)
    readme = (HERE / "README.md").read_text()
    readme = with_table(with_table(readme, "good", good_table(good)), "bad", bad_table(bad))
    (folder / "README.md").write_text(readme)
    print(f"{len(good)} good and {len(bad)} bad files", file=sys.stderr)


if __name__ == "__main__":
    main()

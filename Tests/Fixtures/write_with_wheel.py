#!/usr/bin/env python3
"""Writes `good/wheel-*.fsdb` with the Python wheel of fusedb 0.3.0, the other implementation.

    pip install fusedb==0.3.0 msgpack==1.2.4
    python write_with_wheel.py            # into the folder of this script
    python write_with_wheel.py --to DIR   # somewhere else: to compare

The calls are the table `BY_WHEEL` of `good_files.py`. Objects go through the wheel's raw writer, so that their
bytes are those of the table.
"""

import argparse
from pathlib import Path

import fusedb
from good_files import BY_WHEEL


def write(path, calls):
    writer = fusedb.FuseWriter()._w
    for value, keys in calls:
        number = writer.add_object_raw(value)
        for key in keys:
            writer.add_key(key, number)
    writer.build(str(path))


def main():
    parser = argparse.ArgumentParser(description="Write the test files that come from the wheel.")
    parser.add_argument("--to", type=Path, default=Path(__file__).resolve().parent, metavar="DIR")
    folder = parser.parse_args().to / "good"
    folder.mkdir(parents=True, exist_ok=True)
    assert fusedb.__version__ == "0.3.0", "these files are those of fusedb 0.3.0"
    for name, (_, calls) in BY_WHEEL.items():
        write(folder / f"{name}.fsdb", calls)


if __name__ == "__main__":
    main()

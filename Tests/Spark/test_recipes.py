"""The recipes for DuckDB and Polars that the page Spark shows."""

import pathlib
import re

import duckdb
import polars
import pyarrow
import pytest
from conftest import build

import fusedb_swift as fusedb

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "FuseDB.docc" / "Spark.md"
ENTRIES = {f"host-{n}": {"org": f"Organisation {n % 7}", "asn": n} for n in range(5000)}
KEYS = [f"host-{n * 3}" for n in range(3000)] + [None]


def recipe(word):
    """The block of Python on the page that has a word in it."""
    blocks = [block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if word in block]
    assert len(blocks) == 1, f"{len(blocks)} blocks of the page have {word}"
    return blocks[0]


@pytest.fixture
def expected():
    build(ENTRIES, "geo.fsdb")
    return [(key, ENTRIES.get(key, {}).get("org"), ENTRIES.get(key, {}).get("asn")) for key in KEYS]


def test_duckdb(expected):
    names = {"events": pyarrow.table({"host": KEYS})}
    exec(recipe("duckdb.connect"), names)
    events = names["events"]  # noqa: F841  (DuckDB finds it by its name)
    rows = names["connection"].sql("SELECT host, geo.org, geo.asn FROM (SELECT host, geo(host) AS geo FROM events)").fetchall()
    assert sorted(rows, key=str) == sorted(expected, key=str)


def test_polars(expected):
    names = {"events": polars.DataFrame({"host": KEYS})}
    exec(recipe("map_batches"), names)
    assert names["answers"].select("host", "org", "asn").rows() == expected
    lazy = names["events"].lazy().with_columns(polars.col("host").map_batches(names["geo"], return_dtype=names["GEO"]).alias("geo")).unnest("geo")
    assert lazy.collect(engine="streaming").select("host", "org", "asn").rows() == expected

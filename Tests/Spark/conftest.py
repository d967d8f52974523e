"""One Spark for all tests: two threads on this machine, and workers that are real processes."""

import os

import pytest

import fusedb_swift as f
from fusedb_swift import spark as fuse

HERE = os.path.dirname(os.path.abspath(__file__))
# Workers find the functions of these files, too.
os.environ["PYTHONPATH"] = HERE


@pytest.fixture(scope="session")
def spark():
    made = fuse.session(
        "local[2,2]", "tests",
        {"spark.sql.shuffle.partitions": "4", "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "1g",
         "spark.log.level": "OFF", "spark.sql.execution.arrow.maxRecordsPerBatch": "1000"},
    )  # fmt: skip
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def build(entries, path="a.fsdb", **options):
    """A file with an object for each key."""
    writer = f.FuseWriter(**options)
    writer.add_many(entries)
    writer.build(path)
    return path

"""Files that others made and everybody has, each built by one command as it is, and compared key by key with what Python's own readers make
of it."""

import csv
import importlib.util
import json
import lzma
from pathlib import Path

import pytest

from conftest import DONE

VEGA = Path(importlib.util.find_spec("vega_datasets").origin).parent / "_data"


@pytest.fixture
def build(command, tmp_path):
    """Builds from one real file, and gives the mapping."""

    def run(path, *arguments, warns=False):
        assert Path(path).is_file(), f"{path} is not there; make test installs its package"
        out = tmp_path / "out.fsdb"
        result = command("build", "-o", out, path, *arguments, code=DONE)
        assert ("warning" in result.errors) == warns, result
        command("verify", out, code=DONE)
        rows = (json.loads(line) for line in command("dump", out, code=DONE).lines)
        return {key: row["value"] for row in rows for key in row["keys"]}

    return run


def lines(path, comment="#"):
    """The lines of a file of the system that are neither empty nor comments."""
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if line.strip() and not line.startswith(comment)]


def test_the_characters_of_unicode(build):
    path = "/usr/share/unicode/UnicodeData.txt"
    names = "code name category combining bidi decomposition decimal digit numeric mirrored old comment upper lower title".split()
    rows = [dict(zip(names, line.split(";"), strict=True)) for line in lines(path)]
    assert len(rows) > 30_000
    kept = ["name", "category", "combining", "lower"]
    expected = {row["code"]: {**{name: row[name] for name in kept}, "combining": int(row["combining"])} for row in rows}
    expected = {key: {**value, "lower": value["lower"] or None} for key, value in expected.items()}
    options = [option for name in kept for option in ("--keep", name)]
    assert build(path, "--delimiter", ";", "--columns", ",".join(names), "--key", "code", *options, "--type", "combining=int", "--null", "") == expected


def test_the_time_zones(build):
    path = "/usr/share/zoneinfo/zone1970.tab"
    rows = [line.split("\t") for line in lines(path)]
    assert len(rows) > 300 and {len(row) for row in rows} == {3, 4}
    expected = {row[2]: {"codes": row[0], "place": row[1], "comments": row[3] if len(row) > 3 else None} for row in rows}
    options = ["--delimiter", "tab", "--skip-comments", "#", "--pad-rows", "--no-quotes"]
    assert build(path, *options, "--columns", "codes,place,zone,comments", "--key", "zone") == expected


@pytest.mark.parametrize("name, records, keys", [("iso_3166-1", "3166-1", ["alpha_2", "alpha_3"]), ("iso_4217", "4217", ["alpha_3"]), ("iso_639-3", "639-3", ["alpha_3"])])
def test_the_codes_of_iso(build, name, records, keys):
    path = f"/usr/share/iso-codes/json/{name}.json"
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    rows = document[records]
    assert len(rows) > 100
    expected = {row[key]: {name: value for name, value in row.items() if name not in keys} for row in rows for key in keys}
    assert build(path, "--records", records, *(option for key in keys for option in ("--key", key))) == expected


def test_the_cars_of_vega(build):
    with open(VEGA / "cars.json", encoding="utf-8") as file:
        rows = json.load(file)
    assert len(rows) > 400
    expected = {}
    for row in rows:
        expected.setdefault(row["Name"], []).append({name: value for name, value in row.items() if name not in ("Name", "Year")})
    assert any(len(cars) > 1 for cars in expected.values())
    assert build(VEGA / "cars.json", "--key", "Name", "--drop", "Year", "--on-duplicate", "collect") == expected


def test_the_services_of_the_internet(build):
    path = "/etc/services"
    expected = {}
    for line in lines(path):
        name, port, *aliases = line.split("#")[0].split()
        for key in [name, *aliases]:
            expected.setdefault(key, []).append({"name": name, "port": port})
    assert len(expected) > 200 and any(len(services) > 1 for services in expected.values())
    spaces = ["--delimiter", "whitespace", "--skip-comments", "#", "--columns", "name,port,aliases", "--list-rest"]
    fields = ["--key", "name", "--key", "aliases", "--keep", "name", "--keep", "port"]
    assert build(path, *spaces, *fields, "--on-duplicate", "collect") == expected


def test_a_table_that_xz_packed(build, tmp_path):
    with open(VEGA / "airports.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 3000
    packed = tmp_path / "airports.csv.xz"
    packed.write_bytes(lzma.compress((VEGA / "airports.csv").read_bytes()))
    types = {"latitude": float, "longitude": float}
    expected = {row["iata"]: {name: types.get(name, str)(value) for name, value in row.items() if name != "iata"} for row in rows}
    assert build(packed, "--key", "iata", "--type", "latitude=float", "--type", "longitude=float") == expected

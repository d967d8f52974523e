"""GeoLite2 City whole, in and out, beside libmaxminddb: the extension of PyPI's maxminddb.

FUSEDB_CITY_ADDRESSES asks more addresses than usual. City's own networks are asked all, of the file that is exported.
"""

import ipaddress
import json
from importlib import resources

import maxminddb
import pytest
from test_city import ADDRESSES, City, questions, text

from conftest import DONE, NO

CITY = next(path for path in resources.files("_maxminddb_geolite2").iterdir() if path.name.endswith(".mmdb"))


@pytest.fixture(scope="module")
def city():
    return City()


@pytest.fixture(scope="module")
def blocks(city):
    return list(city.blocks())


@pytest.fixture(scope="module")
def whole(command, tmp_path_factory):
    """City as a database, and the report of the build."""
    path = tmp_path_factory.mktemp("city") / "city.fsdb"
    return path, command("build", path, CITY, "--memory", "1G", "--json", code=DONE, timeout=900).json


def test_city_has_the_answers_of_libmaxminddb(command, city, blocks, whole):
    path, report = whole
    assert report["keys"] == report["networks"] == len(blocks) == 3_428_122 and report["objects"] == 458_435
    assert report["peakMemory"] <= 1 << 30
    # Addresses under an alias as well.
    asked = list(questions(blocks, 20180704))
    asked += [f"2002:{int(a.split('.')[0]):02x}{int(a.split('.')[1]):02x}:101::1" for a in asked if ":" not in a][:200]
    assert len(asked) >= ADDRESSES
    listed = command(
        "get", path, "--match", "network", "--keys-from", "-", "--json",
        stdin="".join(q + "\n" for q in asked).encode(), code=NO, timeout=1800,
    )  # fmt: skip
    found = 0
    for question, answer in zip(asked, listed.lines, strict=True):
        ours = json.loads(answer)
        record, length = city.reader.get_with_prefix_len(question)
        assert ours["found"] == (record is not None), question
        if record is None:
            continue
        found += 1
        assert ours["value"] == record, question
        if ":" not in question:
            assert ours["match"] == str(ipaddress.ip_network(f"{question}/{length}", strict=False)), question
    assert found > len(asked) // 4


def test_names_of_one_language_make_less_of_it(command, whole, tmp_path):
    _, report = whole
    english = command("build", tmp_path / "en.fsdb", CITY, "--languages", "en", "--memory", "1G", "--json", code=DONE, timeout=900).json
    assert english["keys"] == report["keys"] and english["bytes"] < report["bytes"]
    value = command("get", tmp_path / "en.fsdb", "8.8.8.8", "--match", "network", code=DONE).json
    assert value["country"]["names"] == {"en": "United States"} and value["continent"]["names"] == {"en": "North America"}


def test_city_comes_out_with_all_of_its_networks(command, city, blocks, whole, tmp_path):
    path, _ = whole
    report = command("export", path, tmp_path / "city.mmdb", "--json", code=DONE, timeout=900).json
    assert report["networks"] == len(blocks) and report["values"] == 458_435 and report["recordSize"] == 28
    # No larger than what MaxMind made.
    assert report["bytes"] <= CITY.stat().st_size
    with maxminddb.open_database(tmp_path / "city.mmdb", maxminddb.MODE_MMAP_EXT) as reader:
        assert reader.metadata().languages == city.reader.metadata().languages
        for address, length, _ in blocks:
            question = text(address, length)[1]
            assert reader.get_with_prefix_len(question) == city.reader.get_with_prefix_len(question), question

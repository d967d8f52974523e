"""`build --range`: ranges of addresses as CIDR blocks, beside Python's slow and right `ipaddress`."""

import csv
import io
import json
from ipaddress import IPv4Address, IPv6Address, collapse_addresses, ip_network, summarize_address_range

import pytest

from conftest import BAD_DATA, DONE, USAGE

FAMILIES = {32: IPv4Address, 128: IPv6Address}
MAPPED = 0xFFFF << 32


def network_text(network):
    """As RFC 5952 has it; a block of addresses that stand for IPv4 is the IPv4 block."""
    address = network.network_address
    if network.version == 6 and network.prefixlen >= 96 and int(address) >> 32 == 0xFFFF:
        return f"{IPv4Address(int(address) & 0xFFFFFFFF)}/{network.prefixlen - 96}"
    return str(network)


def model(first, last, bits):
    """The keys of a range between two integers."""
    return [network_text(network) for network in summarize_address_range(FAMILIES[bits](first), FAMILIES[bits](last))]


@pytest.fixture
def build(command, tmp_path):
    """Builds from rows (first, last, value), and gives {key: value}."""

    def run(rows, *arguments):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("first", "last", "n"), *rows])
        out = tmp_path / "out.fsdb"
        stdin = text.getvalue().encode()
        command("build", out, "--format", "csv", "--range", "first,last", *arguments, "--allow-empty", stdin=stdin, code=DONE)
        lines = command("prefix", out, "", code=DONE).lines
        return {key.decode(): json.loads(value)["n"] for key, value in (line.split(b"\t", 1) for line in lines)}

    return run


def check(build, ranges, bits, spell=None):
    """Builds a database of ranges between integers, each with its number, and compares all keys and answers."""
    spell = spell or FAMILIES[bits]
    rows = [(spell(first), spell(last), number) for number, (first, last) in enumerate(ranges)]
    expected = {key: str(number) for number, (first, last) in enumerate(ranges) for key in model(first, last, bits)}
    assert build(rows) == expected


@pytest.mark.parametrize("bits", FAMILIES)
def test_ranges_at_the_edges(build, bits):
    end = 2**bits - 1
    for ranges in [[(0, 0), (1, end - 1), (end, end)], [(0, end)], [(1, end)], [(0, end - 1)], [(end // 2, end // 2 + 1)]]:
        check(build, ranges, bits)


@pytest.mark.parametrize("bits", FAMILIES)
@pytest.mark.parametrize("base", ["lowest", "highest"])
def test_every_small_range(build, bits, base):
    small = [(first, last) for first in range(17) for last in range(first, 17)]
    places = [slot * 32 for slot in range(len(small))]
    if base == "highest":
        places = [2**bits - 32 - place for place in places]
    check(build, [(place + first, place + last) for place, (first, last) in zip(places, small)], bits)


def random_ranges(rng, bits, count):
    """Ranges beside each other."""
    ends = set()
    while len(ends) < 2 * count:
        end = rng.randrange(2**bits)
        if rng.random() < 0.5:  # near another
            end = min(end % 2 ** rng.randint(1, bits) + max(ends, default=0), 2**bits - 1)
        if rng.random() < 0.5:  # as registries cut them: at round addresses
            end = end >> 8 << 8 if rng.random() < 0.5 else end | 0xFF
        if rng.random() < 0.3:  # with a run of zeros, which IPv6 leaves out
            end &= ~(0xFFFFFFFF << rng.randrange(bits))
        ends.add(end)
    ends = sorted(ends)
    return list(zip(ends[::2], ends[1::2]))


@pytest.mark.parametrize("bits", FAMILIES)
def test_random_ranges(build, rng, bits):
    check(build, random_ranges(rng, bits, 600), bits)


def test_random_ranges_as_integers(build, rng):
    check(build, list(random_ranges(rng, 32, 500)), 32, spell=int)
    high = [(first, last) for first, last in random_ranges(rng, 128, 300) if first >= 2**48]
    check(build, high, 128, spell=int)


def test_ipv6_in_every_spelling(build, rng):
    ranges = list(random_ranges(rng, 128, 150))
    check(build, ranges, 128, spell=lambda value: IPv6Address(value).exploded)
    check(build, ranges, 128, spell=lambda value: IPv6Address(value).exploded.upper())
    check(build, ranges, 128, spell=lambda value: f"{IPv6Address(value).exploded[:30]}{IPv4Address(value & 0xFFFFFFFF)}")


def test_integers_below_2_to_32_are_ipv4_and_mapped_ranges_too(build):
    assert build(
        [
            (16777216, 16777471, "integers"),
            (0, MAPPED - 1, "from 0 to beyond 2^32"),
            (MAPPED + 0x02000000, MAPPED + 0x020000FF, "mapped integers"),
            ("::ffff:3.0.0.0", "::ffff:300:00ff", "mapped text"),
            ("::ffff:ffff:ffff", "::1:0:0:0", "not all of it mapped"),
        ]
    ) == {
        "1.0.0.0/24": "integers",
        **dict.fromkeys(model(0, MAPPED - 1, 128), "from 0 to beyond 2^32"),
        "2.0.0.0/24": "mapped integers",
        "3.0.0.0/24": "mapped text",
        "255.255.255.255/32": "not all of it mapped",
        "::1:0:0:0/128": "not all of it mapped",
    }


# --- the shape of the demo's data, and of others ---

GEOIP = b"""# a comment, "with a quote
# Last-Modified: today
16777216,16777471,AU
16777472,16778239,CN
# \xff is no UTF-8
4026470400,4026470400,??
"""
GEOIP6 = b"#\n2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n2001:4:112::,2001:4:112:ffff:ffff:ffff:ffff:ffff,US"
GEO = {
    b"1.0.0.0/24": "AU",
    b"1.0.1.0/24": "CN",
    b"1.0.2.0/23": "CN",
    b"239.255.16.0/32": "??",
    b"2001:200::/32": "JP",
    b"2001:4:112::/48": "US",
}
DEMO = ["--format", "csv", "--skip-comments", "#", "--columns", "first,last,country", "--range", "first,last"]


def test_the_lists_of_the_tor_project(command, tmp_path):
    (tmp_path / "geoip").write_bytes(GEOIP)
    (tmp_path / "geoip6").write_bytes(GEOIP6)
    command("build", "geo.fsdb", *DEMO, "geoip", "geoip6", cwd=tmp_path, code=DONE)
    lines = command("prefix", tmp_path / "geo.fsdb", "", code=DONE).lines
    assert dict(line.split(b"\t", 1) for line in lines) == {
        key: json.dumps({"country": country}, separators=(",", ":")).encode() for key, country in GEO.items()
    }


def test_ranges_of_ndjson_records_beside_keys(command, tmp_path):
    records = [
        {"from": 16777216, "to": "16777471", "name": "a", "n": 1},
        {"to": "2001:db8::1", "from": "2001:db8::", "name": ["b", "c"], "n": 2},
    ]
    stdin = "".join(json.dumps(record) + "\n" for record in records).encode()
    command("build", tmp_path / "x.fsdb", "--key", "name", "--range", "from,to", stdin=stdin, code=DONE)
    assert command("dump", tmp_path / "x.fsdb", code=DONE).lines == [
        b'{"keys":["1.0.0.0/24","a"],"value":{"n":1}}',
        b'{"keys":["2001:db8::/127","b","c"],"value":{"n":2}}',
    ]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("16777216,1.0.0.255,AU", "mixes"),
        ("16777216,2001:200::,AU", "mixes"),
        ("1.0.0.0,::ffff:1.0.0.255,AU", "mixes"),
        ("16777471,16777216,AU", "ends before it begins"),
        ("2001::,2000::,AU", "ends before it begins"),
        (",16777216,AU", '"first" is missing or empty'),
        ("16777216,,AU", '"last" is missing or empty'),
        ("16777216,-1,AU", "no address"),
        ("16777216,1_6777471,AU", "no address"),
        ("0,340282366920938463463374607431768211456,AU", "no address"),
        ("1.0.0.0, 1.0.0.255,AU", "no address"),
        ("1.0.0.0,1.0.0.256,AU", "no address"),
        ("1.0.0.0,1.0.0.010,AU", "no address"),
        ("1.0,1.0.0.10,AU", "no address"),
        ("1.0.0.0/24,1.0.0.0/24,AU", "no address"),
        ("2001:200::g,2001:200::ffff,AU", "no address"),
        ("fe80::%eth0,fe80::1,AU", "no address"),
        ("16777216,16777471", "2 cells"),
    ],
)
def test_a_bad_range_is_named_with_its_line(command, tmp_path, row, word):
    (tmp_path / "geoip").write_text(f"# comment\n99,100,AU\n{row}\n")
    result = command("build", "geo.fsdb", *DEMO, "geoip", cwd=tmp_path, code=BAD_DATA)
    assert result.errors.startswith("fusedb: geoip:3: ") and word in result.errors, result
    assert not (tmp_path / "geo.fsdb").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--range", "first"], ["--range", "a,b,c"], ["--range", ",b"], ["--columns", "x,y", "--range", "x,z"], ["--skip-comments", ""]],
)
def test_options_that_make_no_sense(command, tmp_path, arguments):
    command("build", tmp_path / "x.fsdb", "--format", "csv", "--key", "x", *arguments, stdin=b"x,y\n", code=USAGE)


def test_the_blocks_of_a_range_are_all_of_it_and_the_fewest(build, rng):
    for bits in FAMILIES:
        for first, last in random_ranges(rng, bits, 20):
            keys = [ip_network(key) for key in build([(FAMILIES[bits](first), FAMILIES[bits](last), 0)])]
            assert sorted(collapse_addresses(keys)) == sorted(keys)
            assert sum(key.num_addresses for key in keys) == last - first + 1
            assert min(int(key.network_address) for key in keys) == first

"""The converter of Examples/registries, beside Python's slow and right `ipaddress`."""

import importlib.util
import io
import ipaddress
import random
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "Examples" / "registries" / "networks.py"
spec = importlib.util.spec_from_file_location("networks", SCRIPT)
networks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(networks)

FAMILIES = {32: ipaddress.IPv4Address, 128: ipaddress.IPv6Address}


def blocks_of_model(first, last, bits):
    address = FAMILIES[bits]
    networks_of_range = ipaddress.summarize_address_range(address(first), address(last))
    return [(int(network.network_address), network.prefixlen) for network in networks_of_range]


def convert(tmp_path, *files):
    paths = []
    for number, text in enumerate(files):
        paths.append(tmp_path / f"geoip{number}")
        paths[-1].write_text(text)
    output = io.StringIO()
    return networks.convert(paths, output), output.getvalue()


@pytest.mark.parametrize("bits", FAMILIES)
def test_blocks_of_ranges_at_the_edges(bits):
    end = 2**bits - 1
    for first, last in [(0, 0), (end, end), (0, end), (1, end), (0, end - 1), (1, end - 1), (end // 2, end // 2 + 1)]:
        assert list(networks.blocks(first, last, bits)) == blocks_of_model(first, last, bits), (first, last)


@pytest.mark.parametrize("bits", FAMILIES)
@pytest.mark.parametrize("base", ["lowest", "highest"])
def test_blocks_of_every_small_range(bits, base):
    start = 0 if base == "lowest" else 2**bits - 33
    for first in range(start, start + 33):
        for last in range(first, start + 33):
            assert list(networks.blocks(first, last, bits)) == blocks_of_model(first, last, bits), (first, last)


@pytest.mark.parametrize("bits", FAMILIES)
def test_blocks_of_random_ranges(bits):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    source = random.Random(seed)
    for _ in range(2_000):
        first = source.randrange(2**bits)
        size = source.getrandbits(source.randint(1, bits))
        if source.random() < 0.5:  # as registries cut them: at round addresses
            first = first >> 8 << 8
            size |= 0xFF
        last = min(first + size, 2**bits - 1)
        assert list(networks.blocks(first, last, bits)) == blocks_of_model(first, last, bits), (first, last)


@pytest.mark.parametrize("bits", FAMILIES)
def test_text_of_random_blocks(bits):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    source = random.Random(seed)
    # Python's versions disagree on the text of the lowest IPv6 addresses, which embed IPv4.
    lowest = 0 if bits == 32 else 2**64
    for _ in range(2_000):
        address = source.randrange(lowest, 2**bits)
        if source.random() < 0.5:  # with a run of zeros, which IPv6 leaves out
            address = max(lowest, address & ~(0xFFFFFFFF << source.randrange(bits)))
        assert networks.format_network(address, bits, bits) == f"{FAMILIES[bits](address)}/{bits}"


def test_a_file_becomes_one_line_for_each_block(tmp_path):
    counts, lines = convert(
        tmp_path,
        "# a comment\n16777216,16777471,AU\n16777472,16778239,CN\n\n4026470400,4026470400,??\n",
        "2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n",
    )
    assert lines == ("network\tcountry\n1.0.0.0/24\tAU\n1.0.1.0/24\tCN\n1.0.2.0/23\tCN\n239.255.16.0/32\t??\n2001:200::/32\tJP\n")
    assert counts == (4, 5, 1)


@pytest.mark.parametrize(
    "line",
    [
        "16777216,16777471",
        "16777216,16777471,AU,more",
        "16777216,16777471,AUS",
        "16777216,16777471,\tA",
        "16777216,4294967296,AU",
        "16777216,-1,AU",
        "16777216,1_6777471,AU",
        "1.0.0.0,1.0.0.255,AU",
        "16777471,16777216,AU",
        "16777216,2001:200::,AU",
        "2001:200::g,2001:200::ffff,AU",
        "100,200,AU",
        "50,99,AU",
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path, line):
    with pytest.raises(networks.BadInput, match="geoip0: line 2: "):
        convert(tmp_path, f"99,100,AU\n{line}\n")


def test_a_missing_file_is_named(tmp_path):
    missing = tmp_path / "nowhere"
    done = subprocess.run([sys.executable, SCRIPT, missing], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (66, f"networks.py: {missing}: No such file or directory\n")

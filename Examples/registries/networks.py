#!/usr/bin/env python3
"""Turns Tor's geoip files into network blocks, as tab-separated lines on standard output.

    networks.py /usr/share/tor/geoip /usr/share/tor/geoip6 >networks.tsv

A line of such a file is `first,last,country`: a range of addresses, both ends included. IPv4 addresses are decimal
numbers, IPv6 addresses are text. `#` starts a comment. Each range becomes the fewest CIDR blocks that cover exactly
it. A range whose country is unknown says `??`; it is kept with this word, so that "known to be unknown" and "not in
the data" stay different answers. The ranges of a file must ascend and not overlap, so no block comes twice.

Python's `ipaddress` can do the same, several times slower. Here addresses stay integers until they are printed, so
660,000 ranges take a few seconds.
"""

import socket
import sys


class BadInput(Exception):
    """A line that is not what the file format says; the message names the file and the line."""


def blocks(first, last, bits):
    """Yields the CIDR blocks that cover `first` to `last` and nothing else, as pairs (address, prefix length).

    A block's size is a power of two and divides its address. So the largest one that can start at `first` is the
    smaller of two: the lowest set bit of `first`, and the largest power of two that the rest of the range can hold.
    """
    while first <= last:
        step = (last - first + 1).bit_length() - 1
        if first:
            step = min(step, (first & -first).bit_length() - 1)
        yield first, bits - step
        first += 1 << step


def parse_address(text):
    """Returns the address as (integer, bits in the family): a decimal number is IPv4, a text with colons is IPv6."""
    if ":" in text:
        return int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big"), 128
    if not (text.isascii() and text.isdigit() and int(text) < 1 << 32):
        raise ValueError
    return int(text), 32


def format_network(address, length, bits):
    """Returns the block as text, such as `8.8.8.0/24` or `2001:db8::/32`."""
    family = socket.AF_INET if bits == 32 else socket.AF_INET6
    return f"{socket.inet_ntop(family, address.to_bytes(bits // 8, 'big'))}/{length}"


def read_ranges(path):
    """Yields (first, last, bits, country) for each line of the file."""
    previous = (0, -1)  # bits and last address of the range before
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, start=1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            try:
                first_text, last_text, country = line.split(",")
                (first, bits), (last, last_bits) = parse_address(first_text), parse_address(last_text)
            except (ValueError, OSError):  # OSError: inet_pton does not know the text
                raise BadInput(f"{path}: line {number}: expected first,last,country") from None
            if len(country) != 2 or not country.isprintable():
                raise BadInput(f"{path}: line {number}: a country has two characters, not '{country}'")
            if bits != last_bits or first > last:
                raise BadInput(f"{path}: line {number}: the range ends before it starts")
            if (bits, first) <= previous:
                raise BadInput(f"{path}: line {number}: the range overlaps the one before, or stands before it")
            previous = (bits, last)
            yield first, last, bits, country


def convert(paths, output):
    """Writes a header line and one line for each block. Returns the counts of ranges, blocks and unknown ranges."""
    range_count = block_count = unknown_count = 0
    output.write("network\tcountry\n")
    for path in paths:
        for first, last, bits, country in read_ranges(path):
            range_count += 1
            unknown_count += country == "??"
            for address, length in blocks(first, last, bits):
                block_count += 1
                output.write(f"{format_network(address, length, bits)}\t{country}\n")
    return range_count, block_count, unknown_count


def main(paths):
    if not paths:
        print("usage: networks.py FILE…   (such as /usr/share/tor/geoip)", file=sys.stderr)
        return 64
    try:
        with open(sys.stdout.fileno(), "w", buffering=1 << 20, encoding="ascii", closefd=False) as output:
            range_count, block_count, unknown_count = convert(paths, output)
    except BadInput as problem:
        print(f"networks.py: {problem}", file=sys.stderr)
        return 65
    except BrokenPipeError:
        return 74
    except OSError as problem:
        print(f"networks.py: {problem.filename}: {problem.strerror}", file=sys.stderr)
        return 66
    print(
        f"networks.py: {range_count:,} ranges became {block_count:,} blocks;"
        f" {unknown_count:,} ranges have no known country and stay in as ??",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

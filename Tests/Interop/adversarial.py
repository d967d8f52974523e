#!/usr/bin/env python3
"""Keys chosen against the hash: XXH3-64 of keys of 8 bytes can be turned round, so any hash under a seed has its key.

    python3 adversarial.py 1000000 > top.ndjson                 # hashes that share their upper 20 bits under seed 0
    python3 adversarial.py 1000000 --share low > low.ndjson     # … their lower 44 bits
    python3 adversarial.py 1000000 --share none > usual.ndjson  # the same number of usual keys, to compare with
    python3 adversarial.py 256 --seeds 64 > seeds.ndjson        # 256 keys against each of the numbers 0 to 63 as a seed

Each line is one that `fusedb build` reads.
"""

import argparse
import sys

import numpy
from xxhash import xxh3_64_intdigest

MASK = 2**64 - 1
#: The factor of the last mixing step for inputs of 4 to 8 bytes, and its inverse modulo 2^64.
FACTOR = 0x9FB21C651E98DF25
INVERSE = pow(FACTOR, -1, 2**64)


def rotated(number, count):
    count %= 64
    return (number << count | number >> 64 - count) & MASK


def unmixed(digest, length):
    """The 64 bits that were mixed to a digest of a key of 4 to 8 bytes; of a numpy array of digests, of each."""
    digest ^= digest >> 28 ^ digest >> 56
    digest = digest * INVERSE & MASK
    digest ^= (digest >> 35) + length
    digest = digest * INVERSE & MASK
    # The step `n ^ rotl(n, 49) ^ rotl(n, 24)`, done 64 times, changes nothing. So 63 times undoes it once, and
    # doing it 2^k times at once only doubles the rotations k times.
    for k in range(6):
        digest ^= rotated(digest, 49 << k) ^ rotated(digest, 24 << k)
    return digest


def joined(key):
    """The first and the last four bytes of a key, as they are mixed with a constant of the seed."""
    return int.from_bytes(key[:4], "little") << 32 | int.from_bytes(key[-4:], "little")


def constant(seed):
    """What a seed does to keys of 8 bytes, found with one of them."""
    return unmixed(xxh3_64_intdigest(bytes(8), seed), 8) ^ joined(bytes(8))


def key_of(digest, of_seed):
    """The key of 8 bytes with this hash; `of_seed` is the constant of the seed."""
    return keys_of(numpy.array([digest], dtype=numpy.uint64), of_seed)[0]


def keys_of(digests, of_seed):
    """The keys of 8 bytes with these hashes."""
    numbers = unmixed(digests, 8) ^ numpy.uint64(of_seed)
    halves = numpy.stack([numbers >> 32, numbers & 0xFFFFFFFF], axis=1).astype("<u4").tobytes()
    return [halves[place : place + 8] for place in range(0, len(halves), 8)]


def keys(count, share, seed=0):
    """Distinct keys of 8 bytes whose hashes under the seed share their upper 20 bits, their lower 44 bits, or nothing."""
    spread = numpy.arange(count, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    if share == "top":
        digests = 0xABCDE << 44 | spread & numpy.uint64(2**44 - 1)
    elif share == "low":
        assert count <= 2**20, "20 bits are left, so there are no more than 1,048,576 such keys"
        digests = (spread & numpy.uint64(2**20 - 1)) << 44 | 0x123456789AB
    else:
        digests = spread
    return keys_of(digests, constant(seed))


def main():
    parser = argparse.ArgumentParser(description="Keys chosen against the hash, as lines for fusedb build.")
    parser.add_argument("count", type=int)
    parser.add_argument("--share", choices=("top", "low", "none"), default="top")
    parser.add_argument("--seeds", type=int, default=1, help="choose as many keys against each of so many seeds: 0, 1, 2 …")
    arguments = parser.parse_args()
    chosen = (key for seed in range(arguments.seeds) for key in keys(arguments.count, arguments.share, seed))
    for number, key in enumerate(chosen):
        sys.stdout.write('{"keys":[{"$bin":"%s"}],"value":%d}\n' % (key.hex(), number // 10))


if __name__ == "__main__":
    main()

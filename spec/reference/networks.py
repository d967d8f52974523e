"""The section of networks, read as network.md says and no quicker, and the keys that it shows in a compact file of networks alone (compact.md §15).

Ids such as [A10] are the rules of these pages.
"""

import bisect
import ipaddress
import struct
import zlib

MASK, GOLDEN = 2**64 - 1, 0x9E3779B97F4A7C15
WEIGHTS = (0x7110541D, 0x373C4F35, 0x03622E8D, 0x7C45DC55, 0x0D9CC4B5, 0x29E5CF87, 0x16414D5F, 0x62C2099D)
BASE, BASE_HIGH, NEXT_HIGH, NEXT = 0x1F72BC49, 0x79DC2447, 0x32BF766F, 0x61699371
NONE, DEEPER = 254, 255
#: Where the lengths of a line's runs begin, where the objects, and how many bytes an object has, by the number of runs.
LANES = {7: (14, 21, 5), 8: (16, 24, 4), 9: (18, 27, 3)}


class Table:
    """Lines over numbers of some bits. [A11]"""

    def __init__(self, networks, bits, bases, lines, count, runs):
        self.networks, self.bits, self.count = networks, bits, count
        data, width = networks.data, bits // 8
        networks.require(count <= runs <= networks.lanes * count, "a table has another number of runs than its lines have room for [A7]")
        self.bases = [int.from_bytes(data[bases + width * number :][:width], "little") for number in range(count)]
        self.lines = lines

    def line(self, number):
        """(base, the next line's, [(first number, length, object)]) of a line that holds its check. [A10]"""
        base, end = self.bases[number], 2**self.bits if number + 1 == self.count else self.bases[number + 1]
        line = self.networks.data[self.lines + 64 * number :][:64]
        words = struct.unpack("<8Q", line[:60] + bytes(4))
        total = sum(word * weight for word, weight in zip(words, WEIGHTS))
        following = end % 2**self.bits
        total += (base & MASK) * BASE + (base >> 64) * BASE_HIGH + (following & MASK) * NEXT + (following >> 64) * NEXT_HIGH
        check = (total * GOLDEN & MASK) >> 32
        self.networks.require(check == struct.unpack_from("<I", line, 60)[0] and base < end, "a line of networks differs from its check [A10]")
        lengths, objects, width = LANES[self.networks.lanes]
        runs = []
        for lane in range(self.networks.lanes):
            first = base + (struct.unpack_from("<H", line, 2 * lane)[0] << line[56])
            runs.append((first, line[lengths + lane], int.from_bytes(line[objects + width * lane :][:width], "little")))
        return base, end, runs

    def answer(self, number):
        """(length, object) of the run that holds a number. [A15]"""
        if not self.count:
            return NONE, 0
        place = max(0, bisect.bisect_right(self.bases, number) - 1)
        base, end, runs = self.line(place)
        self.networks.require(base <= number < end, "a line does not hold the number that leads to it [A15]")
        return next((length, found) for first, length, found in reversed(runs) if first <= number)


class Networks:
    def __init__(self, data, start, size, require):
        self.data, self.require = data, require
        head = data[start : start + 128]
        require(size >= 128 and zlib.crc32(head[:124]) == struct.unpack_from("<I", head, 124)[0], "the header of NETW differs from its crc32 [A7]")
        *runs, ipv4, ipv6, deep, bits, self.lanes = struct.unpack_from("<3Q3IBB", head, 8)
        require(self.lanes in LANES, "lines of another number of runs [A7]")
        end, tree, nodes = start + 128, 0, (ipv6 + 7) // 8

        def take(count):
            nonlocal end
            end += (count + 63) // 64 * 64
            return end - (count + 63) // 64 * 64

        while nodes > 1:  # [A13]
            nodes = (nodes + 8) // 9
            tree += nodes
        take(4 * (2**bits + 1) if ipv4 else 0)
        self.ipv4 = Table(self, 32, take(4 * (ipv4 + 16) if ipv4 else 0), take(64 * ipv4), ipv4, runs[0])
        take(64 * tree)
        self.ipv6 = Table(self, 64, take(8 * ipv6), take(64 * ipv6), ipv6, runs[1])
        self.deep = Table(self, 128, take(16 * deep), take(64 * deep), deep, runs[2])
        require(end == start + size, "NETW has another length [A8]")

    def match(self, address):
        """(network, object) of the longest block around an address, or None. Aliases are not followed."""
        if address.version == 6 and int(address) >> 32 == 0xFFFF:
            address = ipaddress.IPv4Address(int(address) & 2**32 - 1)  # [A2]
        number = int(address)
        length, found = self.ipv4.answer(number) if address.version == 4 else self.ipv6.answer(number >> 64)
        if length == DEEPER:
            length, found = self.deep.answer(number)
        return None if length == NONE else (ipaddress.ip_network((number, length), strict=False), found)


class Shown:
    """The keys that NETW shows. [CN2]"""

    def __init__(self, networks, data, start, size, require):
        self.networks, self.require = networks, require
        self.table = networks.ipv4
        lines = (self.table.count + 15) // 16
        require(size == 64 + 64 * ((lines + 14) // 15), "SHOW has another length [CN5]")
        require(zlib.crc32(data[start : start + 60]) == struct.unpack_from(">I", data, start + 60)[0], "the head of SHOW differs from its checksum [CN5]")
        self.count, self.has_lengths = struct.unpack_from(">IB", data, start)
        require(self.has_lengths <= 1, "a field of SHOW is out of range [CN5]")
        self.counts = []
        for number, at in enumerate(range(start + 64, start + size, 64)):
            crc = zlib.crc32(struct.pack(">I", number) + data[at : at + 60])
            require(crc == struct.unpack_from(">I", data, at + 60)[0], "a line of SHOW differs from its checksum [CN4]")
            self.counts += struct.unpack_from(">15I", data, at)
        self.counts = self.counts[:lines]

    def text(self, first, length):
        address = str(ipaddress.IPv4Address(first))
        return (f"{address}/{length}" if length < 32 or self.has_lengths else address).encode()

    def keys(self):
        """(key, offset of its row) of each, in the order of keys."""
        found = []
        for number in range(self.table.count):
            if number % 16 == 0:
                self.require(self.counts[number // 16] == len(found), "SHOW counts other blocks [CN4]")
            _, end, runs = self.table.line(number)
            for (first, length, row), after in zip(runs, [*(run[0] for run in runs[1:]), end]):
                if length == NONE:
                    continue
                size = 1 << 32 - length
                found += ((self.text(address, length), row) for address in range(-(-first // size) * size, min(after, end), size))
        self.require(len(found) == self.count, "SHOW counts other blocks [CN4]")
        return sorted(found)

    def find(self, key):
        """(whether KEYS is to be asked, offset of the row or None) of a key. [CN6]"""
        try:
            text = key.decode("ascii")
            network = ipaddress.ip_network(text)
        except (ValueError, UnicodeDecodeError):
            return False, None
        if network.version == 6 or text not in (str(network), str(network.network_address)):
            return network.version == 6, None
        length, row = self.table.answer(int(network.network_address))
        if length == network.prefixlen:
            return False, row if self.text(int(network.network_address), length) == key else None
        return length <= 32 and length > network.prefixlen, None

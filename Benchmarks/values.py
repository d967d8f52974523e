"""Writes the MaxMind DB file of the benchmark of values, and reads values with the Python packages fusedb and msgpack.

A child of the benchmark, as `wheel.py` is. The loops are the interpreter's, and so are the dictionaries.
"""

import sys
from importlib.metadata import version
from time import perf_counter_ns

import fusedb
import msgpack
from mmdb_writer import MMDBWriter
from netaddr import IPNetwork, IPSet

from wheel import ByteList, numbers, serve


class Jobs:
    def versions(self):
        names = ("fusedb", "mmdb-writer", "msgpack")
        return {"python": sys.version.split()[0], **{name: version(name) for name in names}}

    def write_mmdb(self, folder, path):
        """A network of 256 addresses for each key, and its object."""
        keys, objects = ByteList(folder + "/keys"), ByteList(folder + "/objects")
        values = [msgpack.unpackb(objects[i]) for i in range(len(objects))]
        writer = MMDBWriter(int_type="u32", database_type="benchmark", languages=["en"])
        for i, number in enumerate(numbers(folder + "/object-of-key")):
            writer.insert_network(IPSet([IPNetwork(keys[i].decode() + "/24")]), values[number])
        writer.to_db_file(path)
        return {}

    def load(self, folder, path):
        """Opens the file of FuseDB, and reads questions and objects."""
        self.reader = fusedb.FuseReader(path)
        hits, objects = ByteList(folder + "/hits"), ByteList(folder + "/objects")
        all_objects = [objects[i] for i in range(len(objects))]
        self.hits = [hits[i].decode() for i in range(len(hits))]
        self.places = [all_objects[number] for number in numbers(folder + "/object-of-hit")]
        return {}

    def check(self):
        for key, place in zip(self.hits, self.places):
            if self.reader.get(key) != msgpack.unpackb(place):
                return {"wrong": key}
        return {}

    def get_value(self, start, stop):
        questions, get, found = self.hits[start:stop], self.reader.get, 0
        start = perf_counter_ns()
        for key in questions:
            if get(key) is not None:
                found += 1
        return {"nanoseconds": perf_counter_ns() - start, "found": found}

    def get_text(self, start, stop):
        questions, get, found = self.hits[start:stop], self.reader.get, 0
        start = perf_counter_ns()
        for key in questions:
            if get(key)["org"]:
                found += 1
        return {"nanoseconds": perf_counter_ns() - start, "found": found}

    def value(self, start, stop):
        questions, unpack, found = self.places[start:stop], msgpack.unpackb, 0
        start = perf_counter_ns()
        for place in questions:
            if unpack(place) is not None:
                found += 1
        return {"nanoseconds": perf_counter_ns() - start, "found": found}


if __name__ == "__main__":
    serve(Jobs())

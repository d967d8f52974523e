"""Does the jobs of the benchmark with the Python package fusedb, and times them.

A child of the benchmark: each line of its input is a job as JSON, each line of its output an answer. Answers carry
nanoseconds, taken around the loop alone; the loop is the interpreter's, and so are the bytes objects it makes.
"""

import array
import ctypes
import gc
import json
import os
import sys
from importlib.metadata import version
from time import perf_counter_ns

import fusedb
from fusedb._fusedb import _FuseReader, _FuseWriter


class ByteList:
    """Byte strings from a file of bytes and a file of 32-bit offsets."""

    def __init__(self, path):
        with open(path + ".bytes", "rb") as file:
            self.bytes = file.read()
        self.offsets = array.array("I")
        with open(path + ".offsets", "rb") as file:
            self.offsets.frombytes(file.read())

    def __getitem__(self, i):
        return self.bytes[self.offsets[i] : self.offsets[i + 1]]

    def __len__(self):
        return len(self.offsets) - 1


def numbers(path):
    out = array.array("I")
    with open(path, "rb") as file:
        out.frombytes(file.read())
    return out


def private_memory():
    """Bytes of anonymous memory, after what is free has been given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:"))


class Jobs:
    def __init__(self):
        self.reader = None
        self.hits = self.misses = self.prefixes = None

    def versions(self):
        return {"python": sys.version.split()[0], "fusedb": fusedb.__version__, "msgpack": version("msgpack")}

    def build(self, folder, path):
        keys, objects = ByteList(folder + "/keys"), ByteList(folder + "/objects")
        object_of_key = numbers(folder + "/object-of-key")
        gc.collect()
        start = perf_counter_ns()
        writer = _FuseWriter()
        ids = [writer.add_object_raw(objects[i]) for i in range(len(objects))]
        for i in range(len(keys)):
            writer.add_key(keys[i], ids[object_of_key[i]])
        writer.build(path)
        return {"nanoseconds": perf_counter_ns() - start}

    def merge(self, sources, path):
        gc.collect()
        start = perf_counter_ns()
        fusedb.merge(*sources, output=path)
        return {"nanoseconds": perf_counter_ns() - start}

    def open(self, path):
        self.reader = None
        start = perf_counter_ns()
        self.reader = _FuseReader(path, verify=True)
        return {"nanoseconds": perf_counter_ns() - start}

    def measure_memory(self, path):
        self.reader = None
        before = private_memory()
        self.reader = _FuseReader(path, verify=True)
        return {"bytes": private_memory() - before}

    def load(self, folder):
        """The questions, as a list of bytes objects each."""
        self.objects, self.object_of_key = ByteList(folder + "/objects"), numbers(folder + "/object-of-key")
        self.key_of_hit = numbers(folder + "/key-of-hit")
        for name in ("hits", "misses", "prefixes"):
            questions = ByteList(f"{folder}/{name}")
            setattr(self, name, [questions[i] for i in range(len(questions))])
        return {}

    def check(self):
        get = self.reader.get_raw
        for key, number in zip(self.hits, self.key_of_hit):
            if get(key) != self.objects[self.object_of_key[number]]:
                return {"wrong": key.decode()}
        for key in self.misses:
            if get(key) is not None:
                return {"wrong": key.decode()}
        return {}

    def get(self, which, start, stop):
        questions = getattr(self, which)[start:stop]
        get, found = self.reader.get_raw, 0
        start = perf_counter_ns()
        for key in questions:
            if get(key) is not None:
                found += 1
        return {"nanoseconds": perf_counter_ns() - start, "found": found}

    def scan(self):
        start = perf_counter_ns()
        items = self.reader.items_raw()
        return {"nanoseconds": perf_counter_ns() - start, "found": len(items)}

    def prefix(self, start, stop):
        questions, found = self.prefixes[start:stop], 0
        start = perf_counter_ns()
        for key in questions:
            found += len(self.reader.prefix_raw(key))
        return {"nanoseconds": perf_counter_ns() - start, "found": found}

    def verify(self, path):
        reader = _FuseReader(path, verify=False)
        start = perf_counter_ns()
        sound = reader.verify()
        return {"nanoseconds": perf_counter_ns() - start, **({} if sound else {"wrong": path})}


def serve(jobs):
    """Does what the lines of the input ask, until it ends."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = getattr(jobs, name)(*arguments)
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        # The wheel prints lines of its own at times; the benchmark takes those that begin so.
        os.write(1, b"answer " + json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    serve(Jobs())

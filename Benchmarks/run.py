"""Runs the commands that the benchmark names, and tells how long each took and how much memory it held at most.

Each line of its input is a command as JSON, each line of its output an answer. It is a process of its own, and small,
because Linux counts into the peak of a program what the process held that started it: the benchmark holds gigabytes.
"""

import json
import os
import sys
from time import perf_counter_ns

for line in sys.stdin:
    command = json.loads(line)
    start = perf_counter_ns()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    answer = {
        "nanoseconds": perf_counter_ns() - start,
        "bytes": usage.ru_maxrss * 1024,
        "status": os.waitstatus_to_exitcode(status),
    }
    os.write(1, b"answer " + json.dumps(answer).encode() + b"\n")

#!/usr/bin/env python3
"""Writes many keys from Spark, builds a set of the same rows by the command, and compares the shards byte by byte.

    build/spark/venv/bin/python Tests/Spark/identical.py COMMAND FOLDER [KEYS [SHARDS]]
"""

import os
import shutil
import subprocess
import sys
import time

from pyspark.sql import functions as F

from fusedb_swift import spark as fuse


def names(folder):
    return sorted(name for name in os.listdir(folder) if name.endswith(".fsdb"))


def main():
    command, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    count, shards = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((3, 20_000_000), (4, 16)))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    spark = fuse.session("local[2]", "identical", {"spark.driver.memory": "4g", "spark.local.dir": folder, "spark.ui.showConsoleProgress": "false"})
    number = F.col("id") * 7919 % 50_000
    rows = spark.range(0, count, 1, 8).select(
        F.concat(F.lit("host-"), F.lpad(F.col("id").cast("string"), 8, "0"), F.lit(".example.com")).alias("key"),
        F.concat(F.lit("Organisation "), number).alias("org"), number.cast("int").alias("asn"), (number / 8).alias("share"))  # fmt: skip
    rows.write.json(f"{folder}/rows")
    start = time.perf_counter()
    fuse.place(rows, "key", shards).write.format("fusedb").mode("overwrite").option("shards", shards).save(f"{folder}/spark")
    written = time.perf_counter() - start
    spark.stop()
    start = time.perf_counter()
    inputs = sorted(f"{folder}/rows/{name}" for name in os.listdir(f"{folder}/rows") if name.endswith(".json"))
    subprocess.run([command, "build", "-q", "--shards", str(shards), "-o", f"{folder}/built", *inputs, "--key", "key"], check=True)
    built = time.perf_counter() - start
    # Names have the checksums of what is in the files; the bytes are compared all the same.
    assert names(f"{folder}/spark") == names(f"{folder}/built") and len(names(f"{folder}/spark")) == shards
    for name in names(f"{folder}/spark"):
        subprocess.run(["cmp", f"{folder}/spark/{name}", f"{folder}/built/{name}"], check=True)
    print(f"{count:,} keys, {shards} shards: the same bytes; Spark took {written:.1f} s, the command {built:.1f} s")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

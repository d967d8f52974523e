"""Builds the extensions against libfusedb.so and libfusedb-store.so. Where these and their headers are:

    FUSEDB_LIBRARY=/folder/of/libfusedb.so FUSEDB_INCLUDE=/folder/of/fusedb.h

Without them, `pkg-config fusedb` is asked.
"""

import os
import subprocess
import sys
import sysconfig
from glob import glob

from setuptools import Extension, setup

# The limited API has the buffer protocol from 3.11 on, and is not for builds without the interpreter's lock.
LIMITED = sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED")


def asked(option, variable, prefix):
    folder = os.environ.get(variable)
    if folder:
        return [os.path.abspath(folder)]
    try:
        flags = subprocess.run(["pkg-config", option, "fusedb"], capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        sys.exit(f"setup.py: where is FuseDB? Set {variable}, or have pkg-config know fusedb; `make install` does that")
    return [flag[2:] for flag in flags if flag.startswith(prefix)]



def extension(name, library):
    return Extension(
        f"fusedb_swift.{name}",
        sources=sorted(glob(f"src/{name}/*.c")),
        depends=[f"src/{name}/common.h"],
        include_dirs=asked("--cflags-only-I", "FUSEDB_INCLUDE", "-I"),
        library_dirs=asked("--libs-only-L", "FUSEDB_LIBRARY", "-L"),
        libraries=[library],
        define_macros=[("FUSEDB_LIMITED_API", None)] if LIMITED else [],
        extra_compile_args=["-std=c11", "-O3", "-g0", "-fno-plt", "-fvisibility=hidden", "-Wall", "-Wextra",
                            "-Wno-missing-field-initializers", "-Werror"],
        extra_link_args=["-Wl,--exclude-libs,ALL", "-Wl,-z,relro,-z,now"],
        py_limited_api=LIMITED,
    )


# The second is loaded when fusedb_swift.store is, and not before.
extensions = [extension("_fusedb", "fusedb"), extension("_store", "fusedb-store")]
setup(ext_modules=extensions, options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {})

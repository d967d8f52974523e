"""Builds the extension against libfusedb.so. Where the library and its header are:

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




extension = Extension(
    "fusedb_swift._fusedb",
    sources=sorted(glob("src/_fusedb/*.c")),
    depends=["src/_fusedb/common.h"],
    include_dirs=asked("--cflags-only-I", "FUSEDB_INCLUDE", "-I"),
    library_dirs=asked("--libs-only-L", "FUSEDB_LIBRARY", "-L"),
    libraries=["fusedb"],
    define_macros=[("FUSEDB_LIMITED_API", None)] if LIMITED else [],
    extra_compile_args=["-std=c11", "-O3", "-g0", "-fno-plt", "-fvisibility=hidden", "-Wall", "-Wextra",
                        "-Wno-missing-field-initializers", "-Werror"],
    extra_link_args=["-Wl,--exclude-libs,ALL", "-Wl,-z,relro,-z,now"],
    py_limited_api=LIMITED,
)

setup(ext_modules=[extension], options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {})

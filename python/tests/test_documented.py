"""Every public name has a type, a docstring and an example in it that is true; so do the pages."""

import doctest
import inspect
import os
import pathlib
import subprocess
import sys
import types

import pytest

import fusedb_swift as f

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "python.md"
CLASSES = [value for value in vars(f).values() if isinstance(value, type)] + [f.FuseReader.__base__, f.ReloadableFuseReader.__base__]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def example_files():
    """The files that examples read."""
    writer = f.FuseWriter(reverse_index=True, metadata={"source": "an example"})
    google = writer.add_object({"org": "Google", "asn": 15169})
    for key in ("8.8.8.8", "8.8.4.4", "gmail.com"):
        writer.add_key(key, google)
    writer.add("1.1.1.1", {"org": "Cloudflare", "asn": 13335})
    writer.build("geo.fsdb")
    writer.add("9.9.9.9", {"org": "Quad9", "asn": 19281})
    writer.build("geo-2.fsdb")
    f.publish("remote", "geo", "geo.fsdb")
    files = {
        "networks.fsdb": {"10.0.0.0/8": {"name": "all"}, "10.1.0.0/16": {"name": "office"}},
        "domains.fsdb": {".example.com": {"name": "an example"}},
        "prefixes.fsdb": {"+49": "Germany", "+49 30": "Berlin"},
    }
    for name, entries in files.items():
        writer = f.FuseWriter()
        writer.add_many(entries)
        writer.build(name)


def documented():
    """(name, object) of all that is public, methods too."""
    for name in f.__all__:
        yield name, getattr(f, name)
    for kind in CLASSES:
        for name, value in vars(kind).items():
            is_ours = isinstance(value, (types.MethodDescriptorType, types.FunctionType, types.GetSetDescriptorType, classmethod))
            if is_ours and not name.startswith("_") and not issubclass(kind, (tuple, BaseException)):
                yield f"{kind.__name__}.{name}", value


# The types of answers are shown where they are given.
WITHOUT_EXAMPLE = {"Damage", "Difference", "Match", "NetworkMatch", "Verification", "FuseIOError", "ArrowColumns.found_count",
                   "ArrowColumns.other_count", "ArrowColumns"}


@pytest.mark.parametrize("name", sorted({name for name, value in documented()}))
def test_the_examples_are_true(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example_files()
    text = inspect.getdoc(dict(documented())[name]) or ""
    assert text, f"{name} has no docstring"
    examples = doctest.DocTestParser().get_doctest(text, dict(vars(f)), name, None, 0)
    assert examples.examples or name in WITHOUT_EXAMPLE, f"{name} has no example"
    printed = []
    doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=printed.append)
    assert printed == [], "".join(printed)


def test_the_page_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example_files()
    examples = doctest.DocTestParser().get_doctest(PAGE.read_text(), dict(vars(f)), "python.md", None, 0)
    assert len(examples.examples) > 30
    printed = []
    doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=printed.append)
    assert printed == [], "".join(printed)


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = (HERE.parent / "README.md").read_text()
    exec(readme.split("```python\n")[1].split("```")[0], {})


def test_the_page_names_everything():
    text = PAGE.read_text()
    missing = {name.split(".")[-1] for name, value in documented() if name.split(".")[-1] not in text}
    assert not missing


def mypy(*arguments):
    result = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_types_are_complete_and_right(tmp_path):
    os.symlink(HERE / "typed_sample.py", "sample.py")
    mypy("mypy", "--strict", "--warn-unused-ignores", "sample.py")
    # PySpark is not here, and pyarrow has no types.
    pathlib.Path("mypy.ini").write_text(
        "[mypy]\n[mypy-pyspark.*,pyarrow.*]\nignore_missing_imports = True\n[mypy-fusedb_swift._spark_source,fusedb_swift._spark_write]\ndisallow_subclassing_any = False\n"
    )
    mypy("mypy", "--strict", "--config-file", "mypy.ini", "-p", "fusedb_swift")


def test_the_stubs_say_what_the_extension_has(tmp_path):
    # Names of types alone; special methods, of which C has others; named tuples, which C makes in its own way.
    pathlib.Path("allowed").write_text(
        "fusedb_swift._fusedb.(Path|Key|Verify|Memory|Advice|Prefault|Link|Networks|Order|Layout|Form|Duplicates|Normalise|Level"
        "|ColumnType|Questions|Progress|Address)\n"
        ".*\\.__.*__\n"
        ".*\\.(Match|NetworkMatch|Difference|Damage|Verification)(\\..*)?\n"
    )
    mypy("mypy.stubtest", "fusedb_swift._fusedb", "--allowlist", "allowed", "--ignore-unused-allowlist", "--ignore-positional-only")


def test_the_package_says_that_it_has_types():
    assert (pathlib.Path(f.__file__).parent / "py.typed").exists()

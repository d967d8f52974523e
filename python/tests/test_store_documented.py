"""Every public name of the store has a docstring, and the examples are true; those of the adapters have one."""

import doctest
import inspect
import os
import types

import pytest

from fusedb_swift import store
from fusedb_swift.compat import chunkstore, rsdos, unicache

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
CLASSES = [store.Store, store.Writer, store.AsyncStore]


def methods(kind):
    for name, value in vars(kind).items():
        if not name.startswith("_") and isinstance(value, (types.FunctionType, classmethod, property)):
            yield f"{kind.__name__}.{name}", value


DOCUMENTED = {kind.__name__: kind for kind in CLASSES} | {name: value for kind in CLASSES for name, value in methods(kind)}


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_the_examples_are_true(name):
    store.Store.create("files")
    os.makedirs("folder/inner")
    for path, text in ("hello.txt", "hello"), ("folder/a.txt", "hello"), ("folder/inner/b.txt", "hello\n"):
        open(path, "w").write(text)
    examples = doctest.DocTestParser().get_doctest(inspect.getdoc(DOCUMENTED[name]) or "", dict(vars(store)), name, None, 0)
    assert examples.examples, f"{name} has no example"
    printed = []
    doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=printed.append)
    assert printed == [], "".join(printed)


@pytest.mark.parametrize("module", [chunkstore, rsdos, unicache])
def test_all_of_an_adapter_says_what_it_does(module):
    for name in module.__all__:
        value = getattr(module, name)
        assert inspect.getdoc(value), name
        if isinstance(value, type) and value.__name__ != "AsyncBackend":
            assert all(inspect.getdoc(method) for _, method in methods(value)), name

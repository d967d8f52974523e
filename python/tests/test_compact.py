"""Compact files, version 3, answer each question of the package as those of version 2 do."""

import os
import pickle
import random
import threading
import time

import fusedb
import pyarrow
import pytest

import fusedb_swift as f

FORMS = ["compact", "compact-fast"]
forms = pytest.mark.parametrize("form", FORMS)
#: Names and texts that stand often, values of all kinds, and keys that are long or no text.
ENTRIES = {
    **{
        f"host-{n}.example.com": {"n": n, "city": "the name of a city", "at": [n / 4, -13.405], "deep": {"none": None, "list": [n % 3] * 4}}
        for n in range(300)
    },
    **{f"user{n}@mail.org": n * 2**40 - 5 for n in range(50)},
    "example.com": "a text", "mail.org": b"bytes", "": [], "k" * 65_535: {"a": 1.5}, "float": 1e300, "true": True, "none": None,
}
NETWORKS = {"10.0.0.0/8": {"n": 1}, "10.1.0.0/16": {"n": 2}, "2001:db8::/32": {"n": 3}}


def written(entries, path, **options):
    writer = f.FuseWriter(shared=True, **options)
    items = list(entries.items())
    random.Random(1).shuffle(items)
    for key, value in items:
        writer.add(key, value)
    writer.build(path)
    return path


@pytest.fixture
def readers(request):
    """Of both forms of the same entries, all in the order of keys."""
    form = request.param
    options = {"order": "key", "key_lengths": True}
    two, three = (f.FuseReader(written(ENTRIES, path, form=name, **options)) for path, name in (("two", "family"), ("three", form)))
    yield two, three
    two.close()
    three.close()


both_readers = pytest.mark.parametrize("readers", FORMS, indirect=True)


def is_compact(path):
    """As fusedb 0.3.0 sees it, which knows version 2 alone."""
    try:
        fusedb.FuseReader(path)
    except RuntimeError as error:
        assert "unsupported version 3" in str(error)
        return True
    return False


@both_readers
def test_look_ups(readers):
    two, three = readers
    assert is_compact("three") and not is_compact("two") and len(three) == len(ENTRIES)
    absent = ["nowhere", "host-300.example.com", "host-1.example.co"]
    for key in [*ENTRIES, *absent]:
        assert three.get(key, "absent") == ENTRIES.get(key, "absent")
        assert (key in three) == (key in ENTRIES)
        answers = [reader.get(key) for reader in readers]
        assert repr(answers[0]) == repr(answers[1])
    keys = [*ENTRIES, *absent, *list(ENTRIES)[:5]]
    assert three.get_many(keys) == [ENTRIES.get(key) for key in keys] == two.get_many(keys)
    with pytest.raises(KeyError):
        three["nowhere"]
    assert three["example.com"] == "a text"


@both_readers
def test_walks(readers):
    two, three = readers
    ordered = sorted(ENTRIES.items(), key=lambda item: item[0].encode())
    assert list(three.items()) == ordered == list(two.items())
    assert list(three.keys()) == [key for key, _ in ordered]
    assert list(three.objects()) == list(two.objects())
    for prefix in ("host-1", "user", "k", "", "nowhere"):
        found = [item for item in ordered if item[0].startswith(prefix)]
        assert list(three.prefix(prefix)) == list(two.prefix(prefix)) and len(list(three.prefix(prefix))) == len(found)


@both_readers
def test_matches(readers):
    two, three = readers
    for text in ("a.host-7.example.com", "x.example.com", "org", "user7@mail.org", "no@mail.org", "trueish", ""):
        for name in ("longest_suffix", "longest_email", "longest_prefix"):
            answers = [getattr(reader, name)(text) for reader in readers]
            assert (answers[0] is None) == (answers[1] is None), (name, text)
            assert answers[0] is None or (answers[0].key, answers[0].value) == (answers[1].key, answers[1].value), (name, text)
    match = three.longest_suffix("a.host-7.example.com")
    assert match.key == "host-7.example.com" and match.value == ENTRIES["host-7.example.com"]


@both_readers
def test_parts_aliases_and_columns(readers):
    two, three = readers
    keys = list(ENTRIES)[:60] + ["nowhere"]
    for key in keys:
        assert three.field(key, "deep.list.0") == two.field(key, "deep.list.0")
        assert bytes(three.get_raw(key) or b"") == bytes(two.get_raw(key) or b"")
    assert three.field("host-5.example.com", "deep.list.0") == 2
    assert three.exists_many(keys) == two.exists_many(keys)
    fields = {"n": "n", "city": ("city", "string")}
    tables = [pyarrow.table(reader.lookup_arrow(pyarrow.array(keys), fields)).to_pylist() for reader in readers]
    assert tables[0] == tables[1] and tables[1][5] == {"found": True, "n": 5, "city": "the name of a city"}
    assert list(three.aliases("true")) == list(two.aliases("true"))
    counts = [reader.stats() for reader in readers]
    assert counts[0]["num_keys"] == counts[1]["num_keys"] == len(ENTRIES)


@forms
def test_networks(form):
    readers = [f.FuseReader(written(NETWORKS, path, form=name, order="key")) for path, name in (("two", "family"), ("three", form))]
    for address in ("10.1.2.3", "10.2.0.0", "11.0.0.0", "2001:db8::1"):
        answers = [repr(reader.longest_match(address)) for reader in readers]
        assert answers[0] == answers[1]
        around = [repr(list(reader.containing(address))) for reader in readers]
        assert around[0] == around[1]
    assert readers[1].longest_match("10.1.2.3").value == {"n": 2} and readers[1].longest_match("11.0.0.0") is None
    blocks = [repr(list(reader.networks("10.0.0.0/8"))) for reader in readers]
    assert blocks[0] == blocks[1] and "10.1.0.0/16" in blocks[1]


@both_readers
def test_pickled_readers_open_the_same_file(readers):
    _, three = readers
    other = pickle.loads(pickle.dumps(three))
    assert other.get("example.com") == "a text" and len(other) == len(ENTRIES)


@forms
def test_merges_reindexes_and_patches(form):
    written(NETWORKS, "two", order="key")
    written(NETWORKS, "three", form=form)
    f.reindex("two", "from-two", form=form)
    f.merge("two", output="merged", form=form)
    expected = open("three", "rb").read()
    assert open("from-two", "rb").read() == expected == open("merged", "rb").read()
    # Without a form a file keeps its own; with one it gets that.
    f.reindex("three", "kept")
    f.reindex("three", "back", form="family")
    assert is_compact("kept") and not is_compact("back")
    assert f.verify("three").damage_count == 0 and f.verify("kept").damage_count == 0
    assert list(f.diff("two", "three")) == []
    f.make_patch("two", "three", "patch")
    f.patch("two", "patch", "patched")
    assert open("patched", "rb").read() == expected
    for options in ({"layout": "plain"}, {"reverse_index": True}):
        with pytest.raises(ValueError, match="compact"):
            f.FuseWriter(form=form, **options)
    with pytest.raises(ValueError, match='form must be one of "family", "compact", "compact-fast"'):
        f.FuseWriter(form="dense")
    with pytest.raises(ValueError, match="form must be"):
        f.reindex("two", form="dense")


@forms
def test_damage_is_an_error(form):
    written(ENTRIES, "three", form=form)
    whole = open("three", "rb").read()
    chance = random.Random(3)
    refused = 0
    for _ in range(60):
        place = chance.randrange(len(whole))
        with open("bad", "wb") as file:
            file.write(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1:])
        assert f.verify("bad").damage_count > 0
        try:
            reader = f.FuseReader("bad")
            for key in list(ENTRIES)[::7]:
                assert reader.get(key) == ENTRIES[key]
        except (f.FuseError, ValueError) as error:
            assert str(error)
            refused += 1
    assert refused > 3


@forms
def test_a_served_file_is_swapped_from_one_form_to_the_other_while_threads_ask(form):
    for number, name in enumerate(("family", form, "family", form)):
        written({**ENTRIES, "generation": number}, f"{number}", form=name, order="key")
    served = f.ReloadableFuseReader("0")
    stop = threading.Event()
    faults, seen = [], set()

    def ask():
        try:
            while not stop.is_set():
                seen.add(served.get("generation"))
                assert served.get("host-7.example.com") == ENTRIES["host-7.example.com"] and served.get("nowhere") is None
                snapshot = served.snapshot()
                assert [key for key, _ in snapshot.prefix("host-29")] == sorted(key for key in ENTRIES if key.startswith("host-29"))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for round_number in range(40):
            number = round_number % 4
            served.swap(f"{number}")
            assert served.get("generation") == number
        while seen != {0, 1, 2, 3} and not faults:
            for number in range(4):
                served.swap(f"{number}")
                time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == [] and seen == {0, 1, 2, 3}
    # A file that is replaced at its path is taken with its new form, and one that is damaged is not.
    served = f.ReloadableFuseReader("0")
    os.replace("1", "0")
    assert served.reload() and served.get("generation") == 1 and is_compact("0")
    with open("2", "rb") as file:
        whole = file.read()
    with open("0.new", "wb") as file:
        file.write(whole[:-1])
    os.replace("0.new", "0")
    with pytest.raises(f.FuseError):
        served.reload()
    assert served.get("generation") == 1

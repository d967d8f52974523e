"""Keys that are no text in other languages: what Python's str() makes of them is what the command makes of records."""

import json
import uuid

from conftest import DONE

NUMBERS = [0, 42, -7, 2**63 - 1, -(2**63), 2**64 - 1]
ID = uuid.UUID("123E4567-E89B-12D3-A456-426614174000")


def test_str_of_an_integer_and_of_a_uuid_is_the_key(command, tmp_path):
    """[W22] [W23], by the worked examples of spec/values.md §8."""
    records = [{"id": key, "number": number} for number, key in enumerate([*NUMBERS, str(ID)])]
    path = tmp_path / "keys.fsdb"
    command("build", "-o", path, "-", "--key", "id", stdin="".join(json.dumps(record) + "\n" for record in records).encode(), code=DONE)
    for number, key in enumerate([*NUMBERS, ID]):
        assert command("get", path, "--field", "number", "--", str(key), code=DONE).out == b"%d\n" % number
    assert command("keys", path, code=DONE).lines == sorted(str(key).encode() for key in [*NUMBERS, ID])

from __future__ import annotations

import json

import jsonschema
import pytest


@pytest.mark.parametrize("name", ["report", "config"])
def test_a_published_schema_is_printed_and_is_one(call, name):
    code, out, _ = call("schema", name)
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


def test_an_unknown_schema_is_refused_with_the_known_ones(call):
    code, out, err = call("schema", "model")
    assert (code, out) == (2, "")
    assert "report or config" in err

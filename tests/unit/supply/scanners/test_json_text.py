import json

import pytest

from tests.corpus.benign import CHATML
from tests.corpus.hostile_models import BAD_TEMPLATES, LAMBDA
from tests.corpus.look import rules_of


def found(value, name="config.json"):
    return rules_of((value if isinstance(value, str) else json.dumps(value)).encode(), name)


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1},
        [1, 2],
        {"chat_template": CHATML},
        {"chat_template": [{"name": "x", "template": CHATML}]},
        {"class_name": 3},
    ],
)
def test_configurations_pass(value):
    assert found(value) == set()


def test_what_acts_is_found():
    assert found({"chat_template": BAD_TEMPLATES[0]}) == {"scan.template.code"}
    assert found({"chat_template": [{"name": "x", "template": BAD_TEMPLATES[0]}]}) == {"scan.template.code"}
    assert found({"auto_map": {"AutoModel": "modeling.Mine"}}) == {"scan.config.remote"}
    assert found({"layer": LAMBDA}) == {"scan.keras.lambda"}
    assert found(json.dumps(LAMBDA).replace("class_name", "class\\u005fname")) == {"scan.keras.lambda"}


def test_breaks_are_told_and_lines_of_json_are_none():
    assert found('{"class_name": ') == {"scan.json.broken"}
    assert found('{"class_name": 1}\n{"class_name": 2}\n') == set()
    assert found('{"class_name":' + "[" * 100_000) == {"scan.json.broken"}

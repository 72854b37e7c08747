import json

import pytest

from tests.corpus.hostile_texts import TAGGED, TARGETS
from tests.corpus.look import rules_of


@pytest.mark.parametrize("text", TAGGED)
def test_a_tag_that_makes_python_objects_is_found_however_it_is_written(text):
    assert rules_of(text.encode(), "x.yaml") == {"scan.config.code"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_runs_code_is_found_in_yaml_and_json(target):
    assert rules_of(f"a: {{b: 1, _target_: '{target}'}}".encode(), "x.yml") == {"scan.config.code"}
    assert rules_of(json.dumps({"a": [{"_target_": target}]}).encode(), "x.json") == {"scan.config.code"}


@pytest.mark.parametrize(
    "text",
    [
        "_target_: my.package.Model", "_target_: torch.optim.AdamW", "_target_: collections.OrderedDict",
        "x: !!python/tuple [1, 2]", "x: !!str 5", "x: !Ref os.system", "text: 'os.system is a function!'", "%YAML 1.2",
        "_target_: torch.utils.data.DataLoader", "_target_: datasets.load_dataset",
    ],
)  # fmt: skip
def test_what_configurations_hold_passes(text):
    assert rules_of(text.encode(), "x.yaml") == set()


def test_only_yaml_is_read_as_yaml():
    assert rules_of(TAGGED[0].encode(), "notes.txt") == set()


def test_an_escape_that_is_no_character_does_not_end_the_scan():
    assert rules_of(b'"\\UFFFFFFFF": !!python/name:os.system', "x.yaml") == {"scan.config.code"}

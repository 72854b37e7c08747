import json

import pytest

from tests.corpus.look import rules_of


def found(**node):
    return rules_of(json.dumps({"graph_module": {"graph": {"nodes": [node]}}}).encode(), "model.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", "os.system"), ("target", "torch.ops.aten.from_file.default"), ("target", "torch.load"),
        ("target", "torch.ops.mine.run.default"), ("target", "_operator.add.__class__"),
        ("expr_str", "__import__('os')"),
        ("expr_str", "s0.__class__"), ("expr_str", "open('x')"), ("expr_str", "[x for x in y]"),
        ("guards_code", "__import__('os')"),
        ("in_spec", '[1, {"type": "os.system", "context": "null"}]'),
    ],
)  # fmt: skip
def test_text_that_becomes_code_is_found(key, value):
    assert found(**{key: value}) == {"scan.torch.code"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", "torch.ops.aten.add.Tensor"), ("target", "torch.ops.prims.view_of.default"),
        ("target", "_operator.add"),
        ("target", "weight"), ("expr_str", "Mul(Integer(2), Symbol('s0', positive=True, integer=True))"),
        ("expr_str", "s0 // 2 + 1"),
        ("in_spec", '[1, {"type": "builtins.tuple", "context": "null", "children_spec": []}]'), ("other", "os.system"),
    ],
)  # fmt: skip
def test_what_torch_writes_passes(key, value):
    assert found(**{key: value}) == set()

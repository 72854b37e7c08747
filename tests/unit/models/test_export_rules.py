import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import Refused
from gambeson.models.export_rules import check_words, checked_program

LEAF = {"type": None, "context": None, "children_spec": []}


def tree(kind, context="null"):
    return json.dumps([1, {"type": kind, "context": context, "children_spec": [LEAF]}])


GOOD = [
    ("expr_str", "Symbol('s31', positive=True, integer=True)"),
    ("expr_str", "2*s31 + Max(1, s0)//3"),
    ("expr_str", "Eq(Mod(s0*s1, 4), 0)"),
    ("target", "torch.ops.aten.conv2d.default"),
    ("target", "torch.ops.aten._softmax.default"),
    ("target", "torch.ops.aten.__and__.Tensor"),
    ("target", "_operator.mul"),
    ("name", "p_layer1_0_weight"),
    ("parameter_name", "layer1.0.weight"),
    ("torch_version", "2.13.0+cpu"),
    ("as_string", "ij,jk->ik"),
    ("in_spec", tree("builtins.tuple")),
    ("in_spec", tree("builtins.dict", '["x"]')),
]

BAD = [
    ("expr_str", "__import__('os').system('x')"),
    ("expr_str", "eval(chr(49))"),
    ("expr_str", "().__class__"),
    ("expr_str", "s0.func"),
    ("expr_str", "s0[0]"),
    ("expr_str", "[s0 for s0 in 1]"),
    ("expr_str", "(lambda: 1)()"),
    ("expr_str", "Symbol('a b')"),
    ("expr_str", "9**9**9"),
    ("expr_str", "exit"),
    ("expr_str", "s0 +"),
    ("expr_str", "1+" * 400 + "1"),
    ("target", "torch.load"),
    ("target", "torch.ops.load_library"),
    ("target", "torch.ops.aten.from_file.default"),
    ("target", "torch.ops.aten.save"),
    ("target", "torch.ops.aten.__class__"),
    ("target", "torch.ops.aten.add.__globals__"),
    ("target", "torch.hub.load"),
    ("target", "_operator.methodcaller"),
    ("target", "math.__loader__.load_module"),
    ("target", "#custom:op"),
    ("name", "x):\n  import os"),
    ("name", "f(x)"),
    ("forward_arg_names", "x=1"),
    ("guards", "open('x')"),
    ("in_spec", tree("collections.defaultdict", '{"default_factory_module": "os"}')),
    ("in_spec", tree("builtins.tuple", '{"__enum__": true, "fqn": "os:x", "name": "y"}')),
    ("in_spec", "no json"),
    ("out_spec", "[1]"),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_what_torch_writes_passes(key, value):
    assert checked_program("m", {"nodes": [{key: value}]})["nodes"] == [{key: value}]


@pytest.mark.parametrize(("key", "value"), BAD)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v]], ids=["alone", "in a list"])
def test_what_could_become_code_is_refused(key, value, wrap):
    with pytest.raises(Refused, match="would turn into code"):
        checked_program("m", {"nodes": [{key: wrap(value)}]})


def test_a_key_is_held_to_the_rule_of_names():
    with pytest.raises(Refused):
        check_words("m", {"a": {"print('x')": 1}})


def test_stack_traces_and_guards_do_not_get_through():
    program = {"nodes": [{"metadata": {"stack_trace": "import os"}}], "guards_code": ["exit()"]}
    assert checked_program("m", program) == {"nodes": [{"metadata": {}}], "guards_code": []}


@given(st.text(max_size=60))
def test_an_expression_that_passes_has_no_door_to_python(text):
    try:
        checked_program("m", {"expr_str": text})
    except Refused:
        return
    assert "__" not in text
    assert "[" not in text

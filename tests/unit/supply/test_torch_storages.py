import io

import pytest
import torch

from tests.corpus.archives import torch_like
from tests.corpus.hostile_archives import tensor
from tests.corpus.look import rules_of
from tests.corpus.opcodes import PROTO

GOOD = PROTO[2] + tensor() + b"."


@pytest.mark.parametrize(
    ("size", "rules"), [(16, set()), (8, {"scan.torch.memory"}), (17, {"scan.torch.memory"})]
)
def test_a_record_must_have_the_size_that_the_pickle_claims(size, rules):
    assert rules_of(torch_like(GOOD, **{"data/0": bytes(size)}), "x.pt") == rules


def test_setting_an_item_of_a_tensor_is_found_and_of_a_dict_is_not():
    setting = PROTO[2] + tensor() + b"K\0K\x07s."
    assert rules_of(torch_like(setting, **{"data/0": bytes(16)}), "x.pt") == {"scan.torch.memory"}
    inside = PROTO[2] + b"}K\0" + tensor() + b"s."
    assert rules_of(torch_like(inside, **{"data/0": bytes(16)}), "x.pt") == set()


@pytest.mark.parametrize(
    "kind",
    [
        torch.float64,
        torch.bfloat16,
        torch.float8_e4m3fn,
        torch.int8,
        torch.bool,
        torch.complex128,
        torch.uint16,
    ],
)
def test_every_kind_of_storage_has_the_size_that_torch_writes(kind):
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(7).to(kind), "b": torch.zeros(20)[3:5]}, buffer)
    assert rules_of(buffer.getvalue(), "x.pt") == set()

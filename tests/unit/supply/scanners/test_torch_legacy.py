import io

import pytest
import torch

from tests.corpus.hostile_archives import LEGACY_HEAD
from tests.corpus.look import rules_of
from tests.corpus.opcodes import EVIL


def saved(value):
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind", [torch.float32, torch.float64, torch.bfloat16, torch.int8, torch.bool, torch.complex128]
)
def test_what_torch_writes_passes(kind):
    values = [torch.ones(n).to(kind) for n in (1, 5, 12)]
    assert rules_of(saved(values), "m.pt") == set()


def test_a_call_a_break_and_a_tail_are_found():
    assert rules_of(LEGACY_HEAD + EVIL + b"\x80\x02].", "m.pt") == {"scan.pickle.dangerous"}
    assert rules_of(saved([torch.ones(3)]) + b"tail", "m.pt") == {"scan.pickle.tail"}
    assert rules_of(saved([torch.ones(3)])[:-2], "m.pt") == {"scan.pickle.tail"}
    assert rules_of(LEGACY_HEAD + EVIL[:-1], "m.pt") == {"scan.pickle.dangerous", "scan.pickle.broken"}

import pytest

from tests.corpus.archives import plain_zip, torch_like
from tests.corpus.look import rules_of
from tests.corpus.opcodes import HARMLESS


def script(line):
    code = f"def forward(self, x: Tensor) -> Tensor:\n  {line}\n".encode()
    return torch_like(HARMLESS, **{"constants.pkl": b"\x80\x02).", "code/net.py": code})


@pytest.mark.parametrize(
    "line",
    [
        "return torch.relu(x)",
        "return ops.prim.NumToTensor(3)",
        "return ops.quantized.linear(x)",
        "return self.load",
    ],
)
def test_tensor_operators_pass(line):
    assert rules_of(script(line), "m.pt") == set()


@pytest.mark.parametrize(
    "line",
    [
        "return torch.from_file('x')",
        "torch.save(x, 'y')",
        "return ops.mine.run(x)",
        "return ops.aten.from_file('x')",
    ],
)
def test_files_and_foreign_operators_are_found(line):
    assert rules_of(script(line), "m.pt") == {"scan.torch.code"}


def test_native_code_in_a_program_is_found():
    assert "scan.file.native" in rules_of(
        plain_zip({"m/archive_format": b"pt2", "m/data/aotinductor/k.cubin": b"x"}), "m.pt2"
    )

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.look import rules_of
from tests.corpus.messages import gguf


def test_a_sound_file_passes():
    assert rules_of(gguf(), "m.gguf") == set()
    assert rules_of(gguf(tensors=0, pairs=0), "m.gguf") == set()


@pytest.mark.parametrize(
    "how",
    [
        {"tensors": 1 << 62}, {"pairs": 1 << 62}, {"tensors": 2}, {"pairs": 9}, {"offset": 32}, {"size": 16},
        {"alignment": 0},
        {"alignment": 3}, {"shape": (1,) * 9}, {"shape": (1 << 62, 8)}, {"name": "x" * 70_000},
    ],
    ids=str,
)  # fmt: skip
def test_claims_beyond_the_file_are_found(how):
    assert rules_of(gguf(**how), "m.gguf") == {"scan.gguf.header"}


def test_another_version_is_unknown():
    assert rules_of(gguf().replace(b"GGUF\x03", b"GGUF\x09"), "m.gguf") == {"scan.gguf.header"}


@given(st.integers(0, 400), st.integers(0, 255))
def test_no_damage_breaks_the_scanner(place, byte):
    data = bytearray(gguf("{{ x }}"))
    data[place % len(data)] = byte
    assert "scan.scanner.failed" not in rules_of(bytes(data), "m.gguf")

"""Secrets, addresses and paths are found; ordinary text is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.private_text import Trace, find_traces


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("token hf_" + "a" * 34, "secret", "hf_aaaaa…"),
        ("AKIAIOSFODNN7EXAMPLE", "secret", "AKIAIOSF…"),
        ('"password": "correct horse"', "secret", 'password":…'),
        ("api_key=0123456789abcdef", "secret", "api_key=…"),
        ("trained by jane.doe@example.org today", "address", "jane.doe@example.org"),
        (
            "/home/jane/projects/secret-model/train.py line 3",
            "path",
            "/home/jane/projects/secret-model/train.py",
        ),
        (r"C:\Users\jane\model.py", "path", r"C:\Users\jane\model.py"),
        ("read from s3://bucket/patients.csv", "path", "s3://bucket/patients.csv"),
    ],
)
def test_a_trace_is_found_and_a_secret_is_not_repeated(text, kind, shown):
    found = find_traces([text])
    assert [trace.kind for trace in found] == [kind]
    assert found[0].shown.startswith(shown.split(" ")[0][:8])
    if kind == "secret":
        assert not any(secret in found[0].shown for secret in ("a" * 34, "correct horse", "0123456789abcdef"))


@pytest.mark.parametrize(
    "text",
    [
        "layer1.0.conv1.weight",
        "MatMul",
        "mean and/or variance",
        "a @ b",
        "x@y",
        "password",
        "ratio 3/4",
        "torch.nn",
    ],
)
def test_ordinary_text_is_left_alone(text):
    assert find_traces([text]) == ()


def test_each_is_named_once_and_at_most_twenty():
    assert find_traces(["/home/a/b", "/home/a/b"]) == (Trace("path", "/home/a/b"),)
    assert len(find_traces(f"/home/user{i}/x" for i in range(50))) == 20


@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text):
    assert all(trace.shown for trace in find_traces([text]))

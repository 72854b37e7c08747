from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.settings.paths import factory_from, factory_from_here, seen_from, seen_from_here

NAME = st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4}){0,2}", fullmatch=True)


@pytest.mark.parametrize("path", ["builtin:digits", "python:package.module:function", "/abs/model.onnx"])
def test_a_uri_and_an_absolute_path_stay_as_they_are(path):
    assert seen_from_here(path, Path("sub")) == seen_from(Path("sub"), path) == path


@given(path=NAME, folder=NAME)
def test_a_path_written_into_a_file_is_found_again(path, folder):
    written = seen_from(Path(folder), path)
    assert seen_from_here(written, Path(folder)) == os.path.normpath(path)


def test_a_factory_in_a_file_moves_with_it_and_one_in_a_module_does_not():
    assert factory_from_here("net.py:build", Path("sub")) == "sub/net.py:build"
    assert factory_from(Path("sub"), "net.py:build") == "../net.py:build"
    assert (
        factory_from_here("net:build", Path("sub")) == factory_from(Path("sub"), "net:build") == "net:build"
    )


def test_a_model_that_is_a_function_in_a_file_moves_with_it():
    assert seen_from_here("python:net.py:scores", Path("sub")) == "python:sub/net.py:scores"
    assert seen_from(Path("sub"), "python:net.py:scores") == "python:../net.py:scores"

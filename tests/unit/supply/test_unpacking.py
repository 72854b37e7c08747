import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.unpacking import escapes


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "\\x", "a\\..\\..\\b", "C:\\x", "c:x", "a\0b", "", "a/.."]
)
def test_what_leads_out_is_seen(name):
    assert escapes(name)


@pytest.mark.parametrize("name", ["x", "a/b.c", "a/..b", "...", "a/", "data/0", ".data/x"])
def test_what_stays_inside_is_left_alone(name):
    assert not escapes(name)


@given(st.lists(st.sampled_from(["a", "..", ".", ""]), min_size=1, max_size=5).map("/".join))
def test_nothing_that_the_system_would_put_outside_passes(name):
    if not escapes(name):
        assert os.path.normpath(os.path.join("/root", name)).startswith("/root")

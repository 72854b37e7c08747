from __future__ import annotations

import pytest

from gambeson.attacks.evasion.apgd import APGD, checkpoints
from gambeson.core.errors import UsageError


def test_checkpoints_are_those_of_the_paper_for_a_hundred_steps():
    # p = 0, .22, .41, .57, .70, .80, .87, .93, .99 (Croce & Hein 2020, section 3.1 with p_{j+1} = p_j + max(...))
    assert sorted(checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_unknown_loss_is_named():
    with pytest.raises(UsageError, match="'hinge'"):
        APGD(loss="hinge")


def test_targeted_runs_once_for_each_target():
    assert APGD(steps=10, loss="targeted_dlr", targets=4).length == 44

"""The command of hardening: refused where it makes no sense, and written so that it repeats."""

from __future__ import annotations

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import ThreatModel
from gambeson.defenses.training.plan import Plan
from gambeson.service.commands import AuditCommand
from gambeson.service.hardening_commands import HardenCommand, check_harden, harden_line

AUDIT = AuditCommand("net.safetensors", "train.npz", factory="net.py:build", threats=(ThreatModel(eps=0.1),))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"recipes": ("dverge",)}, "trains an ensemble"),
        ({"recipes": ("augmentation",), "members": 3}, "trains no ensemble"),
        ({"recipes": ("augmentation",), "budget": 60.0}, "takes no time budget"),
        ({"members": 0}, "0 members"),
        ({"recipes": ("pgdd",)}, "Unknown recipe"),
        ({"recipes": ("trades",), "parameters": (("gamma", 1),)}, "does not take"),
        ({"parameters": (("mart.beta", 1),)}, "not trained"),
        ({"epochs": 3, "budget": 60.0}, "both say how long"),
    ],
)
def test_nonsense_is_refused(changes, says):
    with pytest.raises(UsageError, match=says):
        check_harden(HardenCommand(AUDIT, **changes))


def test_more_than_one_attacker_is_refused():
    audit = AuditCommand("net", "data", threats=(ThreatModel(eps=0.1), ThreatModel(eps=0.2)))
    with pytest.raises(UsageError, match="2 attackers"):
        check_harden(HardenCommand(audit))


def test_a_parameter_goes_to_its_recipe():
    command = HardenCommand(AUDIT, recipes=("pgd", "trades"), parameters=(("trades.beta", 3), ("steps", 5)))
    assert command.parameters_of("trades") == {"beta": 3, "steps": 5}
    assert command.parameters_of("pgd") == {"steps": 5}


def test_the_line_names_what_was_chosen():
    plan = Plan(learning_rate=0.01, half=False, keep=True)
    line = harden_line(HardenCommand(AUDIT, recipes=("pgd",), fresh=True, plan=plan, budget=90.0))
    assert line == (
        "gambeson harden net.safetensors --data train.npz --factory net.py:build --norm linf --eps 0.1 "
        "--access gradient --seed 0 --recipe pgd --fresh --time-budget 90s --learning-rate 0.01 "
        "--keep-perturbations --full-precision"
    )

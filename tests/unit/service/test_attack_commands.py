from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.interfaces.cli.attack_command import attack_command
from gambeson.service.attack_commands import AttackCommand, attack_line, check_attack

COMMAND = AttackCommand(("pgd", "apgd"), "m.pt2", "d.npz")


def test_a_parameter_goes_to_all_or_to_the_one_it_names():
    found = AttackCommand(("pgd", "fgsm"), "m", "d", parameters=(("steps", 9), ("pgd.restarts", 2)))
    assert found.parameters_of("pgd") == {"steps": 9, "restarts": 2}
    assert found.parameters_of("fgsm") == {"steps": 9}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attacks": ()}, "No attack was named"),
        ({"samples": 0}, "0 samples"),
        ({"batch_size": 0}, "batch size is 0"),
        ({"png": True}, "needs a folder"),
        ({"parameters": (("square.queries", 3),)}, "for square, which does not run"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, said):
    fields = {name: getattr(COMMAND, name) for name in COMMAND.__dataclass_fields__}
    with pytest.raises(UsageError, match=said):
        check_attack(AttackCommand(**fields | changes))


def flags(line: str) -> dict[str, object]:
    """What the command line parser would hand on."""
    import inspect

    from gambeson.interfaces.cli.attack import attack

    words = shlex.split(line)[2:]
    found = dict.fromkeys(inspect.signature(attack).parameters) | {"nearest": False, "png": False}
    found |= {"names": words.pop(0), "model": words.pop(0)}
    while words:
        name = words.pop(0).lstrip("-").replace("-", "_")
        if name == "nearest":
            found[name] = True
        elif name in ("param", "data_option", "freeze"):
            found[name] = [*(found[name] or []), words.pop(0)]
        else:
            found[name] = words.pop(0)
    return found


@pytest.mark.parametrize(
    "command",
    [
        COMMAND,
        AttackCommand(
            ("fmn",),
            "a model.pt2",
            "d.csv",
            parameters=(("steps", 5), ("anneal", False)),
            threat=ThreatModel(Norm.L2, access=Access.GRADIENT),
            nearest=True,
            factory="n.py:f",
            classes=3,
            data_options=(("label", "y"),),
            samples=9,
            seed=4,
        ),
        AttackCommand(
            ("square",), "m", "d", threat=ThreatModel(eps=0.1, unit="range", queries=7, frozen=("a", "b"))
        ),
    ],
)
def test_the_line_repeats_the_command(command):
    assert attack_command(flags(attack_line(command))) == command
    assert Path("m").name in attack_line(COMMAND)

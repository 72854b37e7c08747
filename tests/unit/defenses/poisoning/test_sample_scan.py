import numpy as np
import pytest

from gambeson.attacks.poisoning.badnets import BadNets
from gambeson.attacks.poisoning.base import poisonings
from gambeson.attacks.poisoning.harness import run_poisoning
from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.reproduce import Seed
from gambeson.defenses.poisoning.sample_scan import ScanPlan, scan_rows, usual_rate, work
from tests.poison_worlds import PICTURES, TABLE, picture_task, pictures, plain_network, table

QUICK = ("confusion", "trusted_gap", "influence", "confident_learning")


def scan(x, y, trusted, **changes):
    plan = ScanPlan(**({"alpha": 0.02, "build": plain_network, "epochs": 2, "names": QUICK} | changes))
    return scan_rows((x, y), trusted, PICTURES, plan, Seed(0))


def test_poisoned_rows_are_flagged_and_clean_data_pass():
    x, y = pictures(800, seed=1)
    made = run_poisoning("badnets", BadNets(size=2), poisonings["badnets"].facts, picture_task(x=x, y=y))
    trusted = pictures(400, seed=2)
    found, clean = scan(made.x, made.y, trusted), scan(x, y, trusted)
    bad = np.zeros(800, bool)
    bad[made.changed] = True
    assert found.verdict.flagged[bad].mean() > 0.9
    assert found.verdict.flagged[~bad].mean() < 0.06
    assert 0.06 < found.share < 0.16
    assert found.chance < 0.01
    assert clean.chance > 0.01


def test_few_trusted_rows_get_a_rate_at_which_poison_can_still_be_told():
    assert [usual_rate(n) for n in (0, 500, 1_500, 9_000)] == [15, 0.03, 0.01, 0.01]
    x, y = pictures(800, seed=1)
    made = run_poisoning("badnets", BadNets(size=2), poisonings["badnets"].facts, picture_task(x=x, y=y))
    found = scan(made.x, made.y, pictures(420, seed=2), alpha=None)
    assert found.verdict.alpha == 15 / 420
    assert found.chance < 0.01


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.0, float("nan")])
def test_a_senseless_rate_is_refused_before_any_training(alpha):
    def build():
        raise AssertionError("trained")

    with pytest.raises(UsageError, match="rate of false alarms is"):
        scan(*pictures(100), pictures(400), alpha=alpha, build=build)


def test_detectors_of_pictures_are_left_out_for_tables():
    made = scan_rows(
        table(200), table(200, seed=3), TABLE, ScanPlan(0.05, 1, lambda: plain_network(4, 2)), Seed(0)
    )
    assert {name for name, _ in made.left_out} == {"frequency", "scale_up"}


def test_every_piece_of_work_is_reported():
    done: list[float] = []
    plan = ScanPlan(
        alpha=0.05, build=plain_network, epochs=1, names=QUICK, report=lambda d, said: done.append(d)
    )
    scan_rows(pictures(150), pictures(100, seed=2), PICTURES, plan, Seed(0))
    assert sum(done) == work(plan)


def test_one_class_or_few_trusted_rows_are_said():
    x, y = pictures(100)
    with pytest.raises(InsufficientEvidence, match="one class"):
        scan(x, np.zeros(100, int), pictures(400))
    with pytest.raises(InsufficientEvidence, match="trusted rows are too few"):
        scan(x, y, pictures(50))


def test_identical_rows_are_no_crash():
    x = np.full((120, 1, 8, 8), 0.5, np.float32)
    made = scan(
        x, np.arange(120) % 4, (np.full((240, 1, 8, 8), 0.5, np.float32), np.arange(240) % 4), names=()
    )
    assert np.isfinite(made.verdict.p).all()

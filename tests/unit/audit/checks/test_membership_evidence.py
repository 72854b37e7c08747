"""Figures and curves of membership inference."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy.harness import Membership, area
from gambeson.attacks.privacy.pool import draw_pool
from gambeson.audit.checks.membership_evidence import (
    measure,
    membership_facts,
    most_exposed,
    roc_curves,
    warning,
)
from gambeson.core.reproduce import Seed
from gambeson.core.stats import auc
from tests.membership_worlds import candidates, records

BLIND = auc(np.arange(50.0), np.arange(50.0), name="auc_without_model")
RNG = np.random.default_rng(0)


def found(name="planted", shift=1.0, m=1_500, n=1_200) -> Membership:
    return Membership(name, RNG.normal(shift, 1, m), RNG.normal(0, 1, n))


def by_name(figures):
    return {figure.name: figure for figure in figures.all}


def test_every_attack_is_reported_beside_the_strongest():
    weak, strong = found("weak", 0.2), found("strong", 1.5)
    named = by_name(measure([weak, strong], candidates(leak=1), Seed(0), BLIND))
    for kind in ("auc", "tpr_at_1pct_fpr", "tpr_at_0.1pct_fpr", "balanced_accuracy"):
        assert named[kind].value == named[f"strong.{kind}"].value > named[f"weak.{kind}"].value
        assert named[kind].detail.startswith("strong")
    assert named["strong.auc"] == area(strong, name="strong.auc")


def test_the_strongest_attack_pays_for_having_been_chosen():
    named = by_name(
        measure([found("a"), found("b", 0.0), found("c", 0.1)], candidates(leak=1), Seed(0), BLIND)
    )
    chosen, single = named["auc"].interval, named["a.auc"].interval
    assert chosen.low < single.low < single.high < chosen.high
    assert (chosen.level, single.level) == (0.95, 0.95)
    assert chosen.method == "delong, Bonferroni over 3 attacks"


def test_the_strongest_of_useless_attacks_is_rarely_called_better_than_chance():
    world, calls = candidates(leak=0, n=40), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        useless = [Membership(str(i), rng.normal(size=60), rng.normal(size=60)) for i in range(4)]
        calls += measure(useless, world, Seed(seed), BLIND).area.interval.low > 0.5
    assert calls / 200 <= 0.05


def test_a_single_attack_pays_nothing():
    named = by_name(measure([found("only")], candidates(leak=1), Seed(0), BLIND))
    assert named["auc"].interval == named["only.auc"].interval


def test_figures_without_enough_nonmembers_are_named_as_missing():
    figures = measure([found(n=60)], candidates(leak=1), Seed(0), BLIND)
    assert figures.exposure is None
    assert [line.partition(" ")[0] for line in figures.missing] == ["tpr_at_1pct_fpr", "tpr_at_0.1pct_fpr"]
    assert "at least 100" in figures.missing[0]


def test_accuracies_are_those_of_the_target():
    world = candidates(leak=3)
    named = by_name(measure([found()], world, Seed(0), BLIND))
    right = world.target.argmax(1) == world.labels
    assert named["train_accuracy"].value == pytest.approx(right[world.truth].mean())
    assert named["test_accuracy"].value == pytest.approx(right[~world.truth].mean())
    assert named["accuracy_gap"].value == pytest.approx(
        right[world.truth].mean() - right[~world.truth].mean()
    )


@pytest.mark.parametrize("ties", [False, True])
def test_a_curve_has_at_most_200_ascending_points_of_the_true_curve(ties):
    item = found(m=5_000, n=4_000)
    if ties:
        item = Membership("tied", item.members.round(1), item.nonmembers.round(1))
    line, chance = roc_curves([item]).series
    x, y = np.array(line.x), np.array(line.y)
    assert 10 < len(x) <= 200
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert min(x[0], y[0]) > 0
    assert (x[-1], y[-1]) == (1, 1)
    thresholds = np.sort(item.nonmembers)[::-1]
    for fpr, tpr in zip(line.x, line.y, strict=True):
        k = round(fpr * 4_000)
        lowest = thresholds[k] if k < 4_000 else -np.inf
        assert tpr == pytest.approx((item.members > lowest).mean(), abs=1e-12)
    assert chance.reference
    assert chance.x == chance.y


def test_the_band_holds_the_curve():
    line = roc_curves([found()]).series[0]
    assert all(low <= y <= high for low, y, high in zip(line.low, line.y, line.high, strict=True))


def test_a_constant_score_still_has_a_curve():
    line = roc_curves([Membership("flat", np.ones(50), np.ones(40))]).series[0]
    assert (line.x, line.y) == ((1.0,), (1.0,))


def test_p_values_are_corrected_for_the_number_of_attacks():
    pool = draw_pool(records(30, 1), records(30, 2), 30, Seed(0))
    facts = dict(membership_facts(pool, [found("a", 3.0), found("b", 0.0)], 77))
    (strong, weak) = [value for name, value in facts.items() if "p-value" in name]
    assert strong == "below 1e-99 (Holm)"
    assert float(weak.split()[0]) > 0.01
    assert facts["queries spent in all"] == "77"


def test_the_most_exposed_are_named_by_their_row_of_the_split():
    pool = draw_pool(records(90, 1), records(60, 2), 40, Seed(0))
    weak = Membership("weak", np.zeros(40), np.zeros(40))
    strong = Membership("strong", np.arange(40.0), np.arange(-20.0, 20))
    figures = measure([weak, strong], candidates(leak=1), Seed(0), BLIND)
    table = most_exposed([weak, strong], figures, pool, "train")
    assert table.title.endswith("by strong")
    assert len(table.rows) == 20
    assert table.rows[0] == (f"train[{pool.member_rows[39]}]", 39.0, 1.0)
    assert table.rows[-1] == (f"train[{pool.member_rows[20]}]", 20.0, 1.0)


def test_only_splits_that_differ_by_themselves_are_warned_of():
    rng = np.random.default_rng(1)
    apart = auc(rng.normal(1, 1, 200), rng.normal(0, 1, 200), name="auc_without_model")
    figures = [measure([found()], candidates(leak=1), Seed(0), blind) for blind in (BLIND, apart)]
    assert warning(figures[0]) == ""
    assert "never sees the model" in warning(figures[1])
    assert by_name(figures[1])["auc_without_model"] == apart

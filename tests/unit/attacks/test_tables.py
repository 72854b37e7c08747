from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.tables import TableRules
from gambeson.core.errors import UsageError
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Determines, Feature, Kind, Schema
from tests.tables import COLUMNS, faults, recoded, sample, schema


def threat(categories=0, norm=Norm.LINF, eps=0.3, frozen=()):
    return ThreatModel(norm, eps, unit="range", frozen=frozen, categories=categories)


def rules(categories=1, frozen=(), of=None):
    return TableRules.of(threat(categories, frozen=frozen), of or schema())


def test_a_plain_table_has_no_rules():
    assert TableRules.of(threat(), Schema((2,), ("n", "y"), 0, 1, COLUMNS[:2])) is None


def test_what_a_category_determines_is_no_choice_and_has_no_cost():
    found = rules()
    names = [COLUMNS[columns[0]].name for columns, _ in found.choices]
    assert names == ["city", "shape", "colour_red"]
    assert not found.measured[7]
    assert not found.pinned[7]


def test_without_a_budget_categories_and_what_they_determine_are_pinned():
    assert rules(0).pinned.nonzero().squeeze(1).tolist() == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("frozen", ["colour_green", "city", "shape"])
def test_a_frozen_feature_is_no_choice_nor_is_its_group(frozen):
    names = {COLUMNS[place].name for columns, _ in rules(frozen=(frozen,)).choices for place in columns}
    assert frozen not in names
    assert ("colour_red" in names) == (frozen != "colour_green")


def test_written_categories_are_read_back_and_bring_what_they_determine():
    x, found = sample(), rules()
    codes = torch.stack([torch.arange(64) % 4, torch.arange(64) % 3, torch.arange(64) % 3], 1)
    new = found.write(x, codes)
    assert torch.equal(found.read(new), codes)
    assert faults(schema(), x.numpy(), new.numpy()) == []


def test_more_categories_than_the_budget_do_not_hold():
    x = sample()
    codes = rules(1).read(x)
    one, two = codes.clone(), codes.clone()
    one[:, 0] = (codes[:, 0] + 1) % 4
    two[:, :2] = torch.stack([(codes[:, 0] + 1) % 4, (codes[:, 1] + 1) % 3], 1)
    found = rules(1)
    assert found.hold(x, found.write(x, one)).all()
    assert not found.hold(x, found.write(x, two)).any()
    assert rules(2).hold(x, found.write(x, two)).all()


def test_a_category_that_would_change_a_frozen_feature_does_not_hold():
    x, found = sample(), rules(frozen=("zone",))
    codes = found.read(x)
    codes[:, 0] = 3 - codes[:, 0]  # Bern and Visp are both in zone 1
    held = found.hold(x, found.write(x, codes))
    assert torch.equal(held, (x[:, 6] == 0) | (x[:, 6] == 3))


def test_a_category_that_the_data_never_shows_cannot_be_written_into_a_valid_row():
    of = schema()
    arrow = next(r for r in of.relations if isinstance(r, Determines))
    of = replace(of, relations=(replace(arrow, values=(1.0, 2.0, 3.0, float("nan"))),))
    found, x = rules(of=of), sample(8)
    codes = found.read(x)
    codes[:, 0] = 3
    assert not found.hold(x, found.write(x, codes))[x[:, 6] != 3].any()


def chain(*arrows):
    columns = tuple(Feature(n, Kind.CATEGORICAL, 0, 1, ("p", "q")) for n in "abc")
    return Schema(
        (3,), ("n", "y"), 0, 1, columns, tuple(Determines(f"{a}->{b}", a, b, (0.0, 1.0)) for a, b in arrows)
    )


@pytest.mark.parametrize("arrows", [("ab", "bc"), ("bc", "ab"), ("ab", "ba", "ac")])
def test_arrows_are_followed_to_their_end_in_any_order(arrows):
    found = rules(of=chain(*arrows))
    assert [columns for columns, _ in found.choices] == [(0,)]
    new = found.write(torch.zeros(1, 3), torch.ones(1, 1, dtype=torch.int64))
    assert new.tolist() == [[1, 1, 1]]
    assert found.hold(torch.zeros(1, 3), new).all()


def test_a_budget_without_a_category_to_spend_it_on_is_refused():
    with pytest.raises(UsageError, match="no categorical feature that may change"):
        rules(of=Schema((2,), ("n", "y"), 0, 1, COLUMNS[:2]))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    categories=st.integers(0, 3),
    norm=st.sampled_from(list(Norm)),
    size=st.floats(0.05, 3),
    frozen=st.sets(st.sampled_from(["gross", "net", "end", "zone", "city", "colour_blue"]), max_size=2),
    finite=st.booleans(),
)
def test_whatever_is_proposed_the_row_that_is_asked_could_exist(seed, categories, norm, size, frozen, finite):
    of = schema(frozen=tuple(frozen))
    eps = max(1.0, round(size)) if norm is Norm.L0 else min(size, 1.0) if norm is Norm.LINF else size
    space = PerturbationSet.of(threat(categories, norm, eps), of)
    x = sample(32, seed)
    ball = (space if finite else space.with_eps(float("inf"))).around(x)
    generator = torch.Generator().manual_seed(seed)
    delta = 2 * torch.randn(x.shape, generator=generator)
    delta = ball.project(delta) if finite else ball.inside(delta)
    codes = None
    if categories:
        codes = ball.space.rules.read(x)
        place = seed % codes.shape[1]
        codes[:, place] = torch.randint(ball.space.rules.choices[place][1], (32,), generator=generator)
        if not ball.space.rules.hold(x, ball.space.rules.write(x, codes)).all():
            codes = None  # only a frozen zone refuses
    after = ball.apply(delta, None, codes)
    assert faults(of, x.numpy(), after.numpy()) == []
    assert (recoded(x.numpy(), after.numpy()) <= categories).all()
    assert ball.contains(after).all()


def test_what_is_asked_still_moves():
    space = PerturbationSet.of(threat(), schema())
    ball = space.around(sample())
    after = ball.apply(ball.project(torch.full((64, 12), 0.3)))
    assert (after != ball.x)[:, :6].float().mean() > 0.8


def test_where_computed_columns_break_the_radius_their_relation_stays_as_it_is():
    ball = PerturbationSet.of(threat(norm=Norm.L0, eps=1), schema()).around(sample())
    delta = torch.zeros(64, 12)
    delta[:, 2] = torch.where(
        ball.x[:, 2] < 25, 0.2, -0.2
    )  # net moves gross: two features, where one may change
    assert torch.equal(ball.apply(delta), ball.x)
    delta[:, [0, 1, 3]] = 0.1  # nowhere near the radius
    delta[:, 5] = torch.where(ball.x[:, 5] < 0.5, 0.2, -0.2)
    assert torch.equal(ball.apply(delta)[:, :5], ball.x[:, :5])


@pytest.mark.parametrize("kind", ["numeric", "integer"])
def test_the_judge_refuses_rows_that_break_what_is_declared(kind):
    ball = PerturbationSet.of(threat(), schema()).around(sample())
    broken = ball.x.clone()
    broken[:, 4] += torch.where(broken[:, 4] < 60, 1, -1) if kind == "integer" else 0.5
    assert not ball.contains(broken).any()
    assert ball.contains(ball.x).all()


def test_nan_is_no_row():
    ball = PerturbationSet.of(threat(1), schema()).around(sample(4))
    assert not ball.contains(torch.full((4, 12), float("nan"))).any()

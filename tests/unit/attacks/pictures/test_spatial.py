"""Poses: against torch's own rotation by quarter turns and slices, and the search against brute force."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.harness import Run
from gambeson.attacks.pictures.spatial import (
    ANGLE,
    Pose,
    confirm,
    find_worst,
    pose_grid,
    posed,
    reach,
    transform,
)
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes
from tests.tiny_models import perceptron

X = torch.rand(40, 1, 6, 6, generator=torch.Generator().manual_seed(0))


def test_a_quarter_turn_is_the_one_of_rot90():
    x = torch.rand(2, 3, 7, 7)
    torch.testing.assert_close(transform(x, Pose(90), 0), torch.rot90(x, 1, (2, 3)), atol=1e-5, rtol=0)


def test_whole_pixels_move_right_and_down_and_leave_black_behind():
    x = torch.rand(2, 3, 6, 8) + 1
    moved = transform(x, Pose(0, right=2, down=1), low=-1.0)
    torch.testing.assert_close(moved[:, :, 1:, 2:], x[:, :, :-1, :-2], atol=1e-5, rtol=0)
    for black in (moved[:, :, 0], moved[:, :, :, :2]):
        torch.testing.assert_close(black, torch.full_like(black, -1), atol=1e-5, rtol=0)


def test_a_circle_stays_a_circle_in_a_picture_that_is_no_square():
    row, column = torch.meshgrid(torch.arange(24) - 11.5, torch.arange(40) - 19.5, indexing="ij")
    disk = ((row**2 + column**2).sqrt() < 8).float()[None, None]
    assert float((transform(disk, Pose(30), 0) - disk).abs().mean()) < 0.02


def test_values_stay_between_the_bounds():
    moved = transform(X, Pose(17, 0.4, -0.3), 0)
    assert float(moved.min()) >= 0
    assert bool((moved.amax((1, 2, 3)) <= X.amax((1, 2, 3))).all())


@pytest.mark.parametrize(
    ("most", "size"), [(775, 774), (774, 774), (400, 374), (100, 98), (44, 44), (4, 4), (1, 1)]
)
def test_the_grid_fits_the_budget_and_the_ranges(most, size):
    poses = pose_grid(most, 32, 32)
    assert len(poses) == len(set(poses)) == size
    assert Pose(0.0) not in poses
    assert all(pose.allowed(32, 32) for pose in poses)
    assert max(abs(pose.angle) for pose in poses) == ANGLE


def test_a_pose_beyond_the_ranges_is_not_allowed():
    assert not Pose(31).allowed(32, 32)
    assert not Pose(0, right=reach(32) + 1).allowed(32, 32)
    assert not Pose(0, down=-reach(32) - 1).allowed(32, 32)


def search(**changes):
    model = Passes(perceptron())
    y = model.scores(X).argmax(1)
    poses = pose_grid(98, 6, 6)
    oracle = Oracle(model, Access.LABELS, rows=len(X))
    return model, y, poses, oracle, find_worst(oracle, X, y, poses, 0.0, Run(Seed(0), **changes))


def test_it_finds_whom_brute_force_finds_and_asks_no_more_once_found():
    model, y, poses, oracle, worst = search()
    brute = torch.stack([model.scores(transform(X, pose, 0)).argmax(1) != y for pose in poses]).any(0)
    assert torch.equal(worst.pose >= 0, brute)
    assert 0 < int(brute.sum()) < len(X)
    assert torch.equal(confirm(model, X, y, worst.pose, poses, 0), brute)
    assert bool((oracle.queries <= len(poses)).all())
    assert float(oracle.queries[brute].float().median()) < len(poses) / 2


def test_turns_alone_are_tried_on_all():
    model, y, poses, _, worst = search()
    turns = [pose for pose in poses if pose.turns_only]
    assert worst.stands.shape == (len(turns), len(X))
    again = model.scores(transform(X, turns[-1], 0)).argmax(1) == y
    assert torch.equal(worst.stands[-1], again)


def test_a_deadline_leaves_poses_out_and_says_how_many():
    ticks = iter(range(1000))
    *_, poses, _, worst = search(deadline=20, clock=lambda: next(ticks))
    assert worst.unfinished == len(poses) - 20


def test_a_claim_that_does_not_hold_is_refused():
    model, y, poses, _, _ = search()
    found = torch.zeros(len(X), dtype=torch.int64)
    held = confirm(model, X, y, found, poses, 0)
    assert torch.equal(held, model.scores(transform(X, poses[0], 0)).argmax(1) != y)
    assert not bool(confirm(model, X, y, found, (Pose(45.0),), 0).any())


def test_each_picture_gets_its_own_pose():
    chosen = torch.tensor([-1, 3] * 20)
    moved = posed(X, chosen, pose_grid(98, 6, 6), 0)
    assert torch.equal(moved[::2], X[::2])
    assert torch.equal(moved[1::2], transform(X[1::2], pose_grid(98, 6, 6)[3], 0))

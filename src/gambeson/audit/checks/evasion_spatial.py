"""The spatial check: does the model still see what it sees when the picture is turned and moved a little?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gambeson.attacks.pictures.spatial import (
    ANGLE,
    Pose,
    Worst,
    confirm,
    find_worst,
    pose_grid,
    posed,
    reach,
)
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.evasion_sets import (
    Answer,
    Asked,
    ask_clean,
    conclude,
    examples,
    noise_of,
    require_pictures,
    run_of,
)
from gambeson.core.finding import Curve, Family, Finding, Series, Severity
from gambeson.core.stats import wilson
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle

_QUERIES_PER_POSE = 5
"""A profile's black-box queries pay for this much fewer poses: each is the whole picture interpolated anew."""


@checks.register(
    "evasion.spatial",
    CheckFacts(
        family=Family.EVASION,
        access=Access.LABELS,
        question="Does turning and moving a picture a little fool the model?",
        taxonomy=("atlas:AML.T0043.003", "atlas:AML.T0015", "nist:NISTAML.025", "owasp-ml:ML01:2023"),
        per_threat=False,
    ),
)
def evasion_spatial(context: CheckContext) -> list[Finding]:
    """Rotations up to 30 degrees and translations up to 10%: the worst of a grid for each sample.

    Fails when less than 80% of the clean accuracy is left (medium), less than half (high): whoever can hold the
    picture askew can do this. Beside it stands one random pose of the grid for each sample.

    Raises:
        Unavailable: The data are no pictures.
        InsufficientEvidence: Too few samples.
        ModelError: The model answered with something unusable.
    """
    _, height, width = require_pictures(context, "Poses are defined")
    asked, low = ask_clean(context), context.data.schema.low
    most = max(1, min(context.effort.queries // _QUERIES_PER_POSE, context.threat.queries or 1 << 30))
    poses = pose_grid(most, height, width)
    context.progress.start(context.check, len(asked.samples) * len(poses))
    oracle = Oracle(asked.passes, Access.LABELS, rows=len(asked.samples))
    worst = find_worst(oracle, asked.x, asked.y, poses, low, run_of(context, "poses", "turning"))
    fooled = confirm(asked.passes, asked.x, asked.y, worst.pose, poses, low).cpu().numpy()
    ranges = f"rotation ±{ANGLE:g}°, translation ±{reach(width)} × ±{reach(height)} pixels"
    found = Answer(
        asked=asked,
        fooled=fooled,
        noise=_random(context, asked, poses),
        target=ranges,
        change=f"the worst of {len(poses)} poses ({ranges})",
        baseline="one random pose",
        method=f"grid of {len(poses)} poses",
        remedy=_REMEDY,
        facts=(("queries spent in all", str(int(oracle.queries.sum()))),),
        curves=_by_angle(asked, worst, poses),
        examples=examples(context, asked, fooled, posed(asked.x, worst.pose, poses, low)),
        cut=(f"{worst.unfinished} of {len(poses)} poses were not tried",) if worst.unfinished else (),
    )
    return [conclude(context, found, ceiling=Severity.HIGH)]


def _random(context: CheckContext, asked: Asked, poses: Sequence[Pose]) -> np.ndarray:
    """Whom one random pose each fools, (n,) bool."""
    draw = noise_of(context, asked).uniform(0, 1)[:, 0]
    moved = posed(asked.x, (draw * len(poses)).long(), poses, context.data.schema.low)
    return asked.wrong(moved, torch.ones(len(moved), dtype=torch.bool, device=moved.device))


def _by_angle(asked: Asked, worst: Worst, poses: Sequence[Pose]) -> tuple[Curve, ...]:
    """Accuracy against the angle alone; empty where time ran out before all were tried."""
    turned = [pose.angle for pose in poses if pose.turns_only]
    if len(worst.stands) < len(turned):
        return ()
    n = len(asked.right)
    count = {0.0: int(asked.right.sum())}
    for angle, stands in zip(turned, worst.stands.cpu().numpy(), strict=True):
        count[angle] = int((asked.right & stands).sum())
    angles = sorted(count)
    ends = [wilson(count[angle], n) for angle in angles]
    series = Series(
        "rotation alone",
        tuple(angles),
        tuple(count[angle] / n for angle in angles),
        tuple(end.low for end in ends),
        tuple(end.high for end in ends),
    )
    title = f"Accuracy against rotation, n={n}"
    return (Curve("accuracy_by_angle", title, "degrees, counter-clockwise", "accuracy", (series,)),)


_REMEDY = (
    "Train with the same rotations and translations, at best with the worst of several random ones for each picture "
    "(Engstrom et al. 2019, section 5); average the answers over a few poses when serving."
)

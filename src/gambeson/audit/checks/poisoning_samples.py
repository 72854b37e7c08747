"""Poison scan: do the training data hold rows that were put there to change the model?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import nn

from gambeson.attacks.robustness import choose_samples
from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.audit.checks.poisoning_evidence import (
    class_table,
    detector_table,
    evidence_histogram,
    signature_histogram,
    suspicious_grid,
)
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.defenses.poisoning.sample_scan import Rows, SampleScan, ScanPlan, scan_rows, work
from gambeson.models.torch_model import TrainableTorchModel

_FEWEST_TRUSTED = 400
"""Trusted rows below which the verdict cannot be calibrated at a rate of false alarms worth the name."""
_CHANCE = 0.01
"""P-value of the number of flags from which on it is no chance."""
_FEWEST = 100


@checks.register(
    "poisoning.samples",
    CheckFacts(
        family=Family.POISONING,
        access=Access.LABELS,
        question="Do the training data hold poisoned rows?",
        taxonomy=(
            "atlas:AML.T0020",
            "nist:NISTAML.013",
            "nist:NISTAML.021",
            "nist:NISTAML.023",
            "owasp-ml:ML02:2023",
        ),
        cost=3.0,
        per_threat=False,
    ),
)
def poisoning_samples(context: CheckContext) -> list[Finding]:
    """Trains networks on the training rows mixed with rows of the audited split, and asks which rows stand out.

    The audited split counts as clean. Fails, high, when more rows are flagged than clean rows give by chance.

    Raises:
        InsufficientEvidence: No training split, or too few rows in one of the splits.
        ModelError: A training diverged.
    """
    suspected, trusted = _rows(context)
    plan = ScanPlan(
        build=_build(context),
        report=lambda done, said: _advance(context, done, said),
    )
    context.progress.start(context.check, work(plan))
    scan = scan_rows(suspected, trusted, context.data.schema, plan, context.seed)
    return [_finding(context, scan)]


def _rows(context: CheckContext) -> tuple[Rows, Rows]:
    name = context.train_split
    if name is None or name not in context.data.splits or name == context.split:
        raise InsufficientEvidence(
            "The training records of the model are not known.",
            expected="data with a training split and another one that counts as clean",
            remedy="give the data with its training split and name it with --train-split",
        )
    root = Seed(context.seed.value).child("poisoning rows")
    train, clean = context.data.split(name), context.data.split(context.split)
    if len(train) < _FEWEST or len(clean) < _FEWEST_TRUSTED:
        raise InsufficientEvidence(
            f"There are {len(train)} training rows and {len(clean)} others.",
            expected=f"at least {_FEWEST} and {_FEWEST_TRUSTED}",
        )
    taken = choose_samples(train, 2 * context.effort.records, root.child("train"))
    known = choose_samples(clean, context.effort.records, root.child("clean"))
    return (taken.x.numpy(), taken.y.numpy()), (known.x.numpy(), known.y.numpy())


def _build(context: CheckContext) -> Callable[[], nn.Module] | None:
    """The network of the model under test where it can be built anew and is small; else the inspector's own."""
    model = context.model
    small = model.info.parameters <= 300_000
    return model.build if isinstance(model, TrainableTorchModel) and small else None


def _advance(context: CheckContext, done: float, said: str) -> None:
    context.progress.advance(context.check, done, said)
    if context.time_is_up:
        raise InsufficientEvidence(
            f"Time ran out after: {said}.", remedy="allow more time, or choose a quicker profile"
        )


def _finding(context: CheckContext, scan: SampleScan) -> Finding:
    facts = checks[context.check].facts
    failed = scan.chance < _CHANCE
    count, n = int(scan.verdict.flagged.sum()), len(scan.verdict.p)
    share = Measurement(
        "poisoned_share", scan.share, "fraction", n, better="lower", detail="flags beyond chance"
    )
    grids = (suspicious_grid(scan, context.data.schema),)
    signature = signature_histogram(scan, context.data.schema)
    return Finding(
        check=context.check,
        title=(
            f"About {scan.share:.1%} of the training rows look poisoned"
            if failed
            else "No more training rows look poisoned than chance explains"
        ),
        family=facts.family,
        access=facts.access,
        outcome=Outcome.FAILED if failed else Outcome.PASSED,
        severity=Severity.HIGH if failed else Severity.INFO,
        summary=(
            f"{count} of {n} training rows are flagged at a false-positive rate of {scan.verdict.alpha:.1%}, "
            f"calibrated on {scan.verdict.calibration} rows of the split {context.split!r}, which counts as clean."
        ),
        remedy=_REMEDY if failed else "",
        measurements=(scan.flagged, scan.expected, share),
        evidence=Evidence(
            command=context.command,
            samples=n,
            method=" + ".join(scan.verdict.names) + f", conformal p-values, seed {context.seed.value}",
            facts=(
                ("chance of so many flags if all rows were clean", f"{scan.chance:.2g}"),
                ("rows flagged", _listed(np.flatnonzero(scan.verdict.flagged))),
                *((f"{name} left out", why) for name, why in scan.left_out),
            ),
            histograms=(evidence_histogram(scan), *(() if signature is None else (signature,))),
            tables=(detector_table(scan), class_table(scan, context.data.schema)),
            grids=tuple(grid for grid in grids if grid is not None),
        ),
        taxonomy=facts.taxonomy,
    )


def _listed(rows: np.ndarray) -> str:
    shown = ", ".join(map(str, rows[:30].tolist()))
    return f"{shown} and {len(rows) - 30} more (of the rows looked at)" if len(rows) > 30 else shown or "none"


_REMEDY = (
    "Look at the flagged rows with gambeson data inspect, take them out, find out who contributed them, and train "
    "anew. A model that was trained on them is repaired with gambeson harden --recipe backdoor-removal."
)

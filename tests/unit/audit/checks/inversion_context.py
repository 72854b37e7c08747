"""Pictures of five patterns as inversion checks see them."""

from __future__ import annotations

from dataclasses import replace

from gambeson.audit.base import PROFILES, CheckContext, checks
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.dataset import ArraySplit, Dataset
from tests.inversion_worlds import SCHEMA, PatternModel, examples


def dataset(test: int = 240, train: int = 200) -> Dataset:
    """Training rows and as many others."""
    splits = {}
    for seed, (name, count) in enumerate({"train": train, "test": test}.items()):
        x, y = examples(count, seed=10 + seed)
        splits[name] = ArraySplit(x.numpy(), y.numpy())
    return Dataset("patterns", SCHEMA, splits, "sha256:0")


def context_for(check: str, model=None, **changes) -> CheckContext:
    """A quick look."""
    made = CheckContext(
        check,
        model or PatternModel(),
        dataset(),
        ThreatModel(Norm.LINF, 0.1),
        replace(PROFILES["quick"], steps=10),
        Seed(0).child(check),
        command="gambeson audit",
    )
    return replace(made, **changes)


def ask(check: str, model=None, **changes):
    """The one finding of a check."""
    (finding,) = checks[check].plugin(context_for(check, model, **changes))
    return finding

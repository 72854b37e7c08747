"""Eight masks around a network: the cause that is named, and robust accuracy before and after the follow-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import nn

from benchmarks.subjects import Subject
from gambeson.audit.base import PROFILES, CheckContext, checks
from gambeson.core.finding import Finding
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.dataset import ArraySplit, Dataset
from tests import masked_models as masks
from tests.tiny_models import TensorModel


@dataclass(frozen=True)
class Plant:
    """A mask: what it is called, how it is put around a network, and what the network then answers."""

    name: str
    around: Callable[[nn.Module], nn.Module]
    scores: str = "logits"


def plants(eps: float) -> list[Plant]:
    """The eight masks, each strong enough at this radius to hide the gradient and too weak to be a defence."""
    return [
        Plant("saturated logits (x 1000)", masks.Saturated),
        Plant("quantised output (quarters)", masks.QuantisedOutput),
        Plant("random noise layer (0.1)", masks.Noisy),
        Plant("JPEG codec (quality 95)", masks.Jpeg),
        Plant("bit depth (16 levels)", masks.BitDepth),
        Plant("dead gradients (detach)", masks.Dead),
        Plant("batch-dependent", masks.BatchDependent),
        Plant("input-shattering ripple", lambda net: masks.Shattered(net, height=eps / 30)),
        Plant("temperature 1e-4", masks.LowTemperature, "probabilities"),
    ]


def masking_table(subject: Subject, eps: float, *, quick: bool = False) -> str:
    """A Markdown table for one network, all of its rows from the audit's own checks on the same samples."""
    data = _dataset(subject)
    bare = _figures(_ask("evasion.gradient", subject.module, "logits", data, eps))["robust_accuracy"]
    lines = [
        f"## Masked gradients on {subject.name}",
        "",
        f"linf {eps:.4g}, {len(subject.samples)} samples that the unprotected network gets right; `evasion.gradient` "
        f"leaves it {bare:.3f} of them. Each row puts one mask around it and asks `evasion.sanity`: what the masked "
        "network's own gradients leave, and what the follow-up attack leaves that the check has chosen.",
        "",
        "| mask | cause named | by gradients alone | follow-up | follow-up - unprotected |",
        "|---|---|---|---|---|",
    ]
    for plant in plants(eps)[: 3 if quick else None]:
        lines.append(_row(plant, subject, data, eps, bare))
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def _dataset(subject: Subject) -> Dataset:
    """The subject's samples as the split that an audit reads."""
    split = ArraySplit(subject.samples.x.numpy(), subject.samples.y.numpy())
    return Dataset(subject.name, subject.schema, {"test": split}, "")


def _row(plant: Plant, subject: Subject, data: Dataset, eps: float, bare: float) -> str:
    found = _ask("evasion.sanity", plant.around(subject.module), plant.scores, data, eps)
    named, figures = found.title.removeprefix("Gradients mislead: "), _figures(found)
    robust, alone = (figures.get(f"robust_accuracy{part}") for part in ("", "_by_gradients_alone"))
    if robust is None:
        return f"| {plant.name} | {named} | | no figure | |"
    naive = "no gradient" if alone is None else f"{alone:.3f}"
    return f"| {plant.name} | {named} | {naive} | {robust:.3f} | {robust - bare:+.3f} |"


def _ask(check: str, net: nn.Module, scores: str, data: Dataset, eps: float) -> Finding:
    shape, classes = data.schema.shape, len(data.schema.classes)
    effort = replace(PROFILES["standard"], samples=len(data.split("test")), curve=())
    model = TensorModel(net, shape, classes, scores)
    threat = ThreatModel(Norm.LINF, eps)
    return checks[check].plugin(CheckContext(check, model, data, threat, effort, Seed(0).child(check)))[0]


def _figures(finding: Finding) -> dict[str, float]:
    return {figure.name: figure.value for figure in finding.measurements}

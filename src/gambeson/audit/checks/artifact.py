"""Artefact check: what does the released file give away beyond what serving needs?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gambeson.audit.base import CheckContext, CheckFacts, checks
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity, Table
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import digest_bytes
from gambeson.core.threat import Access
from gambeson.supply.leftovers import Leftover, find_leftovers
from gambeson.supply.sniffing import Format, sniff

_BYTES = 4
_SLACK = 1 << 16
_TWICE = 1.5
"""Beyond so many times the size of its parameters a file holds something else."""


@checks.register(
    "privacy.artifact",
    CheckFacts(
        family=Family.PRIVACY,
        access=Access.GRADIENT,
        question="What does the file give away beyond what serving needs?",
        taxonomy=("atlas:AML.T0024", "nist:NISTAML.03"),
        cost=0.1,
        per_threat=False,
        needs_gradients=False,
    ),
)
def privacy_artifact(context: CheckContext) -> list[Finding]:
    """Reads the model's file; nothing in it is loaded or executed.

    Fails with the severity of the worst thing found: records or secrets high, state of the optimiser or e-mail
    addresses medium, paths, training arguments, a second copy of the weights low. What serving needs and still tells
    of the data (batch normalisation, embeddings) is listed and fails nothing.

    Raises:
        InsufficientEvidence: The model was not opened from a file, or the file has changed since.
    """
    context.progress.start(context.check, 1)
    data = _read(context)
    kind = sniff(data)
    found = [*find_leftovers(data, kind), *_too_large(context, data, kind)]
    context.progress.advance(context.check, 1, f"{len(data)} bytes")
    return [_finding(context, data, kind, sorted(found, key=lambda item: -item.severity.rank))]


def _read(context: CheckContext) -> bytes:
    info = context.model.info
    try:
        if not info.digest:
            raise OSError
        data = Path(info.name).read_bytes()
    except OSError:
        raise InsufficientEvidence(
            f"{info.name} ({info.kind}) is not a file that could be read.",
            expected="a model opened from a file",
        ) from None
    # weights that an ONNX model keeps beside it are digested with it, so that a difference says nothing there
    if digest_bytes([data]) != info.digest and info.kind != "onnx":
        raise InsufficientEvidence(
            f"{info.name} has changed since it was opened.", remedy="audit it again when nobody writes to it"
        )
    return data


def _too_large(context: CheckContext, data: bytes, kind: Format) -> list[Leftover]:
    """Bytes that no parameter of the served network explains."""
    needed = context.model.info.parameters * _BYTES
    if (
        not needed
        or kind not in (Format.SAFETENSORS, Format.TORCH_ZIP)
        or len(data) <= _TWICE * needed + _SLACK
    ):
        return []
    said = f"{len(data):,} bytes, {len(data) / needed:.1f} times what the {needed // _BYTES:,} served parameters take"
    return [Leftover("size", said, Severity.LOW, "save model.state_dict() alone")]


def _finding(context: CheckContext, data: bytes, kind: Format, found: Sequence[Leftover]) -> Finding:
    facts = checks[context.check].facts
    severity = max((item.severity for item in found), key=lambda s: s.rank, default=Severity.INFO)
    leaks = [item for item in found if item.severity is not Severity.INFO]
    name = Path(context.model.info.name).name
    return Finding(
        check=context.check,
        title=(
            f"{name} holds {len(leaks)} thing{'s' if len(leaks) > 1 else ''} that serving does not need"
            if leaks
            else f"{name} holds nothing beyond what serving needs, as far as this check knows"
        ),
        family=facts.family,
        access=facts.access,
        outcome=Outcome.FAILED if leaks else Outcome.PASSED,
        severity=severity,
        summary=_summary(kind, leaks),
        remedy="; ".join(dict.fromkeys(f"{item.kind}: {item.remedy}" for item in leaks)),
        measurements=(
            Measurement("leftovers", float(len(leaks)), "kinds", 1, better="lower"),
            Measurement("file_size", float(len(data)), "bytes", 1),
        ),
        evidence=Evidence(
            command=context.command,
            method=f"read as {kind.value}, nothing loaded",
            tables=(_table(found),) if found else (),
        ),
        taxonomy=facts.taxonomy,
    )


def _summary(kind: Format, leaks: Sequence[Leftover]) -> str:
    if not leaks:
        return f"Whoever gets this file ({kind.value}) gets the model and no more that this check could find."
    worst = leaks[0]
    return f"Whoever gets this file gets more than a model. The worst of it: {worst.what}."


def _table(found: Sequence[Leftover]) -> Table:
    return Table(
        kind="leftovers",
        title="What the file holds beside the function of the model",
        head=("what", "severity", "found", "how to be rid of it"),
        rows=tuple((item.kind, item.severity.value, item.what, item.remedy) for item in found),
        note="Rows of severity info are needed for serving as the model is, and still tell of the training data.",
    )

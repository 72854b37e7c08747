"""The check that proves: how much accuracy is certain to be left, beside what attacks leave of it."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.ensemble import Stage, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.protocols import AUTOATTACK_NORMS, first_half
from gambeson.attacks.robustness import choose_samples
from gambeson.audit.base import PROFILES, CheckContext, CheckFacts, checks
from gambeson.certify.accuracy import Certificates, Proving, affordable, certify_samples
from gambeson.certify.brackets import Bracket, attack_upwards, brackets
from gambeson.certify.drawing import bracket_curve
from gambeson.certify.network import Network
from gambeson.certify.reading import check_network, read_network
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access
from gambeson.models.passes import Passes

_KEPT_WELL = 0.8
_SHARE = 8
"""One in so many of the audited samples is certified: a proof costs hundreds of passes."""
_MULTIPLICATIONS = {"quick": 2e8, "standard": 1e10, "thorough": 2e10}
"""Most multiplications that one sample's proof at one radius may cost."""


@checks.register(
    "evasion.certified",
    CheckFacts(
        family=Family.EVASION,
        access=Access.GRADIENT,
        question="How much accuracy is proved to be left, whatever the attacker does?",
        taxonomy=("atlas:AML.T0043.000", "atlas:AML.T0015", "nist:NISTAML.022", "owasp-ml:ML01:2023"),
        cost=1.0,
    ),
)
def evasion_certified(context: CheckContext) -> list[Finding]:
    """Certified accuracy by bound propagation, and on the same samples what attacks leave: an interval per radius.

    Fails (low) when attacks show that less than 80% of the clean accuracy is left; robustness that is neither
    proved nor refuted is no failure. A sample that is certified and broken ends the check as ERRORED.

    Raises:
        Unavailable: The network cannot be read, holds a layer that bound propagation does not know, or the norm is
            l0.
        Contradiction: A certified sample was broken.
        InsufficientEvidence: Time ran out before any sample was done.
        ModelError: The model answered with something unusable.
    """
    space = PerturbationSet.of(context.threat, context.data.schema)
    passes = Passes(context.model, context.rows_per_pass)
    count = -(-context.effort.samples // _SHARE)
    samples = choose_samples(
        context.data.split(context.split), count, Seed(context.seed.value).child("samples")
    )
    network = read_network(context.model)
    check_network(network, passes, samples.x)
    radii = sorted({context.threat.eps * factor for factor in (*context.effort.curve, 1.0)})
    context.progress.start(context.check, len(samples))
    key = f"{context.check}@{context.threat}"
    proved = certify_samples(
        network,
        samples,
        space,
        radii,
        Proving(
            affordable(network, int(_most(context))),
            context.deadline,
            context.journal,
            f"{key}/proofs",
            context.clock,
            lambda n: context.progress.advance(context.check, n, "certifying"),
        ),
    )
    if proved.unfinished == len(samples):
        raise InsufficientEvidence("Time ran out before any sample could be certified.")
    attacked = attack_upwards(
        _stages(context),
        passes,
        samples,
        space,
        radii,
        run=Run(
            context.seed.child("attack"),
            deadline=context.deadline,
            journal=context.journal,
            key=f"{key}/attack",
            clock=context.clock,
            donors=samples.x,
        ),
    )
    found = brackets(radii, proved.certified, attacked, samples.index)
    clean = proportion("clean_accuracy", int(attacked.correct.sum()), len(samples), better="higher")
    cut = _cut(proved.unfinished, attacked.unfinished, len(samples))
    return [_finding(context, network, proved, found, clean, cut)]


def _most(context: CheckContext) -> float:
    """What a proof may cost, by how hard the audit looks."""
    fitting = [name for name, effort in PROFILES.items() if context.effort.steps >= effort.steps]
    return _MULTIPLICATIONS[fitting[-1] if fitting else "quick"]


def _stages(context: CheckContext) -> list[Stage]:
    """A good attack at every radius; the main figure is that of ``evasion.gradient``."""
    if context.threat.norm in AUTOATTACK_NORMS:
        return first_half(context.threat.norm, context.model.info.classes)
    return [stage("pgd", steps=context.effort.steps)]


def _finding(
    context: CheckContext,
    network: Network,
    proved: Certificates,
    found: tuple[Bracket, ...],
    clean: Measurement,
    cut: tuple[str, ...],
) -> Finding:
    info, threat = checks[context.check].facts, context.threat
    row = int(np.argmin([abs(bracket.eps - threat.eps) for bracket in found]))
    low, high = found[row].certified, found[row].attacked
    target = threat.reach
    refuted = high.value < _KEPT_WELL * clean.value
    return Finding(
        check=context.check,
        title=f"Accuracy under {target} is between {low.value:.1%} (proved) and {high.value:.1%} (attacked)",
        family=Family.EVASION,
        access=info.access,
        outcome=Outcome.FAILED if refuted else Outcome.PASSED,
        severity=Severity.LOW if refuted else Severity.INFO,
        summary=_summary(low, high, clean, target),
        remedy=_REMEDY if low.value < _KEPT_WELL * clean.value else "",
        target=target,
        measurements=(low, high, clean),
        evidence=Evidence(
            command=context.command,
            samples=low.n,
            method=f"{', '.join(proved.methods)} in float64; attacked by "
            + " → ".join(item.label for item in _stages(context))
            + f", seed {context.seed.value}",
            facts=_facts(network, proved, row),
            curves=(bracket_curve(found, clean.value, threat),),
        ),
        taxonomy=info.taxonomy,
        cut=cut,
    )


_REMEDY = (
    "Certified training (interval bounds or CROWN-IBP) makes bounds tighter; randomised smoothing certifies an l2 "
    "radius for any model: gambeson certify --smooth SIGMA."
)


def _summary(low: Measurement, high: Measurement, clean: Measurement, target: str) -> str:
    proved = (
        f"For {low.value:.1%} of {low.n} inputs it is proved that no change by {target} leads to a wrong answer"
        if low.value
        else f"For none of {low.n} inputs could it be proved that no change by {target} leads to a wrong answer: "
        "bounds through a network that was not trained for them widen from layer to layer"
    )
    return (
        f"{proved}; attacks leave {high.value:.1%} of {clean.value:.1%}. The truth lies between: a stronger attack "
        "lowers the one figure, a tighter proof raises the other."
    )


def _facts(network: Network, proved: Certificates, row: int) -> tuple[tuple[str, str], ...]:
    return (
        *((f"proved by {name}", str(count)) for name, count in proved.proved_by(row).items()),
        ("certified and broken", "none"),
        ("median certified radius on the grid", f"{np.median(proved.radius):.4g}"),
        ("rectified values", str(sum(network.nodes[i].size for i in network.rectified))),
        ("arithmetic", "float64, less what float32 rounding of the model can take away"),
    )


def _cut(unproved: int, unattacked: int, of: int) -> tuple[str, ...]:
    cut = []
    if unproved:
        cut.append(f"{unproved} of {of} samples were not certified; they count as not proved")
    if unattacked:
        cut.append(f"attacks were stopped on {unattacked} of {of} samples")
    return tuple(cut)

"""The universal perturbation check: bites more than noise, reports on samples that it was not fitted on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.audit.base import checks
from gambeson.core.finding import Outcome
from gambeson.core.threat import Norm, ThreatModel
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import ask, open_net, picture_context, value

CHECK = "evasion.universal"


@pytest.fixture(scope="module")
def net(digits_net):
    return open_net(digits_net)


def test_it_bites_more_than_noise_on_samples_that_it_was_not_fitted_on(net):
    finding = ask(CHECK, net, threat=ThreatModel(Norm.LINF, 0.3))
    assert value(finding, "robust_accuracy") < value(finding, "random_accuracy") - 0.1
    assert finding.outcome is Outcome.FAILED
    assert finding.measurement("robust_accuracy").n == 30
    assert ("fitted on", "30 samples that the figures leave out") in finding.evidence.facts
    assert finding.evidence.examples[0].images


def test_a_tiny_radius_passes(net):
    finding = ask(CHECK, net, threat=ThreatModel(Norm.LINF, 0.01))
    assert finding.outcome is Outcome.PASSED
    assert finding.target == "linf eps=0.01"


def test_batch_size_decides_nothing_and_the_seed_does(net):
    first = ask(CHECK, net)
    assert first == ask(CHECK, net, rows_per_pass=8)
    other = picture_context(CHECK, net)
    assert first != ask(CHECK, net, seed=replace(other.seed, value=1))


def test_one_direction_cannot_fool_both_sides_of_a_line():
    # Half of the line lies on each side: what pushes one class over the edge drives the other away from it.
    (finding,) = checks[CHECK].plugin(context(CHECK, eps=0.49))
    fooled = value(finding, "attack_success_rate")
    assert 0.25 < fooled < 0.75


def test_without_time_it_is_not_assessed(net):
    finding = ask(CHECK, net, deadline=0.0, clock=lambda: 1.0, threat=ThreatModel(Norm.LINF, 0.01))
    assert finding.outcome is Outcome.NOT_ASSESSED
    assert finding.cut == ("fitting stopped after 0 of 10 epochs",)


def test_its_progress_adds_up(net):
    done = []

    class Notes:
        def start(self, check, total):
            done.append(-total)

        def advance(self, check, work, note=""):
            done.append(work)

    ask(CHECK, net, progress=Notes())
    assert sum(done) == 0

"""Views: which one is chosen for which mask, what follows, and who confirms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.sanity import Cause, Diagnosis, diagnose
from gambeson.attacks.views import View, follow_up, measure_through, see_answers, see_through
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests import masked_models
from tests.tiny_models import TensorModel, perceptron

SHAPE = (1, 6, 6)
SPACE = PerturbationSet.of(ThreatModel(eps=0.1), Schema(SHAPE, ("a", "b", "c", "d")))
RESTORED = [
    (masked_models.Saturated, "natural scale"),
    (masked_models.LowTemperature, "natural scale"),
    (masked_models.QuantisedOutput, "cannot be differentiated"),
    (masked_models.Noisy, "EOT"),
    (masked_models.BitDepth, "cannot be differentiated"),
    (masked_models.OutsideAutograd, "cannot be differentiated"),
    (masked_models.Dead, "cannot be differentiated"),
    (masked_models.Ramp, "cannot be differentiated"),
    (masked_models.Shattered, "before the first layer"),
    (masked_models.ZeroBackward, "before the first layer"),
    (masked_models.Rooted, ""),
]


def model(kind):
    scores = "probabilities" if kind is masked_models.LowTemperature else "logits"
    return TensorModel(kind(perceptron().module), SHAPE, 4, scores)


def samples(n=32):
    x = torch.randint(0, 17, (n, *SHAPE), generator=torch.Generator().manual_seed(5)) / 16
    return Samples(x, perceptron().forward(x).argmax(1), np.arange(n))


def look(kind):
    passes, some = Passes(model(kind)), samples()
    found = diagnose(passes, some.x, some.y, SPACE, Seed(0))
    return see_through(passes, found, some.x, some.y, SPACE, seed=Seed(0))


@pytest.mark.parametrize(("kind", "means"), RESTORED, ids=[kind.__name__ for kind, _ in RESTORED])
def test_a_mask_is_seen_through(kind, means):
    view = look(kind)
    assert view.trusted
    assert means in " ".join(view.means)


def test_an_honest_model_is_looked_at_as_it_is():
    view = look(masked_models.Around)
    assert (view.trusted, view.means, view.passes) == (True, (), view.judge)


def test_where_nothing_helps_random_search_follows():
    class Opaque(masked_models.Around):
        def forward(self, x):
            return torch.tensor(self.net(x).detach().numpy().round(1))

    view = look(Opaque)
    assert not view.trusted
    assert [item.label for item in follow_up(view, Norm.LINF, 50)] == ["search(50)", "rays(50)"]


@pytest.mark.parametrize("norm", list(Norm))
def test_every_norm_has_a_follow_up_of_its_own(norm):
    passes = Passes(model(masked_models.Dead))
    lost = View(passes, passes, Diagnosis(Cause.DEAD, 1, 1, ""), trusted=False)
    assert all(norm in item.facts.norms for item in follow_up(lost, norm, 50))
    assert bool(follow_up(lost, norm, 50)) is (norm is not Norm.L0)


def test_an_unknown_cause_gets_gradients_and_search():
    passes = Passes(model(masked_models.Around))
    view = View(passes, passes, Diagnosis(Cause.UNKNOWN, 1, 1, ""), trusted=True)
    labels = [item.label for item in follow_up(view, Norm.LINF, 50)]
    assert labels[0].startswith("apgd")
    assert "search(50)" in labels


def test_a_batch_dependent_model_is_refused_with_the_fix():
    passes = Passes(model(masked_models.BatchDependent))
    with pytest.raises(Unavailable, match=r"model\.eval\(\)"):
        see_answers(passes, Diagnosis(Cause.BATCH_DEPENDENT, 9, 16, "answered otherwise"), Seed(0))


@pytest.mark.parametrize("kind", [kind for kind, _ in RESTORED], ids=lambda kind: kind.__name__)
def test_the_figure_is_near_that_of_the_network_behind(kind):
    def left(which):
        view, some = look(which), samples()
        stages = follow_up(view, Norm.LINF, 50)[:1]
        return measure_through(view, stages, some, SPACE, budget=None, run=Run(Seed(0)))

    assert left(kind).robust_accuracy.value <= left(masked_models.Around).robust_accuracy.value + 0.1


def test_what_the_judge_refuses_stands():
    some, other = samples(), perceptron().module
    other[-1].weight.data += 0.2 * torch.randn(4, 32, generator=torch.Generator().manual_seed(1))
    liar = Passes(TensorModel(other, SHAPE, 4))
    honest = Passes(model(masked_models.Around))
    view = View(liar, honest, Diagnosis(Cause.NONE, 0, 1, ""))
    stages = follow_up(view, Norm.LINF, 50)[:1]
    alone = measure_through(View(liar, liar, view.found), stages, some, SPACE, budget=None, run=Run(Seed(0)))
    found = measure_through(view, stages, some, SPACE, budget=None, run=Run(Seed(0)))
    gone = alone.outcome.fallen & ~found.outcome.fallen
    assert gone.any()
    assert found.outcome.fallen.any()
    record = found.outcome.records[0]
    assert record.fell == found.outcome.fallen.sum()
    assert record.refuted == gone.sum()
    assert found.robust_accuracy.value == (len(found.attacked) - record.fell) / len(some)
    kept = torch.from_numpy(found.outcome.adversarial[found.outcome.fallen])
    labels = some.y[torch.from_numpy(found.attacked[found.outcome.fallen])]
    assert bool((honest.scores(kept).argmax(1) != labels).all())
    assert np.isinf(found.outcome.distance[gone]).all()

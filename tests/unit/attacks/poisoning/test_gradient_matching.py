import numpy as np

from gambeson.attacks.poisoning.gradient_matching import GradientMatching
from tests.poison_worlds import picture_task


def test_the_gradient_turns_towards_the_victims():
    task = picture_task()
    task = picture_task(victim=task.x[task.y == 3][0])
    cosines = [
        float(dict(GradientMatching(steps=s).poison(task).facts)["mean cosine of gradients"]) for s in (1, 60)
    ]
    assert cosines[1] > cosines[0] + 0.1


def test_changes_stay_within_eps_and_labels_stay():
    task = picture_task()
    task = picture_task(victim=task.x[0])
    made = GradientMatching(eps=0.05, steps=5, most=10).poison(task)
    assert np.abs(made.x - task.x[made.rows]).max() <= 0.05 + 1e-6
    assert (made.y == task.y[made.rows]).all()

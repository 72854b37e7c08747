import numpy as np
import torch

from gambeson.attacks.poisoning.feature_collision import FeatureCollision
from gambeson.attacks.poisoning.pupil import teach
from gambeson.models.torch_features import features_of
from tests.poison_worlds import picture_task


def test_poisoned_rows_come_near_the_victim_in_features_and_stay_near_themselves():
    plain = picture_task()
    victim = plain.x[plain.y == 3][0]
    task = picture_task(victim=victim)
    made = FeatureCollision(steps=150).poison(task)
    pupil = teach(task.x, task.y, task.schema, seed=task.seed.child("surrogate"), build=task.build)
    goal, before, after = (
        features_of(pupil.module, torch.from_numpy(x))[0].numpy()
        for x in (victim[None], task.x[made.rows], made.x)
    )
    near, far = np.linalg.norm(after - goal, axis=1), np.linalg.norm(before - goal, axis=1)
    assert (near < 0.5 * far).all()
    assert np.abs(made.x - task.x[made.rows]).mean() < np.abs(victim - task.x[made.rows]).mean()
    assert (made.y == 1).all()

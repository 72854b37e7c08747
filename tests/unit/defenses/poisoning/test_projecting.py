import numpy as np
from sklearn.decomposition import PCA

from gambeson.defenses.poisoning.projecting import principal, robust_moments


def test_coordinates_are_those_of_scikit_learn_up_to_sign():
    x = np.random.default_rng(0).normal(size=(60, 5)) @ np.diag([5, 3, 1, 1, 0.1])
    assert np.allclose(np.abs(principal(x, 3)), np.abs(PCA(3).fit_transform(x)), atol=1e-6)


def test_moments_are_those_of_the_majority():
    rng = np.random.default_rng(0)
    good, bad = rng.normal(0, 1, (450, 3)), rng.normal(8, 0.1, (50, 3))
    mean, covariance = robust_moments(np.concatenate([good, bad]))
    assert np.abs(mean).max() < 0.25
    assert 0.5 < np.linalg.eigvalsh(covariance).min() <= np.linalg.eigvalsh(covariance).max() < 1.5

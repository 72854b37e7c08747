import numpy as np

from gambeson.attacks.poisoning.clusters import k_means, standardised


def test_k_means_finds_clusters_that_are_far_apart():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 0.1, (30, 2)) for c in (0, 5, 10)])
    member = k_means(x, 3, np.random.default_rng(1))
    assert [len(set(member[i : i + 30])) for i in (0, 30, 60)] == [1, 1, 1]
    assert len(set(member.tolist())) == 3


def test_columns_are_standardised_and_constant_ones_become_zero():
    out = standardised(np.array([[1.0, 7.0], [3.0, 7.0]]))
    assert out.tolist() == [[-1.0, 0.0], [1.0, 0.0]]

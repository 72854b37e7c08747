import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import ModelError, UsageError
from gambeson.data.schema import Feature, Kind, Schema
from gambeson.models.probing import (
    LOGITS,
    PROBABILITIES,
    Answer,
    Expected,
    check_columns,
    check_shape,
    finish,
    probe,
    probe_rows,
)

PAIR = Schema((2,), ("no", "yes"))
TABLE = Schema(
    (4,),
    ("no", "yes"),
    features=(
        Feature("age", Kind.INTEGER, 17, 90),
        Feature("gain", Kind.NUMERIC, 0),
        Feature("work", Kind.CATEGORICAL, 0, 2, ("a", "b", "c")),
        Feature("free"),
    ),
)


def test_probe_rows_are_valid_and_always_the_same():
    low, high = TABLE.bounds()
    rows = probe_rows(TABLE)
    assert rows.dtype == np.float32
    assert ((rows >= low) & (rows <= high)).all()
    assert np.isfinite(rows).all()
    assert (rows[:, [0, 2]] % 1 == 0).all()
    assert set(rows[:, 2]) == {0, 1, 2}
    np.testing.assert_array_equal(rows, probe_rows(TABLE))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda x: np.full((8, 2), 0.5), Answer(PROBABILITIES, False)),
        (lambda x: np.full((8, 2), 0.6), Answer(LOGITS, False)),
        (lambda x: np.tile([2.0, -1.0], (8, 1)), Answer(LOGITS, False)),
        (lambda x: np.full(8, 0.3), Answer(PROBABILITIES, True)),
        (lambda x: np.full((8, 1), -0.3), Answer(LOGITS, True)),
    ],
)
def test_kind_and_width_of_the_scores_are_found_out(answer, expected):
    assert probe("m", answer, Expected(PAIR)) == expected


def test_what_the_caller_says_of_the_scores_holds():
    assert probe("m", lambda x: np.full((8, 2), 0.5), Expected(PAIR, LOGITS)).scores == LOGITS


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda x: np.zeros((8, 3)), UsageError, "answers with 3 classes; 2 were expected"),
        (lambda x: np.zeros((7, 2)), ModelError, r"answered 8 inputs with float64 of shape \(7, 2\)"),
        (lambda x: np.array(["no"] * 8), ModelError, "<U2"),
        (lambda x: np.full((8, 2), np.nan), ModelError, "NaN or infinity for 8 of 8"),
        (lambda x: np.full((8, 2), np.inf), ModelError, "NaN or infinity"),
        (lambda x: 1 / 0, ModelError, r"raised ZeroDivisionError on a batch of shape \(8, 2\)"),
    ],
)
def test_an_unusable_answer_is_one_clear_error(answer, error, said):
    with pytest.raises(error, match=said):
        probe("m", answer, Expected(PAIR))


def test_more_classes_than_the_data_shows_can_be_declared():
    assert not probe("m", lambda x: np.zeros((8, 3)), Expected(PAIR, classes=3)).single


@pytest.mark.parametrize(("scores", "classes"), [("loss", None), (None, 1)])
def test_wrong_declarations_are_refused(scores, classes):
    with pytest.raises(UsageError):
        Expected(PAIR, scores, classes)


def test_shapes_are_compared_axis_by_axis():
    images = Schema((1, 8, 8), ("a", "b"))
    check_shape("m", (1, None, 8), images)
    with pytest.raises(UsageError, match=r"\(3, 32, 32\); the data gives \(1, 8, 8\)"):
        check_shape("m", (3, 32, 32), images)
    with pytest.raises(UsageError, match=r"\(5\); the data gives \(2,\)"):
        check_columns("m", 5, PAIR)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=9))
def test_one_logit_becomes_two_whose_softmax_is_its_sigmoid(z):
    pair = finish("m", np.array(z), Answer(LOGITS, True)).astype(np.float64)
    softmax = np.exp(pair[:, 1]) / np.exp(pair).sum(1)
    np.testing.assert_allclose(softmax, 1 / (1 + np.exp(-np.array(z))), rtol=1e-5)


def test_one_probability_becomes_two():
    np.testing.assert_allclose(finish("m", np.array([[0.25]]), Answer(PROBABILITIES, True)), [[0.75, 0.25]])


def test_a_later_nan_is_an_error_too():
    with pytest.raises(ModelError, match="1 of 2"):
        finish("m", np.array([[0.5, 0.5], [np.nan, 1]]), Answer(PROBABILITIES, False))

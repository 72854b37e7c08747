from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from gambeson.audit.base import checks
from gambeson.audit.checks.evasion_evidence import _changes, _pictures
from gambeson.data.schema import Feature, Kind, Schema
from tests.unit.audit.checks.evasion_worlds import context


def test_examples_show_both_classes_and_what_was_changed():
    (finding,) = checks["evasion.gradient"].plugin(context())
    examples = finding.evidence.examples
    assert {e.label for e in examples[:2]} == {"low", "high"} or {e.label for e in examples} == {
        "low",
        "high",
    }
    assert all(e.before == e.label != e.after and e.distance <= 0.2501 for e in examples)
    assert all(e.changes[0][0] == "x" for e in examples)


def test_counts_are_among_the_facts():
    (finding,) = checks["evasion.gradient"].plugin(context())
    facts = dict(finding.evidence.facts)
    assert facts["samples attacked"] == "48"
    assert facts["claims refused on verification"] == "0"


def test_the_largest_change_relative_to_its_range_comes_first():
    features = (
        Feature("age", Kind.INTEGER, 0, 100),
        Feature("rate", low=0, high=1),
        Feature("same", low=0, high=1),
    )
    rows = _changes(np.array([40, 0.5, 1]), np.array([45, 0.9, 1]), features)
    assert rows == (("rate", "0.5", "0.9"), ("age", "40", "45"))


def test_categories_are_shown_first_and_by_name():
    features = (Feature("rate", low=0, high=1), Feature("city", Kind.CATEGORICAL, 0, 1, ("Bern", "Chur")))
    rows = _changes(np.array([0, 1.0]), np.array([1, 0.0]), features)
    assert rows == (("city", "Chur", "Bern"), ("rate", "0", "1"))


def test_pictures_have_the_size_of_the_input_and_the_perturbation_is_centred_on_grey():
    before = np.zeros((3, 5, 7), np.float32)
    after = before.copy()
    after[0, 0, 0] = 0.1
    decoded = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
        for text in _pictures(before, after, Schema((3, 5, 7), ("a", "b")))
    ]
    assert [d.shape for d in decoded] == [(5, 7, 3)] * 3
    assert decoded[1][0, 0, 0] == 255
    assert decoded[1][4, 6, 2] == 128

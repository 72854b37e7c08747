"""A change of answers as a candidate: its file opens as the changed network, and leaks are judged before and after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import gambeson as gb
from gambeson.audit.report.diff import _change
from gambeson.core.measurement import Measurement
from gambeson.core.ports import NoProgress
from gambeson.core.stats import proportion
from gambeson.models.loading import open_model
from gambeson.service import hardening_answers
from gambeson.service.hardening import _fitting, run_harden
from gambeson.service.hardening_answers import LEAKS, judge_answers
from tests.unit.service.test_hardening import command


def test_the_file_opens_as_a_network_that_says_the_class_alone(digits_net, tmp_path):
    asked = command(
        digits_net, tmp_path, recipes=("label_only",), parameters=(("confidence", 0.7),), epochs=None
    )
    run = run_harden(asked, NoProgress())
    assert run.candidates[0].training.steps == 0
    folder, schema = tmp_path / "label_only", gb.open_dataset("builtin:digits").schema
    model = gb.open_model(
        str(folder / "model.safetensors"), schema=schema, factory=f"{folder / 'factory.py'}:build"
    )
    x = np.random.default_rng(0).random((6, *schema.shape), np.float32)
    said = np.exp(model.scores(x))
    assert np.allclose(said.max(1), 0.7, atol=1e-5)
    assert np.allclose(np.sort(said, 1)[:, :-1], 0.3 / 9, atol=1e-5)


def test_without_checks_of_ones_own_leaks_are_judged(digits_net, tmp_path):
    asked = command(digits_net, tmp_path, recipes=("label_only",))
    asked = replace(asked, audit=replace(asked.audit, only=()))
    schema = gb.open_dataset("builtin:digits").schema
    model = open_model(asked.audit.model, schema=schema, factory=asked.audit.factory)
    assert set(LEAKS) < set(_fitting(asked, model).audit.only)


def changed(monkeypatch, *pairs):
    """Let the comparison of two reports say this."""

    class Compared:
        figures = tuple(_change(name, a, b) for name, a, b in pairs)

    monkeypatch.setattr(hardening_answers, "compare_reports", lambda before, after: Compared)
    return judge_answers(None, None)


def fidelity(right: int) -> Measurement:
    return proportion("fidelity_at_1000_queries", right, 1_000, better="lower")


def clean(right: int) -> Measurement:
    return proportion("clean_accuracy", right, 1_000, better="higher")


def test_a_copy_that_became_worse_is_an_improvement(monkeypatch):
    verdict = changed(
        monkeypatch,
        ("evasion.gradient: clean_accuracy", clean(950), clean(950)),
        ("extraction.scores: fidelity_at_1000_queries", fidelity(900), fidelity(700)),
    )
    assert verdict.improved
    assert "0.9 to 0.7 (better)" in verdict.words


def test_not_if_accuracy_was_paid_for_it(monkeypatch):
    verdict = changed(
        monkeypatch,
        ("evasion.gradient: clean_accuracy", clean(950), clean(800)),
        ("extraction.scores: fidelity_at_1000_queries", fidelity(900), fidelity(700)),
    )
    assert not verdict.improved


def test_a_difference_by_chance_is_none(monkeypatch):
    verdict = changed(
        monkeypatch, ("extraction.labels: fidelity_at_1000_queries", fidelity(900), fidelity(895))
    )
    assert not verdict.improved

"""Certificates as a use-case: figures, files, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from gambeson.certify.margins import Method
from gambeson.certify.smoothing import Smoothing
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.ports import NoProgress
from gambeson.core.threat import Norm, ThreatModel
from gambeson.service.certifying import CertifyCommand, by_chance, run_certify


@pytest.fixture
def command(digits_net, tmp_path):
    return CertifyCommand(
        model=str(digits_net / "net.safetensors"),
        factory=f"{digits_net / 'net.py'}:build",
        data="builtin:digits",
        radii=(0.02, 0.005),
        methods=(Method.IBP, Method.CROWN),
        samples=10,
        out=tmp_path / "found",
    )


def run(command):
    return run_certify(command, NoProgress())


def test_figures_and_files_tell_the_same(command):
    report = run(command)
    kept = np.load(command.out / "certified.npz")
    assert [b.eps for b in report.brackets] == [0.005, 0.02]
    for row, bracket in enumerate(report.brackets):
        assert bracket.certified.value <= bracket.attacked.value <= report.clean.value
        assert kept["certified"][row].mean() == pytest.approx(bracket.certified.value)
        assert not (kept["certified"][row] & kept["fallen"][row]).any()
    assert report.brackets[0].certified.value > 0.5
    assert json.loads((command.out / "certify.json").read_text())["method"] == "ibp, crown in float64"


def test_a_smoothed_classifier_has_figures_of_its_own(command):
    report = run(
        replace(
            command,
            threat=ThreatModel(norm=Norm.L2),
            radii=(0.1, 0.2),
            smoothing=Smoothing(0.1, 20, 100),
            methods=(),
            samples=8,
        )
    )
    assert "smoothed with sigma 0.1" in report.subject
    assert report.abstained is not None
    assert report.brackets[0].certified.value <= report.brackets[0].attacked.value <= report.clean.value
    kept = np.load(command.out / "certified.npz")
    assert ((kept["predicted"] == -1) == (kept["radius"] == 0)).all()


def test_same_seed_same_report(command):
    command = replace(command, out=None, samples=4, radii=(0.02,), methods=(Method.IBP,))
    assert run(command) == run(replace(command, batch_size=8))


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"samples": 0}, UsageError, "0 samples"),
        ({"batch_size": 0}, UsageError, "batch size is 0"),
        ({"radii": ()}, UsageError, "The radii are"),
        ({"radii": (0.1, -1.0)}, UsageError, "The radii are"),
        ({"threat": ThreatModel(norm=Norm.L0, eps=1)}, Unavailable, "does not know the norm l0"),
        ({"smoothing": Smoothing(0.1)}, UsageError, "certifies an l2 radius"),
        (
            {"smoothing": Smoothing(0.1), "threat": ThreatModel(norm=Norm.L2, frozen=("0",))},
            UsageError,
            "0",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(command, changes, error, said):
    with pytest.raises(error, match=said):
        run(replace(command, **changes))


def test_a_folder_that_cannot_be_made_is_named(command, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="Cannot write into"):
        run(replace(command, out=tmp_path / "file" / "found", samples=8, radii=(0.005,)))


@pytest.mark.parametrize(("n", "p"), [(1_000, 0.002), (30, 0.002), (10, 0.5)])
def test_chance_allows_the_quantile_of_the_binomial_distribution(n, p):
    assert by_chance(n, p) == binom.ppf(0.999, n, p)

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from gambeson.audit.report.html_report import to_html
from gambeson.core.stats import auc, proportion
from tests.unit.audit.report.samples import hostile_report, sample_report


class Page(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def test_it_loads_nothing_from_elsewhere():
    for tag, attributes in Page(to_html(sample_report())).elements:
        assert tag not in {"link", "iframe", "object", "embed"}
        assert not (tag == "script" and "src" in attributes)
        if "src" in attributes:
            assert attributes["src"].startswith("data:image/png;base64,")


def test_the_policy_allows_this_style_and_script_and_nothing_else():
    page = to_html(sample_report())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1).replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        inline = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not any("style" in attributes for _, attributes in Page(page).elements)


def test_hostile_text_stays_text():
    page = to_html(hostile_report())
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert [a for t, a in Page(page).elements if "onerror" in a] == []


def test_it_says_verdict_figures_coverage_command_and_what_was_left_out():
    page = to_html(sample_report())
    for words in (
        "The gate is closed",
        "40.0%",
        "0.309 – 0.498",
        "Left out: square(2000)",
        "Accepted by the team: hardening is planned",
        "RuntimeError: boom",
        "this version has no poisoning check",
        "gambeson audit m.onnx",
        "Craft Adversarial Data",
    ):
        assert words in page, words
    assert page.count('class="cell ') == 12


def test_every_picture_has_a_text_in_its_place():
    pictures = [a for t, a in Page(to_html(sample_report())).elements if t == "img"]
    assert len(pictures) == 3
    assert all(len(a["alt"]) > 10 for a in pictures)


def test_there_is_no_overall_score_and_the_page_is_small():
    page = to_html(sample_report())
    assert "score of" not in page.lower()
    assert len(page) < 3_000_000


@pytest.mark.parametrize(
    "measurement", [proportion("x", 1, 8), auc([1.0, 2.0, 3.0], [0.0, 1.5, 2.5], name="auc")]
)
def test_rates_are_percent_and_areas_are_not(measurement):
    from gambeson.audit.report.html_report import figure

    assert figure(measurement).endswith("%") == (measurement.name == "x")

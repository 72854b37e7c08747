from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gambeson.audit.report.html_report import to_html
from gambeson.audit.result import Subject, Times
from gambeson.core.finding import Evidence, Outcome, PictureGrid
from gambeson.core.stats import proportion
from tests.unit.audit.report.samples import (
    ERRORED,
    EVASION,
    MEMBERSHIP,
    hostile_report,
    report_of,
    sample_report,
)


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
        "30.9% – 49.8%",
        "Left out: square(2000)",
        "a failed finding of severity high or above",
        "1 accepted by the team",
        "TPR at 1% FPR",
        "gambeson audit models/m.onnx",
        "Accepted by the team: hardening is planned",
        "RuntimeError: boom",
        "the model gives no labels",
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


def test_a_grid_names_its_columns_and_rows_and_escapes_them():
    grid = PictureGrid("k", "Reconstructions", ("true mean", "<b>"), ("cat",), (("QUJD", "REVG"),), "no <i>")
    page = to_html(report_of(replace(EVASION, evidence=Evidence(grids=(grid,)))))
    images = [a for tag, a in Page(page).elements if tag == "img"]
    assert [a["src"].rpartition(",")[2] for a in images] == ["QUJD", "REVG"]
    assert [a["alt"] for a in images] == ["true mean, class cat", "<b>, class cat"]
    assert "&lt;b&gt;" in page
    assert "no &lt;i&gt;" in page


def test_the_parts_come_in_the_order_in_which_they_are_read():
    page = to_html(sample_report())
    parts = [
        "The gate is closed",
        ">Repeat<",
        ">Key figures<",
        ">Coverage<",
        ">Findings<",
        ">30.9% – 49.8%<",
        'class="chart"',
        'class="trio"',
        ">age<",
        ">How it was measured<",
        ">What to do.<",
        ">What was audited, and where<",
    ]
    places = [0]
    for part in parts:
        places.append(page.index(part, places[-1]))
    assert places == sorted(places)


def test_many_figures_are_folded_and_none_is_lost():
    many = tuple(proportion(f"figure_{i}.tpr_at_0.1pct_fpr", i, 5000) for i in range(20))
    page = to_html(report_of(replace(MEMBERSHIP, measurements=many)))
    assert "12 more figures" in page
    assert all(
        f'title="privacy.membership.{m.name}">figure {i}: TPR at 0.1% FPR<' in page
        for i, m in enumerate(many)
    )
    assert page.count('<td class="num">5,000</td>') == 20 + 1, "and one among the key figures"


def test_the_key_figure_of_a_finding_is_its_first():
    assert re.findall(r'class="num big">([^<]*)<', to_html(sample_report())) == ["40.0%", "1.2%", "40.0%"]


def test_key_figures_lead_to_their_findings():
    elements = Page(to_html(sample_report())).elements
    ids = {a["id"] for _, a in elements if "id" in a}
    links = [a["href"] for t, a in elements if t == "a" and a.get("href", "").startswith("#")]
    assert len(links) == 3
    assert {link[1:] for link in links} <= ids


def test_an_id_that_no_catalogue_knows_is_shown_without_a_link():
    page = to_html(report_of(replace(MEMBERSHIP, taxonomy=("atlas:AML.T9999",))))
    assert "<a>atlas:AML.T9999</a>" in page


def test_every_outcome_and_an_audit_without_findings_can_be_shown():
    bare = replace(
        MEMBERSHIP, outcome=Outcome.NOT_ASSESSED, measurements=(), evidence=Evidence(), reason="why"
    )
    assert "not assessed" in to_html(report_of(bare))
    assert "No check ran." in to_html(report_of())
    assert "The audit is incomplete" in to_html(report_of(ERRORED))


def _luminance(colour):
    parts = colour.lstrip("#")
    parts = "".join(2 * c for c in parts) if len(parts) == 3 else parts
    rgb = [int(parts[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    """WCAG 2.2, contrast ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", range(4), ids=["light", "dark by preference", "dark by choice", "print"])
def test_text_has_enough_contrast_in_every_theme(theme):
    blocks = re.findall(r"--bg:[^}]*", to_html(sample_report()))
    assert len(blocks) == 4
    colours = dict(part.removeprefix("--").split(":") for part in blocks[theme].split(";"))
    for ink in ("ink", "soft", "accent", "pass", "fail", "warn", "err"):
        for ground in ("bg", "card"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for outcome in ("pass", "fail", "warn", "err"):
        assert _contrast(colours[outcome], colours[f"{outcome}-bg"]) >= 4.5, outcome
        assert _contrast(colours["soft"], colours[f"{outcome}-bg"]) >= 4.5, outcome
    for line in ("c0", "c1", "c2", "c3", "c4"):
        assert _contrast(colours[line], colours["card"]) >= 3, line


def test_there_is_no_overall_score_and_the_page_is_small():
    page = to_html(sample_report())
    assert "score of" not in page.lower()
    assert len(page) < 3_000_000


def test_the_page_stays_small_however_many_pictures_there_are():
    images = ("A" * 65_000,) * 3
    (picture,) = (e for e in EVASION.evidence.examples if e.images)
    examples = tuple(replace(picture, index=i, images=images) for i in range(8))
    findings = (replace(EVASION, evidence=Evidence(examples=examples)),) * 6
    page = to_html(report_of(*findings))
    assert len(page.encode()) < 3_000_000
    assert page.count('class="trio"') == 10
    assert page.count("6 more in report.json") == 4
    assert page.count("7 more in report.json") == 2, "the order of the findings decides"


def test_a_file_name_that_is_no_unicode_can_be_shown():
    assert "m?.onnx" in to_html(report_of(EVASION, model=Subject("m\udcff.onnx", "x")))


def test_the_editions_of_the_catalogues_are_named():
    page = to_html(sample_report())
    assert "Identifiers: MITRE ATLAS 5.6.0, NIST AI 100-2e2025." in page


@pytest.mark.parametrize(
    ("started", "shown"),
    [("2026-01-02T03:04:05+00:00", "2 January 2026, 03:04 UTC"), ("yesterday", "yesterday")],
)
def test_the_start_is_a_date_that_people_read(started, shown):
    assert f" · {shown}</p>" in to_html(report_of(EVASION, times=Times(started, 1.0)))

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from gambeson.audit.report.sections_page import Section, SectionsPage, to_sections_page
from gambeson.audit.result import Subject, Times
from gambeson.core.finding import Bars, BarSeries, Evidence, Histogram, Mark, Table
from tests.unit.audit.report.samples import EVASION, HOSTILE

EXHIBITS = Evidence(
    curves=EVASION.evidence.curves,
    examples=EVASION.evidence.examples,
    bars=(Bars("k", "By class", "class", "accuracy", ("a", "b"), (BarSeries("clean", (1.0, 0.5)),)),),
    histograms=(Histogram("d", "Distances", "l2", "inputs", (0.0, 1.0), (4,), (Mark("median", 0.5),)),),
    tables=(Table("stages", "Stages", ("stage", "broke"), (("one", 12345), ("two", None)), "A note."),),
)


def page(text="pgd", note="", evidence=EXHIBITS):
    return SectionsPage(
        kind=text,
        title=text,
        hint=text,
        source="attack.json",
        threat=text,
        model=Subject(text, "sha256:1", ((text, text),)),
        data=Subject(text, "sha256:2"),
        command=text,
        tool="0",
        seed=0,
        note=note,
        sections=(Section(text, note, EVASION.measurements, evidence),),
        times=Times("2026-01-02T03:04:05+00:00", 1.0),
    )


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


def test_every_exhibit_is_on_the_page():
    text = to_sections_page(page())
    for said in (
        "By class",
        "Distances",
        "Stages",
        "12,345",
        "–",
        "A note.",
        EVASION.evidence.curves[0].title,
    ):
        assert said in text


def test_it_loads_nothing():
    reader = read(to_sections_page(page()))
    assert all(link.startswith("data:") for link in reader.links)
    assert reader.tags.count("script") == 1


@pytest.mark.parametrize("note", ["", "Interrupted"])
def test_a_note_is_shown_where_there_is_one(note):
    assert ("Interrupted" in to_sections_page(page(note=note))) is bool(note)


def test_hostile_text_stays_text():
    plain = read(to_sections_page(page())).tags
    table = Table("k", HOSTILE, (HOSTILE,), ((HOSTILE,),), HOSTILE)
    hostile = Evidence(**{name: getattr(EXHIBITS, name) for name in ("curves", "examples", "bars", "histograms")},
                       tables=(table,))  # fmt: skip
    tags = read(to_sections_page(page(HOSTILE, HOSTILE, hostile))).tags
    assert tags.count("script") == plain.count("script")
    assert tags.count("img") == plain.count("img")

import pytest

from gambeson.core.finding import Outcome, Severity
from gambeson.supply.content import Content
from gambeson.supply.scanner import Budget, Limits, Visit, scanners
from gambeson.supply.sniffing import Format


def visit(**limits):
    given = Limits(**limits)
    return Visit(
        Content(b"abc"),
        "m.pt",
        "a/m.pt",
        Format.ZIP,
        given,
        Budget(given.members, 10),
        lambda one: iter([one.hit("scan.zip.broken", "x")]),
    )


def test_a_finding_has_its_rule_place_and_remedy():
    finding = visit().hit("scan.zip.hidden", "9 bytes", offset=4)
    assert (finding.check, finding.target, finding.outcome) == ("scan.zip.hidden", "a/m.pt@4", Outcome.FAILED)
    assert finding.title.endswith(": 9 bytes")
    assert finding.severity is Severity.HIGH
    assert visit().hit("scan.zip.hidden", "", severity=Severity.LOW).severity is Severity.LOW


def test_a_long_detail_is_cut():
    assert len(visit().hit("scan.zip.hidden", "x" * 9_999).title) < 500


def test_a_member_lies_within_its_archive():
    (finding,) = visit().member("data.pkl", Content(b""))
    assert finding.target == "a/m.pt!data.pkl"


@pytest.mark.parametrize("limits", [{"depth": 0}, {"members": 0}])
def test_limits_end_the_descent_with_a_finding(limits):
    assert [item.check for item in visit(**limits).member("x", Content(b""))] == ["scan.archive.bomb"]


def test_every_format_that_holds_something_has_a_scanner():
    inert = {Format.EMPTY, Format.UNKNOWN, Format.TEXT, Format.PICTURE}
    assert {kind for entry in scanners for kind in entry.facts.formats} == set(Format) - inert

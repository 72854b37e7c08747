from __future__ import annotations

import json

from gambeson.audit.report.writing import write_reports
from tests.unit.audit.report.samples import sample_report


def test_open_diff_and_render(call, place):
    write_reports(sample_report(), place / "a", ("json", "html"))
    code, out, _ = call("report", "open", "a", "--print-path")
    assert (code, out.strip()) == (0, str(place / "a" / "report.html"))
    code, out, _ = call("report", "diff", "a", "a/report.json", "--json")
    assert code == 0
    assert json.loads(out)["appeared"] == []
    assert call("report", "render", "a", "--format", "sarif,junit", "--out", "b")[0] == 0
    assert {p.name for p in (place / "b").iterdir()} == {"report.sarif", "report.junit.xml"}


def test_a_folder_that_is_not_there_is_not_taken_for_the_one_around_it(call, place):
    write_reports(sample_report(), place, ("html",))
    code, _, err = call("report", "open", "nowhere", "--print-path")
    assert code == 2
    assert "no report.html in nowhere" in err


def test_a_damaged_report_is_one_clear_error(call, place):
    (place / "report.json").write_text('{"version": "1.0"')
    code, _, err = call("report", "render", "report.json")
    assert code == 2
    assert "not a report" in err

"""Plots for the pages of the documentation: the report's curves as files of their own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from gambeson.audit.report.charts import curve_svg
from gambeson.core.finding import Curve

FOLDER = Path("docs/assets")


def write_curve(name: str, curve: Curve) -> str:
    """Write a curve as ``docs/assets/<name>.svg``; the markdown that shows it on a page in ``docs``."""
    style = files("gambeson.audit.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    head, _, body = curve_svg(curve).partition(">")
    known = "" if "xmlns=" in head else ' xmlns="http://www.w3.org/2000/svg"'
    text = (
        f"{head}{known}><style>{style} svg{{background:var(--card);font-family:sans-serif}}</style>{body}\n"
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")
    return f"![{curve.title}](assets/{name}.svg)"

"""LightGBM text models: whole, text only, and trees that stay within themselves."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.tree_indices import judge_lightgbm

_LARGEST = 128 << 20
"""Bytes of trees that are checked; what lies behind is only read for zero bytes."""
_MOST = 20


@scanners.register(
    "lightgbm", ScannerFacts((Format.LIGHTGBM,), "trees that leave themselves, foreign bytes, breaks")
)
def scan_lightgbm(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a model."""
    content = visit.content
    end = content.find(b"\nend of trees")
    if end < 0 or content.find(b"\0") >= 0:
        yield visit.hit(
            "scan.trees.broken", "the line 'end of trees' is missing" if end < 0 else "zero bytes"
        )
        return
    text = content.read(0, min(end, _LARGEST)).decode("utf-8", "backslashreplace")
    if end > _LARGEST:
        text = text.rpartition("\nTree=")[0]
    head, *trees = text.split("\nTree=")
    try:
        width = int(_lines(head)["max_feature_idx"]) + 1
        shown = 0
        for number, block in enumerate(trees):
            for finding in judge_lightgbm(visit, number, _lines(block), width):
                shown += 1
                yield finding
            if shown >= _MOST:
                return
    except (KeyError, ValueError) as error:
        yield visit.hit("scan.trees.broken", f"{type(error).__name__}: {error}")


def _lines(block: str) -> dict[str, str]:
    return {
        key: value
        for line in block.splitlines()
        if (pair := line.partition("="))[1]
        for key, _, value in [pair]
    }

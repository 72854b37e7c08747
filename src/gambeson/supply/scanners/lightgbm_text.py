"""LightGBM text models: whole, text only, and trees that stay within themselves."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.tree_indices import judge_lightgbm

_LARGEST = 512 << 20
_MOST = 20


@scanners.register(
    "lightgbm", ScannerFacts((Format.LIGHTGBM,), "trees that leave themselves, foreign bytes, breaks")
)
def scan_lightgbm(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a model."""
    data = visit.content.read(0, min(visit.content.size, _LARGEST))
    if b"\0" in data or b"\nend of trees" not in data:
        yield visit.hit(
            "scan.trees.broken", "zero bytes" if b"\0" in data else "the line 'end of trees' is missing"
        )
        return
    text = data.partition(b"\nend of trees")[0].decode("utf-8", "backslashreplace")
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

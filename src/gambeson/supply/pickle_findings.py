"""What the reading of a pickle means: findings, for every format that holds pickles."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.pickle_globals import Standing, judge_global
from gambeson.supply.pickle_reading import read_pickles
from gambeson.supply.pickle_skim import Reading
from gambeson.supply.scanner import Visit
from gambeson.supply.sniffing import Format

_NAMED = 20
_TORCH = frozenset(
    {Format.TORCH_ZIP, Format.TORCH_SCRIPT, Format.TORCH_EXPORT, Format.LEGACY_TORCH, Format.TAR}
)


def judge_reading(visit: Visit, found: Reading) -> Iterator[Finding]:
    """Findings on the names that one pickle imports and on what it hides; not on where it ends.

    Args:
        visit: The content that it lies in.
        found: What was read.
    """
    in_torch = visit.format in _TORCH or bool(_TORCH & set(visit.inside))
    for (module, name), offset in list(found.imports.items()):
        if Format.TORCH_SCRIPT in visit.inside and module.startswith("__torch__"):
            continue
        standing = judge_global(module, name)
        if standing is not Standing.ALLOWED:
            rule = "scan.pickle.dangerous" if standing is Standing.DANGEROUS else "scan.pickle.global"
            yield visit.hit(rule, f"{module}.{name}", offset=offset)
    for offset, how in list(found.obscured.items())[:_NAMED]:
        yield visit.hit("scan.pickle.obscured", how, offset=offset)
    for offset, what in list(found.patched.items())[:_NAMED]:
        yield visit.hit("scan.pickle.patch", what, offset=offset)
    for offset in found.writes[:1]:
        yield visit.hit("scan.torch.memory", "an item of a tensor is set", offset=offset)
    for offset in found.extensions[:1]:
        yield visit.hit("scan.pickle.extension", "", offset=offset)
    for offset in found.persistent[: 0 if in_torch else 1]:
        yield visit.hit("scan.pickle.persistent", "", offset=offset)
    for offset, length in found.payloads:
        yield from visit.member(f"bytes@{offset}", visit.content.part(offset, length))


def judge_pickles(visit: Visit, start: int = 0) -> Iterator[Finding]:
    """Findings on every pickle in a row, on a break and on a tail.

    Args:
        visit: The content.
        start: Where the first one begins.
    """
    for number, found in enumerate(read_pickles(visit.content, start)):
        tail = number > 0 and bool(found.broken) and not found.imports
        if not tail:
            yield from judge_reading(visit, found)
        if tail:
            yield visit.hit(
                "scan.pickle.tail", f"{visit.content.size - found.start} bytes", offset=found.start
            )
        elif found.broken:
            yield visit.hit("scan.pickle.broken", found.broken, offset=found.end)

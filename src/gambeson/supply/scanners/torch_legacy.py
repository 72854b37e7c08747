"""torch.save before version 1.6: five pickles in a row, then the raw bytes of the storages."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.content import uint
from gambeson.supply.pickle_findings import judge_reading
from gambeson.supply.pickle_reading import read_pickle
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.torch_storages import SIZES

_PICKLES = 5


@scanners.register(
    "torch-legacy",
    ScannerFacts(
        (Format.LEGACY_TORCH,), "pickles of old torch files, and whether the storages fill the rest"
    ),
)
def scan_legacy(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with an old torch file."""
    at, storages = 0, dict[str, tuple[str, int]]()
    for _ in range(_PICKLES):
        found = read_pickle(visit.content, at)
        yield from judge_reading(visit, found)
        if found.broken:
            yield visit.hit("scan.pickle.broken", found.broken, offset=found.end)
            return
        storages, at = storages | found.storages, found.end
    for kind, count in (storages[key] for key in sorted(storages)):
        claimed = uint(visit.content.read(at, 8))
        at += 8 + count * SIZES.get(kind.removesuffix("Storage"), 0)
        if claimed != count:
            break
    if at != visit.content.size:
        yield visit.hit("scan.pickle.tail", f"{visit.content.size - at} bytes beside the storages", offset=at)

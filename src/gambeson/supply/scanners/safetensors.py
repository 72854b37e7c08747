"""safetensors: the header within its bounds, and tensors that fill the file exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.content import uint
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_LONGEST_HEADER = 32 << 20
"""The format allows 100 MB; a hundred thousand tensors need a tenth of this."""
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


class _Wrong(ValueError):
    """A rule of the format is broken."""


@scanners.register(
    "safetensors",
    ScannerFacts((Format.SAFETENSORS,), "header bombs, names given twice, overlaps, holes, tails"),
)
def scan_safetensors(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a file; the data themselves cannot run."""
    length = uint(visit.content.read(0, 8))
    if length > min(_LONGEST_HEADER, visit.content.size - 8):
        yield visit.hit("scan.safetensors.header", f"it claims {length} bytes", offset=0)
        return
    try:
        header = json.loads(visit.content.read(8, length), object_pairs_hook=_unique)
        places = sorted(_places(header))
    except RecursionError:
        yield visit.hit("scan.safetensors.header", "it nests too deeply", offset=8)
        return
    except ValueError as error:
        yield visit.hit("scan.safetensors.header", str(error), offset=8)
        return
    at = 0
    for begin, end, name in places:
        if begin != at:
            word = "overlaps the one before" if begin < at else "leaves a hole before it"
            yield visit.hit("scan.safetensors.layout", f"{name!r} {word}", offset=8 + length + begin)
            return
        at = end
    if 8 + length + at != visit.content.size:
        detail = f"the tensors end at {8 + length + at}, the file at {visit.content.size}"
        yield visit.hit("scan.safetensors.layout", detail, offset=8 + length + at)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Wrong("a name is given twice")
    return found


def _places(header: Any) -> Iterator[tuple[int, int, str]]:
    """Begin, end and name of each tensor."""
    if not isinstance(header, dict):
        raise _Wrong("it is no JSON object")
    for name, entry in header.items():
        if name == "__metadata__":
            if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
                raise _Wrong("__metadata__ holds more than text")
            continue
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise _Wrong(f"{name!r} is no tensor")
        bits, shape, offsets = _BITS.get(entry["dtype"]), entry["shape"], entry["data_offsets"]
        if bits is None or not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
            raise _Wrong(f"{name!r} has no type, shape or place")
        for size in shape:
            bits *= size
        if offsets[1] - offsets[0] != -(-bits // 8):
            raise _Wrong(f"{name!r} takes {offsets[1] - offsets[0]} bytes and needs {-(-bits // 8)}")
        yield offsets[0], offsets[1], name


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 63 for item in value)

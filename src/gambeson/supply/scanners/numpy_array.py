"""NumPy .npy arrays: the header, the size of the data, and the pickle of an object array."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.content import uint
from gambeson.supply.pickle_findings import judge_pickles
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_LONGEST_HEADER = 1 << 16
_MAGIC = b"\x93NUMPY"
_LONG = re.compile(r"\b(\d+)L\b")
"""A number as Python 2 wrote it."""
_SIZE = {"U": 4}


@scanners.register(
    "npy", ScannerFacts((Format.NPY,), "pickles in object arrays, headers, and bytes behind the data")
)
def scan_npy(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with one array, or with several in a row."""
    at = 0
    while at < visit.content.size:
        header = _read_header(visit, at)
        if isinstance(header, Finding):
            yield header
            return
        data, shape, descr = header
        if _has_objects(descr):
            bad = list(judge_pickles(visit, data))
            yield from bad or [visit.hit("scan.numpy.objects", "", offset=data)]
            return
        end = data + _item_size(descr) * _count(shape)
        if end > visit.content.size:
            yield visit.hit(
                "scan.numpy.header", f"the data need {end - visit.content.size} bytes more", offset=data
            )
            return
        if end < visit.content.size and visit.content.read(end, 6) != _MAGIC:
            yield visit.hit(
                "scan.file.polyglot", f"{visit.content.size - end} bytes behind the array", offset=end
            )
            yield from visit.member("tail", visit.content.part(end, visit.content.size - end))
            return
        at = end


def _read_header(visit: Visit, at: int) -> Finding | tuple[int, tuple[int, ...], Any]:
    """Where the data begin, their shape and type; or what is wrong."""
    version = visit.content.read(at + 6, 1)
    width = 2 if version == b"\1" else 4
    length = uint(visit.content.read(at + 8, width))
    if version not in (b"\1", b"\2", b"\3") or length > _LONGEST_HEADER:
        return visit.hit("scan.numpy.header", f"version {version!r}, {length} bytes", offset=at)
    text = visit.content.read(at + 8 + width, length).decode("utf-8", "backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a number that runs into a word warns before it fails
            value = ast.literal_eval(_LONG.sub(r"\1", text.strip()))
        shape, descr = tuple(value["shape"]), value["descr"]
        sound = set(value) == {"descr", "fortran_order", "shape"} and all(
            type(n) is int and n >= 0 for n in shape
        )
        _item_size(descr)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        sound = False
    if not sound:
        return visit.hit("scan.numpy.header", text[:80], offset=at)
    return at + 8 + width + length, shape, descr


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total


def _has_objects(descr: Any) -> bool:
    """Whether a type, or a field of it, holds Python objects."""
    if isinstance(descr, str):
        return descr.lstrip("<>|=").startswith("O")
    if isinstance(descr, tuple):
        return _has_objects(descr[0])
    return any(_has_objects(field[1]) for field in descr)


def _item_size(descr: Any) -> int:
    """Bytes of one element; raises ``ValueError`` where the type is none."""
    if isinstance(descr, str):
        code = descr.lstrip("<>|=")
        if code[:1] not in "?biufcmMSUVO" or not code:
            raise ValueError(descr)
        digits = code[1:].partition("[")[0]
        return int(digits or (8 if code == "O" else 1)) * _SIZE.get(code[0], 1)
    if isinstance(descr, tuple):
        return _item_size(descr[0]) * _count(descr[1] if isinstance(descr[1], tuple) else (descr[1],))
    sizes = (_item_size(field[1]) * (_count(tuple(field[2])) if len(field) > 2 else 1) for field in descr)
    return sum(sizes)

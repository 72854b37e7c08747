"""HDF5: Keras configurations kept in it, references to other files, and where it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from itertools import islice

from gambeson.core.finding import Finding
from gambeson.supply.content import uint
from gambeson.supply.hdf5_objects import reaches_outside
from gambeson.supply.keras_config import judge_config
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_CONFIG = re.compile(rb'\{\s*"(class_name|module|config|name|registered_name|build_config)"')
_CODE = re.compile(r'class_name"\s*:\s*"(\w*>)?(Lambda|[^"]*\\u)')
_LONGEST = 16 << 20
_MOST_PLACES = 20
_MOST = 128 << 20
"""Characters of descriptions that are read in all."""


@scanners.register(
    "hdf5", ScannerFacts((Format.HDF5,), "Lambda layers in Keras models, links to other files")
)
def scan_hdf5(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a file, as far as its bytes tell without the HDF5 library."""
    yield from _check_end(visit)
    for place, words in islice(reaches_outside(visit.content), _MOST_PLACES):
        yield visit.hit("scan.hdf5.outside", words, offset=place)
    at, left = 0, _MOST
    while (place := visit.content.find(b"class_name", at)) >= 0:
        if left <= 0:
            yield visit.hit(
                "scan.keras.broken", "there are more descriptions than a scan reads", offset=place
            )
            return
        base = max(at, place - 4096)
        match = _CONFIG.search(visit.content.read(base, place - base + 11))
        begin = base + match.start() if match else place
        end = visit.content.find(b"\0", begin, begin + _LONGEST)
        text = visit.content.read(begin, end - begin if end >= 0 else _LONGEST).decode("utf-8", "replace")
        left -= len(text) + 1_000
        length = yield from _config(visit, begin, text)
        at = max(begin + length, place + 10)


def _config(visit: Visit, begin: int, text: str) -> Generator[Finding, None, int]:
    """Judge the JSON that a text begins with; its length, 0 where it is none."""
    try:
        value, length = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        if _CODE.search(text[:8192]):
            yield visit.hit("scan.keras.lambda", "in a description that is no whole JSON", offset=begin)
        return 0
    if isinstance(value, dict):
        yield from judge_config(visit, value)
    return length


def _check_end(visit: Visit) -> Iterator[Finding]:
    """The superblock tells where the file ends: versions 0 and 1 at 40, 2 and 3 at 28."""
    head = visit.content.head
    version = head[8] if len(head) > 60 else 255
    end = uint(head[28:36]) if version in (2, 3) else uint(head[40:48]) if version in (0, 1) else -1
    if version == 1:
        end = uint(head[44:52])
    if end < 0 or end > visit.content.size:
        yield visit.hit(
            "scan.hdf5.broken", f"superblock version {version}, end {end} of {visit.content.size}"
        )
    elif visit.content.read(end, 1 << 16).strip(b"\0"):
        yield visit.hit("scan.file.polyglot", f"{visit.content.size - end} bytes behind the file", offset=end)
        yield from visit.member("tail", visit.content.part(end, visit.content.size - end))

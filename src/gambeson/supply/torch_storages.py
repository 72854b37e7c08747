"""The storages that a torch pickle names, held against the bytes that the archive has for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gambeson.core.finding import Finding
from gambeson.supply.pickle_reading import EXACT, read_pickle
from gambeson.supply.scanner import Visit
from gambeson.supply.zip_directory import Entry

SIZES = {
    "Byte": 1, "Char": 1, "Bool": 1, "QInt8": 1, "QUInt8": 1, "QUInt4x2": 1, "QUInt2x4": 1, "Untyped": 1,
    "Short": 2, "Half": 2, "BFloat16": 2, "Int": 4, "Float": 4, "QInt32": 4, "Long": 8, "Double": 8,
    "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip
"""Bytes of an element by the first part of the storage's name."""
_PICKLE = "data.pkl"
_MOST = 10


def judge_storages(visit: Visit, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Findings where the pickle claims more or fewer elements than the record of a storage holds.

    Versions of torch before 2.10 believed the claim and wrote behind the record (CVE-2026-24747).

    Args:
        visit: The archive.
        entries: Of its directory.
    """
    by_name = {entry.name: entry for entry in entries}
    pickles = (name for name in by_name if name.rpartition("/")[2] == _PICKLE)
    found = 0
    for name in pickles:
        entry = by_name[name]
        if entry.method or entry.data < 0 or entry.packed > EXACT:
            continue
        folder = name.removesuffix(_PICKLE)
        for key, (kind, count) in read_pickle(visit.content.part(entry.data, entry.packed)).storages.items():
            record, width = by_name.get(f"{folder}data/{key}"), SIZES.get(kind.removesuffix("Storage"))
            if (
                record is not None
                and width is not None
                and record.expanded != count * width
                and found < _MOST
            ):
                found += 1
                detail = f"storage {key}: {count * width} bytes claimed, {record.expanded} there"
                yield visit.hit("scan.torch.memory", detail, offset=entry.header)

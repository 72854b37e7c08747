"""Pickles in a row, each read by the skim and, where that pays or is needed, by the exact machine."""

from __future__ import annotations

from collections.abc import Iterator

from gambeson.supply.content import Content
from gambeson.supply.pickle_globals import is_importable
from gambeson.supply.pickle_machine import run_machine
from gambeson.supply.pickle_skim import Reading, skim

EXACT = 2 << 20
"""Bytes up to which the exact machine reads a pickle too."""

_OPCODES, _CUT = 10_000, 300
_SPECIAL = {("torch.storage", "_load_from_bytes")}


def read_pickle(content: Content, start: int = 0) -> Reading:
    """One pickle, with everything that either reader finds.

    Args:
        content: Where it lies.
        start: Its first byte.
    """
    found = skim(content, start)
    if found.raw_arrays:
        exact = run_machine(content, start)
        exact.raw_arrays = True
        return exact
    if found.end - start > EXACT and not _SPECIAL & found.imports.keys():
        return found
    exact = run_machine(content, start)
    for (module, name), offset in exact.imports.items():
        found.add_import(module, name, offset)
    found.obscured = {**found.obscured, **exact.obscured}
    found.patched, found.payloads, found.storages = exact.patched, exact.payloads, exact.storages
    found.writes = exact.writes
    found.persistent = [] if not exact.broken and not exact.persistent else found.persistent
    found.broken, found.calls = found.broken or exact.broken, exact.calls
    return found


def read_pickles(content: Content, start: int = 0) -> Iterator[Reading]:
    """Each pickle up to the first that breaks off, or up to the end."""
    while start < content.size:
        found = read_pickle(content, start)
        yield found
        if found.broken or found.end <= start:
            return
        start = found.end


def seems_pickle(content: Content) -> bool:
    """Whether bytes without the mark of protocol 2 or later are a pickle all the same.

    Text can look like one for a while. So either they are pickles to the last byte, or a real import is executed.
    """
    head = content.part(0, 1 << 16)
    found = run_machine(head, most=_OPCODES)
    if found.broken and (found.end + _CUT > head.size < content.size or "opcodes" in found.broken):
        found = skim(content)  # too long for the exact machine: it may import something far behind
        found.calls = 1
    if any(is_importable(*names) for names in found.imports):
        return not found.broken or found.calls > 0
    return not found.broken and (bool(found.obscured) or (found.end == content.size and content.size > 2))

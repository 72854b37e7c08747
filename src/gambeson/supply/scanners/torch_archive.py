"""torch archives: storages of a false size, TorchScript's code, and what may not be in a torch.export archive."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.expanding import Bomb, expanded
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.torch_storages import judge_storages
from gambeson.supply.zip_directory import METHODS, BrokenZip, Entry, expand, read_directory

_CODE = re.compile(r"(.*/)?code/.*\.py")
_NATIVE = re.compile(r".*\.(so|dylib|dll|cpp|cu|cubin|ptx|hsaco|o)|(.*/)?data/aotinductor/.*")
_NAMESPACE = re.compile(r"\bops\.(\w+)\.(\w+)")
_KNOWN = frozenset((
    "aten", "prim", "prims", "quantized", "quantized_decomposed", "torchvision", "_quantized", "mkldnn",
    "inductor_prims", "torchaudio",
))  # fmt: skip
_TORCH = re.compile(
    r"\btorch\.(from_file|save|load|_print|set_flush_denormal|warn)\b|\baten::(from_file|save)\b"
)
_FILES = frozenset({"from_file", "save", "_save_parameters", "load", "open_file"})
_LONGEST = 32 << 20
_MOST = 20


@scanners.register(
    "torch",
    ScannerFacts(
        (Format.TORCH_ZIP, Format.TORCH_SCRIPT, Format.TORCH_EXPORT),
        "storages of a false size, operators of TorchScript code, native code in archives",
    ),
)
def scan_programs(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with the code; pickles and paths are found entry by entry."""
    try:
        entries = read_directory(visit.content).entries
    except BrokenZip:
        return
    yield from judge_storages(visit, entries)
    for entry in () if visit.format is Format.TORCH_ZIP else entries:
        if _NATIVE.fullmatch(entry.name) and entry.packed:
            yield visit.hit("scan.file.native", entry.name, offset=entry.header)
        elif _CODE.fullmatch(entry.name) and entry.data >= 0 and entry.method in METHODS:
            yield from _code(visit, entry)


def _code(visit: Visit, entry: Entry) -> Iterator[Finding]:
    try:
        with expanded(visit, entry.packed, expand(visit.content, entry)) as out:
            text = out.content.read(0, _LONGEST).decode("utf-8", "backslashreplace")
    except Bomb:
        return
    words = {match.group(0) for match in _TORCH.finditer(text)}
    words |= {
        match.group(0) for match in _NAMESPACE.finditer(text) if match[1] not in _KNOWN or match[2] in _FILES
    }
    for word in sorted(words)[:_MOST]:
        yield visit.hit("scan.torch.code", f"{entry.name}: {word}", offset=entry.header)

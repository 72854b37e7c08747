"""What a content of any size is, from a few reads; its name only decides where bytes alone cannot."""

from __future__ import annotations

import re
from collections.abc import Callable

from gambeson.supply.content import HEAD, Content, uint
from gambeson.supply.pickle_globals import is_importable
from gambeson.supply.pickle_reading import seems_pickle
from gambeson.supply.pickle_skim import skim
from gambeson.supply.protobuf import BYTES, VARINT, BrokenMessage, Message
from gambeson.supply.sniffing import MAGIC, Format, kind_of_members
from gambeson.supply.zip_directory import BrokenZip, read_directory

_BY_FIRST: dict[int, list[tuple[bytes, Format]]] = {}
for _magic, _format in MAGIC:
    _BY_FIRST.setdefault(_magic[0], []).append((_magic, _format))

_PICKLE_STARTS = frozenset(b"(c]})IFSVLKMJGNUXTBCP") | frozenset(range(0x82, 0x97))
_MESSAGE_STARTS = frozenset(n << 3 | w for n in range(1, 16) for w in (VARINT, BYTES))
_MODEL_PROTO = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_SAVED_MODEL = {1: VARINT, 2: BYTES}
_GRAPH_DEF = {1: BYTES, 2: BYTES, 3: VARINT, 4: BYTES, 5: BYTES}
_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*["{\[\d\]-])')
# An object whose first key is a word; anything else is UBJSON by its extension only.
_UBJSON = re.compile(rb"\{(i|U|I\0|l\0{3}|L\0{7})(?P<size>.)(?P<key>[\w.-]+)", re.DOTALL)

_YAML, _TEMPLATES = frozenset({".yaml", ".yml"}), frozenset({".jinja", ".jinja2", ".j2"})
_PICKLED = frozenset({Format.PICKLE, Format.LEGACY_TORCH})
_COMPRESSED = frozenset({Format.GZIP, Format.ZLIB, Format.BZIP2, Format.XZ, Format.LZMA, Format.LZ4})
_TORCH = frozenset(
    {Format.TORCH_ZIP, Format.TORCH_SCRIPT, Format.TORCH_EXPORT, Format.SAFETENSORS, Format.TAR}
)

EXPECTED: dict[str, frozenset[Format]] = {
    ".safetensors": frozenset({Format.SAFETENSORS}),
    ".onnx": frozenset({Format.ONNX}),
    ".gguf": frozenset({Format.GGUF}),
    ".npy": frozenset({Format.NPY}),
    ".npz": frozenset({Format.NPZ, Format.ZIP}),
    ".keras": frozenset({Format.KERAS, Format.HDF5}),
    ".h5": frozenset({Format.HDF5}),
    ".hdf5": frozenset({Format.HDF5}),
    ".skops": frozenset({Format.SKOPS}),
    ".ubj": frozenset({Format.UBJSON, Format.JSON}),
    ".json": frozenset({Format.JSON, Format.TEXT}),
    ".pb": frozenset({Format.TENSORFLOW, Format.ONNX, Format.UNKNOWN, Format.TEXT}),
    ".pt2": frozenset({Format.TORCH_EXPORT, Format.ZIP}),
    ".pt": _TORCH | _PICKLED,
    ".pth": _TORCH | _PICKLED | {Format.TEXT},
    ".ckpt": _TORCH | _PICKLED | {Format.UNKNOWN, Format.TEXT, Format.HDF5},
    ".pkl": _PICKLED | _COMPRESSED | _TORCH,
    ".pickle": _PICKLED | _COMPRESSED | _TORCH,
    ".joblib": _PICKLED | _COMPRESSED | {Format.ZIP},
    ".zip": frozenset({Format.ZIP, Format.NPZ, Format.TORCH_ZIP, Format.TORCH_SCRIPT, Format.TORCH_EXPORT,
                       Format.SKOPS, Format.KERAS}),
    ".tar": frozenset({Format.TAR}),
}  # fmt: skip
"""Formats that an extension stands for; other extensions stand for none."""

_EXECUTING = _PICKLED | _TORCH - {Format.SAFETENSORS} | {Format.NATIVE, Format.CLOSED, Format.ZIP}
_PLAIN_DATA = frozenset((
    ".txt", ".csv", ".tsv", ".md", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".wav", ".mp3", ".mp4",
    ".pdf", ".yaml", ".yml", ".toml", ".html", ".xml",
))  # fmt: skip


def recognise(content: Content, name: str) -> Format:
    """Name the format.

    Args:
        content: The whole content.
        name: Its file name; a pickle extension makes a pickle of what is nothing else.
    """
    head = content.head
    if not head:
        return Format.EMPTY
    if head[8:9] == b"{" and uint(head[:8]) <= content.size - 8:
        return Format.SAFETENSORS  # first: the length of its header may look like the mark of another format
    first = head[0]
    for magic, kind in _BY_FIRST.get(first, ()):
        if head.startswith(magic):
            return _checked(kind, head)
    if first == 0x80 and head[1:2] in _PROTOCOLS:
        return Format.PICKLE if _is_pickle(content, name) else Format.UNKNOWN
    if head[:2] == b"PK" and head[2:4] in (b"\x03\x04", b"\x05\x06", b"\x01\x02"):
        return _zip_kind(content)
    if head[8:9] == b"{" and head[6:8] == b"\0\0" and _is_header(uint(head[:8]), name):
        return Format.SAFETENSORS
    if head[257:262] == b"ustar" or (len(head) >= 512 and name.endswith(".tar")):
        return Format.TAR
    for starts, test, kind in _TESTS:
        if first in starts and test(content):
            return Format.YAML if kind is Format.JSON and suffix_of(name) in _YAML else kind
    if first in b"{[" and name.endswith((".ubj", ".ubjson")):
        return Format.UBJSON
    if suffix_of(name) in (".pkl", ".pickle", ".joblib"):
        return Format.PICKLE
    return _text_kind(name) if _is_text(head) else Format.UNKNOWN


def _text_kind(name: str) -> Format:
    suffix = suffix_of(name)
    return Format.YAML if suffix in _YAML else Format.TEMPLATE if suffix in _TEMPLATES else Format.TEXT


_PROTOCOLS = tuple(bytes([n]) for n in range(6))


def _is_pickle(content: Content, name: str) -> bool:
    """Two bytes are a weak mark: other data breaks off at once and imports nothing."""
    if Format.PICKLE in EXPECTED.get(suffix_of(name), ()):
        return True
    found = skim(content)
    imports = any(is_importable(*names) for names in found.imports)
    return not found.broken or found.end >= len(content.head) or imports or bool(found.obscured)


def _is_header(length: int, name: str) -> bool:
    return length < 1 << 40 or name.endswith(".safetensors")


def _checked(kind: Format, head: bytes) -> Format:
    if kind is Format.GZIP and head[2:3] != b"\x08":
        return Format.UNKNOWN
    return kind


def _zip_kind(content: Content) -> Format:
    try:
        return kind_of_members([entry.name for entry in read_directory(content).entries])
    except BrokenZip:
        return Format.ZIP


def _numbers(content: Content, rules: dict[int, int]) -> set[int]:
    """Numbers of the fields of a message that has no others; none where it has. The last may be cut off."""
    seen: set[int] = set()
    try:
        for field in Message(content).fields(whole=False):
            if rules.get(field.number) != field.wire:
                return set()
            seen.add(field.number)
    except BrokenMessage:
        return set()
    return seen


def _is_onnx(content: Content) -> bool:
    seen = _numbers(content, _MODEL_PROTO)
    return 7 in seen and bool(seen & {1, 8}) and len(seen) > 2


def _is_saved_model(content: Content) -> bool:
    return content.head.startswith(b"\x08\x01\x12") and 2 in _numbers(content, _SAVED_MODEL)


def _is_graph(content: Content) -> bool:
    """A GraphDef: nodes whose first field is a name and whose second is an operator."""
    if not {1} <= _numbers(content, _GRAPH_DEF):
        return False
    try:
        node = next(Message(content).fields())
        inner = list(Message(content, node.start, node.end).fields())
    except (BrokenMessage, StopIteration):
        return False
    return [field.number for field in inner[:2]] == [1, 2] and all(field.wire == BYTES for field in inner[:2])


_TESTS: tuple[tuple[frozenset[int], Callable[[Content], bool], Format], ...] = (
    (frozenset(b"{[ \t\r\n\xef"), lambda content: _JSON.match(content.head) is not None, Format.JSON),
    (frozenset(b"{"), lambda content: _is_ubjson(content.head), Format.UBJSON),
    (frozenset(b"\x08"), _is_saved_model, Format.TENSORFLOW),
    (_MESSAGE_STARTS, _is_onnx, Format.ONNX),
    (frozenset(b"\x0a"), _is_graph, Format.TENSORFLOW),
    (_PICKLE_STARTS, seems_pickle, Format.PICKLE),
    (frozenset(b"M"), lambda content: _is_pe(content), Format.NATIVE),
)


def _is_text(head: bytes) -> bool:
    """UTF-8 without zero bytes; a character may be cut where the head ends."""
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start >= HEAD - 3
    return True


def _is_ubjson(head: bytes) -> bool:
    match = _UBJSON.match(head)
    return match is not None and 0 < match["size"][0] <= len(match["key"])


def _is_pe(content: Content) -> bool:
    at = uint(content.read(60, 4))
    return content.head[:2] == b"MZ" and content.read(at, 4) == b"PE\0\0"


def suffix_of(name: str) -> str:
    """The extension with its dot, in small letters; empty where there is none."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def contradicts(name: str, kind: Format) -> str:
    """What the extension promised, where the content is something else; empty where both agree.

    Args:
        name: File name.
        kind: What the content is.
    """
    suffix = suffix_of(name)
    wanted = EXPECTED.get(suffix)
    if wanted is not None:
        if kind in wanted or kind is Format.EMPTY:
            return ""
        return f"a file called {suffix} is {kind.value}"
    return f"a file called {suffix} is {kind.value}" if suffix in _PLAIN_DATA and kind in _EXECUTING else ""

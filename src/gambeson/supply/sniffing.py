"""What a file seems to be, from its bytes alone: nothing is loaded, and no input makes it raise."""

from __future__ import annotations

import io
import itertools
import pickletools
import re
import struct
import zipfile
from collections.abc import Sequence
from enum import Enum

_HEAD = 4096
"""Bytes that the text and pickle rules look at."""


class Format(Enum):
    """A file format; the value is how messages call it."""

    EMPTY = "an empty file"
    PICKLE = "a Python pickle"
    LEGACY_TORCH = "a legacy PyTorch pickle (torch.save before version 1.6)"
    TORCH_ZIP = "a torch.save archive"
    TORCH_SCRIPT = "a TorchScript archive"
    TORCH_EXPORT = "a torch.export program"
    SAFETENSORS = "a safetensors file"
    ONNX = "an ONNX model"
    SKOPS = "a skops archive"
    JSON = "JSON text"
    UBJSON = "UBJSON"
    LIGHTGBM = "a LightGBM text model"
    KERAS = "a Keras archive"
    NPZ = "a NumPy .npz archive"
    NPY = "a NumPy .npy array"
    ZIP = "a zip archive"
    GZIP = "gzip-compressed data"
    ZLIB = "zlib-compressed data, which is how joblib writes pickles"
    HDF5 = "an HDF5 file"
    GGUF = "a GGUF model"
    TENSORFLOW = "a TensorFlow graph"
    TAR = "a tar archive"
    BZIP2 = "bzip2-compressed data"
    XZ = "xz-compressed data"
    LZMA = "lzma-compressed data"
    LZ4 = "lz4-compressed data"
    CLOSED = "an archive of a kind that is not read here (7z, RAR, Zstandard, cabinet)"
    NATIVE = "native code (ELF, PE or Mach-O)"
    YAML = "YAML text"
    TEMPLATE = "a Jinja template"
    TEXT = "text"
    PICTURE = "a picture"
    UNKNOWN = "in no format that is known here"


MAGIC = (
    (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19", Format.LEGACY_TORCH),
    (b"\x1f\x8b", Format.GZIP),
    (b"\x89HDF\r\n\x1a\n", Format.HDF5),
    (b"\x93NUMPY", Format.NPY),
    (b"GGUF", Format.GGUF),
    (b"BZh", Format.BZIP2),
    (b"\xfd7zXZ\x00", Format.XZ),
    (b"\x5d\x00\x00", Format.LZMA),
    (b"\x04\x22\x4d\x18", Format.LZ4),
    (b"7z\xbc\xaf\x27\x1c", Format.CLOSED),
    (b"Rar!\x1a\x07", Format.CLOSED),
    (b"\x28\xb5\x2f\xfd", Format.CLOSED),
    (b"MSCF\x00\x00\x00\x00", Format.CLOSED),
    (b"\x89PNG\r\n\x1a\n", Format.PICTURE),
    (b"\xff\xd8\xff", Format.PICTURE),
    (b"GIF8", Format.PICTURE),
    (b"\x7fELF", Format.NATIVE),
    (b"\xcf\xfa\xed\xfe", Format.NATIVE),
    (b"\xca\xfe\xba\xbe", Format.NATIVE),
    (b"tree\n", Format.LIGHTGBM),
    (b"tree\r\n", Format.LIGHTGBM),
    (b"\x78\x01", Format.ZLIB),
    (b"\x78\x5e", Format.ZLIB),
    (b"\x78\x9c", Format.ZLIB),
    (b"\x78\xda", Format.ZLIB),
)
"""First bytes of the formats that have such."""

# The first member that matches decides; names are taken without the archive's own top folder.
_MEMBERS = (
    (re.compile(r"(.*/)?archive_format"), Format.TORCH_EXPORT),
    (re.compile(r"serialized_exported_program\.json"), Format.TORCH_EXPORT),
    (re.compile(r"(.*/)?constants\.pkl"), Format.TORCH_SCRIPT),
    (re.compile(r"(.*/)?data\.pkl"), Format.TORCH_ZIP),
    (re.compile(r"schema\.json"), Format.SKOPS),
    (re.compile(r"model\.weights\.h5"), Format.KERAS),
    (re.compile(r".*\.npy"), Format.NPZ),
)


def sniff(data: bytes) -> Format:
    """Name the format of a file's content.

    The answer serves messages and the choice of a loader. Safety does not rest on it: every loader refuses
    by itself what would execute code.

    Args:
        data: The whole content.
    """
    if not data:
        return Format.EMPTY
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _sniff_zip(data)
    for magic, kind in MAGIC:
        if data.startswith(magic):
            return kind
    if data[0] == 0x80 and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return Format.PICKLE
    if _is_safetensors(data):
        return Format.SAFETENSORS
    if re.match(rb'(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*["{\[\d\]-])', data[:_HEAD]):
        return Format.JSON
    if re.match(rb"[{\[][iUIlLC$#]", data):
        return Format.UBJSON
    if _is_onnx(data):
        return Format.ONNX
    return Format.PICKLE if _is_early_pickle(data) else Format.UNKNOWN


def _sniff_zip(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError, OSError, OverflowError):
        return Format.ZIP
    return kind_of_members(names)


def kind_of_members(names: Sequence[str]) -> Format:
    """The format of a zip archive from the names of its members."""
    for pattern, kind in _MEMBERS:
        if any(pattern.fullmatch(name) for name in names):
            return kind
    return Format.ZIP


def _is_safetensors(data: bytes) -> bool:
    """An 8-byte little-endian header length, then the header, a JSON object."""
    return len(data) > 8 and data[8:9] == b"{" and int.from_bytes(data[:8], "little") < 1 << 40


# Fields of onnx.ModelProto and their protobuf wire types (0 varint, 2 length-delimited); onnx/onnx.proto.
_MODEL_PROTO = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_GRAPH = 7


def _is_onnx(data: bytes) -> bool:
    """Top-level fields are those of a ModelProto, one of them the graph; the last may be cut off."""
    at, seen = 0, set()
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if _MODEL_PROTO.get(number) != wire:
            return False
        seen.add(number)
        value, at = _varint(data, at)
        at += value if wire == 2 else 0
    return _GRAPH in seen and bool(seen & {1, 8})


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Protobuf varint at an offset and the offset behind it."""
    value = 0
    for shift, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    return value, len(data)


def _is_early_pickle(data: bytes) -> bool:
    """Pickle protocols 0 and 1 have no magic bytes: do the opcodes make sense up to STOP?"""
    if data[:1] not in b"(c]})lIFSVLdKMJGNU" or b"\x00" * 8 in data[:8]:
        return False
    try:
        opcodes = [op.name for op, _, _ in itertools.islice(pickletools.genops(data[:_HEAD]), 512)]
    except Exception:  # any garbage: the parser raises whatever its argument readers raise
        return False
    return opcodes[-1] == "STOP" or len(opcodes) == 512

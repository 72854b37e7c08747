"""Protocol-buffer messages and GGUF files made by hand, field by field."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def varint(value: int) -> bytes:
    """A number of variable length."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def text(number: int, value: str | bytes) -> bytes:
    """A field of bytes."""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def count(number: int, value: int) -> bytes:
    """A field that is a number."""
    return varint(number << 3) + varint(value)


def saved_model(operators: Sequence[str], library: Sequence[str] = (), metadata: str = "") -> bytes:
    """A SavedModel: schema version, then one MetaGraphDef with a graph and its functions."""
    graph = b"".join(text(1, node(name)) for name in operators) + text(4, count(1, 1482))
    functions = text(1, text(1, text(1, "f")) + b"".join(text(3, node(name)) for name in library))
    meta = (
        text(1, text(4, "serve"))
        + text(2, graph + text(2, functions))
        + (text(7, metadata) if metadata else b"")
    )
    return count(1, 1) + text(2, meta)


def node(operator: str) -> bytes:
    """A NodeDef."""
    return text(1, f"n_{operator}") + text(2, operator) + text(3, "x")


def gguf(
    template: str = "", *, tensors: int = 1, pairs: int | None = None, offset: int = 0, alignment: int = 32,
    name: str = "token_embd.weight", size: int | None = None, shape: Sequence[int] = (4, 2),
) -> bytes:  # fmt: skip
    """A GGUF file of version 3 with metadata as llama.cpp writes it and one float tensor."""

    def string(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def pair(key: str, kind: int, value: bytes) -> bytes:
        return string(key) + struct.pack("<I", kind) + value

    words = [string(word) for word in ("<s>", "</s>", "hello")]
    metadata = [
        pair("general.architecture", 8, string("llama")),
        pair("general.alignment", 4, struct.pack("<I", alignment)),
        pair("llama.context_length", 4, struct.pack("<I", 2048)),
        pair("llama.rope.freq_base", 6, struct.pack("<f", 10000.0)),
        pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, len(words)) + b"".join(words)),
        pair("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 3) + struct.pack("<3f", 0, 1, 2)),
    ]
    metadata += [pair("tokenizer.chat_template", 8, string(template))] if template else []
    given = len(metadata) if pairs is None else pairs
    head = b"GGUF" + struct.pack("<IQQ", 3, tensors, given) + b"".join(metadata)
    head += string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
    head += struct.pack("<IQ", 0, offset)
    head += bytes(-len(head) % 32)
    return head + bytes(32 if size is None else size)


def hdf5(config: str, *, tail: bytes = b"") -> bytes:
    """The superblock of an HDF5 file and, far behind it, the attribute that Keras keeps a model's description in.

    True to the format in what the scan reads: signature, version 0, end of file, the description as plain text.
    """
    body = bytes(800) + b"model_config\0" + config.encode() + bytes(64)
    end = 96 + len(body)
    head = b"\x89HDF\r\n\x1a\n" + bytes(5) + b"\x08\x08\0" + struct.pack("<HHI", 4, 16, 0)
    head += struct.pack("<QQQQ", 0, 2**64 - 1, end, 2**64 - 1)
    return head.ljust(96, b"\0") + body + tail

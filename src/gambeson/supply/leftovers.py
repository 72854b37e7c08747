"""What a model file holds beyond what serving needs. Files are read, never loaded; pickles are only disassembled."""

from __future__ import annotations

import io
import json
import pickletools
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gambeson.core.finding import Severity
from gambeson.supply.content import Content
from gambeson.supply.private_text import find_traces
from gambeson.supply.protobuf import BYTES, BrokenMessage, Field, Message
from gambeson.supply.sniffing import Format

_MOST_TEXT = 1 << 26
"""Bytes of one member that are read as text."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that the file gives away.

    Attributes:
        kind: ``"optimiser"``, ``"samples"``, ``"path"``, ...
        what: What it is, with examples.
        severity: How bad; INFO where serving needs it all the same.
        remedy: How to be rid of it.
    """

    kind: str
    what: str
    severity: Severity
    remedy: str


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    names: re.Pattern[str]
    says: str
    severity: Severity
    remedy: str


_SAVE_STATE = "save model.state_dict() alone, e.g. safetensors.torch.save_file(model.state_dict(), path)"
_FIT_AGAIN = (
    "release a model that keeps no records (a forest, a linear model, a network), or serve this one yourself"
)
_RULES = (
    _Rule(
        "optimiser",
        re.compile(
            r"(?i)(^|[._/])(exp_avg(_sq)?|momentum_buffer|square_avg|grad_avg|optimi[sz]er\w*|adam\w*)($|[._/])"
        ),
        "state of the optimiser: moments of the last gradients, from which the last batches leak",
        Severity.MEDIUM,
        _SAVE_STATE,
    ),
    _Rule(
        "average",
        re.compile(r"(?i)(^|[._/])(ema\w*|\w*_ema|averaged_model|shadow_params?|teacher)($|[._/])"),
        "a second copy of the weights (a moving average, a teacher): two models of one training tell more than one",
        Severity.LOW,
        "keep the copy that is served",
    ),
    _Rule(
        "samples",
        re.compile(
            r"(?i)(^|[./])(x_train|y_train|train_(data|x|y|set|images|inputs)|samples?|sample_inputs|replay_?buffer"
            r"|memory_bank|dataset|_fit_x|_y|support_vectors_|x_fit_|x_train_|y_train_|_raw_data)($|[./])"
        ),
        "records themselves",
        Severity.HIGH,
        _FIT_AGAIN,
    ),
    _Rule(
        "training",
        re.compile(
            r"(?i)^(args|argv|hparams|hyper_?parameters|config|cfg|training_args|epoch|global_step|iteration|lr_schedulers?"
            r"|scheduler\w*|callbacks|loops|rng_states?|best_\w+|\w*loss\w*|pytorch-lightning_version|commit|git_\w+|host\w*"
            r"|user(name)?)$"
        ),
        "how and where the model was trained",
        Severity.LOW,
        _SAVE_STATE,
    ),
    _Rule(
        "batch norm",
        re.compile(r"(^|\.)(running_mean|running_var)$"),
        "mean and variance of features over the training data; they guide reconstructions of it (DeepInversion, Yin et "
        "al. 2020)",
        Severity.INFO,
        "fold them into the convolutions before: torch.nn.utils.fusion.fuse_conv_bn_eval",
    ),
    _Rule(
        "embedding",
        re.compile(r"(?i)(^|[._/])(\w*embed\w*|wte|item_factors|user_factors)($|[._/])"),
        "a row for each token, item or user: who is in the vocabulary can be told",
        Severity.INFO,
        "leave out rows of rare or personal tokens",
    ),
)


def find_leftovers(data: bytes, kind: Format) -> tuple[Leftover, ...]:
    """What a model file gives away beside its function; nothing for a format that is not known here.

    Args:
        data: The whole content.
        kind: Its format.
    """
    read = _READERS.get(kind)
    if read is None:
        return ()
    names, texts, extra = read(data)
    return (*extra, *_by_name(names), *_by_text(texts))


_Parts = tuple[list[str], list[str], list[Leftover]]
"""Names of what the file holds, texts in it, and what its reader found itself."""


def _by_name(names: Iterable[str]) -> Iterator[Leftover]:
    names = list(dict.fromkeys(names))
    for rule in _RULES:
        hits = [name for name in names if rule.names.search(name)]
        if hits:
            shown = ", ".join(map(repr, hits[:3])) + (f" and {len(hits) - 3} more" if len(hits) > 3 else "")
            yield Leftover(rule.kind, f"{rule.says}: {shown}", rule.severity, rule.remedy)


_OF_TEXT = {
    "secret": (Severity.HIGH, "what looks like a secret", "revoke it, then save the model without it"),
    "address": (Severity.MEDIUM, "e-mail addresses", "clear the metadata of the file"),
    "path": (
        Severity.LOW,
        "paths of the machine that made it",
        "clear the metadata of the file; export in a container",
    ),
}


def _by_text(texts: Iterable[str]) -> Iterator[Leftover]:
    traces = find_traces(texts)
    for kind, (severity, says, remedy) in _OF_TEXT.items():
        shown = [trace.shown for trace in traces if trace.kind == kind]
        if shown:
            more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
            yield Leftover(kind, f"{says}: {', '.join(shown[:3])}{more}", severity, remedy)


def _safetensors(data: bytes) -> _Parts:
    length = int.from_bytes(data[:8], "little")
    header = _json(data[8 : 8 + min(length, _MOST_TEXT)])
    header = header if isinstance(header, dict) else {}
    notes = header.pop("__metadata__", {})
    notes = notes if isinstance(notes, dict) else {}
    found = [Leftover("metadata", f"notes in the header: {', '.join(map(repr, list(notes)[:5]))}", Severity.INFO,
                      "save without the argument metadata")] if set(notes) - {"format"} else []  # fmt: skip
    return [*header, *notes], [f"{key}: {value}" for key, value in notes.items()] + list(header), found


def _torch_zip(data: bytes) -> _Parts:
    names, texts = [], []
    for _, text in _members(data, r"(.*/)?data\.pkl"):
        for string in _strings_of_pickle(text):
            names.append(string)
            texts.append(string)
    return names, texts, []


def _torch_export(data: bytes) -> _Parts:
    names, texts, found = [], [], []
    for member, content in _members(data, r".*"):
        if re.search(r"sample_inputs/.+", member) and content:
            found.append(Leftover(
                "samples", f"the example that the model was exported with ({member}, {len(content)} bytes)",
                Severity.LOW, "export with random numbers as the example, not with a record",
            ))  # fmt: skip
        if member.endswith(".json"):
            texts.append(content.decode("utf-8", "replace"))
        if member.endswith("weights_config.json"):
            names += re.findall(r'"([\w.]+)":\s*\{', texts[-1])
    return names, texts, found


def _skops(data: bytes) -> _Parts:
    for _, content in _members(data, r"schema\.json"):
        text = content.decode("utf-8", "replace")
        return re.findall(r'"([A-Za-z_]\w*)":\s*\{', text), [text], []
    return [], [], []


# Field numbers of onnx.ModelProto, GraphProto, FunctionProto and NodeProto; onnx/onnx.proto.
_MODEL_TEXTS, _MODEL_GRAPH, _MODEL_NOTES, _MODEL_TRAINING, _MODEL_FUNCTIONS = (2, 6), 7, 14, 20, 25
_GRAPH_NODE, _GRAPH_WEIGHT, _GRAPH_TEXT = 1, 5, 10
_FUNCTION_NODE, _FUNCTION_TEXT = 7, 8
_NODE_TEXT, _NODE_NOTES = 6, 9
_TENSOR_NAME = 8


def _onnx(data: bytes) -> _Parts:
    names: list[str] = []
    texts: list[str] = []
    beside: list[str] = []
    found: list[Leftover] = []
    try:
        for part, field in _fields(Message(Content(data))):
            if field.number in _MODEL_TEXTS:
                texts.append(part.text(field, _MOST_TEXT))
            elif field.number == _MODEL_NOTES:
                names.append(_note(part.inner(field))[0])
                texts.append(": ".join(_note(part.inner(field))))
            elif field.number == _MODEL_TRAINING:
                found.append(Leftover("training", "training_info: graph and state of training", Severity.MEDIUM,
                                      "model.ClearField('training_info')"))  # fmt: skip
            elif field.number == _MODEL_GRAPH:
                names += _weights(part.inner(field))
                beside += _beside(part.inner(field), _GRAPH_NODE, _GRAPH_TEXT)
            elif field.number == _MODEL_FUNCTIONS:
                beside += _beside(part.inner(field), _FUNCTION_NODE, _FUNCTION_TEXT)
    except BrokenMessage:  # opening the model reports it
        pass
    if beside:
        found.append(Leftover("source", "texts beside the operators (stack traces, names of modules)", Severity.INFO,
                              "clear doc_string and metadata_props of every node"))  # fmt: skip
    return names, texts + beside, found


def _fields(message: Message) -> Iterator[tuple[Message, Field]]:
    """Fields with content of their own."""
    return ((message, field) for field in message.fields() if field.wire == BYTES)


def _note(entry: Message) -> tuple[str, str]:
    """Key and value of a StringStringEntryProto."""
    said = {field.number: part.text(field, _MOST_TEXT) for part, field in _fields(entry)}
    return said.get(1, ""), said.get(2, "")


def _weights(graph: Message) -> Iterator[str]:
    for part, field in _fields(graph):
        if field.number == _GRAPH_WEIGHT:
            tensor = part.inner(field)
            yield from (t.text(name) for t, name in _fields(tensor) if name.number == _TENSOR_NAME)


def _beside(graph: Message, node: int, text: int) -> Iterator[str]:
    """What is written beside a graph and its operators."""
    for part, field in _fields(graph):
        if field.number == text and field.end > field.start:
            yield part.text(field, _MOST_TEXT)
        elif field.number == node:
            for inside, item in _fields(part.inner(field)):
                if item.number == _NODE_TEXT and item.end > item.start:
                    yield inside.text(item, _MOST_TEXT)
                elif item.number == _NODE_NOTES:
                    yield ": ".join(_note(inside.inner(item)))


def _lightgbm(data: bytes) -> _Parts:
    text = data[:_MOST_TEXT].decode("utf-8", "replace")
    said = re.findall(
        r"^\[(data|valid|input_model|output_model|machines|machine_list_filename): (.+)\]", text, re.MULTILINE
    )
    found = [Leftover("path", f"training parameter {key}: {value[:100]}", Severity.LOW,
                      "cut the section 'parameters:' off, or train from arrays") for key, value in said]  # fmt: skip
    if re.search(r"^feature_infos=.*\[", text, re.MULTILINE):
        found.append(Leftover("ranges", "smallest and largest training value of every feature (feature_infos)",
                              Severity.INFO, "clip features before training"))  # fmt: skip
    return [], [text], found


def _plain_text(data: bytes) -> _Parts:
    texts = re.findall(rb"[ -~]{6,}", data[:_MOST_TEXT])
    return [], [text.decode("ascii") for text in texts], []


def _members(data: bytes, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Members of a zip archive whose names match; what cannot be read is skipped: opening the model reports it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for item in archive.infolist():
                if re.fullmatch(pattern, item.filename) and item.file_size <= _MOST_TEXT:
                    yield item.filename, archive.read(item)
    except (
        zipfile.BadZipFile,
        ValueError,
        struct.error,
        NotImplementedError,
        OSError,
        OverflowError,
        EOFError,
    ):
        return


def _strings_of_pickle(data: bytes) -> Iterator[str]:
    """Every text that a pickle holds, by reading its opcodes; nothing of it is executed."""
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if "UNICODE" in opcode.name and isinstance(argument, str):
                yield argument
    except Exception:  # any garbage: the parser raises whatever its argument readers raise
        return


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


_READERS: dict[Format, Callable[[bytes], _Parts]] = {
    Format.SAFETENSORS: _safetensors,
    Format.TORCH_ZIP: _torch_zip,
    Format.TORCH_EXPORT: _torch_export,
    Format.ONNX: _onnx,
    Format.SKOPS: _skops,
    Format.LIGHTGBM: _lightgbm,
    Format.JSON: _plain_text,
    Format.UBJSON: _plain_text,
}

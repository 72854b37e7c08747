"""Loading a ``torch.export`` program (``.pt2``) without trusting the file.

``torch.export.load`` unpickles example inputs, odd constants and legacy weights with ``weights_only=False``
when it must, and loads native code if the archive holds any. So the archive is read with torch's own
reader, only the records listed here are let through, and what torch then loads is an archive rebuilt from
exactly these.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from gambeson.core.errors import GambesonError, Refused, Unavailable
from gambeson.models.export_rules import check_words, checked_program
from gambeson.models.model_file import ModelFile, damaged

_PROGRAM = "models/model.json"
_INPUTS = "data/sample_inputs/model.pt"
_CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_ALLOWED = re.compile(r"data/weights/weight_\d+|data/constants/tensor_\d+")
_BOOKKEEPING = re.compile(r"archive_format|archive_version|byteorder|\.data/\w+|extra/.*")
_REMEDY = (
    "export the model again: torch.export.save(torch.export.export(model.eval(), (x,), "
    "dynamic_shapes=({0: torch.export.Dim('batch')},)), 'model.pt2')"
)


@dataclass(frozen=True, slots=True)
class Program:
    """A loaded program.

    Attributes:
        module: Runs it; parameters are frozen.
        shape: Shape of its input without the batch axis; ``None`` for an axis of any size.
        batch: Rows that one call takes, or ``None`` for any number.
    """

    module: nn.Module
    shape: tuple[int | None, ...]
    batch: int | None


def load_program(file: ModelFile) -> Program:
    """Check and load an exported program.

    Raises:
        Refused: The archive holds pickled objects, native code, or strings that would become code.
        IntegrityError: The archive is truncated or damaged.
        Unavailable: torch is older than 2.9, which cannot read this archive.
    """
    records = _checked_records(file)
    try:
        from torch.export.pt2_archive import _package
    except ImportError as error:
        raise Unavailable(
            "This torch cannot read .pt2 archives.",
            expected="torch 2.9 or newer",
            remedy="pip install -U torch",
        ) from error
    try:
        # load_pt2, not torch.export.load: that one falls back to unpickling an older layout
        exported = _package.load_pt2(io.BytesIO(_rebuild(records))).exported_programs["model"]
        return _to_program(file, exported)
    except GambesonError:
        raise
    except Exception as error:
        raise damaged(file.name, "a torch.export program", error) from error


def _checked_records(file: ModelFile) -> dict[str, bytes]:
    """The records to load, each held to its rule."""
    records = _read_records(file)
    missing = [name for name in (_PROGRAM, _INPUTS, *_CONFIGS) if name not in records]
    if missing:
        raise Refused(
            f"{file.name!r} holds no {missing[0]}: it is no archive of torch 2.9 or newer.",
            expected="an archive that torch.export.save wrote; older layouts keep weights in pickles",
            remedy=_REMEDY,
        )
    try:
        configs = {name: json.loads(records[name]) for name in _CONFIGS}
        program = json.loads(records[_PROGRAM])
        if not isinstance(program, dict):
            raise ValueError("the program is no JSON object")
    except (ValueError, RecursionError) as error:
        raise damaged(file.name, "a torch.export program", error) from error
    for config in configs.values():
        _check_payloads(file.name, config)
    _check_inputs(file.name, records[_INPUTS])
    return {**records, _PROGRAM: json.dumps(checked_program(file.name, program)).encode()}


def _read_records(file: ModelFile) -> dict[str, bytes]:
    try:
        reader = torch._C.PyTorchFileReader(io.BytesIO(file.data))
        names = reader.get_all_records()
        records = {n: reader.get_record(n) for n in names if not _BOOKKEEPING.fullmatch(n)}
    except Exception as error:
        raise damaged(file.name, "a torch.export program", error) from error
    for name in records:
        if name not in (_PROGRAM, _INPUTS, *_CONFIGS) and not _ALLOWED.fullmatch(name):
            raise Refused(
                f"{file.name!r} holds {name!r}, which is a pickle, native code or unknown.",
                expected="one program, its weights and its tensor constants",
                remedy=_REMEDY,
            )
    return records


def _check_payloads(name: str, config: Any) -> None:
    """No weight or constant may ask to be unpickled."""
    check_words(name, config)
    entries = config.get("config") if isinstance(config, dict) else None
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise damaged(name, "a torch.export program", ValueError("its list of weights has another layout"))
    for key, entry in entries.items():
        if entry.get("use_pickle") is not False:
            raise Refused(
                f"The tensor {key!r} of {name!r} is stored as a pickle.",
                expected="plain dense tensors",
                remedy="turn sparse or quantised tensors into dense ones, then " + _REMEDY,
            )


def _check_inputs(name: str, data: bytes) -> None:
    """Example inputs must load as plain tensors: torch would otherwise fall back to unpickling them."""
    try:
        torch.load(io.BytesIO(data), weights_only=True)
    except Exception as error:
        raise Refused(
            f"The example inputs of {name!r} are a pickle of more than tensors: {type(error).__name__}.",
            expected="a tuple of tensors",
            remedy=_REMEDY,
        ) from error


def _rebuild(records: dict[str, bytes]) -> bytes:
    from torch.export.pt2_archive import PT2ArchiveWriter

    buffer = io.BytesIO()
    with PT2ArchiveWriter(buffer) as writer:
        for name, data in records.items():
            writer.write_bytes(name, data)
    return buffer.getvalue()


def _to_program(file: ModelFile, exported: ExportedProgram) -> Program:
    inputs = exported.graph_signature.user_inputs
    if len(inputs) != 1:
        raise Refused(
            f"The program in {file.name!r} takes {len(inputs)} inputs.",
            expected="one input, a batch of samples",
        )
    node = next(node for node in exported.graph.nodes if node.name == inputs[0])
    sizes = [size if isinstance(size, int) else None for size in node.meta["val"].shape]
    module = exported.module()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return Program(module, tuple(sizes[1:]), sizes[0] if sizes else None)

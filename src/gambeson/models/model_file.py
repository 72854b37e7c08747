"""A model file: read once, digested, and held to what its name and the rules allow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.core.finding import Severity
from gambeson.core.reproduce import digest_bytes
from gambeson.supply.scan_rules import is_damage
from gambeson.supply.scanning import scan_bytes
from gambeson.supply.sniffing import Format, sniff

SUFFIXES = {
    ".pt2": Format.TORCH_EXPORT,
    ".safetensors": Format.SAFETENSORS,
    ".pt": Format.TORCH_ZIP,
    ".pth": Format.TORCH_ZIP,
    ".onnx": Format.ONNX,
    ".skops": Format.SKOPS,
    ".json": Format.JSON,
    ".ubj": Format.UBJSON,
    ".txt": Format.LIGHTGBM,
}
"""What a file called so must contain."""

READABLE = (
    ".pt2 (torch.export), .safetensors or a state dict in .pt with --factory, .onnx, .skops (scikit-learn), "
    ".json or .ubj (XGBoost), .txt (LightGBM), or python:package.module:function"
)

SAFE_FORMATS = (
    "PyTorch: torch.export.save(program, 'model.pt2') or safetensors.torch.save_file(model.state_dict(), "
    "'model.safetensors') with --factory; scikit-learn: skops.io.dump(estimator, 'model.skops'); "
    "XGBoost: booster.save_model('model.ubj'); LightGBM: booster.save_model('model.txt'); "
    "any of them: convert to ONNX"
)

_PICKLES = {Format.PICKLE, Format.LEGACY_TORCH, Format.ZLIB}
_EXPORT_AGAIN = {
    Format.TORCH_SCRIPT: "TorchScript code cannot be checked before it runs",
    Format.HDF5: "Keras and HDF5 models are not read",
    Format.KERAS: "Keras models are not read and may hold Python code",
    Format.GZIP: "compressed files are not read, and joblib writes pickles like this",
}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The very bytes that are digested, checked and then loaded.

    Attributes:
        name: The path as the caller gave it.
        path: The same as a path.
        data: The whole content.
        digest: ``sha256:<hex>`` of ``data``.
        format: What the content seems to be.
    """

    name: str
    path: Path
    data: bytes
    digest: str
    format: Format


def read_model_file(name: str) -> ModelFile:
    """Read a model file once and refuse what must not be loaded.

    Args:
        name: Path of the file.

    Raises:
        UsageError: There is no such file, or it cannot be read.
        IntegrityError: The file is empty, or its content is not what its extension says.
        Refused: It is a pickle or another format whose loading would run code.
    """
    path = Path(name)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"The model file {name!r} does not exist.", expected=READABLE, remedy="check the path"
        ) from None
    except OSError as error:
        raise UsageError(
            f"The model file {name!r} cannot be read: {error.strerror}.", expected=f"a file: {READABLE}"
        ) from error
    file = ModelFile(name, path, data, digest_bytes([data]), sniff(data))
    _refuse_unsafe(file)
    _check_suffix(file)
    return file


def _refuse_unsafe(file: ModelFile) -> None:
    if file.format is Format.EMPTY:
        raise IntegrityError(
            f"The model file {file.name!r} is empty.", expected=READABLE, remedy="copy the file again"
        )
    if file.format in _PICKLES:
        raise Refused(
            f"{file.name!r} is {file.format.value}: loading it could run any code, so it is never loaded.",
            expected=READABLE,
            remedy=f"save the model again in a safe format where it was made. {SAFE_FORMATS}",
        )
    if reason := _EXPORT_AGAIN.get(file.format):
        raise Refused(
            f"{file.name!r} is {file.format.value}: {reason}.", expected=READABLE, remedy=SAFE_FORMATS
        )


def _check_suffix(file: ModelFile) -> None:
    wanted = SUFFIXES.get(file.path.suffix.lower())
    if wanted is None or file.format is wanted:
        return
    raise IntegrityError(
        f"{file.name!r} is named like {wanted.value}, but its content seems to be {file.format.value}.",
        expected=f"{wanted.value}, whole and uncompressed",
        remedy="if the copy was cut off, copy it again; otherwise give the file its true extension",
    )


def check_findings(file: ModelFile) -> None:
    """Scan the very bytes that will be loaded.

    Raises:
        Refused: There is a finding of high severity or worse.
        IntegrityError: The worst that was found is that the file is broken.
    """
    found = scan_bytes(file.data, file.name, path=file.path)
    severe = [item for item in found if item.severity.rank >= Severity.HIGH.rank]
    if not severe:
        return
    hostile = [item for item in severe if not is_damage(item.check)]
    first = (hostile or severe)[0]
    more = f" There are {len(severe) - 1} more findings: gambeson scan lists them." if len(severe) > 1 else ""
    kind = Refused if hostile else IntegrityError
    word = "is not safe to load" if hostile else "is truncated or damaged"
    raise kind(
        f"{file.name!r} {word}: {first.title} ({first.check} at {first.target}).{more}",
        expected=f"a file in which a scan finds nothing of high severity: {READABLE}",
        remedy=first.remedy,
    )


def damaged(name: str, what: str, error: BaseException) -> IntegrityError:
    """The one way to say that a library could not parse a file.

    Args:
        name: The file.
        what: What it should have been, e.g. ``"an ONNX model"``.
        error: What the library said.
    """
    reason = str(error).partition("Stack trace")[0]  # XGBoost appends its own
    said = " ".join(reason.split())[:200]
    return IntegrityError(
        f"{name!r} is truncated or damaged: it cannot be read as {what} ({type(error).__name__}: {said}).",
        expected=f"the complete file as it was saved: {what}",
        remedy="compare its size or checksum with the original and copy it again",
    )

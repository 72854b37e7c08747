"""Data in ``.npz`` archives: arrays of features or pictures, or encoded pictures end to end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import digest_file
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Kind, Schema
from gambeson.data.sources.array_rows import ArrayRows
from gambeson.data.sources.content import Content, require_content
from gambeson.data.sources.declaring import declare
from gambeson.data.sources.encoded_pictures import EncodedRows
from gambeson.data.sources.features import make_features, name_columns, require_columns
from gambeson.data.sources.labels import number_arrays
from gambeson.data.sources.npy_members import NpzFile
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.splits import RowSplit, divide_as_asked
from gambeson.data.validation import require_rows, survey

_SPLITS = ("train", "test", "val")
_FEATURES = ("x", "images", "data", "features")
_LABELS = ("y", "labels", "target", "targets")
_ENCODED = {"bytes", "offsets"}

_OPTIONS = ("label", "classes", "low", "high", "scale", "test_fraction", "split_seed", "max_pixels")
_TABLE_OPTIONS = (
    "label", "classes", "low", "high", "freeze", "names", "test_fraction", "split_seed", "relations", "one_hot",
    "sensitive", "confidential",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """Names of the arrays that make up a split; ``split`` is empty where the archive has none."""

    split: str
    features: str
    labels: str


def open_npz(path: Path, options: DataOptions) -> Dataset:
    """Open an archive with ``x_train``/``y_train``/``x_test``/``y_test``, or ``x``/``y``.

    Pictures may also come encoded: ``bytes`` (JPEG or PNG files end to end), ``offsets`` (n + 1) and labels.

    Raises:
        UsageError: Missing arrays, shapes that do not fit, NaN, values out of bounds, impossible labels.
        IntegrityError: The file is no intact ``.npz`` archive.
        Refused: It holds Python objects or is a pickle.
        Unavailable: It does not fit into the temporary folder.
    """
    require_content(path, Content.ZIP)
    archive = NpzFile(path)
    parts = _layout(archive, options)
    readers = {part.split: _reader(archive, part, options) for part in parts}
    shapes = {reader.shape for reader in readers.values()}
    if len(shapes) > 1:
        raise UsageError(f"The splits of {path} hold inputs of different shapes: {sorted(shapes)}.")
    labels = {part.split: archive.array(part.labels) for part in parts}
    _require_same_length(path, readers, labels)
    classes, numbers = number_arrays(str(path), labels, options.classes)
    splits = {split: RowSplit.of_all(readers[split], numbers[split]) for split in readers}
    schema = _schema(str(path), splits, list(readers.values()), classes, options)
    drawn = ""
    if "" in splits:
        splits, drawn = divide_as_asked(splits[""], options, str(path))
    else:
        options.refuse_division(str(path))
    return Dataset(str(path), schema, splits, digest_file(path), drawn)


def _layout(archive: NpzFile, options: DataOptions) -> list[_Part]:
    """Which arrays belong together."""
    names = {name.lower(): name for name in archive.names}
    labels = next((names[word] for word in _LABELS if word in names), None)
    if options.label is not None:
        if options.label not in archive.names:
            raise _wrong_arrays(archive, f"has no array {options.label!r}")
        labels = options.label
    if labels and set(names) >= _ENCODED:
        return [_Part("", names["bytes"], labels)]
    parts = [part for split in _SPLITS if (part := _split_part(archive, names, split))]
    if parts and options.label is None:
        return parts
    features = next((names[word] for word in _FEATURES if word in names and names[word] != labels), None)
    if features is None or labels is None:
        raise _wrong_arrays(archive, "holds no features with labels")
    return [_Part("", features, labels)]


def _split_part(archive: NpzFile, names: Mapping[str, str], split: str) -> _Part | None:
    features = next((names[n] for word in _FEATURES if (n := f"{word}_{split}") in names), None)
    features = features or names.get(f"{split}_images")
    labels = next((names[n] for word in _LABELS if (n := f"{word}_{split}") in names), None)
    labels = labels or names.get(f"{split}_labels")
    if (features is None) != (labels is None):
        raise _wrong_arrays(archive, f"has {features or labels!r} without its counterpart")
    return _Part(split, features, labels) if features and labels else None


def _wrong_arrays(archive: NpzFile, problem: str) -> UsageError:
    found = ", ".join(archive.names[:20]) or "no arrays"
    return UsageError(
        f"{archive.path} {problem}; it holds {found}.",
        expected="x_train, y_train, x_test and y_test; or x and y; or bytes, offsets and labels",
        remedy="rename the arrays, or name the labels with label=...",
    )


def _reader(archive: NpzFile, part: _Part, options: DataOptions) -> ArrayRows | EncodedRows:
    name = f"The array {part.features!r} of {archive.path}"
    if part.features.lower() != "bytes":
        return ArrayRows.of(name, archive.array(part.features), scale=options.scale)
    offsets = next(n for n in archive.names if n.lower() == "offsets")
    return EncodedRows.of(str(archive.path), archive.array(part.features), archive.array(offsets), options)


def _require_same_length(
    path: Path, readers: Mapping[str, ArrayRows | EncodedRows], labels: Mapping[str, np.ndarray]
) -> None:
    for split, reader in readers.items():
        rows = len(reader.array) if isinstance(reader, ArrayRows) else len(reader)
        given = labels[split].shape[0] if labels[split].ndim else 0
        require_rows(str(path), split, rows)
        if rows != given:
            where = f" in split {split!r}" if split else ""
            raise UsageError(f"{path} has {rows} rows of features{where} but {given} labels.")


def _schema(
    source: str,
    splits: Mapping[str, RowSplit],
    readers: list[ArrayRows | EncodedRows],
    classes: tuple[str, ...],
    options: DataOptions,
) -> Schema:
    shape = readers[0].shape
    arrays = [reader.array for reader in readers if isinstance(reader, ArrayRows)]
    if len(shape) == 1:
        options.require_only("a table in an .npz archive", _TABLE_OPTIONS)
        return _table_schema(source, splits, arrays, classes, options)
    options.require_only("pictures in an .npz archive", _OPTIONS)
    bytewise = {array.dtype == np.uint8 for array in arrays} or {True}
    if len(bytewise) > 1:
        raise UsageError(f"Some pictures of {source} are uint8 and others are not.", remedy="store one type")
    low, high = 0.0, 255.0 / readers[0].divisor
    if bytewise == {False} or (options.low, options.high) != (None, None):
        least, most = survey(source, splits, shape, low=options.low, high=options.high)
        if bytewise == {False}:
            low, high = _float_bounds(float(least.min()), float(most.max()))
    low = low if options.low is None else options.low
    high = high if options.high is None else options.high
    return Schema(shape, classes, low, high)


def _float_bounds(least: float, most: float) -> tuple[float, float]:
    """[0, 1] for values within it, else their range."""
    return (0.0, 1.0) if least >= 0 and most <= 1 else (least, most)


def _table_schema(
    source: str,
    splits: Mapping[str, RowSplit],
    arrays: list[np.ndarray],
    classes: tuple[str, ...],
    options: DataOptions,
) -> Schema:
    width = math.prod(arrays[0].shape[1:])
    names = name_columns(source, width, options.names)
    require_columns(source, "freeze", options.freeze, names)
    ranges = survey(source, splits, (width,), names=names, low=options.low, high=options.high)
    whole = all(array.dtype.kind in "biu" for array in arrays)
    kinds = [Kind.INTEGER if whole else Kind.NUMERIC] * width
    features = make_features(names, kinds, [()] * width, ranges, options)
    low, high = min(f.low for f in features), max(f.high for f in features)
    return declare(source, Schema((width,), classes, low, high, features), splits, options)

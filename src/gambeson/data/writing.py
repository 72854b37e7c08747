"""Writing a dataset so that it opens again as what it was: pictures and arrays as .npz, tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np

from gambeson.data.schema import Feature, Kind, Schema

LABEL, SPLIT = "label", "split"
"""Columns of a written table that hold the class and the split of each row."""

Rows = tuple[np.ndarray, np.ndarray]
"""(n, *shape) float32 in input units and (n,) int64 labels."""


def to_npz(schema: Schema, splits: Mapping[str, Rows]) -> bytes:
    """The archive of pictures or of a plain array, with ``x_<split>`` and ``y_<split>``.

    Pictures whose bounds are [0, 1] or [0, 255] are stored as bytes; what lies between two of them is rounded, as in
    any picture file.

    Args:
        schema: Shape, bounds and classes.
        splits: Rows by split.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, (x, y) in splits.items():
        arrays[f"x_{name}"] = as_bytes(schema, x) if stored_as_bytes(schema) else np.asarray(x, np.float32)
        arrays[f"y_{name}"] = _labels(schema, y)
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def to_csv(schema: Schema, splits: Mapping[str, Rows]) -> str:
    """The table as text, columns in order, then ``label`` and ``split``.

    It opens again with the options ``label=label`` and ``split=split``.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*(feature.name for feature in schema.features), LABEL, SPLIT])
    for name, (x, y) in splits.items():
        columns = [_texts(feature, x[:, place]) for place, feature in enumerate(schema.features)]
        labels = [schema.classes[int(label)] for label in y]
        writer.writerows([*row, name] for row in zip(*columns, labels, strict=True))
    return stream.getvalue()


def stored_as_bytes(schema: Schema) -> bool:
    """Whether a picture's values stand for bytes."""
    return schema.is_image and (schema.low, schema.high) in ((0.0, 1.0), (0.0, 255.0))


def as_bytes(schema: Schema, x: np.ndarray) -> np.ndarray:
    """(n, C, H, W) uint8 of pictures in input units."""
    return np.asarray(np.clip(np.rint(x * np.float32(255 / schema.high)), 0, 255), np.uint8)


def rounded(schema: Schema, x: np.ndarray) -> np.ndarray:
    """Inputs as they are read again once they were written, float32."""
    if not stored_as_bytes(schema):
        return x
    return as_bytes(schema, x).astype(np.float32) / np.float32(255 / schema.high)


def _labels(schema: Schema, y: np.ndarray) -> np.ndarray:
    if schema.classes == tuple(map(str, range(len(schema.classes)))):
        return np.asarray(y, np.int64)
    return np.array([schema.classes[int(label)] for label in y])


def _texts(feature: Feature, column: np.ndarray) -> list[str]:
    if feature.kind is Kind.CATEGORICAL:
        return [feature.categories[int(code)] for code in column]
    if feature.kind is Kind.INTEGER:
        return [str(int(value)) for value in column]
    return [np.format_float_positional(value, trim="-") for value in column.astype(np.float32)]

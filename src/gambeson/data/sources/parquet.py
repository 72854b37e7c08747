"""Tables in Parquet files, read batch by batch through pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gambeson.core.errors import GambesonError, IntegrityError, UsageError, missing_extra
from gambeson.data.dataset import Dataset
from gambeson.data.sources import tables
from gambeson.data.sources.columns import Values
from gambeson.data.sources.content import Content, require_content
from gambeson.data.sources.features import name_columns
from gambeson.data.sources.options import DataOptions

_INDEX = "__index_level_0__"
_OPTIONS = tuple(option for option in tables.OPTIONS if option != "names")


def open_parquet(path: Path, options: DataOptions) -> Dataset:
    """Open a Parquet file of numbers, truth values and texts.

    Text and dictionary columns are categorical, a null in one a category of its own.

    Raises:
        UsageError: Columns of other types, nulls among numbers, and all that ``build_table`` raises.
        IntegrityError: The file is damaged or no Parquet file.
        Refused: The file is a pickle.
        Unavailable: pyarrow is not installed.
    """
    options.require_only("a Parquet file", _OPTIONS)
    require_content(path, Content.PARQUET)
    with _opened(path) as file:
        fields = list(file.schema_arrow)
    names = name_columns(str(path), len(fields), [field.name for field in fields])
    if _INDEX in names and _INDEX not in options.drop:
        raise UsageError(
            f"{path} holds the row index of a pandas table as column {_INDEX!r}.",
            remedy=f"write the file with index=False, or leave the column out with drop={_INDEX}",
        )
    kinds = {field.name: _kind(path, field) for field in fields if field.name not in options.drop}
    texts = frozenset(name for name, kind in kinds.items() if kind == "text")

    def chunks(also: frozenset[str]) -> Iterator[tables.Chunk]:
        return _chunks(path, names, kinds, texts | also)

    return tables.build_table(tables.TableFile(path, names, "row", chunks, texts), options)


def _kind(path: Path, field: Any) -> str:
    """``"text"`` or ``"number"``."""
    import pyarrow.types as types

    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if types.is_dictionary(field.type) or types.is_string(kind) or types.is_large_string(kind):
        return "text"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind):
        return "number"
    raise UsageError(
        f"Column {field.name!r} of {path} is of type {field.type}.",
        expected="numbers, truth values or texts",
        remedy=f"convert it, or leave it out with drop={field.name}",
    )


def _chunks(
    path: Path, names: tuple[str, ...], kinds: dict[str, str], texts: frozenset[str]
) -> Iterator[tables.Chunk]:
    start = 0
    with _opened(path) as file:
        for batch in file.iter_batches(max(1, tables.CELLS // len(names)), columns=list(kinds)):
            if batch.num_rows == 0:
                continue
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            yield (
                [_values(columns[name], name in texts) if name in columns else () for name in names],
                range(start, start + batch.num_rows),
            )
            start += batch.num_rows


def _values(column: Any, as_text: bool) -> Values:
    """Cells as texts, a null as the empty one; or as integers or float64, a null as NaN."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if as_text:
        return [text or "" for text in column.cast(pa.string()).to_pylist()]
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if not pa.types.is_integer(column.type):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy(zero_copy_only=False))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise missing_extra("pyarrow", "data") from None
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except GambesonError:
        raise
    except Exception as error:  # hostile bytes make pyarrow raise nearly anything
        raise IntegrityError(
            f"{path} is cut off or damaged: {error}.",
            expected="an intact Parquet file",
            remedy="copy or create the file again",
        ) from None

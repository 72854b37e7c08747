"""From chunks of table cells to a dataset: one pass learns the columns, a second one writes their numbers.

The numbers go to a memory-mapped temporary file, so that memory holds one chunk and the labels only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import digest_file
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Kind, Schema
from gambeson.data.sources.array_rows import ArrayRows
from gambeson.data.sources.columns import Column, Places, Values
from gambeson.data.sources.declaring import declare
from gambeson.data.sources.features import make_features, require_columns
from gambeson.data.sources.labels import MOST_CLASSES, number_texts
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.splits import RowSplit, divide_as_asked
from gambeson.data.sources.spool import Spool
from gambeson.data.validation import require_rows, survey

CELLS = 1 << 18
"""Cells in a chunk, about: some 20 MiB as Python texts."""

OPTIONS = (
    "label", "classes", "low", "high", "freeze", "categorical", "drop", "names", "split", "missing",
    "test_fraction", "split_seed", "relations", "one_hot", "sensitive", "confidential",
)  # fmt: skip

Chunk = tuple[Sequence[Values], Sequence[int]]
"""Columns of some rows, and where each row stands in the file."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table that can be read as often as needed.

    Attributes:
        path: The file; ``digest_file`` of it is the digest of the dataset.
        names: Column names.
        word: What a place in the file is called: ``"line"`` or ``"row"``.
        chunks: Reads the file from its beginning; texts for the columns named in the argument.
        typed_texts: Columns that the file itself declares to be texts.
    """

    path: Path
    names: tuple[str, ...]
    word: str
    chunks: Callable[[frozenset[str]], Iterator[Chunk]]
    typed_texts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Roles:
    """Which column is what; dropped columns have no role and are never looked at."""

    label: str
    split: str | None
    features: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return (self.label,) if self.split is None else (self.label, self.split)


def build_table(table: TableFile, options: DataOptions) -> Dataset:
    """Read a table into a dataset.

    Raises:
        UsageError: Columns that do not exist, no rows, missing or non-finite numbers, impossible labels.
        IntegrityError: The file changed while it was read.
        Unavailable: The temporary folder has no room.
    """
    source = str(table.path)
    roles = _roles(table, options)
    columns = _learn(table, roles, options)
    names = f"Column {roles.label!r} of {source}"
    classes, numbers = number_texts(names, columns[roles.label].ordered, options.classes)
    x, codes = _encode(table, roles, columns)
    y = np.array([numbers[text] for text in columns[roles.label].ordered], np.int64)[codes[roles.label]]
    whole = RowSplit.of_all(ArrayRows(x), y)
    schema = _schema(source, whole, [columns[name] for name in roles.features], classes, options)
    drawn = ""
    if roles.split is None:
        splits, drawn = divide_as_asked(whole, options, source)
    else:
        options.refuse_division(source)
        splits = {
            name: replace(whole, rows=np.flatnonzero(codes[roles.split] == code))
            for code, name in enumerate(columns[roles.split].ordered)
        }
    return Dataset(source, schema, splits, digest_file(table.path), drawn)


def _roles(table: TableFile, options: DataOptions) -> _Roles:
    source = str(table.path)
    require_columns(source, "drop", options.drop, table.names)
    names = tuple(name for name in table.names if name not in options.drop)
    chosen = {"freeze": options.freeze, "categorical": options.categorical}
    if options.split is not None:
        chosen["split"] = (options.split,)
    for option, given in chosen.items():
        require_columns(source, option, given, names)
    label = _label(table, names, options)
    features = tuple(name for name in names if name not in (label, options.split))
    if not features or label == options.split:
        raise UsageError(
            f"{source} has the columns {', '.join(names)}, which leaves no features or no labels.",
            expected="at least one feature column and the labels",
            remedy="check the options separator, label, split and drop",
        )
    require_columns(source, "freeze", options.freeze, features)
    return _Roles(label, options.split, features)


def _label(table: TableFile, names: tuple[str, ...], options: DataOptions) -> str:
    """Name of the label column: as given by name or number, or the last one."""
    given = options.label
    if given is None:
        return names[-1] if names else ""
    if given not in names and given.removeprefix("-").isdecimal():
        place = int(given)
        if -len(table.names) <= place < len(table.names):
            given = table.names[place]
    require_columns(str(table.path), "label", (given,), names)
    return given


def _learn(table: TableFile, roles: _Roles, options: DataOptions) -> dict[str, Column]:
    """First pass: what each column holds."""
    missing, named = {*options.missing, ""}, {*options.categorical, *table.typed_texts}
    columns = {name: Column(name, missing, name in named) for name in roles.features}
    columns |= {name: Column(name, missing, True, MOST_CLASSES) for name in roles.codes}
    places_of, rows = {name: place for place, name in enumerate(table.names)}, 0
    for cells, numbers in table.chunks(_texts(columns)):
        places = Places(str(table.path), table.word, numbers)
        rows += len(numbers)
        for name, column in columns.items():
            column.observe(cells[places_of[name]], places)
    require_rows(str(table.path), "", rows)
    for column in columns.values():
        column.finish()
    for name in roles.codes:
        if columns[name].gap:
            raise UsageError(
                f"{columns[name].gap}: column {name!r} is missing.",
                expected="a label (and a split, where there is one) in every row",
                remedy="remove the row or fill the value in",
            )
    return columns


def _encode(
    table: TableFile, roles: _Roles, columns: Mapping[str, Column]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Second pass: (n, d) float32 features on disk, and (n,) codes of the label and split columns."""
    codes: dict[str, list[np.ndarray]] = {name: [] for name in roles.codes}
    places_of, rows = {name: place for place, name in enumerate(table.names)}, 0
    with Spool() as spool, np.errstate(over="ignore"):
        for cells, numbers in table.chunks(_texts(columns)):
            block = np.empty((len(numbers), len(roles.features)), np.float32)
            for place, name in enumerate(roles.features):
                block[:, place] = columns[name].encode(cells[places_of[name]])
            spool.write(block)
            rows += len(block)
            for name, parts in codes.items():
                parts.append(columns[name].encode(cells[places_of[name]]).astype(np.int32))
        x = spool.array(np.dtype(np.float32), (rows, len(roles.features)))
    return x, {name: np.concatenate(parts) for name, parts in codes.items()}


def _texts(columns: Mapping[str, Column]) -> frozenset[str]:
    return frozenset(name for name, column in columns.items() if column.categorical)


def _schema(
    source: str, whole: RowSplit, columns: Sequence[Column], classes: tuple[str, ...], options: DataOptions
) -> Schema:
    names = tuple(column.name for column in columns)
    kinds = [column.kind or Kind.NUMERIC for column in columns]
    free = np.array([kind is Kind.CATEGORICAL for kind in kinds])
    low = None if options.low is None else np.where(free, -np.inf, options.low)
    high = None if options.high is None else np.where(free, np.inf, options.high)
    ranges = survey(source, {"": whole}, (len(names),), names=names, low=low, high=high)
    features = make_features(names, kinds, [column.categories for column in columns], ranges, options)
    low_end, high_end = min(f.low for f in features), max(f.high for f in features)
    schema = Schema((len(names),), classes, low_end, high_end, features)
    return declare(source, schema, {"": whole}, options)

"""Tables as text: CSV and its relatives, plain or gzip-compressed, read in chunks."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.sources import tables
from gambeson.data.sources.content import Content, require_content
from gambeson.data.sources.features import name_columns
from gambeson.data.sources.labels import number
from gambeson.data.sources.options import DataOptions

_SEPARATORS = "\t;|,"
"""Tried in this order: a decimal comma or a comma within a text is common, a stray tab is not."""

_PROBE_ROWS = 20
_LONGEST_LINE = 1 << 24


def open_csv(path: Path, options: DataOptions) -> Dataset:
    """Open a table of text. Cells are stripped of blanks, blank lines skipped; the encoding is UTF-8.

    A column is numeric if all its cells are numbers, categorical if none is. The text of a missing value is a
    category of its own in a categorical column and an error in a numeric one.

    Raises:
        UsageError: Rows of different length, not UTF-8, and all that ``build_table`` raises.
        IntegrityError: A compressed file is cut off, or the content is not what the name says.
        Refused: The file is a pickle.
    """
    options.require_only("a CSV file", (*tables.OPTIONS, "header", "separator"))
    packed = path.name.lower().endswith(".gz")
    require_content(path, Content.GZIP if packed else Content.TEXT)
    separator = options.separator or _find_separator(path, packed)
    first = next(_Rows(path, packed, separator).read(), None)
    if first is None:
        raise UsageError(f"{path} has no rows.", expected="at least 1 row")
    cells = first[0]
    has_header = options.header == "first" or (
        options.header == "auto" and all(number(cell) is None for cell in cells)
    )
    given = options.names or (cells if has_header else ())
    names = name_columns(str(path), len(cells), given)
    rows = _Rows(path, packed, separator, len(names), has_header)
    return tables.build_table(tables.TableFile(path, names, "line", lambda texts: rows.chunks()), options)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a file, from its beginning each time.

    ``width`` 0 accepts any number of cells; ``skip_first`` leaves the header out.
    """

    path: Path
    packed: bool
    separator: str
    width: int = 0
    skip_first: bool = False

    def read(self) -> Iterator[tuple[list[str], int]]:
        """Cells of each row and its line number, from 1."""
        with _opened(self.path, self.packed) as text:
            reader = csv.reader(
                _lines(self.path, text), delimiter=self.separator, skipinitialspace=True, strict=True
            )
            try:
                rows = ((row, reader.line_num) for row in reader if row)
                for row, line in islice(rows, int(self.skip_first), None):
                    if self.width and len(row) != self.width:
                        raise self._ragged(line, len(row))
                    yield [cell.strip() for cell in row], line
            except csv.Error as error:
                raise UsageError(
                    f"{self.path}, line {reader.line_num}: {error}.",
                    expected='cells that are quoted with " or not at all',
                    remedy="correct the line",
                ) from None

    def chunks(self) -> Iterator[tables.Chunk]:
        """Columns of some rows at a time, with their line numbers."""
        rows = self.read()
        size = max(1, tables.CELLS // self.width)
        while block := list(islice(rows, size)):
            yield list(zip(*(row for row, _ in block), strict=True)), [line for _, line in block]

    def _ragged(self, line: int, count: int) -> UsageError:
        return UsageError(
            f"{self.path}, line {line} has {count} cells.",
            expected=f"{self.width}, as in the first row, separated by {self.separator!r}",
            remedy="correct the line, or name the separator with separator=...",
        )


def _find_separator(path: Path, packed: bool) -> str:
    """The first candidate that cuts all of the first rows into the same number of cells, above one."""
    with _opened(path, packed) as text:
        lines = list(islice((line for line in _lines(path, text) if line.strip()), _PROBE_ROWS))
    found: dict[str, set[int]] = {}
    for separator in _SEPARATORS:
        found[separator] = {len(row) for row in csv.reader(lines, delimiter=separator) if row}
        if found[separator] and len(found[separator]) == 1 and min(found[separator]) > 1:
            return separator
    # ragged rows: take the one that cuts at all, so that the row at fault is named later
    for separator in reversed(_SEPARATORS):
        if any(count > 1 for count in found[separator]):
            return separator
    raise UsageError(
        f"{path} has one column only, or its separator is none of tab ; | and comma.",
        expected="at least one feature column and the labels",
        remedy="name the separator with separator=..., e.g. separator=space",
    )


def _lines(path: Path, text: TextIO) -> Iterator[str]:
    """Lines of bounded length: one without an end would otherwise fill the memory."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            raise UsageError(f"{path} has a line of over {_LONGEST_LINE:,} characters.", expected="a table")
        yield line


@contextmanager
def _opened(path: Path, packed: bool) -> Iterator[TextIO]:
    """The text of a file; failures while it is read become one error that names it."""
    try:
        opened = cast(BinaryIO, gzip.GzipFile(path)) if packed else path.open("rb")
        with io.TextIOWrapper(opened, "utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text: {error.reason} 0x{error.object[error.start]:02x}.",
            expected="UTF-8",
            remedy="convert it, e.g. iconv -f latin1 -t utf-8",
        ) from None
    except (EOFError, OSError, zlib.error) as error:
        raise IntegrityError(
            f"{path} is cut off or damaged: {error}.", expected="intact data", remedy="copy the file again"
        ) from None

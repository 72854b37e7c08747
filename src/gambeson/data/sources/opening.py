"""One door to every data source: which kind it is, by its name and its first bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.sources.builtin import open_builtin
from gambeson.data.sources.content import Content, content_of
from gambeson.data.sources.image_folder import open_image_folder
from gambeson.data.sources.npz import open_npz
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.parquet import open_parquet
from gambeson.data.sources.table_csv import open_csv

_BUILTIN = "builtin:"
_CSV = (".csv", ".tsv", ".data", ".txt")
_OPENERS: dict[str, Callable[[Path, DataOptions], Dataset]] = {
    ".npz": open_npz,
    ".parquet": open_parquet,
    ".pq": open_parquet,
    **{f"{suffix}{packed}": open_csv for suffix in _CSV for packed in ("", ".gz")},
}
_KINDS = "builtin:<name>, a folder of pictures, " + ", ".join(_OPENERS)


def open_dataset(uri: str | Path, *, options: DataOptions = DataOptions()) -> Dataset:  # noqa: B008 - frozen
    """Open data for reading, after looking at all of it once.

    Features stay on disk and are read in pieces; labels and row numbers are held in memory. Every value has
    been seen: it is finite and within the bounds. Rows come as float32 in input units, pictures channels
    first, a category as the number of its name in ``schema.features[...].categories``.

    Args:
        uri: ``builtin:digits``, ``builtin:breast_cancer``, or the path of an ``.npz`` archive, a CSV file
            (``.csv``, ``.tsv``, ``.data``, ``.txt``, each also with ``.gz``), a Parquet file, or a folder of
            pictures.
        options: How to read it.

    Returns:
        The dataset, with the splits of the source or else with ``train`` and ``test`` rows drawn from it.

    Raises:
        UsageError: It does not exist, or what it holds cannot be used: the message names the place.
        IntegrityError: It is damaged, cut off, or not what its extension says.
        Refused: It is a pickle, holds Python objects, or is a decompression bomb.
        Unavailable: A package is missing, or there is no room to unpack it.
    """
    text = str(uri)
    if text.startswith(_BUILTIN):
        return open_builtin(text.removeprefix(_BUILTIN), options)
    if re.match(r"[a-z][a-z0-9+]+:", text):
        raise UsageError(f"{text} is no file of this machine.", expected=_KINDS, remedy="download it first")
    path = Path(uri)
    if path.is_dir():
        return open_image_folder(path, options)
    name = path.name.lower()
    for suffix, opener in _OPENERS.items():
        if name.endswith(suffix):
            return opener(path, options)
    raise _no_kind(path, content_of(path))


def _no_kind(path: Path, content: Content) -> UsageError:
    return UsageError(
        f"The name {path.name} does not tell what kind of data it is; it holds {content.value}.",
        expected=_KINDS,
        remedy="give it the extension that fits",
    )

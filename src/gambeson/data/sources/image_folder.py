"""Pictures in folders: ``root/class/*.png``, or ``root/train/class/*`` and ``root/test/class/*``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gambeson.core.errors import Refused, UsageError
from gambeson.core.reproduce import digest_file, digest_value
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Schema
from gambeson.data.sources.labels import number_texts
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.pictures import Frame, decode_picture, inspect_picture, require_frame
from gambeson.data.sources.splits import RowSplit, divide_as_asked
from gambeson.data.validation import survey

_SPLITS = ("train", "test", "val")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_OPTIONS = ("classes", "low", "high", "scale", "test_fraction", "split_seed", "max_pixels")


@dataclass(frozen=True, slots=True)
class FileRows:
    """Reads picture files.

    Attributes:
        paths: Files by row.
        frame: Size and mode of every picture.
        divisor: 255 for values in [0, 1], 1 for values in [0, 255].
    """

    paths: tuple[Path, ...]
    frame: Frame
    divisor: float

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The rows, (m, C, H, W) float32.

        Raises:
            IntegrityError: A file cannot be decoded.
            UsageError: It is gone, or of another size than before.
        """
        x = np.empty((len(rows), *self.frame.shape), np.float32)
        for place, row in enumerate(rows.tolist()):
            with _opened(self.paths[row]) as stream:
                x[place] = decode_picture(stream, str(self.paths[row]), self.frame)
        return x / np.float32(self.divisor)


def open_image_folder(root: Path, options: DataOptions) -> Dataset:
    """Open a folder of pictures, one folder for each class; all of one size and mode.

    Files and folders whose names begin with a dot are left out. Nothing outside ``root`` is read.

    Raises:
        UsageError: No classes, an empty one, a file that is no picture, or pictures of different sizes.
        IntegrityError: A damaged picture.
        Refused: A picture with too many pixels, or a link that leads out of ``root``.
    """
    options.require_only("a folder of pictures", _OPTIONS)
    files = {split: list(_files(root, folder)) for split, folder in _split_folders(root).items()}
    named = {label for listed in files.values() for _, label in listed}
    classes, codes = number_texts(str(root), named, options.classes)
    paths = [path for listed in files.values() for path, _ in listed]
    frame = _common_frame(paths, options.max_pixels)
    splits = {}
    for split, listed in files.items():
        reader = FileRows(tuple(path for path, _ in listed), frame, 255.0 if options.scale else 1.0)
        labels = np.array([codes[label] for _, label in listed], np.int64)
        splits[split] = RowSplit.of_all(reader, labels)
    schema = _schema(root, splits, frame, classes, options)
    digest = digest_value([[path.relative_to(root).as_posix(), digest_file(path)] for path in paths])
    drawn = ""
    if "" in splits:
        splits, drawn = divide_as_asked(splits[""], options, str(root))
    else:
        options.refuse_division(str(root))
    return Dataset(str(root), schema, splits, digest, drawn)


def _split_folders(root: Path) -> dict[str, Path]:
    """Folders of the splits, or the root alone under the name ``""``."""
    folders = [entry for entry in _entries(root, root) if entry.is_dir()]
    if folders and all(folder.name in _SPLITS for folder in folders):
        return {name: root / name for name in _SPLITS if (root / name).is_dir()}
    return {"": root}


def _files(root: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """``(file, class)`` in the order of their names."""
    classes = [entry for entry in _entries(root, folder) if entry.is_dir()]
    if not classes:
        raise UsageError(
            f"{folder} holds no folders.",
            expected="one folder of pictures for each class, below the root or below train and test",
            remedy="sort the pictures into folders named after their classes",
        )
    for entry in classes:
        files = _entries(root, entry)
        if not files:
            raise UsageError(f"The class folder {entry} is empty.", remedy="fill or remove the folder")
        for path in files:
            if path.suffix.lower() not in _SUFFIXES or not path.is_file():
                raise UsageError(
                    f"{path} is no picture file.", expected=", ".join(_SUFFIXES), remedy="move it elsewhere"
                )
            yield path, entry.name


def _entries(root: Path, folder: Path) -> list[Path]:
    """What a folder holds, sorted by name.

    Raises:
        UsageError: The folder cannot be read.
        Refused: An entry is a link out of ``root``.
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}.", remedy="allow reading it") from None
    inside = root.resolve()
    for entry in entries:
        if entry.is_symlink() and not entry.resolve().is_relative_to(inside):
            raise Refused(
                f"{entry} is a link that leads out of {root}.",
                expected="files within the folder",
                remedy="copy the file into the folder",
            )
    return entries


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", remedy="allow reading it") from None


def _common_frame(paths: list[Path], max_pixels: int) -> Frame:
    first: Frame | None = None
    for path in paths:
        with _opened(path) as stream:
            found = inspect_picture(stream, str(path), max_pixels)
        require_frame(str(path), found, first or found)
        first = first or found
    assert first is not None  # every class folder has a file
    return first


def _schema(
    root: Path, splits: dict[str, RowSplit], frame: Frame, classes: tuple[str, ...], options: DataOptions
) -> Schema:
    if (options.low, options.high) != (None, None):
        survey(str(root), splits, frame.shape, low=options.low, high=options.high)
    low = 0.0 if options.low is None else options.low
    high = (1.0 if options.scale else 255.0) if options.high is None else options.high
    return Schema(frame.shape, classes, low, high)

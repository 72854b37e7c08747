"""Files that other programs wrote and that are kept with the tests, since those programs are not installed here."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

_DATA = Path(__file__).parent.parent / "data"


def kept_models() -> Iterator[tuple[str, bytes]]:
    """Harmless models as Keras 3.15 with TensorFlow 2.21, h5py 3.16 and the gguf package 0.19 write them."""
    yield from _members("kept_models.tar.xz")


def outside_hdf5() -> Iterator[tuple[str, bytes]]:
    """HDF5 files by h5py that read ``/etc/passwd`` or another file, in the oldest and the newest layout."""
    yield from _members("outside_hdf5.tar.xz")


def _members(name: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(_DATA / name) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None:
                yield f"kept/{member.name.removeprefix('./')}", stream.read()

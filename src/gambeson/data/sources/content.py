"""What a data file holds, judged by its first bytes; nothing is loaded."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from gambeson.core.errors import IntegrityError, Refused, UsageError

_HEAD = 4096


class Content(StrEnum):
    """Kinds of content; the value is how messages call them."""

    EMPTY = "an empty file"
    PICKLE = "a Python pickle"
    ZIP = "a zip archive, as .npz files are"
    NPY = "a single NumPy array (.npy)"
    PARQUET = "a Parquet file"
    GZIP = "gzip-compressed data"
    PNG = "a PNG picture"
    JPEG = "a JPEG picture"
    HDF5 = "an HDF5 file"
    TEXT = "text"
    BINARY = "binary data in no format that is known here"


_MAGIC = (
    (b"PK\x03\x04", Content.ZIP),
    (b"PK\x05\x06", Content.ZIP),
    (b"\x93NUMPY", Content.NPY),
    (b"PAR1", Content.PARQUET),
    (b"\x1f\x8b", Content.GZIP),
    (b"\x89PNG\r\n\x1a\n", Content.PNG),
    (b"\xff\xd8\xff", Content.JPEG),
    (b"\x89HDF\r\n\x1a\n", Content.HDF5),
    (b"\x80\x02", Content.PICKLE),
    (b"\x80\x03", Content.PICKLE),
    (b"\x80\x04", Content.PICKLE),
    (b"\x80\x05", Content.PICKLE),
)

_REMEDIES = {
    Content.EMPTY: "copy or export the file again",
    Content.ZIP: "give it the extension .npz, or unpack it",
    Content.NPY: "store features and labels together: np.savez('data.npz', x=features, y=labels)",
    Content.PARQUET: "give it the extension .parquet",
    Content.GZIP: "give it an extension such as .csv.gz, or unpack it",
    Content.PNG: "put pictures into one folder for each class and name the folder above",
    Content.JPEG: "put pictures into one folder for each class and name the folder above",
    Content.HDF5: "export the arrays with np.savez",
    Content.TEXT: "give it the extension .csv if it is a table",
}


def sniff(head: bytes) -> Content:
    """Name the content that begins with ``head``."""
    if not head:
        return Content.EMPTY
    for magic, content in _MAGIC:
        if head.startswith(magic):
            return content
    return Content.BINARY if b"\0" in head else Content.TEXT


def content_of(path: Path) -> Content:
    """Name the content of a file.

    Raises:
        UsageError: It does not exist or cannot be read.
        Refused: It is a Python pickle.
    """
    try:
        with path.open("rb") as stream:
            found = sniff(stream.read(_HEAD))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist.", remedy="check the path") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", remedy="allow reading it") from None
    if found is Content.PICKLE:
        raise Refused(
            f"{path} is {found}, which would run code when loaded.",
            expected="a file of plain arrays or a table",
            remedy="store the arrays with np.savez('data.npz', x=features, y=labels), or the table as CSV",
        )
    return found


def require_content(path: Path, expected: Content) -> None:
    """See to it that a file exists and holds what its name promises.

    Raises:
        UsageError: It does not exist or cannot be read.
        Refused: It is a Python pickle.
        IntegrityError: It holds something else than expected.
    """
    found = content_of(path)
    if found is not expected:
        raise IntegrityError(
            f"{path} holds {found}.", expected=expected.value, remedy=_REMEDIES.get(found, "check the file")
        )

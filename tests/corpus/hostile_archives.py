"""Hostile archives: what unpackers see differently, and pickles in every wrapping."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from tests.corpus.archives import Part, plain_tar, plain_zip, raw_zip, torch_like
from tests.corpus.opcodes import EVIL, HARMLESS, PROTO, call, long, named


def hostile_archives() -> Iterator[tuple[str, bytes]]:
    """File name and content."""
    yield from _torch()
    yield from _zips()
    yield from _tars()
    yield from _wrapped()
    yield from _arrays()


def tensor() -> bytes:
    """Opcodes of a 2 x 2 tensor of floats over storage 0, as torch.save writes it."""
    storage = b"(" + long("storage") + named("torch", "FloatStorage") + long("0") + long("cpu") + b"K\x04tQ"
    shape = b"K\x02K\x02\x86" + b"K\x02K\x01\x86"
    hooks = b"\x89" + named("collections", "OrderedDict") + b")R"
    return named("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + b"K\0" + shape + hooks + b"tR"


def zeros() -> bytes:
    """300 MiB of zeros, deflated."""
    state = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (state.compress(bytes(1 << 20)) + state.flush(zlib.Z_FULL_FLUSH)) * 300 + b"\x03\x00"


def _torch() -> Iterator[tuple[str, bytes]]:
    yield "data.pt", torch_like(EVIL)
    yield "harmless-then-evil.pt", torch_like(HARMLESS + EVIL)
    yield "second-pickle.pt", torch_like(HARMLESS, **{"extra/hook.pkl": EVIL})
    yield "storage-is-pickle.pt", torch_like(HARMLESS, **{"data/1": EVIL})
    yield "deflated.bin", plain_zip({"archive/data.pkl": EVIL, "archive/version": b"3"})
    yield (
        "old-tar.pt",
        plain_tar({"sys_info": HARMLESS, "pickle": EVIL, "storages": HARMLESS, "tensors": HARMLESS}),
    )
    yield "written-tensor.pt", torch_like(PROTO[2] + tensor() + b"K\0K\x07s.", **{"data/0": bytes(16)})
    yield "short-storage.pt", torch_like(PROTO[2] + tensor() + b".", **{"data/0": bytes(8)})
    yield "bad-crc.pt", raw_zip(Part("a/data.pkl", EVIL, crc=1), Part("a/version", b"3"))
    yield "encrypted-flag.pt", raw_zip(Part("a/data.pkl", EVIL, flags=1), Part("a/version", b"3"))
    yield "legacy.pt", LEGACY_HEAD + EVIL + b"\x80\x02]."
    yield "legacy-tail.pt", LEGACY_HEAD + b"\x80\x02}.\x80\x02]." + b"more bytes"
    code = "def forward(self, x):\n  return torch.from_file('/etc/passwd', False, 9)\n"
    yield (
        "script-file.pt",
        torch_like(HARMLESS, **{"constants.pkl": b"\x80\x02).", "code/a.py": code.encode()}),
    )
    code = "def forward(self, x):\n  return ops.mine.run(x)\n"
    yield (
        "script-operator.pt",
        torch_like(HARMLESS, **{"constants.pkl": b"\x80\x02).", "code/a.py": code.encode()}),
    )
    yield "script-pickle.pt", torch_like(EVIL, **{"constants.pkl": b"\x80\x02)."})
    yield (
        "native.pt2",
        plain_zip({"m/archive_format": b"pt2", "m/data/aotinductor/m/k.so": b"\x7fELF" + bytes(60)}),
    )
    yield (
        "inputs.pt2",
        plain_zip({"m/archive_format": b"pt2", "m/data/sample_inputs/model.pt": torch_like(EVIL)}),
    )
    program = {"graph_module": {"graph": {"nodes": [{"target": "torch.ops.aten.add.Tensor"}]}}}
    size = {"sym": {"expr_str": "__import__('os').system('true')"}}
    yield (
        "size.pt2",
        plain_zip({"m/archive_format": b"pt2", "m/models/model.json": json.dumps(program | size).encode()}),
    )
    program["graph_module"]["graph"]["nodes"][0]["target"] = "os.system"
    yield (
        "target.pt2",
        plain_zip({"m/archive_format": b"pt2", "m/models/model.json": json.dumps(program).encode()}),
    )


LEGACY_HEAD = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00."


def _zips() -> Iterator[tuple[str, bytes]]:
    note = Part("readme", b"harmless")
    yield (
        "nested.zip",
        plain_zip({"a.zip": plain_zip({"b.zip": plain_zip({"c/model.pt": torch_like(EVIL)})})}),
    )
    yield "names-differ.zip", raw_zip(Part("readme.txt", b"x", local_name="model.pkl0"))
    yield "methods-differ.zip", raw_zip(Part("a", b"x", local_method=8))
    yield "sizes-differ.zip", raw_zip(Part("a", b"xyz", size=90))
    yield "hidden-entry.zip", raw_zip(note, Part("b", b"x", gap=raw_zip(Part("data.pkl", EVIL))[:90]))
    yield "overlap.zip", raw_zip(Part("a", EVIL), Part("b", EVIL), overlap=True)
    yield "twice.zip", raw_zip(note, note)
    yield "traversal.zip", plain_zip({"../../etc/cron.d/x": b"x"})
    yield "absolute.zip", plain_zip({"/etc/cron.d/x": b"x"})
    yield "backslash.zip", raw_zip(Part("..\\..\\x", b"x"))
    yield "link.zip", raw_zip(Part("a", b"/etc/passwd", mode=stat.S_IFLNK | 0o777))
    yield "device.zip", raw_zip(Part("a", b"", mode=stat.S_IFCHR | 0o666))
    yield "method-9.zip", raw_zip(Part("a", b"xxxx", method=9))
    yield "front.zip", raw_zip(note, front=EVIL)
    yield "tail.zip", raw_zip(note, tail=EVIL)
    yield "truncated.zip", plain_zip({"a": b"x" * 99})[:-30]
    yield "bomb.zip", raw_zip(Part("zeros", zeros(), method=8, size=300 << 20))
    deep = EVIL
    for _ in range(12):
        deep = plain_zip({"x.zip": deep}, zipfile.ZIP_STORED)
    yield "deep.zip", deep
    yield "seven.pt", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40)
    yield "rar.zip", b"Rar!\x1a\x07\x01\x00" + bytes(40)
    yield "elf.pth", b"\x7fELF\x02\x01\x01" + bytes(60)
    yield "pe.onnx", b"MZ" + bytes(58) + b"\x40\0\0\0" + b"PE\0\0" + bytes(40)


def _tars() -> Iterator[tuple[str, bytes]]:
    yield "traversal.tar", plain_tar({"../../x": b"x"})
    yield "link.tar", plain_tar({"a": b""}, kind=tarfile.SYMTYPE, link="/etc")
    yield "hard-link.tar", plain_tar({"a": b""}, kind=tarfile.LNKTYPE, link="../x")
    yield "device.tar", plain_tar({"a": b""}, kind=tarfile.CHRTYPE)
    yield "fifo.tar", plain_tar({"a": b""}, kind=tarfile.FIFOTYPE)
    yield "pickle.tar", plain_tar({"model.pkl": EVIL})
    yield "long-name.tar", plain_tar({"x/" * 90 + "../" * 95 + "y": b"x"})
    yield "behind-end.tar", plain_tar({"a": b"x"}) + EVIL
    yield "pickle.tar.gz", plain_tar({"model.pkl": EVIL}, mode="w:gz")
    yield "pickle.nemo", plain_tar({"model.ckpt": torch_like(EVIL)})
    yield "checksum.tar", plain_tar({"a": b"x"})[:148] + b"0000000\0" + plain_tar({"a": b"x"})[156:]


def _wrapped() -> Iterator[tuple[str, bytes]]:
    yield "zlib.joblib", zlib.compress(EVIL)
    yield "gzip.joblib", gzip.compress(EVIL)
    yield "bzip2.joblib", bz2.compress(EVIL)
    yield "xz.joblib", lzma.compress(EVIL)
    yield "lzma.joblib", lzma.compress(EVIL, lzma.FORMAT_ALONE)
    yield "twice.pkl.gz", gzip.compress(gzip.compress(EVIL))
    yield "second-member.gz", gzip.compress(HARMLESS) + gzip.compress(EVIL)
    yield "broken.pkl.gz", gzip.compress(EVIL)[:-6]
    yield "behind.pkl.gz", gzip.compress(HARMLESS) + b"PICKLE"
    yield "bomb.gz", b"\x1f\x8b\x08" + bytes(7) + zeros()
    yield "other.joblib", zlib.compress(b"this is no pickle")


def _joblib(state: bytes, data: bytes, rest: bytes) -> bytes:
    """An array as joblib writes it: a wrapper, its state, then the bytes."""
    wrapper = named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81"
    return PROTO[2] + b"(" + wrapper + state + b"b" + data + rest


def _array_state(kind: str, count: int) -> bytes:
    dtype = named("numpy", "dtype") + long(kind) + b"\x89\x88\x87R"
    pairs = [
        ("shape", b"K" + bytes([count]) + b"\x85"),
        ("order", long("C")),
        ("dtype", dtype),
        ("allow_mmap", b"\x89"),
    ]
    body = b"".join(long(key) + value for key, value in pairs)
    return b"}(" + long("subclass") + named("numpy", "ndarray") + body + b"u"


def _arrays() -> Iterator[tuple[str, bytes]]:
    import numpy as np

    yield "after-array.joblib", _joblib(_array_state("f8", 2), bytes(16), EVIL[11:-1] + b"t.")
    yield "object-array.joblib", _joblib(_array_state("O8", 1), EVIL, b"t.")
    yield "array-over-end.joblib", _joblib(_array_state("f8", 200), bytes(16), b"t.")
    head = _header("|O", (1,))
    yield "objects.npy", head + EVIL
    yield "objects-then-broken.npy", head + EVIL[:-1] + b"\xff"
    yield "objects.npz", plain_zip({"x.npy": head + EVIL})
    yield "behind.npy", _header("<f8", (1,)) + bytes(8) + EVIL
    yield "structured.npy", _header([("a", "<f8"), ("b", "|O")], (1,)) + EVIL
    text = b"{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (1,)}"
    yield "header.npy", b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text
    yield "huge.npy", _header("<f8", (1 << 40,)) + bytes(8)
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    yield "member.npz", plain_zip({"a.npy": b"\x93NUMPY\1\0", "model.pkl": call("nt", "system")})


def _header(descr: object, shape: tuple[int, ...]) -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text

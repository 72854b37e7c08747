"""Harmless files, as the frameworks that are installed write them; Keras, TensorFlow and GGUF made by hand."""

from __future__ import annotations

import bz2
import collections
import csv
import datetime
import decimal
import gzip
import io
import json
import lzma
import pathlib
import pickle
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from tests.corpus.archives import plain_tar, plain_zip
from tests.corpus.hostile_models import keras, layer
from tests.corpus.kept import kept_models
from tests.corpus.messages import count, gguf, hdf5, saved_model, text

TEMPLATE = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% endif %}"
    "{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}{% generation %}{{ bos_token + '[INST] ' + "
    "message['content'] | trim + ' [/INST]' }}{% endgeneration %}{% endfor %}{{ tools | tojson(indent=4) }}"
    "{% if add_generation_prompt %}{{ '<|im_start|>__assistant__' }}{% endif %}{% set ns = namespace(found=false) %}"
)
CHATML = (
    "{% for m in messages %}{{'<|im_start|>' + m.role + '\n' + m.content.split('x')[-1].strip()}}{% endfor %}"
)


def benign_files() -> Iterator[tuple[str, bytes]]:
    """File name and content."""
    yield from _pickles()
    yield from _texts()
    yield from _made_by_hand()
    yield from kept_models()


def written(write: Callable[[io.BytesIO], Any]) -> bytes:
    """What a function writes."""
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _plain() -> dict[str, Any]:
    """Values of the standard library."""
    return {
        "dict": {"a": [1, -2, 2**70, 3.5, None, True], "b": ("x", b"bytes", "ü" * 300), "c": {1, 2}},
        "ordered": collections.OrderedDict(a=1, b=collections.Counter("abca")),
        "default": collections.defaultdict(list, {"a": [1]}),
        "dates": [
            datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC),
            datetime.timedelta(3),
            datetime.date(2024, 1, 2),
        ],
        "numbers": [
            decimal.Decimal("1.5"),
            complex(1, 2),
            frozenset({1}),
            range(3),
            slice(1, 2),
            bytearray(b"x"),
        ],
        "paths": [pathlib.PurePosixPath("a/b"), uuid.UUID(int=7)],
        "random": random.Random(0),
        "long": "x" * 70_000,
    }


def _pickles() -> Iterator[tuple[str, bytes]]:
    import numpy as np
    import pandas as pd

    for name, value in _plain().items():
        for protocol in range(6) if name in ("dict", "ordered") else (0, 2, 4):
            yield f"{name}-{protocol}.pkl", pickle.dumps(value, protocol)
    recursive: list[Any] = [1]
    recursive.append((recursive, recursive))
    yield "recursive.pkl", pickle.dumps(recursive)
    yield "several.pkl", pickle.dumps({"a": 1}) + pickle.dumps([1, 2]) + pickle.dumps("end", 0)
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.normal(size=(3, 4)), "b": np.array(["x", "yy"]), "c": np.float32(2), "d": np.array([1, None], object),
        "e": np.zeros(2, [("u", "<i4"), ("v", "S3")]), "f": np.ma.masked_array([1, 2], [0, 1]), "g": np.dtype("M8[ns]"),
    }  # fmt: skip
    for protocol in (2, 4, 5):
        yield f"numpy-{protocol}.pkl", pickle.dumps(arrays, protocol)
    yield (
        "generators.pkl",
        pickle.dumps([rng, np.random.RandomState(0), np.random.Generator(np.random.Philox(1))]),
    )
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pd.Categorical(["u", "v"])})
    frame["d"] = pd.to_datetime(["2024-01-01", "2024-01-02"])
    yield "frame.pkl", pickle.dumps(frame)
    yield "frame.pkl.gz", gzip.compress(pickle.dumps(frame), mtime=0)
    yield "series.pkl", pickle.dumps(frame["a"])
    yield (
        "large.pkl",
        pickle.dumps(
            [
                {"id": i, "name": f"n{i}", "value": i / 7, "when": datetime.date(2024, 1, 1)}
                for i in range(90_000)
            ]
        ),
    )
    yield "array.npy", written(lambda f: np.save(f, rng.normal(size=(5, 2))))
    yield "text.npy", written(lambda f: np.save(f, np.array(["a", "bc"])))
    yield "fields.npy", written(lambda f: np.save(f, arrays["e"]))
    yield "objects.npy", written(lambda f: np.save(f, arrays["d"], allow_pickle=True))
    yield "row.npy", b"".join(written(lambda f, i=i: np.save(f, np.arange(i))) for i in (1, 2))
    yield "arrays.npz", written(lambda f: np.savez(f, x=arrays["a"], y=arrays["b"]))
    yield "packed.npz", written(lambda f: np.savez_compressed(f, x=arrays["a"], y=np.arange(9)))


def _texts() -> Iterator[tuple[str, bytes]]:
    """What lies beside models: tables, pictures, configurations, prose that begins like a pickle."""
    table = io.StringIO()
    csv.writer(table).writerows([["a", "b"], [1, 2.5], ["x", "ü"]])
    yield "table.csv", table.getvalue().encode()
    yield "table.csv.gz", gzip.compress(table.getvalue().encode(), mtime=0)
    yield "table.csv.bz2", bz2.compress(table.getvalue().encode())
    yield "table.csv.xz", lzma.compress(table.getvalue().encode())
    yield "vocab.txt", b"cat\ndog\nlist\n(S'x'\n"
    yield "merges.txt", b"#version: 0.2\ni n\nt h\n"
    yield "prose.txt", b"N.B. ladle. See also: os.system and builtins.eval."
    yield "README.md", b"# Model\n\nLoad it with `pickle.load(open('m.pkl','rb'))`.\n"
    yield "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
    yield "config.json", json.dumps({"model_type": "llama", "hidden_size": 4096, "class_name": None}).encode()
    yield "tokenizer_config.json", json.dumps({"chat_template": TEMPLATE, "bos_token": "<s>"}).encode()
    both = [{"name": "default", "template": CHATML}, {"name": "tools", "template": TEMPLATE}]
    yield "templates/tokenizer_config.json", json.dumps({"chat_template": both}).encode()
    yield "lines.jsonl", b'{"class_name": "x"}\n{"class_name": "y"}\n'
    yield "numbers.json", json.dumps([1, 2, [3]]).encode()
    yield "code.py", b"import os\n\nos.getcwd()\n"
    yield "setup.yaml", b"a: 1\nb: [x, y]\n"
    yield (
        "hydra.yaml",
        (
            b"model:\n  _target_: nemo.collections.asr.models.EncDecCTCModel\n  optim: {_target_: torch.optim.AdamW}\n"
            b"shape: !!python/tuple [1, 2]\nwords: 'see !!python'\nloader: {_target_: torch.utils.data.DataLoader}\n"
            b"init: {_target_: functools.partial, _args_: [1]}\n"
        ),
    )
    yield "chat_template.jinja", TEMPLATE.encode()
    yield "folder.zip", plain_zip({"a/x.csv": table.getvalue().encode(), "b.txt": b"text"})
    yield "folder.tar", plain_tar({"a/x.csv": b"a,b\n1,2\n", "name/" * 30 + "long.txt": b"x"})
    yield "folder.tar.gz", plain_tar({"a/x.csv": b"a,b\n1,2\n"}, mode="w:gz")
    yield "noise.bin", random.Random(3).randbytes(5_000)
    yield "zeros.bin", bytes(5_000)
    yield "empty.pkl", b""


def _made_by_hand() -> Iterator[tuple[str, bytes]]:
    yield "plain.gguf", gguf()
    yield "llama.gguf", gguf(TEMPLATE)
    yield "chatml.gguf", gguf(CHATML)
    yield "dense.keras", keras(layer("Dense", units=3, activation="relu"))
    inner = layer("GlorotUniform", "keras.initializers", seed=None)
    policy = layer("DTypePolicy", "keras", name="float32")
    yield "conv.keras", keras(layer("Conv2D", kernel_initializer=inner, dtype=policy, activation="softmax"))
    yield "words.keras", keras(layer("TextVectorization", vocabulary=["a", "b"], max_tokens=10))
    old = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Dense", "config": {"units": 3}}]},
    }
    yield "model.h5", hdf5(json.dumps(old))
    yield "weights.h5", hdf5("{}")
    yield "architecture.json", json.dumps(old).encode()
    yield (
        "mlp/saved_model.pb",
        saved_model(["Placeholder", "MatMul", "BiasAdd", "Relu", "SaveV2", "RestoreV2"], ["Conv2D"]),
    )
    yield (
        "plain/saved_model.pb",
        saved_model(["VarHandleOp", "StatefulPartitionedCall", "MergeV2Checkpoints"]),
    )
    yield (
        "frozen.pb",
        text(1, text(1, "x") + text(2, "Placeholder"))
        + text(1, text(1, "y") + text(2, "Relu"))
        + text(4, count(1, 9)),
    )

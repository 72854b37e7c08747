"""Hostile model files: what is not a pickle and still reaches for code, files or memory."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

from tests.corpus.archives import plain_zip
from tests.corpus.hostile_texts import hostile_texts
from tests.corpus.kept import outside_hdf5
from tests.corpus.messages import count, gguf, hdf5, saved_model, text
from tests.corpus.opcodes import EVIL

BAD_TEMPLATES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ x|attr('__class__') }}",
    "{{ x['__cl' ~ 'ass__'] }}",
    "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{% for m in messages %}{{ lipsum.__globals__['os'] }}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{{ self._TemplateReference__context }}",
    "{{ x[['__class', '__']|join] }}",
    "{% set a = namespace.__init__ %}{{ a.__globals__ }}",
    "{{ messages|map(attribute='__class__')|list }}",
    "{{ messages|groupby('__class__') }}",
    "{{ '{0.__class__.__mro__}'.format(messages) }}",
    "{% set f = '{0[_x]}' %}{{ f.format(messages) }}",
    "{{ ('{0._' ~ '_class_' ~ '_}').format(messages) }}",
    "{{ '{a}'.format_map(messages) }}",
    "{{ x['_' * 2 ~ 'class'] }}",
)


def hostile_models() -> Iterator[tuple[str, bytes]]:
    """File name and content."""
    yield from _safetensors()
    yield from _keras()
    yield from _graphs()
    yield from _gguf()
    yield from _trees()
    yield from _skops()
    yield from hostile_texts()
    yield from outside_hdf5()


def safetensors(header: Any, data: bytes = bytes(8)) -> bytes:
    """A file with any header."""
    body = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(body)) + body + data


def _tensor(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def _safetensors() -> Iterator[tuple[str, bytes]]:
    good = {"a": _tensor(0, 8, [2])}
    yield "bomb.safetensors", struct.pack("<Q", 1 << 50) + b'{"a":' + bytes(90)
    yield "long-header.safetensors", struct.pack("<Q", 500) + b'{"a": 1}'
    yield "overlap.safetensors", safetensors(good | {"b": _tensor(4, 8, [1])})
    yield "hole.safetensors", safetensors({"a": _tensor(0, 4, [1]), "b": _tensor(8, 12, [1])}, bytes(12))
    yield "tail.safetensors", safetensors(good, bytes(8) + EVIL)
    yield "short.safetensors", safetensors(good, bytes(4))
    entry = json.dumps(_tensor(0, 8, [2]))
    yield "twice.safetensors", safetensors(f'{{"a": {entry}, "a": {entry}}}'.encode())
    yield "metadata.safetensors", safetensors(good | {"__metadata__": {"a": {"b": 1}}})
    yield "dtype.safetensors", safetensors({"a": _tensor(0, 8, [2], "O64")})
    yield "size.safetensors", safetensors({"a": _tensor(0, 8, [2**62, 2**62])})
    yield "negative.safetensors", safetensors({"a": _tensor(0, 8, [-2])})
    yield "zip-behind.safetensors", safetensors(good) + plain_zip({"data.pkl": EVIL})
    archive = plain_zip({"data.pkl": EVIL})
    yield (
        "zip-inside.safetensors",
        safetensors({"a": _tensor(0, len(archive), [len(archive)], "U8")}, archive),
    )
    yield "nested.safetensors", safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": ["4wEAAAA=", None, None]}}


def keras(layer: dict[str, Any], **more: bytes) -> bytes:
    """A .keras archive as Keras 3 lays it out."""
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"layers": [layer]},
        "registered_name": None,
    }
    files = {"metadata.json": b'{"keras_version": "3.5.0"}', "config.json": json.dumps(config).encode()}
    return plain_zip(files | {"model.weights.h5": hdf5("{}")} | more)


def layer(
    kind: str, module: str = "keras.layers", registered: str | None = None, **config: Any
) -> dict[str, Any]:
    """A layer's description."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": registered}


def _keras() -> Iterator[tuple[str, bytes]]:
    function = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    yield "lambda.keras", keras(layer("Lambda", function=function))
    yield "module.keras", keras(layer("system", "os"))
    yield "function.keras", keras(layer("Dense", activation=layer("function", "builtins")))
    yield "get-file.keras", keras(layer("get_file", "keras.utils", origin="http://x"))
    yield "custom.keras", keras(layer("Mine", "mypackage.layers", "mypackage>Mine"))
    yield "registered.keras", keras(layer("Mine>Layer", "keras.layers", "Mine>Layer"))
    yield "torch.keras", keras(layer("TorchModuleWrapper", module_bytes="x"))
    yield "vocabulary.keras", keras(layer("StringLookup", vocabulary="/etc/passwd"))
    setting = layer("function", "keras.config") | {"config": "enable_unsafe_deserialization"}
    yield "unsafe.keras", keras(layer("Dense", activation=setting))
    yield "saved-model.keras", keras(layer("TFSMLayer", filepath="../x"))
    yield "pickle.keras", keras(layer("Dense"), **{"assets/x.pkl": EVIL})
    yield "no-config.keras", plain_zip({"model.weights.h5": hdf5("{}")})
    yield (
        "bad-config.keras",
        plain_zip({"config.json": b'{"class_name": "Dense"', "model.weights.h5": hdf5("{}")}),
    )
    yield "lambda.h5", hdf5(json.dumps({"class_name": "Sequential", "config": {"layers": [LAMBDA]}}))
    escaped = json.dumps({"class_name": "Sequential", "config": {"layers": [LAMBDA]}}).replace(
        "Lam", "\\u004cam"
    )
    yield "escaped.h5", hdf5(escaped)
    yield "behind.h5", hdf5("{}", tail=EVIL)
    yield "truncated.h5", hdf5("{}" * 400)[:900]
    yield "lambda.json", json.dumps({"class_name": "Functional", "config": {"layers": [LAMBDA]}}).encode()


def _graphs() -> Iterator[tuple[str, bytes]]:
    yield "read/saved_model.pb", saved_model(["Placeholder", "ReadFile"])
    yield "write/saved_model.pb", saved_model(["MatMul"], ["WriteFile"])
    yield "python/saved_model.pb", saved_model(["PyFunc"])
    yield "eager/saved_model.pb", saved_model(["MatMul"], ["EagerPyFunc"])
    yield "lambda/saved_model.pb", saved_model(["MatMul"], metadata=json.dumps(LAMBDA))
    yield "broken/saved_model.pb", saved_model(["MatMul"] * 9)[:-20]
    yield "frozen.pb", text(1, text(1, "x") + text(2, "ReadFile")) + text(4, count(1, 9))
    yield from _onnx()


def _onnx() -> Iterator[tuple[str, bytes]]:
    def model(graph: bytes, *more: bytes) -> bytes:
        return count(1, 8) + text(2, "pytorch") + text(7, graph) + b"".join(more) + text(8, count(2, 17))

    def call(name: str, domain: str = "", attribute: bytes = b"") -> bytes:
        return text(
            1,
            text(1, "x")
            + text(2, "y")
            + text(4, name)
            + (text(5, attribute) if attribute else b"")
            + text(7, domain),
        )

    def weight(location: str) -> bytes:
        entry = text(1, "location") + text(2, location)
        return text(8, "w") + count(2, 1) + text(13, entry) + count(14, 1)

    yield "domain.onnx", model(call("Run", "evil.ops"))
    yield "python.onnx", model(call("PyOp", "com.microsoft"))
    yield "context.onnx", model(call("EPContext", "com.microsoft"))
    yield "subgraph.onnx", model(call("If", attribute=text(1, "then") + text(6, call("Run", "evil"))))
    yield (
        "function.onnx",
        model(
            call("F", "mine"), text(25, text(1, "F") + text(7, call("Run", "evil")[2:]) + text(10, "mine"))
        ),
    )
    for name, location in (
        ("up", "../../etc/passwd"), ("root", "/etc/passwd"), ("drive", "C:\\x"), ("url", "file:///etc/passwd"),
        ("backslash", "..\\x"), ("empty", ""),
    ):  # fmt: skip
        yield f"external-{name}.onnx", model(call("Relu") + text(5, weight(location)))
    attribute = text(1, "value") + text(5, weight("../x"))
    yield "external-attribute.onnx", model(call("Constant", attribute=attribute))
    yield "broken.onnx", model(call("Relu") * 20)[:-9]
    yield "zip-behind.onnx", model(call("Relu")) + plain_zip({"data.pkl": EVIL})


def _gguf() -> Iterator[tuple[str, bytes]]:
    for number, template in enumerate(BAD_TEMPLATES):
        yield f"template-{number}.gguf", gguf(template)
        yield f"template-{number}/chat_template.jinja", template.encode()
        body = {"tokenizer_class": "LlamaTokenizer", "chat_template": template}
        yield f"template-{number}/tokenizer_config.json", json.dumps(body).encode()
    yield "tensors.gguf", gguf(tensors=1 << 60)
    yield "pairs.gguf", gguf(pairs=1 << 40)
    yield "offset.gguf", gguf(offset=1 << 40)
    yield "shape.gguf", gguf(shape=(1 << 40, 1 << 40))
    yield "axes.gguf", gguf(shape=(1,) * 12)
    yield "alignment.gguf", gguf(alignment=0)
    yield "truncated.gguf", gguf()[:150]


def _trees() -> Iterator[tuple[str, bytes]]:
    tree = {"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0]}
    for name, change in (
        ("child", {"left_children": [9_999, -1, -1]}), ("feature", {"split_indices": [77, 0, 0]}),
        ("length", {"right_children": [2]}), ("negative", {"left_children": [-7, -1, -1]}),
    ):  # fmt: skip
        booster = {"name": "gbtree", "model": {"trees": [tree | change]}}
        learner = {"learner_model_param": {"num_feature": "4"}, "gradient_booster": booster}
        yield f"tree-{name}.json", json.dumps({"learner": learner, "version": [3, 0, 0]}).encode()
    yield "length.ubj", b"{L" + (7).to_bytes(8, "big") + b"learner" + b"[$l#L" + (1 << 40).to_bytes(8, "big")
    yield "deep.ubj", b"{i\x01a" + b"[" * 5_000
    yield "behind.ubj", b"{i\x01aT}" + EVIL
    body = "tree\nversion=v4\nmax_feature_idx=3\n\nTree=0\nnum_leaves=2\nsplit_feature={}\nleft_child={}\n"
    body += "right_child=-2\n\nend of trees\n"
    yield "child/model.txt", body.format(0, 50).encode()
    yield "leaf/model.txt", body.format(0, -9).encode()
    yield "feature/model.txt", body.format(99, -1).encode()
    yield "cut/model.txt", body.format(0, -1)[:-14].encode()
    yield "zeros/model.txt", body.format(0, -1).encode() + b"\0\0" + EVIL


def _skops() -> Iterator[tuple[str, bytes]]:
    def schema(**root: Any) -> bytes:
        return plain_zip(
            {"schema.json": json.dumps({"protocol": 0, "_skops_version": "0.11", **root}).encode()}
        )

    call = {"__class__": "function", "__module__": "builtins", "__loader__": "FunctionNode"}
    yield (
        "type.skops",
        schema(__class__="Popen", __module__="subprocess", __loader__="ObjectNode", content=None),
    )
    yield "function.skops", schema(**call, content={"module_path": "os", "function": "system"})
    nested = {
        "type": "list",
        "content": [{"__class__": "system", "__module__": "os", "__loader__": "TypeNode"}],
    }
    yield (
        "nested.skops",
        schema(__class__="list", __module__="builtins", __loader__="ListNode", content=[nested]),
    )
    yield "loader.skops", schema(__class__="list", __module__="builtins", __loader__="EvalNode", content=[])
    method = {"obj": {"__module__": "builtins", "__class__": "str"}, "func": "__class__"}
    yield (
        "operator.skops",
        schema(
            __class__="methodcaller", __module__="operator", __loader__="OperatorFuncNode", content=method
        ),
    )
    inner = {"__class__": "method", "__module__": "builtins", "__loader__": "MethodNode"}
    text = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"x"'}
    for number, reached in enumerate(("__globals__", "fit.__func__")):
        yield f"method-{number}.skops", schema(**inner, content={"func": reached, "obj": text})
    yield "broken.skops", plain_zip({"schema.json": b"{"})
    yield "pickle.skops", plain_zip({"schema.json": b"{}", "x.pkl": EVIL})

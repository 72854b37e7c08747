"""Hostile configurations: text that makes its loader import and call something."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.corpus.archives import plain_tar, torch_like
from tests.corpus.opcodes import HARMLESS

TAGGED = (
    "!!python/object/apply:os.system ['true']",
    "x: !!python/object/new:subprocess.Popen [[true]]",
    "x: !!python/name:os.system ''",
    "x: !!python/module:os",
    "x: !<tag:yaml.org,2002:python/object/apply:os.system> ['true']",
    "x: !!%70ython/object/apply:os.system ['true']",
    "%TAG !p! tag:yaml.org,2002:python/\n---\nx: !p!object/apply:os.system ['true']",
    '{"x": !!python/object/apply:os.system ["true"]}',
)
TARGETS = (
    "os.system",
    "subprocess.Popen",
    "builtins.exec",
    "torch.hub.load",
    "pip.main",
    "importlib.import_module",
)


def hostile_texts() -> Iterator[tuple[str, bytes]]:
    """File name and content."""
    for number, text in enumerate(TAGGED):
        yield f"tag-{number}.yaml", text.encode()
    for number, target in enumerate(TARGETS):
        yield f"target-{number}.yaml", f"model:\n  _target_: {target}\n  command: 'true'\n".encode()
        yield f"target-{number}.json", json.dumps({"model": [{"_target_": target}]}).encode()
    yield "escaped.yaml", b'"_t\\x61rget_": "os.system"\n'
    config = b"cfg:\n  encoder:\n    _target_: os.system\n    command: 'true'\n"
    yield "model.nemo", plain_tar({"model_config.yaml": config, "model_weights.ckpt": torch_like(HARMLESS)})

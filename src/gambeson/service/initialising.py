"""The init use-case: look at a model and its data, write a commented gambeson.toml that audits them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Kind, Schema
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.models.loading import open_model
from gambeson.models.model import Differentiable, Model

_TEXT = """\
# What `gambeson audit` does in this folder. Made by `gambeson init`; every key that is commented out shows its default.
# JSON Schema: gambeson schema config

[model]
path = {model}            # {kind}, input {shape}, {classes} classes
{factory}
# scores = "logits"         # or "probabilities"; found out where not given

[data]
path = {data}
split = {split}             # the rows that are attacked ({rows} of them)
{train}
{options}
{threat}
[audit]
profile = "standard"        # quick, standard or thorough
seed = 0                    # same seed, same figures
# samples = 500             # rows to attack; the profile says how many
# time_budget = "10m"       # for the whole audit; what it cuts is reported
# only = []                 # families or checks to run, e.g. ["evasion", "privacy.membership"]
# skip = []                 # families or checks to leave out
# batch_size = 64           # samples per model pass; changes no result
out = "gambeson-audit"      # folder for the reports
formats = ["json", "html", "sarif", "junit"]

[gate]
fail_on = "high"            # never, low, medium, high or critical: closes the gate, exit code 1

[gate.thresholds]           # further rules: "<check>.<figure>" = "<rule>"
# "{check}.robust_accuracy" = ">= 0.4"
# "privacy.membership.auc" = "<= 0.6"

# A finding that you accept for a while; it stays in the report, but does not close the gate.
# [[suppress]]
# finding = "{check}"
# reason = "hardening is planned for the next release"
# expires = 2099-12-31
"""

_THREAT = """\
[[threat]]                  # one attacker; repeat the table for more
norm = "linf"               # linf, l2, l1 or l0
eps = {eps}
access = {access}        # the most that the attacker sees: labels, scores or gradient
# queries = 10000           # most queries per sample; no limit where not given
freeze = {freeze}{note}
"""


def initialise(
    model: str,
    data: str,
    *,
    data_options: tuple[tuple[str, str], ...] = (),
    factory: str | None = None,
    path: Path = Path("gambeson.toml"),
    force: bool = False,
) -> str:
    """Write the file and return its text.

    Args:
        model: Path or URI of the model.
        data: Path or URI of the data.
        data_options: Options of the data source.
        factory: Builds the network for a weights file.
        path: File to write.
        force: Overwrite an existing file.

    Raises:
        UsageError: The file exists, or cannot be written.
        GambesonError: Model or data cannot be opened.
    """
    if path.exists() and not force:
        raise UsageError(f"{path} exists.", remedy="give --force to overwrite it, or another --config")
    dataset = open_dataset(data, options=DataOptions.from_pairs(data_options))
    opened = open_model(model, schema=dataset.schema, factory=factory)
    text = _text(model, data, data_options, factory, opened, dataset)
    _write(path, text)
    return text


def _text(
    model: str,
    data: str,
    options: tuple[tuple[str, str], ...],
    factory: str | None,
    opened: Model,
    dataset: Dataset,
) -> str:
    gradient = isinstance(opened, Differentiable)
    split = "test" if "test" in dataset.splits else next(iter(dataset.splits))
    return _TEXT.format(
        model=json.dumps(model),
        kind=opened.info.kind,
        shape=list(opened.info.shape),
        classes=opened.info.classes,
        factory=f"factory = {json.dumps(factory)}"
        if factory
        else '# factory = "package.module:function" # builds the network for a file that holds weights only',
        data=json.dumps(data),
        split=json.dumps(split),
        rows=len(dataset.splits[split]),
        train=_train(dataset, split),
        options=_options(options),
        threat=_threat(dataset.schema, gradient=gradient),
        check="evasion.gradient" if gradient else "evasion.scores",
    )


def _train(dataset: Dataset, split: str) -> str:
    why = "the records that the model was trained on, for membership inference"
    if "train" in dataset.splits and split != "train" and not dataset.drawn:
        return f'train_split = "train"       # {why}'
    return f'# train_split = "train"     # {why}; not known for this data'


def _options(options: tuple[tuple[str, str], ...]) -> str:
    if not options:
        return '# options = { label = "...", header = "none" } # how to read the data\n'
    pairs = ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in options)
    return f"options = {{ {pairs} }}\n"


def _threat(schema: Schema, *, gradient: bool) -> str:
    access = json.dumps("gradient" if gradient else "scores")
    if schema.features:
        frozen = [f.name for f in schema.features if f.frozen]
        kinds = sum(f.kind is Kind.CATEGORICAL for f in schema.features)
        note = f"               # features that cannot be changed; the {kinds} categorical ones never are"
        eps = '"10%"                 # a tenth of each feature\'s range'
        return _THREAT.format(eps=eps, access=access, freeze=json.dumps(frozen), note=note)
    width = schema.high - schema.low
    number = '"8/255"' if width == 1 else f"{8 / 255 * width:.6g}"
    eps = f"{number}               # radius in input units; inputs lie in [{schema.low:g}, {schema.high:g}]"
    return _THREAT.format(eps=eps, access=access, freeze="[]", note="")


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".gambeson-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="choose another --config"
        ) from None

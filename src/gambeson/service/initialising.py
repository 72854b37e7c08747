"""The init use-case: look at a model and its data, write a commented gambeson.toml that audits them."""

from __future__ import annotations

import json
from pathlib import Path

from gambeson.adapters.files import write_whole
from gambeson.core.errors import UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Kind, Schema
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.models.loading import open_model
from gambeson.models.model import Differentiable, Model
from gambeson.service.commands import InitCommand
from gambeson.settings.paths import factory_from, seen_from

_SHOWN = 8
_TEXT = """\
# What `gambeson audit` does in this folder. Made by `gambeson init`; a key that is commented out shows an example.
# Relative paths are relative to this file. JSON Schema: gambeson schema config

[model]
path = {model} # {kind}, input {shape}, {classes} classes
{factory}
{count}
# scores = "logits"         # or "probabilities"; found out where not given
# surrogate = "similar.pt2" # a model that the attacker holds, for transfer attacks; trained where not given
# surrogate_factory = "net.py:build" # builds the network for a weights file

[data]
path = {data}
split = {split} # the rows that are attacked ({rows} of them)
{train}
{options}
{threat}
[audit]
profile = "standard"        # quick, standard or thorough
seed = 0                    # same seed, same figures
# samples = 500             # rows to attack; the profile's number where not given
# time_budget = "10m"       # for the whole audit; what it cuts is reported. No limit where not given
# only = ["evasion"]        # families or checks to run, e.g. "privacy.membership"; all where not given
# skip = ["privacy"]        # families or checks to leave out
batch_size = 128            # most samples per model pass; changes no result
jobs = 1                    # checks run at the same time
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
# expires = 2099-12-31      # the last day on which it is accepted
"""

_THREAT = """\
[[threat]]                  # one attacker; repeat the table for more
norm = "linf"               # linf, l2, l1 or l0
eps = {eps}
access = {access} # the most that the attacker sees: labels, scores or gradient
# queries = 10000           # most queries per sample; no limit where not given
freeze = {freeze} # names of features that cannot be changed
{categories}
"""

_CATEGORIES = "# categories = 1            # categories of a row that may change"


def initialise(command: InitCommand) -> str:
    """Write the file and return its text.

    Raises:
        UsageError: The file exists, or cannot be written.
        GambesonError: Model or data cannot be opened.
    """
    if command.path.exists() and not command.force:
        raise UsageError(
            f"{command.path} exists.", remedy="give --force to overwrite it, or another file with --config"
        )
    data = open_dataset(command.data, options=DataOptions.from_pairs(command.data_options))
    model = open_model(command.model, schema=data.schema, factory=command.factory, classes=command.classes)
    text = _text(command, model, data)
    _write(command.path, text)
    return text


def _text(command: InitCommand, model: Model, data: Dataset) -> str:
    folder = command.path.parent
    gradient = isinstance(model, Differentiable)
    split = "test" if "test" in data.splits else next(iter(data.splits))
    return _TEXT.format(
        model=_quoted(seen_from(folder, command.model)),
        kind=model.info.kind,
        shape=list(model.info.shape),
        classes=model.info.classes,
        factory=_factory(command, folder),
        count=f"classes = {command.classes}"
        if command.classes
        else "# classes = 10              # where the data does not show all of them",
        data=_quoted(seen_from(folder, command.data)),
        split=_quoted(split),
        rows=len(data.splits[split]),
        train=_train(data, split),
        options=_options(command.data_options),
        threat=_threat(data.schema, gradient=gradient),
        check="evasion.gradient" if gradient else "evasion.scores",
    )


def _quoted(value: object) -> str:
    """A text, or a list of them, as TOML writes it: like JSON, which only leaves U+007F as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _factory(command: InitCommand, folder: Path) -> str:
    if command.factory:
        return f"factory = {_quoted(factory_from(folder, command.factory))}"
    return '# factory = "net.py:build"  # or "package.module:function"; builds the network for a weights file'


def _train(dataset: Dataset, split: str) -> str:
    why = "the records that the model was trained on, for membership inference"
    if "train" in dataset.splits and split != "train" and not dataset.drawn:
        return f'train_split = "train"       # {why}'
    return f'# train_split = "train"     # {why}; not known for this data'


def _options(options: tuple[tuple[str, str], ...]) -> str:
    if not options:
        return '# options = { label = "...", relations = ["start < end", "total = a + b"] } # how to read the data\n'
    pairs = ", ".join(f"{_quoted(name)} = {_quoted(value)}" for name, value in options)
    return f"options = {{ {pairs} }}\n"


def _threat(schema: Schema, *, gradient: bool) -> str:
    access = _quoted("gradient" if gradient else "scores")
    if schema.features:
        frozen = [f.name for f in schema.features if f.frozen]
        kinds = [f.name for f in schema.features if f.kind is Kind.CATEGORICAL]
        categories = f"{_CATEGORIES}, beside eps on its numbers"
        if kinds:
            categories += f"; none unless given.\n# There are {_listed(kinds)}"
        eps = '"10%"                 # a tenth of each feature\'s range'
        return _THREAT.format(eps=eps, access=access, freeze=_quoted(frozen), categories=categories)
    width = schema.high - schema.low
    number = '"8/255"' if width == 1 else f"{8 / 255 * width:.6g}"
    eps = f"{number}               # radius in input units; inputs lie in [{schema.low:g}, {schema.high:g}]"
    return _THREAT.format(eps=eps, access=access, freeze="[]", categories=f"{_CATEGORIES}; tables only")


def _listed(names: list[str]) -> str:
    """Names for a comment: on one line whatever they contain, and not without end."""
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(_quoted, names[:_SHOWN])) + rest


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="choose another file with --config"
        ) from None

"""The use-case of ownership: was a suspect derived from our model? And: put a watermark into our model."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.attacks.ownership.fingerprint import independent_models, take_fingerprint
from gambeson.attacks.ownership.kinship import FEWEST, Outlier
from gambeson.attacks.ownership.watermark import TriggerSet, ask_suspect, draw_triggers, verify_mark
from gambeson.core.errors import IntegrityError, Unavailable, UsageError
from gambeson.core.ports import Progress
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.data.dataset import Dataset
from gambeson.data.sources import DataOptions, open_dataset
from gambeson.models.loading import open_model
from gambeson.models.model import Model, Trainable
from gambeson.models.passes import Passes

_NAME = "ownership"


@dataclass(frozen=True, slots=True)
class OwnershipCommand:
    """Which suspect to hold against which model.

    Attributes:
        model: Path or URI of our model.
        suspect: Path or URI of the suspect.
        data: Path or URI of our data.
        factory, scores, classes, data_options, split, train_split: As for an audit.
        suspect_factory: Builds the network of the suspect where its file holds weights only; ``None`` for ours.
        references: Independent models, as paths, beside those that are trained.
        train: Independent models to train; 0 for none.
        triggers: Watermark to look for: what ``mark_model`` wrote, or ``None``.
        access: What the suspect is asked for: labels or scores.
        inputs: Inputs to ask about, of each kind.
        alpha: Chance of accusing an independent model that is accepted.
        seed: Root of the seed tree.
        batch_size: Samples per model pass.
    """

    model: str
    suspect: str
    data: str
    factory: str | None = None
    suspect_factory: str | None = None
    scores: str | None = None
    classes: int | None = None
    data_options: tuple[tuple[str, str], ...] = ()
    split: str = "test"
    train_split: str = "train"
    references: tuple[str, ...] = ()
    train: int = 16
    triggers: Path | None = None
    access: Access = Access.SCORES
    inputs: int = 1_000
    alpha: float = 0.01
    seed: int = 0
    batch_size: int = 128


@dataclass(frozen=True, slots=True)
class OwnershipTest:
    """One test.

    Attributes:
        name: ``"watermark"``, ``"kinship of labels"`` or ``"kinship of scores"``.
        p_value: Chance that a model made independently of ours comes out like this.
        rank_p_value: The same without assuming a normal distribution; ``None`` where the p-value is exact anyhow.
        statistic: What was measured of the suspect.
        references: The same of independent models.
        detail: In words.
    """

    name: str
    p_value: float
    rank_p_value: float | None
    statistic: float
    references: tuple[float, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class OwnershipReport:
    """What the tests say together.

    Attributes:
        model: Our model.
        suspect: The suspect.
        derived: Whether the p-value is below alpha.
        p_value: Smallest of the tests, times their number (Bonferroni), at most 1.
        alpha: The limit.
        tests: One by one.
        notes: What a reader must know to read it right.
    """

    model: str
    suspect: str
    derived: bool
    p_value: float
    alpha: float
    tests: tuple[OwnershipTest, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"


def verify_ownership(command: OwnershipCommand, progress: Progress) -> OwnershipReport:
    """Hold a suspect against our model.

    Args:
        command: Which and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong.
        Unavailable: There is neither a watermark nor a way to independent models.
        IntegrityError: A file is damaged.
        ModelError: A model does not answer, or training failed.
    """
    if not 0 < command.alpha < 1:
        raise UsageError(f"alpha is {command.alpha}.", expected="a number between 0 and 1, e.g. 0.01")
    data, ours = _open(command)
    suspect = _open_other(command, data, command.suspect, command.suspect_factory or command.factory)
    tests: list[OwnershipTest] = []
    notes: tuple[str, ...] = ()
    if command.triggers is not None:
        tests.append(_watermark(command, suspect, read_triggers(command.triggers, data)))
    if command.references or (command.train and isinstance(ours, Trainable)):
        found, notes = _fingerprint(command, data, ours, suspect, progress)
        tests += found
    if not tests:
        raise Unavailable(
            f"{ours.info.name} ({ours.info.kind}) cannot be trained anew, so there is no independent model to compare.",
            expected="weights with --factory, scikit-learn, XGBoost or LightGBM; --reference, or --triggers",
        )
    p = min(1.0, len(tests) * min(test.p_value for test in tests))
    return OwnershipReport(
        ours.info.name, suspect.info.name, p < command.alpha, p, command.alpha, tuple(tests), notes
    )


def _open(command: OwnershipCommand | MarkCommand) -> tuple[Dataset, Model]:
    data = open_dataset(command.data, options=DataOptions.from_pairs(command.data_options))
    model = open_model(
        command.model,
        schema=data.schema,
        factory=command.factory,
        scores=command.scores,
        classes=command.classes,
    )
    return data, model


def _open_other(command: OwnershipCommand, data: Dataset, path: str, factory: str | None) -> Model:
    return open_model(path, schema=data.schema, factory=factory, classes=command.classes)


def _watermark(command: OwnershipCommand, suspect: Model, triggers: TriggerSet) -> OwnershipTest:
    mark = verify_mark(
        ask_suspect(Passes(suspect, command.batch_size), triggers), triggers, suspect.info.classes
    )
    chance = mark.inputs / suspect.info.classes
    return OwnershipTest(
        "watermark", mark.p_value, None, mark.matches / mark.inputs, (),
        f"{mark.matches} of {mark.inputs} secret answers given, {chance:.1f} expected of a model that never met them; "
        "exact binomial",
    )  # fmt: skip


def _fingerprint(
    command: OwnershipCommand, data: Dataset, ours: Model, suspect: Model, progress: Progress
) -> tuple[list[OwnershipTest], tuple[str, ...]]:
    seed = Seed(command.seed).child(_NAME)
    given = [_open_other(command, data, path, command.factory) for path in command.references]
    count = command.train if isinstance(ours, Trainable) else 0
    if len(given) + count < FEWEST:
        raise UsageError(
            f"There are {len(given) + count} independent models.",
            expected=f"at least {FEWEST}; 16 or more are better",
        )
    progress.start(_NAME, count + 1)
    trained = []
    if count and isinstance(ours, Trainable):
        x, y = data.split(command.train_split).take(np.arange(len(data.split(command.train_split))))
        trained = independent_models(
            ours, x, y, count, seed, lambda: progress.advance(_NAME, 1, "independent models")
        )
    references = [Passes(model, command.batch_size) for model in [*given, *trained]]
    split = data.split(command.split)
    rows = np.sort(seed.child("inputs").generator().permutation(len(split))[: command.inputs])
    models = Passes(ours, command.batch_size), Passes(suspect, command.batch_size)
    found = take_fingerprint(
        *models, references, split.take(rows)[0], data.schema, access=command.access, seed=seed
    )
    progress.advance(_NAME, 1, "kinship")
    tests = [_of_outlier("kinship of labels", found.labels)]
    if found.scores is not None:
        tests.append(_of_outlier("kinship of scores", found.scores))
    progress.finish(_NAME, f"{len(references)} independent models")
    return tests, _notes(found.typical, len(references))


def _of_outlier(name: str, found: Outlier) -> OwnershipTest:
    words = (
        f"what it shares with our model alone; Student's t against {len(found.references)} independent models"
    )
    return OwnershipTest(name, found.p_value, found.rank_p_value, found.suspect, found.references, words)


def _notes(typical: float, count: int) -> tuple[str, ...]:
    notes = [
        "The p-value of the fingerprint assumes that the statistic is normally distributed among independent models. "
        f"Without that, {count} of them show no p-value below {1 / (count + 1):.2g}."
    ]
    if typical < 0.01:
        notes.append(
            f"Our model is not like the independent models (p = {typical:.2g}): they were made in another way, and a "
            "model made as ours was may seem akin to it. Give models of your own recipe with --reference."
        )
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class MarkCommand:
    """Which model to mark.

    Attributes:
        model, data, factory, scores, classes, data_options, train_split: As for ``OwnershipCommand``.
        count: Trigger inputs.
        passes: Over the training data.
        seed: Draws the secret, and so is one.
        out: Folder for ``triggers.npz`` and ``marked.safetensors``.
    """

    model: str
    data: str
    seed: int
    factory: str | None = None
    scores: str | None = None
    classes: int | None = None
    data_options: tuple[tuple[str, str], ...] = ()
    train_split: str = "train"
    count: int = 100
    passes: int = 5
    out: Path = Path("gambeson-mark")


@dataclass(frozen=True, slots=True)
class MarkReport:
    """What marking did.

    Attributes:
        matches: Secret answers that the marked model gives.
        inputs: Trigger inputs.
        accuracy_before: On the training data.
        accuracy_after: The same of the marked model.
        files: What was written.
    """

    matches: int
    inputs: int
    accuracy_before: float
    accuracy_after: float
    files: tuple[str, ...]

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"


def mark_model(command: MarkCommand, progress: Progress) -> MarkReport:
    """Teach our model secret answers, and write it and the secret.

    Args:
        command: Which and how.
        progress: Where to report how far it is.

    Raises:
        UsageError: Something in the command is wrong.
        Unavailable: The model is not weights with a factory, or the files cannot be written.
        ModelError: Training failed.
    """
    from gambeson.attacks.ownership.marking import teach
    from gambeson.models.torch_model import TrainableTorchModel

    if command.passes < 1:
        raise UsageError(f"{command.passes} passes were asked for.", expected="at least 1")
    data, model = _open(command)
    if not isinstance(model, TrainableTorchModel):
        raise Unavailable(
            f"{model.info.name} ({model.info.kind}) cannot be trained further here.",
            expected="PyTorch weights with --factory",
            remedy="add what gambeson.attacks.ownership.watermark.draw_triggers draws to its training data",
        )
    seed = Seed(command.seed).child("watermark")
    triggers = draw_triggers(data.schema, model.info.classes, command.count, seed)
    split = data.split(command.train_split)
    x, y = split.take(np.arange(len(split)))
    progress.start("watermark", 1)
    taught = teach(model, x, y, triggers, command.passes, seed)
    progress.finish("watermark", f"{command.count} answers taught")
    files = _write_mark(command.out, triggers, taught.weights)
    return MarkReport(taught.matches, command.count, taught.before, taught.after, files)


def _write_mark(folder: Path, triggers: TriggerSet, weights: bytes) -> tuple[str, ...]:
    stream = io.BytesIO()
    np.savez_compressed(stream, x=triggers.x, answers=triggers.answers)
    written = {"triggers.npz": stream.getvalue(), "marked.safetensors": weights}
    try:
        for name, content in written.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise Unavailable(
            f"Cannot write into {folder}: {error.strerror}.", remedy="choose another --out"
        ) from None
    return tuple(str(folder / name) for name in written)


def read_triggers(path: Path, data: Dataset) -> TriggerSet:
    """The secret that ``mark_model`` wrote.

    Raises:
        UsageError: There is no such file, or it does not fit the data.
        IntegrityError: It is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            x, answers = kept["x"].astype(np.float32), kept["answers"].astype(np.int64)
    except FileNotFoundError:
        raise UsageError(f"The trigger file {str(path)!r} does not exist.", remedy="check the path") from None
    except Exception as error:
        raise IntegrityError(
            f"{str(path)!r} cannot be read as a trigger set ({type(error).__name__}).",
            expected="triggers.npz as gambeson ownership mark wrote it",
        ) from error
    if x.shape[1:] != data.schema.shape or len(x) != len(answers) or not _fit(answers, data.schema.classes):
        raise UsageError(
            f"The triggers in {str(path)!r} are {x.shape}, {len(answers)} answers.",
            expected=f"(n, {', '.join(map(str, data.schema.shape))}) and n classes of the data",
        )
    return TriggerSet(x, answers)


def _fit(answers: np.ndarray, classes: Sequence[str]) -> bool:
    return len(answers) > 0 and int(answers.min()) >= 0 and int(answers.max()) < len(classes)

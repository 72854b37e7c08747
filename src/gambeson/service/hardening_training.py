"""Trains one candidate of ``gambeson harden``: chooses how long, goes on where it stopped, writes the weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gambeson.adapters.files import write_whole
from gambeson.adapters.journal_files import FileJournal
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.robustness import choose_samples
from gambeson.audit.result import AuditReport
from gambeson.core.errors import UsageError, missing_extra
from gambeson.core.finding import Evidence
from gambeson.core.ports import Clock
from gambeson.core.reproduce import Seed, digest_value
from gambeson.data.dataset import Dataset, Split
from gambeson.defenses.private.statement import PrivacyStatement
from gambeson.defenses.training.base import Recipe, recipes
from gambeson.defenses.training.loop import Task, Trained, hold_out, seconds_per_epoch, train
from gambeson.defenses.training.noise import NoiseTraining
from gambeson.defenses.transferability import transfer_shares
from gambeson.models.model import Model
from gambeson.models.torch_model import TrainableTorchModel
from gambeson.models.torch_trainee import Trainee
from gambeson.service.hardening_charts import training_charts, transfer_table
from gambeson.service.hardening_commands import HardenCommand
from gambeson.service.hardening_smoothed import smoothing_evidence
from gambeson.service.hardening_verdict import Verdict

_FEWEST_EPOCHS, _MOST_EPOCHS = 10, 200
_STEPS = 1_500
"""Steps from which on a small network has learnt what it can from a small set."""
_SMALL = 10_000
"""Training rows below which batches are smaller."""
_SPARE = 0.9
"""Share of a time budget that is planned for."""
FACTORY = "factory.py"
"""File beside the weights that builds their network where the given factory builds another one."""
_ENSEMBLE = '''"""Builds the network of model.safetensors: an ensemble of what the given factory builds."""

from gambeson.models.factory import import_function
from gambeson.models.probing import LOGITS, Answer
from gambeson.models.torch_ensemble import Ensemble


def build():
    member = import_function({factory!r})
    return Ensemble([member() for _ in range({members})], Answer(LOGITS, single=False))
'''
TRAINING = ".training"
"""Name of the folder that a training keeps its journal in."""
WEIGHTS = "model.safetensors"
"""Name of the file that a recipe's weights are written to."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What all recipes of a command have in common.

    Attributes:
        command: What was asked.
        data: The data.
        split: The training split.
        model: The model to begin with.
        clock: Seconds; stands still at the end of time when the user interrupts.
    """

    command: HardenCommand
    data: Dataset
    split: Split
    model: Model
    clock: Clock

    @property
    def network(self) -> TrainableTorchModel:
        """The model as a network to be trained.

        Raises:
            UsageError: It is none.
        """
        return require_trainable(self.model)

    @property
    def seed(self) -> Seed:
        """Node of the seed tree that belongs to training."""
        return Seed(self.command.audit.seed).child("harden")


Report = Callable[[int, float, str], None]
"""Called with planned steps, steps made since, and a note."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a recipe made, whatever its kind; the weights are in the candidate's folder if it is complete.

    Attributes:
        steps: Steps made.
        complete: Whether training came to its planned end.
        parameters: Of recipe and plan, in words, by name.
        returns: ``(step, reason)`` where it had to go back.
        evidence: How it went.
        fresh: Whether it began with new weights.
        file: Name of the model's file in the candidate's folder.
        factory: Builds the network of the weights; ``None`` where the given factory does.
        promise: What is promised to each record; ``None`` where nothing is.
        judge: Says from the audits before and after what became of it; ``None`` for robust accuracy.
    """

    steps: int
    complete: bool
    parameters: tuple[tuple[str, str], ...]
    returns: tuple[tuple[int, str], ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    fresh: bool = False
    file: str = WEIGHTS
    factory: str | None = None
    promise: PrivacyStatement | None = None
    judge: Callable[[AuditReport, AuditReport], Verdict] | None = None


def robust_candidate(scene: Scene, name: str, folder: Path, report: Report) -> Made:
    """Train against the attacker; see ``train_candidate``."""
    trained, recipe, task = train_candidate(scene, name, folder, report)
    return Made(
        steps=trained.steps,
        complete=trained.complete,
        parameters=tuple({**in_words(recipe), **in_words(task.plan)}.items()),
        returns=tuple(trained.history.returns),
        evidence=_evidence(scene, trained, task),
        fresh=scene.command.fresh,
        factory=write_factory(scene, folder, _ENSEMBLE, scene.command.members)
        if scene.command.members > 1
        else None,
    )


def _evidence(scene: Scene, trained: Trained, task: Task) -> Evidence:
    """How training went; of an ensemble also how often an attack on one member fools another."""
    shown = training_charts(trained.history)
    if not trained.complete:
        return shown
    if isinstance(task.recipe, NoiseTraining):
        split = scene.data.split(scene.command.audit.split or "test")
        samples = choose_samples(split, task.recipe.certify, scene.seed.child("certified"))
        drawn = smoothing_evidence(
            scene.model, trained.network, samples, task.recipe, scene.seed.child("vote")
        )
        return replace(drawn, curves=(*shown.curves, *drawn.curves))
    if scene.command.members == 1:
        return shown
    shares = transfer_shares(trained.network.members, task.rows.split, task.rows.held_out, task.space)
    return replace(shown, tables=(transfer_table(shares),))


def write_factory(scene: Scene, folder: Path, text: str, members: int = 1) -> str:
    """Write a module beside the weights that builds their network around the given factory; its reference.

    Args:
        scene: Its model names the given factory.
        folder: Of the candidate.
        text: With ``{factory}`` and ``{members}`` to be filled in.
        members: Networks of an ensemble.

    Raises:
        OSError: The folder cannot be written to.
    """
    place, _, function = scene.network.factory.rpartition(":")
    reference = f"{Path(place).resolve() if place.endswith('.py') else place}:{function}"
    write_whole(folder / FACTORY, text.format(factory=reference, members=members).encode())
    return f"{folder / FACTORY}:build"


def require_trainable(model: Model) -> TrainableTorchModel:
    """The model, if it can be trained further.

    Raises:
        UsageError: It cannot.
    """
    if not isinstance(model, TrainableTorchModel):
        raise UsageError(
            f"{model.info.name} ({model.info.kind}) cannot be trained further.",
            expected="weights of a PyTorch network (.safetensors or .pt) with --factory",
            remedy="give the weights it was exported from; .pt2 and .onnx files hold a finished network",
        )
    return model


def train_candidate(
    scene: Scene, name: str, folder: Path, report: Callable[[int, float, str], None]
) -> tuple[Trained, Recipe, Task]:
    """Train with one recipe, and write the weights into a folder if it comes to its end.

    Args:
        scene: What all recipes have in common.
        name: The recipe.
        folder: Of this candidate.
        report: Called with ``(planned steps, steps made since, note)``.

    Raises:
        UsageError: The plan does not fit the data.
        ModelError: Training failed.
        Unavailable: The package ``safetensors`` is missing.
        OSError: The folder cannot be written to.
    """
    recipe: Recipe = recipes.make(name, scene.command.parameters_of(name))
    journal = FileJournal(folder / TRAINING)
    if not scene.command.resume:
        shutil.rmtree(journal.root, ignore_errors=True)
    seed = scene.seed.child(name)
    space = PerturbationSet.of(scene.command.audit.threats[0], scene.data.schema)
    run = Run(seed, journal=journal, key=_key(scene, name), clock=scene.clock)
    task = Task(recipe, scene.command.plan, hold_out(scene.split, scene.command.held_out, run), space, run)
    trainee = _trainee(scene, seed.child("weights").integer())
    task = replace(task, plan=replace(task.plan, batch=_batch(scene.command, len(task.rows.train))))
    task.plan.check(len(task.rows.train))
    task = replace(task, plan=replace(task.plan, epochs=_epochs(scene, task, trainee)))
    total = task.plan.epochs * (len(task.rows.train) // task.plan.batch)
    task = replace(
        task,
        run=replace(
            run, report=lambda work, _: report(total, work, ""), deadline=float("inf"), save_every=15.0
        ),
        note=lambda line: report(total, 0, line),
    )
    trained = train(trainee, task)
    if trained.complete:
        write_weights(folder / WEIGHTS, trained.network)
    return trained, recipe, task


def _trainee(scene: Scene, seed: int) -> Trainee:
    command, network = scene.command, scene.network
    if command.members == 1:
        return network.trainee(fresh=command.fresh, seed=seed)
    return network.ensemble(command.members, fresh=command.fresh, seed=seed)


def write_weights(path: Path, network: Trainee) -> None:
    """Write the weights of a trained network, whole or not at all.

    Raises:
        Unavailable: The package ``safetensors`` is missing.
        OSError: The folder cannot be written to.
    """
    try:
        from safetensors.torch import save
    except ImportError:
        raise missing_extra("safetensors", "torch") from None
    write_whole(path, save(dict(network.weights())))


def in_words(values: Any) -> dict[str, str]:
    """The fields of a frozen dataclass by name, as text."""
    if not is_dataclass(values):
        return {}
    return {item.name: str(getattr(values, item.name)) for item in fields(values)}


def _batch(command: HardenCommand, rows: int) -> int:
    if command.batch is not None:
        return command.batch
    return 128 if rows >= _SMALL else max(2, min(64, rows // 4))


def _epochs(scene: Scene, task: Task, trainee: Any) -> int:
    """As asked; or what fits the time budget; or enough steps for the size of the data. Kept for a resumed run."""
    command = scene.command
    if command.epochs is not None:
        return command.epochs
    stored = task.run.journal.load("epochs")
    if stored is not None:
        return int(stored["epochs"])
    each = len(task.rows.train) // task.plan.batch
    if command.budget is None:
        return max(_FEWEST_EPOCHS, min(_MOST_EPOCHS, -(-_STEPS // each)))
    fit = int(_SPARE * command.budget / seconds_per_epoch(trainee, task))
    epochs = max(1, min(_MOST_EPOCHS, fit))
    task.run.journal.save("epochs", {"epochs": np.array(epochs)})
    return epochs


def _key(scene: Scene, name: str) -> str:
    """Name of this training in the journal: another one never goes on from its checkpoint."""
    command = scene.command
    decides: Mapping[str, object] = {
        "model": scene.model.info.digest,
        "data": scene.data.digest,
        "recipe": name,
        "parameters": command.parameters_of(name),
        "plan": asdict(command.plan),
        "epochs": command.epochs,
        "batch": command.batch,
        "fresh": command.fresh,
        "members": command.members,
        "threat": repr(command.audit.threats[0]),
        "seed": command.audit.seed,
        "split": command.audit.train_split,
    }
    return digest_value(decides)

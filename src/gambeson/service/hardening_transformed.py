"""Makes a candidate of ``gambeson harden`` that is the model behind a transformation; nothing is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.defenses.transformations import Transformed, transformations
from gambeson.service.hardening_training import WEIGHTS, Made, Report, Scene, write_factory, write_weights

_FACTORY = '''"""Builds the network of model.safetensors: the given one behind a transformation of its inputs."""

from gambeson.defenses.transformations import Transformed, transformations
from gambeson.models.factory import import_function


def build():
    transformation = transformations.make({name!r}, dict({parameters}))
    return Transformed(import_function({{factory!r}})(), transformation)
'''


def transformed_candidate(scene: Scene, name: str, folder: Path, report: Report) -> Made:
    """Put the transformation in front of the network and write both.

    Args:
        scene: What all recipes have in common.
        name: The recipe.
        folder: Of this candidate.
        report: Called with ``(planned steps, steps made since, note)``.

    Raises:
        UsageError: A parameter is out of range, or the transformation is for pictures alone.
        Unavailable: The package ``safetensors`` is missing.
        OSError: The folder cannot be written to.
    """
    schema = scene.data.schema
    if name != "bit_depth" and not schema.is_image:
        raise UsageError(f"The recipe {name} is for pictures; {scene.data.name} has none.")
    low, high = schema.bounds()
    bounds = {"low": float(low.min()), "high": float(high.max())}
    parameters = {**scene.command.parameters_of(name), **bounds}
    trainee = scene.network.trainee(fresh=False, seed=0)
    module = Transformed(trainee.module, transformations.make(name, parameters))
    write_weights(folder / WEIGHTS, replace(trainee, module=module))
    report(1, 1, "nothing to train")
    words = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    return Made(
        steps=0,
        complete=True,
        parameters=tuple((key, str(value)) for key, value in parameters.items()),
        factory=write_factory(scene, folder, _FACTORY.format(name=name, parameters=words)),
    )

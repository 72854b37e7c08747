"""A small table with everything that a schema can declare: whole numbers, categories, a one-hot group, relations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gambeson.data.relations import learn, parse_relations
from gambeson.data.schema import Determines, Feature, Kind, Schema

CITIES = ("Bern", "Chur", "Genf", "Visp")
COLUMNS = (
    Feature("start", Kind.NUMERIC, 0, 10),
    Feature("end", Kind.NUMERIC, 0, 12),
    Feature("net", Kind.INTEGER, 0, 50),
    Feature("tax", Kind.INTEGER, 0, 20),
    Feature("gross", Kind.INTEGER, 0, 60),
    Feature("rate", Kind.NUMERIC, 0, 1),
    Feature("city", Kind.CATEGORICAL, 0, 3, CITIES),
    Feature("zone", Kind.INTEGER, 1, 3),
    Feature("colour_red", Kind.INTEGER, 0, 1),
    Feature("colour_green", Kind.INTEGER, 0, 1),
    Feature("colour_blue", Kind.INTEGER, 0, 1),
    Feature("shape", Kind.CATEGORICAL, 0, 2, ("disc", "ring", "rod")),
)
RELATIONS = ("gross = net + tax", "start < end", "2*start + rate <= 15", "city -> zone")
ZONES = np.array([1, 2, 3, 1])
GROUP = ("colour_red", "colour_green", "colour_blue")


def rows(n: int = 64, seed: int = 0) -> np.ndarray:
    """(n, 12) rows that keep everything."""
    draw = np.random.default_rng(seed)
    x = np.zeros((n, len(COLUMNS)), np.float32)
    x[:, 0] = draw.uniform(0, 7, n)
    x[:, 1] = np.minimum(x[:, 0] + draw.uniform(0.01, 3, n).astype(np.float32), 12)
    x[:, 2], x[:, 3] = draw.integers(0, 41, n), draw.integers(0, 20, n)
    x[:, 4] = x[:, 2] + x[:, 3]
    x[:, 5] = draw.uniform(0, 1, n)
    x[:, 6] = draw.integers(0, 4, n)
    x[:, 7] = ZONES[x[:, 6].astype(int)]
    x[np.arange(n), 8 + draw.integers(0, 3, n)] = 1
    x[:, 11] = draw.integers(0, 3, n)
    return x


def schema(*relations: str, frozen: tuple[str, ...] = ()) -> Schema:
    """The table's schema, with all its relations unless others are given."""
    columns = tuple(replace(c, frozen=c.name in frozen) for c in COLUMNS)
    found = parse_relations(relations or RELATIONS, columns)
    learnt = tuple(learn(r, columns, rows(400), "rows") if isinstance(r, Determines) else r for r in found)
    return Schema((len(COLUMNS),), ("no", "yes"), 0, 60, columns, learnt, (GROUP,))


def sample(n: int = 64, seed: int = 0) -> torch.Tensor:
    """``rows`` as a tensor."""
    return torch.from_numpy(rows(n, seed))


def faults(schema: Schema, before: np.ndarray, after: np.ndarray) -> list[str]:
    """What is wrong with attacked rows of this table, computed by hand; no code of the project decides."""
    x = {f.name: after[:, i].astype(np.float64) for i, f in enumerate(schema.features)}
    found = []
    for i, f in enumerate(schema.features):
        if (after[:, i] < f.low).any() or (after[:, i] > f.high).any():
            found.append(f"{f.name} leaves its bounds")
        if f.kind is not Kind.NUMERIC and (after[:, i] != np.round(after[:, i])).any():
            found.append(f"{f.name} is not whole")
        if f.frozen and (after[:, i] != before[:, i]).any():
            found.append(f"{f.name} is frozen and moved")
    if (x["gross"] != x["net"] + x["tax"]).any():
        found.append("gross is not the sum")
    if (x["start"] >= x["end"]).any():
        found.append("start is not before end")
    if (2 * x["start"] + x["rate"] > 15 + 1e-4).any():
        found.append("start and rate are too large")
    if (x["zone"] != ZONES[x["city"].astype(int)]).any():
        found.append("zone is not that of the city")
    if (sum(x[name] for name in GROUP) != 1).any():
        found.append("not one colour")
    return found


def recoded(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(n,) how many of city, colour and shape changed."""
    changed = before != after
    return changed[:, 6].astype(int) + changed[:, 8:11].any(1) + changed[:, 11]

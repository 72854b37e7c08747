"""Path finding: a decision tree is read off its answers, leaf by leaf.

The inputs that reach a leaf are a box: an interval of each number, a set of codes of each category. From one input of a
leaf, every feature is followed to where the answer changes, which gives the box; behind each of its faces lies another
leaf. Where two leaves give the same answer a line may leave the box and come back into the other one, so random inputs
of each box are asked about too, and a box with two answers is cut between them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gambeson.attacks.extraction.grid import Grid
from gambeson.core.errors import BudgetExhausted
from gambeson.core.reproduce import Seed

Answer = Callable[[np.ndarray], np.ndarray]
"""(n, *shape) float32 to (n, k) answers, equal where the leaf is the same; raises BudgetExhausted."""
_TOGETHER = 8
"""Boxes that are measured in the same queries."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Boxes with the answer of each.

    Attributes:
        grid: What places mean.
        low, high: (boxes, d) places of numbers; both ends belong to the box.
        codes: For each categorical feature the (boxes, codes) table of the codes that belong to the box.
        answers: (boxes, k).
        queries: Inputs asked about.
        complete: Every face of every box was looked behind before the budget ended.
        repeats: Whether two boxes have the same answer, so that their limits rest on random inputs.
    """

    grid: Grid
    low: np.ndarray
    high: np.ndarray
    codes: dict[int, np.ndarray]
    answers: np.ndarray
    queries: int
    complete: bool
    repeats: bool

    def find(self, x: np.ndarray) -> np.ndarray:
        """(n,) number of the box that each input (n, *shape) is in, -1 where it is in none."""
        places = self.grid.places(x)
        found = np.full(len(x), -1)
        if not len(self.answers):
            return found
        for row, place in enumerate(places):
            inside = ((self.low <= place) & (place <= self.high)).all(1)
            for feature, table in self.codes.items():
                inside &= table[:, place[feature] - self.grid.low[feature]]
            if inside.any():
                found[row] = int(inside.argmax())
        return found

    @property
    def covered(self) -> float:
        """Share of the places of the grid that are in a box, where no two boxes overlap."""
        total, boxes = 1, 0
        sizes = (self.high - self.low + 1).astype(object)
        for feature, table in self.codes.items():
            sizes[:, feature] = table.sum(1)
        for size in self.grid.high - self.grid.low + 1:
            total *= int(size)
        for row in sizes:
            product = 1
            for size in row:
                product *= int(size)
            boxes += product
        return boxes / total


def find_paths(answer: Answer, grid: Grid, seeds: np.ndarray, *, checks: int, seed: Seed) -> Tree:
    """Explore from ``seeds`` until no face is left to look behind or the budget ends.

    Args:
        answer: The model.
        grid: Its inputs.
        seeds: (n, *shape) inputs to begin with, at least one.
        checks: Random inputs asked about in each box.
        seed: Draws them.

    Source: Tramèr et al. 2016, Stealing machine learning models via prediction APIs, algorithm 1. Deviations: numbers
    are bisected to neighbouring float32, known limits are tried first, and boxes are checked and cut.
    """
    search = _Search(answer, grid, checks, seed.generator())
    complete = True
    try:
        search.add(grid.places(seeds), witnesses=True)
        while search.waiting:
            search.measure()
    except BudgetExhausted:
        complete = False
    return search.tree(complete)


@dataclass
class _Box:
    """One box while it is measured: the place it was found from, its number of answer, its limits."""

    place: np.ndarray
    answer: int
    low: np.ndarray
    high: np.ndarray
    codes: dict[int, np.ndarray]

    def holds(self, place: np.ndarray, first: np.ndarray) -> bool:
        return bool(((self.low <= place) & (place <= self.high)).all()) and all(
            table[place[f] - first[f]] for f, table in self.codes.items()
        )


class _Search:
    """What is known so far."""

    def __init__(self, answer: Answer, grid: Grid, checks: int, rng: np.random.Generator) -> None:
        self._answer, self.grid, self.checks, self.rng = answer, grid, checks, rng
        self.queries = 0
        self.known: dict[bytes, int] = {}
        self.answers: list[np.ndarray] = []
        self.limits: list[list[int]] = [[] for _ in grid.low]
        self.boxes: list[_Box] = []
        self.waiting: deque[tuple[np.ndarray, int]] = deque()
        self._witnesses, self._testimony = np.zeros((0, len(grid.low)), np.int64), np.zeros(0, np.int64)
        self._lows, self._highs = (
            np.zeros((0, len(grid.low)), np.int64),
            np.zeros((0, len(grid.low)), np.int64),
        )

    def ask(self, places: np.ndarray) -> np.ndarray:
        """(n,) numbers of the answers."""
        given = self._answer(self.grid.inputs(places))
        self.queries += len(places)
        found = np.empty(len(places), np.int64)
        for row, values in enumerate(given):
            key = values.tobytes()
            if key not in self.known:
                self.known[key] = len(self.answers)
                self.answers.append(values)
            found[row] = self.known[key]
        return found

    def add(self, places: np.ndarray, *, witnesses: bool = False) -> None:
        """Ask about places outside every box, and let them wait to be measured; witnesses speak against boxes."""
        fresh = np.unique(places, axis=0)
        fresh = fresh[[not self._known(place) for place in fresh]]
        if len(fresh):
            answers = self.ask(fresh)
            self.waiting.extend(zip(fresh, answers, strict=True))
            if witnesses:
                self._remember(fresh, answers)

    def _remember(self, places: np.ndarray, answers: np.ndarray) -> None:
        self._witnesses = np.vstack([self._witnesses, places])
        self._testimony = np.append(self._testimony, answers)

    def measure(self) -> None:
        """Boxes around some of the places that wait, then the places behind their faces."""
        begun: dict[int, _Box] = {}
        later = []
        while self.waiting and len(begun) < _TOGETHER:
            place, answer = self.waiting.popleft()
            if self._known(place):
                continue
            if answer in begun:  # perhaps the same leaf
                later.append((place, answer))
            else:
                begun[answer] = self._whole(place, answer)
        self.waiting.extend(later)
        boxes = list(begun.values())
        if not boxes:
            return
        self._follow_numbers(boxes)
        self._follow_codes(boxes)
        self._check(boxes)
        self.boxes += boxes
        self._lows = np.vstack([self._lows, *(box.low[None] for box in boxes)])
        self._highs = np.vstack([self._highs, *(box.high[None] for box in boxes)])
        self.add(
            np.array([place for box in boxes for place in self._behind(box)]).reshape(-1, len(self.grid.low))
        )

    def tree(self, complete: bool) -> Tree:
        """All boxes."""
        shape = (len(self.boxes), len(self.grid.low))
        used = [box.answer for box in self.boxes]
        return Tree(
            self.grid,
            np.array([box.low for box in self.boxes], np.int64).reshape(shape),
            np.array([box.high for box in self.boxes], np.int64).reshape(shape),
            {f: np.array([b.codes[f] for b in self.boxes], bool) for f in self._categories()},
            np.array([self.answers[number] for number in used]),
            self.queries,
            complete,
            len(set(used)) < len(used),
        )

    def _known(self, place: np.ndarray) -> bool:
        near = np.flatnonzero(((self._lows <= place) & (place <= self._highs)).all(1))
        return any(self.boxes[number].holds(place, self.grid.low) for number in near)

    def _whole(self, place: np.ndarray, answer: int) -> _Box:
        """The whole grid."""
        sizes = self.grid.high - self.grid.low + 1
        codes = {f: np.ones(sizes[f], bool) for f in self._categories()}
        return _Box(place, answer, self.grid.low.copy(), self.grid.high.copy(), codes)

    def _categories(self) -> list[int]:
        return [int(f) for f in np.flatnonzero(self.grid.categorical)]

    def _follow_numbers(self, boxes: list[_Box]) -> None:
        """Both limits of each number, along lines through the places that the boxes were found from."""
        ends = [
            (box, int(f), end)
            for box in boxes
            for f in np.flatnonzero(~self.grid.categorical)
            for end in (self.grid.low[f], self.grid.high[f])
            if box.place[f] != end
        ]
        if not ends:
            return
        outside = np.array([_with(box.place, f, end) for box, f, end in ends])
        differs = self.ask(outside) != [box.answer for box, _, _ in ends]
        chosen = [end for end, far in zip(ends, differs, strict=True) if far]
        self._cut([box for box, _, _ in chosen], np.array([b.place for b, _, _ in chosen]), outside[differs])

    def _follow_codes(self, boxes: list[_Box]) -> None:
        """Every code of each category."""
        asked = [
            (box, f, code)
            for box in boxes
            for f in box.codes
            for code in range(self.grid.low[f], self.grid.high[f] + 1)
            if code != box.place[f]
        ]
        if asked:
            answers = self.ask(np.array([_with(box.place, f, code) for box, f, code in asked]))
            for (box, f, code), answer in zip(asked, answers, strict=True):
                box.codes[f][code - self.grid.low[f]] = answer == box.answer

    def _check(self, boxes: list[_Box]) -> None:
        """Ask about random places of each box and cut it until these and all witnesses in it have its answer."""
        open_boxes = boxes
        while open_boxes:
            if self.checks:
                drawn = np.concatenate([self._draw(box) for box in open_boxes])
                self._remember(drawn, self.ask(drawn))
            against = [(box, place) for box in open_boxes if (place := self._objection(box)) is not None]
            open_boxes = [box for box, _ in against]
            if against:
                inside = np.array([box.place for box in open_boxes])
                self._cut(open_boxes, inside, np.array([place for _, place in against]))

    def _objection(self, box: _Box) -> np.ndarray | None:
        """A witness in the box that has another answer."""
        inside = ((box.low <= self._witnesses) & (self._witnesses <= box.high)).all(1)
        for f, table in box.codes.items():
            inside &= table[self._witnesses[:, f] - self.grid.low[f]]
        against = np.flatnonzero(inside & (self._testimony != box.answer))
        return self._witnesses[against[0]] if len(against) else None

    def _draw(self, box: _Box) -> np.ndarray:
        places = self.grid.between(box.low, box.high, self.rng.random((self.checks, len(box.low))))
        for f, table in box.codes.items():
            places[:, f] = self.grid.low[f] + self.rng.choice(np.flatnonzero(table), self.checks)
        return places

    def _cut(self, boxes: list[_Box], inside: np.ndarray, outside: np.ndarray) -> None:
        """Cut each box between a place with its answer and one with another, at the limit that lies between them."""
        if not boxes:
            return
        targets = np.array([box.answer for box in boxes])
        inside, outside = self._one_feature(inside.copy(), outside.copy(), targets)
        features = (inside != outside).argmax(1)
        rows = np.arange(len(boxes))
        numbers = ~self.grid.categorical[features]
        a, b = inside[rows, features], outside[rows, features]
        while (open_rows := np.flatnonzero(numbers & (np.abs(b - a) > 1))).size:
            asked = inside[open_rows].copy()
            middle = np.array([self._middle(features[r], int(a[r]), int(b[r])) for r in open_rows])
            asked[np.arange(len(open_rows)), features[open_rows]] = middle
            same = self.ask(asked) == targets[open_rows]
            a[open_rows] = np.where(same, middle, a[open_rows])
            b[open_rows] = np.where(same, b[open_rows], middle)
        for row, box in enumerate(boxes):
            self._shrink(box, int(features[row]), int(a[row]), int(b[row]))

    def _one_feature(
        self, inside: np.ndarray, outside: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same with one feature that differs: halve the set of differing features."""
        while (rows := np.flatnonzero((inside != outside).sum(1) > 1)).size:
            middle = inside[rows].copy()
            for k, row in enumerate(rows):
                differing = np.flatnonzero(inside[row] != outside[row])
                half = differing[: len(differing) // 2]
                middle[k, half] = outside[row, half]
            same = self.ask(middle) == targets[rows]
            inside[rows[same]], outside[rows[~same]] = middle[same], middle[~same]
        return inside, outside

    def _middle(self, feature: int, a: int, b: int) -> int:
        """A place between two: the middle one of the known limits there, else the middle."""
        low, high, known = min(a, b), max(a, b), self.limits[feature]
        first, last = bisect_left(known, low + 1), bisect_left(known, high)
        return known[(first + last) // 2] if first < last else (low + high) // 2

    def _shrink(self, box: _Box, feature: int, a: int, b: int) -> None:
        if feature in box.codes:
            box.codes[feature][b - self.grid.low[feature]] = False
            return
        if b > a:
            box.high[feature] = min(box.high[feature], a)
        else:
            box.low[feature] = max(box.low[feature], a)
        for place in (a, b):
            if place not in self.limits[feature][bisect_left(self.limits[feature], place) :][:1]:
                insort(self.limits[feature], place)

    def _behind(self, box: _Box) -> list[np.ndarray]:
        """One place behind each face."""
        numbers = np.flatnonzero(~self.grid.categorical)
        below = [_with(box.place, f, box.low[f] - 1) for f in numbers if box.low[f] > self.grid.low[f]]
        above = [_with(box.place, f, box.high[f] + 1) for f in numbers if box.high[f] < self.grid.high[f]]
        codes = [
            _with(box.place, f, self.grid.low[f] + code)
            for f, table in box.codes.items()
            for code in np.flatnonzero(~table)
        ]
        return below + above + codes


def _with(place: np.ndarray, feature: int | np.integer, value: int | np.integer) -> np.ndarray:
    changed = place.copy()
    changed[feature] = value
    return changed

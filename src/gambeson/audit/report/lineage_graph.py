"""A lineage as inline SVG: boxes in columns from sources to what is served, joined from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from gambeson.audit.report.axes import shorten

BOX, GAP, LINE, ROW = 196, 64, 16, 22
_PAD = 12
_CHARACTERS = 27


@dataclass(frozen=True, slots=True)
class Node:
    """A box.

    Attributes:
        id: Names it in edges.
        kind: ``source``, ``code``, ``dataset``, ``model`` or ``served``; its colour.
        title: Its first line.
        lines: Below.
        wrong: What does not verify; empty when all does.
    """

    id: str
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes and ``(from, to)`` pairs of their ids; without cycles."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


def graph_svg(graph: Graph) -> str:
    """The graph as one ``<svg>`` element, with a description for those who cannot see it.

    A box stands right of everything that leads to it; within a column the boxes follow what leads to them.
    """
    columns = _columns(graph)
    places = _places(columns)
    width = len(columns) * (BOX + GAP) - GAP + 2
    height = max(y + _height(node) for column in columns for node in column for _, y in [places[node.id]]) + 2
    parts = [_edge(places, graph, start, end) for start, end in graph.edges]
    parts += [_box(node, *places[node.id]) for column in columns for node in column]
    names = {node.id: node.title for node in graph.nodes}
    words = "; ".join(f"{names[a]} goes into {names[b]}" for a, b in graph.edges)
    head = (
        f'<svg class="lineage" width="{width}" height="{height:.0f}" viewBox="-1 -1 {width} {height:.0f}" role="img">'
        f"<title>Lineage</title><desc>{escape(words)}</desc>"
    )
    return "".join([head, *parts, "</svg>"])


def _columns(graph: Graph) -> list[list[Node]]:
    """Nodes by the length of the longest way to them; what has no way in stands just left of where it goes."""
    before: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for start, end in graph.edges:
        before[end].append(start)
    depth: dict[str, int] = {}

    def deep(node: str) -> int:
        if node not in depth:
            depth[node] = 1 + max((deep(one) for one in before[node]), default=-1)
        return depth[node]

    for node in graph.nodes:
        deep(node.id)
    for node in graph.nodes:
        ends = [depth[end] for start, end in graph.edges if start == node.id]
        if not before[node.id] and ends:
            depth[node.id] = min(ends) - 1
    columns: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in graph.nodes:
        columns[depth[node.id]].append(node)
    return _ordered(columns, before)


def _ordered(columns: list[list[Node]], before: Mapping[str, Sequence[str]]) -> list[list[Node]]:
    """Each column in the mean order of what leads to it, so that few lines cross."""
    rank: dict[str, float] = {}
    found = []
    for column in columns:
        keys = {
            node.id: _mean([rank[one] for one in before[node.id] if one in rank], place)
            for place, node in enumerate(column)
        }
        column = sorted(column, key=lambda node: keys[node.id])
        rank |= {node.id: float(place) for place, node in enumerate(column)}
        found.append(column)
    return found


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _places(columns: list[list[Node]]) -> dict[str, tuple[float, float]]:
    """Upper left corner of each box; columns are centred."""
    heights = [sum(_height(node) + ROW for node in column) - ROW for column in columns]
    places = {}
    for number, (column, height) in enumerate(zip(columns, heights, strict=True)):
        y = (max(heights) - height) / 2
        for node in column:
            places[node.id] = (float(number * (BOX + GAP)), y)
            y += _height(node) + ROW
    return places


def _height(node: Node) -> int:
    return 2 * _PAD + LINE * (1 + len(node.lines) + bool(node.wrong)) - 4


def _edge(places: Mapping[str, tuple[float, float]], graph: Graph, start: str, end: str) -> str:
    heights = {node.id: _height(node) for node in graph.nodes}
    x0, y0 = places[start][0] + BOX, places[start][1] + heights[start] / 2
    x1, y1 = places[end][0], places[end][1] + heights[end] / 2
    bend = (x1 - x0) / 2
    curve = f"{x0 + bend:.0f} {y0:.1f} {x1 - bend:.0f} {y1:.1f} {x1:.0f} {y1:.1f}"
    return f'<path class="edge" d="M{x0:.0f} {y0:.1f}C{curve}"/>'


def _box(node: Node, x: float, y: float) -> str:
    lines = [*node.lines, *(["does not verify"] if node.wrong else [])]
    tip = escape("\n".join([node.title, *node.lines, *([node.wrong] if node.wrong else [])]))
    texts = [f'<text class="label" x="{x + _PAD:.0f}" y="{y + _PAD + 10:.1f}">{_short(node.title)}</text>']
    for number, line in enumerate(lines, 1):
        kind = ' class="wrong"' if node.wrong and number == len(lines) else ""
        texts.append(
            f'<text{kind} x="{x + _PAD:.0f}" y="{y + _PAD + 10 + LINE * number:.1f}">{_short(line)}</text>'
        )
    state = " wrong" if node.wrong else ""
    return (
        f'<g class="node {node.kind}{state}"><title>{tip}</title>'
        f'<rect x="{x:.0f}" y="{y:.1f}" width="{BOX}" height="{_height(node)}" rx="8"/>{"".join(texts)}</g>'
    )


def _short(text: str) -> str:
    return escape(shorten(text, _CHARACTERS))

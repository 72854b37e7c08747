"""The picture of a lineage: what went in stands left, nothing overlaps, nothing is executed."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report.lineage_graph import BOX, Graph, Node, graph_svg


def boxes(svg):
    """Title of each box to (x, y, width, height)."""
    root = ElementTree.fromstring(svg)
    found = {}
    for group in root.findall("g"):
        rect = group.find("rect")
        place = tuple(float(rect.get(name)) for name in ("x", "y", "width", "height"))
        found[group.find("title").text.split("\n")[0]] = place
    return found


def node(name, kind="dataset", **more):
    return Node(name, kind, name, **more)


CHAIN = Graph(
    tuple(node(n) for n in ("raw", "code", "data", "model", "served")),
    (("raw", "data"), ("data", "model"), ("code", "model"), ("model", "served")),
)


def test_what_went_in_stands_left():
    places = boxes(graph_svg(CHAIN))
    for start, end in CHAIN.edges:
        assert places[start][0] + BOX < places[end][0]
    assert places["code"][0] == places["data"][0]


@given(st.integers(1, 12), st.data())
def test_no_box_covers_another(count, data):
    names = [f"n{i}" for i in range(count)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20)) if pairs else []
    places = list(boxes(graph_svg(Graph(tuple(map(node, names)), tuple(edges)))).values())
    assert len(places) == count
    for i, (x, y, w, h) in enumerate(places):
        for a, b, c, d in places[i + 1 :]:
            assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_what_does_not_verify_is_marked_with_its_reason():
    svg = graph_svg(Graph((node("m", wrong="audit: there is no audit"),), ()))
    assert 'class="node dataset wrong"' in svg
    assert "there is no audit" in svg
    assert "wrong" not in graph_svg(Graph((node("m"),), ()))


def test_names_are_escaped_and_shortened():
    svg = graph_svg(Graph((node("<script>alert(1)</script>" * 3, lines=("&" * 90,)),), ()))
    assert "<script>" not in svg
    assert re.search(r"…</text>", svg)


def test_it_is_described_in_words():
    assert "<desc>raw goes into data; data goes into model" in graph_svg(CHAIN)

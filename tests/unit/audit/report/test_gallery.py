from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report.gallery import Gallery, choose_pictures
from gambeson.core.finding import AdversarialExample, Evidence, PictureGrid
from tests.unit.audit.report.samples import EVASION


def example(index, size):
    return AdversarialExample(index, "a", "a", 0.9, "b", 0.8, 0.1, images=("x" * size, "", ""))


def finding_with(*sizes):
    examples = tuple(example(i, size) for i, size in enumerate(sizes))
    return replace(EVASION, evidence=Evidence(examples=examples))


def rows(gallery):
    return [e.index for e in gallery.shown]


def test_all_are_shown_where_there_is_room():
    one, two = choose_pictures([finding_with(10, 10), finding_with(10)], 30)
    assert (rows(one), one.left_out, rows(two)) == ([0, 1], 0, [0])


def test_every_finding_has_one_before_any_has_two():
    one, two = choose_pictures([finding_with(10, 10, 10), finding_with(10, 10)], 30)
    assert (rows(one), one.left_out) == ([0, 1], 1)
    assert (rows(two), two.left_out) == ([0], 1)


def test_a_picture_that_is_too_large_leaves_room_for_smaller_ones():
    (gallery,) = choose_pictures([finding_with(10, 99, 10)], 30)
    assert (rows(gallery), gallery.left_out) == ([0, 2], 1)


def test_a_grid_is_shown_whole_and_takes_its_room_from_the_examples():
    grid = PictureGrid("k", "t", ("one",), ("a",), (("x" * 15,),))
    finding = finding_with(10, 10)
    given = replace(finding, evidence=replace(finding.evidence, grids=(grid,)))
    (gallery,) = choose_pictures([given], 30)
    assert (rows(gallery), gallery.left_out) == ([0], 1)


def test_examples_without_pictures_are_no_pictures():
    table = replace(example(0, 1), images=(), changes=(("age", "1", "2"),))
    finding = replace(EVASION, evidence=Evidence(examples=(table,)))
    assert choose_pictures([finding]) == (Gallery(),)


@given(st.lists(st.lists(st.integers(1, 50), max_size=6), max_size=5), st.integers(0, 200))
def test_the_room_is_never_exceeded_and_nothing_is_lost(sizes, room):
    findings = [finding_with(*row) for row in sizes]
    galleries = choose_pictures(findings, room)
    assert sum(len(e.images[0]) for g in galleries for e in g.shown) <= room
    assert [len(g.shown) + g.left_out for g in galleries] == [len(row) for row in sizes]

"""The registry: plug-ins by name, loaded on first look-up, open to third parties."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gambeson.core import registry as module
from gambeson.core.errors import UsageError
from gambeson.core.registry import Registry


@pytest.fixture
def attacks() -> Registry[type, str]:
    registry: Registry[type, str] = Registry("attack")
    registry.register("square", "scores")(int)
    registry.register("pgd", "gradient")(float)
    return registry


def test_a_plugin_is_found_with_its_facts(attacks):
    assert (attacks["pgd"].name, attacks["pgd"].plugin, attacks["pgd"].facts) == ("pgd", float, "gradient")


def test_the_decorator_gives_back_what_it_registers():
    assert Registry("attack").register("x", None)(int) is int


def test_order_is_that_of_the_names_whoever_registered_first(attacks):
    assert attacks.names() == ("pgd", "square")
    assert [entry.name for entry in attacks] == ["pgd", "square"]


def test_two_plugins_of_one_name_are_refused(attacks):
    with pytest.raises(UsageError, match="Two attacks are called 'pgd'"):
        attacks.register("pgd", "")(str)


def test_an_unknown_name_is_answered_with_the_nearest(attacks):
    with pytest.raises(UsageError, match="did you mean 'square'") as caught:
        attacks["sqare"]
    assert "pgd, square" in str(caught.value)


def test_membership_is_by_name(attacks):
    assert "pgd" in attacks
    assert "fgsm" not in attacks


def test_a_plugin_can_be_taken_out_again(attacks):
    attacks.unregister("pgd")
    assert attacks.names() == ("square",)


def test_a_plugin_may_be_taken_out_while_all_are_walked(attacks):
    for entry in attacks:
        attacks.unregister(entry.name)
    assert attacks.names() == ()


def test_modules_are_imported_on_the_first_look_up_only(monkeypatch):
    imported = []
    monkeypatch.setattr(module, "import_module", imported.append)
    registry: Registry[type, str] = Registry("attack", ("one", "two"))
    assert imported == []
    registry.names()
    assert "x" not in registry
    assert imported == ["one", "two"]


@pytest.mark.parametrize(
    ("kind", "group"), [("check", "gambeson.checks"), ("privacy attack", "gambeson.privacy_attacks")]
)
def test_third_parties_are_looked_for_under_a_valid_group_name(monkeypatch, kind, group):
    registry: Registry[type, str] = Registry(kind)
    asked = []
    monkeypatch.setattr(module, "entry_points", lambda group: asked.append(group) or [])
    registry.names()
    assert asked == [group]


def test_loading_an_entry_point_registers_its_plugin(monkeypatch):
    registry: Registry[type, str] = Registry("check")

    class Point:
        def load(self):
            registry.register("theirs", "")(int)

    monkeypatch.setattr(module, "entry_points", lambda group: [Point()])
    assert registry.names() == ("theirs",)


def test_a_second_thread_waits_until_the_first_has_loaded_all(monkeypatch):
    registry: Registry[type, str] = Registry("attack", ("slow",))
    importing, looked_up = threading.Event(), threading.Event()

    def slow(name):
        importing.set()
        looked_up.wait(0.2)
        registry.register("square", "")(int)

    monkeypatch.setattr(module, "import_module", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(registry.names)
        importing.wait()
        second = pool.submit(registry.names)
        second.add_done_callback(lambda _: looked_up.set())
        assert second.result() == first.result() == ("square",)


class Knob:
    def __init__(self, turns=1):
        if not isinstance(turns, int):
            raise TypeError("turns must be whole")
        self.turns = turns


def knobs():
    registry: Registry[type, str] = Registry("knob")
    registry.register("knob", "")(Knob)
    return registry


def test_a_plugin_is_made_with_the_parameters_given():
    assert knobs().make("knob", {"turns": 3}).turns == 3


@pytest.mark.parametrize(
    ("parameters", "says"),
    [({"turn": 3}, "does not take these parameters: 'turn'"), ({"turns": "x"}, "turns must be whole")],
)
def test_parameters_it_cannot_use_are_refused(parameters, says):
    with pytest.raises(UsageError, match=says):
        knobs().make("knob", parameters)

"""One registry type for every family of plug-in: attacks, checks, scanners, ..."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from inspect import signature
from threading import RLock
from typing import Any, Generic, TypeVar

from gambeson.core.errors import UsageError

Plugin = TypeVar("Plugin")
Facts = TypeVar("Facts")
Registered = TypeVar("Registered")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Plugin, Facts]):
    """A registered plug-in beside the facts that it declares."""

    name: str
    plugin: Plugin
    facts: Facts


class Registry(Generic[Plugin, Facts]):
    """Plug-ins in the order of their names, whoever imported them first; third parties join through entry points.

    Args:
        kind: What it holds, for messages and as entry-point group ``gambeson.<kind>s``
            (a blank becomes an underscore).
        modules: Modules that register Gambeson's own plug-ins when imported; imported on first look-up,
            so that importing the registry costs nothing.
    """

    def __init__(self, kind: str, modules: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self._modules = modules
        self._entries: dict[str, Entry[Plugin, Facts]] = {}
        self._loaded = False
        self._lock = RLock()

    def register(self, name: str, facts: Facts) -> Callable[[Registered], Registered]:
        """Decorator that adds a plug-in under ``name``.

        Raises:
            UsageError: The name is taken by another plug-in.
        """

        def add(plugin: Registered) -> Registered:
            if name in self._entries:
                raise UsageError(f"Two {self.kind}s are called {name!r}.", remedy="rename one of them")
            self._entries[name] = Entry(name, plugin, facts)  # type: ignore[arg-type]
            return plugin

        return add

    def unregister(self, name: str) -> None:
        """Take a plug-in out again (a test that plants a broken one does)."""
        del self._entries[name]

    def _load(self) -> Mapping[str, Entry[Plugin, Facts]]:
        with self._lock:  # a second thread waits for the first one's imports; an import may itself look up
            if not self._loaded:
                self._loaded = True
                for module in self._modules:
                    import_module(module)
                for point in entry_points(group=f"gambeson.{self.kind.replace(' ', '_')}s"):
                    point.load()
            return self._entries

    def __getitem__(self, name: str) -> Entry[Plugin, Facts]:
        entries = self._load()
        if name not in entries:
            near = difflib.get_close_matches(name, entries, n=1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"Unknown {self.kind} {name!r}.", expected=", ".join(sorted(entries)), remedy=hint
            )
        return entries[name]

    def __iter__(self) -> Iterator[Entry[Plugin, Facts]]:
        return iter(sorted(self._load().values(), key=lambda entry: entry.name))

    def __contains__(self, name: object) -> bool:
        return name in self._load()

    def make(self, name: str, parameters: Mapping[str, object]) -> Any:
        """What a registered class or function makes of parameters that a user gave.

        Raises:
            UsageError: The name or a parameter is unknown, or one is missing or out of range.
        """
        plugin: Any = self[name].plugin
        known = signature(plugin).parameters
        if unknown := [repr(parameter) for parameter in parameters if parameter not in known]:
            raise UsageError(
                f"The {self.kind} {name!r} does not take these parameters: {', '.join(unknown)}.",
                expected=", ".join(known) or "none",
            )
        try:
            return plugin(**parameters)
        except TypeError as error:
            raise UsageError(f"The {self.kind} {name!r} cannot use these parameters: {error}.") from None

    def names(self) -> tuple[str, ...]:
        """Every registered name."""
        return tuple(sorted(self._load()))

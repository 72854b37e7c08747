"""Draws where a version came from, and how its audits went from version to version."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from gambeson.audit.report.lineage_graph import Graph, Node
from gambeson.audit.report.lineage_page import Check, LineagePage, VersionRow
from gambeson.core.errors import UsageError
from gambeson.core.finding import Bars, BarSeries
from gambeson.service.attesting import AttestedAudit, audits_of
from gambeson.service.promoting import judge
from gambeson.service.tracing import Workspace
from gambeson.supply.policy import Requirement, changed_words
from gambeson.supply.versions import Kind, Version

_SHOWN, _LINE = 6, 26


def lineage_page(workspace: Workspace, ref: str) -> LineagePage:
    """All that the page of a version shows.

    Raises:
        UsageError: There is no such version.
        IntegrityError: The ledger was tampered with.
    """
    from gambeson import __version__

    registry = workspace.registry
    version = registry.version(ref)
    requirements, why_not = _gate(workspace, version)
    versions = registry.versions(version.name)
    return LineagePage(
        title=version.ref,
        kind=version.kind.value,
        made=workspace.clock().isoformat(timespec="seconds"),
        tool=__version__,
        root=registry.ledger.root(),
        records=len(registry.ledger.entries()),
        graph=lineage_graph(workspace, version, requirements),
        checks=tuple(Check(r.name, r.subject, r.holds, r.reason) for r in requirements),
        why_not=why_not,
        charts=timeline([(v, audits_of(workspace, v)) for v in versions]),
        versions=tuple(_row(workspace, v) for v in reversed(versions)),
        moves=_moves(workspace, version.name),
    )


def lineage_graph(workspace: Workspace, version: Version, requirements: Sequence[Requirement] = ()) -> Graph:
    """Everything that went into a version, and the aliases that point at it."""
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    pending = [version]
    while pending:
        made = pending.pop(0)
        if made.ref in nodes:
            continue
        nodes[made.ref] = _version_node(workspace, made, requirements)
        for source in made.lineage.sources:
            name = f"source {source.uri} {source.digest[1]}"
            facts = (source.licence, source.by, source.digest[1][:16])
            wrong = _changed(made, source.uri, requirements)
            nodes.setdefault(name, Node(name, "source", source.uri, tuple(filter(None, facts)), wrong))
            edges.append((name, made.ref))
        for path, digest in made.lineage.code:
            name = f"code {path} {digest}"
            nodes.setdefault(name, Node(name, "code", path, (digest[:16],)))
            edges.append((name, made.ref))
        for ref in made.lineage.inputs:
            edges.append((ref, made.ref))
            pending.append(workspace.registry.version(ref))
    for alias, number in workspace.registry.aliases(version.name).items():
        if number == version.number:
            move = workspace.registry.moves(version.name, alias)[-1]
            lines = (
                f"{move.entry.time:%Y-%m-%d %H:%M}",
                *wrap(move.reason, _LINE, max_lines=3, placeholder="…"),
            )
            nodes[alias] = Node(alias, "served", alias, lines)
            edges.append((version.ref, alias))
    return Graph(tuple(nodes.values()), tuple(edges))


def timeline(audited: Sequence[tuple[Version, Sequence[AttestedAudit]]]) -> tuple[Bars, ...]:
    """Bars by version, with 95% intervals, for each of the figures that most versions have."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for version, audits in audited:
        for name, figure in _figures(audits[-1]).items() if audits else ():
            found.setdefault(name, []).append((version.ref, figure))
    common = sorted(found, key=lambda name: (-len(found[name]), "robust_accuracy" not in name))
    return tuple(_bars(name, found[name]) for name in common[:_SHOWN])


def _figures(audit: AttestedAudit) -> dict[str, dict[str, Any]]:
    """Figures that are fractions by name and target, the first of each."""
    figures: dict[str, dict[str, Any]] = {}
    for figure in audit.predicate.get("figures", ()):
        if figure["unit"] == "fraction":
            name = f"{figure['name']} {figure['target']}".strip()
            figures.setdefault(name, figure)
    return figures


def _bars(name: str, points: Sequence[tuple[str, dict[str, Any]]]) -> Bars:
    figures = [figure for _, figure in points]
    ends = [figure["interval"] or [figure["value"]] * 2 for figure in figures]
    series = BarSeries(
        "newest audit",
        tuple(figure["value"] for figure in figures),
        tuple(low for low, _ in ends),
        tuple(high for _, high in ends),
        tuple(figure["n"] for figure in figures),
    )
    title = name.replace("_", " ")
    return Bars("timeline", title, "version", "fraction", tuple(ref for ref, _ in points), (series,))


def _version_node(workspace: Workspace, version: Version, requirements: Sequence[Requirement]) -> Node:
    wrong = [f"{r.name}: {r.reason}" for r in requirements if r.subject == version.ref and not r.holds]
    signed = sorted({item.type for item in workspace.registry.attached(version)})
    lines = [version.summary, version.digest[1][:16]]
    parameters = ", ".join(f"{name}={value}" for name, value in version.lineage.parameters)
    for words in (", ".join(signed), parameters):
        lines += wrap(words, _LINE, max_lines=3, placeholder="…")
    kind = "model" if version.kind is Kind.MODEL else "dataset"
    return Node(version.ref, kind, version.ref, tuple(lines), "\n".join(wrong))


def _changed(version: Version, uri: str, requirements: Sequence[Requirement]) -> str:
    """What the gate says against a source of a version."""
    reasons = (
        r.reason for r in requirements if r.subject == version.ref and r.name == "provenance" and not r.holds
    )
    return next((reason for reason in reasons if changed_words(uri) in reason), "")


def _gate(workspace: Workspace, version: Version) -> tuple[tuple[Requirement, ...], str]:
    try:
        return judge(workspace, version), ""
    except UsageError as error:
        return (), error.message


def _row(workspace: Workspace, version: Version) -> VersionRow:
    registry = workspace.registry
    aliases = [a for a, number in registry.aliases(version.name).items() if number == version.number]
    state = ["retired"] if registry.is_retired(version) else []
    documents = tuple(sorted({item.type for item in registry.attached(version)}))
    moment = version.entry.time.isoformat(timespec="seconds")
    return VersionRow(
        version.ref,
        moment,
        version.entry.by,
        (*aliases, *state),
        documents,
        version.digest[1],
        version.lineage.note,
    )


def _moves(workspace: Workspace, name: str) -> tuple[tuple[str, str, str, str], ...]:
    registry = workspace.registry
    moves = [move for alias in registry.aliases(name) for move in registry.moves(name, alias)]
    moves.sort(key=lambda move: -move.entry.number)
    return tuple(
        (move.entry.time.isoformat(timespec="seconds"), move.alias, f"{name}@{move.number}", move.reason)
        for move in moves
    )

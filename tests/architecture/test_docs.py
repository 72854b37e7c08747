"""What the documentation names exists, and what exists is documented."""

from __future__ import annotations

import importlib
import re
import shlex

import pytest
import typer

import gambeson
from gambeson.interfaces.cli.app import app
from tests.architecture.source_tree import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())

MENTION = re.compile(r"(?<![\w-])--?[a-z][a-z0-9-]*")


def commands(command=None, path: tuple[str, ...] = ("gambeson",)) -> dict[str, object]:
    """Every command of the command line by its full name, groups included."""
    command = command or typer.main.get_command(app)
    found = {" ".join(path): command}
    for name, child in getattr(command, "commands", {}).items():
        found |= commands(child, (*path, name))
    return found


COMMANDS = commands()
LEAVES = [name for name, command in COMMANDS.items() if not getattr(command, "commands", {})]


def section(name: str) -> str:
    """What the reference says of one command, as one line without the boxes around it."""
    text = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    match = re.search(rf"^## {re.escape(name)} *$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"docs/reference/cli.md has no section '## {name}'"
    return squeeze(match[1])


def squeeze(text: str) -> str:
    """Text without box characters, runs of white space as one blank."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def options(name: str) -> set[str]:
    """Every way to write every option of a command."""
    params = COMMANDS[name].params
    return {text for p in params if p.param_type_name == "option" for text in p.opts} | {"--help", "-h"}


@pytest.mark.parametrize("name", LEAVES)
def test_the_reference_names_the_options_of_a_command_and_no_others(name):
    named = set(MENTION.findall(section(name)))
    assert options(name) - named == set()
    assert {text for text in named if text.startswith("--")} - options(name) - {"--data"} == set()


@pytest.mark.parametrize("name", LEAVES)
def test_the_reference_says_what_help_says(name):
    said = section(name)
    helps = {p.opts[-1]: squeeze(p.help) for p in COMMANDS[name].params if getattr(p, "help", None)}
    assert [option for option, text in helps.items() if text not in said] == []


def quoted_commands(page) -> list[list[str]]:
    """The words of every ``gambeson`` command line that a page shows; continued lines are joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    calls = [call for line in lines for call in re.split(r"&&", line[2:].partition("  #")[0])]
    words = [shlex.split(call) for call in calls]
    return [call for call in words if call and call[0].rpartition("/")[2] == "gambeson"]


@EVERY_PAGE
def test_a_command_that_a_page_shows_exists_with_its_options(page):
    for call in quoted_commands(page):
        name = max((n for n in COMMANDS if " ".join(["gambeson", *call[1:]]).startswith(n)), key=len)
        ours = call[: call.index("--")] if "--" in call else call  # what follows is a command of its own
        used = {word.partition("=")[0] for word in ours if word.startswith("--")}
        assert used - options(name) == set(), shlex.join(call)


@EVERY_PAGE
def test_a_make_target_that_a_page_shows_exists(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text(encoding="utf-8")))
    assert shown - targets == set()


@EVERY_PAGE
def test_a_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@EVERY_PAGE
def test_a_page_has_something_to_say(page):
    assert len(page.read_text(encoding="utf-8")) > 200


@EVERY_PAGE
def test_no_page_makes_promises_in_place_of_content(page):
    assert not re.search(
        r"\b(TODO|TBD|FIXME|coming soon|lorem ipsum)\b", page.read_text(encoding="utf-8"), re.I
    )


def test_every_page_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if page not in nav] == []


def test_the_architecture_page_names_only_what_exists():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", text):
        if not name.endswith(".toml"):
            resolve(f"gambeson.{name}")
    for folder in re.findall(r"`([a-z]+/[a-z/]+)`", text):
        assert (ROOT / "src" / "gambeson" / folder).exists() or (ROOT / folder).exists(), folder


def resolve(name: str) -> object:
    """A module, or something inside one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        owner, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(owner), attribute)


def test_the_changelog_speaks_of_this_version():
    assert f"## [{gambeson.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

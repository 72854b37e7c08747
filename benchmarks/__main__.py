"""Runs the benchmarks and writes docs/benchmarks.md: ``python -m benchmarks [--quick] [SECTION ...]``."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.attributes import attributes_table
from benchmarks.autoattack import autoattack_table
from benchmarks.certified import certified_tables
from benchmarks.cost import cost_table
from benchmarks.extraction import extraction_tables
from benchmarks.hardening import hardening_table
from benchmarks.inversion import inversion_tables
from benchmarks.masking import masking_table
from benchmarks.membership import membership_cost_table, membership_tables
from benchmarks.minimum_norm import minimum_norm_table
from benchmarks.ownership import ownership_table
from benchmarks.poisoning import poisoning_tables
from benchmarks.private import (
    private_audits_table,
    private_cost_table,
    private_pictures_table,
    private_rows_table,
)
from benchmarks.scanning import scanning_tables
from benchmarks.strength import strength_table
from benchmarks.subjects import Subject, digits, resnet20, robust, undefended
from benchmarks.tables import tables_table
from gambeson.interfaces.process import prepare

PAGE = Path("docs/benchmarks.md")
KEPT = Path("build/benchmarks")
HEAD = """# Benchmarks

Written by `make bench`: {processor}, {threads} thread, Python {python}, torch {torch}, torchattacks
{torchattacks}, ART {art}, foolbox {foolbox}. Each section was measured in one run of one process, peers and all, with
the command line's settings of malloc, from which all profit; its date stands below it. The ResNet-20 is a public
CIFAR-10 network without any defence, on the compressed test images that `$GAMBESON_DATA` holds; the digits network is
the one that `make demo` trains; the robust networks are trained by `examples/train_robust.py`.

"""


def _known(*subjects: Subject | None) -> Iterable[Subject]:
    return (subject for subject in subjects if subject is not None)


def _strength(quick: bool) -> list[str]:
    found = [strength_table(digits(), seeds=10, quick=quick)]
    return found + [strength_table(s, seeds=5, quick=quick) for s in _known(resnet20())]


def _cost(quick: bool) -> list[str]:
    return [cost_table(s, quick=quick) for s in _known(resnet20(), robust("mnist"), robust("cifar10"))]


def _autoattack(quick: bool) -> list[str]:
    count = 100 if quick else 500
    # Images on which nothing was ever tuned: the plan of strongest was chosen on the first 1,500.
    subjects = _known(
        robust("mnist", count, 2_000), robust("cifar10", count, 2_000), undefended(count, 2_000)
    )
    return [autoattack_table(s, s.radii[0], count) for s in subjects]


def _minimum_norm(quick: bool) -> list[str]:
    return [minimum_norm_table(s, quick=quick) for s in _known(robust("mnist"), robust("cifar10"))]


def _masking(quick: bool) -> list[str]:
    count = 100 if quick else 500
    subjects = _known(robust("mnist", count), robust("cifar10", count))
    return [masking_table(s, s.radii[0], quick=quick) for s in subjects]


def _certified(quick: bool) -> list[str]:
    return certified_tables(digits(), robust("mnist", 1_050), quick=quick)


def _tables(quick: bool) -> list[str]:
    found = tables_table(quick=quick)
    return [] if found is None else [found]


def _membership(quick: bool) -> list[str]:
    return membership_tables(quick=quick)


def _membership_cost(quick: bool) -> list[str]:
    found = membership_cost_table(quick=quick)
    return [] if found is None else [found]


def _inversion(quick: bool) -> list[str]:
    return inversion_tables(quick=quick)


def _attributes(quick: bool) -> list[str]:
    found = attributes_table(quick=quick)
    return [] if found is None else [found]


def _ownership(quick: bool) -> list[str]:
    return [ownership_table(quick=quick)]


def _extraction(quick: bool) -> list[str]:
    return extraction_tables(quick=quick)


def _scanning(quick: bool) -> list[str]:
    return scanning_tables(quick=quick)


def _hardening(part: str) -> Callable[[bool], list[str]]:
    return lambda quick: hardening_table(part, quick=quick)


def _private_pictures(quick: bool) -> list[str]:
    return private_pictures_table(quick=quick)


def _private_rows(quick: bool) -> list[str]:
    return private_rows_table(quick=quick)


def _private_audits(quick: bool) -> list[str]:
    return [private_audits_table(quick=quick)]


def _private_cost(quick: bool) -> list[str]:
    return [private_cost_table(quick=quick)]


def _poisoning(quick: bool) -> list[str]:
    return poisoning_tables(quick=quick)


SECTIONS: dict[str, Callable[[bool], list[str]]] = {
    "strength": _strength,
    "cost": _cost,
    "autoattack": _autoattack,
    "minimum_norm": _minimum_norm,
    "masking": _masking,
    "certified": _certified,
    "tables": _tables,
    "membership": _membership,
    "extraction": _extraction,
    "inversion": _inversion,
    "membership_cost": _membership_cost,
    "private_pictures": _private_pictures,
    "private_rows": _private_rows,
    "private_audits": _private_audits,
    "private_cost": _private_cost,
    "attributes": _attributes,
    "ownership": _ownership,
    "scanning": _scanning,
    "hardening_reached": _hardening("reached"),
    "hardening_time": _hardening("time"),
    "hardening_arithmetic": _hardening("arithmetic"),
    "hardening_collapse": _hardening("collapse"),
    "hardening_ensembles": _hardening("ensembles"),
    "poisoning": _poisoning,
}


def main() -> None:
    """Measure, keep each section, and write the page from all that were kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples; prints, writes nothing")
    parser.add_argument("sections", nargs="*", help=f"some of {', '.join(SECTIONS)}; all where none is named")
    given = parser.parse_args()
    prepare()
    torch.set_num_threads(1)
    for name in given.sections or SECTIONS:
        text = "\n".join([*SECTIONS[name](given.quick), f"*Measured on {date.today().isoformat()}.*\n"])
        print(text, flush=True)
        if not given.quick:
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / f"{name}.md").write_text(text, encoding="utf-8")
    if not given.quick:
        PAGE.write_text(_page(), encoding="utf-8")


def _page() -> str:
    head = HEAD.format(
        processor=platform.processor() or platform.machine(),
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=torch.__version__,
        torchattacks=version("torchattacks"),
        foolbox=version("foolbox"),
        art=version("adversarial-robustness-toolbox"),
    )
    kept = [KEPT / f"{name}.md" for name in SECTIONS]
    return head + "\n".join(path.read_text(encoding="utf-8") for path in kept if path.exists())


if __name__ == "__main__":
    main()

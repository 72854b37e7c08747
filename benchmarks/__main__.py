"""Runs every benchmark and writes docs/benchmarks.md: ``python -m benchmarks [--quick]``."""

from __future__ import annotations

import argparse
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.autoattack import autoattack_table
from benchmarks.certified import certified_tables
from benchmarks.cost import cost_table
from benchmarks.masking import masking_table
from benchmarks.minimum_norm import minimum_norm_table
from benchmarks.strength import strength_table
from benchmarks.subjects import digits, resnet20, robust
from benchmarks.tables import tables_table

PAGE = Path("docs/benchmarks.md")
HEAD = """# Benchmarks

Written by `make bench` on {day}: {processor}, {threads} threads, Python {python}, torch {torch}, torchattacks
{torchattacks}, ART {art}, foolbox {foolbox}. Everything on this page was measured in that one run. The
ResNet-20 is a public CIFAR-10 network without any defence, on the compressed test images that `$GAMBESON_DATA` holds;
the digits network is the one that `make demo` trains.

"""


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples; prints, writes nothing")
    quick = parser.parse_args().quick
    subjects = [(digits(), 20), (resnet20(), 5)]
    known = [(subject, seeds) for subject, seeds in subjects if subject is not None]
    parts = [strength_table(subject, seeds=seeds, quick=quick) for subject, seeds in known]
    parts.append(cost_table(known[-1][0], quick=quick))
    count = 100 if quick else 500
    for subject in (robust("mnist", count), robust("cifar10", count)):
        if subject is not None:
            parts.append(autoattack_table(subject, subject.radii[0], count))
            parts.append(minimum_norm_table(subject, quick=quick))
            parts.append(masking_table(subject, subject.radii[0], quick=quick))
    parts += certified_tables(known[0][0], robust("mnist", 1_050), quick=quick)
    tables = tables_table(quick=quick)
    if tables is not None:
        parts.append(tables)
    head = HEAD.format(
        day=date.today().isoformat(),
        processor=platform.processor() or platform.machine(),
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=torch.__version__,
        torchattacks=version("torchattacks"),
        foolbox=version("foolbox"),
        art=version("adversarial-robustness-toolbox"),
    )
    page = head + "\n".join(parts)
    if not quick:
        PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()

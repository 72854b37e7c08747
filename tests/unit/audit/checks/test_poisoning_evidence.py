import base64

import numpy as np

from gambeson.audit.checks.poisoning_evidence import (
    as_picture,
    class_table,
    detector_table,
    evidence_histogram,
    signature_histogram,
    suspicious_grid,
)
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.sample_scan import ScanPlan, scan_rows
from tests.poison_worlds import PICTURES, pictures, plain_network


def scanned():
    x, y = pictures(200)
    y[:20] = (y[:20] + 1) % 4
    names = ("confident_learning", "trusted_gap")
    plan = ScanPlan(0.05, 1, plain_network, names)
    return scan_rows((x, y), pictures(200, seed=4), PICTURES, plan, Seed(0))


def test_exhibits_count_the_same_rows():
    scan = scanned()
    flagged = int(scan.verdict.flagged.sum())
    assert flagged >= 15
    assert sum(evidence_histogram(scan).counts) == 200
    assert sum(row[2] for row in class_table(scan, PICTURES).rows) == flagged
    assert sum(row[2] for row in detector_table(scan).rows) == flagged
    assert signature_histogram(scan, PICTURES).kind == "spectral"


def test_pictures_are_png_in_whole_lines():
    grid = suspicious_grid(scanned(), PICTURES)
    assert {len(line) for line in grid.rows} == {len(grid.head)}
    assert all(base64.b64decode(cell).startswith(b"\x89PNG") for line in grid.rows for cell in line)


def test_bounds_become_black_and_white():
    schema = Schema((1, 1, 2), ("a", "b"), -1.0, 3.0)
    assert as_picture(np.array([[[-1.0, 3.0]]], np.float32), schema).tolist() == [[[0.0, 1.0]]]

"""Bills of materials, validated against the official schemas of CycloneDX 1.6 and 1.7."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from gambeson.supply.bom import Material, bill_of_materials
from gambeson.supply.lineage import Lineage, Source
from gambeson.supply.tree import TreeFile
from tests.registry_world import SOURCE, World
from tests.trust import NOW

pytest.importorskip("cyclonedx")
FIGURE = {
    "name": "evasion.gradient.robust_accuracy", "target": "linf eps=0.1", "value": 0.4, "unit": "fraction", "n": 100,
    "interval": [0.3, 0.5],
}  # fmt: skip
AUDIT = {
    "figures": [FIGURE, FIGURE | {"interval": [], "target": ""}],
    "command": "gambeson audit",
    "gate": {"outcome": "OPEN"},
}


@cache
def validator(version):
    folder = files("cyclonedx.schema") / "_res"
    registry = Registry()
    for name in ("spdx", "jsf-0.82", "cryptography-defs"):
        file = f"{name}.SNAPSHOT.schema.json"
        resource = Resource.from_contents(json.loads((folder / file).read_text()))
        for uri in (
            file,
            f"http://cyclonedx.org/schema/{file}",
            f"http://cyclonedx.org/schema/{name}.schema.json",
        ):
            registry = registry.with_resource(uri, resource)
    return Draft7Validator(
        json.loads((folder / f"bom-{version}.SNAPSHOT.schema.json").read_text()), registry=registry
    )


def errors(bill, version="1.6"):
    changed = bill | {
        "specVersion": version,
        "$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json",
    }
    return [error.message[:200] for error in validator(version).iter_errors(changed)]


@pytest.fixture
def bill(tmp_path):
    world = World(tmp_path)
    odd = Source("https://x.org/b c.csv", ("", ""), "our own licence", "", "")
    data = world.add("dataset", "people", b"rows", Lineage(sources=(SOURCE, odd), licence="CC-BY-4.0"))
    model = world.add(
        "model", "churn", b"w", Lineage(inputs=("people@1",), parameters=(("seed", "0"),), note="first")
    )
    several = (TreeFile("a", 1, "ab" * 32), TreeFile("b", 1, "cd" * 32))
    files = world.store.tree(data.tree).files
    return bill_of_materials(Material(model, several), [Material(data, files)], AUDIT, tool="0.1.0", at=NOW)


@pytest.mark.parametrize("version", ["1.6", "1.7"])
def test_it_validates_against_the_official_schema(bill, version):
    assert errors(bill, version) == []


def test_the_schema_refuses_what_is_wrong(bill):
    bill["metadata"]["component"]["hashes"] = [{"alg": "SHA-256", "content": "no hex"}]
    assert errors(bill)


def test_it_names_datasets_hashes_licences_and_figures(bill):
    model = bill["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    assert model["modelCard"]["modelParameters"]["datasets"] == [{"ref": "people@1"}]
    first = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]
    assert (first["value"], first["confidenceInterval"]) == (
        "0.4",
        {"lowerBound": "0.3", "upperBound": "0.5"},
    )
    data, raw, odd = bill["components"]
    assert data["licenses"] == [{"license": {"id": "CC-BY-4.0"}}]
    assert data["hashes"][0]["alg"] == "SHA-256"
    assert raw["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert odd["licenses"] == [{"license": {"name": "our own licence"}}]


def test_what_depends_on_what_is_said(bill):
    needs = {item["ref"]: item["dependsOn"] for item in bill["dependencies"]}
    assert needs["churn@1"] == ["people@1"]
    assert needs["people@1"] == ["source:raw.csv", "source:https://x.org/b c.csv"]


def test_the_same_version_has_the_same_serial_number(bill):
    assert bill["serialNumber"].startswith("urn:uuid:")

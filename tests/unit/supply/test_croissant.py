"""Croissant metadata, written and read."""

from __future__ import annotations

import json

import pytest

from gambeson.core.errors import IntegrityError
from gambeson.supply.croissant import Column, contradiction, read_croissant, to_croissant
from gambeson.supply.lineage import Lineage
from gambeson.supply.tree import TreeFile
from tests.registry_world import World

FILES = (TreeFile("people.csv", 7, "ab" * 32),)


@pytest.fixture
def described(tmp_path):
    version = World(tmp_path).add("dataset", "people", b"rows", Lineage(licence="CC-BY-4.0", note="Adults"))
    return to_croissant(version, FILES, [Column("age", "Integer"), Column("income", "Text")])


def test_what_is_written_is_read(described):
    found = read_croissant(json.dumps(described).encode())
    assert (found.name, found.licence, found.by, found.when) == ("people", "CC-BY-4.0", "ann", "2026-05-01")
    assert found.files == (("people.csv", "ab" * 32),)


def test_every_column_is_a_field_of_the_table(described):
    (rows,) = described["recordSet"]
    assert [(f["name"], f["dataType"]) for f in rows["field"]] == [
        ("age", "sc:Integer"),
        ("income", "sc:Text"),
    ]
    assert rows["field"][0]["source"] == {"fileObject": {"@id": "people.csv"}, "extract": {"column": "age"}}


def test_the_official_tool_accepts_it(described, tmp_path):
    mlcroissant = pytest.importorskip("mlcroissant")
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(described))
    assert not mlcroissant.Dataset(str(path)).metadata.ctx.issues.errors


def test_a_file_that_is_not_as_described_is_found(described):
    found = read_croissant(json.dumps(described).encode())
    assert contradiction(found, FILES) == ""
    assert "people.csv has the digest cdcd" in contradiction(found, (TreeFile("people.csv", 7, "cd" * 32),))


def test_makers_and_licences_of_other_writers_are_read():
    tree = {
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "license": ["https://x.org/terms"],
        "creator": [{"name": "Ann"}, {"@id": "bob"}],
        "distribution": [{"@type": "cr:FileSet"}, "x"],
    }
    found = read_croissant(json.dumps(tree).encode())
    assert (found.licence, found.by, found.files) == ("https://x.org/terms", "Ann, bob", ())


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"conformsTo": "http://other"}'])
def test_other_files_are_refused(text):
    with pytest.raises(IntegrityError):
        read_croissant(text)

"""A real store in a folder with keys, a dataset, a model and an audit of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from gambeson.audit.report.json_report import to_json
from gambeson.audit.result import Subject
from gambeson.core.finding import Finding, Outcome
from gambeson.core.reproduce import digest_file
from gambeson.service.attesting import attest_audit
from gambeson.service.tracing import Places, Workspace, open_workspace
from gambeson.service.versioning import AddCommand, add_version
from gambeson.supply.keyring import Keyring, TrustedKey
from gambeson.supply.lineage import Source
from gambeson.supply.versions import Kind, Version
from tests.trust import NOW, new_key
from tests.unit.audit.report.samples import EVASION, report_of

PASSED = replace(EVASION, outcome=Outcome.PASSED)


def rows(count: int = 200, seed: int = 0, shift: int = 0) -> str:
    """A table of two numbers, a category and a label."""
    rng = np.random.default_rng(seed)
    colours, labels = ("red", "blue"), ("no", "yes", "yes")
    lines = [
        f"{rng.integers(0, 1000) + shift},{rng.integers(0, 50)},{rng.choice(colours)},{labels[i % 3]}"
        for i in range(count)
    ]
    return "\n".join(["a,b,colour,label", *lines]) + "\n"


@dataclass
class TraceWorld:
    """A folder to work in; the clock stands still unless another is given."""

    root: Path
    clock: Callable[[], datetime] = lambda: NOW

    def __post_init__(self) -> None:
        self.key = new_key()
        self.places = Places(self.root / "store", "", self.root / "keys.json")
        self.places.keyring.write_bytes(Keyring((TrustedKey("release", self.key.public.pem),)).to_json())
        self.space: Workspace = self.reopened()

    def reopened(self) -> Workspace:
        return open_workspace(self.places, create=True, clock=self.clock)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.write_text(text)
        return path

    def data(self, text: str | None = None, *, signed: bool = True) -> Version:
        """A version of ``people`` with one source."""
        path = self.write("people.csv", text or rows())
        self.write("raw.csv", text or rows())
        source = Source(str(self.root / "raw.csv"), ("", ""), "CC0-1.0", "UCI", "2026")
        command = AddCommand(Kind.DATASET, "people", path, sources=(source,), reading=(("label", "label"),))
        return add_version(self.space, command, self.key if signed else None).version

    def model(self, text: str = '{"learner": 1}', *, signed: bool = True, data: str = "people@1") -> Version:
        """A version of ``churn``: a file that the scanner knows."""
        path = self.write("churn.json", text)
        command = AddCommand(
            Kind.MODEL, "churn", path, inputs=(data,), code=(self.write("train.py", "x = 1\n"),)
        )
        return add_version(self.space, command, self.key if signed else None).version

    def audit(self, version: Version, *findings: Finding) -> None:
        """A signed audit of a model."""
        attest_audit(self.space, version, self.report(version, *findings), self.key)

    def report(self, version: Version, *findings: Finding) -> bytes:
        data = digest_file(self.root / "people.csv")
        model = Subject("churn.json", f"sha256:{version.digest[1]}")
        report = report_of(*(findings or (PASSED,)), model=model, data=Subject("people.csv", data))
        return to_json(report).encode()

    def released(self) -> Version:
        """A model that may be promoted."""
        self.data()
        version = self.model()
        self.audit(version)
        return version

    def records(self) -> list[dict]:
        """The ledger's bodies."""
        return [json.loads(json.dumps(dict(e.body))) for e in self.space.registry.ledger.entries()]

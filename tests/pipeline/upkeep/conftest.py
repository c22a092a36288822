"""A finished sweep with trained models, as every test of this folder gets it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.plan import Plan
from harness.pipeline.sweep import SweepResult
from tests.baselines.small import write_collection

SWEEP = """
collections: [{folder: data}]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 4, training_queries: [train]}
teachers: {shuffled: {kind: shuffled}}
methods:
  - bm25
  - zero-shot
  - {method: intermediate, epochs: 1, ranker: {architecture: cross-encoder, epochs: 1}, student_candidates: 0}
  - {method: direct, epochs: 1}
budgets: [4, 8]
evaluate: {metrics: [nDCG@10]}
"""


@dataclass
class Finished:
    """A folder with a sweep file, its workspace and its results."""

    home: Path

    @property
    def workspace(self) -> harness.Workspace:
        return harness.Workspace(self.home / "workspace")

    @property
    def results(self) -> Path:
        return self.home / "results"

    def plan(self, *overrides: str) -> Plan:
        return self.workspace.plan(self.home / "sweep.yaml", overrides)

    def run(self, *overrides: str, results: str = "results") -> SweepResult:
        return self.plan(*overrides).run(self.home / results, observer=NullObserver())

    def hashes(self, *kinds: str) -> dict[str, bytes]:
        """Every file of the artefacts of these kinds."""
        root = self.workspace.store.root
        files = [file for kind in kinds for file in (root / kind).rglob("*") if file.is_file()]
        return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    home = tmp_path_factory.mktemp("upkeep")
    write_collection(home / "data", answers=False)
    (home / "sweep.yaml").write_text(SWEEP)
    finished = Finished(home)
    assert not finished.run().failures
    return finished


@pytest.fixture
def finished(finished_once: Finished, tmp_path: Path) -> Finished:
    return Finished(Path(shutil.copytree(finished_once.home, tmp_path / "home")))

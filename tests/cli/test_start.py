"""Commands that compute nothing start without the libraries that compute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness
from tests.baselines.small import write_collection

SWEEP = """
collections: [{folder: data}]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 4, training_queries: [train, titles]}
teachers: {shuffled: {kind: shuffled}}
methods: [bm25, {method: intermediate, ranker: {architecture: cross-encoder}}]
budgets: [4]
evaluate: {metrics: [nDCG@10]}
"""
CODE = """
import sys
from harness.cli.main import main
try:
    main()
except SystemExit as ended:
    print(ended.code, sorted({"torch", "transformers", "pandas", "scipy.stats"} & set(sys.modules)))
"""


def _ends(*command: object) -> str:
    """Exit code and heavy libraries that were imported."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, command)], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.models
def test_a_plan(tmp_path: Path) -> None:
    write_collection(tmp_path / "data")
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    command = ("plan", tmp_path / "sweep.yaml", "--workspace", tmp_path / "workspace")
    harness.Workspace(tmp_path / "workspace").plan(tmp_path / "sweep.yaml")

    assert _ends(*command) == "0 []"

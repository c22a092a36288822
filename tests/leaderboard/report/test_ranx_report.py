"""A published table as ranx sees it: our numbers in its Report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board import load_board
from harness.leaderboard.report.ranx_report import ranx_metric, ranx_report
from harness.leaderboard.row_texts import titles
from harness.published.run_export import export_qrels, export_run
from harness.retrieval.run import Run
from tests.leaderboard.runs import make_card, make_run, put

WORDS = Run("mine", {"q1": {"d1": 2.5, "é": 1.0, "d3": 1.0}, "q2": {"d1": 0.5}})
JUDGED = {"q1": {"d1": 2, "d3": 0}, "q2": {"d1": 1, "d2": -1}}
RANX = """
import json
from pathlib import Path
from ranx import Qrels, Run
from harness.leaderboard.report.ranx_report import ranx_report
found = {name: Run.from_file(name).to_dict() for name in ("run.json", "run.lz4", "run.trec.gz")}
found |= {name: Qrels.from_file(name).to_dict() for name in ("qrels.json", "qrels.trec")}
def plain(queries):
    return {str(q): {str(d): float(v) for d, v in one.items()} for q, one in queries.items()}
files = {name: plain(queries) for name, queries in found.items()}
report = ranx_report(Path("results"))
print(json.dumps({"files": files, "dict": report.to_dict(), "table": report.to_table(), "latex": report.to_latex()}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ranx says of our files and our report; in a process of its own without numba's compiler, which would take
    half a minute."""
    folder = tmp_path_factory.mktemp("ranx")
    for name, quality, seed in (("low", 0.0, 1), ("twin", 0.0, 1), ("high", 3.0, 2)):
        put(folder / "results", make_card(name, name), make_run(quality, seed))
    for name in ("run.json", "run.lz4", "run.trec.gz"):
        export_run(WORDS, folder / name)
    for name in ("qrels.json", "qrels.trec"):
        export_qrels(JUDGED, folder / name)
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RANX], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    rows = titles(load_board(folder / "results").tables[0])
    found: dict[str, Any] = json.loads(done.stdout) | {"rows": rows}
    return found


@pytest.mark.slow
def test_ranx_reads_what_is_exported(told: dict[str, Any]) -> None:
    assert all(told["files"][name] == WORDS.scores for name in ("run.json", "run.lz4", "run.trec.gz"))
    assert all(told["files"][name] == JUDGED for name in ("qrels.json", "qrels.trec"))


@pytest.mark.slow
def test_a_ranx_report_says_what_the_board_says(told: dict[str, Any]) -> None:
    rows, said = told["rows"], told["dict"]
    assert said["model_names"] == list(rows)
    assert said["metrics"] == ["ndcg@10", "recall@100", "mrr@10"]
    for name, row in rows.items():
        assert said[name]["scores"]["ndcg@10"] == pytest.approx(row.metrics["nDCG@10"].mean, abs=1e-12)
    assert said["low"]["comparisons"]["twin"]["ndcg@10"] == 1.0
    assert said["low"]["win_tie_loss"]["twin"]["ndcg@10"] == {"W": 0, "T": 60, "L": 0}
    assert (
        said["high"]["win_tie_loss"]["low"]["ndcg@10"]["W"] == said["low"]["win_tie_loss"]["high"]["ndcg@10"]["L"] > 50
    )
    assert f"{rows['high'].metrics['nDCG@10'].mean:.3f}ᵇᶜ" in told["table"]
    assert "Student" in told["latex"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("nDCG@10", "ndcg@10"),
        ("RR@10", "mrr@10"),
        ("AP", "map"),
        ("Success@5", "hit_rate@5"),
        ("AP(rel=2)", None),
        ("Judged@10", None),
    ],
)
def test_metrics_have_the_names_of_ranx_or_none(ours: str, theirs: str | None) -> None:
    assert ranx_metric(ours) == theirs


def test_what_ranx_cannot_say_is_refused(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", "a"), make_run(0.2, 1))
    put(tmp_path, make_card("b", "b", collection="other"), make_run(0.2, 1))
    with pytest.raises(UserError, match="2 tables"):
        ranx_report(tmp_path)
    with pytest.raises(UserError, match="Judged@10"):
        ranx_report(tmp_path, collection="other", metrics=["Judged@10"])
    with pytest.raises(UserError, match="cannot name the test 'maxt'"):
        ranx_report(tmp_path, question=TestSpec("maxt"))

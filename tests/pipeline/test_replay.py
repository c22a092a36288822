"""Recorded gpt-3.5 rankings as the teacher: trained on one year of TREC DL, tested on the other, by our method and the
direct one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.leaderboard.board import load_board
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import read_card

pytestmark = [pytest.mark.models, pytest.mark.shared]

SWEEP = """
collections:
  - {{folder: {data}, name: to-2019, splits: {{train: dl20, test: dl19}}, dev_share: 0}}
  - {{folder: {data}, name: to-2020, splits: {{train: dl19, test: dl20}}, dev_share: 0}}
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 20, training_queries: [train]}}
teachers:
  gpt-3.5:
    kind: recorded
    file: [{data}/rankings/gpt-3.5-turbo/bm25.dl19.rep1.trec, {data}/rankings/gpt-3.5-turbo/bm25.dl20.rep1.trec]
methods:
  - {{method: intermediate, epochs: 1, ranker: {{architecture: cross-encoder, epochs: 1}}}}
  - {{method: direct, epochs: 1}}
budgets: [40]
max_length: 64
evaluate: {{metrics: [nDCG@10]}}
"""


def test_each_year_teaches_for_the_other(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "replay.yaml").write_text(SWEEP.format(data=shared_data / "trec-dl"))
    done = (
        Workspace(tmp_path / "workspace")
        .plan(tmp_path / "replay.yaml")
        .run(tmp_path / "results", observer=NullObserver())
    )
    assert done.summary["cells"] == {"total": 4, "done": 4, "failed": 0, "cached": 0}
    assert done.summary["llm"]["calls"] == 0
    rows = load_board(tmp_path / "results").as_json()["rows"]
    assert {(row["collection"], row["method"]) for row in rows} == {
        (year, method) for year in ("to-2019", "to-2020") for method in ("intermediate", "direct")
    }
    for folder in done.published:
        labels = read_card(folder).labels
        assert labels is not None and labels.total == 40 and labels.failed == 0
        assert labels.ok + labels.partial == 40, "what gpt-3.5 was not shown is left in the tail, never placed"

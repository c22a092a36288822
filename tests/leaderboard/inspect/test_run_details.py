"""What a page says of a run: its scores, and the version and commit that made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.leaderboard.inspect.run_details import details, scores, source
from harness.leaderboard.load_results import load_results
from tests.leaderboard.runs import make_card, make_run, put, put_short


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (
            {"package": "distil-harness==0.2.0", "commit": "0123456789abcdef"},
            "distil-harness 0.2.0, commit 0123456789ab",
        ),
        ({"package": "distil-harness==0.2.0"}, "distil-harness 0.2.0"),
        ({"commit": "0123456789abcdef", "changed since": True}, "commit 0123456789ab with changes"),
        ({}, ""),
    ],
)
def test_a_commit_that_nobody_named_is_not_spoken_of(about: dict[str, object], told: str) -> None:
    card = make_card("a", implementation={"source": about})
    assert source(card) == told
    assert "unknown" not in source(card)


def test_a_run_without_version_and_commit_has_no_such_line(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", implementation={}), make_run(0.5))
    (run,) = load_results(tmp_path).runs
    assert "made by" not in details(run).about


def test_scores_are_means_over_all_queries_of_the_table(tmp_path: Path) -> None:
    put(tmp_path, make_card("whole"), make_run(0.5))
    put_short(tmp_path, make_card("short", "other"), make_run(0.5), 20)
    whole, short = sorted(load_results(tmp_path).runs, key=lambda run: len(run.scores["nDCG@10"]), reverse=True)
    queries = len(whole.scores["nDCG@10"])
    assert scores(whole, queries) == pytest.approx(
        {name: sum(values.values()) / queries for name, values in whole.scores.items()}
    )
    assert scores(short, queries)["nDCG@10"] == pytest.approx(sum(short.scores["nDCG@10"].values()) / queries)

"""A board made to deceive: every trick is named where the row stands, or the runs are kept apart."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Row
from harness.leaderboard.render import board_files
from harness.published.card import CardEvaluation, ResearchGoal
from tests.leaderboard.runs import METRICS, make_card, make_run, put, put_short


def goal(*metrics: str, baseline: str = "zero-shot") -> ResearchGoal:
    return ResearchGoal(sweep="sweep.yaml", evaluation=CardEvaluation(reported_measures=metrics, baseline=(baseline,)))


def put_dishonest(folder: Path) -> None:
    """One seed, ten queries that are not there, a metric chosen afterwards, one withheld, another baseline, another
    content."""
    put(folder, make_card("zero"), make_run(0.2, 1))
    put(folder, make_card("bm25", "bm25", category="reference"), make_run(0.3, 2))
    put(folder, make_card("lucky", "lucky", resample=0, seed=3, budget=100), make_run(0.6, 3))
    for seed in range(2):
        put(folder, make_card(f"drawn-{seed}", "drawn", resample=0, seed=seed, budget=100), make_run(0.6, 40 + seed))
    put_short(folder, make_card("short", "short"), make_run(0.5, 4), dropped=10)
    picked = make_card("picked", "picked", research_goal=goal("RR@10", "nDCG@10"))
    put(folder, picked, make_run(0.5, 5))
    put(folder, make_card("silent", "silent"), make_run(0.5, 6), metrics=("nDCG@10", "R@100"))
    put(folder, make_card("easy", "easy", research_goal=goal(*METRICS, baseline="bm25")), make_run(0.5, 7))
    put(folder, make_card("elsewhere", "elsewhere", content_hash="cd" * 32), make_run(3.0, 8))


@pytest.fixture(scope="module")
def dishonest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dishonest")
    put_dishonest(folder)
    return folder


def flags(folder: Path, **options: object) -> dict[str, tuple[str, ...]]:
    found: dict[str, Row] = {row.method: row for table in load_board(folder, **options).tables for row in table.rows}
    return {name: tuple(flag for flag in row.flags if not flag.startswith("content")) for name, row in found.items()}


def test_every_trick_is_flagged_by_its_name(dishonest: Path) -> None:
    assert flags(dishonest) == {
        "zero-shot": (),
        "bm25": (),
        "lucky": ("one seed", "better with this run only"),
        "drawn": ("one resample", "better with these runs only"),
        "short": ("missing queries",),
        "picked": ("not its declared metric RR@10",),
        "silent": ("declared but not published: RR@10",),
        "easy": ("not its declared baseline bm25",),
        "elsewhere": (),
    }


def test_contents_are_kept_apart_and_said_to_be(dishonest: Path) -> None:
    found = load_board(dishonest)
    assert [(len(table.rows), table.content_hash[:2]) for table in found.tables] == [(8, "ab"), (1, "cd")]
    assert all(
        any(flag == f"content {table.content_hash[:8]}" for flag in row.flags)
        for table in found.tables
        for row in table.rows
    )
    assert "'semanlink' (test) has 2 different contents: a table each" in found.notes


def test_queries_that_were_left_out_count_zero(dishonest: Path) -> None:
    (row,) = [row for table in load_board(dishonest).tables for row in table.rows if row.method == "short"]
    assert row.missing_queries == 10


def test_another_metric_than_the_sweep_declared_is_flagged_on_every_row_and_noted(dishonest: Path) -> None:
    found = flags(dishonest, metric="RR@10")
    assert "not its declared metric nDCG@10" in found["lucky"]
    assert found["picked"] == ()
    assert (
        "semanlink (test): led by RR@10, though sweeps declared nDCG@10" in load_board(dishonest, metric="RR@10").notes
    )


def test_another_baseline_than_the_sweep_declared_is_flagged_on_every_comparison(dishonest: Path) -> None:
    found = flags(dishonest, baseline="bm25")
    assert "not its declared baseline zero-shot" in found["lucky"]
    assert found["bm25"] == found["easy"] == ()


def test_a_baseline_of_one_seed_is_noted(dishonest: Path) -> None:
    notes = load_board(dishonest, baseline="lucky").notes
    assert "semanlink (test): the baseline 'lucky' rests on one seed, and so does every comparison with it" in notes
    assert not any("rests on" in note for note in load_board(dishonest).notes)


def test_a_claim_that_other_draws_may_undo_is_flagged(tmp_path: Path) -> None:
    """Far better in one resample and no better in the other: certain over queries, not over draws."""
    put(tmp_path, make_card("zero"), make_run(0.2, 1))
    for resample, quality in enumerate((0.2, 3.0, 0.2)):
        put(tmp_path, make_card(f"shaky-{resample}", "shaky", resample=resample, seed=0), make_run(quality, 1))
        put(tmp_path, make_card(f"steady-{resample}", "steady", resample=resample, seed=0), make_run(3.0, 2 + resample))
    (table,) = load_board(tmp_path).tables
    rows = {row.method: row for row in table.rows}
    assert rows["shaky"].against.verdict_runs == rows["steady"].against.verdict == "better"
    assert rows["shaky"].against.verdict == ""
    assert rows["shaky"].against.interval.low < 0
    assert rows["shaky"].variance.shares["resamples"] > 0.8
    assert (rows["shaky"].flags, rows["steady"].flags) == (("better with these runs only",), ())


@pytest.mark.parametrize("baseline", [None, "zero-shot", "strong"])
def test_a_control_that_beats_zero_shot_is_flagged_whatever_the_baseline_is(
    tmp_path: Path, baseline: str | None
) -> None:
    put(tmp_path, make_card("zero"), make_run(0.2, 1))
    put(tmp_path, make_card("strong", "strong"), make_run(3.0, 2))
    put(tmp_path, make_card("control", "no-llm", category="control"), make_run(0.7, 3))
    put(tmp_path, make_card("idle", "idle", category="control"), make_run(0.2, 9))
    put(tmp_path, make_card("ours", "ours"), make_run(0.7, 4))
    found = flags(tmp_path, baseline=baseline)
    assert "control beats zero-shot" in found["no-llm"]
    assert not any("control" in flag for name in ("idle", "ours", "strong", "zero-shot") for flag in found[name])


def test_the_flags_stand_on_every_way_out(dishonest: Path) -> None:
    found = load_board(dishonest)
    console = Console(width=300, file=io.StringIO())
    console.print(board_files.terminal(found))
    said = [
        console.file.getvalue(),
        board_files.csv(found),
        board_files.markdown(found),
        board_files.latex(found),
        str(found.as_json()),
    ]
    told = (
        "one seed",
        "one resample",
        "missing queries",
        "not its declared metric",
        "declared but not published",
        "content abab",
    )
    assert [(flag, number) for number, text in enumerate(said) for flag in told if flag not in text] == []

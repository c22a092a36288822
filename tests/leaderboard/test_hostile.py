"""A folder from a stranger: what is bad is skipped with a reason, what is good is shown, nothing is executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.leaderboard.board import board_of, load_board
from harness.leaderboard.inspect.query_rankings import read_run
from harness.leaderboard.load_results import load_results
from harness.published.result_folder import read_folder
from tests.leaderboard.hostile import BAD_RUNS, GOOD, REFUSED, put_hostile
from tests.leaderboard.runs import make_card, make_run, put


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("hostile")
    return base / "results", put_hostile(base / "results", base / "outside")


def test_the_good_runs_are_shown_and_the_bad_ones_named(hostile: tuple[Path, Path]) -> None:
    results, mark = hostile
    found = load_board(results)
    assert {row.method for table in found.tables for row in table.rows} == GOOD
    reasons = {item.folder: item.reason for item in found.skipped}
    assert reasons.keys() == REFUSED.keys()
    assert all(REFUSED[folder] in reason for folder, reason in reasons.items()), reasons
    assert not mark.exists()


@pytest.mark.parametrize("tag", BAD_RUNS)
def test_a_bad_run_file_is_refused_when_it_is_opened(hostile: tuple[Path, Path], tag: str) -> None:
    results, mark = hostile
    with pytest.raises(UserError):
        read_run(read_folder(results / "semanlink" / tag))
    assert not mark.exists()


def test_one_bad_run_changes_no_number_of_the_others(hostile: tuple[Path, Path], tmp_path: Path) -> None:
    results, _ = hostile
    put(tmp_path, make_card("zero"), make_run(0.2, 1))
    (alone,) = board_of(load_results(tmp_path)).tables
    (among,) = board_of(load_results(results)).tables
    assert alone.rows[0].metrics == next(row for row in among.rows if row.method == "zero-shot").metrics

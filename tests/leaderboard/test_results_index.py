"""The index of a results folder: the same runs as reading them, and only what changed is read again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from harness.leaderboard import load_results as module
from harness.leaderboard.board import board_of, load_board
from harness.leaderboard.load_results import load_results
from harness.leaderboard.results_index import index_path
from harness.published.result_folder import read_results
from tests.leaderboard.hostile import REFUSED, put_hostile
from tests.leaderboard.runs import make_card, make_run, put


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the folders that are read, as they are."""
    names: list[str] = []
    real = module.read_entry

    def noted(folder: Path, *rest: object) -> object:
        names.append(folder.name)
        return real(folder, *rest)

    monkeypatch.setattr(module, "read_entry", noted)
    return names


def test_runs_from_the_index_are_those_of_the_folder(results: Path, tmp_path: Path, read: list[str]) -> None:
    first = load_results(results, cache=tmp_path / "cache")
    assert len(read) == 10
    again = load_results(results, cache=tmp_path / "cache")
    assert len(read) == 10
    plainly, _ = read_results(results)
    for one in (first, again):
        assert [run.folder for run in one.runs] == [run.folder for run in plainly]
        assert [run.card for run in one.runs] == [run.card for run in plainly]
        assert [{name: dict(values) for name, values in run.scores.items()} for run in one.runs] == [
            run.scores for run in plainly
        ]
    assert board_of(again) == board_of(first) == load_board(results)


def test_only_what_changed_is_read_again(results: Path, tmp_path: Path, read: list[str]) -> None:
    cache = tmp_path / "cache"
    load_results(results, cache=cache)
    read.clear()
    put(results, make_card("late", "late"), make_run(0.4, 8))
    shutil.rmtree(results / "semanlink" / "oracle")
    card = results / "semanlink" / "zero" / "card.yaml"
    about = card.stat()
    card.write_text(card.read_text().replace("budget.yaml", "budgot.yaml"))
    os.utime(card, ns=(about.st_atime_ns, about.st_mtime_ns))
    found = load_results(results, cache=cache)
    assert sorted(read) == ["late", "zero"]
    assert {run.card.tag for run in found.runs} >= {"late", "zero"}
    assert "oracle" not in {run.card.tag for run in found.runs}
    assert next(run for run in found.runs if run.card.tag == "zero").card.research_goal.sweep == "budgot.yaml"
    read.clear()
    assert board_of(load_results(results, cache=cache)) == board_of(found)
    assert read == []


def test_a_board_of_some_runs_reads_them_once_and_leaves_the_others_known(
    results: Path, tmp_path: Path, read: list[str]
) -> None:
    cache = tmp_path / "cache"
    load_results(results, {"zero"}, cache)
    load_results(results, {"oracle"}, cache)
    assert read == ["zero", "oracle"]
    some = load_results(results, {"zero", "oracle"}, cache)
    assert read == ["zero", "oracle"]
    assert [(run.folder, run.card) for run in some.runs] == [
        (run.folder, run.card) for run in load_results(results, {"zero", "oracle"}).runs
    ]
    read.clear()
    whole = load_results(results, cache=cache)
    assert len(read) == 8 and not {"zero", "oracle"} & set(read)
    assert board_of(whole) == board_of(load_results(results))


@pytest.mark.parametrize("damage", [b"", b"PAR1 and then nothing", None])
def test_a_damaged_index_counts_as_absent(results: Path, tmp_path: Path, damage: bytes | None) -> None:
    cache = tmp_path / "cache"
    before = load_results(results, cache=cache)
    path = index_path(cache, results)
    path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    assert board_of(load_results(results, cache=cache)) == board_of(before)
    assert board_of(load_results(results, cache=cache)) == board_of(before)


def test_nothing_is_written_into_the_results_folder_and_an_unwritable_cache_is_no_error(
    results: Path, tmp_path: Path
) -> None:
    before = sorted(results.rglob("*"))
    (tmp_path / "file").write_text("")
    assert len(load_results(results, cache=tmp_path / "file").runs) == 10
    load_results(results, cache=tmp_path / "cache")
    assert sorted(results.rglob("*")) == before
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".parquet"]


@pytest.mark.slow
def test_refusals_are_remembered_too(tmp_path: Path, read: list[str]) -> None:
    put_hostile(tmp_path / "results", tmp_path / "outside")
    first = load_results(tmp_path / "results", cache=tmp_path / "cache")
    read.clear()
    again = load_results(tmp_path / "results", cache=tmp_path / "cache")
    assert read == []
    assert again.skipped == first.skipped
    assert {item.folder for item in again.skipped} == REFUSED.keys()


def test_an_empty_folder_and_one_that_is_not_there(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert (
            load_results(folder, cache=tmp_path / ".cache").runs
            == load_results(folder, cache=tmp_path / ".cache").runs
            == ()
        )

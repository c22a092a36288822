"""Boards that are kept: the same to the last digit, and only for the same folder, choice and code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.leaderboard import board_cache as kept
from harness.leaderboard.board import Board, load_board
from harness.leaderboard.board_cache import cache_path, cached_board
from harness.leaderboard.load_results import state
from tests.leaderboard.hostile import put_hostile
from tests.leaderboard.runs import make_card, make_run, put


class Maker:
    """Makes the board of a folder, and counts how often."""

    def __init__(self, results: Path, **choice: str) -> None:
        self.results, self.choice, self.times = results, choice, 0

    def __call__(self) -> Board:
        self.times += 1
        return load_board(self.results, **self.choice)

    def kept(self, cache: Path) -> Board:
        return cached_board(cache, self.results, state(self.results), self, **self.choice)


@pytest.mark.parametrize("choice", [{}, {"metric": "RR@10"}, {"baseline": "no-llm"}])
def test_a_kept_board_is_the_one_that_was_made(results: Path, tmp_path: Path, choice: dict[str, str]) -> None:
    maker = Maker(results, **choice)
    first, again = maker.kept(tmp_path / "cache"), maker.kept(tmp_path / "cache")
    assert maker.times == 1
    assert repr(again) == repr(first) == repr(load_board(results, **choice))
    assert again.as_json() == first.as_json()


def test_it_is_made_again_when_the_folder_the_choice_or_the_code_is_another(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, maker, other = tmp_path / "cache", Maker(results), Maker(results, metric="RR@10")
    before = maker.kept(cache)
    assert other.kept(cache) != before
    put(results, make_card("late", "late"), make_run(0.4, 8))
    assert len(maker.kept(cache).tables[0].rows) == len(before.tables[0].rows) + 1
    assert (maker.times, other.times) == (2, 1)
    monkeypatch.setattr(kept, "_code", lambda: "other")
    maker.kept(cache)
    assert maker.times == 3


@pytest.mark.parametrize("damage", [b"", b"[]\n{}", None])
def test_a_damaged_file_counts_as_absent(results: Path, tmp_path: Path, damage: bytes | None) -> None:
    cache, maker = tmp_path / "cache", Maker(results)
    first = maker.kept(cache)
    path = cache_path(cache, results, None, None)
    path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
    assert maker.kept(cache) == maker.kept(cache) == first
    assert maker.times == 2


def test_what_is_said_of_a_hostile_folder_is_kept_too(tmp_path: Path) -> None:
    put_hostile(tmp_path / "results", tmp_path / "outside")
    maker = Maker(tmp_path / "results")
    assert repr(maker.kept(tmp_path / "cache")) == repr(maker.kept(tmp_path / "cache"))
    assert maker.times == 1


def test_only_the_newest_boards_stay_and_an_unwritable_cache_or_a_wrong_choice_keeps_none(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    cache, made = tmp_path / "cache", load_board(results)
    for age, metric in enumerate(("nDCG@10", "R@100", "RR@10")):
        cached_board(cache, results, "state", lambda: made, metric=metric)
        os.utime(cache_path(cache, results, metric, None), (age, age))
    assert [cache_path(cache, results, metric, None).exists() for metric in ("nDCG@10", "R@100", "RR@10")] == [
        False,
        True,
        True,
    ]
    (tmp_path / "file").write_text("")
    assert Maker(results).kept(tmp_path / "file") == made
    with pytest.raises(UserError):
        Maker(results, metric="R@7").kept(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_state_changes_with_every_folder_that_is_looked_at(results: Path) -> None:
    states = [state(results)]
    (results / "semanlink" / "empty").mkdir()
    states.append(state(results))
    (results / "semanlink" / "link").symlink_to(results)
    states.append(state(results))
    card = results / "semanlink" / "zero" / "card.yaml"
    card.write_text(card.read_text() + "\n")
    states.append(state(results))
    assert len(set(states)) == 4
    assert state(results) == states[-1]
    assert state(results / "nowhere") == state(results / "neither")

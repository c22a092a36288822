"""The first sentences of a board say its verdicts, each beside the rows that it is of, and never a mean as one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Table
from harness.leaderboard.overview.headline import Sentence, headline, words_of
from tests.leaderboard.runs import make_card, make_run, our_card, put, put_board, teacher


def _table(folder: Path) -> Table:
    (table,) = load_board(folder).tables
    return table


def _verdicts(sentence: Sentence) -> dict[tuple[str, ...], str]:
    """What the words before each linked number say of its runs."""
    found, said = {}, ""
    for phrase in sentence:
        words = re.findall(r"not shown to differ|better|worse", phrase.text)
        said = words[-1] if words else said
        if phrase.run_ids:
            found[phrase.run_ids] = {"not shown to differ": ""}.get(said, said)
    return found


def _put_ours(folder: Path, quality: float, runs: int = 3) -> None:
    put(folder, make_card("zero"), make_run(0.2, 1))
    for budget in (100, 300):
        for resample in range(runs):
            put(folder, our_card("ours", budget, resample), make_run(quality, 10 * budget + resample))


def _control(folder: Path, quality: float, runs: int = 3) -> None:
    for seed in range(runs):
        put(folder, make_card(f"no-llm-{seed}", "no-llm", category="control", seed=seed), make_run(quality, 40 + seed))


def test_every_number_of_labels_stands_with_the_verdict_of_its_row(tmp_path: Path) -> None:
    put_board(tmp_path)
    table = _table(tmp_path)
    reached, *_ = headline(table)
    rows = {row.run_ids: row for row in table.rows}
    found = _verdicts(reached)
    assert len(found) == 2
    for tags, verdict in found.items():
        against = rows[tags].against
        assert against is not None and against.verdict == verdict
        assert rows[tags].category == "ours" and rows[tags].teacher_type == "real"
    assert "intermediate taught by smollm2" in words_of(reached) and "semanlink, by nDCG@10" in words_of(reached)


def test_a_control_that_wins_too_takes_the_gain_from_the_teacher(tmp_path: Path) -> None:
    _put_ours(tmp_path, 0.9)
    _control(tmp_path, 0.9)
    said = [words_of(sentence) for sentence in headline(_table(tmp_path))]
    assert said[0].startswith("intermediate taught by smollm2 is better than zero-shot")
    assert said[1].startswith("Controls, which learn nothing from a teacher, are better too: no-llm.")
    assert said[1].endswith("So the gain is not shown to come from the teacher.")


def test_controls_that_win_nothing_are_told_and_so_is_that_there_are_none(tmp_path: Path) -> None:
    _put_ours(tmp_path, 0.9)
    assert words_of(headline(_table(tmp_path))[1]).startswith("No control stands beside it")
    _control(tmp_path, 0.2)
    said = words_of(headline(_table(tmp_path))[1])
    assert said.startswith("The control, which learns nothing from a teacher, is not better: no-llm")


def test_rows_that_their_words_cannot_tell_apart_are_named_once(tmp_path: Path) -> None:
    _put_ours(tmp_path, 0.9)
    for queries in (100, 1000):
        for seed in range(3):
            card = make_card(
                f"c-{queries}-{seed}", "no-llm", category="control", seed=seed, settings={"queries": queries}
            )
            put(tmp_path, card, make_run(0.2, 40 + seed + queries))
    said = words_of(headline(_table(tmp_path))[1])
    assert said.startswith("Of 2 controls") and said.endswith("none is better: no-llm (2 settings).")


@pytest.mark.parametrize(("quality", "runs"), [(0.21, 3), (0.9, 1)])
def test_a_higher_mean_without_a_verdict_is_not_called_better(tmp_path: Path, quality: float, runs: int) -> None:
    """Chance, or one run of a method that chance has a part in."""
    _put_ours(tmp_path, quality, runs)
    table = _table(tmp_path)
    ours = [row for row in table.rows if row.category == "ours"]
    zero = next(row for row in table.rows if row.method == "zero-shot").metrics["nDCG@10"].mean
    assert max(row.metrics["nDCG@10"].mean for row in ours) > zero
    said = words_of(headline(table)[0])
    assert "is not shown to differ from zero-shot" in said and "better" not in said


def test_what_needs_no_label_and_what_labels_cost_are_told(tmp_path: Path) -> None:
    _put_ours(tmp_path, 0.9)
    put(tmp_path, make_card("bm25", "bm25", category="reference"), make_run(2.0, 5))
    said = [words_of(sentence) for sentence in headline(_table(tmp_path))]
    assert "Better than zero-shot without any label: bm25." in said
    cost = next(sentence for sentence in said if sentence.startswith("Cost: "))
    assert cost.startswith("Cost: 100 labels of smollm2: 0.25 USD,")


def test_teachers_that_see_the_answers_and_placebos_are_no_evidence(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.2, 1))
    for kind in ("oracle", "simulated", "placebo"):
        for resample in range(3):
            about = teacher(kind, teacher_type=kind)
            card = make_card(
                f"{kind}-{resample}", "ours", budget=100, category="ours", resample=resample, teacher=about
            )
            put(tmp_path, card, make_run(3.0, resample))
    said = [words_of(sentence) for sentence in headline(_table(tmp_path))]
    assert said[0] == "No row on semanlink is of the method at the centre with a real teacher."
    assert said[1].startswith("Controls, which learn nothing from a teacher, are better too: ours (teacher placebo")
    assert not any("oracle" in sentence or "simulated" in sentence for sentence in said)


def test_without_a_baseline_nothing_is_said_to_be_shown(tmp_path: Path) -> None:
    put(tmp_path, our_card("ours", 100, 0), make_run(0.9))
    assert [words_of(sentence) for sentence in headline(_table(tmp_path))] == [
        "No row of a baseline is here, so nothing was tested and nothing is shown."
    ]

"""All pairs of a table: the numbers of `harness compare`, turned the right way round, and superscripts as papers print
them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evaluation.significance.evaluate_run import compare
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board import board_of
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.curves.series_style import letters
from harness.leaderboard.load_results import load_results
from harness.leaderboard.report import all_pairs as module
from harness.leaderboard.report.all_pairs import PairMatrix, all_pairs
from harness.leaderboard.row_texts import titles
from harness.retrieval.run import Run
from tests.leaderboard.runs import QRELS, make_card, make_run, put


def _pairs(results: Path, question: TestSpec) -> tuple[Table, dict[str, Row], PairMatrix]:
    result_set = load_results(results)
    (table,) = board_of(result_set).tables
    found = all_pairs(result_set, table, list(titles(table).items()), question)
    assert found is not None
    return table, titles(table), found


def test_letters_go_on_after_z() -> None:
    assert letters(29) == [*"abcdefghijklmnopqrstuvwxyz", "aa", "ab", "ac"]
    assert letters(26 + 26 * 26 + 1)[-1] == "aaa"


@pytest.mark.parametrize("question", [TestSpec("t", "holm"), TestSpec("maxt"), TestSpec("tukey")])
def test_the_numbers_are_those_of_compare(tmp_path: Path, question: TestSpec) -> None:
    runs = [make_run(quality, seed) for seed, quality in enumerate((0.1, 0.3, 0.9))]
    for number, run in enumerate(runs):
        put(tmp_path / "results", make_card(f"run{number}", f"m{number}"), run)
    _, rows, found = _pairs(tmp_path / "results", question)
    # In the order of the rows, which the draws of Tukey's test depend on.
    ordered = [Run.read(tmp_path / "results" / "semanlink" / row.run_ids[0]) for row in rows.values()]
    said = compare(ordered, QRELS, metrics=["nDCG@10"], question=question)
    names = {row.run_ids[0]: name for name, row in rows.items()}
    for one in said["comparisons"]:
        cell = found.cell(names[one["b"]], names[one["a"]])
        back = found.cell(names[one["a"]], names[one["b"]])
        assert cell is not None
        assert back is not None
        assert cell.difference == pytest.approx(one["difference"], abs=1e-12) == -back.difference
        assert cell.p_adjusted == back.p_adjusted == pytest.approx(one["p_adjusted"], abs=1e-12)
        assert {"▲": "better", "▼": "worse", "·": "inconclusive"}[cell.mark] == one["verdict"]
        assert cell.interval is not None
        assert back.interval == (-cell.interval[1], -cell.interval[0])


def test_superscripts_name_the_rows_that_are_beaten(tmp_path: Path) -> None:
    for name, quality, seed in (("low", 0.0, 1), ("twin", 0.0, 1), ("high", 3.0, 2)):
        put(tmp_path, make_card(name, name), make_run(quality, seed))
    table, _, found = _pairs(tmp_path, TestSpec("maxt"))
    assert [row.method for row in table.rows] == ["high", "low", "twin"]
    assert {name: found.superscript(name) for name in found.names} == {"high": "bc", "low": "", "twin": ""}
    same = found.cell("low", "twin")
    assert same is not None
    assert (same.mark, same.difference, same.p_adjusted) == ("·", 0.0, 1.0)
    assert found.cell("low", "low") is None


def test_long_superscripts_are_spans(tmp_path: Path) -> None:
    for number in range(7):
        put(
            tmp_path,
            make_card(f"r{number}", f"m{number}"),
            make_run(4.0 if number == 0 else 0.0, 3 if number == 0 else 1),
        )
    _, _, found = _pairs(tmp_path, TestSpec("maxt"))
    assert found.superscript(found.names[0]) == "b–g"
    few = PairMatrix(
        found.names, dict(zip(found.names, ["a", "b", "z", "aa", "ab", "ac", "ad"], strict=True)), found.answer
    )
    assert few.superscript(found.names[0]) == "b–ad"
    apart = PairMatrix((found.names[0], *found.names[2:4], found.names[6]), found.letters, found.answer)
    assert apart.superscript(found.names[0]) == "cdg"
    mixed = PairMatrix((found.names[0], found.names[1], *found.names[3:]), found.letters, found.answer)
    assert mixed.superscript(found.names[0]) == "b,d–g"


def test_a_row_without_the_metric_keeps_its_letter_and_is_not_compared(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", "a"), make_run(0.2, 1))
    put(tmp_path, make_card("b", "b"), make_run(0.9, 2))
    put(tmp_path, make_card("c", "c"), make_run(0.9, 3), metrics=("RR@10",))
    _, _, found = _pairs(tmp_path, TestSpec("maxt"))
    assert found.names == ("b", "a")
    assert found.letters == {"b": "a", "a": "b", "c": "c"}
    assert found.beats("c") == ()


def test_rows_beyond_the_most_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    for number in range(3):
        put(tmp_path, make_card(f"r{number}", f"m{number}"), make_run(0.1 * number, number))
    _, _, found = _pairs(tmp_path, TestSpec("t"))
    assert (len(found.names), found.left_out, found.answer["family"]) == (2, 1, "1 comparison of 2 runs on nDCG@10")


def test_one_row_has_no_pairs(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", "a"), make_run(0.2, 1))
    result_set = load_results(tmp_path)
    (table,) = board_of(result_set).tables
    assert all_pairs(result_set, table, list(titles(table).items())) is None

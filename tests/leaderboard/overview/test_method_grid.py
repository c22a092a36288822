"""Methods over collections: a cell says what the tests of its own collection say, and counts its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.leaderboard.board import board_of
from harness.leaderboard.collections_meta import meta_of
from harness.leaderboard.load_results import ResultSet, load_results
from harness.leaderboard.overview.method_grid import GridRow, method_grid
from harness.leaderboard.overview.pooled_grid import pooled_columns
from tests.leaderboard.runs import make_card, make_run, put, teacher


@pytest.fixture
def result_set(tmp_path: Path) -> ResultSet:
    """Two collections: a method on both, one on the first alone, and on the second in two settings."""
    for number, collection in enumerate(("first", "second")):
        about = {"collection": collection}
        put(tmp_path, make_card(f"zero-{number}", **about), make_run(0.2, number))
        for seed in range(3):
            card = make_card(f"one-{number}-{seed}", "one", category="baseline", budget=100, seed=seed, **about)
            put(tmp_path, card, make_run(0.9, 10 * number + seed))
    put(tmp_path, make_card("alone", "alone", category="reference", collection="first"), make_run(0.2, 9))
    for epochs, quality in ((1, 0.2), (2, 1.5)):
        for seed in range(3):
            taught = {"teacher": teacher("shuffled", teacher_type="placebo"), "budget": 100, "seed": seed}
            card = make_card(f"two-{epochs}-{seed}", "two", collection="second", settings={"epochs": epochs}, **taught)
            put(tmp_path, card, make_run(quality, 7 * epochs + seed))
    return load_results(tmp_path)


def _lines(result_set: ResultSet) -> dict[str, GridRow]:
    return {line.key.method: line for line in method_grid(board_of(result_set).tables)}


def test_a_cell_is_the_verdict_of_its_own_collection(result_set: ResultSet) -> None:
    tables, lines = board_of(result_set).tables, _lines(result_set)
    for table, cell in zip(tables, lines["one"].cells, strict=True):
        (row,) = [row for row in table.rows if row.method == "one"]
        assert cell is not None and cell.rows == (row,)
        assert row.against is not None and row.against.verdict == cell.mood == "better"
        assert cell.text == f"▲ {row.against.difference:+.3f}"
    assert [cell and cell.text for cell in lines["zero-shot"].cells] == ["baseline", "baseline"]
    alone, nowhere = lines["alone"].cells
    assert nowhere is None and alone is not None and alone.mood == "" and "▲" not in alone.text


def test_several_settings_are_counted_and_none_is_picked(result_set: ResultSet) -> None:
    line = _lines(result_set)["two"]
    assert line.cells[0] is None and line.cells[1] is not None
    assert line.cells[1].text == "1 of 2 ▲" and line.cells[1].mood == ""
    assert line.name == "two · shuffled · 100 labels (placebo)"
    assert list(_lines(result_set))[-1] == "two"


def test_the_pooled_lines_are_those_of_meta(result_set: ResultSet) -> None:
    meta = meta_of(result_set)
    shown, forms = pooled_columns(meta)
    assert shown["method"] == [one.name for one in meta.methods] != []
    assert shown["difference"] == [one.combined.effect for one in meta.methods if one.combined]
    assert {verdict.split()[-1] for verdict in shown["verdict"]} <= {"better", "worse", "shown"}
    assert set(forms) < set(shown)

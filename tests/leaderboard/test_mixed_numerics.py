"""Rows whose runs computed in other numerics than one another, or than most rows, say so."""

from __future__ import annotations

from pathlib import Path

from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Row
from harness.published.card_numerics import NumericsSection
from harness.published.result_folder import read_card
from tests.leaderboard.runs import make_card, make_run, our_card, put


def computed(*classes: str) -> NumericsSection:
    return NumericsSection(classes=classes, devices=("AMD EPYC",), threads=(1,), versions={"torch": ("2.13.0",)})


def rows(results: Path) -> dict[tuple[str, int | None], Row]:
    (table,) = load_board(results).tables
    return {(row.method, row.budget): row for row in table.rows}


def test_rows_of_mixed_numerics_are_flagged(tmp_path: Path) -> None:
    cards = [
        make_card("zero", numerics=computed("cpu-bf16")),
        make_card("old", "bm25", category="reference"),
        *(our_card("same", 100, resample, numerics=computed("cpu-bf16")) for resample in range(2)),
        *(
            our_card("mixed", 300, resample, numerics=computed(name))
            for resample, name in enumerate(("cpu-bf16", "cuda-bf16"))
        ),
        our_card("other", 1000, 0, numerics=computed("cuda-bf16")),
        our_card("within", 2000, 0, numerics=computed("cpu-bf16", "cpu-fp32")),
    ]
    for seed, card in enumerate(cards):
        put(tmp_path, card, make_run(0.5, seed))
    found = {key: [flag for flag in row.flags if "computed" in flag] for key, row in rows(tmp_path).items()}
    assert found == {
        ("zero-shot", None): [],
        ("bm25", None): [],
        ("intermediate", 100): [],
        ("intermediate", 300): ["computed in cpu-bf16 and cuda-bf16"],
        ("intermediate", 1000): ["computed in cuda-bf16, most rows in cpu-bf16"],
        ("intermediate", 2000): ["computed in cpu-bf16 and cpu-fp32"],
    }
    assert rows(tmp_path)["intermediate", 300].numerics == ("cpu-bf16", "cuda-bf16")


def test_a_run_that_is_made_again_in_other_numerics_takes_the_place_of_the_older(tmp_path: Path) -> None:
    first, second = make_card("a", numerics=computed("cpu-fp32")), make_card("b", numerics=computed("cpu-bf16"))
    assert first.identity() | {"tag": "b"} == second.identity()
    for card in (first, second):
        put(tmp_path, card, make_run(0.5))
    row = rows(tmp_path)["zero-shot", None]
    assert (row.runs, row.numerics, row.flags) == (1, ("cpu-bf16",), ())


def test_cards_hold_numerics_and_those_without_are_read(tmp_path: Path) -> None:
    told, untold = (
        put(tmp_path, make_card("a", numerics=computed("cpu-bf16")), make_run(0.5)),
        put(tmp_path, make_card("b", "bm25"), make_run(0.5)),
    )
    assert read_card(told).numerics == computed("cpu-bf16") and read_card(untold).numerics is None
    assert "numerics" not in (untold / "card.yaml").read_text() and "tf32" not in (told / "card.yaml").read_text()

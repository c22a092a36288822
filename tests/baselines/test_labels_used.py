"""What a method declares is what its stages read, and the card and the board say what that cost."""

from __future__ import annotations

import pytest

from baselines._shared.fid_stages import TrainReader
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.teacher import GIVES
from harness.leaderboard.board import load_board
from harness.method import RetrieverMethod
from harness.pipeline.builder import PlannedCell
from harness.pipeline.graph import closure
from harness.published.card import Card
from harness.published.result_folder import read_card
from harness.stage import Stage
from harness.teachers.likelihood.answer_label_stage import AnswerLabels
from harness.training_lists.list_stages import GoldLists
from harness.training_lists.order_lists import RandomLists
from tests.baselines.small import Swept

pytestmark = pytest.mark.models


def stages(cell: PlannedCell) -> list[Stage]:
    """Everything behind the run of a cell."""
    return list(closure([cell.run]).values())


def cards(swept: Swept) -> dict[str, Card]:
    """By the label of the cell."""
    found = {card.stages["run"]: card for card in map(read_card, swept.outcome.published)}
    return {cell.cell.label: found[cell.run.key] for cell in swept.cells if cell.run.key in found}


def test_methods_read_the_labels_that_they_declare_and_no_others(all_methods: Swept) -> None:
    for cell in all_methods.cells:
        method, behind = cell.cell.method, stages(cell)
        reads = {
            "gold labels": any(isinstance(stage, GoldLists) for stage in behind),
            "answers": any(isinstance(stage, (AnswerLabels, TrainReader)) for stage in behind),
            "a teacher": any(isinstance(stage, Labels) for stage in behind),
        }
        declared = {
            "gold labels": "gold labels" in method.needs,
            "answers": "answers" in method.needs,
            "a teacher": bool({*method.needs} & {*GIVES}),
        }
        assert reads == declared, method.name
        assert set(method.needs) <= set(method.sees), method.name


def test_no_stage_reads_more_labels_than_the_budget(all_methods: Swept) -> None:
    for cell in all_methods.cells:
        for stage in stages(cell):
            if isinstance(stage, (Labels, GoldLists, RandomLists)) and stage.subset.pool.key == cell.inputs.pool.key:
                assert stage.subset.size == cell.cell.budget == 8, cell.cell.label


def test_every_card_says_what_the_method_cost(all_methods: Swept) -> None:
    found = cards(all_methods)
    assert set(found) == {cell.cell.label for cell in all_methods.cells}
    for cell in all_methods.cells:
        card, method = found[cell.cell.label], cell.cell.method
        asks = "teacher" in method.axes
        trained = (issubclass(method, RetrieverMethod) and bool(method.axes)) or method.name == "rankgpt"
        assert (card.costs.calls > 0) == (card.costs.input_tokens > 0) == asks, method.name
        assert (card.labels is not None) == asks and card.budget == (8 if "budget" in method.axes else None)
        assert (card.costs.train_seconds > 0) == trained and card.costs.seconds > 0, method.name
        assert card.method.sees == method.sees


def test_a_refresh_is_paid_for(all_methods: Swept) -> None:
    found = cards(all_methods)
    assert found["replug refreshed"].costs.calls > found["replug-lsr"].costs.calls
    assert found["mined anew"].costs.calls == 0


def test_the_board_has_a_column_for_each_cost_and_what_may_be_seen(all_methods: Swept) -> None:
    for row in load_board(all_methods.home / "results").as_json()["rows"]:
        assert {"usd", "calls", "input_tokens", "output_tokens", "train_seconds", "seconds"} <= set(row["cost"])
        assert row["sees"]

"""Early stopping: who is held out, when the loss is measured, which weights are saved, and what the history tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.device import deterministic
from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.students.retriever import BiEncoder
from harness.training.early_stopping import EarlyStopping, split_lists
from harness.training.history import History
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TinyCorpus, topic_lists, topic_trainer

QUERIES = np.array([0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9])


def test_all_lists_of_a_query_are_on_one_side() -> None:
    taught, held = split_lists(QUERIES, EarlyStopping(held_out=0.3), seed=5)
    assert sorted([*taught, *held]) == list(range(12))
    assert not set(QUERIES[taught]) & set(QUERIES[held])
    assert len(set(QUERIES[held])) == 3


def test_the_draw_follows_from_the_seed() -> None:
    def drawn(seed: int) -> list[int]:
        return list(split_lists(np.arange(50), EarlyStopping(held_out=0.2), seed)[1])

    assert drawn(0) == drawn(0) != drawn(1)


@pytest.mark.parametrize(("share", "held"), [(0.01, 1), (0.99, 9), (0.25, 2)])
def test_one_query_at_least_is_on_each_side(share: float, held: int) -> None:
    assert len(np.unique(QUERIES[split_lists(QUERIES, EarlyStopping(held_out=share), 0)[1]])) == held


def test_one_query_cannot_be_held_out() -> None:
    with pytest.raises(UserError, match="two training queries"):
        split_lists(np.zeros(3, dtype=int), EarlyStopping(), 0)


def test_without_it_all_lists_teach() -> None:
    taught, held = split_lists(QUERIES, None, 0)
    assert list(taught) == list(range(12)) and len(held) == 0


@pytest.mark.parametrize(
    ("checks", "steps", "wanted"),
    [(1, 4, [3, 7]), (2, 4, [1, 3, 5, 7]), (3, 5, [1, 3, 4, 6, 8, 9]), (9, 2, [0, 1, 2, 3])],
)
def test_checks_are_spread_and_end_an_epoch(checks: int, steps: int, wanted: list[int]) -> None:
    stop = EarlyStopping(checks=checks)
    assert [step for step in range(2 * steps) if stop.is_due(step, steps)] == wanted


def trained(start: ModelFiles, **settings: Any) -> tuple[BiEncoder, History]:
    given: dict[str, Any] = {"epochs": 12, "batch": 2, "learning_rate": 0.05, "warmup": 0.0, **settings}
    with deterministic(0):
        student = BiEncoder.load(start.path)
        return student, topic_trainer(student, **given).fit()


def held_out_loss(student: BiEncoder, stop: EarlyStopping) -> float:
    lists = topic_lists()
    held = split_lists(np.arange(len(lists)), stop, 0)[1]
    table = ListDataset.of(lists, TinyCorpus())
    reader = student.bind(table, 32)
    batch = table.batch(held, torch.device("cpu"))
    with torch.no_grad():
        return float(LossSpec.of("listmle").loss(0.05)(reader(batch), batch.target))


@pytest.mark.models
def test_it_stops_and_keeps_the_weights_with_the_smallest_loss(static: ModelFiles) -> None:
    stop = EarlyStopping(held_out=0.3, patience=2)
    student, history = trained(static, stop=stop)
    losses = history.held_out_loss
    assert len(losses) < 12 and history.held_out_step == [2 * (number + 1) for number in range(len(losses))]
    assert int(np.argmin(losses)) == len(losses) - 3, "two checks without a smaller loss end it"
    assert history.saved_step == history.held_out_step[int(np.argmin(losses))] < history.step[-1] == len(history.loss)
    assert held_out_loss(student, stop) == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.models
def test_held_out_lists_teach_nothing(static: ModelFiles) -> None:
    """Without the held-out lists, the taught ones alone in the same batches give the same weights."""
    stop = EarlyStopping(held_out=0.3, patience=100)
    student, history = trained(static, stop=stop, epochs=1, batch=4)
    lists = topic_lists()
    taught, _ = split_lists(np.arange(len(lists)), stop, 0)
    with deterministic(0):
        other = BiEncoder.load(static.path)
        shorter = [lists[number] for number in taught]
        alone = topic_trainer(other, lists=shorter, epochs=1, batch=4, learning_rate=0.05, warmup=0.0).fit()
    assert history.saved_step == 1 and alone.loss == history.loss
    assert torch.equal(student.model[0].embedding.weight, other.model[0].embedding.weight)


@pytest.mark.models
def test_measuring_uses_no_dropout_and_moves_no_random_number(tiny: ModelFiles) -> None:
    _, seldom = trained(
        tiny, stop=EarlyStopping(held_out=0.3, patience=100), epochs=2, dropout=True, learning_rate=1e-3
    )
    _, often = trained(
        tiny, stop=EarlyStopping(held_out=0.3, patience=100, checks=2), epochs=2, dropout=True, learning_rate=1e-3
    )
    assert seldom.loss == often.loss
    assert set(seldom.held_out_loss) < set(often.held_out_loss)


@pytest.mark.models
def test_the_file_holds_the_history(static: ModelFiles, tmp_path: Path) -> None:
    _, history = trained(static, stop=EarlyStopping(), epochs=2)
    history.write(tmp_path)
    assert History.from_json(json.loads((tmp_path / "losses.json").read_text())) == history
    assert len(history.held_out_loss) == len(history.held_out_step) > 0

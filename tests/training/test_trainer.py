"""The loop itself: steps, checks and passes, what is frozen, and a loss that is no number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from harness.device import deterministic
from harness.errors import UserError
from harness.models import ModelFiles
from harness.students.retriever import BiEncoder
from harness.training_lists.training_list import TrainingList
from tests.students.conftest import TOPICS, topic_lists, topic_trainer


def fitted(
    student: BiEncoder, lists: tuple[TrainingList, ...] = topic_lists(), loss: str = "listmle", **settings: Any
) -> BiEncoder:
    topic_trainer(student, loss, lists, epochs=1, **settings).fit()
    return student


@pytest.mark.models
def test_cutting_a_batch_into_passes_changes_nothing(tiny: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def weights(micro: int) -> torch.Tensor:
        monkeypatch.setattr("harness.students.retriever.MICRO_TOKENS", micro)
        with deterministic(0):
            student = fitted(BiEncoder.load(tiny.path), batch=6)
        return torch.cat([weight.detach().flatten() for weight in student.model.parameters()])

    torch.testing.assert_close(weights(1), weights(100_000), atol=2e-6, rtol=1e-4)


@pytest.mark.models
def test_frozen_layers_stay_and_the_rest_moves(tiny: ModelFiles) -> None:
    student = BiEncoder.load(tiny.path)
    before = {name: weight.detach().clone() for name, weight in student.model.named_parameters()}
    fitted(student, frozen_layers=1)
    moved = {name for name, weight in student.model.named_parameters() if not torch.equal(weight, before[name])}
    assert moved and all("layer.1." in name for name in moved)


@pytest.mark.models
def test_a_loss_that_is_no_number_names_its_step(static: ModelFiles) -> None:
    lists = (TrainingList("q", TOPICS[0], ("d0", "d3"), 2, (float("nan"), 0.0)),)
    with pytest.raises(UserError, match="the loss is nan at step 1 of 1"):
        fitted(BiEncoder.load(static.path), lists, "kl")


@pytest.mark.models
def test_fit_is_its_steps_one_after_another(static: ModelFiles) -> None:
    with deterministic(0):
        whole = topic_trainer(BiEncoder.load(static.path), epochs=2, batch=4)
        history = whole.fit()
        stepwise = topic_trainer(BiEncoder.load(static.path), epochs=2, batch=4)
        for number in range(len(history.step)):
            stepwise.step(number)
    assert stepwise.state.history == history and len(history.loss) == 4
    weights = stepwise.state.weights
    assert all(torch.equal(weight, weights[name]) for name, weight in whole.state.weights.items())


@pytest.mark.models
def test_evaluating_is_the_mean_over_lists_and_moves_no_weight(tiny: ModelFiles) -> None:
    trainer = topic_trainer(BiEncoder.load(tiny.path), batch=4)
    before = {name: weight.detach().clone() for name, weight in trainer.state.weights.items()}
    single = [trainer.evaluate(np.array([number])) for number in range(6)]
    assert trainer.evaluate(np.arange(6)) == pytest.approx(np.mean(single), rel=1e-5)
    assert all(
        torch.equal(weight, before[name]) and weight.grad is None for name, weight in trainer.state.weights.items()
    )

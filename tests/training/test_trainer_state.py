"""The state of a training: the best weights are a copy, and a checkpoint of any date gives it back."""

from __future__ import annotations

import torch

from harness.training.checkpoint import CheckpointData
from harness.training.history import History
from harness.training.trainer_state import TrainerState


def linear_state() -> TrainerState:
    model = torch.nn.Linear(2, 1)
    return TrainerState(model, torch.device("cpu"), [torch.optim.AdamW(model.parameters(), lr=0.1)])


def fill(state: TrainerState, value: float) -> None:
    with torch.no_grad():
        for weight in state.weights.values():
            weight.fill_(value)


def test_the_best_weights_are_those_of_the_smallest_held_out_loss() -> None:
    state = linear_state()
    for value, loss in enumerate([3.0, 2.0, 2.0, 4.0], start=1):
        fill(state, value)
        state.history.add_step(0, 1.0, 0.1)
        state.add_check(loss)
    assert (state.best_loss, state.best_step, state.checks_since_best, state.history.saved_step) == (2.0, 2, 2, 4)
    state.restore_best()
    assert state.history.saved_step == 2
    assert {value for weight in state.weights.values() for value in weight.flatten().tolist()} == {2.0}


def test_a_checkpoint_written_before_0_2_is_restored() -> None:
    history = {
        "step": [1],
        "epoch": [0],
        "loss": [0.5],
        "learning_rate": [0.1],
        "held_out_step": [1],
        "held_out_loss": [0.25],
        "kept": 1,
    }
    weights = {"weight": torch.full((1, 2), 7.0), "bias": torch.full((1,), 7.0)}
    tensors = {f"{kind}/{name}": tensor for kind in ("weights", "best") for name, tensor in weights.items()}
    moments = {f"moments/0/{number}/exp_avg": torch.ones(shape) for number, shape in enumerate([(1, 2), (1,)])}
    values = {
        "history": history,
        "best": {"loss": 0.25, "step": 1, "waited": 3},
        "steps": {"0/0/step": 4.0, "0/1/step": 4.0},
    }
    state = linear_state()
    assert state.restore(CheckpointData({**tensors, **moments, "random/cpu": torch.get_rng_state()}, values))
    assert state.history == History([1], [0], [0.5], [0.1], [1], [0.25], saved_step=1)
    assert (state.best_loss, state.best_step, state.checks_since_best) == (0.25, 1, 3)
    assert all(
        torch.equal(weight, weights[name]) and torch.equal(state.best_weights[name], weight)
        for name, weight in state.weights.items()
    )
    again = state.checkpoint_data()
    assert again.values["history"] == history and again.values["best"] == values["best"]
    assert again.tensors.keys() >= {*tensors, *moments, "random/cpu"}


def test_a_checkpoint_of_other_weights_changes_nothing() -> None:
    state, random = linear_state(), torch.get_rng_state()
    fill(state, 1.0)
    assert not state.restore(None)
    assert not state.restore(CheckpointData({"weights/weight": torch.zeros(3, 3), "random/cpu": random}, {}))
    assert all(bool((weight == 1).all()) for weight in state.weights.values())

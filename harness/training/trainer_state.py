"""What a training is made of between two optimiser steps, to be put into a checkpoint and restored from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.training.checkpoint import CheckpointData
from harness.training.history import History

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")


@dataclass
class TrainerState:
    """A student in training, its optimisers, what has happened so far, and the weights that held-out queries like
    best."""

    model: torch.nn.Module
    device: torch.device
    optimisers: Sequence[torch.optim.Optimizer]
    history: History = field(default_factory=History)
    best_loss: float = float("inf")
    """The smallest held-out loss."""
    best_step: int = 0
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    checks_since_best: int = 0

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The weights that learn, by name."""
        return {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}

    def add_check(self, loss: float) -> None:
        """The held-out loss after the last step; copies the weights when it is the smallest."""
        self.history.add_check(loss)
        self.checks_since_best += 1
        if loss < self.best_loss:
            self.best_loss, self.best_step, self.checks_since_best = loss, self.history.saved_step, 0
            self.best_weights = {name: weight.detach().clone() for name, weight in self.weights.items()}

    def restore_best(self) -> None:
        """Goes back to the weights with the smallest held-out loss."""
        self._load_weights(self.best_weights)
        self.history.saved_step = self.best_step

    def checkpoint_data(self) -> CheckpointData:
        """Everything the rest of the training depends on. The batches are no part of it: they follow from the seed."""
        numbers, moments = _split_memory(self.optimisers)
        tensors = {
            **_prefixed("weights", self.weights),
            **_prefixed("best", self.best_weights),
            **_prefixed("moments", moments),
        }
        best = {"loss": self.best_loss, "step": self.best_step, "waited": self.checks_since_best}
        values = {"history": self.history.to_json(), "best": best, "steps": numbers}
        return CheckpointData({**tensors, **_prefixed("random", _random_states(self.device))}, values)

    def restore(self, data: CheckpointData | None) -> bool:
        """Goes back to `data`; False, and nothing changed, where there is none or it belongs to other weights."""
        if data is None or _shapes(_under("weights", data)) != _shapes(self.weights):
            return False
        self._load_weights(_under("weights", data))
        _load_memory(self.optimisers, data)
        self.history = History.from_json(data.values["history"])
        best = data.values["best"]
        self.best_loss, self.best_step, self.checks_since_best = best["loss"], best["step"], best["waited"]
        self.best_weights = {name: weight.to(self.device) for name, weight in _under("best", data).items()}
        _set_random_states(_under("random", data), self.device)
        return True

    def _load_weights(self, weights: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(weights[name])


def _prefixed(kind: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{kind}/{name}": tensor for name, tensor in tensors.items()}


def _under(kind: str, data: CheckpointData) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(f"{kind}/"): tensor for name, tensor in data.tensors.items() if name.startswith(f"{kind}/")
    }


def _shapes(tensors: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _split_memory(optimisers: Sequence[torch.optim.Optimizer]) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What the optimisers remember of each weight, numbers and tensors, by ``optimiser/weight/name``."""
    memory = {
        f"{number}/{weight}/{name}": value
        for number, optimiser in enumerate(optimisers)
        for weight, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }
    tensors = {name: value for name, value in memory.items() if isinstance(value, torch.Tensor)}
    return {name: value for name, value in memory.items() if name not in tensors}, tensors


def _load_memory(optimisers: Sequence[torch.optim.Optimizer], data: CheckpointData) -> None:
    memories: list[dict[int, dict[str, Any]]] = [{} for _ in optimisers]
    for path, value in {**data.values["steps"], **_under("moments", data)}.items():
        number, weight, name = path.split("/", 2)
        memories[int(number)].setdefault(int(weight), {})[name] = value
    for optimiser, memory in zip(optimisers, memories, strict=True):
        optimiser.load_state_dict({"state": memory, "param_groups": optimiser.state_dict()["param_groups"]})


def _random_states(device: torch.device) -> dict[str, torch.Tensor]:
    states = {"cpu": torch.get_rng_state()}
    return {**states, "cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def _set_random_states(states: dict[str, torch.Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)

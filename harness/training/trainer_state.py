"""What a training is made of between two optimiser steps, to be put into a checkpoint and taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.training.checkpoints import CheckpointData
from harness.training.early_stopping import Best
from harness.training.history import History

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")


@dataclass
class TrainerState:
    """A student in training, its optimisers, and what has happened so far."""

    model: torch.nn.Module
    device: torch.device
    optimisers: Sequence[torch.optim.Optimizer]
    history: History = field(default_factory=History)
    best: Best = field(default_factory=Best)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The weights that learn, by name."""
        return {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}

    def state(self) -> CheckpointData:
        """Everything the rest of the training depends on. The batches are no part of it: they follow from the seed."""
        steps, moments = _parted(self.optimisers)
        tensors = {**_under("weights", self.weights), **_under("best", self.best.weights), **_under("moments", moments)}
        best = {"loss": self.best.loss, "step": self.best.step, "waited": self.best.waited}
        values = {"history": asdict(self.history), "best": best, "steps": steps}
        return CheckpointData({**tensors, **_under("random", _random(self.device))}, values)

    def restore(self, state: CheckpointData | None) -> bool:
        """Goes back to `state`; False, and nothing changed, where there is none or it belongs to other weights."""
        if state is None or _shapes(_within("weights", state)) != _shapes(self.weights):
            return False
        self._put(_within("weights", state))
        _restore(self.optimisers, state)
        self.history = History(**state.values["history"])
        best = {name: weight.to(self.device) for name, weight in _within("best", state).items()}
        self.best = Best(**state.values["best"], weights=best)
        _set_random(_within("random", state), self.device)
        return True

    def check(self, loss: float) -> None:
        """Notes the held-out loss after the last step."""
        self.history.check(loss)
        self.best.see(loss, self.history.kept, self.weights)

    def keep_best(self) -> None:
        """Goes back to the weights with the smallest held-out loss."""
        self._put(self.best.weights)
        self.history.kept = self.best.step

    def _put(self, weights: dict[str, torch.Tensor]) -> None:

        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(weights[name])


def _under(kind: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{kind}/{name}": tensor for name, tensor in tensors.items()}


def _within(kind: str, state: CheckpointData) -> dict[str, torch.Tensor]:
    return {name.removeprefix(f"{kind}/"): tensor for name, tensor in state.tensors.items() if name.startswith(f"{kind}/")}


def _shapes(tensors: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _parted(optimisers: Sequence[torch.optim.Optimizer]) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What the optimisers remember of each weight, numbers apart from tensors, by ``optimiser/weight/name``."""

    kept = {
        f"{number}/{place}/{name}": value
        for number, optimiser in enumerate(optimisers)
        for place, memory in optimiser.state_dict()["state"].items()
        for name, value in memory.items()
    }
    tensors = {name: value for name, value in kept.items() if isinstance(value, torch.Tensor)}
    return {name: value for name, value in kept.items() if name not in tensors}, tensors


def _restore(optimisers: Sequence[torch.optim.Optimizer], state: CheckpointData) -> None:
    memories: list[dict[int, dict[str, Any]]] = [{} for _ in optimisers]
    for path, value in {**state.values["steps"], **_within("moments", state)}.items():
        number, place, name = path.split("/", 2)
        memories[int(number)].setdefault(int(place), {})[name] = value
    for optimiser, memory in zip(optimisers, memories, strict=True):
        optimiser.load_state_dict({"state": memory, "param_groups": optimiser.state_dict()["param_groups"]})


def _random(device: torch.device) -> dict[str, torch.Tensor]:

    states = {"cpu": torch.get_rng_state()}
    return {**states, "cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def _set_random(states: dict[str, torch.Tensor], device: torch.device) -> None:

    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)

"""Two processes that train one student together, on CPUs as on GPUs: the same student, up to rounding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from harness.device import DEVICES, devices
from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.training.early_stopping import EarlyStopping
from harness.training.history import FILE
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRanker, TrainRetriever
from tests.students.conftest import Bench, GivenLists, TinyCorpus, topic_lists


def ranker(tiny: ModelFiles, **settings: object) -> TrainRanker:
    return TrainRanker(
        start=tiny,
        architecture="cross-encoder",
        lists=GivenLists(lists=topic_lists()),
        corpus=TinyCorpus(),
        loss=LossSpec.of("listmle"),
        # Three lists a step: one process has two of them, the other one.
        train=TrainSettings(epochs=2, batch=3, **{"learning_rate": 1e-3, **settings}),
        max_length=32,
    )


def retriever(start: ModelFiles, loss: object) -> TrainRetriever:
    lists = GivenLists(lists=topic_lists(scores=True))
    train = TrainSettings(epochs=1, batch=3)
    return TrainRetriever(
        start=start, lists=lists, corpus=TinyCorpus(), loss=LossSpec.of(loss), train=train, max_length=32
    )


def made(root: Path, stage: TrainRanker | TrainRetriever) -> tuple[Bench, dict[str, torch.Tensor], list[float]]:
    """The bench, the weights and the losses of the steps."""
    root.mkdir()
    bench = Bench(root, root / "cache")
    folder = bench.path(stage)
    weights = {
        f"{file.parent.name}/{name}": value
        for file in folder.rglob("*.safetensors")
        for name, value in load_file(file).items()
    }
    return bench, weights, json.loads((folder / FILE).read_text(encoding="utf-8"))["loss"]


@pytest.mark.models
@pytest.mark.parametrize("stop", [None, EarlyStopping(held_out=0.4, patience=9)])
def test_two_take_the_steps_of_one(
    stop: EarlyStopping | None, tiny: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = ranker(tiny, stop=stop)
    alone, weights, losses = made(tmp_path / "alone", stage)
    monkeypatch.setenv(DEVICES, "2")
    together, shared, told = made(tmp_path / "together", stage)
    assert told == pytest.approx(losses, rel=1e-5)
    assert shared.keys() == weights.keys()
    # In the mean: Adam makes a whole step of a gradient that is nothing but rounding.
    apart = torch.cat([(shared[name] - weights[name]).flatten() for name in weights])
    assert float(apart.abs().mean()) < 1e-6
    assert together.told == alone.told
    assert not list((tmp_path / "together" / "cache").rglob("*.*"))


@pytest.mark.models
def test_what_cannot_be_shared_out_is_trained_alone(
    tiny: ModelFiles, static: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    stages = {"in-batch": retriever(tiny, {"name": "infonce", "in_batch": True}), "static": retriever(static, "kl")}
    for name, stage in stages.items():
        _, weights, _ = made(tmp_path / f"{name} alone", stage)
        monkeypatch.setenv(DEVICES, "2")
        _, shared, _ = made(tmp_path / f"{name} together", stage)
        monkeypatch.delenv(DEVICES)
        assert all(torch.equal(shared[key], weights[key]) for key in weights)


@pytest.mark.models
def test_a_loss_that_explodes_is_told_as_by_one(
    tiny: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEVICES, "2")
    with pytest.raises(UserError, match=r"the loss is nan at step \d of 4") as told:
        made(tmp_path / "together", ranker(tiny, learning_rate=1e30, clip=1e30))
    assert told.value.remedy == "take a smaller learning rate or a larger temperature"


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_the_number_of_devices_is_one_or_more(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEVICES, value)
    with pytest.raises(UserError, match=DEVICES):
        devices()

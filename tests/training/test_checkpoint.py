"""A training that is interrupted goes on from its checkpoint and ends with the same bits; what is no good checkpoint is
passed over."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.device import deterministic
from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.stage import Stage
from harness.students.retriever import BiEncoder
from harness.training import checkpoint as checkpoint_module
from harness.training.checkpoint import Checkpoint, CheckpointData
from harness.training.early_stopping import EarlyStopping
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRanker, TrainRetriever, stage_checkpoint
from tests.students.conftest import Bench, GivenLists, TinyCorpus, topic_lists, topic_trainer

STOP = EarlyStopping(held_out=0.3, patience=9, checks=2)


class Cut(Exception):
    """The power goes off."""


class CutBench(Bench):
    """A bench whose power goes off behind step `at`."""

    at: int = 10**6

    def progress(self, done: int, total: int, unit: str = "") -> None:
        super().progress(done, total, unit)
        if unit == "steps" and done == self.at:
            self.fail()

    def fail(self) -> None:
        raise Cut


class DyingBench(CutBench):
    """A bench whose process is killed."""

    def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def retriever(start: ModelFiles, **train: Any) -> TrainRetriever:
    settings = TrainSettings(**{"epochs": 4, "batch": 2, "learning_rate": 1e-3, "dropout": True, **train})
    lists = GivenLists(lists=topic_lists(scores=True))
    return TrainRetriever(
        start=start, lists=lists, corpus=TinyCorpus(), loss=LossSpec.of("kl"), train=settings, max_length=32
    )


def ranker(start: ModelFiles) -> TrainRanker:
    stage = retriever(start)
    fields: dict[str, Any] = {
        name: getattr(stage, name) for name in ("start", "lists", "corpus", "train", "max_length")
    }
    return TrainRanker(architecture="cross-encoder", loss=LossSpec.of("listmle"), **fields)


def bench_at(root: Path, at: int = 10**6, kind: type[CutBench] = CutBench) -> CutBench:
    root.mkdir(parents=True, exist_ok=True)
    bench = kind(root, cache=root.parent / "cache")
    bench.at = at
    return bench


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def every(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> None:
    monkeypatch.setattr(checkpoint_module, "SECONDS", seconds)
    monkeypatch.setattr(checkpoint_module, "_SHARE", 1e9)


def cut_and_resumed(stage: Stage, root: Path, at: int) -> tuple[dict[str, bytes], int]:
    """The artefact of a training cut behind step `at` and taken up in another bench, and the first step it then did."""
    with pytest.raises(Cut):
        bench_at(root / "first", at).path(stage)
    second = bench_at(root / "second")
    made = files(second.path(stage))
    return made, next(done for done, _, unit in second.told if unit == "steps")


MAKERS: dict[str, Callable[[ModelFiles, ModelFiles], Stage]] = {
    "static": lambda tiny, static: retriever(static, learning_rate=1e-2),
    "retriever-stopping": lambda tiny, static: retriever(tiny, stop=STOP),
    "ranker": lambda tiny, static: ranker(tiny),
}


@pytest.mark.models
@pytest.mark.parametrize("made", MAKERS)
def test_resumed_is_undisturbed_bit_by_bit(
    made: str, tiny: ModelFiles, static: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = MAKERS[made](tiny, static)
    undisturbed = bench_at(tmp_path / "undisturbed" / "only")
    wanted = files(undisturbed.path(stage))
    every(monkeypatch)
    resumed, first = cut_and_resumed(stage, tmp_path, at=7)
    assert first == 8
    assert "losses.json" in wanted and any(name.endswith(".safetensors") for name in wanted)
    assert resumed == wanted
    assert not list((tmp_path / "cache").rglob("*.*"))


def train_and_die(stage: Stage, root: Path) -> None:
    """In a process of its own."""
    torch.set_num_threads(1)
    checkpoint_module.SECONDS = 0.0
    checkpoint_module._SHARE = 1e9
    os.environ["HARNESS_PRECISION"] = "fp32"
    bench_at(root / "first", 5, DyingBench).path(stage)


@pytest.mark.models
def test_killed_and_resumed_is_undisturbed(static: ModelFiles, tmp_path: Path) -> None:
    stage = retriever(static)
    wanted = files(bench_at(tmp_path / "undisturbed" / "only").path(stage))
    process = multiprocessing.get_context("spawn").Process(target=train_and_die, args=(stage, tmp_path))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    second = bench_at(tmp_path / "second")
    assert files(second.path(stage)) == wanted
    assert next(done for done, _, unit in second.told if unit == "steps") == 6


@pytest.mark.models
@pytest.mark.parametrize("harm", ["cut short", "one bit", "another version", "other weights", "no safetensors"])
def test_a_bad_checkpoint_is_passed_over(
    harm: str, static: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = retriever(static, epochs=2)
    wanted = files(bench_at(tmp_path / "undisturbed" / "only").path(stage))
    every(monkeypatch)
    first = bench_at(tmp_path / "first", 4)
    with pytest.raises(Cut):
        first.path(stage)
    file = stage_checkpoint(stage, first.cache).file
    spoil(harm, file, monkeypatch)
    second = bench_at(tmp_path / "second")
    assert files(second.path(stage)) == wanted
    assert second.told[0] == (1, 6, "steps")


def spoil(harm: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(file.read_bytes())
    if harm == "cut short":
        file.write_bytes(content[:-100])
    elif harm == "one bit":
        content[-5] ^= 1
        file.write_bytes(content)
    elif harm == "another version":
        monkeypatch.setattr(checkpoint_module, "FORMAT", checkpoint_module.FORMAT + 1)
    elif harm == "other weights":
        Checkpoint(file).save(CheckpointData({"weights/other": torch.zeros(2)}, {}))
    else:
        file.write_text("{}", encoding="utf-8")


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "deep" / "one.safetensors")
    assert checkpoint.load() is None
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(3), "c": torch.zeros(0, dtype=torch.bfloat16)}
    checkpoint.save(CheckpointData(tensors, {"x": [1, float("inf"), 0.1]}))
    (tmp_path / "deep" / ".one.safetensors.new-1").write_bytes(b"half of the ne")
    found = Checkpoint(checkpoint.file).load()
    assert found is not None and found.values == {"x": [1, float("inf"), 0.1]}
    assert all(
        torch.equal(found.tensors[name], tensor) and found.tensors[name].dtype == tensor.dtype
        for name, tensor in tensors.items()
    )
    checkpoint.remove()
    assert checkpoint.load() is None and not list((tmp_path / "deep").iterdir())


def test_slow_disks_get_fewer_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 59.0, 60.0, 60.0, 70.0, 269.0, 270.0])
    monkeypatch.setattr("harness.training.checkpoint.time.monotonic", lambda: next(clock))
    checkpoint = Checkpoint(tmp_path / "one.safetensors")
    assert [checkpoint.is_due, checkpoint.is_due] == [False, True]
    checkpoint.save(CheckpointData({}, {}))
    assert [checkpoint.is_due, checkpoint.is_due] == [False, True], (
        "ten seconds of writing for at least two hundred of training"
    )


@pytest.mark.models
def test_how_often_is_no_part_of_a_key(static: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    before = replace(retriever(static)).key
    every(monkeypatch, 3.0)
    assert replace(retriever(static)).key == before


@pytest.mark.models
def test_a_loss_that_is_no_number_leaves_no_checkpoint(
    static: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every(monkeypatch)
    checkpoint, seen = Checkpoint(tmp_path / "one.safetensors"), []
    good = topic_lists(scores=True)
    lists = [*good, replace(good[0], scores=(float("nan"),) * 6)]

    def look(done: int, total: int, unit: str = "") -> None:
        seen.append(checkpoint.file.is_file())

    with deterministic(0), pytest.raises(UserError, match="the loss is nan"):
        given = {"checkpoint": checkpoint, "progress": look}
        topic_trainer(BiEncoder.load(static.path), "kl", lists, given, epochs=1, batch=1).fit()
    assert seen and all(seen)
    assert not checkpoint.file.exists()

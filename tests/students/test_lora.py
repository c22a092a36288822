"""Adapters: only they learn, they come out again before saving, and the folder loads as any other."""

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
from harness.progress import silent
from harness.students.cross_encoder import CrossRanker
from harness.students.lora import RATE, LoRA, add_adapters
from harness.students.retriever import BiEncoder
from harness.students.student import Student
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRanker, TrainRetriever
from harness.training.trainer import Trainer
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import Bench, GivenLists, TinyCorpus, topic_lists

pytestmark = pytest.mark.models
peft = pytest.importorskip("peft")


def learning(student: Student) -> dict[str, torch.nn.Parameter]:
    return {name: weight for name, weight in student.model.named_parameters() if weight.requires_grad}


def trained(student: Student, **settings: Any) -> Student:
    with deterministic(0):
        dataset = ListDataset.of(topic_lists(), TinyCorpus())
        loss = LossSpec.of("listmle").loss(student.temperature)
        Trainer(student, dataset, loss, TrainSettings(epochs=1, batch=6, **settings), max_length=32).fit()
    return student


def test_every_linear_layer_gets_an_adapter_of_the_rank(tiny: ModelFiles) -> None:
    student = BiEncoder.load(tiny.path)
    add_adapters(student, LoRA(rank=3))
    adapters = {name: weight for name, weight in learning(student).items() if "lora_" in name}
    assert len(adapters) == 2 * 2 * 6 and {min(weight.shape) for weight in adapters.values()} == {3}
    assert all("pooler" in name for name in learning(student).keys() - adapters.keys())
    assert student.learning_rate == RATE


def test_an_adapter_adds_alpha_over_rank_times_its_product(tiny: ModelFiles) -> None:
    """W' = W + alpha / r B A (Hu et al. 2021, section 4.1); nothing else of the layers moves."""
    student = BiEncoder.load(tiny.path)
    before = {name: weight.clone() for name, weight in student.model.state_dict().items()}
    merge = add_adapters(student, LoRA(rank=2, alpha=6, targets=("query",)))
    torch.manual_seed(1)
    products = {}
    for name, part in student.model.named_modules():
        if hasattr(part, "lora_A"):
            torch.nn.init.normal_(part.lora_B["default"].weight)
            products[f"{name}.weight"] = (
                3 * part.lora_B["default"].weight.detach() @ part.lora_A["default"].weight.detach()
            )
    merge()
    after = student.model.state_dict()
    assert after.keys() == before.keys() and len(products) == 2
    for name, weight in after.items():
        torch.testing.assert_close(weight, before[name] + products.get(name, 0))


@pytest.mark.parametrize("architecture", ["bi-encoder", "cross-encoder"])
def test_a_trained_folder_knows_nothing_of_adapters(
    architecture: Any, tiny: ModelFiles, corpus: TinyCorpus, bench: Bench
) -> None:
    from sentence_transformers import CrossEncoder, SentenceTransformer

    settings = TrainSettings(epochs=8, batch=4, learning_rate=5e-3, lora=LoRA())
    stage = TrainRanker(
        start=tiny,
        lists=GivenLists(lists=topic_lists()),
        corpus=corpus,
        architecture=architecture,
        loss=LossSpec.of("listmle"),
        train=settings,
        max_length=32,
    )
    folder = bench.path(stage)
    history = json.loads((folder / "losses.json").read_text())["loss"]
    assert np.mean(history[-4:]) < 0.95 * np.mean(history[:4])
    assert not list(folder.rglob("adapter*")) and "lora" not in "".join(weights_in(folder))
    load = CrossEncoder if architecture == "cross-encoder" else SentenceTransformer
    assert "lora" not in "".join(name for name, _ in load(str(folder)).named_parameters())


def weights_in(folder: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as file:
        return list(file.keys())


def test_the_embeddings_stay_and_the_merged_model_scores_as_the_adapted_one(tiny: ModelFiles, tmp_path: Path) -> None:
    student = BiEncoder.load(tiny.path)
    embeddings = student.model[0].auto_model.embeddings.word_embeddings.weight.clone()
    with deterministic(0):
        merge = add_adapters(student, LoRA())
        for part in student.model.modules():
            if hasattr(part, "lora_B"):
                torch.nn.init.normal_(part.lora_B["default"].weight, std=0.02)
    reader = student.bind(ListDataset.of(topic_lists(), TinyCorpus()), 32)
    adapted = reader.score_all(silent)
    merge()
    np.testing.assert_allclose(reader.score_all(silent), adapted, atol=1e-5)
    student.save(tmp_path)
    again = BiEncoder.load(tmp_path).bind(reader.dataset, 32).score_all(silent)
    np.testing.assert_allclose(again, adapted, atol=1e-5)
    assert torch.equal(student.model[0].auto_model.embeddings.word_embeddings.weight, embeddings)


def test_a_fresh_head_learns_beside_the_adapters(tiny: ModelFiles) -> None:
    with deterministic(0):
        student = CrossRanker.load(tiny.path)
    head = student.model[0].auto_model.classifier.weight.clone()
    trained(student, lora=LoRA())
    assert not torch.equal(student.model[0].auto_model.classifier.weight, head)


def test_frozen_layers_get_no_adapter(tiny: ModelFiles) -> None:
    student = BiEncoder.load(tiny.path)
    before = {name: weight.clone() for name, weight in student.model.state_dict().items()}
    trained(student, frozen_layers=1, lora=LoRA())
    moved = {name for name, weight in student.model.state_dict().items() if not torch.equal(weight, before[name])}
    assert moved and all("layer.1." in name for name in moved)


def test_adapters_drop_in_training_only(tiny: ModelFiles) -> None:
    student = BiEncoder.load(tiny.path)
    add_adapters(student, LoRA(dropout=0.9))
    for part in student.model.modules():
        if hasattr(part, "lora_B"):
            torch.nn.init.normal_(part.lora_B["default"].weight)
    reader = student.bind(ListDataset.of(topic_lists(), TinyCorpus()), 32)
    batch = reader.dataset.batch(np.arange(2), torch.device("cpu"))
    assert not torch.equal(reader(batch), reader(batch))
    with torch.no_grad():
        assert torch.equal(reader(batch), reader(batch))


def test_one_seed_one_model(tiny: ModelFiles) -> None:
    models = [trained(BiEncoder.load(tiny.path), lora=LoRA(dropout=0.1)).model.state_dict() for _ in range(2)]
    # The pooler is not in the checkpoint, so that each loading draws one.
    assert all(torch.equal(weight, models[1][name]) for name, weight in models[0].items() if "pooler" not in name)


def test_what_cannot_be_adapted_is_an_error(
    tiny: ModelFiles, static: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="no layer that learns") as caught:
        add_adapters(BiEncoder.load(tiny.path), LoRA(targets=("q_proj",)))
    assert "query" in str(caught.value.remedy)
    with pytest.raises(UserError, match="for transformers"):
        add_adapters(BiEncoder.load(static.path), LoRA())
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(UserError, match="needs peft"):
        add_adapters(BiEncoder.load(tiny.path), LoRA())


def test_a_retriever_s_key_knows_its_adapters(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    keys = {
        TrainRetriever(
            start=tiny,
            lists=GivenLists(lists=()),
            corpus=corpus,
            loss=LossSpec.of("kl"),
            train=TrainSettings(lora=lora),
        ).key
        for lora in (None, LoRA(), LoRA(rank=4), LoRA(rank=8))
    }
    assert len(keys) == 3

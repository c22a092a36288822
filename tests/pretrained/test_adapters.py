"""Adapter folders are merged and trained; their base counts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from sentence_transformers import CrossEncoder, SentenceTransformer
from transformers import BertForSequenceClassification, BertModel

from harness.errors import UserError
from harness.models import ModelFiles, folder_hash, resolve_model
from harness.retrieval.encode import encode, load_encoder
from harness.students.ranker import load_ranker, save_ranker
from harness.students.retriever import BiEncoder
from harness.training_lists.list_dataset import ListDataset
from tests.pretrained.conftest import bert_config, save, tokenizer
from tests.pretrained.test_loading import changed
from tests.students.conftest import TinyCorpus, read_losses, topic_lists, topic_trainer
from tests.training.test_train_stages import retriever_stage

pytestmark = pytest.mark.models
TEXTS = ["a swept wing", "heat"]


def lora(task: TaskType, **options: Any) -> LoraConfig:
    return LoraConfig(task_type=task, r=4, lora_alpha=64, target_modules=["query", "value"], **options)


def disturb(model: torch.nn.Module) -> None:
    """An adapter starts at nothing; this one adds something."""
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)


@pytest.fixture(scope="module")
def adapter(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What sentence-transformers saves of a model with an adapter."""
    model = SentenceTransformer(str(encoder), device="cpu")
    model.add_adapter(lora(TaskType.FEATURE_EXTRACTION))
    disturb(model)
    folder = tmp_path_factory.mktemp("adapter")
    model.save(str(folder), create_model_card=False)
    return folder


def test_an_adapter_scores_as_in_sentence_transformers_and_is_saved_whole(
    adapter: Path, encoder: Path, tmp_path: Path
) -> None:
    theirs = SentenceTransformer(str(adapter), device="cpu").encode(TEXTS)
    assert np.abs(theirs - SentenceTransformer(str(encoder), device="cpu").encode(TEXTS)).max() > 0.01
    np.testing.assert_allclose(encode(load_encoder(adapter, 32), TEXTS), theirs, atol=1e-5)
    student = BiEncoder.load(adapter)
    student.save(tmp_path / "whole")
    assert not list((tmp_path / "whole").rglob("adapter*"))
    np.testing.assert_allclose(SentenceTransformer(str(tmp_path / "whole")).encode(TEXTS), theirs, atol=1e-5)


def test_all_weights_of_an_adapted_model_learn(adapter: Path, corpus: TinyCorpus, bench: Any, tmp_path: Path) -> None:
    student = BiEncoder.load(adapter)
    assert all(weight.requires_grad for weight in student.model.parameters())
    out = bench.path(retriever_stage(resolve_model(str(adapter)), corpus))
    assert len(set(read_losses(out))) > 1
    before, after = student.model.state_dict(), BiEncoder.load(out).model.state_dict()
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert "0.model.encoder.layer.0.attention.self.key.weight" in moved


def test_the_base_is_part_of_the_identity(adapter: Path, encoder: Path, tmp_path: Path) -> None:
    other_base, other = tmp_path / "base", tmp_path / "other"
    shutil.copytree(encoder, other_base)
    shutil.copytree(adapter, other)
    config = json.loads((other / "adapter_config.json").read_text())
    (other / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": str(other_base)}))
    (other_base / "added.json").write_text("{}")
    on_other_base = resolve_model(str(other)).identity
    assert folder_hash(other) not in (on_other_base, resolve_model(str(adapter)).identity)
    (other_base / "added.json").unlink()
    folder_hash.cache_clear()
    assert resolve_model(str(other)).identity != on_other_base
    shutil.rmtree(other_base)
    with pytest.raises(UserError, match="is an adapter, and its base") as caught:
        resolve_model(str(other))
    assert "base_model_name_or_path" in str(caught.value)


def test_a_base_that_lacks_weights_is_refused(adapter: Path, encoder: Path, tmp_path: Path) -> None:
    base, folder = tmp_path / "base", tmp_path / "adapter"
    changed(encoder, base, lambda held: {f"student.{name}": one for name, one in held.items()})
    shutil.copytree(adapter, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": str(base)}))
    with pytest.raises(UserError, match="lack 37 weights of BertModel"):
        BiEncoder.load(folder)


def test_a_plain_folder_of_peft_is_an_encoder_too(tmp_path: Path) -> None:
    base = save(BertModel(bert_config()), tmp_path / "base")
    model = get_peft_model(BertModel.from_pretrained(base), lora(TaskType.FEATURE_EXTRACTION))
    disturb(model)
    save(model, tmp_path / "adapter")
    merged = model.merge_and_unload()
    save(merged, tmp_path / "merged")
    ours, theirs = (encode(load_encoder(tmp_path / name, 32), TEXTS) for name in ("adapter", "merged"))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_an_encoder_s_adapter_gets_a_fresh_head_and_a_classifier_s_adapter_brings_its_own(
    adapter: Path, corpus: TinyCorpus, tmp_path: Path
) -> None:
    load_ranker(adapter, "cross-encoder")
    base = save(BertForSequenceClassification(bert_config(num_labels=1)), tmp_path / "base")
    theirs = CrossEncoder(str(base), device="cpu")
    theirs.add_adapter(lora(TaskType.SEQ_CLS, modules_to_save=["classifier"]))
    disturb(theirs)
    theirs.save(str(tmp_path / "adapter"), create_model_card=False)
    one = topic_lists()[0]
    expected = theirs.predict(
        [(one.text, text) for text in corpus.texts(one.documents)], activation_fn=torch.nn.Identity()
    )
    ours = load_ranker(tmp_path / "adapter")
    found = ours.bind(ListDataset.of([one], corpus), 64).score_all(lambda *_: None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("brings_head", [True, False], ids=["with a head of its own", "with the base's head"])
@pytest.mark.parametrize("labels", [1, 2])
def test_an_adapter_on_a_classifier_has_the_outputs_of_its_head(
    labels: int, brings_head: bool, corpus: TinyCorpus, tmp_path: Path
) -> None:
    names: dict[str, Any] = {"id2label": {0: "relevant", 1: "not relevant"}} if labels == 2 else {"num_labels": 1}
    base = save(BertForSequenceClassification(bert_config(**names)), tmp_path / "base")
    options = {"modules_to_save": ["classifier"]} if brings_head else {}
    # Of the task SEQ_CLS peft would bring the head along by itself.
    config = lora(TaskType.SEQ_CLS if brings_head else TaskType.FEATURE_EXTRACTION, **options)
    model = get_peft_model(BertForSequenceClassification.from_pretrained(base), config).eval()
    disturb(model)
    folder = save(model, tmp_path / "adapter")
    saved = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(saved | {"task_type": "SEQ_CLS"}))
    one = topic_lists()[0]
    pairs = [(one.text, text) for text in corpus.texts(one.documents)]
    with torch.inference_mode():
        logits = model(**tokenizer()(pairs, padding=True, return_tensors="pt")).logits
    expected = logits[:, 0] - logits[:, 1] if labels == 2 else logits[:, 0]
    ranker = load_ranker(folder)
    found = ranker.bind(ListDataset.of([one], corpus), 64).score_all(lambda *_: None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    save_ranker(ranker, tmp_path / "whole", "cross-encoder")
    again = load_ranker(tmp_path / "whole").bind(ListDataset.of([one], corpus), 64).score_all(lambda *_: None)[0]
    np.testing.assert_allclose(again, expected, atol=1e-5)


def test_a_training_without_weights_that_learn_is_refused(encoder: Path) -> None:
    student = BiEncoder.load(encoder)
    student.model.requires_grad_(False)
    student.model[0].model.pooler.requires_grad_(True)
    with pytest.raises(UserError, match="nothing would be trained"):
        topic_trainer(student).fit()
    for one in ("bi-encoder", "projection", "cross-encoder"):
        assert len(topic_trainer(load_ranker(encoder, one), epochs=1).fit().loss) == 1  # type: ignore[arg-type]


def test_all_layers_frozen_is_refused_where_there_is_no_head(encoder: Path) -> None:
    with pytest.raises(UserError, match="all 2 layers of a student without a head") as caught:
        topic_trainer(BiEncoder.load(encoder), frozen_layers=2)
    assert "freeze 1 at most" in str(caught.value)
    topic_trainer(load_ranker(encoder, "cross-encoder"), frozen_layers=2, epochs=1).fit()


def test_an_adapter_without_peft_names_the_extra(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.pretrained.adapters.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"distil-harness\[lora\]"):
        BiEncoder.load(adapter)


def test_identities_of_whole_models_stay(encoder: Path) -> None:
    assert ModelFiles("one", encoder).identity == folder_hash(encoder)

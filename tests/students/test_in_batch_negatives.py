"""Documents of other lists as negatives: scores, gradients in bounded memory, and training beside a ranker's scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from harness.device import deterministic
from harness.errors import UserError
from harness.models import ModelFiles
from harness.students.cross_encoder import CrossRanker
from harness.students.gradient_cache import recompute_activations
from harness.students.retriever import BiEncoder
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TinyCorpus, topic_lists, topic_trainer

CPU = torch.device("cpu")
BOTH: dict[str, Any] = {
    "name": "sum",
    "of": ["kl", {"name": "infonce", "weight": 0.5, "in_batch": True, "positive": "top"}],
}


def test_recomputing_gives_the_same_gradients_and_the_same_dropout() -> None:
    weight = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    given = torch.randn(5, 4, dtype=torch.float64)

    def forward(features: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.dropout(features["x"] @ weight, 0.5).square()

    gradients = []
    for run in (forward, recompute_activations(forward)):
        torch.manual_seed(0)
        gradients.append(torch.autograd.grad(run({"x": given}).sum(), weight)[0])
    assert torch.equal(*gradients)


def weights_after(folder: ModelFiles, monkeypatch: pytest.MonkeyPatch, micro: int, **settings: Any) -> torch.Tensor:
    monkeypatch.setattr("harness.students.retriever.MICRO_TOKENS", micro)
    monkeypatch.setattr("harness.students.tokenised.TransformerTokens.pass_tokens", 64)
    with deterministic(0):
        student = BiEncoder.load(folder.path)
        topic_trainer(student, BOTH, topic_lists(scores=True), epochs=1, batch=6, **settings).fit()
    return torch.cat([weight.detach().flatten() for weight in student.model.parameters()])


@pytest.mark.models
@pytest.mark.parametrize("dropout", [False, True])
def test_a_batch_too_large_for_memory_has_the_gradients_of_one_that_fits(
    dropout: bool, tiny: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = weights_after(tiny, monkeypatch, 1, dropout=dropout)
    assert torch.equal(cached, weights_after(tiny, monkeypatch, 100_000, dropout=dropout))


def kept_bytes(reader: Any, batch: Any) -> int:
    """What the forward pass leaves in memory for the backward one."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    weights = {weight.untyped_storage().data_ptr() for weight in reader.student.model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        reader(batch)
    return sum(size for place, size in kept.items() if place not in weights)


@pytest.mark.models
def test_a_batch_too_large_for_memory_keeps_embeddings_only(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    table = ListDataset.of(topic_lists(), corpus)
    student = BiEncoder.load(tiny.path)
    reader = student.bind(table, 32)
    batch = table.batch(np.arange(6), CPU, in_batch=True)
    whole = kept_bytes(reader, batch)
    reader.micro_tokens = 1
    assert kept_bytes(reader, batch) < whole / 20


@pytest.mark.models
def test_the_others_are_scored_as_the_own_documents_are(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    table = ListDataset.of(topic_lists(), corpus)
    reader = BiEncoder.load(tiny.path, scale=2.0).bind(table, 32)
    own = reader(table.batch(np.array([4, 1]), CPU)).detach()
    batch = table.batch(np.array([4, 1]), CPU, in_batch=True)
    scores = reader(batch).detach()
    torch.testing.assert_close(scores[:, :6], own)
    for row in range(2):
        places = 6 + np.searchsorted(batch.in_batch_documents, batch.documents[row])
        torch.testing.assert_close(scores[row, places], own[row])
    assert batch.target.in_batch_negatives is not None and batch.target.in_batch_negatives.shape == scores[:, 6:].shape


@pytest.mark.models
def test_kl_with_in_batch_negatives_learns(static: ModelFiles) -> None:
    with deterministic(0):
        student = BiEncoder.load(static.path)
        history = topic_trainer(student, BOTH, topic_lists(scores=True), epochs=12, batch=3).fit()
    assert np.mean(history.loss[-4:]) < 0.8 * np.mean(history.loss[:4])


@pytest.mark.models
def test_a_cross_encoder_reads_no_other_lists(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    table = ListDataset.of(topic_lists(), corpus)
    reader = CrossRanker.load(tiny.path).bind(table, 32)
    with pytest.raises(UserError, match="pairs of its lists only"):
        reader(table.batch(np.array([0, 1]), CPU, in_batch=True))

"""Labelled lists for the listwise losses of sentence-transformers' cross-encoders."""

from __future__ import annotations

from typing import Any

from harness.labelling.exchange.training_file import TrainingFile, TrainingRow, whole_text


class SentenceTransformersFile(TrainingFile):
    """The columns stand in the order in which the losses take them, the labels last."""

    name = "sentence-transformers"
    summary = "query, docs, labels: lists for ListNet, RankNet, LambdaLoss, ListMLE"
    source = "https://github.com/huggingface/sentence-transformers"

    def row(self, label: TrainingRow, positives: int) -> dict[str, Any]:
        texts = [whole_text(document) for document in label.documents]
        return {"query": label.query, "docs": texts, "labels": list(label.scores)}

"""FlagEmbedding's training data."""

from __future__ import annotations

from typing import Any

from harness.labelling.exchange.training_file import TrainingFile, TrainingRow, whole_text


class FlagEmbeddingFile(TrainingFile):
    """With `--knowledge_distillation True` the scores are what it learns from; without, they are passed over."""

    name = "flagembedding"
    summary = "query, pos, neg, pos_scores, neg_scores"
    source = "https://github.com/FlagOpen/FlagEmbedding"

    def row(self, label: TrainingRow, positives: int) -> dict[str, Any]:
        texts = [whole_text(document) for document in label.documents]
        return {
            "query": label.query,
            "pos": texts[:positives],
            "neg": texts[positives:],
            "pos_scores": list(label.scores[:positives]),
            "neg_scores": list(label.scores[positives:]),
        }

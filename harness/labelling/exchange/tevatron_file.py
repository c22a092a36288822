"""Tevatron's training data, with the score that its distillation asks of every passage."""

from __future__ import annotations

from typing import Any

from harness.labelling.exchange.training_file import TrainingFile, TrainingRow


class TevatronFile(TrainingFile):
    """Passages within the rows, so that no corpus is needed beside them."""

    name = "tevatron"
    summary = "query, positive_passages and negative_passages, each with docid, title, text, score"
    source = "https://github.com/texttron/tevatron"

    def row(self, label: TrainingRow, positives: int) -> dict[str, Any]:
        passages = [
            {"docid": document.id, "title": document.title, "text": document.text, "score": score}
            for document, score in zip(label.documents, label.scores, strict=True)
        ]
        return {
            "query_id": label.query_id,
            "query": label.query,
            "positive_passages": passages[:positives],
            "negative_passages": passages[positives:],
        }

"""The warm-up of a ranker: titles against bodies, and no document shows its title."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.models import ModelFiles
from harness.students.cross_encoder import CrossRanker
from harness.students.ranker import load_ranker
from harness.training.ranker_warmup import Bodies, WarmUpRanker, drop_empty_documents
from harness.training.train_settings import TrainSettings
from harness.training_lists.training_list import TrainingList, read_lists
from tests.students.conftest import TOPICS, Bench, GivenLists, TinyCorpus, read_losses, topic_lists


@pytest.mark.models
def test_warm_up_learns_from_titles_and_never_shows_one(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    lists = tuple(
        TrainingList(one.query, one.text, (one.documents[0], *one.documents[2:]), 1, None, one.documents[:1])
        for one in topic_lists()
    )
    stage = WarmUpRanker(
        start=tiny,
        lists=GivenLists(lists=lists),
        corpus=corpus,
        architecture="cross-encoder",
        train=TrainSettings(epochs=12, batch=4, learning_rate=1e-3),
        max_length=32,
    )
    folder = bench.path(stage)
    assert np.mean(read_losses(folder)[-4:]) < 0.8 * np.mean(read_losses(folder)[:4])
    assert len(read_lists(folder)) == 6
    assert isinstance(load_ranker(folder), CrossRanker)
    assert all(
        title not in text
        for title, text in zip(TOPICS, Bodies(corpus).texts([f"d{2 * n}" for n in range(6)]), strict=True)
    )


class Hollow(TinyCorpus):
    """Documents 0 and 3 are nothing but a title."""

    def documents(self, rows: np.ndarray | None = None) -> Any:
        for document in super().documents(rows):
            yield document._replace(text=" ") if document.id in ("d0", "d3") else document


def test_warm_up_drops_documents_without_a_body() -> None:
    lists = [
        TrainingList("a", "t", ("d0", "d1"), 1, None, ("d0",)),
        TrainingList("b", "t", ("d2", "d3", "d4"), 1, None, ("d2",)),
        TrainingList("c", "t", ("d2", "d3"), 1, None, ("d2",)),
    ]
    built = drop_empty_documents(lists, Bodies(Hollow()))
    assert [one.documents for one in built.lists] == [("d2", "d4")]
    assert built.dropped == {"left without a body": 2}

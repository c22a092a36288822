"""The real collections, where they are present."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.collections.pool import training_pool
from harness.collections.qrels import read_qrels
from harness.collections.sample import draw_queries
from tests.collections.folders import Load

pytestmark = pytest.mark.shared


def test_scifact(shared_data: Path, load: Load) -> None:
    collection = load(shared_data / "scifact")
    assert len(collection.corpus) == 5183
    assert {split: len(collection.queries(split)) for split in collection.splits} == {
        "train": 727,
        "dev": 80,
        "test": 300,
    }
    assert collection.judgments("test").qrels == read_qrels(shared_data / "scifact" / "qrels" / "test.tsv")
    assert "2 queries of 'train' that are in 'test' too" in str(collection.report), (
        "1291 and 871 repeat test claims word for word"
    )
    rows = list(training_pool(collection, ("train", "titles", "sentences")).rows())
    assert len(draw_queries(rows, 0, 10_000)) == 10_000


def test_trec_dl_keeps_judgments_outside_the_pool(shared_data: Path, load: Load) -> None:
    collection = load(shared_data / "trec-dl")
    assert len(collection.corpus) == 27_274
    assert [len(collection.queries(split)) for split in ("dl19", "dl20")] == [43, 54]
    assert [sum(map(len, collection.judgments(split).qrels.values())) for split in ("dl19", "dl20")] == [9260, 11_386]
    assert "5,272 judgments in 'dl19' of documents that the collection does not have (kept)" in str(collection.report)


def test_openqa_has_answers_and_large_budgets(shared_data: Path, load: Load) -> None:
    collection = load(shared_data / "openqa")
    assert len(collection.corpus) == 4667
    assert len(collection.queries("test")) == 2500
    assert len(collection.answers("test")) == 2500
    rows = list(training_pool(collection, ("train", "sentences")).rows())
    drawn = draw_queries(rows, 0, 10_000)
    assert len(drawn) == 10_000
    assert sum(row.source == "train" for row in drawn) == 9980, (
        "20 training questions are test or dev questions word for word"
    )


def test_vaswani_has_neither_titles_nor_train(shared_data: Path, load: Load) -> None:
    collection = load(shared_data / "vaswani")
    assert collection.splits == ("test",)
    assert len(list(training_pool(collection, ("train", "titles", "sentences")).rows())) == 10_000

"""Lists into padded batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.training.train_stages import check_needs
from harness.training_lists.list_dataset import ListDataset, micro_batches
from harness.training_lists.training_list import TrainingList
from tests.students.conftest import TinyCorpus

CPU = torch.device("cpu")
LISTS = [
    TrainingList("q0", "one", ("d3", "d1", "d5"), 2, (3.0, 2.0, 1.0), ("d1",)),
    TrainingList("q1", "two", ("d1",), 1, (0.5,)),
    TrainingList("q2", "one", ("d0", "d3"), 0, (1.0, 1.5)),
]


def test_table_holds_each_text_once(corpus: TinyCorpus) -> None:
    table = ListDataset.of(LISTS, corpus)
    assert table.queries == ["one", "two"] and table.query_rows.tolist() == [0, 1, 0]
    assert len(table.documents) == 4
    assert [table.documents[row] for row in table.document_rows[2]] == corpus.texts(["d0", "d3"])


def test_batch_pads_in_the_given_order(corpus: TinyCorpus) -> None:
    table = ListDataset.of(LISTS, corpus)
    batch = table.batch(np.array([2, 0, 1]), CPU)
    assert batch.target.mask.tolist() == [[True, True, False], [True, True, True], [True, False, False]]
    assert batch.target.ordered.tolist() == [0, 2, 1]
    assert batch.target.scores is not None and batch.target.scores.tolist() == [
        [1.0, 1.5, 0.0],
        [3.0, 2.0, 1.0],
        [0.5, 0.0, 0.0],
    ]
    assert batch.target.positives is not None and batch.target.positives.tolist() == [
        [False] * 3,
        [False, True, False],
        [False] * 3,
    ]
    assert [table.documents[row] for row in batch.documents[1]] == corpus.texts(["d3", "d1", "d5"])


def test_in_batch_shows_every_list_the_documents_of_the_others(corpus: TinyCorpus) -> None:
    """Behind the own documents and their scores, which stay as they are."""
    lists = [
        TrainingList("q0", "one", ("d3", "d1"), 2, (3.0, 2.0), ("d1", "d5")),
        TrainingList("q1", "two", ("d5", "d4", "d0"), 1, (0.5, 0.4, 0.3)),
        TrainingList("q2", "three", ("d7",), 0, (1.0,)),
        TrainingList("q3", "two", ("d8", "d7"), 0, (1.0, 0.0)),
    ]
    table = ListDataset.of(lists, corpus)
    alone, batch = table.batch(np.array([0, 1, 3]), CPU), table.batch(np.array([0, 1, 3]), CPU, in_batch=True)
    assert batch.target.scores is not None and alone.target.scores is not None
    assert (
        batch.target.scores.tolist() == alone.target.scores.tolist()
        and batch.target.mask.tolist() == alone.target.mask.tolist()
    )
    assert alone.target.in_batch_negatives is None and len(alone.in_batch_documents) == 0
    assert [table.documents[row] for row in batch.in_batch_documents] == corpus.texts(
        ["d3", "d1", "d5", "d4", "d0", "d7", "d8"]
    )
    assert batch.target.in_batch_negatives is not None
    negatives = [
        {table.documents[row] for row in batch.in_batch_documents[seen]}
        for seen in batch.target.in_batch_negatives.numpy()
    ]
    # d5 is gold for the first query though not in its list; the last two lists have one query.
    assert negatives == [set(corpus.texts(ids)) for ids in (["d4", "d0", "d7", "d8"], ["d3", "d1"], ["d3", "d1"])]


def test_a_loss_is_refused_what_the_lists_do_not_carry(corpus: TinyCorpus) -> None:
    table = ListDataset.of(
        [TrainingList("q", "one", ("d0", "d1"), 1), TrainingList("r", "two", ("d0", "d1"), 0)], corpus
    )
    assert table.provides == ("order",) and ListDataset.of(LISTS, corpus).provides == ("order", "scores", "gold labels")
    check_needs(LossSpec.of({"name": "infonce", "positive": "top"}), table)
    with pytest.raises(UserError, match=r"'kl \+ infonce' needs scores and gold labels"):
        check_needs(LossSpec.of({"name": "sum", "of": ["kl", "infonce"]}), table)


def test_lists_without_gold_beside_lists_with_some(corpus: TinyCorpus) -> None:
    table = ListDataset.of(LISTS, corpus)
    first = table.batch(np.array([1]), CPU).target.positives
    assert first is not None and first.tolist() == [[False]]
    none = [TrainingList("q", "one", ("d0",), 1)]
    assert ListDataset.of(none, corpus).batch(np.array([0]), CPU).target.positives is None


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 100))
def test_micro_batches_keep_order_and_budget(tokens: list[int], most: int) -> None:
    numbers = np.arange(len(tokens))[::-1]
    parts = micro_batches(numbers, np.array(tokens), most)
    assert np.concatenate(parts).tolist() == numbers.tolist()
    assert all(len(part) == 1 or sum(tokens[number] for number in part) <= most for part in parts)
    assert len(micro_batches(numbers, np.array(tokens), None)) == 1

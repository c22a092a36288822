"""Lists into padded batches, and texts into passes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.students.tokenised import StaticTokens, TransformerTokens, passes, run_sorted
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
    assert batch.target.scores is not None and batch.target.scores.tolist() == [[1.0, 1.5, 0.0], [3.0, 2.0, 1.0], [0.5, 0.0, 0.0]]
    assert batch.target.positives is not None and batch.target.positives.tolist() == [[False] * 3, [False, True, False], [False] * 3]
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
    assert batch.target.scores.tolist() == alone.target.scores.tolist() and batch.target.mask.tolist() == alone.target.mask.tolist()
    assert alone.target.in_batch_negatives is None and len(alone.pool) == 0
    assert [table.documents[row] for row in batch.pool] == corpus.texts(["d3", "d1", "d5", "d4", "d0", "d7", "d8"])
    assert batch.target.in_batch_negatives is not None
    negatives = [{table.documents[row] for row in batch.pool[seen]} for seen in batch.target.in_batch_negatives.numpy()]
    # d5 is gold for the first query though not in its list; the last two lists have one query.
    assert negatives == [set(corpus.texts(ids)) for ids in (["d4", "d0", "d7", "d8"], ["d3", "d1"], ["d3", "d1"])]


def test_a_loss_is_refused_what_the_lists_do_not_carry(corpus: TinyCorpus) -> None:
    table = ListDataset.of([TrainingList("q", "one", ("d0", "d1"), 1), TrainingList("r", "two", ("d0", "d1"), 0)], corpus)
    assert table.carries == ("order",) and ListDataset.of(LISTS, corpus).carries == ("order", "scores", "gold labels")
    check_needs(LossSpec.of({"name": "infonce", "positive": "top"}), table)
    with pytest.raises(UserError, match=r"'kl \+ infonce' needs scores and gold labels"):
        check_needs(LossSpec.of({"name": "sum", "of": ["kl", "infonce"]}), table)


def test_lists_without_gold_beside_lists_with_some(corpus: TinyCorpus) -> None:
    table = ListDataset.of(LISTS, corpus)
    first = table.batch(np.array([1]), CPU).target.positives
    assert first is not None and first.tolist() == [[False]]
    none = [TrainingList("q", "one", ("d0",), 1)]
    assert ListDataset.of(none, corpus).batch(np.array([0]), CPU).target.positives is None


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 100))
def test_passes_cover_everything_once_within_the_budget(lengths: list[int], budget: int) -> None:
    parts = list(passes(np.array(lengths), budget))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(lengths)))
    assert all(len(part) == 1 or len(part) * max(lengths[row] for row in part) <= budget for part in parts)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 100))
def test_micro_batches_keep_order_and_budget(tokens: list[int], most: int) -> None:
    numbers = np.arange(len(tokens))[::-1]
    parts = micro_batches(numbers, np.array(tokens), most)
    assert np.concatenate(parts).tolist() == numbers.tolist()
    assert all(len(part) == 1 or sum(tokens[number] for number in part) <= most for part in parts)
    assert len(micro_batches(numbers, np.array(tokens), None)) == 1


class Tokenizer:
    """Letters as tokens."""

    pad_token_id = 9
    padding_side = "right"

    def __call__(self, texts: list[str], truncation: bool, max_length: int, return_attention_mask: bool) -> dict[str, list[list[int]]]:
        return {
            "input_ids": [[ord(letter) for letter in text[:max_length]] for text in texts],
            "token_type_ids": [[1] * len(text[:max_length]) for text in texts],
        }


@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_goes_to_the_tokenizers_side(side: str) -> None:
    tokenizer = Tokenizer()
    tokenizer.padding_side = side
    features = TransformerTokens.of(tokenizer, ["abcde", "x", "yz"], 3).features(np.array([1, 0]), CPU)
    short, mask = ([120, 9, 9], [1, 0, 0]) if side == "right" else ([9, 9, 120], [0, 0, 1])
    assert features["input_ids"].tolist() == [short, [97, 98, 99]]
    assert features["attention_mask"].tolist() == [mask, [1, 1, 1]]
    assert features["token_type_ids"].tolist() == [mask, [1, 1, 1]]


def test_static_texts_lie_end_to_end_even_when_empty() -> None:
    tokens = StaticTokens([np.array([1, 2]), np.array([], dtype=np.int64), np.array([3])], np.array([2, 0, 1]))
    features = tokens.features(np.array([2, 1, 0]), CPU)
    assert features["input_ids"].tolist() == [3, 1, 2] and features["offsets"].tolist() == [0, 1, 1]


def test_outputs_come_back_in_the_order_asked_for() -> None:
    tokens = TransformerTokens.of(Tokenizer(), ["aaaa", "b", "ccc", "dd"], 10)
    rows = np.array([3, 0, 2, 1, 0])
    first = run_sorted(lambda features: features["input_ids"][:, 0], tokens, rows, CPU)
    assert first.tolist() == [100.0, 97.0, 99.0, 98.0, 97.0]

"""Equal texts under different ids are no negatives of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.training_lists.copies import CopiesLeftOut, without_copies
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.topic_aware import add_cluster_documents
from harness.training_lists.training_list import TrainingList

TEXTS = {"g": "a wing", "copy": "a wing", "x": "heat", "x2": "heat", "y": "a plate"}


class Source:
    """A corpus that raises on an unknown id, as corpora do."""

    def texts(self, ids: Sequence[str]) -> list[str]:
        return [TEXTS[one] for one in ids]


def in_batch(lists: Sequence[TrainingList], drop_identical: bool | None = None) -> list[set[str]]:
    """The texts that each list sees as negatives of a batch with all lists."""
    source, plain = Source(), drop_identical is None
    table = ListDataset.of(lists, source) if plain else ListDataset.for_training(lists, source, bool(drop_identical))
    batch = table.batch(np.arange(len(lists)), torch.device("cpu"), in_batch=True)
    assert batch.target.in_batch_negatives is not None
    return [
        {table.documents[row] for row in batch.in_batch_documents[seen]}
        for seen in batch.target.in_batch_negatives.numpy()
    ]


@pytest.mark.parametrize(
    ("own", "positives"),
    [(("g", "x"), ("g",)), (("x",), ("g", "gone")), (("x",), ("gone", "g", "lost")), (("copy", "x2"), ())],
    ids=["in the list", "gold of no list", "gold that the corpus lacks", "no gold, the other copy in the list"],
)
def test_a_copy_in_another_list_is_no_negative(own: tuple[str, ...], positives: tuple[str, ...]) -> None:
    first = TrainingList("q0", "wing", own, 1, positives=positives)
    other = TrainingList("q1", "plates", ("y", "copy", "x2"), 1, positives=("y",))
    assert in_batch([first, other])[0] == {"a plate"}


def test_a_list_ranks_no_text_against_its_copy() -> None:
    one = TrainingList("q", "wing", ("g", "x", "copy", "y", "x2"), 3, (5.0, 4.0, 3.0, 2.0, 1.0), ("g",))
    right = TrainingList("q", "wing", ("g", "x", "y"), 2, (5.0, 4.0, 2.0), ("g",))
    assert without_copies([one], Source()) == ([right], CopiesLeftOut(documents=2))


def test_a_copy_of_a_gold_document_that_is_not_listed_is_no_negative() -> None:
    one = TrainingList("q", "wing", ("y", "copy", "x"), 1, positives=("y", "g"))
    assert without_copies([one], Source())[0][0].documents == ("y", "x")


def test_lists_that_hold_nothing_but_copies_go() -> None:
    copies, other = TrainingList("q", "wing", ("g", "copy"), 1), TrainingList("r", "heat", ("x", "y"), 1)
    assert without_copies([copies, other], Source()) == ([other], CopiesLeftOut(documents=2, lists=1))
    with pytest.raises(UserError, match="two documents of different texts"):
        without_copies([copies], Source())


def test_scoring_keeps_every_document() -> None:
    table = ListDataset.of([TrainingList("q", "wing", ("g", "copy", "x"), 0)], Source())
    assert [table.documents[row] for row in table.document_rows[0]] == ["a wing", "a wing", "heat"]
    assert table.document_ids == ["g", "x"]


@given(st.lists(st.lists(st.sampled_from(sorted(TEXTS)), min_size=1, max_size=5, unique=True), min_size=1, max_size=4))
def test_no_text_is_its_own_negative(documents: list[list[str]]) -> None:
    lists = [TrainingList(f"q{n}", f"text {n}", tuple(ids), len(ids)) for n, ids in enumerate(documents)]
    for one, negatives in zip(lists, in_batch(lists), strict=True):
        assert not negatives & {TEXTS[document] for document in one.documents}


def test_a_querys_own_document_is_no_negative_of_it_in_batch() -> None:
    lists = [TrainingList("g", "a wing", ("x",), 1), TrainingList("x", "heat", ("g", "y"), 1)]
    for drop, right in ((False, [{"a wing", "a plate"}, {"heat"}]), (True, [{"a plate"}, set[str]()])):
        assert in_batch(lists, drop) == right


def test_topic_neighbours_never_bring_a_query_its_own_document() -> None:
    lists = [TrainingList("g", "a wing", ("x", "y"), 1), TrainingList("q", "wings", ("g", "x2"), 1)]
    for drop, right in ((False, ("x", "y", "g", "x2")), (True, ("x", "y", "x2"))):
        assert add_cluster_documents(lists, [0, 0], 1, 0, drop)[0].documents == right

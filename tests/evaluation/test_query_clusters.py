"""Which queries are not independent, by their metadata and by shared documents: graphs of scipy, and counts by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.collections.folder import FolderSettings, FolderSource
from harness.collections.prepared import PreparedCollection, prepare
from harness.errors import UserError
from harness.evaluation.query_clusters import query_clusters, seen_in_training, sharing_documents
from tests.collections.folders import QUERIES, write_folder

GRADES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-1, 2), min_size=1, max_size=4)


@given(st.dictionaries(st.integers(0, 20).map(lambda number: f"q{number}"), GRADES, max_size=12))
def test_queries_that_share_relevant_documents_are_the_components_of_their_graph(qrels: dict) -> None:
    found = sharing_documents(qrels)
    relevant = {query: {doc for doc, grade in grades.items() if grade > 0} for query, grades in qrels.items()}
    judged = [query for query in qrels if relevant[query]]
    assert list(found) == judged, "a query without a relevant document stands for itself"
    links = [(a, b) for a, one in enumerate(judged) for b, two in enumerate(judged) if relevant[one] & relevant[two]]
    if judged:
        rows, columns = np.array(links).T
        _, labels = connected_components(coo_array((np.ones(len(links)), (rows, columns)), shape=(len(judged),) * 2))
        for a, one in enumerate(judged):
            for b, two in enumerate(judged):
                assert (found[one] == found[two]) == (labels[a] == labels[b])


def with_fields(*fields: dict) -> list[dict]:
    return [{**query, "metadata": field} for query, field in zip(QUERIES, fields, strict=True)]


def loaded(folder: Path, **content: Any) -> PreparedCollection:
    return prepare(FolderSource(FolderSettings(folder=str(write_folder(folder, **content)))), folder.parent / "home")


TESTS = {"test": [("q1", "d1", 1), ("q2", "d2", 1), ("q3", "d1", 1)]}


def test_clusters_are_a_field_of_the_metadata_or_shared_passages(tmp_path: Path) -> None:
    queries = with_fields({"cluster": "one", "year": 1973}, {"cluster": 2, "year": 1973}, {"other": 1.5})
    found = loaded(tmp_path / "own", queries=queries, qrels=TESTS)
    default = query_clusters(found, "test")
    assert default is not None
    assert (default.by, default.names) == ("cluster", {"q1": "one", "q2": "2"})
    assert query_clusters(found, "test", "year").names == {"q1": "1973", "q2": "1973"}
    assert query_clusters(found, "test", "passage").names == {"q1": "d1", "q2": "d2", "q3": "d1"}
    with pytest.raises(UserError, match=r"(?s)no query of 'own' \(test\) has the field 'yaer'.*year"):
        query_clusters(found, "test", "yaer")
    plain = loaded(tmp_path / "plain", qrels=TESTS)
    assert query_clusters(plain, "test") is None
    assert plain.content_hash == found.content_hash, "where queries are from is no part of what they are"
    assert plain.split_hash("test") == found.split_hash("test")


def test_test_passages_seen_in_training_are_those_that_teach(tmp_path: Path) -> None:
    qrels = {"train": [("q1", "d1", 1), ("q1", "d2", 0)], "test": [("q2", "d2", 1), ("q3", "d1", 2)]}
    assert seen_in_training(loaded(tmp_path / "some", qrels=qrels), "test") == 0.5
    assert seen_in_training(loaded(tmp_path / "none", qrels=TESTS), "test") is None

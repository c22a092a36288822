"""Stage 2 reads the candidates, and beside them what the student finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.pipeline.graph import closure
from harness.retrieval.run import Run
from harness.students.projection_scores import ProjectionScores
from harness.training.train_stages import TrainRetriever
from harness.training_lists.training_list import read_lists
from tests.baselines.small import DEPTH, Swept, swept, write_collection

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory, lm: Path) -> Swept:
    """Ours with and without documents of the student's, and the control beside it."""
    methods = [
        {"method": "intermediate", "student_candidates": DEPTH, "epochs": 1},
        {"method": "intermediate", "label": "plain", "student_candidates": 0, "epochs": 1},
        {"method": "no-llm", "distil_queries": 8, "student_candidates": DEPTH, "epochs": 1},
    ]
    home = tmp_path_factory.mktemp("stage-two")
    write_collection(home / "data")
    return swept(home, lm, methods)


def lists_of(pipelines: Swept, label: str) -> ProjectionScores:
    """What stage 2 of a cell learnt from."""
    (found,) = [stage for stage in closure([pipelines.cell(label).run]).values() if isinstance(stage, TrainRetriever)]
    assert isinstance(found.lists, ProjectionScores)
    return found.lists


def test_lists_hold_all_candidates_and_documents_of_the_student(pipelines: Swept) -> None:
    plain, longer = lists_of(pipelines, "plain"), lists_of(pipelines, "intermediate")
    first = Run.read(pipelines.store.read(plain.candidates))
    found = read_lists(pipelines.store.read(longer))
    assert found and any(len(one.documents) == 2 * DEPTH for one in found)
    for one in found:
        assert set(first.top(one.query, DEPTH)) <= set(one.documents)
    for one in read_lists(pipelines.store.read(plain)):
        assert set(one.documents) == set(first.top(one.query, DEPTH))


def test_only_the_ranker_sets_the_control_apart(pipelines: Swept) -> None:
    ours, control = lists_of(pipelines, "intermediate"), lists_of(pipelines, "no-llm")
    assert ours.candidates.key == control.candidates.key and ours.embeddings.key == control.embeddings.key
    assert (ours.depth, ours.max_length) == (control.depth, control.max_length)
    mine, theirs = (read_lists(pipelines.store.read(lists)) for lists in (ours, control))
    assert {one.query: set(one.documents) for one in mine} == {one.query: set(one.documents) for one in theirs}
    assert [one.scores for one in mine] != [one.scores for one in theirs]

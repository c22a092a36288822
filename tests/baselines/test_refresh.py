"""Index refresh: each part of a training learns from what the retriever so far finds."""

from __future__ import annotations

import pytest

from baselines._shared.refresh import RefreshSettings, parts
from baselines.white_box.replug_lsr import ReplugLSR, ReplugSettings
from harness.pipeline.graph import closure
from harness.retrieval.run import Run
from harness.retrieval.search_stages import DenseSearch
from harness.training.train_stages import TrainRetriever
from harness.training_lists.training_list import read_lists
from tests.baselines.small import DEPTH, Swept


def test_the_parts_of_a_training() -> None:
    assert parts(7, 3) == [3, 3, 1]
    assert parts(3, 1) == [1, 1, 1]
    assert parts(3, None) == parts(3, 3) == parts(3, 9) == [3]


def test_documents_that_stay_are_not_embedded_anew() -> None:
    with pytest.raises(ValueError, match="give one of the two"):
        RefreshSettings(refresh=1, frozen_documents=True)


def trainings(swept: Swept, label: str) -> list[TrainRetriever]:
    """Those behind a cell, the first one first."""
    found = [stage for stage in closure([swept.cell(label).run]).values() if isinstance(stage, TrainRetriever)]
    return sorted(found, key=lambda stage: isinstance(stage.start, TrainRetriever))


@pytest.mark.models
def test_the_second_part_goes_on_from_the_first_with_candidates_it_found(all_methods: Swept) -> None:
    first, second = trainings(all_methods, "replug refreshed")
    assert second.start is first or (isinstance(second.start, TrainRetriever) and second.start.key == first.key)
    assert first.train.epochs == second.train.epochs == 1
    searches = [stage for stage in closure([second]).values() if isinstance(stage, DenseSearch)]
    (search,) = [stage for stage in searches if isinstance(stage.model, TrainRetriever)]
    assert isinstance(search.model, TrainRetriever) and search.model.key == first.key
    found = Run.read(all_methods.store.read(search))
    lists = read_lists(all_methods.store.read(second.lists))
    assert lists and all(set(one.documents) == set(found.top(one.query, DEPTH)) for one in lists)
    shared = {one.query: set(one.documents) for one in read_lists(all_methods.store.read(first.lists))}
    assert any(set(one.documents) != shared[one.query] for one in lists)


@pytest.mark.models
def test_the_first_part_is_shared_and_without_refresh_nothing_changes(all_methods: Swept) -> None:
    first, _ = trainings(all_methods, "replug refreshed")
    assert first.key == all_methods.stage("replug-lsr", "retriever").key
    inputs = all_methods.cell("replug-lsr").inputs
    plain, late = (ReplugLSR(ReplugSettings(epochs=1, refresh=refresh)).run(inputs).key for refresh in (None, 5))
    assert plain == late == all_methods.cell("replug-lsr").run.key


@pytest.mark.models
def test_negatives_are_mined_anew_by_the_retriever_in_training(all_methods: Swept) -> None:
    first, second = trainings(all_methods, "mined anew")
    lists = {one.query: one for one in read_lists(all_methods.store.read(second.lists))}
    (search,) = [
        stage
        for stage in closure([second.lists]).values()
        if isinstance(stage, DenseSearch) and isinstance(stage.model, TrainRetriever) and stage.model.key == first.key
    ]
    found = Run.read(all_methods.store.read(search))
    assert lists
    for one in lists.values():
        assert set(one.documents[one.ordered :]) <= set(found.top(one.query, DEPTH)) - set(one.positives)

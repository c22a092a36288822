"""Training queries: sources, gold, distance from dev and test, nested draws."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collections.crops import TrainingQuery
from harness.collections.pool import Pool, read_pool, training_pool
from harness.collections.sample import draw_queries
from harness.errors import UserError
from harness.stage import Context
from tests.collections.folders import Load, MakeFolder

NO_CONTEXT = cast(Context, None)


def numbered(count: int) -> list[dict[str, str]]:
    return [
        {"_id": f"d{k}", "title": f"The title of {k}", "text": f"Number {k} has a body of seven words."}
        for k in range(count)
    ]


def test_titles_are_fit_to_be_queries(make_folder: MakeFolder, load: Load) -> None:
    titles = ["Word", "Of it", "Heat Conduction", "flow over a wing", "Flow  over a Wing", "", "Supersonic shock waves"]
    documents = [{"_id": f"d{k}", "title": title, "text": "x"} for k, title in enumerate(titles)]
    rows = list(training_pool(load(make_folder(documents=documents)), ("titles",)).rows())
    assert {row.text.casefold() for row in rows} == {"flow over a wing", "supersonic shock waves"}, (
        "heat conduction is a test query"
    )
    for row in rows:
        (document,) = row.gold
        assert row.id == f"title:{document}" and row.gold == {document: 1} and row.source == "titles"
        assert row.text.split() == titles[int(document[1:])].split()


def test_sentences_come_from_the_body_of_their_document(make_folder: MakeFolder, load: Load) -> None:
    two = ["This sentence has exactly seven words here.", "Another sentence with exactly six words!"]
    wrapped = two[1].replace(" exactly", "\nexactly")
    bodies = [f"Too short. {two[0]}\n\n{wrapped}", "Nothing fits. Really.", " ".join(f"w{k}" for k in range(95))]
    documents = [
        {"_id": f"d{k}", "title": "A title of more than six words in all", "text": body}
        for k, body in enumerate(bodies)
    ]
    collection = load(make_folder(documents=documents, qrels={"test": [("q2", "d1", 1)]}))
    seen = set()
    for seed in range(20):
        rows = {next(iter(row.gold)): row for row in training_pool(collection, ("sentences",), seed=seed).rows()}
        assert set(rows) == {"d0", "d2"}
        assert rows["d2"].text in bodies[2] and 6 <= len(rows["d2"].text.split()) <= 40
        assert rows["d0"].id == "sentence:d0" and rows["d0"].source == "sentences"
        seen.add(rows["d0"].text)
    assert seen == set(two)


def test_train_brings_its_judgments(make_folder: MakeFolder, load: Load, tmp_path: Path) -> None:
    pool = training_pool(load(make_folder(documents=numbered(5))), ("train", "titles"))
    pool.run(tmp_path, NO_CONTEXT)
    rows = read_pool(tmp_path)
    assert rows == list(pool.rows())
    assert rows[0] == TrainingQuery("q1", "flow over plates", "train", {"d1": 1})
    assert Counter(row.source for row in rows) == {"train": 1, "titles": 5}


def test_no_training_query_is_a_held_out_one(make_folder: MakeFolder, load: Load) -> None:
    documents = [
        {"_id": "d1", "title": "Shock  WAVES", "text": "Heat conduction in plates and slabs! And nothing more."},
        {"_id": "d2", "title": "Another good title", "text": "heat conduction in plates and slabs!"},
    ]
    queries = [
        {"_id": "q1", "text": "A training query"},
        {"_id": "q2", "text": "HEAT conduction in plates and slabs!"},
        {"_id": "q3", "text": "shock waves"},
    ]
    qrels = {"train": [("q1", "d1", 1)], "dev": [("q3", "d2", 2)], "test": [("q2", "d2", 1)]}
    collection = load(make_folder(documents=documents, queries=queries, qrels=qrels))
    rows = list(training_pool(collection, ("train", "titles", "sentences")).rows())
    assert [row.text for row in rows] == ["A training query", "Another good title"]


def test_queries_from_documents_repeat_no_other_query(make_folder: MakeFolder, load: Load) -> None:
    documents = [{"_id": "d1", "title": "Flow over plates", "text": "The same sentence of some seven words."}]
    documents += [
        {"_id": f"d{k}", "title": "The same sentence of some seven words.", "text": documents[0]["text"]}
        for k in range(2, 5)
    ]
    rows = list(training_pool(load(make_folder(documents=documents)), ("train", "titles", "sentences")).rows())
    assert [(row.source, row.text) for row in rows] == [
        ("train", "flow over plates"),
        ("titles", "The same sentence of some seven words."),
    ]


def test_the_cap_bounds_each_source_and_the_seed_chooses(make_folder: MakeFolder, load: Load) -> None:
    collection = load(make_folder(documents=numbered(300)))
    pool = training_pool(collection, ("titles", "sentences"), cap=40)
    rows = list(pool.rows())
    assert Counter(row.source for row in rows) == {"titles": 40, "sentences": 40}
    documents = [{next(iter(row.gold)) for row in rows if row.source == source} for source in ("titles", "sentences")]
    assert documents[0] != documents[1], "each source samples its own documents"
    assert list(pool.rows()) == rows
    assert {row.id for row in replace(pool, seed=1).rows()} != {row.id for row in rows}
    assert (
        min(int(document[1:]) for document in documents[0])
        < 100
        < 200
        < max(int(document[1:]) for document in documents[0])
    )


def test_the_key_depends_on_content_and_settings_alone(make_folder: MakeFolder, load: Load, tmp_path: Path) -> None:
    folder = make_folder(documents=numbered(5))
    first = training_pool(load(folder))
    moved = training_pool(load(folder.rename(tmp_path / "moved")))
    changed = training_pool(load(make_folder(documents=numbered(6))))
    assert first.key == moved.key
    others = [replace(first, seed=1), replace(first, cap=9), replace(first, sources=("titles",))]
    assert len({pool.key for pool in (first, changed, *others)}) == 5


def test_collections_without_train_take_documents(make_folder: MakeFolder, load: Load) -> None:
    collection = load(make_folder(documents=numbered(5), qrels={"test": [("q1", "d1", 1)]}))
    assert Counter(row.source for row in training_pool(collection).rows()) == {"titles": 5}
    assert list(training_pool(collection, ("train",)).rows()) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"sources": ("title",)}, "did you mean 'titles'"), ({"cap": 0}, "the cap on training queries is 0")],
)
def test_wrong_settings(make_folder: MakeFolder, load: Load, change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        training_pool(load(make_folder()), **change)


def pool_of(**counts: int) -> list[TrainingQuery]:
    return [
        TrainingQuery(f"{source}-{k}", f"text {k}", source, {})
        for source, count in counts.items()
        for k in range(count)
    ]


@given(counts=st.tuples(st.integers(0, 30), st.integers(0, 30)), resample=st.integers(0, 99), data=st.data())
def test_draws_are_nested_and_take_the_sources_in_order(
    counts: tuple[int, int], resample: int, data: st.DataObject
) -> None:
    rows = pool_of(train=counts[0], titles=counts[1])
    large = data.draw(st.integers(0, len(rows)))
    small = data.draw(st.integers(0, large))
    drawn = draw_queries(rows, resample, large)
    assert draw_queries(rows, resample, small) == drawn[:small]
    assert len({row.id for row in drawn}) == large
    assert [row.source for row in drawn] == (["train"] * counts[0] + ["titles"] * counts[1])[:large]
    assert draw_queries(rows + pool_of(sentences=5), resample, large) == drawn, (
        "another source after these changes nothing"
    )


def test_resamples_differ_and_draws_leave_the_pool_alone() -> None:
    rows = pool_of(train=100, titles=100)
    kept = list(rows)
    firsts = [tuple(row.id for row in draw_queries(rows, resample, 10)) for resample in range(20)]
    assert len(set(firsts)) == 20 and rows == kept
    assert firsts[0] == tuple(row.id for row in draw_queries(rows, 0, 200)[:10])
    orders = [
        [row.id.split("-")[1] for row in draw_queries(rows, 0, 200)[part]] for part in (slice(100), slice(100, 200))
    ]
    assert orders[0] != orders[1], "each source has a shuffle of its own"


def test_a_budget_larger_than_the_pool_says_what_there_is() -> None:
    with pytest.raises(UserError) as caught:
        draw_queries(pool_of(train=240, titles=1200), 0, 10_000)
    assert str(caught.value) == (
        "a budget of 10,000 is larger than the 1,440 training queries there are (240 from train and 1,200 from "
        "titles)\n"
        "  add a source to candidates.training_queries (sentences), raise the cap (candidates.pool), or take smaller "
        "budgets"
    )


def test_the_pool_is_a_stage_like_any_other(make_folder: MakeFolder, load: Load) -> None:
    pool = training_pool(load(make_folder()))
    assert isinstance(pool, Pool) and list(pool.inputs()) == [] and pool.label == "train, titles"

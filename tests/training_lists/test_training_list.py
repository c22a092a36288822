"""Training lists from gold, from a teacher's rankings and from scores, and their file."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.collections.crops import TrainingQuery
from harness.collections.sample import QuerySubset
from harness.errors import UserError
from harness.labelling.labels.label_stage import RANKINGS
from harness.labelling.labels.ranking import Ranking
from harness.method import Edit
from harness.models import ModelFiles
from harness.stage import Stage, canonical
from harness.students.architecture import Architecture
from harness.students.ranker_scored_lists import CandidateScores
from harness.training_lists.list_stages import EditedLists, GoldLists, RankedLists
from harness.training_lists.training_list import (
    SUMMARY,
    ListsBuilt,
    TrainingList,
    from_gold,
    from_rankings,
    from_scores,
    read_lists,
    write_lists,
)
from tests.students.conftest import Bench, Given, TinyCorpus


def query(name: str, **gold: int) -> TrainingQuery:
    return TrainingQuery(name, f"text of {name}", "train", gold)


names = st.text(min_size=1, max_size=5)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(
            names,
            names,
            st.lists(st.tuples(names, st.floats(allow_nan=False)), max_size=5, unique_by=lambda pair: pair[0]),
        ),
        max_size=4,
    )
)
def test_file_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, list[tuple[str, float]]]]
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    lists = []
    for name, text, pairs in rows:
        documents = tuple(document for document, _ in pairs)
        lists.append(
            TrainingList(name, text, documents, len(pairs) // 2, tuple(score for _, score in pairs), documents[:1])
        )
        lists.append(TrainingList(name, text, documents, len(pairs), None))
    write_lists(folder, lists)
    assert read_lists(folder) == lists


def test_gold_comes_first_then_candidates_that_are_not_gold() -> None:
    built = from_gold([query("q", c=1, b=2)], {"q": ["a", "b", "c", "d", "e"]}, depth=4, most_positives=2)
    assert built.lists == (TrainingList("q", "text of q", ("b", "c", "a", "d"), 2, None, ("b", "c")),)


def test_gold_that_the_first_stage_missed_is_added_behind_found_gold() -> None:
    missed = from_gold([query("q", z=1)], {"q": ["a", "b", "c"]}, depth=3, most_positives=1).lists[0]
    assert missed.documents == ("z", "a", "b") and missed.positives == ("z",)
    both = from_gold([query("q", z=3, b=1, y=3)], {"q": ["a", "b", "c"]}, depth=3, most_positives=2).lists[0]
    assert both.documents[:2] == ("z", "b") and both.positives == ("z", "b", "y")
    assert both.documents == ("z", "b", "a")


def test_queries_without_gold_or_negatives_are_dropped_and_counted() -> None:
    queries = [query("none"), query("zero", a=0), query("only", a=1), query("unfound", a=1), query("good", b=1)]
    candidates = {"none": ["a"], "zero": ["a", "b"], "only": ["a"], "good": ["a", "b"]}
    built = from_gold(queries, candidates, depth=5, most_positives=2)
    assert [one.query for one in built.lists] == ["good"]
    assert built.dropped == {"without a gold document": 2, "without a negative": 2}


def test_rankings_keep_prefix_tail_and_scores_and_hide_gold() -> None:
    rankings = {
        "whole": Ranking("whole", ("b", "a"), scores=(2.0, 1.0)),
        "part": Ranking("part", ("c",), ("a", "b"), verdict="partial"),
        "failed": Ranking("failed", (), ("a", "b"), verdict="failed"),
        "short": Ranking("short", ("a",)),
    }
    built = from_rankings([query(name, a=1) for name in rankings], rankings)
    assert built.lists == (
        TrainingList("whole", "text of whole", ("b", "a"), 2, (2.0, 1.0)),
        TrainingList("part", "text of part", ("c", "a", "b"), 1, None),
    )
    assert built.dropped == {"with nothing ordered": 1, "with fewer than two documents": 1}


def test_a_query_that_was_never_labelled_is_an_error() -> None:
    with pytest.raises(UserError, match="no ranking for the query 'q'"):
        from_rankings([query("q")], {})


def test_scores_order_a_list_and_break_ties_by_document_id_descending() -> None:
    built = from_scores([TrainingList("q", "t", ("a", "b", "c"), 0)], [[1.0, 1.0, 2.0]])
    assert built.lists == (TrainingList("q", "t", ("c", "b", "a"), 3, (2.0, 1.0, 1.0)),)


def test_no_list_left_is_an_error_that_gives_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="3 with nothing ordered"):
        ListsBuilt((), {"with nothing ordered": 3}).write(tmp_path)


POOL = [query("q0", d0=1), query("q1", d2=1), query("q2")]


def pool() -> Given:
    return Given(files={"pool.jsonl": "".join(json.dumps(one._asdict()) + "\n" for one in POOL)})


class Zipped(Given):
    """An artefact whose files are gzipped, as runs and rankings are."""

    def run(self, out: Path, context: object) -> None:
        for name, text in self.files.items():
            with gzip.open(out / name, "wt") as stream:
                stream.write(text)


def candidates() -> Zipped:
    lines = "".join(
        f"q{number} Q0 d{document} {document + 1} {9 - document} x\n" for number in range(3) for document in range(5)
    )
    return Zipped(files={"run.trec.gz": lines})


def test_gold_stage_writes_lists_and_counts(bench: Bench) -> None:
    folder = bench.path(GoldLists(subset=QuerySubset(pool(), 0, 3), candidates=candidates(), depth=4))
    lists = {one.query: one for one in read_lists(folder)}
    assert lists["q1"].documents == ("d2", "d0", "d1", "d3")
    assert json.loads((folder / SUMMARY).read_text()) == {"lists": 2, "dropped": {"without a gold document": 1}}


def labelled(*rankings: Ranking) -> Given:
    return Given(files={RANKINGS: "\n".join(json.dumps(one.to_json()) for one in rankings)})


def test_ranked_stage_takes_the_drawn_queries_out_of_larger_labels(bench: Bench) -> None:
    labels = labelled(*(Ranking(one.id, ("d1", "d0"), ("d3",)) for one in POOL))
    folder = bench.path(RankedLists(labels=labels, subset=QuerySubset(pool(), 0, 2)))
    assert [(one.documents, one.ordered) for one in read_lists(folder)] == [(("d1", "d0", "d3"), 2)] * 2


@dataclass(frozen=True)
class KeepFirst:
    n: int

    def __call__(self, ranking: Ranking) -> Ranking:
        return ranking.cut(self.n)


@dataclass(frozen=True)
class DropFirst:
    n: int

    def __call__(self, ranking: Ranking) -> Ranking:
        return replace(ranking, ranked=ranking.ranked[self.n :], scores=None)


@dataclass(frozen=True)
class Adds:
    def __call__(self, ranking: Ranking) -> Ranking:
        return replace(ranking, unranked=(*ranking.unranked, "d9"))


@dataclass(frozen=True)
class Renames:
    def __call__(self, ranking: Ranking) -> Ranking:
        return replace(ranking, query="another")


@dataclass
class Melts:
    def __call__(self, ranking: Ranking) -> Ranking:
        return ranking


def edited(edit: Edit, labels: Stage) -> EditedLists:
    return EditedLists(labels=labels, subset=QuerySubset(pool(), 0, 2), edit=edit)


def test_an_edit_changes_what_is_learnt_of_every_ranking(bench: Bench) -> None:
    labels = labelled(*(Ranking(one.id, ("d1", "d0", "d2"), ("d3",)) for one in POOL))
    cut = read_lists(bench.path(edited(KeepFirst(1), labels)))
    assert [(one.documents, one.ordered) for one in cut] == [(("d1", "d0", "d2", "d3"), 1)] * 2
    dropped = read_lists(bench.path(edited(DropFirst(1), labels)))
    assert [(one.documents, one.ordered) for one in dropped] == [(("d0", "d2", "d3"), 2)] * 2


def test_what_an_edit_is_stands_in_the_key() -> None:
    labels = labelled()
    stages = [edited(edit, labels) for edit in (KeepFirst(1), KeepFirst(2), DropFirst(1))]
    plain = RankedLists(labels=labels, subset=QuerySubset(pool(), 0, 2))
    assert len({stage.key for stage in (*stages, plain)}) == 4
    assert edited(KeepFirst(1), labels).key == stages[0].key
    assert "code of" in canonical(KeepFirst(1)), "another edit of the same file counts"


@pytest.mark.parametrize(
    ("edit", "words"), [(Adds(), "adds the document 'd9'"), (Renames(), "makes it one of query 'another'")]
)
def test_an_edit_that_makes_something_else_of_a_ranking_is_named(edit: Edit, words: str, bench: Bench) -> None:
    labels = labelled(*(Ranking(one.id, ("d1", "d0")) for one in POOL))
    with pytest.raises(UserError, match=f"the edit {type(edit).__name__} of the ranking of query '.*' {words}"):
        bench.path(edited(edit, labels))


def test_an_edit_whose_fields_may_change_is_refused() -> None:
    with pytest.raises(UserError, match="the edit Melts of rankings is no frozen dataclass"):
        edited(Melts(), labelled())


@pytest.mark.models
@pytest.mark.parametrize("architecture", ["bi-encoder", "cross-encoder"])
def test_ranker_scores_order_every_candidate_the_same_each_time(
    architecture: Architecture, bench: Bench, corpus: TinyCorpus, tiny: ModelFiles, tmp_path: Path
) -> None:
    stage = CandidateScores(
        ranker=tiny,
        architecture=architecture,
        subset=QuerySubset(pool(), 0, 3),
        candidates=candidates(),
        corpus=corpus,
        depth=4,
        max_length=32,
    )
    lists = read_lists(bench.path(stage))
    for one in lists:
        assert sorted(one.documents) == ["d0", "d1", "d2", "d3"] and one.ordered == 4
        assert list(one.scores or ()) == sorted(one.scores or (), reverse=True)
        assert not one.positives
    assert bench.told[-1] == ((4, 4, "documents") if architecture == "bi-encoder" else (12, 12, "pairs"))
    (tmp_path / "again").mkdir()
    assert read_lists(Bench(tmp_path / "again").path(stage)) == lists

"""Traces of a whole sweep with the smallest models: the numbers of other libraries, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import pytrec_eval
import sentence_transformers
from scipy.stats import kendalltau

from harness.collections.pool import read_pool
from harness.collections.sample import draw_queries
from harness.labelling.labels.label_stage import Labels
from harness.pipeline.builder import PlannedCell
from harness.pipeline.fidelity.chosen_trace import ChosenTrace
from harness.pipeline.fidelity.distillation_chain import chain_of
from harness.pipeline.fidelity.fidelity_stages import RankerFidelity
from harness.pipeline.fidelity.held_out_lists import HeldOutOrders, HeldOutScores
from harness.pipeline.fidelity.trace_plan import ALL_LEARNT
from harness.pipeline.fidelity.trace_stage import TransferTrace
from harness.pipeline.graph import closure
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.plan import Plan
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import TRACE, read_card
from harness.published.run_trace import ModelAgreement, RunTrace, read_trace
from harness.retrieval.run import Run
from harness.teachers.controls import FirstStage, Oracle
from harness.training_lists.training_list import TrainingList, read_lists
from tests.baselines.small import write_collection

pytestmark = pytest.mark.models

DEPTH, LENGTH = 4, 32
SWEEP: dict[str, Any] = {
    "collections": [{"folder": "data"}],
    "students": {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"},
    "candidates": {"engine": "bm25s", "depth": DEPTH, "training_queries": ["train", "titles"]},
    "teachers": {"oracle": {"kind": "oracle"}, "first": {"kind": "first-stage"}},
    "methods": [
        "bm25",
        {
            "method": "intermediate",
            "ranker": {"architecture": "cross-encoder", "max_length": LENGTH},
            "distil_queries": 12,
            "student_candidates": 3,
        },
        {
            "method": "intermediate",
            "label": "projected",
            "ranker": {"architecture": "projection", "max_length": LENGTH},
            "student_candidates": 3,
            "teachers": ["oracle"],
            "budgets": [8],
        },
        {"method": "direct", "teachers": ["oracle"]},
        {"method": "syntriever", "teachers": ["oracle"], "budgets": [8]},
        {"method": "rankgpt", "teachers": ["oracle"], "budgets": [8]},
        {"method": "no-llm", "distil_queries": 12},
        {"method": "supervised", "budgets": [8]},
    ],
    "budgets": [8, 16],
    "max_length": 64,
    "evaluate": {"metrics": ["nDCG@10", "R@100"]},
}
OFF = "evaluate.trace=false"
OWN_KINDS = {
    "held-out-orders",
    "held-out-scores",
    "ranker-fidelity",
    "retriever-fidelity",
    "order-quality",
    "trace",
    "rerank",
    "projection-rerank",
    "evaluate",
}
"""Kinds of the stages that traces add to this sweep; the candidates of the evaluated queries are the run of bm25."""


@pytest.fixture(autouse=True, scope="module")
def _exact() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_PRECISION", "fp32")
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trace")
    write_collection(folder / "data")
    (folder / "sweep.yaml").write_text(json.dumps(SWEEP))
    return folder


def planned(home: Path, *overrides: str) -> Plan:
    return Workspace(home / "workspace").plan(home / "sweep.yaml", overrides)


def sweep(home: Path, *overrides: str, results: str = "results") -> SweepResult:
    return planned(home, *overrides).run(home / results, observer=NullObserver())


@pytest.fixture(scope="module")
def before(home: Path) -> SweepResult:
    """The sweep as it was before there were traces."""
    return sweep(home, OFF)


@pytest.fixture(scope="module")
def created(before: SweepResult) -> dict[str, Any]:
    return {folder.name: read_card(folder).created for folder in before.published}


@pytest.fixture(scope="module")
def traced(home: Path, created: dict[str, Any]) -> SweepResult:
    return sweep(home)


def cell(home: Path, method: str, budget: int | None = 8, teacher: str | None = "oracle") -> PlannedCell:
    wanted = (method, budget, teacher)
    cells = planned(home).cells
    return next(one for one in cells if (one.cell.label, one.cell.budget, one.cell.teacher) == wanted)


def published(result: SweepResult, method: str, budget: int | None = 8, teacher: str | None = "oracle") -> Path:
    for folder in result.published:
        card = read_card(folder)
        name = card.method.label or card.method.name
        if (name, card.budget, card.teacher and card.teacher.name) == (method, budget, teacher):
            return folder
    raise LookupError(method)


def trace(result: SweepResult, method: str, budget: int | None = 8, teacher: str | None = "oracle") -> RunTrace:
    found = read_trace(published(result, method, budget, teacher))
    assert found is not None
    return found


def artefact(home: Path, one: PlannedCell, kind: str, run: bool = True) -> Path:
    """The only artefact of that kind behind a cell's run, or behind its trace."""
    finals = [one.run] if run else [one.trace]
    (found,) = (stage for stage in closure(stage for stage in finals if stage).values() if stage.kind == kind)
    return Workspace(home / "workspace").store.read(found)


def test_what_cells_have_in_common_is_planned_once(home: Path) -> None:
    methods = "methods=[{method: intermediate, retriever_loss: [kl, reverse-kl], ranker: {max_length: 32}}]"
    cells = [one for one in planned(home, methods).cells if (one.cell.budget, one.cell.teacher) == (8, "oracle")]
    one, other = (cell.trace for cell in cells)
    assert isinstance(one, TransferTrace) and isinstance(other, TransferTrace) and one.key != other.key
    assert one.quality is other.quality and one.fidelity is other.fidelity and one.evaluated is other.evaluated
    assert one.student is not None and other.student is not None and one.student.key != other.student.key
    assert one.student.held_out is other.student.held_out is not None


def test_a_sweep_of_before_makes_only_the_new_stages_and_keeps_its_runs(
    home: Path, created: dict[str, Any], traced: SweepResult
) -> None:
    store = Workspace(home / "workspace").store
    plan = planned(home)
    new = set(plan.stages) - set(planned(home, OFF).stages)
    assert traced.summary["stages"]["run"] == len(new)
    assert {plan.stages[key].kind for key in new} == OWN_KINDS
    assert traced.summary["cells"]["cached"] == traced.summary["cells"]["total"] == len(traced.published)
    assert traced.summary["traces"] == {"total": sum(one.trace is not None for one in plan.cells), "failed": 0}
    assert {folder.name: read_card(folder).created for folder in traced.published} == created
    assert all(store.has(stage) for stage in plan.stages.values())
    again = sweep(home)
    assert again.summary["stages"]["run"] == 0
    assert planned(home).status()["stages"] == {"done": len(plan.stages)}


def test_no_key_changes_and_what_is_not_trained_has_no_trace(home: Path) -> None:
    with_traces, without = planned(home).cells, planned(home, OFF).cells
    assert [one.evaluate.key for one in with_traces] == [one.evaluate.key for one in without]
    assert not any(one.trace for one in without)
    assert {one.cell.label for one in with_traces if one.trace is None} == {"bm25", "supervised"}


def test_ranker_and_teacher_agree_as_other_libraries_say(home: Path, traced: SweepResult) -> None:
    found = trace(traced, "intermediate").ranker
    assert found is not None and found.teacher is not None and found.teacher.held_out is not None
    one = cell(home, "intermediate")
    model = cross_encoder(artefact(home, one, "ranker"))
    own = read_lists(artefact(home, one, "ranked-lists"))
    held_out = read_lists(artefact(home, one, "held-out-orders", run=False))
    for lists, said in ((own, found.teacher.own), (held_out, found.teacher.held_out)):
        scores = [scored(model, one.text, texts(one.documents)) for one in lists]
        assert_agreement(said, lists, scores, [ordered_gains(one) for one in lists])


def test_a_projection_ranker_reads_the_embeddings_that_are_there(home: Path, traced: SweepResult) -> None:
    found = trace(traced, "projected").ranker
    assert found is not None and found.teacher is not None and found.reranked is not None
    one = cell(home, "projected")
    model = sentence_transformers.SentenceTransformer(str(artefact(home, one, "projection-ranker")), device="cpu")
    own = read_lists(artefact(home, one, "ranked-lists"))
    scores = [similar(model, one) for one in own]
    assert_agreement(found.teacher.own, own, scores, [ordered_gains(one) for one in own])
    planned_trace = one.trace
    assert isinstance(planned_trace, TransferTrace) and planned_trace.evaluated is not None
    embeddings = {stage.key for stage in closure([one.run]).values() if stage.kind == "embed"}
    assert {stage.key for stage in closure([planned_trace]).values() if stage.kind == "embed"} == embeddings
    further = read_lists(artefact(home, one, "held-out-scores", run=False))
    assert max(len(one.documents) for one in further) > DEPTH
    assert [one.scores for one in further] == [
        pytest.approx([20 * score for score in similar(model, one)], abs=1e-2) for one in further
    ]


def test_the_ranker_re_ranks_as_other_libraries_say(home: Path, traced: SweepResult) -> None:
    found = trace(traced, "intermediate").ranker
    assert found is not None and found.reranked is not None
    first = Run.read(published(traced, "bm25", None, None))
    model = cross_encoder(artefact(home, cell(home, "intermediate"), "ranker"))
    queries = lines(home, "queries")
    run = {
        query: dict(zip(top, scored(model, queries[query], texts(top)), strict=True))
        for query in first.scores
        if (top := first.top(query, DEPTH))
    }
    qrels = {f"test{n}-0": {f"d{n}": 1} for n in range(12)}
    lowest = min(min(scores.values()) for scores in run.values())
    for query, scores in run.items():
        scores |= {one: lowest - place for place, one in enumerate(first.top(query)[DEPTH:], 1)}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    values = {query: theirs.get(query, {}).get("ndcg_cut_10", 0.0) for query in qrels}
    assert found.reranked.queries == pytest.approx(values, abs=1e-5)
    assert found.reranked.mean == pytest.approx(fmean(values.values()), abs=1e-6)
    own = read_card(published(traced, "bm25", None, None)).outcome
    assert own is not None and found.reranked.candidates == pytest.approx(own.metrics["nDCG@10"])
    assert (found.reranked.metric, found.reranked.depth) == ("nDCG@10", DEPTH)


@pytest.mark.parametrize("method", ["intermediate", "direct"])
def test_the_student_follows_what_taught_it_as_other_libraries_say(
    home: Path, traced: SweepResult, method: str
) -> None:
    found = trace(traced, method).student
    assert found is not None and found.held_out is not None
    ranker = method == "intermediate"
    assert found.target == ("ranker" if ranker else "teacher")
    one = cell(home, method)
    model = sentence_transformers.SentenceTransformer(str(artefact(home, one, "retriever")), device="cpu")
    own, further = ("ranker-scores", "held-out-scores") if ranker else ("ranked-lists", "held-out-orders")
    for folder, said in (
        (artefact(home, one, own), found.own),
        (artefact(home, one, further, run=False), found.held_out),
    ):
        lists = read_lists(folder)
        scores = [similar(model, one) for one in lists]
        gains = [
            [sum(other < score for other in one.scores or ()) for score in one.scores or ()]
            if ranker
            else ordered_gains(one)
            for one in lists
        ]
        assert_agreement(said, lists, scores, gains)


def test_the_teacher_is_held_against_the_judgments(home: Path, traced: SweepResult) -> None:
    oracle, first = (trace(traced, "intermediate", teacher=name).teacher for name in ("oracle", "first"))
    assert oracle is not None and first is not None
    assert (first.ndcg, first.tau) == (first.candidates.ndcg, first.candidates.tau)
    assert oracle.candidates == first.candidates and oracle.lists == first.lists
    # Its candidates are one document to a query, which it puts first and leaves the others tied.
    assert (oracle.ndcg, oracle.tau) == (1.0, pytest.approx(1.0))
    assert oracle.sources == {"train": oracle.lists}


def test_held_out_lists_are_of_the_queries_that_follow_in_the_draw(home: Path, traced: SweepResult) -> None:
    one = cell(home, "intermediate")
    pool = read_pool(artefact(home, one, "pool"))
    drawn = [query.id for query in draw_queries(pool, 0, len(pool))]
    orders, scores = (
        {one.query for one in read_lists(artefact(home, one, kind, run=False))}
        for kind in ("held-out-orders", "held-out-scores")
    )
    assert orders and orders <= set(drawn[8:])
    assert scores and scores <= set(drawn[12:])


def test_each_method_has_the_parts_that_it_has(traced: SweepResult) -> None:
    rankgpt, direct, syntriever, without = (
        trace(traced, "rankgpt"),
        trace(traced, "direct"),
        trace(traced, "syntriever"),
        trace(traced, "no-llm", None, None),
    )
    assert rankgpt.ranker is not None and rankgpt.student is None and rankgpt.ranker.reranked is not None
    assert direct.ranker is None and direct.teacher is not None
    # Pairs are made of the teacher's lists, which are what is looked at.
    assert syntriever.student is not None and direct.student is not None
    assert syntriever.student.target == direct.student.target == "teacher"
    assert syntriever.student.own is not None and direct.student.own is not None
    assert syntriever.student.own.lists == direct.student.own.lists
    assert without.teacher is None and without.ranker is not None and without.ranker.teacher is None
    assert without.ranker.reranked is not None and without.student is not None and without.student.held_out is not None


def test_a_paid_teacher_is_asked_for_nothing_more(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Oracle, "is_free", False)
    small, large = (cell(home, "direct", budget).trace for budget in (8, 16))
    assert isinstance(small, TransferTrace) and isinstance(large, TransferTrace)
    assert small.student is not None and large.student is not None
    assert (large.student.held_out, large.student.reason) == (None, ALL_LEARNT)
    held_out = small.student.held_out
    assert isinstance(held_out, HeldOutOrders) and held_out.labels.subset.size == 16
    assert {stage.kind for stage in planned(home).stages.values() if stage.kind == "labels"} == {"labels"}
    result = sweep(home, "methods=[{method: direct, teachers: [oracle]}]", results="paid")
    found = trace(result, "direct", 8).student, trace(result, "direct", 16).student
    assert found[0] is not None and found[0].held_out is not None and found[0].held_out.lists <= 8
    assert found[1] is not None and (found[1].held_out, found[1].reason) == (None, ALL_LEARNT)


def test_a_teacher_that_calls_itself_free_cannot_pay(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = FirstStage.label

    def label(self: FirstStage, tasks: Any, ledger: Any, progress: Any) -> Iterator[Any]:
        ledger.get("ab" * 32)
        yield from honest(self, tasks, ledger, progress)

    monkeypatch.setattr(FirstStage, "label", label)
    changes = "methods=[{method: direct, teachers: [first], epochs: 1}]", "seeds=[7]", "resamples=[5]"
    result = sweep(home, *changes, results="sly")
    assert result.failures == {}
    assert result.summary["traces"] == {"total": 2, "failed": 2}
    (failure,) = result.summary["failed_traces"]
    assert "calls itself free" in failure["reason"] and "is_free" in failure["reason"]


def test_a_trace_that_fails_costs_no_result(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = "methods=[{method: intermediate, teachers: [first], epochs: 1, budgets: [8]}]"

    def broken(*_: object) -> Any:
        raise RuntimeError("broken on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(RankerFidelity, "scores", broken)
        result = sweep(home, change, results="broken")
    assert result.summary["cells"]["failed"] == 0 and result.summary["traces"] == {"total": 1, "failed": 1}
    assert "1 cell misses its trace" in result.text() and "broken on purpose" in result.text()
    (folder,) = result.published
    assert read_trace(folder) is None
    (row,) = planned(home, change).status()["cells"]
    assert row["state"] == "failed" and "broken on purpose" in row["reason"]
    mended = sweep(home, change, results="broken")
    assert mended.published == [folder] and read_trace(folder) is not None
    assert TRACE in read_card(folder).outcome.files  # type: ignore[union-attr]


def test_where_no_query_is_left_over_the_reason_stands_there(home: Path) -> None:
    everything = len(read_pool(artefact(home, cell(home, "direct"), "pool")))
    result = sweep(home, f"budgets=[{everything}]", "methods=[{method: direct, teachers: [oracle]}]", results="all")
    found = trace(result, "direct", everything).student
    assert found is not None and found.held_out is None and found.reason == "no query is left over"
    assert found.own is not None and found.own.sources.keys() == {"train", "titles"}


def test_a_tuned_cell_has_the_trace_of_the_trial_that_was_chosen(home: Path, traced: SweepResult) -> None:
    ranker = "ranker: {architecture: cross-encoder, max_length: 32}"
    method = f"{{method: intermediate, teachers: [oracle], budgets: [8], {ranker}, distil_queries: 12}}"
    tune = "tune={trials: {epochs: [1, 3]}}"
    tuned = sweep(home, f"methods=[{method}]", tune, results="tuned")
    plan = planned(home, f"methods=[{method}]", tune)
    (one,) = plan.cells
    assert isinstance(one.trace, ChosenTrace) and {stage.kind for stage in closure([one.trace]).values()}.isdisjoint(
        {"trace", "ranker-fidelity"}
    )
    (folder,) = tuned.published
    chosen = read_card(folder).tuning
    assert chosen is not None
    hand = sweep(home, f"methods=[{method[:-1]}, epochs: {chosen.chosen['epochs']}}}]", results="by-hand")
    assert read_trace(folder) == read_trace(hand.published[0])
    assert sweep(home, f"methods=[{method}]", tune, results="tuned").summary["stages"]["run"] == 0


def test_a_tuned_cell_reads_larger_labels_and_asks_for_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Oracle, "is_free", False)
    small, large = planned(
        home, "methods=[{method: direct, teachers: [oracle]}]", "tune={trials: {epochs: [1, 3]}}"
    ).cells
    labels = next(stage for stage in closure([large.run]).values() if isinstance(stage, Labels))
    assert small.trace is not None and labels.key in {stage.key for stage in small.trace.inputs()}
    assert large.trace is not None
    assert {stage.key for stage in closure([large.trace]).values() if isinstance(stage, Labels)} == {labels.key}


def test_lists_that_a_plug_in_changes_are_traced_through(home: Path) -> None:
    from tests.pipeline.fidelity.edited_method import Top

    inputs = cell(home, "direct").inputs
    chain = chain_of(Top(Top.Settings()).run(inputs))
    assert chain is not None and chain.orders is not None and chain.labels is not None
    assert chain.orders.kind == "edited-lists" and chain.ranker is not None and chain.scores is not None
    assert chain.student is not None and chain.student.lists.kind == "first-lists"


def test_held_out_scores_are_those_of_stage_two(home: Path, traced: SweepResult) -> None:
    planned_trace = cell(home, "intermediate").trace
    assert isinstance(planned_trace, TransferTrace) and planned_trace.student is not None
    held_out = planned_trace.student.held_out
    assert isinstance(held_out, HeldOutScores) and held_out.subset.size == 12
    assert held_out.depth == DEPTH + 3


def similar(model: sentence_transformers.SentenceTransformer, one: TrainingList) -> list[float]:
    query, documents = model.encode_query([one.text]), model.encode_document(texts(one.documents))
    found: list[float] = model.similarity(query, documents)[0].tolist()
    return found


def cross_encoder(folder: Path) -> sentence_transformers.CrossEncoder:
    return sentence_transformers.CrossEncoder(str(folder), device="cpu", max_length=LENGTH)


def scored(model: sentence_transformers.CrossEncoder, query: str, documents: list[str]) -> list[float]:
    return [float(score) for score in model.predict([(query, one) for one in documents])]


_TEXTS: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _texts(home: Path) -> None:
    _TEXTS.update(lines(home, "corpus"))


def texts(documents: Any) -> list[str]:
    return [_TEXTS[one] for one in documents]


def lines(home: Path, name: str) -> dict[str, str]:
    rows = map(json.loads, (home / "data" / f"{name}.jsonl").read_text().splitlines())
    return {row["_id"]: f"{row['title']} {row['text']}" if "title" in row else row["text"] for row in rows}


def ordered_gains(one: TrainingList) -> list[int]:
    size = len(one.documents)
    return [size - 1 - place if place < one.ordered else 0 for place in range(size)]


def assert_agreement(
    said: ModelAgreement | None, lists: list[TrainingList], scores: list[list[float]], gains: list[list[int]]
) -> None:
    assert said is not None and said.lists == len(lists)
    qrels = {str(n): dict(zip(one.documents, gains[n], strict=True)) for n, one in enumerate(lists)}
    run = {str(n): dict(zip(one.documents, scores[n], strict=True)) for n, one in enumerate(lists)}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    assert said.ndcg == pytest.approx(fmean(one["ndcg_cut_10"] for one in theirs.values()), abs=1e-6)
    taus = [float(kendalltau(row, gain).statistic) for row, gain in zip(scores, gains, strict=True)]
    assert said.tau == pytest.approx(fmean(taus), abs=1e-6)

"""From a frozen file of claims to the cards of its runs, and what plans and label reports say of a sweep on the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from harness.claims.claim_report import claim_report
from harness.claims.claims_file import load_claims
from harness.claims.freezing import freeze_claims, read_frozen
from harness.errors import UserError
from harness.evaluation.query_clusters import seen_in_training, sharing_documents
from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Row
from harness.leaderboard.load_results import load_results
from harness.pipeline.forecast.power_report import power_report, render_power
from harness.pipeline.labels.label_gate import gate_report, render_gate
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.plan import Plan
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import read_card

pytestmark = pytest.mark.models

SWEEP = {
    "collections": ["semanlink-arxiv"],
    "students": {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"},
    "candidates": {"engine": "bm25s", "depth": 5, "training_queries": {"mix": {"train": 0.5, "sentences": 0.5}}},
    "teachers": {"oracle": {"kind": "oracle"}, "shuffled": {"kind": "shuffled"}},
    "methods": ["zero-shot", {"method": "direct", "epochs": 1}],
    "budgets": [40],
    "resamples": 2,
    "max_length": 64,
    "evaluate": {"metrics": ["nDCG@10"], "trace": False},
}
CLAIMS = {
    "sweeps": ["sweep.yaml"],
    "runs": {"oracle": {"method": "direct", "teacher": "oracle"}, "start": {"method": "zero-shot"}},
    "hypotheses": {"S": {"check": True, "run": "oracle", "than": "start"}},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frozen file of claims, and its sweep after it ran."""
    folder = tmp_path_factory.mktemp("claims")
    (folder / "sweep.yaml").write_text(yaml.safe_dump(SWEEP | {"claims": "claims.yaml"}, sort_keys=False))
    (folder / "claims.yaml").write_text(yaml.safe_dump(CLAIMS, sort_keys=False))
    freeze_claims(load_claims(folder / "claims.yaml"), Workspace(folder / "workspace").collection)
    planned(folder).run(folder / "results", observer=NullObserver())
    return folder


def planned(home: Path, *overrides: str) -> Plan:
    return Workspace(home / "workspace").plan(home / "sweep.yaml", overrides)


def test_cards_carry_the_freeze_and_what_resamples_share(home: Path) -> None:
    frozen = read_frozen(load_claims(home / "claims.yaml"))
    cards = [read_card(folder) for folder in sorted((home / "results/semanlink-arxiv").iterdir())]
    trained = [card for card in cards if card.resample is not None]

    assert frozen is not None and [card.frozen for card in cards] == [(frozen.hash,)] * len(cards) and len(cards) == 5
    assert {card.shared_queries for card in cards if card.resample is None} == {None}
    (shared,) = {card.shared_queries for card in trained}
    assert shared is not None and [row["part"] for row in planned(home).report()["shared_queries"]] == [shared]
    assert trained[0].setup["candidates"]["training_queries"] == {"mix": {"train": 0.5, "sentences": 0.5}}


def test_the_claims_are_judged_on_these_runs_and_overridden_ones_are_exploratory(home: Path) -> None:
    report = claim_report(home / "claims.yaml", home / "results")
    (result,) = report.verdicts[0].results
    assert result.comparisons[0].difference.runs == 2 and report.verdicts[0].verdict != "exploratory"

    planned(home, "budgets=[20]").run(home / "others", observer=NullObserver())
    other = claim_report(home / "claims.yaml", home / "others")
    assert other.verdicts[0].verdict == "exploratory" and other.exploratory[0].results[0].comparisons


def test_power_is_from_the_pilot_or_from_defaults_named_as_such(home: Path) -> None:
    guessed, known = (power_report(planned(home), 0.02, pilot) for pilot in (None, home / "results"))
    (default,), (row,) = guessed["collections"], known["collections"]

    assert default["source"] == "defaults, no pilot" and (default["deviation"], default["luck"]) == (0.15, 0.01)
    assert row["source"] == "pilot, 2 comparisons with zero-shot" and row["deviation"] != 0.15
    assert (row["queries"], row["resamples"]) == (default["queries"], 2) and row["shared_queries"] > 0
    assert default["margin"]["alone"] < default["difference"]["alone"] and not default["shows"]["difference"]
    assert known["pooled"] is None and render_power(known)


def test_clusters_are_published_with_runs_and_nothing_runs_again(home: Path, tmp_path: Path) -> None:
    results = Path(shutil.copytree(home / "results", tmp_path / "results"))
    plan, asked = planned(home), planned(home, "evaluate.cluster=passage")
    assert [row["key"] for row in asked.stage_rows()] == [row["key"] for row in plan.stage_rows()]
    (collection,) = asked.collections
    passages = sharing_documents(collection.judgments("test").qrels)
    count = len(set(passages.values()))

    assert asked.run(results, observer=NullObserver()).summary["stages"]["run"] == 0
    runs = load_results(results).runs
    assert {run.card.collection.clusters.by for run in runs} == {"passage"}
    assert all(run.clusters == passages for run in runs)
    assert load_board(results).tables[0].tested_on == f"{len(passages)} queries in {count} clusters"
    assert power_report(asked, 0.02)["collections"][0]["clusters"] == count
    taught = seen_in_training(collection, "test")
    assert {run.card.collection.seen_in_training for run in runs} == {taught} and taught > 0.01
    flagged = {row.method: f"test passages seen in training: {taught:.0%}" in row.flags for row in _rows(results)}
    assert flagged == {"zero-shot": False, "direct": True}
    told = load_board(results).as_json()["rows"]
    assert {row["seen_in_training"] for row in told} == {None, taught}

    plan.run(results, observer=NullObserver())
    assert all(run.clusters == {} and run.card.collection.clusters is None for run in load_results(results).runs)


def _rows(results: Path) -> tuple[Row, ...]:
    return load_board(results).tables[0].rows


def test_a_field_that_no_query_has_is_an_error_before_anything_runs(home: Path) -> None:
    with pytest.raises(UserError, match=r"no query of 'semanlink-arxiv' \(test\) has the field 'article'"):
        planned(home, "evaluate.cluster=article")


def test_the_gate_lets_an_oracle_pass_and_no_shuffled_order(home: Path) -> None:
    gates = {gate["teacher"]: gate for gate in gate_report(planned(home))["gates"]}

    assert gates["oracle"]["passes"] and not gates["shuffled"]["passes"]
    human = next(row for row in gates["oracle"]["sources"] if row["source"] == "train")
    assert gates["oracle"]["judged_on"] == "train" and human["first_is_gold"]["teacher"] == 1
    assert human["against"]["candidates"]["p"] < 0.05 and human["against"]["ranker_start"] is None
    assert render_gate({"gates": list(gates.values())})


def test_the_gate_also_asks_the_untrained_ranker_where_a_method_has_one(home: Path) -> None:
    plan = planned(
        home, "methods=[{method: direct, epochs: 1}, {method: intermediate, ranker: {architecture: projection}}]"
    )
    gate = next(gate for gate in gate_report(plan)["gates"] if gate["teacher"] == "oracle")
    (whole,) = [row for row in gate["sources"] if row["source"] == "all"]

    assert whole["against"]["ranker_start"]["difference"] == pytest.approx(whole["teacher"] - whole["ranker_start"])
    assert 0 < whole["against"]["ranker_start"]["p"] < 0.05


@pytest.mark.parametrize("exact", [False, True])
def test_pairs_that_two_methods_read_alike_are_counted_once(home: Path, tmp_path: Path, exact: bool) -> None:
    likelihood = "teachers={smollm2: {kind: likelihood, model: bundled:smollm2-135m}}"
    workspace = home / "workspace" if exact else tmp_path
    calls = []
    for methods in ("[{method: direct, epochs: 1}]", "[{method: direct, epochs: 1}, {method: art, epochs: 1}]"):
        plan = Workspace(workspace).plan(home / "sweep.yaml", ["claims=null", likelihood, f"methods={methods}"])
        calls.append(plan.report()["llm"])

    assert calls[0]["calls"] > 0 and calls[0]["exact"] is exact
    assert calls[0] == calls[1]

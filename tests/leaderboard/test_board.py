"""The board: right numbers, comparable rows only, every doubt flagged."""

from __future__ import annotations

import json
import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UserError
from harness.evaluation.metrics.lookup import evaluate, mean
from harness.evaluation.significance import evaluate_run
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.randomisation import randomisation
from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Row
from harness.published.result_folder import read_results
from harness.retrieval.run import Run
from tests.leaderboard.runs import METRICS, QRELS, make_card, make_run, our_card, put, put_board, put_short, teacher


def rows(results: Path, **options: object) -> list[Row]:
    (table,) = load_board(results, **options).tables
    return list(table.rows)


def test_one_row_a_configuration_sorted_with_oracles_apart(results: Path) -> None:
    found = rows(results)
    assert [(row.rank, row.method, row.teacher, row.budget, row.runs) for row in found] == [
        (1, "intermediate", "smollm2", 300, 3),
        (2, "no-llm", None, None, 1),
        (3, "intermediate", "smollm2", 100, 3),
        (4, "intermediate", "shuffled", 100, 1),
        (5, "zero-shot", None, None, 1),
        (None, "intermediate", "oracle", 100, 1),
    ]
    assert [row.category for row in found] == ["ours", "control", "ours", "control", "baseline", "ours"]


def test_tables_with_a_real_teacher_of_the_method_at_the_centre_come_first(tmp_path: Path) -> None:
    put_board(tmp_path)
    for collection in ("another", "zoo"):
        put(tmp_path, make_card(f"zero-{collection}", collection=collection), make_run(0.2, 1))
    put(tmp_path, our_card("ours-zoo", 100, 0, collection="zoo"), make_run(0.5, 2))
    assert [table.collection for table in load_board(tmp_path).tables] == ["semanlink", "zoo", "another"]


def test_flags_say_every_doubt(results: Path) -> None:
    flags = {(row.method, row.teacher, row.budget): row.flags for row in rows(results)}
    assert flags == {
        ("intermediate", "smollm2", 300): (),
        ("intermediate", "smollm2", 100): ("labels not ok: 20%",),
        ("no-llm", None, None): ("one seed", "better with this run only"),
        ("intermediate", "shuffled", 100): ("placebo", "one seed"),
        ("intermediate", "oracle", 100): ("oracle", "one seed", "better with this run only"),
        ("zero-shot", None, None): (),
    }


def test_means_are_those_of_the_runs_and_intervals_surround_them(results: Path) -> None:
    per_run = [evaluate(make_run(0.5, 1000 + resample).scores, QRELS, METRICS) for resample in range(3)]
    row = next(row for row in rows(results) if row.budget == 100 and row.teacher == "smollm2")
    for name in METRICS:
        estimate = row.metrics[name]
        means = [mean(scores[name]) for scores in per_run]
        assert estimate.mean == pytest.approx(np.mean(means), abs=1e-12)
        if len(set(means)) > 1:
            assert estimate.deviation == pytest.approx(np.std(means, ddof=1), abs=1e-12)
            assert (
                estimate.interval.low
                < estimate.runs_interval.low
                <= estimate.mean
                <= estimate.runs_interval.high
                < estimate.interval.high
            )


def test_intervals_of_single_runs_are_those_of_compare_up_to_the_number_of_samples(results: Path) -> None:
    row = next(row for row in rows(results) if row.method == "zero-shot")
    zero = Run("zero", make_run(0.2, 1).scores)
    other = evaluate_run.compare([zero, make_run(0.7, 3)], QRELS)["runs"][0]
    assert row.metrics["nDCG@10"].mean == other["mean"]
    assert row.metrics["nDCG@10"].interval == pytest.approx(other["interval"], abs=0.01)
    assert row.metrics["nDCG@10"].runs_interval is None


def test_runs_are_averaged_per_query_before_the_test_and_holm_covers_the_table(results: Path) -> None:
    (table,) = load_board(results).tables
    averaged = {
        query: np.mean(
            [evaluate(make_run(0.5, 1000 + r).scores, QRELS, ["nDCG@10"])["nDCG@10"][query] for r in range(3)]
        )
        for query in QRELS
    }
    zero = evaluate(make_run(0.2, 1).scores, QRELS, ["nDCG@10"])["nDCG@10"]
    p = randomisation(np.array([[averaged[query] - zero[query]] for query in sorted(QRELS)]), 0)[0]
    row = next(row for row in table.rows if row.budget == 100 and row.teacher == "smollm2")
    assert row.against.p_runs == p
    assert row.against.p < 0.001
    assert row.against.difference == pytest.approx(np.mean(list(averaged.values())) - mean(zero), abs=1e-12)
    assert row.against.interval.low < row.against.difference < row.against.interval.high
    compared = [other.against for other in table.rows if other.against]
    assert correct(np.array([against.p_runs for against in compared]), "holm").tolist() == [
        against.p_runs_adjusted for against in compared
    ]
    several = [against for against in compared if against.scope == "methods"]
    assert len(several) == 2
    assert correct(np.array([against.p for against in several]), "holm").tolist() == pytest.approx(
        [against.p_adjusted for against in several]
    )
    assert table.family.startswith("5 rows against zero-shot on nDCG@10: paired t over queries and runs")
    assert [row.against for row in table.rows if row.method == "zero-shot"] == [None]


def test_a_placebo_is_not_said_to_be_better(results: Path) -> None:
    placebo = next(row for row in rows(results) if row.teacher == "shuffled")
    assert (placebo.against.verdict, placebo.against.verdict_runs, placebo.against.p) == ("", "", None)
    assert placebo.against.p_runs_adjusted > 0.05


def test_json_has_the_documented_keys(results: Path) -> None:
    found = load_board(results).as_json()
    assert json.loads(json.dumps(found, allow_nan=False))["rows"]
    documented = {
        "collection",
        "method",
        "teacher",
        "ranker_loss",
        "retriever_loss",
        "budget",
        "runs",
        "metrics",
        "cost",
        "flags",
    }
    for row in found["rows"]:
        assert documented <= row.keys()
        assert {"mean", "interval"} <= row["metrics"]["nDCG@10"].keys()
    assert found["rows"][0]["ranker_loss"] == "listmle"
    assert found["rows"][0]["cost"]["usd"] == 0.25
    assert found["tables"][0]["baseline"] == "zero-shot"


def test_another_metric_or_baseline_leads(results: Path) -> None:
    (table,) = load_board(results, metric="MRR@10", baseline="no-llm").tables
    assert (table.metric, table.baseline) == ("RR@10", "no-llm")
    values = [row.metrics["RR@10"].mean for row in table.rows if row.rank]
    assert values == sorted(values, reverse=True)
    assert all(row.against.baseline == "no-llm" for row in table.rows if row.method != "no-llm")


def test_of_several_baseline_rows_it_is_said_which_one_a_row_is_tested_against(tmp_path: Path) -> None:
    for number, (budget, label) in enumerate([(100, "smollm2"), (300, "smollm2"), (300, "shuffled")]):
        false = label == "shuffled"
        of = teacher(label, teacher_type="placebo" if false else "real")
        put(
            tmp_path,
            make_card(f"d{number}", "direct", budget=budget, teacher=of),
            make_run(0.6 if false else 0.4, number),
        )
    for budget in (100, 300):
        put(tmp_path, make_card(f"s{budget}", "supervised", budget=budget), make_run(0.5, budget))
    against = {
        row.budget: row.against.baseline for row in rows(tmp_path, baseline="direct") if row.method == "supervised"
    }
    assert against == {100: "direct · smollm2 · 100 labels", 300: "direct · smollm2 · 300 labels"}


def test_choices_that_fit_nothing_are_errors(results: Path) -> None:
    with pytest.raises(UserError, match=r"no published run of collection 'scifact'.*\n.*semanlink"):
        load_board(results, collection="scifact")
    with pytest.raises(UserError, match="no run was evaluated by AP"):
        load_board(results, metric="AP")
    with pytest.raises(UserError, match="unknown metric"):
        load_board(results, metric="nDGC@10")


def test_an_unknown_baseline_is_a_note_and_no_test(results: Path) -> None:
    found = load_board(results, baseline="bm25")
    assert found.notes == ("semanlink (test): no row of the baseline 'bm25' to compare with",)
    assert all(row.against is None for row in found.tables[0].rows)


def test_a_baseline_without_other_rows_is_not_missed(results: Path) -> None:
    for folder in [*results.glob("*/*/")]:
        if "name: zero-shot\n" not in (folder / "card.yaml").read_text(encoding="utf-8"):
            shutil.rmtree(folder)
    (table,) = load_board(results).tables
    assert {row.method for row in table.rows} == {"zero-shot"}
    assert not [note for note in table.notes if "no row of the baseline" in note]


def test_an_empty_or_absent_folder_gives_an_empty_board(tmp_path: Path) -> None:
    assert load_board(tmp_path).tables == load_board(tmp_path / "nowhere").tables == ()


def test_only_the_named_runs(results: Path) -> None:
    found = rows(results, runs={"zero", "ours-100-0", "ours-100-2"})
    assert [(row.method, row.runs) for row in found] == [("intermediate", 2), ("zero-shot", 1)]


def test_different_contents_and_splits_never_share_a_table(tmp_path: Path) -> None:
    put(tmp_path, make_card("a"), make_run(0.5))
    put(tmp_path, make_card("b", "bm25", content_hash="cd" * 32), make_run(0.5))
    put(tmp_path, make_card("c", "bm25", split="dev"), make_run(0.5))
    put(tmp_path, make_card("d", "bm25", collection="beir/scifact"), make_run(0.5))
    found = load_board(tmp_path)
    assert [(table.collection, table.split, len(table.rows)) for table in found.tables] == [
        ("beir/scifact", "test", 1),
        ("semanlink", "dev", 1),
        ("semanlink", "test", 1),
        ("semanlink", "test", 1),
    ]
    assert [table.rows[0].flags for table in found.tables] == [(), (), ("content abababab",), ("content cdcdcdcd",)]
    assert "'semanlink' (test) has 2 different contents: a table each" in found.notes


def test_settings_that_differ_are_named_and_those_that_do_not_are_not(tmp_path: Path) -> None:
    for tag, settings in (
        ("a", {"distil_queries": None, "lr": 2e-05, "ranker": {"kind": "cross"}}),
        ("b", {"distil_queries": 1000, "lr": 2e-05, "ranker": {"kind": "bi"}}),
    ):
        put(tmp_path, make_card(tag, "intermediate", settings=settings), make_run(0.5))
    put(tmp_path, make_card("c", "direct", settings={"lr": 3e-05}), make_run(0.5))
    assert sorted((row.method, row.variant) for row in rows(tmp_path)) == [
        ("direct", ""),
        ("intermediate", "distil_queries=1000, ranker.kind=bi"),
        ("intermediate", "distil_queries=none, ranker.kind=cross"),
    ]


def test_teachers_of_one_name_with_other_settings_are_other_rows(tmp_path: Path) -> None:
    for tag, model in (("a", "gpt-4.1"), ("b", "gpt-4.1-mini")):
        put(
            tmp_path,
            make_card(tag, "direct", teacher=teacher("gpt", kind="litellm", model=model), budget=100),
            make_run(0.5),
        )
    assert sorted(row.variant for row in rows(tmp_path)) == ["teacher.model=gpt-4.1", "teacher.model=gpt-4.1-mini"]


def test_a_row_is_compared_with_the_baseline_of_its_own_student(tmp_path: Path) -> None:
    for student, quality in (("static", 0.1), ("minilm", 0.6)):
        put(tmp_path, make_card(f"zero-{student}", student=student), make_run(quality, 1))
        put(tmp_path, make_card(f"direct-{student}", "direct", student=student), make_run(quality + 0.3, 2))
    found = {row.student: row for row in rows(tmp_path) if row.method == "direct"}
    assert found["static"].against.baseline == "zero-shot · student=static"
    assert found["minilm"].against.baseline == "zero-shot · student=minilm"


def test_of_a_cell_that_was_published_twice_the_newer_counts(tmp_path: Path) -> None:
    put(tmp_path, make_card("old", seed=0), make_run(0.9))
    later, stages = datetime(2026, 2, 1, tzinfo=UTC), {"run": "2" * 64, "evaluate": "3" * 64}
    put(tmp_path, make_card("new", seed=0, created=later, stages=stages), make_run(0.1))
    found = load_board(tmp_path)
    assert [row.run_ids for row in found.tables[0].rows] == [("new",)]
    assert "1 older runs of cells that were published again are left out: new takes the place of old" in found.notes[0]


def test_missing_queries_count_zero_and_are_flagged(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.5, 1))
    put(tmp_path, make_card("short", "direct"), make_run(0.5, 1, missing=10))
    short = next(row for row in rows(tmp_path) if row.method == "direct")
    assert (short.missing_queries, short.flags) == (10, ("missing queries",))
    full = evaluate(make_run(0.5, 1).scores, QRELS, ["nDCG@10"])["nDCG@10"]
    assert short.metrics["nDCG@10"].mean == pytest.approx(math.fsum(list(full.values())[10:]) / 60)


def test_a_run_evaluated_on_fewer_queries_is_flagged_and_filled_with_zeros(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.5, 1))
    put_short(tmp_path, make_card("short", "direct"), make_run(0.5, 1), dropped=20)
    scores = evaluate(make_run(0.5, 1).scores, QRELS, ["nDCG@10"])
    short = next(row for row in rows(tmp_path) if row.method == "direct")
    assert (short.missing_queries, short.flags) == (20, ("missing queries",))
    assert short.metrics["nDCG@10"].mean == pytest.approx(math.fsum(list(scores["nDCG@10"].values())[20:]) / 60)


def test_a_metric_that_some_rows_lack_does_not_rank_them(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.2, 1))
    put(tmp_path, make_card("other", "direct"), make_run(0.9, 1), metrics=("R@100",))
    found = rows(tmp_path, metric="nDCG@10")
    assert [(row.method, row.rank, list(row.metrics)) for row in found] == [
        ("zero-shot", 1, list(METRICS)),
        ("direct", None, ["R@100"]),
    ]


def test_the_board_does_not_depend_on_order_or_on_other_rows(results: Path, tmp_path: Path) -> None:
    before = {row.run_ids: row.against.p for row in rows(results) if row.against}
    put(results, make_card("aaa", "another"), make_run(0.3, 9))
    after = {row.run_ids: row.against.p for row in rows(results) if row.against}
    assert before.items() <= after.items()
    assert load_board(results).as_json() == load_board(results).as_json()
    assert len(read_results(results)[0]) == 11


def test_text_of_strangers_is_made_plain(tmp_path: Path) -> None:
    hostile = "\x1b[2J<script>alert(1)</script>\u202e"
    put(tmp_path, make_card("x", hostile, settings={"a": 1}, collection=hostile, label=hostile), make_run(0.5))
    put(tmp_path, make_card("y", hostile, settings={"a": hostile}, collection=hostile, label=hostile), make_run(0.5))
    text = json.dumps(load_board(tmp_path).as_json(), ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_metric_that_one_collection_lacks_leads_the_others(tmp_path: Path) -> None:
    put(tmp_path, make_card("a"), make_run(0.5))
    put(tmp_path, make_card("b", collection="scifact"), make_run(0.5), metrics=("R@100",))
    found = load_board(tmp_path, metric="RR@10")
    assert [(table.collection, table.metric) for table in found.tables] == [
        ("scifact", "R@100"),
        ("semanlink", "RR@10"),
    ]
    assert "scifact (test): not evaluated by RR@10, led by R@100" in found.notes


def test_what_others_published_on_a_bundled_collection_stands_with_its_table(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", collection="scifact"), make_run(0.5))
    put(tmp_path, make_card("b"), make_run(0.5))
    anchors = [note for note in load_board(tmp_path, metric="nDCG@10").notes if "published nDCG@10" in note]
    assert anchors == [
        "scifact (test): published nDCG@10: BM25 0.679 (Anserini, flat index), all-MiniLM-L6-v2 0.645 (256 tokens)"
    ]
    assert not any("published R@100" in note for note in load_board(tmp_path, metric="R@100").notes)

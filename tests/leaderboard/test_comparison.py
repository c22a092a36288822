"""A comparison of rows is that of ``harness compare`` on their runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import UserError
from harness.evaluation.metrics.lookup import evaluate
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.compare_runs import compare
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board import board_of, load_board
from harness.leaderboard.comparison import compare_groups, compare_rows, method_groups
from harness.leaderboard.curves.frontier import frontier
from harness.leaderboard.load_results import load_results
from harness.leaderboard.render import comparison_files
from harness.leaderboard.report.all_pairs import all_pairs
from harness.leaderboard.row_query_values import changes, extremes, per_query
from harness.leaderboard.row_texts import titles
from harness.pipeline.inputs import load_run
from harness.retrieval.run import Run
from tests.leaderboard.runs import QRELS, make_card, make_run, put

SINGLE = ("no-llm", "intermediate · oracle · 100 labels", "zero-shot")


def values_of(results: Path, names: tuple[str, ...], metric: str = "nDCG@10") -> tuple[Any, list[list[Run]]]:
    result_set = load_results(results)
    (table,) = board_of(result_set, metric=metric).tables
    rows = titles(table)
    files = [[Run.read(run.folder) for run in result_set.runs_of_row(table, rows[name])] for name in names]
    return per_query(result_set, table, [(name, rows[name]) for name in names]), files


OF_METHODS = {"scope", "with_these_runs", "detectable_runs", "detectable_family"}


def without_names(answer: Mapping[str, Any], left_out: set[str]) -> dict[str, Any]:
    said = {key: value for key, value in answer.items() if key != "notices"}
    said["runs"] = [{**row, "name": ""} for row in answer["runs"]]
    said["comparisons"] = [
        {key: value for key, value in row.items() if key not in {"a", "b", *left_out}} for row in answer["comparisons"]
    ]
    return said


CHOICES = [
    ("nDCG@10", None, TestSpec()),
    ("RR@10", None, TestSpec()),
    ("R@100", None, TestSpec(correction="bh")),
    ("nDCG@10", None, TestSpec(test="t", correction="bonferroni")),
    ("nDCG@10", None, TestSpec(test="tukey")),
    ("RR@10", None, TestSpec(test="maxt")),
    ("nDCG@10", 0, TestSpec(test="maxt")),
    ("nDCG@10", 2, TestSpec(test="wilcoxon", correction="hochberg")),
    ("RR@10", 1, TestSpec(test="bootstrap", correction="by", side=Alternative.greater)),
    ("nDCG@10", 2, TestSpec(test="bootstrap-t", correction="none", interval="bca", seed=3, alpha=0.01, power=0.9)),
]


@pytest.mark.parametrize(("metric", "baseline", "question"), CHOICES)
def test_rows_of_one_run_say_what_harness_compare_says(
    results: Path, metric: str, baseline: int | None, question: TestSpec
) -> None:
    values, files = values_of(results, SINGLE, metric)
    runs = [group[0] for group in files]
    ours = compare_rows(values, question, None if baseline is None else SINGLE[baseline])
    theirs = compare(
        runs, QRELS, baseline=None if baseline is None else runs[baseline], metrics=[metric], question=question
    )
    family = theirs["family"] if baseline is None else theirs["family"].replace(runs[baseline].name, SINGLE[baseline])
    assert theirs["notices"] == []
    # Of a method that chance has a part in, one run tells nothing.
    own = OF_METHODS | ({"p", "p_adjusted", "verdict", "verdicts"} if question.test == "t" else set())
    assert without_names(ours, own) == without_names({**theirs, "family": family}, own)
    assert all(one["scope"] == "runs" for one in ours["comparisons"])
    if question.test == "t":
        assert {one["p"] for one in ours["comparisons"]} == {None}
        assert ours["comparisons"][0]["with_these_runs"]["verdict"] in ("better", "inconclusive")


def test_runs_of_a_row_are_averaged_on_each_query(results: Path) -> None:
    name = "intermediate · smollm2 · listmle → kl · 300 labels · distil_queries=1000, ranker=bi-encoder"
    values, files = values_of(results, ("zero-shot", name))
    assert list(values.queries) == sorted(QRELS)
    scored = [evaluate(run.scores, QRELS, ["nDCG@10"])["nDCG@10"] for run in files[1]]
    expected = [sum(scores[query] for scores in scored) / 3 for query in sorted(QRELS)]
    np.testing.assert_allclose(values.values[:, 1], expected, atol=1e-15)


def test_a_query_that_a_run_lacks_counts_zero(results: Path) -> None:
    put(results, make_card("short", "direct"), make_run(0.5, 1, missing=10))
    values, _ = values_of(results, ("direct", "zero-shot"))
    assert (values.values[:10, 0] == 0).all()
    assert values.missing == (10, 0)


def test_changes_run_from_the_largest_gain_to_the_largest_loss(results: Path) -> None:
    values, _ = values_of(results, ("zero-shot", "no-llm"))
    found = changes(values, 0, 1)
    assert [one.difference for one in found] == sorted(
        (values.values[:, 1] - values.values[:, 0]).tolist(), reverse=True
    )
    assert all(one.difference == one.b - one.a for one in found)
    gains, losses = extremes(found, 3)
    assert gains == found[:3]
    assert losses == found[:-4:-1]
    assert extremes(changes(values, 0, 0)) == ([], [])


def test_a_comparison_has_two_to_six_rows_that_have_the_metric(results: Path) -> None:
    values, _ = values_of(results, ("zero-shot",))
    with pytest.raises(UserError, match="1 row to compare"):
        compare_rows(values, TestSpec())
    put(results, make_card("other", "other"), make_run(0.9, 1), metrics=("R@100",))
    with pytest.raises(UserError, match=r"not evaluated by nDCG@10: other"):
        values_of(results, ("zero-shot", "other"))


def test_the_files_hold_every_comparison(results: Path) -> None:
    values, _ = values_of(results, SINGLE)
    answer = compare_rows(values, TestSpec(test="randomisation"))
    lines = list(csv.DictReader(io.StringIO(comparison_files.csv(answer))))
    for line, row in zip(lines, answer["comparisons"], strict=True):
        assert (line["a"], line["b"], float(line["p_adjusted"])) == (row["a"], row["b"], row["p_adjusted"])
        assert (float(line["low"]), int(line["wins"])) == (row["interval"][0], row["wins"])
    text = comparison_files.latex(answer)
    assert text.count(r"\\") == 4
    assert "{llrrrrrrl}" in text


def published(folder: Path) -> dict[str, str]:
    """Result folders of ours (three resamples), no-llm (the same three) and zero-shot."""
    put(folder, make_card("zero"), make_run(0.2, 1))
    for resample in range(3):
        put(folder, make_card(f"ours-{resample}", "ours", resample=resample, seed=0), make_run(0.6, 10 + resample))
        put(folder, make_card(f"none-{resample}", "none", resample=resample, seed=0), make_run(0.5, 20 + resample))
    return {one.name: str(one) for one in sorted((folder / "semanlink").iterdir())}


def test_result_folders_are_grouped_by_their_cards_and_say_what_the_board_says(tmp_path: Path) -> None:
    folders = published(tmp_path)
    groups = method_groups([*folders.values()], ["zero-shot", folders["none-1"]], load_run)
    assert {name: len(one.runs) for name, one in groups.methods.items()} == {"none": 3, "ours": 3, "zero-shot": 1}
    assert groups.baselines == ("zero-shot", "none")
    answer = compare_groups(groups, QRELS, ["nDCG@10"], TestSpec())
    (table,) = load_board(tmp_path, baseline=("zero-shot", "none")).tables
    (row,) = [row for row in table.rows if row.method == "ours"]
    for one, known in zip(answer["comparisons"], row.against_each, strict=True):
        assert (one["a"], one["scope"]) == (known.baseline, "methods")
        assert one["interval"] == pytest.approx(known.interval, abs=1e-12)
        assert (one["p"], one["p_adjusted"]) == pytest.approx((known.p, known.p_adjusted), rel=1e-9)
    (together,) = answer["against_all"]
    assert (together["p_all"], together["p_any"]) == pytest.approx((row.against_all.p_all, row.against_all.p_any))
    assert together["p_all"] == max(one["p"] for one in answer["comparisons"])
    with pytest.raises(UserError, match="names 0 of the methods"):
        method_groups([*folders.values()], ["bm25"], load_run)


def test_the_same_pair_has_the_same_interval_everywhere(tmp_path: Path) -> None:
    published(tmp_path)
    result_set = load_results(tmp_path)
    (table,) = board_of(result_set).tables
    rows = titles(table)
    board = rows["ours"].against.interval
    page = compare_rows(per_query(result_set, table, [*rows.items()]), TestSpec(), "zero-shot")
    matrix = all_pairs(result_set, table, [*rows.items()]).cell("ours", "zero-shot")
    priced = {one.name: one for one in frontier(result_set, table, [*rows.items()], "usd").rows}
    for found in (next(one["interval"] for one in page["comparisons"] if one["b"] == "ours"), matrix.interval):
        assert found == pytest.approx(board, abs=1e-12)
    assert priced["zero-shot"].beaten_by == "ours"
    assert priced["zero-shot"].interval == pytest.approx(board, abs=1e-12)

"""The answers of ``harness evaluate`` and ``harness compare``: documented shapes, right numbers, clear errors."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import t

from harness.errors import UserError
from harness.evaluation.significance import evaluate_run
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.evaluate_run import Alternative, TestSpec
from harness.retrieval.run import Run

QRELS = {f"q{n}": {f"d{n % 5}": 1, "d9": 2, "x": 0} for n in range(30)}


def make_run(name: str, quality: float, seed: int) -> Run:
    noise = np.random.default_rng(seed).random((30, 12))
    return Run(
        name,
        {
            q: {f"d{d}": float(noise[i, d] + quality * (f"d{d}" in QRELS[q])) for d in range(12)}
            for i, q in enumerate(QRELS)
        },
    )


WEAK, STRONG, OTHER = make_run("weak", 0.0, 1), make_run("strong", 0.8, 2), make_run("other", 0.1, 3)


def shown(renderable: object, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_evaluate_gives_the_documented_shape() -> None:
    answer = evaluate_run.evaluate(WEAK, QRELS, ["nDCG@10", "MRR@10"], collection="toy", per_query=True)
    keys = ["run", "queries", "missing", "metrics", "intervals", "notices", "collection", "per_query"]
    assert list(answer) == keys
    low, high = answer["intervals"]["nDCG@10"]
    own = np.array([*answer["per_query"]["nDCG@10"].values()])
    assert (low, high) == pytest.approx(t.interval(0.95, 29, own.mean(), own.std(ddof=1) / np.sqrt(30)), rel=1e-9)
    assert (answer["run"], answer["queries"], answer["missing"], answer["collection"]) == ("weak", 30, 0, "toy")
    assert list(answer["metrics"]) == ["nDCG@10", "RR@10"] == list(answer["per_query"])
    assert answer["metrics"]["RR@10"] == pytest.approx(np.mean(list(answer["per_query"]["RR@10"].values())))
    assert json.loads(json.dumps(answer, allow_nan=False))["intervals"]["nDCG@10"] == [low, high]


def test_evaluate_has_default_metrics_and_counts_missing_queries_as_zero() -> None:
    half = Run("half", {query: ranked for number, (query, ranked) in enumerate(STRONG.scores.items()) if number % 2})
    answer = evaluate_run.evaluate(half, QRELS)
    assert tuple(answer["metrics"]) == evaluate_run.DEFAULT_METRICS
    assert "per_query" not in answer
    assert answer["missing"] == 15
    full = evaluate_run.evaluate(STRONG, {q: grades for n, (q, grades) in enumerate(QRELS.items()) if n % 2})
    assert answer["metrics"]["nDCG@10"] == pytest.approx(full["metrics"]["nDCG@10"] / 2)
    assert "15 of them missing" in shown(evaluate_run.render_evaluation(answer))


def test_compare_with_a_baseline() -> None:
    answer = evaluate_run.compare([WEAK, STRONG, OTHER], QRELS, baseline=WEAK)
    keys = [
        "metric",
        "test",
        "correction",
        "family",
        "seed",
        "alternative",
        "interval",
        "alpha",
        "power",
        "level",
        "queries",
        "runs",
        "comparisons",
        "notes",
        "notices",
    ]
    assert list(answer) == keys
    assert answer["family"] == "2 comparisons with weak on nDCG@10"
    assert [(row["a"], row["b"]) for row in answer["comparisons"]] == [("weak", "strong"), ("weak", "other")]
    strong, other = answer["comparisons"]
    means = {row["name"]: row["mean"] for row in answer["runs"]}
    assert strong["difference"] == pytest.approx(means["strong"] - means["weak"], abs=1e-9)
    assert strong["wins"] + strong["ties"] + strong["losses"] == 30
    assert strong["p"] < 0.001
    assert strong["p_adjusted"] == pytest.approx(2 * strong["p"])
    assert other["p_adjusted"] == other["p"]
    assert json.loads(json.dumps(answer, allow_nan=False))["comparisons"][0]["interval"] == list(strong["interval"])
    text = shown(evaluate_run.render_comparison(answer))
    assert "against weak" in text and "strong" in text and "better" in text
    assert "holm, over 2 comparisons with weak" in text.replace("\n", "")


def test_compare_without_a_baseline_takes_all_pairs_and_numbers_equal_names() -> None:
    answer = evaluate_run.compare(
        [WEAK, STRONG, Run("strong", OTHER.scores)],
        QRELS,
        metrics=["AP"],
        question=TestSpec(test="t", correction="none", seed=3),
    )
    assert answer["family"] == "3 comparisons of 3 runs on AP"
    assert [row["name"] for row in answer["runs"]] == ["weak", "strong #1", "strong #2"]
    assert [(row["a"], row["b"]) for row in answer["comparisons"]] == [
        ("weak", "strong #1"),
        ("weak", "strong #2"),
        ("strong #1", "strong #2"),
    ]
    assert all(row["p"] == row["p_adjusted"] for row in answer["comparisons"])


def test_a_baseline_from_elsewhere_comes_first() -> None:
    answer = evaluate_run.compare([STRONG, OTHER], QRELS, baseline=WEAK)
    assert [row["name"] for row in answer["runs"]] == ["weak", "strong", "other"]
    assert {row["a"] for row in answer["comparisons"]} == {"weak"}


def test_adding_a_run_does_not_change_the_p_of_another_pair() -> None:
    two = evaluate_run.compare([WEAK, OTHER], QRELS)["comparisons"][0]
    three = evaluate_run.compare([WEAK, OTHER, STRONG], QRELS)["comparisons"][0]
    assert (two["p"], two["interval"]) == (three["p"], three["interval"])


def test_identical_runs_do_not_differ() -> None:
    row = evaluate_run.compare([WEAK, Run("copy", WEAK.scores)], QRELS)["comparisons"][0]
    assert (row["difference"], row["p"], row["effect_size"], row["ties"]) == (0.0, 1.0, 0.0, 30)


def test_an_interval_of_few_queries_ends_at_the_metrics_bounds() -> None:
    run = Run("two", {"q1": {"d1": 1.0}, "q2": {"d2": 1.0}})
    answer = evaluate_run.evaluate(run, {"q1": {"d1": 1}, "q2": {"d1": 1}}, ["nDCG@10"])
    assert answer["metrics"]["nDCG@10"] == 0.5 and answer["intervals"]["nDCG@10"] == (0.0, 1.0)


def test_one_query_has_no_interval() -> None:
    answer = evaluate_run.compare([WEAK, STRONG], {"q1": QRELS["q1"]})
    assert answer["runs"][0]["interval"] is None
    assert answer["comparisons"][0]["p"] == 1.0
    assert answer["family"] == "1 comparison of 2 runs on nDCG@10"
    assert "paired over 1 query," in shown(evaluate_run.render_comparison(answer))


def test_wrong_input_is_refused() -> None:
    with pytest.raises(UserError, match="at least two runs"):
        evaluate_run.compare([WEAK], QRELS)
    with pytest.raises(UserError, match="unknown metric"):
        evaluate_run.compare([WEAK, STRONG], QRELS, metrics=["nDGC@10"])
    with pytest.raises(UserError, match="no judged query"):
        evaluate_run.compare([WEAK, STRONG], {})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"test": "sign"}, "unknown test"),
        ({"correction": "holmes"}, "unknown correction"),
        ({"test": "tukey", "correction": "holm"}, "covers the whole family"),
        ({"alpha": 0.0}, "alpha 0"),
        ({"margin": 0.0}, "margin is 0"),
        ({"noninferior": -1.0}, "non-inferiority margin is -1"),
        ({"power": 0.01}, "power between alpha"),
    ],
)
def test_questions_that_make_no_sense_are_refused(wrong: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        TestSpec(**wrong)


@pytest.mark.parametrize(
    ("question", "metrics", "said"),
    [
        (TestSpec(test="tukey"), ["AP", "RR"], "is of one metric"),
        (TestSpec(test="tukey", side=Alternative.greater), ["AP"], "two-sided"),
        (TestSpec(interval="bcas"), ["AP"], "unknown interval"),
    ],
)
def test_what_does_not_go_together_is_refused(question: TestSpec, metrics: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        evaluate_run.compare([WEAK, STRONG, OTHER], QRELS, metrics=metrics, question=question)


def test_several_metrics_make_one_family() -> None:
    both = evaluate_run.compare([WEAK, STRONG, OTHER], QRELS, baseline=WEAK, metrics=["nDCG@10", "MRR@10"])
    alone = evaluate_run.compare([WEAK, STRONG, OTHER], QRELS, baseline=WEAK, metrics=["RR@10"])
    assert (both["metric"], both["family"]) == ("nDCG@10, RR@10", "4 comparisons with weak on nDCG@10 and RR@10")
    assert [(row["metric"], row["b"]) for row in both["comparisons"]] == [
        ("nDCG@10", "strong"),
        ("nDCG@10", "other"),
        ("RR@10", "strong"),
        ("RR@10", "other"),
    ]
    assert [row["p"] for row in both["comparisons"][2:]] == [row["p"] for row in alone["comparisons"]]
    expected = correct(np.array([row["p"] for row in both["comparisons"]]), "holm")
    assert [row["p_adjusted"] for row in both["comparisons"]] == expected.tolist()
    assert len(both["runs"]) == 6
    assert shown(evaluate_run.render_comparison(both)).count("against weak") == 4


@pytest.mark.parametrize("test", ["tukey", "maxt"])
def test_joint_tests_adjust_by_themselves(test: str) -> None:
    answer = evaluate_run.compare([WEAK, STRONG, OTHER], QRELS, question=TestSpec(test=test))
    plain = evaluate_run.compare([WEAK, STRONG, OTHER], QRELS, question=TestSpec(test="randomisation"))
    assert answer["correction"] == test
    assert [row["p"] for row in answer["comparisons"]] == [row["p"] for row in plain["comparisons"]]
    assert all(row["p_adjusted"] >= row["p"] for row in answer["comparisons"])
    assert answer["comparisons"][0]["verdict"] == "better"


def test_equivalence_power_and_verdicts() -> None:
    near = Run(
        "near",
        {q: {d: score + 1e-9 * ("9" in d) for d, score in ranked.items()} for q, ranked in STRONG.scores.items()},
    )
    answer = evaluate_run.compare(
        [STRONG, near, WEAK], QRELS, baseline=STRONG, question=TestSpec(margin=0.15, correction="bonferroni")
    )
    same, worse = answer["comparisons"]
    assert (answer["margin"], same["verdict"], worse["verdict"]) == (0.15, "equivalent", "worse")
    assert same["equivalence"]["p_adjusted"] == min(1.0, 2 * same["equivalence"]["p"])
    assert worse["equivalence"]["p"] > 0.9
    assert worse["detectable"] is not None and worse["queries_needed"] is not None
    # It was found, so fewer queries than there are would have done, and less would have been detectable.
    assert worse["detectable"] < -worse["difference"] and worse["queries_needed"] < 30
    assert worse["superiority"] == (worse["wins"] + worse["ties"] / 2) / 30
    text = shown(evaluate_run.render_comparison(answer), 80)
    assert "as good" in text and max(map(len, text.splitlines())) <= 80


def test_one_sided_questions_find_the_one_side_only() -> None:
    greater, less = (
        evaluate_run.compare([WEAK, STRONG], QRELS, question=TestSpec(side=side))["comparisons"][0]
        for side in list(Alternative)[1:]
    )
    assert (greater["verdict"], less["verdict"]) == ("better", "inconclusive")
    assert less["p"] > 0.99 and less["queries_needed"] is None


def test_a_run_that_misses_queries_is_flagged() -> None:
    half = Run("half", {query: ranked for number, (query, ranked) in enumerate(STRONG.scores.items()) if number >= 10})
    answer = evaluate_run.compare([WEAK, half], QRELS)
    assert [row["missing"] for row in answer["runs"]] == [0, 10]
    assert "missing" in shown(evaluate_run.render_comparison(answer))


def test_names_from_strangers_reach_the_terminal_harmless() -> None:
    hostile = Run("\x1b[31m[red]evil", WEAK.scores)
    text = shown(evaluate_run.render_evaluation(evaluate_run.evaluate(hostile, QRELS)))
    assert "\x1b" not in text
    assert "[red]evil" in text


@pytest.mark.shared
def test_the_recorded_repeats_are_better_than_bm25_and_not_different_from_each_other(shared_data: Path) -> None:
    folder = shared_data / "trec-dl"
    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "dl19.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split()
        qrels.setdefault(query, {})[document] = int(grade)
    repeats = [Run.read(path) for path in sorted((folder / "rankings" / "gpt-3.5-turbo").glob("bm25.dl19.rep*.trec"))]
    bm25 = Run.read(folder / "candidates" / "bm25.dl19.trec")
    against = evaluate_run.compare(repeats, qrels, baseline=bm25)["comparisons"]
    assert all(row["difference"] > 0.1 and row["p_adjusted"] < 0.001 for row in against)
    among = evaluate_run.compare(repeats, qrels)["comparisons"]
    assert len(among) == 10
    assert all(row["p_adjusted"] > 0.05 for row in among)

"""Synthetic runs, published through `publish` as the pipeline publishes real ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from harness.evaluation.metrics.lookup import Scores, evaluate
from harness.evaluation.metrics.per_query_file import write_scores
from harness.published.card import Card, CardEvaluation, Data, DataSource, MethodSection, ResearchGoal, TeacherSection
from harness.published.card_collection import TestCollection
from harness.published.card_costs import Costs, Verdicts
from harness.published.result_folder import publish, run_folder
from harness.retrieval.run import Run

QUERIES = [f"q{number:03}" for number in range(60)]
QRELS = {query: {f"d{number % 7}": 1, f"d{number % 5 + 7}": 2} for number, query in enumerate(QUERIES)}
DOCUMENTS = [f"d{number}" for number in range(20)]
METRICS = ("nDCG@10", "R@100", "RR@10")


def make_card(tag: str, method: str = "zero-shot", **changes: Any) -> Card:
    """A card; `changes` are fields of the card, or of its method, test collection and training data."""
    about = TestCollection(
        name=changes.pop("collection", "semanlink"),
        split=changes.pop("split", "test"),
        content_hash=changes.pop("content_hash", "ab" * 32),
        former_content_hash=changes.pop("former_content_hash", None),
        drop_identical=changes.pop("drop_identical", False),
    )
    category, settings = changes.pop("category", "baseline"), changes.pop("settings", {})
    base: dict[str, Any] = {
        "tag": tag,
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "research_goal": ResearchGoal(
            sweep="budget.yaml", evaluation=CardEvaluation(reported_measures=METRICS, baseline=("zero-shot",))
        ),
        "method": MethodSection(
            name=method, category=category, sees=("order",), settings=settings, label=changes.pop("label", "")
        ),
        "data": Data(test_collection=about, training_data=(DataSource(name="titles"),)),
        "student": "static",
        "costs": Costs(calls=100, usd_standalone=0.25, train_seconds=12.0),
        "stages": {"run": "0" * 64, "evaluate": "1" * 64},
    }
    return Card(**(base | changes))


def teacher(name: str = "smollm2", **changes: Any) -> TeacherSection:
    """A teacher of a card."""
    return TeacherSection(**({"name": name, "kind": "likelihood", "teacher_type": "real"} | changes))


def our_card(tag: str, budget: int, resample: int, **changes: Any) -> Card:
    """One of our method at a budget, labelled by a teacher."""
    return make_card(
        f"{tag}-{budget}-{resample}",
        "intermediate",
        category="ours",
        budget=budget,
        resample=resample,
        seed=0,
        teacher=teacher(),
        ranker_loss="listmle",
        retriever_loss="kl",
        **changes,
    )


def make_run(quality: float, seed: int = 0, missing: int = 0) -> Run:
    """A run that finds relevant documents the earlier the higher `quality` is."""
    generator = np.random.default_rng(seed)
    noise = generator.random((len(QUERIES), len(DOCUMENTS)))
    return Run(
        "unnamed",
        {
            query: {
                document: float(noise[row, column] + quality * (document in QRELS[query]))
                for column, document in enumerate(DOCUMENTS)
            }
            for row, query in enumerate(QUERIES)
            if row >= missing
        },
    )


def put(
    results: Path, card: Card, run: Run, metrics: tuple[str, ...] = METRICS, beside: Mapping[str, bytes] | None = None
) -> Path:
    """Publish `run` under `card`, with the files `beside` it."""
    return put_scores(results, card, run, evaluate(run.scores, QRELS, metrics), beside)


def put_scores(results: Path, card: Card, run: Run, scores: Scores, beside: Mapping[str, bytes] | None = None) -> Path:
    """Publish `run` with these values of its queries, whatever they are; its card says the same."""
    results.mkdir(parents=True, exist_ok=True)
    folder = run_folder(results, card)
    run.write(results / "run.trec.gz")
    write_scores(results / "metrics.parquet", scores)
    publish(folder, card, results / "run.trec.gz", results / "metrics.parquet", lambda: beside or {})
    return folder


def put_short(results: Path, card: Card, run: Run, dropped: int) -> Path:
    """Publish `run` without the values of the first `dropped` queries."""
    scores = evaluate(run.scores, QRELS, METRICS)
    return put_scores(
        results, card, run, {name: dict(list(values.items())[dropped:]) for name, values in scores.items()}
    )


def put_board(folder: Path) -> None:
    """A small board: two budgets of our method with three runs each, a baseline, a control, a placebo and an oracle."""
    put(folder, make_card("zero", budget=None), make_run(0.2, 1))
    for budget, quality in ((100, 0.5), (300, 0.9)):
        for resample in range(3):
            card = our_card(
                "ours",
                budget,
                resample,
                settings={"distil_queries": 1000, "ranker": "bi-encoder", "ranker_loss": "listmle"},
                labels=Verdicts(ok=budget - 20, partial=20),
            )
            put(folder, card, make_run(quality, 10 * budget + resample))
    put(folder, make_card("no-llm", "no-llm", category="control", seed=0), make_run(0.7, 3))
    placebo = make_card(
        "placebo",
        "intermediate",
        category="control",
        budget=100,
        resample=0,
        seed=0,
        teacher=teacher("shuffled", teacher_type="placebo"),
    )
    put(folder, placebo, make_run(0.2, 4))
    oracle = make_card(
        "oracle",
        "intermediate",
        category="ours",
        budget=100,
        resample=0,
        seed=0,
        teacher=teacher("oracle", teacher_type="oracle"),
    )
    put(folder, oracle, make_run(3.0, 5))

"""A results folder of any size, of valid runs: ``python -m benchmarks.make_results FOLDER [--runs 5000] [--queries
300]``.

Scores are drawn, metrics computed from the runs, and every folder is published as the pipeline publishes real ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import islice, product
from pathlib import Path

import numpy as np

from harness.evaluation.metrics.lookup import evaluate
from harness.evaluation.metrics.per_query_file import write_scores
from harness.published.card import Card, CardEvaluation, Data, DataSource, MethodSection, ResearchGoal, TeacherSection
from harness.published.card_collection import TestCollection
from harness.published.card_costs import Costs, Verdicts
from harness.published.result_folder import publish, run_folder
from harness.retrieval.run import Run

METRICS = ("nDCG@10", "R@100", "RR@10")
DOCUMENTS = 20
TEACHERS = ("small", "medium", "large", "other")
LOSSES = ("listmle", "ranknet", "lambda")
BUDGETS = (100, 300, 1000, 3000)
SEEDS = range(5)


def cards(runs: int) -> list[Card]:
    """Cards of `runs` cells: a zero-shot run first, then methods x budgets x teachers x losses x seeds."""
    axes = product(range(1 + runs // 240), BUDGETS, TEACHERS, LOSSES, SEEDS)
    return [_card("zero-shot", "zero-shot"), *(_cell(*point) for point in islice(axes, runs - 1))]


def _cell(method: int, budget: int, teacher: str, loss: str, seed: int) -> Card:
    return _card(
        f"method-{method:02}-{teacher}-{loss}-b{budget}-s{seed}",
        f"method-{method:02}",
        teacher=TeacherSection(name=teacher, kind="litellm", teacher_type="real"),
        budget=budget,
        resample=seed,
        seed=0,
        ranker_loss=loss,
        retriever_loss="kl",
        labels=Verdicts(ok=budget - 5, partial=5),
        costs=Costs(
            calls=budget,
            input_tokens=900 * budget,
            output_tokens=50 * budget,
            usd_standalone=budget / 2000,
            train_seconds=budget / 20,
        ),
    )


def _card(tag: str, method: str, **more: object) -> Card:
    return Card.model_validate(
        {
            "tag": tag,
            "research goal": ResearchGoal(
                sweep="made.yaml", evaluation=CardEvaluation(reported_measures=METRICS, baseline=("zero-shot",))
            ),
            "method": MethodSection(name=method, category="baseline", sees=("order",), settings={"epochs": 3}),
            "data": Data(
                test_collection=TestCollection(name="made", split="test", content_hash="ab" * 32),
                training_data=(DataSource(name="titles"),),
            ),
            "student": "bi-encoder",
            **more,
        }
    )


def make(results: Path, runs: int, queries: int, seed: int = 0) -> None:
    """Publish `runs` runs over `queries` queries in `results`; those that are there already are kept."""
    generator = np.random.default_rng(seed)
    names = [f"q{number:05}" for number in range(queries)]
    documents = [f"d{number}" for number in range(DOCUMENTS)]
    qrels = {name: {documents[number % 7]: 1, documents[7 + number % 5]: 2} for number, name in enumerate(names)}
    relevant = np.array([[document in qrels[name] for document in documents] for name in names])
    with tempfile.TemporaryDirectory() as temporary:
        run_path, metrics_path = Path(temporary) / "run.trec.gz", Path(temporary) / "metrics.parquet"
        for number, card in enumerate(cards(runs), 1):
            scores = generator.random(relevant.shape) + generator.uniform(0.1, 0.8) * relevant
            run = Run(
                card.tag,
                {
                    name: dict(zip(documents, line, strict=True))
                    for name, line in zip(names, scores.tolist(), strict=True)
                },
            )
            run.write(run_path)
            write_scores(metrics_path, evaluate(run.scores, qrels, METRICS))
            publish(run_folder(results, card), card, run_path, metrics_path)
            if number % 500 == 0:
                print(f"{number:,} of {runs:,} runs", file=sys.stderr)


def main() -> None:
    """Make the folder that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make a results folder of valid runs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=300)
    asked = parser.parse_args()
    make(asked.folder, asked.runs, asked.queries)


if __name__ == "__main__":
    main()

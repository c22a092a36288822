"""Reading as stages of the graph: a reader answers from what a run found, and its answers are scored beside the run."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Corpus, Judgments, Texts
from harness.device import Resources
from harness.evaluation.metrics.answer_metrics import answer_scores, deepest
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.evaluation.metrics.lookup import mean
from harness.evaluation.metrics.per_query_file import FILE, read_scores, write_scores
from harness.labelling.labels.label_files import read_rankings, write_rankings
from harness.labelling.labels.label_stage import answer_sources, labelling_measures, standalone
from harness.labelling.labels.teacher import Task
from harness.ledger.views import MeteredLedger
from harness.llm.chat_teacher import ChatTeacher
from harness.numerics.numerics_class import Numerics
from harness.progress import note_measured
from harness.qa.answer_cases import answers_in, cases
from harness.qa.gold_answers import GoldAnswers, questions
from harness.retrieval.run import Run
from harness.stage import Context, Stage

READINGS, SUMMARY = "readings.jsonl.gz", "summary.json"


@dataclass(frozen=True, eq=False)
class Read(Stage):
    """What a reader says to every question that has a gold answer, shown the first `passages` documents of a run.

    Artefact: ``readings.jsonl.gz``, a ranking each: the passages as they were shown, what was said (raw), whether that
    is an answer (verdict, reason); and ``summary.json``: counts, and under ``alone`` calls, tokens and USD that these
    answers would cost with an empty ledger. What it took when they were made is measured (`labelling_measures`).
    """

    kind: ClassVar[str] = "read"
    computes: ClassVar[bool | None] = False

    reader: ChatTeacher
    source: Stage
    """The run."""
    queries: Texts
    gold: GoldAnswers
    corpus: Texts
    passages: int

    @property
    def label(self) -> str:
        return f"{self.reader.model}, {self.source.kind} {self.source.label}".rstrip()

    @property
    def resources(self) -> Resources:
        return self.reader.resources

    @property
    def computed_in(self) -> Numerics | None:
        return self.reader.computed_in

    def tasks(self, run: Path) -> list[Task]:
        """What the reader is asked, given the artefact folder of the run."""

        return questions(self.queries, self.gold, Run.read(run), self.corpus, self.passages)

    def run(self, out: Path, context: Context) -> None:

        start, meter = time.monotonic(), MeteredLedger(context.ledger)
        readings = list(self.reader.label(self.tasks(context.path(self.source)), meter, context.progress))
        write_rankings(out / READINGS, readings)
        note_measured(out, labelling_measures(meter, start))
        summary = {
            "questions": len(readings),
            "closed_book": sum(not reading.ranked for reading in readings),
            "failed": dict(Counter(reading.reason for reading in readings if reading.verdict == "failed")),
            **self.reader.facts(),
            **standalone(meter),
            **answer_sources(meter.sources.values()),
        }
        (out / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Answered(Stage):
    """Per-query values of a run and of what was answered from it: ``metrics.parquet`` and ``means.json``, in the form
    of `Evaluate`.

    Every judged query counts; one without gold answers counts 0 in the metrics of answers and is not asked. Hits are
    looked for in the text of a document, not in its title, as DPR does.
    """

    kind: ClassVar[str] = "answers"

    source: Stage
    """The run."""
    read: Read | None
    """None where no metric needs a reader."""
    ranking: Evaluate | None
    """The run's own values; None where it has nothing to be judged by."""
    judgments: Judgments
    gold: GoldAnswers
    corpus: Corpus
    metrics: tuple[str, ...]
    """All of them, in the order in which they are told; those of `ranking` among them."""

    def run(self, out: Path, context: Context) -> None:

        run, queries = Run.read(context.path(self.source) / "run.trec.gz"), sorted(self.judgments.qrels)
        said = answers_in(read_rankings(context.path(self.read) / READINGS)) if self.read else {}
        answered = cases(queries, self.gold, run, self.corpus, deepest(self.metrics), said)
        ranked = read_scores(context.path(self.ranking) / FILE) if self.ranking and self.ranking.metrics else {}
        found = ranked | answer_scores(answered, self.metrics)
        scores = {name: found[name] for name in self.metrics}
        write_scores(out / FILE, scores)
        means = {
            "queries": len(queries),
            "missing": sum(not run.scores.get(query) for query in queries),
            "without_answers": sum(query not in self.gold.answers for query in queries),
            "metrics": {name: mean(values) for name, values in scores.items()},
        }
        (out / "means.json").write_text(json.dumps(means, indent=1) + "\n", encoding="utf-8")

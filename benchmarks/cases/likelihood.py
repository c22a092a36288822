"""Query likelihoods of a local LLM."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from benchmarks.case import Case, Peer, Timed
from benchmarks.timing import timed

if TYPE_CHECKING:
    from harness.labelling.labels.teacher import Task
    from harness.teachers.likelihood.query_likelihood import Likelihood

EACH, DEPTH = 5, 10


class QueryLikelihood(Case):
    """Scores over passages that queries share against one forward pass a pair, same model and precision."""

    name: ClassVar[str] = "query likelihood"
    rounds: ClassVar[tuple[int, int]] = (1, 1)

    @property
    def passages(self) -> int:
        """Each is a candidate of five queries."""
        return 20 if self.quick else 200

    def work(self) -> str:
        return f"{EACH * self.passages:,} pairs over {self.passages:,} passages, SmolLM2-135M"

    def prepare(self) -> None:
        from harness.collections.parse import parse_source
        from harness.collections.prepared import prepare

        corpus = prepare(parse_source("semanlink"), self.folder / "collections").corpus
        texts = corpus.slice_texts(0, min(self.passages, len(corpus)))
        distinct = [f"{texts[number % len(texts)]} {number // len(texts)}" for number in range(self.passages)]
        (self.folder / "passages.json").write_text(json.dumps(distinct), encoding="utf-8")

    def _tasks(self) -> list[Task]:
        from harness.labelling.labels.teacher import Candidate, Task

        texts = json.loads((self.folder / "passages.json").read_text(encoding="utf-8"))
        candidates = [Candidate(f"d{number}", text) for number, text in enumerate(texts)]
        starts = range(0, EACH * self.passages, DEPTH)
        chosen = ([candidates[(start + place) % self.passages] for place in range(DEPTH)] for start in starts)
        return [Task(f"q{number}", f"topic number {number}", tuple(found)) for number, found in enumerate(chosen)]

    def _teacher(self) -> Likelihood:
        from harness.teachers.likelihood.query_likelihood import Likelihood
        from harness.teachers.make import teacher_from

        teacher = teacher_from({"kind": "likelihood", "precision": "fp32"})
        assert isinstance(teacher, Likelihood)
        return teacher

    def ours(self) -> Timed:
        from harness.ledger.ledger import Ledger
        from harness.progress import silent

        teacher, tasks, file = self._teacher(), self._tasks(), self.folder / "ledger.sqlite"
        file.unlink(missing_ok=True)
        seconds, rankings = timed(lambda: list(teacher.label(tasks, Ledger(file), silent)))
        scores = {one.query: dict(zip(one.ranked + one.unranked, one.scores or (), strict=True)) for one in rankings}
        (self.folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
        return Timed(seconds, note=f"ours {EACH * self.passages / seconds:.0f} pairs/s")

    def peers(self) -> tuple[Peer, ...]:
        return (Peer("one forward pass a pair, timed on a sample", self._naive),)

    def _naive(self) -> Timed:
        from benchmarks.naive import naive_scores

        tasks = self._tasks()
        scores = json.loads((self.folder / "scores.json").read_text(encoding="utf-8"))
        sample = tasks[:: max(1, len(tasks) // (2 if self.quick else 30))]
        spent, worst = naive_scores(self._teacher(), sample, scores)
        return Timed(spent * EACH * self.passages, note=f"scores within {worst:.0e}")

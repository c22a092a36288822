"""From what a reader said to cases that metrics of short answers can be computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.collections.collection import Corpus
from harness.evaluation.measures._passage_hits import PassageHits
from harness.evaluation.measures.answer_measures import AnswerCase
from harness.labelling.labels.ranking import Ranking
from harness.qa.answer_prompter import short_answer
from harness.qa.gold_answers import GoldAnswers, found_texts
from harness.retrieval.run import Run


def answers_in(readings: Iterable[Ranking]) -> dict[str, str]:
    """The short answers by query id; readings that failed are left out."""
    return {reading.query: short_answer(reading.raw) for reading in readings if reading.verdict != "failed"}


def cases(
    queries: Sequence[str], gold: GoldAnswers, run: Run, corpus: Corpus, depth: int, answers: Mapping[str, str]
) -> dict[str, AnswerCase]:
    """A case for every query, in their order; hits are looked for in the text of its first `depth` documents, titles
    left out."""
    texts = found_texts(queries, run, corpus, depth)
    read, nothing = PassageHits(), ()
    golds = {query: gold.answers.get(query, nothing) for query in queries}
    return {
        query: AnswerCase(golds[query], answers.get(query, ""), read.first_hit(texts[query], golds[query]))
        for query in queries
    }

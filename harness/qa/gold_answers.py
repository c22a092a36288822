"""From a run and gold answers to what a reader is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.collections.collection import Collection, Corpus, Texts
from harness.errors import UserError
from harness.labelling.labels.teacher import Candidate, Task
from harness.retrieval.run import Run
from harness.stage import digest


@dataclass(frozen=True)
class GoldAnswers:
    """The short answers of a split, by query id; queries without any are left out. `identity` is a content hash."""

    identity: str
    answers: Mapping[str, tuple[str, ...]] = field(compare=False, repr=False)

    @classmethod
    def of(cls, collection: Collection, split: str) -> GoldAnswers:
        """Raises UserError when no query of the split has one."""
        found = {query: answers for query, answers in collection.answers(split).items() if answers}
        if not found:
            raise UserError(
                f"the queries of '{collection.name}' ({split}) have no short answers",
                remedy="take a collection with answers: metadata.answers in queries.jsonl",
            )
        return cls(digest(found), found)


def questions(queries: Texts, gold: GoldAnswers, run: Run, corpus: Texts, passages: int) -> list[Task]:
    """A task for every query with gold answers, in the order of `queries`, with the first `passages` documents of the
    run.

    Documents that the corpus does not have are no passages. Without passages a task is a question for a closed book.
    """
    ids = [query for query in queries.ids if query in gold.answers]
    shown = {query: run.top(query, passages) for query in ids}
    texts = _texts(corpus, list(dict.fromkeys(document for documents in shown.values() for document in documents)))
    return [
        Task(query, text, tuple(Candidate(document, texts[document]) for document in shown[query] if document in texts))
        for query, text in zip(ids, queries.texts(ids), strict=True)
    ]


def found_texts(queries: Sequence[str], run: Run, corpus: Corpus, depth: int) -> dict[str, list[str]]:
    """The texts, without titles, of the first `depth` documents of each query; empty ones stand for documents that are
    not there."""
    shown = {query: run.top(query, depth) for query in queries}
    wanted = known(corpus, list(dict.fromkeys(document for documents in shown.values() for document in documents)))
    texts = {document.id: document.text for document in corpus.documents(corpus.rows(wanted))}
    return {query: [texts.get(document, "") for document in documents] for query, documents in shown.items()}


def _texts(corpus: Texts, documents: list[str]) -> dict[str, str]:
    there = known(corpus, documents)
    return dict(zip(there, corpus.texts(there), strict=True))


def known(corpus: Texts, documents: list[str]) -> list[str]:
    """Those of `documents` that the corpus has."""
    try:
        corpus.rows(documents)
    except KeyError:
        held = corpus.ids
        return [document for document in documents if document in held]
    return documents

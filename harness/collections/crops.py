"""Training queries, human and made from documents: titles, and sentences cropped from the text.

A sentence as a stand-in for a query is the simplest of the generated queries in TWOLAR (arXiv 2403.17759) and DRAGON
(arXiv 2302.07452); no language model is needed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from harness.collections.collection import Corpus, Document, Judgments, Texts
from harness.collections.splits import normalised

HUMAN = "train"
"""The source of queries that people wrote; all others are made from documents."""

TITLE_WORDS, TITLE_CHARACTERS = 2, 10
"""A shorter title is no query."""
SENTENCE_WORDS = range(6, 41)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
"""A blank line ends a sentence, a single line end does not: abstracts and plain-text mail are wrapped."""


class TrainingQuery(NamedTuple):
    """A query to train with. `gold` holds grades by document id: the curators' judgments, or the document it was made
    from."""

    id: str
    text: str
    source: str
    gold: dict[str, int]


class Material(NamedTuple):
    """What training queries are made of."""

    corpus: Corpus
    queries: Texts | None
    judgments: Judgments | None
    seed: int

    def documents(self, source: str) -> Iterator[Document]:
        """All documents in a random order of the seed and the source, read as far as they are wanted."""
        return self.corpus.documents(self.shuffled(len(self.corpus), source))

    def shuffled(self, size: int, source: str) -> np.ndarray:
        """A permutation of range(size), int64. RandomState because numpy promises never to change what it returns."""
        return np.random.RandomState(_hash(f"{source}:{self.seed}") % 2**32).permutation(size)


def _train(given: Material) -> Iterator[TrainingQuery]:
    """The human train split."""
    if given.queries is not None and given.judgments is not None:
        texts = given.queries.slice_texts(0, len(given.queries))
        names = list(given.queries.ids)
        for row in given.shuffled(len(names), HUMAN):
            gold = given.judgments.qrels[names[row]]
            if given.judgments.drop_identical:
                gold = {document: grade for document, grade in gold.items() if document != names[row]}
            yield TrainingQuery(names[row], texts[row], HUMAN, gold)


def _titles(given: Material) -> Iterator[TrainingQuery]:
    """Document titles of at least 2 words and 10 characters."""
    for document in given.documents("titles"):
        words = document.title.split()
        title = " ".join(words)
        if len(words) >= TITLE_WORDS and len(title) >= TITLE_CHARACTERS:
            yield TrainingQuery(f"title:{document.id}", title, "titles", {document.id: 1})


def _sentences(given: Material) -> Iterator[TrainingQuery]:
    """One sentence of 6 to 40 words of every document, chosen by `seed`."""
    for document in given.documents("sentences"):
        sentences = [text for text in _pieces(document.text) if len(text.split()) in SENTENCE_WORDS]
        if sentences:
            chosen = sentences[_hash(f"{given.seed}:{document.id}") % len(sentences)]
            yield TrainingQuery(f"sentence:{document.id}", chosen, "sentences", {document.id: 1})


SOURCES: Mapping[str, Callable[[Material], Iterator[TrainingQuery]]] = {
    HUMAN: _train,
    "titles": _titles,
    "sentences": _sentences,
}
"""Where training queries may come from."""


def _pieces(text: str) -> Iterator[str]:
    """Sentences; one that is too long (or a text without full stops) in as few equal parts as fit."""
    for sentence in _SENTENCE_END.split(text):
        words = sentence.split()
        parts = -(-len(words) // SENTENCE_WORDS[-1])
        size = -(-len(words) // parts) if parts else 1
        yield from (" ".join(words[start : start + size]) for start in range(0, len(words), size))


def pick(queries: Iterable[TrainingQuery], cap: int, taken: set[str]) -> list[TrainingQuery]:
    """The first `cap` of `queries` that are fit to train with. Left out are empty ones, those whose text is in `taken`
    and, of queries made from documents with the same text, all but the first.
    """
    picked: list[TrainingQuery] = []
    made: set[str] = set()
    for query in queries:
        text = normalised(query.text)
        if not text or text in taken or text in made:
            continue
        if query.source != HUMAN:
            made.add(text)
        picked.append(query)
        if len(picked) == cap:
            break
    return picked


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")

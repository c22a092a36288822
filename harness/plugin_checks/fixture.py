"""The small collection on which methods and teachers are checked, and changed copies of it.

A made-up library of a thousand short documents on forty subjects: large enough that every usual method finds its
training lists, small enough to be embedded in a second. A copy differs from the plain one in exactly what its
`FixtureVariant` says, so that a method that must not see something gives the same retriever on both.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from harness.collections.folder import FolderSettings, FolderSource
from harness.collections.prepared import PreparedCollection, prepare
from harness.plugin_checks.stub_teacher import EVERY
from harness.stage import digest

SUBJECTS = 40
DOCUMENTS = 1_000
SIZES = {"train": 60, "dev": 12, "test": 12}
_SOUNDS = [a + b for a in "bdfgklmnprst" for b in "aeiou"]


@dataclass(frozen=True)
class FixtureVariant:
    """What a copy changes: the words of the test queries, or the judgments and the short answers of some queries."""

    test_queries: bool = False
    """Whether the test queries are others; so are their judgments then."""
    judgments: tuple[str, ...] = ()
    """Ids of queries whose relevant documents are others."""
    answers: tuple[str, ...] = ()
    """Ids of queries whose short answers are others."""
    unanswered: bool = False
    """Whether some training queries have no short answer."""

    def __or__(self, other: FixtureVariant) -> FixtureVariant:
        """The copy that changes what either changes."""
        return FixtureVariant(
            self.test_queries or other.test_queries,
            self.judgments + other.judgments,
            self.answers + other.answers,
            self.unanswered or other.unanswered,
        )


PLAIN = FixtureVariant()


def query_ids(split: str) -> tuple[str, ...]:
    """Ids of the queries of a split."""
    return tuple(f"{split}-{number}" for number in range(SIZES[split]))


def collection(world: FixtureVariant, home: Path) -> PreparedCollection:
    """The collection of `world`, written and prepared below `home` unless it is there. Each has a name of its own."""
    mark = digest(world)[:12]
    folder, name = home / f"world-{mark}", "contracts" if world == PLAIN else f"contracts-{mark}"
    if not (folder / "qrels" / "test.tsv").is_file():
        _write(world, folder)
    return prepare(FolderSource(FolderSettings(folder=str(folder), name=name)), home / "prepared")


def _vocabulary() -> list[list[str]]:
    """Thirty made-up words for each subject."""
    choose = random.Random(0)
    return [["".join(choose.choices(_SOUNDS, k=3)) for _ in range(30)] for _ in range(SUBJECTS)]


def _write(world: FixtureVariant, folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    words, choose = _vocabulary(), random.Random(1)
    documents = [_document(number, words, choose) for number in range(DOCUMENTS)]
    (folder / "corpus.jsonl").write_text("".join(documents), encoding="utf-8")
    queries: list[str] = []
    for split in SIZES:
        lines = []
        for number, query in enumerate(query_ids(split)):
            subject = choose.randrange(SUBJECTS)
            shift = split == "test" and world.test_queries
            text = " ".join(random.Random(f"{query} {shift}").sample(words[subject], 3))
            told = text.split()[-1 if query in world.answers else 0]
            answers = [] if world.unanswered and split == "train" and number % EVERY == 0 else [told]
            queries.append(json.dumps({"_id": query, "text": text, "metadata": {"answers": answers}}) + "\n")
            moved = query in world.judgments or shift
            lines += [
                f"{query}\td{document}\t1\n" for document in (range(0, DOCUMENTS, 3) if moved else _relevant(subject))
            ]
        (folder / "qrels" / f"{split}.tsv").write_text(
            "query-id\tcorpus-id\tscore\n" + "".join(lines), encoding="utf-8"
        )
    (folder / "queries.jsonl").write_text("".join(queries), encoding="utf-8")


def _document(number: int, words: list[list[str]], choose: random.Random) -> str:
    """One line of the corpus; the subject of document n is n modulo the number of subjects."""
    own, other = words[number % SUBJECTS], words[choose.randrange(SUBJECTS)]
    row = {
        "_id": f"d{number}",
        "title": " ".join(choose.sample(own, 3)),
        "text": " ".join(choose.sample(own, 7) + choose.sample(other, 3)),
    }
    return json.dumps(row) + "\n"


def _relevant(subject: int) -> list[int]:
    """Three documents of a subject. Other judgments name every third document, so that whoever reads them ends
    otherwise."""
    return [subject + SUBJECTS * place for place in range(3)]

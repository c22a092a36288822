"""The small collection on which methods and teachers are checked, and changed copies of it.

A made-up library of a thousand short documents on forty subjects: large enough that every usual method finds its training lists, small
enough to be embedded in a second. A copy differs from the plain one in exactly what its `World` says, so that a method that must not
see something gives the same retriever on both.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from harness.collections.folder import FolderSettings, FolderSource
from harness.collections.prepared import PreparedCollection, prepare
from harness.contracts.double import EVERY
from harness.stage import digest

SUBJECTS = 40
DOCUMENTS = 1_000
TRAINING, HELD_OUT = 60, 12
_SOUNDS = [a + b for a in "bdfgklmnprst" for b in "aeiou"]


@dataclass(frozen=True)
class World:
    """What a copy changes: the judgments or the words of the test queries, and the judgments of some training queries."""

    test_judgments: bool = False
    test_queries: bool = False
    training_judgments: tuple[str, ...] = ()
    """Ids of training queries whose relevant documents are others."""
    unanswered: bool = False
    """Whether some training queries have no short answer."""


PLAIN = World()


def collection(world: World, home: Path) -> PreparedCollection:
    """The collection of `world`, written and prepared below `home` unless it is there."""
    folder = home / f"world-{digest(world)[:12]}"
    if not (folder / "qrels" / "test.tsv").is_file():
        _write(world, folder)
    return prepare(FolderSource(FolderSettings(folder=str(folder), name="contracts")), home / "prepared")


def _vocabulary() -> list[list[str]]:
    """Thirty made-up words for each subject."""
    choose = random.Random(0)
    return [["".join(choose.choices(_SOUNDS, k=3)) for _ in range(30)] for _ in range(SUBJECTS)]


def _write(world: World, folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    words, choose = _vocabulary(), random.Random(1)
    documents = [_document(number, words, choose) for number in range(DOCUMENTS)]
    (folder / "corpus.jsonl").write_text("".join(documents), encoding="utf-8")
    queries: list[str] = []
    for split, size in (("train", TRAINING), ("dev", HELD_OUT), ("test", HELD_OUT)):
        lines = []
        for number in range(size):
            query, subject = f"{split}-{number}", choose.randrange(SUBJECTS)
            shift = split == "test" and world.test_queries
            text = " ".join(random.Random(f"{query} {shift}").sample(words[subject], 3))
            answers = [] if world.unanswered and split == "train" and number % EVERY == 0 else [text.split()[0]]
            queries.append(json.dumps({"_id": query, "text": text, "metadata": {"answers": answers}}) + "\n")
            moved = query in world.training_judgments or (split == "test" and (world.test_judgments or world.test_queries))
            lines += [f"{query}\td{document}\t1\n" for document in _relevant(subject, SUBJECTS // 2 if moved else 0)]
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines), encoding="utf-8")
    (folder / "queries.jsonl").write_text("".join(queries), encoding="utf-8")


def _document(number: int, words: list[list[str]], choose: random.Random) -> str:
    """One line of the corpus; the subject of document n is n modulo the number of subjects."""
    own, other = words[number % SUBJECTS], words[choose.randrange(SUBJECTS)]
    row = {"_id": f"d{number}", "title": " ".join(choose.sample(own, 3)), "text": " ".join(choose.sample(own, 7) + choose.sample(other, 3))}
    return json.dumps(row) + "\n"


def _relevant(subject: int, shift: int) -> list[int]:
    """Three documents of a subject, or of the one `shift` further."""
    return [(subject + shift) % SUBJECTS + SUBJECTS * place for place in range(3)]

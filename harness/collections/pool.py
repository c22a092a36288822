"""Where training queries come from: the human train split, or the documents themselves. One artefact holds them all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.collections.collection import Collection, Corpus, Judgments, Texts
from harness.collections.crops import HUMAN, SOURCES, Material, TrainingQuery, pick
from harness.collections.own_documents import plain_queries
from harness.collections.splits import normalised
from harness.errors import UserError, did_you_mean
from harness.stage import Context, Stage

__all__ = ["SOURCES", "MixedPool", "Pool", "Shares", "TrainingQuery", "read_pool", "shares_of", "training_pool"]

FILE = "pool.jsonl"
Shares = tuple[tuple[str, float], ...]
"""(source, share); shares are positive and sum to 1."""


@dataclass(frozen=True, eq=False)
class Pool(Stage):
    """All training queries of a collection, at most `cap` of each source, in the order of `sources`. Artefact:
    ``pool.jsonl``.

    No query equals one of `held_out` (dev and test), without regard to case and spacing; nor does a query made from a
    document equal any other of the pool. Of more than `cap` queries a uniform sample stays, drawn by `seed`.
    """

    kind: ClassVar[str] = "pool"

    corpus: Corpus
    queries: Texts | None
    """The human training queries, and their judgments as gold; None where there is no train split."""
    judgments: Judgments | None
    held_out: tuple[Texts, ...]
    sources: tuple[str, ...] = ("train", "titles")
    cap: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.cap < 1:
            raise UserError(f"the cap on training queries is {self.cap}", remedy="let it be at least 1")
        for name in self.sources:
            if name not in SOURCES:
                raise UserError(f"unknown source of training queries '{name}'", remedy=did_you_mean(name, SOURCES))

    @property
    def label(self) -> str:
        return ", ".join(self.sources)

    @property
    def drop_identical(self) -> bool:
        """Whether the document that has the id of a query is left out for it."""
        return self.judgments is not None and self.judgments.drop_identical

    def run(self, out: Path, context: Context) -> None:
        with (out / FILE).open("w", encoding="utf-8") as stream:
            for query in self.rows():
                stream.write(json.dumps(query._asdict(), ensure_ascii=False) + "\n")

    def rows(self) -> Iterator[TrainingQuery]:
        """What the artefact holds, computed here: for planning, before anything runs."""
        given = Material(self.corpus, self.queries, self.judgments, self.seed)
        taken = {normalised(text) for texts in self.held_out for text in texts.slice_texts(0, len(texts))}
        for name in dict.fromkeys(self.sources):
            chosen = pick(SOURCES[name](given), self.cap, taken)
            taken.update(normalised(query.text) for query in chosen)
            yield from chosen


@dataclass(frozen=True, eq=False)
class MixedPool(Pool):
    """A pool of which every budget takes the same `shares`; its sources are theirs, and the artefact that of a pool."""

    shares: Shares = ()

    @property
    def label(self) -> str:
        return ", ".join(f"{share:.0%} {source}" for source, share in self.shares)


def training_pool(
    collection: Collection,
    sources: tuple[str, ...] = ("train", "titles"),
    cap: int = 10_000,
    seed: int = 0,
    shares: Shares | None = None,
) -> Pool:
    """The pool of a collection: its train split and documents, kept apart from all its other splits. With `shares` one
    of which every budget takes that mixture."""
    human = HUMAN in sources and "train" in collection.splits
    given: dict[str, Any] = {
        "corpus": collection.corpus,
        "queries": collection.queries("train") if human else None,
        "judgments": collection.judgments("train") if human else None,
        "held_out": tuple(plain_queries(collection.queries(split)) for split in collection.splits if split != "train"),
        "sources": sources,
        "cap": cap,
        "seed": seed,
    }
    return Pool(**given) if shares is None else MixedPool(**given, shares=shares)


def shares_of(pool: object) -> Shares | None:
    """The mixture of a pool; None where sources are drawn one after another."""
    return pool.shares if isinstance(pool, MixedPool) else None


def read_pool(folder: Path) -> list[TrainingQuery]:
    """The queries of a pool artefact, in its order."""
    with (folder / FILE).open(encoding="utf-8") as stream:
        return [TrainingQuery(**json.loads(line)) for line in stream]

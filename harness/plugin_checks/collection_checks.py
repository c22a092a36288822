"""What a source of collections promises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from harness.collections.collection import CollectionSource, SourceSettings
from harness.collections.prepared import PreparedCollection, prepare
from harness.plugin_checks.check import Broken, Checks, NotChecked, check_description, raised

T = TypeVar("T")


@dataclass
class CollectionSetup:
    """A source with its settings, and prepared copies below `home`."""

    kind: type[CollectionSource]
    settings: SourceSettings
    home: Path

    def source(self) -> CollectionSource:
        """A new instance."""
        return self.kind(self.settings)

    @cached_property
    def documents(self) -> list[str]:
        """All document ids as the source yields them. Raises Broken ``reads`` when that fails."""
        return _read("documents", (document.id for document in self.source().documents()))

    @cached_property
    def queries(self) -> list[str]:
        """All query ids as the source yields them."""
        return _read("queries", (query.id for query in self.source().queries()))

    @cached_property
    def judged(self) -> list[tuple[str, str, str]]:
        """Split, query and document of every judgment."""
        return _read(
            "judgments",
            ((split, one.query, one.document) for split, lines in self.source().judgments().items() for one in lines),
        )

    def prepared(self, name: str) -> PreparedCollection:
        """Read once more, into a folder of its own."""
        try:
            return prepare(self.source(), self.home / name)
        except Exception as error:
            raise Broken(raised(error), "reads") from error


def _read(what: str, rows: Iterable[T]) -> list[T]:
    try:
        return list(rows)
    except Exception as error:
        raise Broken(f"reading its {what}, {raised(error)}", "reads") from error


CONTRACTS: Checks[CollectionSetup] = Checks()
"""What is tried, in this order."""


@CONTRACTS.add(
    "describes-itself", "says what it is, and under which licence", remedy="set name, summary and licence on the class"
)
def describes_itself(setup: CollectionSetup) -> None:
    """Attributes that lists and boards rely on."""
    wrong = not issubclass(setup.kind.Settings, SourceSettings)
    faults = ["'Settings' must be a SourceSettings: every source takes dev_share and dev_cap"] if wrong else []
    check_description(setup.kind, faults, texts=["licence"])


@CONTRACTS.add(
    "reads", "yields documents, queries and judgments", remedy="see the reason; `--set KEY=VALUE` gives it settings"
)
def reads(setup: CollectionSetup) -> None:
    """Documents, queries and judgments are there."""
    for name, rows in (("documents", setup.documents), ("queries", setup.queries), ("judgments", setup.judged)):
        if not rows:
            raise Broken(f"it has no {name}")
    setup.prepared("once")


@CONTRACTS.add(
    "ids", "gives every document and query an id of its own", remedy="make ids from what is unique in the source"
)
def has_unique_ids(setup: CollectionSetup) -> None:
    """Of documents and of queries."""
    for name, ids in (("document", setup.documents), ("query", setup.queries)):
        if len(set(ids)) < len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise Broken(f"the {name} id '{twice}' occurs more than once")
        if "" in ids:
            raise Broken(f"a {name} id is empty")


@CONTRACTS.add(
    "qrels", "judges queries and documents that it yields", remedy="leave out judgments of what you leave out"
)
def judges_known_ids(setup: CollectionSetup) -> None:
    """Judgments name queries and documents that are there."""
    documents, queries = set(setup.documents), set(setup.queries)
    for split, query, document in setup.judged:
        if query not in queries:
            raise Broken(f"'{split}' judges the query '{query}', which it does not yield")
        if document not in documents:
            raise Broken(f"'{split}' judges the document '{document}' for query '{query}', which it does not yield")


@CONTRACTS.add(
    "splits",
    "has a test split whose queries are in no other",
    remedy="name the splits train, dev and test; give each query one",
)
def has_splits(setup: CollectionSetup) -> None:
    """There is something to test on that nobody trains on."""
    found = setup.prepared("once")
    if not set(found.splits) - {"train", "dev"}:
        raise Broken(f"it has no test split, only {', '.join(found.splits)}")
    overlap = [fault for fault in found.report if "removed from" in fault.message]
    if overlap:
        raise Broken(f"its splits share queries: {overlap[0]}")


@CONTRACTS.add(
    "hash",
    "is the same collection when it is read again",
    remedy="yield rows in a fixed order; sort what comes from a set or a folder",
)
def has_a_stable_hash(setup: CollectionSetup) -> None:
    """Read again, it is the same collection."""
    one, other = setup.source().fingerprint(), setup.source().fingerprint()
    if one != other:
        raise Broken("its fingerprint changes from one instance to the next, so that it would be read anew each time")
    if setup.prepared("once").content_hash != setup.prepared("twice").content_hash:
        raise Broken(
            "read twice, its content hash differs: documents or queries come in another order or with other texts"
        )


@CONTRACTS.add("texts", "has texts to search and to ask", remedy="join the fields that hold the text")
def has_texts(setup: CollectionSetup) -> None:
    """Documents and queries say something."""
    source = setup.source()
    empty = [document.id for document in source.documents() if not f"{document.title}{document.text}".strip()]
    if len(empty) * 2 > len(setup.documents):
        raise Broken(
            f"{len(empty)} of {len(setup.documents)} documents have neither title nor text, such as '{empty[0]}'"
        )
    if blank := [query.id for query in source.queries() if not query.text.strip()]:
        raise Broken(f"the query '{blank[0]}' has no text")


@CONTRACTS.add("answers", "gives short answers as tuples of texts", remedy="wrap a single answer: answers=(text,)")
def gives_answers(setup: CollectionSetup) -> None:
    """Short answers are texts."""
    given = {query.id: query.answers for query in setup.source().queries() if query.answers}
    if not given:
        raise NotChecked("it has no short answers")
    if wrong := [
        query
        for query, answers in given.items()
        if isinstance(answers, str) or not all(isinstance(one, str) for one in answers)
    ]:
        raise Broken(f"the answers of query '{wrong[0]}' are no tuple of texts")

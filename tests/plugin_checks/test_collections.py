"""Every broken contract of a collection is caught by its name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from harness.collections.collection import CollectionSource, Document, Judgment, Query
from harness.plugin_checks.run_checks import check

COUNT = itertools.count()


class Shelf(CollectionSource):
    """Four documents and two queries; the others here each spoil one thing of it."""

    name = "shelf"
    summary = "for tests"
    licence = "public domain"

    def fingerprint(self) -> str:
        return "1"

    def documents(self) -> Iterator[Document]:
        return (Document(f"d{number}", "", f"text number {number}") for number in range(4))

    def queries(self) -> Iterator[Query]:
        yield Query("q1", "the first", ("one",))
        yield Query("q2", "the second")

    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {"train": iter([Judgment("q1", "d1", 1)]), "test": iter([Judgment("q2", "d2", 1)])}


class Unlicensed(Shelf):
    """Under no licence."""

    licence = ""


class Raises(Shelf):
    def documents(self) -> Iterator[Document]:
        raise OSError("no disk")


class Twice(Shelf):
    def documents(self) -> Iterator[Document]:
        return itertools.chain(super().documents(), super().documents())


class Stray(Shelf):
    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {"test": iter([Judgment("q2", "d9", 1)])}


class Untested(Shelf):
    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {"train": iter([Judgment("q1", "d1", 1), Judgment("q2", "d2", 1)])}


class Overlapping(Shelf):
    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {
            "train": iter([Judgment("q1", "d1", 1), Judgment("q2", "d1", 1)]),
            "test": iter([Judgment("q2", "d2", 1)]),
        }


class Restless(Shelf):
    def documents(self) -> Iterator[Document]:
        return (Document(f"d{number}", "", f"text {next(COUNT)}") for number in range(4))


class Blank(Shelf):
    def queries(self) -> Iterator[Query]:
        yield from super().queries()
        yield Query("q3", " ")


class Letters(Shelf):
    def queries(self) -> Iterator[Query]:
        yield Query("q1", "the first", "one")  # type: ignore[arg-type]
        yield Query("q2", "the second")


@pytest.mark.parametrize(
    ("source", "contract"),
    [
        (Unlicensed, "describes-itself"),
        (Raises, "reads"),
        (Twice, "ids"),
        (Stray, "qrels"),
        (Untested, "splits"),
        (Overlapping, "splits"),
        (Restless, "hash"),
        (Blank, "texts"),
        (Letters, "answers"),
    ],
)
def test_a_broken_contract_is_caught_by_name(source: type[CollectionSource], contract: str) -> None:
    assert contract in check("collection", source).broken


def test_a_good_one_keeps_them() -> None:
    report = check("collection", Shelf)
    assert report.ok and {one.state for one in report.contracts} == {"kept"}, str(report)

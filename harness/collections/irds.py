"""Any data set of ir_datasets."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.collections.collection import CollectionSource, Document, Judgment, Query, SourceSettings
from harness.errors import UserError

_SPLITS = ("train", "dev", "test")


class IrdsSettings(SourceSettings):
    """Which data set the documents come from, and which ones the queries of each split."""

    irds: str = Field(description="ir_datasets id; its documents are the corpus")
    train: str | None = Field(None, description="id of the data set that holds the training queries and judgments")
    dev: str | None = Field(None, description="id of the data set of the dev split")
    test: str | None = Field(
        None, description="id of the data set of the test split; by default the main one, if it is judged"
    )


class IrdsSource(CollectionSource):
    """Documents are streamed through ``docs_iter``; ir_datasets downloads on first use and keeps what it fetched in its
    own folder."""

    name = "irds"
    summary = "any ir_datasets id, with train, dev and test ids: irds:msmarco-passage/trec-dl-2019/judged"
    source = "https://ir-datasets.com (arXiv 2103.02280)"
    licence = "that of each data set, see `ir_datasets` documentation"
    citation = (
        "MacAvaney, Yates, Feldman, Downey, Cohan, Goharian: Simplified Data Wrangling with ir_datasets. SIGIR 2021"
    )
    Settings = IrdsSettings

    def __init__(self, settings: IrdsSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._id = settings.irds
        self._ids = {split: getattr(settings, split) for split in _SPLITS if getattr(settings, split)}

    @property
    def title(self) -> str:
        return f"irds:{self._id}"

    @property
    def drops_identical(self) -> bool:
        """In the collections of BEIR, whoever reads them."""
        return self._id.startswith("beir/")

    def fingerprint(self) -> str:
        """The version of ir_datasets, which checks downloads against the hashes it carries."""
        return json.dumps([version("ir_datasets"), self._id, self._ids])

    def documents(self) -> Iterator[Document]:
        return map(_document, _entries(self._id, "docs"))

    def queries(self) -> Iterator[Query]:
        """The queries of all splits; one that several splits share comes once."""
        seen: dict[str, Query] = {}
        for entry in chain.from_iterable(_entries(name, "queries") for name in self._splits().values()):
            seen.setdefault(entry.query_id, _query(entry))
        return iter(seen.values())

    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {split: _judgments(name) for split, name in self._splits().items()}

    def _splits(self) -> dict[str, str]:
        """Data set id by split. Raises UserError when none is judged or a split searches other documents than ours."""
        splits = dict(self._ids)
        if "test" not in splits and _load(self._id, "docs").has_qrels():
            splits["test"] = self._id
        if not splits:
            raise UserError(
                f"data set '{self._id}' has no judgments",
                key="test",
                remedy="name a judged data set as test, train or dev",
            )
        for split, name in splits.items():
            if _corpus(name) != _corpus(self._id):
                raise UserError(
                    f"'{name}' searches other documents than '{self._id}'",
                    key=split,
                    remedy="name a data set of one corpus",
                )
        return splits


@cache
def _load(name: str, part: str) -> Any:
    """The data set. Raises UserError when there is none or it lacks `part` (docs, queries, qrels)."""
    import ir_datasets

    try:
        data = ir_datasets.load(name)
    except KeyError:
        near = difflib.get_close_matches(name, list(ir_datasets.registry), n=1, cutoff=0.6)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UserError(
            f"ir_datasets has no data set '{name}'", remedy=f"{hint}All ids: https://ir-datasets.com"
        ) from None
    if not data.has(part):
        raise UserError(
            f"data set '{name}' of ir_datasets has no {part}",
            remedy="its page on https://ir-datasets.com says what it has",
        )
    return data


def _corpus(name: str) -> str:
    import ir_datasets

    _load(name, "docs")
    return str(ir_datasets.docs_parent_id(name))


def _document(entry: Any) -> Document:
    """`default_text` is what ir_datasets recommends to search; where it starts with the title we keep the two apart."""
    title = getattr(entry, "title", None) or ""
    text = entry.default_text()
    return (
        Document(entry.doc_id, title, text[len(title) :].lstrip())
        if text.startswith(title)
        else Document(entry.doc_id, "", text)
    )


def _query(entry: Any) -> Query:
    return Query(entry.query_id, entry.default_text(), tuple(getattr(entry, "answers", ()) or ()))


def _judgments(name: str) -> Iterator[Judgment]:
    return (Judgment(entry.query_id, entry.doc_id, int(entry.relevance)) for entry in _entries(name, "qrels"))


def _entries(name: str, part: str) -> Iterator[Any]:
    """What a data set has of `part`, streamed. Raises UserError when it cannot be fetched."""
    data = _load(name, part)
    try:
        yield from getattr(data, f"{part}_iter")()
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"ir_datasets cannot provide the {part} of '{name}': {type(error).__name__}: {error}",
            remedy="check the network; some data sets must be asked for and placed by hand, see "
            "https://ir-datasets.com",
        ) from error

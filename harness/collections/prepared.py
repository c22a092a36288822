"""A collection on this disk: a source read once, checked, split and memory-mapped ever after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.collections.building import build
from harness.collections.collection import CollectionSource, Corpus, Judgments, Texts
from harness.collections.import_report import ImportReport
from harness.collections.own_documents import DroppingQueries, dropping, report_dropped
from harness.collections.stored_qrels import judgments_file, load_qrels
from harness.collections.texts import StoredTexts
from harness.errors import UserError, did_you_mean
from harness.files import build_once
from harness.progress import silent
from harness.source_hash import source_hash
from harness.stage import digest

if TYPE_CHECKING:
    from harness.progress import Progress

_ANSWERS = "answers.json"
FORMAT = 3
"""Rises whenever prepared folders change, so that older ones are made anew."""


def prepare(source: CollectionSource, home: Path, progress: Progress = silent) -> PreparedCollection:
    """The collection of `source`, read into a folder of `home` unless its fingerprint was met before.

    `progress` hears of documents with total 0, since nobody knows yet how many come. Memory holds one batch of
    documents, all queries and all judgments. Raises UserError (or UserErrors with all of them) when the source is
    incomplete or corrupt.
    """
    place = prepared_folder(source, home)
    build_once(place, partial(build, source, progress))
    wanted = source.settings.drop_identical
    return PreparedCollection(place, source.title, source.drops_identical if wanted is None else wanted)


def prepared_folder(source: CollectionSource, home: Path) -> Path:
    """Where in `home` the collection of `source` lies once it is prepared."""
    code = [mark] if (mark := source_hash(type(source))) is not None else []
    return home / digest([FORMAT, source.name, source.version, source.settings, source.fingerprint(), *code])[:32]


class PreparedCollection:
    """The `Collection` in a folder that `prepare` made. Opening reads one small file. Pickles as its folder.

    With `drop_identical` the document that has the id of a query is left out for it, in splits where there is any.
    """

    def __init__(self, folder: Path, name: str, drop_identical: bool = False) -> None:
        facts = json.loads((folder / "collection.json").read_text(encoding="utf-8"))
        self.folder = folder
        self.name: str = name
        self.content_hash: str = facts["content_hash"]
        self.corpus: Corpus = StoredTexts(folder / "corpus", **facts["corpus"])
        self._splits: dict[str, dict[str, Any]] = facts["splits"]
        own = {name: split.get("own_documents", {"count": 0}) for name, split in self._splits.items()}
        self._dropped = {name: one for name, one in own.items() if drop_identical and one["count"]}
        self.drop_identical: bool = bool(self._dropped)
        self.report: ImportReport = report_dropped(ImportReport.from_json(facts["report"]), self._dropped)
        self.splits: tuple[str, ...] = tuple(self._splits)
        self._judgments: dict[str, Judgments] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return PreparedCollection, (self.folder, self.name, self.drop_identical)

    def __repr__(self) -> str:
        return f"PreparedCollection({self.name}, {len(self.corpus):,} documents, splits {', '.join(self.splits)})"

    @property
    def identity(self) -> str:
        """The content hash: sha256 over the identities of the corpus and of every split's queries, answers and
        judgments."""
        return self.content_hash

    def split_hash(self, split: str) -> str:
        """sha256 over the documents, and the queries, answers and judgments of the split, in whatever order they came.
        Raises UserError when there is no such split."""
        # A folder of before has none; nobody but its own old cards asks for it.
        return str(self._split(split).get("content", self.content_hash))

    def queries(self, split: str) -> Texts:
        """The judged queries of a split, in the source's order. Raises UserError when there is no such split."""
        facts = self._split(split)
        found = StoredTexts(
            self.folder / facts["folder"] / "queries", facts["size"], facts["queries"], facts.get("queries_content", "")
        )
        return DroppingQueries(found) if split in self._dropped else found

    def judgments(self, split: str) -> Judgments:
        """The judgments of a split, those of unknown documents included. Raises UserError when there is no such
        split."""
        facts = self._split(split)
        if split not in self._judgments:
            found = Judgments(split, facts["judgments"], load_qrels(self.folder / facts["folder"]))
            self._judgments[split] = dropping(found) if split in self._dropped else found
        return self._judgments[split]

    def titles(self) -> Iterator[tuple[str, str]]:
        """(document id, title) of every document that has a title."""
        return ((document.id, document.title) for document in self.corpus.documents() if document.title.strip())

    def answers(self, split: str) -> dict[str, tuple[str, ...]]:
        """Short answers by query id; empty where the source has none."""
        text = (self.folder / self._split(split)["folder"] / _ANSWERS).read_text(encoding="utf-8")
        return {query: tuple(answers) for query, answers in json.loads(text).items()}

    def metadata(self, split: str) -> dict[str, dict[str, str]]:
        """What its source says of queries, by query id and field; queries without any are left out."""
        file = self.folder / self._split(split)["folder"] / "metadata.json"
        # Folders of before have none; they are opened by their content only, to verify runs.
        found: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return found

    def judgment_files(self, split: str) -> tuple[Path, ...]:
        """The files of this folder that hold the judgments and answers of a split."""
        folder = self.folder / self._split(split)["folder"]
        return judgments_file(folder), folder / _ANSWERS

    def _split(self, split: str) -> dict[str, Any]:
        if split not in self._splits:
            raise UserError(
                f"collection '{self.name}' has no split '{split}'", remedy=did_you_mean(split, self._splits)
            )
        return self._splits[split]

"""Tags of a curated collection of bookmarks: which of them did the curator file under a tag?

Read out of the PyPI package cherche without importing it (it pulls in heavy libraries).
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from harness.collections.collection import CollectionSource, Document, Judgment, Query
from harness.collections.folder import stat_mark
from harness.collections.splits import by_hash
from harness.errors import UserError


class Shares(NamedTuple):
    """How many queries each split gets; train takes what is left."""

    dev: int
    test: int


class TagSource(CollectionSource):
    """What the two semanlink collections share: a query is a tag's preferred label, relevant is what carries the
    tag."""

    source = "F.-P. Servant's Semanlink bookmarks, in PyPI package cherche (https://github.com/raphaelsty/cherche)"
    licence = "MIT (cherche)"
    citation = (
        "Sourty, Moreno, Tamine, Servant: CHERCHE: A new tool to rapidly implement pipelines in information "
        "retrieval. SIGIR 2022"
    )
    bundled: ClassVar[bool] = True
    file: ClassVar[str]
    sizes: ClassVar[range]
    """How many documents a tag must have to be a query."""
    shares: ClassVar[Shares]

    @abstractmethod
    def document(self, entry: dict[str, Any]) -> Document | None:
        """An entry of the file as a document, None when it is left out."""

    def fingerprint(self) -> str:
        return json.dumps([stat_mark(_data() / name) for name in (self.file, "tags.json")])

    def documents(self) -> Iterator[Document]:
        return (document for document, _ in self._tagged)

    def queries(self) -> Iterator[Query]:
        labels = json.loads((_data() / "tags.json").read_text(encoding="utf-8"))
        return (Query(_short(tag), labels[tag]["prefLabel"][0]) for tag in self._tags)

    def judgments(self) -> dict[str, Iterator[Judgment]]:
        order = by_hash(map(_short, self._tags), self.name)
        ends = self.shares.test, self.shares.test + self.shares.dev
        chosen = {"train": order[ends[1] :], "dev": order[ends[0] : ends[1]], "test": order[: ends[0]]}
        return {split: self._relevant(set(queries)) for split, queries in chosen.items()}

    def _relevant(self, queries: set[str]) -> Iterator[Judgment]:
        for document, tags in self._tagged:
            for tag in map(_short, tags):
                if tag in queries:
                    yield Judgment(tag, document.id, 1)

    @cached_property
    def _tagged(self) -> list[tuple[Document, list[str]]]:
        entries = json.loads((_data() / self.file).read_text(encoding="utf-8"))
        documents = ((self.document(entry), list(dict.fromkeys(entry["tag"]))) for entry in entries)
        return [(document, tags) for document, tags in documents if document]

    @cached_property
    def _tags(self) -> list[str]:
        counts = Counter(tag for _, tags in self._tagged for tag in tags)
        return sorted(tag for tag, count in counts.items() if count in self.sizes)


class Semanlink(TagSource):
    """A document is title, arXiv abstract (where the bookmark is an arXiv page) and the curator's comment, at least 20
    words."""

    name = "semanlink"
    summary = (
        "tag to bookmark: 1,853 bookmarks, 531 tags as queries, 3,188 judgments, English with some French; the "
        "bundled default"
    )
    former_hash = "a040e806fc8fafe370b4534efaaf117a3f81f4d58098520cbf6eaa476bfb3d50"
    split_hashes: ClassVar[Mapping[str, str]] = {
        "test": "126e9e213b0f3ee8455e3179baf5bec65f04bebf0f5ed3ee9e2065355bf93632"
    }
    file = "docs.json"
    sizes = range(3, 51)
    shares = Shares(dev=60, test=231)

    def document(self, entry: dict[str, Any]) -> Document | None:
        text = "\n".join(part for part in (entry["arxiv_summary"].strip(), entry["comment"].strip()) if part)
        title = entry["title"].strip()
        return Document(entry["document"], title, text) if len(f"{title} {text}".split()) >= 20 else None


def _short(tag: str) -> str:
    return tag.rpartition("/")[2]


def _data() -> Path:
    spec = find_spec("cherche")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the package that carries the semanlink collections is not installed",
            remedy="run: harness setup (or pip install --no-deps cherche==2.2.1)",
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "semanlink"

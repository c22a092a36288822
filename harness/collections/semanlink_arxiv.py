"""The smaller of the two semanlink collections: tags of arXiv papers."""

from __future__ import annotations

from typing import Any

from harness.collections.collection import Document
from harness.collections.semanlink import Shares, TagSource


class SemanlinkArxiv(TagSource):
    """A document is a paper's title and abstract; a query is a tag that 2 to 60 of the papers carry."""

    name = "semanlink-arxiv"
    summary = "tag to arXiv paper: 314 papers, 190 tags as queries; a smoke test of seconds"
    file = "arxiv.json"
    sizes = range(2, 61)
    shares = Shares(dev=30, test=80)

    def document(self, entry: dict[str, Any]) -> Document | None:
        return Document(entry["document"], entry["arxiv_title"].strip(), entry["arxiv_summary"].strip())

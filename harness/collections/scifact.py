"""SciFact, which comes with this package: which abstract supports or refutes a scientific claim?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from harness.collections.collection import CollectionSource, Document, Judgment, Query, SourceSettings
from harness.collections.folder import beir_qrels, read_documents, read_queries
from harness.collections.qrels import iter_qrels

DATA = Path(__file__).with_name("scifact_data")


class SciFactSettings(SourceSettings):
    """The dev split is carved out of the 809 training claims."""

    dev_share: float = Field(0.125, ge=0, le=0.5, description="share of the training claims that becomes the dev split")
    dev_cap: int = Field(100, ge=0, description="most claims such a dev split holds")


class SciFact(CollectionSource):
    """5,183 abstracts, 809 training and 300 test claims as BEIR splits them; 100 of the former become the dev split."""

    name = "scifact"
    summary = "scientific claim to abstract: 5,183 abstracts, 300 test claims; comes with this package"
    source = "SciFact (https://github.com/allenai/scifact) as BEIR splits it"
    licence = "claims CC BY 4.0, abstracts ODC-By 1.0"
    citation = (
        "Wadden, Lin, Lo, Wang, van Zuylen, Cohan, Hajishirzi: Fact or Fiction: Verifying Scientific Claims. EMNLP "
        "2020. arXiv 2004.14974"
    )
    bundled: ClassVar[bool] = True
    anchors: ClassVar[Mapping[tuple[str, str], str]] = {
        ("test", "nDCG@10"): "BM25 0.679 (Anserini, flat index), all-MiniLM-L6-v2 0.645 (256 tokens)"
    }
    former_hash = "03a1d90832893ac83fe305f1cc6acd7a69d916a86a53a12edfa0651003ab0a32"
    split_hashes: ClassVar[Mapping[str, str]] = {
        "test": "31cbbc47f0d9ed856158aa423ac5e305f1227575dd9c859f80c024f8c4a0b6e8"
    }
    Settings: ClassVar[type[SourceSettings]] = SciFactSettings

    def fingerprint(self) -> str:
        return str(self.version)

    def documents(self) -> Iterator[Document]:
        return read_documents(DATA)

    def queries(self) -> Iterator[Query]:
        return read_queries(DATA)

    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {split: iter_qrels(file) for split, file in beir_qrels(DATA).items()}

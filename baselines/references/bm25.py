"""BM25 (Robertson & Zaragoza 2009) over the test queries: the lexical reference every retriever must beat."""

from __future__ import annotations

from pydantic import Field

from harness.method import Method, MethodInputs
from harness.plugins import Settings
from harness.retrieval.search_stages import lexical_search
from harness.stage import Stage


class BM25Settings(Settings):
    """Settings of the lexical reference."""

    engine: str = Field("bm25s", description="lexical engine: bm25s, or lucene through pyserini (extra `lucene`)")
    k1: float = Field(0.9, ge=0)
    b: float = Field(0.4, ge=0, le=1)


class BM25(Method):
    """Lexical search; nothing is trained."""

    name = "bm25"
    summary = "BM25 lexical search, no training"
    source = "Robertson & Zaragoza 2009"
    category = "reference"
    settings: BM25Settings

    def run(self, inputs: MethodInputs) -> Stage:
        collection = inputs.collection
        engine = {"k1": self.settings.k1, "b": self.settings.b}
        return lexical_search(
            self.settings.engine, engine, collection.corpus, collection.queries(inputs.split), inputs.depth
        )

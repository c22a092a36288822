"""BM25 by the bm25s package: scores computed when indexing, summed when searching."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from harness._lazy import lazy
from harness.plugins import Settings
from harness.retrieval.engines.engine import LexicalEngine
from harness.retrieval.trec_order import Hits, best, id_ranks

if TYPE_CHECKING:
    from harness.collections.collection import Texts
    from harness.progress import Progress


bm25s = lazy("bm25s")
tokenization = lazy("bm25s.tokenization")

_BLOCK = 4096
"""Documents read at once."""
_RANKS = "id_ranks.npy"

Language = Literal[
    "arabic", "armenian", "basque", "catalan", "czech", "danish", "dutch", "english", "esperanto", "estonian",
    "finnish", "french",
    "german", "greek", "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian",
    "porter",
    "portuguese", "romanian", "russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish",
]  # fmt: skip
StopWords = Literal["en", "en_plus", "de", "nl", "fr", "es", "pt", "it", "ru", "sv", "no", "zh", "tr", "ko", "da"]


class Bm25sSettings(Settings):
    """Settings of bm25s; the defaults come within 0.003 nDCG@10 of Lucene's on scifact."""

    k1: float = Field(0.9, ge=0, description="how slowly repeated words saturate")
    b: float = Field(0.4, ge=0, le=1, description="how much long documents are held back")
    method: Literal["lucene", "robertson", "atire"] = Field(
        "lucene", description="variant of the formula (Kamphuis et al. 2020)"
    )
    stemmer: Language | None = Field("english", description="Snowball stemmer, none to keep words as they are")
    stopwords: StopWords | None = Field(
        "en", description="stop words of a language as bm25s lists them; 'en' are Lucene's 33"
    )


class Bm25s(LexicalEngine):
    """Words are runs of two or more word characters, in lower case, without stop words, stemmed."""

    name = "bm25s"
    summary = "BM25 in Python, scores computed when indexing"
    source = "Lù 2024, arXiv 2407.03618; variants: Kamphuis et al., ECIR 2020"
    settings: Bm25sSettings

    def index(self, corpus: Texts, folder: Path, progress: Progress) -> None:

        tokenizer = self._tokenizer()
        documents = [
            array("i", words) for words in tokenizer.streaming_tokenize(_stream(corpus, progress), allow_empty=False)
        ]
        vocabulary = tokenizer.get_vocab_dict() or {"": 0}
        model = bm25s.BM25(k1=self.settings.k1, b=self.settings.b, method=self.settings.method)
        model.index(tokenization.Tokenized(documents, vocabulary), create_empty_token=False, show_progress=False)
        model.save(folder, show_progress=False)
        tokenizer.save_vocab(folder)
        np.save(folder / _RANKS, id_ranks(corpus.ids))

    def search(self, folder: Path, texts: Sequence[str], depth: int, progress: Progress) -> Iterator[Hits]:

        tokenizer = self._tokenizer()
        tokenizer.load_vocab(folder)
        model = bm25s.BM25.load(folder, mmap=True, load_vocab=False, show_progress=False)
        ranks = np.load(folder / _RANKS, mmap_mode="r")
        for done, words in enumerate(
            tokenizer.streaming_tokenize(list(texts), update_vocab=False, allow_empty=False), 1
        ):
            scores = model.get_scores_from_ids(words) if words else np.zeros(0, dtype=np.float32)
            rows = np.flatnonzero(scores > 0)
            yield best(rows, scores[rows], ranks[rows], depth)
            progress(done, len(texts), "queries")

    def _tokenizer(self) -> Any:
        from Stemmer import Stemmer

        stemmer = Stemmer(self.settings.stemmer) if self.settings.stemmer else None
        return tokenization.Tokenizer(stopwords=self.settings.stopwords or [], stemmer=stemmer)


def _stream(corpus: Texts, progress: Progress) -> Iterator[str]:
    for start in range(0, len(corpus), _BLOCK):
        yield from corpus.slice_texts(start, start + _BLOCK)
        progress(min(start + _BLOCK, len(corpus)), len(corpus), "documents")

"""The types of students with one dense embedding a text: an encoder as it is, and token vectors made from one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from harness.retrieval.encode import load_encoder
from harness.retrieval.search_stages import embed_corpus, nearest_documents
from harness.retrieval.student_type import StudentType
from harness.students.retriever import BiEncoder
from harness.students.static_encoder import StaticStudent

if TYPE_CHECKING:
    from harness.collections.collection import Texts
    from harness.models import ModelFiles
    from harness.progress import Progress
    from harness.retrieval.trec_order import Hits
    from harness.stage import Stage


class BiEncoderType(StudentType):
    """One embedding a text, compared by cosine or inner product, as sentence-transformers saved the model.

    ``retriever: MODEL`` is short for it. Every method, loss and setting is for students of this type.
    """

    name = "bi-encoder"
    summary = "one dense embedding a text"
    source = "Karpukhin et al., arXiv 2004.04906; Reimers & Gurevych, arXiv 1908.10084"
    needs = ("encoder",)
    dense: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # The harness trains, embeds and searches in its own way what says that it is dense.
        cls.dense = cls.dense and not {"load", "index", "search"} & set(vars(cls))

    def start(self, model: ModelFiles) -> ModelFiles | Stage | None:
        return model if self.dense else None

    def load(self, folder: Path) -> BiEncoder:
        return BiEncoder.load(folder)

    def index(self, folder: Path, corpus: Texts, max_length: int, out: Path, progress: Progress) -> None:
        embed_corpus(folder, corpus, max_length, out, progress)

    def search(
        self,
        folder: Path,
        index: Path,
        queries: Sequence[str],
        ranks: np.ndarray,
        max_length: int,
        depth: int,
        progress: Progress,
    ) -> Iterator[Hits]:
        return nearest_documents(load_encoder(folder, max_length), index, queries, ranks, depth, progress)


class StaticType(BiEncoderType):
    """A vector a token, made from an encoder without any text; a text is their mean. Trains in seconds on a CPU.

    ``retriever: {static: ENCODER}`` is short for it.
    """

    name = "static"
    summary = "token vectors made from an encoder, averaged"
    source = "after Tulkens & van Dongen, model2vec, https://github.com/MinishLab/model2vec"

    def start(self, model: ModelFiles) -> ModelFiles | Stage | None:
        return StaticStudent(encoder=model)

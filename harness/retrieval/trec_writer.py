"""Writing TREC run files: the same bytes for the same content, the order that trec_eval sees."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from harness._lazy import lazy
from harness.errors import UserError
from harness.files import atomic_file

pyarrow = lazy("pyarrow")


def ordered(scores: Mapping[str, float]) -> tuple[list[str], np.ndarray]:
    """Documents by float32 score descending, then id descending (as UTF-8 bytes, as trec_eval compares), and the scores
    (n,) float32."""
    documents = sorted(scores, reverse=True)
    with np.errstate(over="ignore"):
        values = np.array([scores[document] for document in documents], dtype=np.float32) + np.float32(0)
    order = np.argsort(-values, kind="stable")
    return [documents[place] for place in order.tolist()], values[order]


def write_trec(path: Path, name: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """See `Run.write`."""
    text = trec_text(name, scores, path).encode()
    with atomic_file(path) as temporary:
        temporary.write_bytes(_gzipped(text) if path.suffix == ".gz" else text)


def trec_text(name: str, scores: Mapping[str, Mapping[str, float]], path: Path) -> str:
    """The lines of the run that is to be written to `path`, which errors name."""
    _check_words([name], "run name", path)
    _check_words(scores, "query id", path)
    ranked = {query: ordered(scores[query]) for query in sorted(scores)}
    for query, (documents, values) in ranked.items():
        _check_words(documents, "document id", path)
        if not np.isfinite(values).all():
            faulty = documents[int(np.argmin(np.isfinite(values)))]
            raise UserError(
                f"the score of document '{faulty}' for query '{query}' is not a finite number in single precision",
                file=path,
            )
    return "".join(_lines(ranked, name))


def _lines(ranked: Mapping[str, tuple[list[str], np.ndarray]], name: str) -> Iterator[str]:
    numbers = _shortest([values for _, values in ranked.values()])
    for query, (documents, _) in ranked.items():
        for rank, (document, score) in enumerate(zip(documents, numbers), 1):  # noqa: B905 (numbers goes on with the next query)
            yield f"{query} Q0 {document} {rank} {score} {name}\n"


def _shortest(values: list[np.ndarray]) -> Iterator[str]:
    """The shortest decimals that give the same float32."""

    return iter(pyarrow.array(np.concatenate([np.empty(0, np.float32), *values])).cast(pyarrow.string()).to_pylist())


def _check_words(words: Iterable[str], what: str, path: Path) -> None:
    words = list(words)
    if len(" ".join(words).split()) != len(words):
        faulty = next(word for word in words if len(word.split()) != 1)
        raise UserError(f"the {what} '{faulty}' is empty or holds white space, which a TREC run cannot hold", file=path)


def _gzipped(text: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as stream:
        stream.write(text)
    return buffer.getvalue()

"""Writing TREC run files: the same bytes for the same content, the order that trec_eval sees."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np

from harness._lazy import lazy
from harness.collections.file_formats.compressed_files import packed
from harness.collections.file_formats.trec_ids import any_escaped, trec_pair
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
        temporary.write_bytes(packed(path, text))


def trec_text(name: str, scores: Mapping[str, Mapping[str, float]], path: Path) -> str:
    """The lines of the run that is to be written to `path`, which errors name."""
    if len(name.split()) != 1 or name.strip() != name:
        said = f"the run name '{name}' is empty or holds white space, which a TREC run cannot hold"
        raise UserError(said, file=path)
    _check_filled(scores, "query id", path)
    ranked = {query: ordered(scores[query]) for query in sorted(scores)}
    for query, (documents, values) in ranked.items():
        _check_filled(documents, "document id", path)
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
        escaped = any_escaped([query, *documents])
        for rank, (document, score) in enumerate(zip(documents, numbers), 1):  # noqa: B905 (numbers goes on with the next query)
            head = trec_pair(query, document, "Q0") if escaped else f"{query} Q0 {document}"
            yield f"{head} {rank} {score} {name}\n"


def _shortest(values: list[np.ndarray]) -> Iterator[str]:
    """The shortest decimals that give the same float32."""

    return iter(pyarrow.array(np.concatenate([np.empty(0, np.float32), *values])).cast(pyarrow.string()).to_pylist())


def _check_filled(ids: Collection[str], what: str, path: Path) -> None:
    if "" in ids:
        raise UserError(f"a {what} is empty, which a TREC run cannot hold", file=path)

"""Do a run and the qrels speak of the same queries and documents? Ids are compared as they are, byte by byte."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from harness.collections.collection import Qrels
from harness.errors import UserError
from harness.text import counted

Scores = Mapping[str, Mapping[str, float]]
_EXAMPLES = 3


def overlap_notices(name: str, scores: Scores, qrels: Qrels) -> list[str]:
    """What is odd about a run and the qrels that it is scored by, a sentence each. Raises UserError where they have no
    query in common."""
    shared = [query for query in qrels if query in scores]
    if qrels and scores and not shared:
        pair = _same_looking(scores, qrels)
        hint = f"; {pair[0]!a} and {pair[1]!a} differ in Unicode form or white space only" if pair else ""
        raise UserError(
            f"the run '{name}' and the qrels have no query in common: the run has {_some(scores)}, the qrels have "
            f"{_some(qrels)}{hint}",
            remedy="give qrels and run of one collection and split; ids must be written alike in both",
        )
    return list(_notices(name, scores, qrels, shared))


def _notices(name: str, scores: Scores, qrels: Qrels, shared: list[str]) -> Iterator[str]:
    judged = {document for query in shared for document in qrels[query]}
    returned = {document for query in shared for document in scores[query]}
    if returned and judged.isdisjoint(returned):
        yield (
            f"the run '{name}' returns no judged document: it has {_some(sorted(returned))}, the qrels have "
            f"{_some(sorted(judged))}"
        )
    if identical := [query for query in shared if query in scores[query] and qrels[query].get(query, 0) <= 0]:
        yield (
            f"the run '{name}' returns {counted(len(identical), 'document')} with the id of the query, first "
            f"'{identical[0]}': where queries are documents themselves, leave them out as BEIR does (--drop-identical)"
        )
    for what, ours, theirs in (("query", scores.keys(), qrels.keys()), ("document", returned, judged)):
        if pair := _same_looking(ours - theirs, theirs - ours):
            yield (
                f"the {what} {pair[0]!a} of the run '{name}' and {pair[1]!a} of the qrels differ in Unicode form or "
                "white space only, and count as two"
            )


def _same_looking(ours: Iterable[str], theirs: Iterable[str]) -> tuple[str, str] | None:
    """Two ids that look the same to people."""
    known = {_bare(name): name for name in theirs}
    return next(((name, known[_bare(name)]) for name in sorted(ours) if _bare(name) in known), None)


def _bare(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip()


def _some(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in islice(names, _EXAMPLES))

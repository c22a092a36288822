"""RankGPT's permutations: answers in one file, the passages that they order in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.labelling.exchange.json_rows import PlacedObject, json_list, json_rows, objects_of, text_of
from harness.labelling.exchange.label_form import ForeignLabel, LabelForm, Reference
from harness.labelling.exchange.text_key import text_key
from harness.labelling.labels.parser import parse


class RankGptForm(LabelForm):
    """A JSON list of answers, one for each line of a second file, which holds the query and its passages as they were
    presented (`hits` or `retrieved_passages`). Our parser judges the answers: what RankGPT's own cleaning would place
    without a word of the teacher is left in the tail."""

    name = "rankgpt"
    summary = "RankGPT's JSON list of permutations, and the JSON lines of their hits (--hits; else the one beside it)"
    source = "Sun et al., arXiv 2304.09542 (RankGPT)"
    takes_hits = True

    def labels(self, file: Path, hits: Path | None) -> Iterator[ForeignLabel]:
        answers, hits = json_list(file), hits or _hits_of(file)
        rows = list(json_rows(hits))
        if len(rows) != len(answers):
            raise UserError(
                f"{len(answers):,} permutations stand here, and {len(rows):,} lists of hits in {hits.name}",
                file=file,
                remedy="name the file that they were made for with --hits",
            )
        for row, answer in zip(rows, answers, strict=True):
            if not isinstance(answer, str):
                raise UserError(f"permutation {row.place} is no text", file=file)
            query, documents = _presented(row, hits)
            yield ForeignLabel.of_answer(query, documents, parse(answer, len(documents)), answer)


def _hits_of(file: Path) -> Path:
    """The JSON lines whose name begins that of the permutations, as RankGPT's do."""
    found = [one for one in sorted(file.parent.glob("*.jsonl*")) if file.name.startswith(one.name.split(".jsonl")[0])]
    if len(found) != 1:
        raise UserError("the hits of these permutations are not beside it", file=file, remedy="name them with --hits")
    return found[0]


def _presented(row: PlacedObject, hits: Path) -> tuple[Reference, list[Reference]]:
    found = objects_of(row.value, "hits", "retrieved_passages")
    if not found or not text_of(row.value, "query"):
        raise UserError("this is no row of RankGPT: it lacks a query with hits", file=hits, line=row.place)
    id = text_of(row.value, "qid", "query_id") or text_of(found[0], "qid")
    return Reference(id, text_key(text_of(row.value, "query"))), [_passage(one) for one in found]


def _passage(hit: Mapping[str, Any]) -> Reference:
    return Reference(text_of(hit, "docid", "doc_id"), text_key(text_of(hit, "content", "text")))

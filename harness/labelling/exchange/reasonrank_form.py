"""ReasonRank's training data: orders by DeepSeek-R1 with its reasoning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import UserError
from harness.labelling.exchange.json_rows import json_rows, text_of, texts_of
from harness.labelling.exchange.label_form import ForeignLabel, LabelForm, Reference
from harness.labelling.labels.ranking import Verdict


class ReasonRankForm(LabelForm):
    """One object a query: `initial_list` is what was presented, `final_list` the order, `reasoning` stays as the
    teacher's own words. Documents of the first that the second lacks are the tail."""

    name = "reasonrank"
    summary = "ReasonRank's JSON lines: qid, initial_list, final_list, reasoning"
    source = "Liu et al., arXiv 2508.07050 (ReasonRank)"

    def labels(self, file: Path, hits: Path | None) -> Iterator[ForeignLabel]:
        for place, row in json_rows(file):
            query, initial, final = text_of(row, "qid"), texts_of(row, "initial_list"), texts_of(row, "final_list")
            if not query or initial is None or final is None:
                raise UserError("this is no row of ReasonRank: it lacks qid, initial_list or final_list", file, place)
            yield _label(query, list(dict.fromkeys(initial)), final, text_of(row, "reasoning"))


def _label(query: str, initial: Sequence[str], final: Sequence[str], reasoning: str) -> ForeignLabel:
    places = {document: number for number, document in enumerate(initial)}
    order = tuple(dict.fromkeys(places[document] for document in final if document in places))
    faults = {
        "repetition": len(set(final)) < len(final),
        "out of range": not set(final) <= set(places),
        "missing": len(order) < len(initial),
    }
    reasons = [reason for reason, found in faults.items() if found]
    verdict: Verdict = "partial" if faults["missing"] else "repaired" if reasons else "ok"
    return ForeignLabel(
        Reference(query),
        tuple(Reference(document) for document in initial),
        order,
        verdict if order else "failed",
        ", ".join(reasons),
        reasoning,
        presented=True,
    )

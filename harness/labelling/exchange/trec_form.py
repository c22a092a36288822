"""TREC runs as labels: the order of a re-ranker, by ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness._lazy import lazy
from harness.labelling.exchange.label_form import ForeignLabel, LabelForm, Reference

runs = lazy("harness.retrieval.run")


class TrecForm(LabelForm):
    """A run says how documents were ordered and neither what was presented nor what the teacher wrote: its labels are
    whole, and nothing tells what a tool repaired before."""

    name = "trec"
    summary = "a TREC run, for example of Rank-DistiLLM (or any run file that the harness reads)"
    source = "trec_eval; Schlatt et al., arXiv 2405.07920 (Rank-DistiLLM)"

    def labels(self, file: Path, hits: Path | None) -> Iterator[ForeignLabel]:
        run = runs.Run.read(file)
        for query in run.scores:
            documents = tuple(Reference(document) for document in run.top(query))
            yield ForeignLabel(Reference(query), documents, tuple(range(len(documents))))

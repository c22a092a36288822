"""Who answered for labels, and what is not known of their price: for the card of a run, and in words for whoever ran
the sweep."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from harness.labelling.labels.label_stage import SUMMARY, Labels
from harness.llm.chat_teacher import ChatTeacher
from harness.pipeline.store import Store
from harness.published.card_costs import AnswerSources
from harness.stage import Stage
from harness.text import plain


def answer_sources(summaries: Iterable[Mapping[str, Any]]) -> AnswerSources | None:
    """Over the summaries of label stages; None where nothing is known."""
    served, fingerprints, estimated, is_priced = Counter[str](), Counter[str](), 0, True
    for summary in summaries:
        served.update(summary.get("served", {}))
        fingerprints.update(summary.get("fingerprints", {}))
        estimated += summary.get("estimated", 0)
        is_priced = is_priced and "price" not in summary
    if not (served or fingerprints or estimated) and is_priced:
        return None
    return AnswerSources(served=dict(served), fingerprints=dict(fingerprints), estimated=estimated, priced=is_priced)


def answer_notices(stages: Iterable[Stage], store: Store) -> list[str]:
    """What is odd about who answered, and about the price, for each teacher of finished label stages."""
    summaries: dict[str, list[dict[str, Any]]] = {}
    for stage in stages:
        if isinstance(stage, Labels) and store.has(stage):
            teacher = stage.teacher
            name = teacher.model if isinstance(teacher, ChatTeacher) else teacher.name
            summary = json.loads((store.place(stage) / SUMMARY).read_text(encoding="utf-8"))
            summaries.setdefault(name, []).append(summary)
    return [notice for name, some in summaries.items() for notice in _notices(plain(name), answer_sources(some))]


def _notices(name: str, sources: AnswerSources | None) -> Iterable[str]:
    if sources is None:
        return
    if len(sources.served) > 1:
        yield f"the model behind '{name}' moved: answers are from {_counts(sources.served)}"
    if len(sources.fingerprints) > 1:
        yield f"answers of '{name}' have several system fingerprints: {_counts(sources.fingerprints)}"
    if sources.estimated:
        yield f"the server of '{name}' did not count tokens: the cost of {sources.estimated:,} answers is estimated"
    if not sources.priced:
        yield f"the price of '{name}' is not known: its USD are missing, not 0 (set price in the teacher's settings)"


def _counts(names: Mapping[str, int]) -> str:
    return ", ".join(f"{plain(name)} ({count:,})" for name, count in sorted(names.items()))

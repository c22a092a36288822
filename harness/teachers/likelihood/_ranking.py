"""From one score a candidate to a ranking."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task


def by_score(task: Task, scores: Sequence[float]) -> Ranking:
    """The candidates of `task` by falling score, ties by document id as trec_eval has it."""
    ids = [candidate.id for candidate in task.candidates]
    # Two stable sorts, the second by score: equal scores keep the falling ids of the first.
    ranked = sorted(sorted(zip(ids, scores, strict=True), reverse=True), key=lambda item: -item[1])
    raw = json.dumps(dict(ranked), ensure_ascii=False, separators=(",", ":"))
    return Ranking(task.query, tuple(id for id, _ in ranked), raw=raw, scores=tuple(score for _, score in ranked))

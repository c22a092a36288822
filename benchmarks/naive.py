"""Query likelihood as one would write it first: one forward pass for every pair of a passage and a query."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import torch

from harness.labelling.labels.teacher import Task
from harness.llm.local_weights import causal_folder, load_causal
from harness.teachers.likelihood.query_likelihood import Likelihood


@torch.inference_mode()
def naive_scores(
    teacher: Likelihood, tasks: Sequence[Task], expected: Mapping[str, Mapping[str, float]]
) -> tuple[float, float]:
    """Seconds a pair, and the largest difference between these scores and the `expected` ones (query, document)."""
    model = load_causal(causal_folder(teacher._model), teacher.precision, "sdpa")
    reading = teacher._pair_tokens
    worst, count, start = 0.0, 0, time.perf_counter()
    for task in tasks:
        asked = reading.pairs([task])
        for candidate, (passage, query) in zip(task.candidates, asked.by_task[0], strict=True):
            before, after = asked.passages[passage], asked.queries[query]
            logits = model(torch.tensor([[*before, *after]])).logits[0, len(before) - 1 : -1]
            score = logits.float().log_softmax(-1)[range(len(after)), list(after)].sum().item()
            worst, count = max(worst, abs(score - expected[task.query][candidate.id])), count + 1
    return (time.perf_counter() - start) / count, worst

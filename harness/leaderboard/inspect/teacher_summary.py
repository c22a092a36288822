"""Who labelled: in which form the labels came out, and what they cost, from the cards of the runs that used them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from harness.labelling.labels.ranking import VERDICTS
from harness.published.card import Card, TeacherSection
from harness.published.result_folder import Published
from harness.text import plain


class TeacherSummary(NamedTuple):
    """A teacher with its settings; means are over the label sets of its runs, each (budget, resample) counted once."""

    name: str
    kind: str
    model: str
    teacher_type: str
    box: str
    runs: int
    sets: int
    labels: int
    verdicts: dict[str, float]
    """Share of labels by verdict."""
    reasons: dict[str, int]
    """Why labels are not ok, most frequent first."""
    usd_per_thousand: float
    """USD for a thousand labelled queries, every call at its price."""
    tokens_per_query: float

    @property
    def reason_shares(self) -> dict[str, float]:
        """Share of its labels that each reason of `reasons` stands for."""
        return {reason: number / self.labels for reason, number in self.reasons.items()}


def teacher_summaries(runs: Sequence[Published]) -> list[TeacherSummary]:
    """One entry for every teacher with other settings, by name; runs without labels count for none."""
    return [_summary(name, about, members) for name, (about, members) in _groups(runs).items()]


def runs_by_teacher(runs: Sequence[Published]) -> dict[str, list[Published]]:
    """The runs of every teacher under the name that `teacher_summaries` gives it."""
    return {name: members for name, (_, members) in _groups(runs).items()}


def _groups(runs: Sequence[Published]) -> dict[str, tuple[TeacherSection, list[Published]]]:
    """Runs with labels by teacher, real ones first, in the order of names; teachers of one name but other settings are
    numbered."""
    groups: dict[str, tuple[TeacherSection, list[Published]]] = {}
    for run in runs:
        about = run.card.teacher
        if about is not None and run.card.labels is not None and run.card.labels.total:
            groups.setdefault(about.model_dump_json(), (about, []))[1].append(run)
    ordered = [
        groups[mark]
        for mark in sorted(
            groups,
            key=lambda mark: (
                groups[mark][0].teacher_type != "real",
                groups[mark][0].name,
                groups[mark][0].model,
                mark,
            ),
        )
    ]
    shown = [plain(about.name) for about, _ in ordered]
    seen = Counter(shown)
    numbers = {name: iter(range(1, count + 1)) for name, count in seen.items()}
    titles = [name if seen[name] == 1 else f"{name} ({next(numbers[name])})" for name in shown]
    return dict(zip(titles, ordered, strict=True))


def _place(about: TeacherSection, mark: str) -> tuple[bool, str, str | None, str]:
    return about.teacher_type != "real", about.name, about.model, mark


def _labels_of(card: Card) -> str:
    about = [
        card.collection.content_hash,
        card.collection.drop_identical,
        card.budget,
        card.resample,
        card.setup,
        [source.name for source in card.data.training_data],
    ]
    return json.dumps(about, sort_keys=True)


def _summary(name: str, about: TeacherSection, runs: list[Published]) -> TeacherSummary:
    # Methods share the labels of one budget, resample and candidates: each set of labels is looked at once.
    sets = list({_labels_of(run.card): run for run in sorted(runs, key=lambda run: run.card.tag)}.values())
    counts = [run.card.labels for run in sets if run.card.labels is not None]
    total = sum(count.total for count in counts)
    reasons: Counter[str] = Counter()
    for count in counts:
        reasons.update({plain(reason): number for reason, number in count.reasons.items()})
    costs = [run.card.costs for run in sets]
    return TeacherSummary(
        name=name,
        kind=plain(about.kind),
        model=plain(about.model),
        teacher_type=about.teacher_type,
        box=about.box,
        runs=len(runs),
        sets=len(sets),
        labels=total,
        verdicts={verdict: sum(getattr(count, verdict) for count in counts) / total for verdict in VERDICTS},
        reasons=dict(reasons.most_common()),
        usd_per_thousand=1000 * sum(cost.usd_standalone for cost in costs) / total,
        tokens_per_query=sum(cost.input_tokens + cost.output_tokens for cost in costs) / total,
    )

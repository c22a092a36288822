"""One published run in full: its card as text, what it cost stage by stage, and how to make it again."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.errors import UserError
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.significance.clusters import FILE as CLUSTERS
from harness.published.card import Card
from harness.published.result_folder import CARD, LARGEST, RUN, SIDECARS, Published, card_text, check_file
from harness.text import plain

DOWNLOADS = (RUN, METRICS, CARD)
LARGEST_DOWNLOAD = 1 << 26
"""Bytes above which a file is not handed through the browser; its folder is named instead."""


class StageTime(NamedTuple):
    """A kind of stage behind the run and its seconds, cached or not."""

    stage: str
    seconds: float


@dataclass(frozen=True)
class Details:
    """What the page of a run shows."""

    folder: str
    about: dict[str, str]
    """The card's headlines by their names."""
    stages: tuple[StageTime, ...]
    """Longest first."""
    command: str
    card: str
    """The card as YAML."""


def details(run: Published) -> Details:
    """Everything that its card says of `run`; all texts of one line are plain."""
    card = run.card
    times = sorted(card.durations.items(), key=lambda item: -item[1])
    stages = tuple(StageTime(plain(name), seconds) for name, seconds in times)
    return Details(str(run.folder), _about(card), stages, command(card), card_text(card))


def _about(card: Card) -> dict[str, str]:
    teacher = (
        card.teacher and f"{card.teacher.name} ({card.teacher.teacher_type}, {card.teacher.model or card.teacher.kind})"
    )
    said = {
        "run": card.tag,
        "published": f"{card.created:%Y-%m-%d %H:%M} UTC",
        "collection": f"{card.collection.name} ({card.collection.split}), content {card.collection.content_hash[:8]}",
        "method": f"{card.method.label or card.method.name} ({card.method.category})",
        "sees": ", ".join(card.method.sees) or "nothing",
        "teacher": teacher,
        "student": card.student,
        "labels": card.budget,
        "resample": card.resample,
        "seed": card.seed,
        "sweep": card.research_goal.sweep,
        "question": card.research_goal.question,
        "made by": source(card),
    }
    return {name: plain(str(value)) for name, value in said.items() if value not in (None, "")}


def source(card: Card) -> str:
    """The version and the commit that the card names, marked where files had changed since; what it does not name is
    not spoken of."""
    found = card.implementation.get("source")
    about = found if isinstance(found, dict) else {}
    package, commit = about.get("package"), about.get("commit")
    version = plain(package.replace("==", " ")) if isinstance(package, str) else ""
    changed = " with changes" if about.get("changed since") else ""
    named = f"commit {plain(commit[:12])}{changed}" if isinstance(commit, str) else ""
    return ", ".join(filter(None, (version, named)))


def scores(run: Published, queries: int) -> dict[str, float]:
    """The means of `run` by metric over the `queries` of its table, those that its sweep declared first; a query that
    the run lacks counts 0."""
    declared = [name for name in run.card.research_goal.evaluation.reported_measures if name in run.scores]
    names = dict.fromkeys([*declared, *run.scores])
    return {plain(name): math.fsum(run.scores[name].values()) / queries for name in names}


def command(card: Card) -> str:
    """The shell command that ran the sweep of `card`; with the same sweep file it makes the run again, to the same
    cell.

    From the card where it says one, otherwise from its sweep's file name; a card is a stranger's text, so each word is
    quoted.
    """
    executable = card.implementation.get("executable")
    said = executable.get("cmd") if isinstance(executable, dict) else None
    try:
        words = shlex.split(said) if isinstance(said, str) else []
    except ValueError:
        words = []
    if words[:1] != ["harness"]:
        words = ["harness", "sweep", card.research_goal.sweep]
    return " ".join(shlex.quote(plain(word)) for word in words)


def downloads(run: Published) -> tuple[str, ...]:
    """The files of `run` that can be handed over, by name."""
    return DOWNLOADS + tuple(name for name in (CLUSTERS, *SIDECARS) if (Path(run.folder) / name).exists())


def content(run: Published, name: str) -> bytes:
    """A file of a published run, one of `downloads`. Raises UserError for a link, a missing file, or one too large to
    hand over."""
    path = Path(run.folder) / name
    try:
        check_file(path)
        if path.stat().st_size > min(LARGEST_DOWNLOAD, LARGEST[name]):
            raise ValueError(f"{name} is larger than {LARGEST_DOWNLOAD >> 20} MiB")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise UserError(plain(str(error)), remedy=f"it lies in {plain(str(run.folder))}") from error

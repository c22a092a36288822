"""How each row's numbers are made again: command, sweep file, settings, keys and hashes, from the cards of its runs."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.leaderboard import row_texts
from harness.leaderboard.configuration import Configuration
from harness.leaderboard.inspect.run_details import command, source
from harness.published.card import Card
from harness.published.card_costs import Energy
from harness.published.result_folder import RUN, Published, slug
from harness.text import plain


class Trace(NamedTuple):
    """A published run: what identifies it and its leading metric."""

    tag: str
    resample: str
    seed: str
    value: str
    run_key: str
    evaluate_key: str
    run_hash: str
    """sha256 of its run file."""
    published: str


@dataclass(frozen=True)
class Recipe:
    """A row with all it takes to get it again."""

    command: str
    sweep: str
    question: str
    source: str
    """The versions and commits that made it; empty where no card names any."""
    collection_hash: str
    verify: str
    time: str
    """Of all stages behind a run, shared ones included; mean over the runs."""
    energy: str
    """Of the stages that were measured; empty where none was."""
    settings: Mapping[str, str]
    runs: tuple[Trace, ...]


def recipe(runs: Sequence[Published], metric: str, results: str) -> Recipe:
    """The recipe of a row from its `runs`; `metric` as the board writes it, `results` the folder as it is typed."""
    card = runs[0].card
    one = Configuration(tuple(runs))
    settings = {
        plain(name): plain(_setting_text(value))
        for name, value in {**one.own_settings, **one.teacher_settings}.items()
        if value not in (None, "")
    }
    folders = shlex.join(f"{results}/{slug(run.card.collection.name)}/{run.card.tag}" for run in runs)
    return Recipe(
        command=command(card),
        sweep=plain(card.research_goal.sweep),
        question=plain(card.research_goal.question),
        source="; ".join(filter(None, dict.fromkeys(source(run.card) for run in runs))),
        collection_hash=card.collection.content_hash,
        verify=f"harness verify {folders}",
        time=row_texts.duration(sum(run.card.costs.seconds_best for run in runs) / len(runs)),
        energy=_energy([run.card.energy for run in runs if run.card.energy]),
        settings=settings,
        runs=tuple(_trace(run, metric) for run in runs),
    )


def _energy(known: Sequence[Energy]) -> str:
    joules = Counter[str]()
    for one in known:
        joules.update(one.joules)
    stages = f"{sum(one.stages_measured for one in known)} of {sum(one.stages for one in known)} stages"
    return f"{', '.join(f'{part} {value:,.0f} J' for part, value in joules.items())} ({stages})" if known else ""


def _setting_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _trace(run: Published, metric: str) -> Trace:
    card, outcome = run.card, run.card.outcome
    means = {plain(name): value for name, value in outcome.metrics.items()} if outcome else {}
    return Trace(
        tag=card.tag,
        resample="" if card.resample is None else str(card.resample),
        seed="" if card.seed is None else str(card.seed),
        value=f"{means[metric]:.6f}" if metric in means else "",
        run_key=card.stages.get("run", ""),
        evaluate_key=card.stages.get("evaluate", ""),
        run_hash=outcome.files.get(RUN, "") if outcome else "",
        published=f"{card.created:%Y-%m-%d %H:%M} UTC",
    )


def environments(runs: Sequence[Published]) -> list[tuple[str, int]]:
    """On what the `runs` were made, in a line each, with the number of runs; most frequent first."""
    return Counter(_environment(run.card) for run in runs).most_common()


def _environment(card: Card) -> str:
    cpu, ram, gpu = (_at(card.platform, "hardware", *path) for path in (("cpu", "model"), ("ram",), ("gpu", "model")))
    cores = _at(card.platform, "hardware", "cpu", "number of cores")
    system = _at(card.platform, "operating system", "distribution")
    libraries = _at(card.platform, "software", "libraries", "python")
    named = (
        [str(one) for one in libraries if str(one).partition("==")[0] in ("python", "torch")]
        if isinstance(libraries, list)
        else []
    )
    hardware = [gpu, cpu, cores and f"{cores} cores", ram]
    parts = [source(card), *named, *hardware, system]
    return plain(" · ".join(str(part) for part in parts if part))


def _at(section: Any, *path: str) -> Any:
    """What stands at `path` of a free section, None where there is nothing."""
    for name in path:
        section = section.get(name) if isinstance(section, dict) else None
    return section

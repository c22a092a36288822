"""Methods over several collections: each against the baseline of its collection, then all collections as one
random-effects estimate.

Never an average of averages: collections weigh by what their queries and runs can tell, and how far they disagree is
part of the answer.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from harness.errors import UserError, did_you_mean
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.meta_analysis import Combined, combine, on_these
from harness.evaluation.significance.method_difference import MeanDifference, unknown_overlap
from harness.leaderboard.board_model import ALPHA, BaselineComparison, Row
from harness.leaderboard.column_layouts import with_former_keys
from harness.leaderboard.configuration import Flat
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.primary_metric import primary_metric, usual_baseline, wanted_metric
from harness.leaderboard.row_statistics import SEED
from harness.leaderboard.row_texts import title
from harness.leaderboard.rows import build_rows
from harness.leaderboard.run_group import RunGroup, by_content, chosen_runs, group_of
from harness.text import counted, plain

SAME = ("method", "category", "teacher", "ranker_loss", "retriever_loss", "student", "budget", "variant")
"""What configurations can be the same by."""


class CollectionEffect(NamedTuple):
    """One collection: the method's row and the baseline's there, and their difference over queries and runs."""

    row: Row
    against: BaselineComparison
    baseline: Row
    identity: str
    """Equal for the same configuration on another collection."""
    queries: int
    difference: MeanDifference
    settings: Flat
    """What the method was given there."""

    @property
    def variance(self) -> float:
        """Of the mean difference, over queries, and over resamples and seeds where the rows have several."""
        return self.difference.variance


@dataclass(frozen=True)
class Pooled:
    """One configuration on all its collections; `combined` and `p_adjusted` are None where there is nothing to
    combine."""

    parts: tuple[CollectionEffect, ...]
    combined: Combined | None
    p_adjusted: float | None = None
    on_these: MeanDifference | None = None
    """The mean on these very collections; None where there is nothing to average."""

    @property
    def differing(self) -> tuple[str, ...]:
        """Settings in which its collections differ, with their values: 'depth: 5, 20'."""
        keys = dict.fromkeys(key for part in self.parts for key in part.settings)
        values = {key: dict.fromkeys(json.dumps(part.settings.get(key)) for part in self.parts) for key in keys}
        return tuple(plain(f"{key}: {', '.join(seen)}") for key, seen in values.items() if len(seen) > 1)

    @property
    def name(self) -> str:
        """The longest of its names on the boards of its collections."""
        return max((title(part.row) for part in self.parts), key=len)

    @property
    def verdict(self) -> str:
        """'better' or 'worse' than the baseline where the adjusted p is below 0.05, otherwise ''."""
        if self.combined is None or self.p_adjusted is None or self.p_adjusted >= ALPHA:
            return ""
        return "better" if self.combined.effect > 0 else "worse"

    @property
    def weights(self) -> list[float | None]:
        """Of its parts; None where they are not combined, or a part has no variance to be weighed by."""
        found = iter(self.combined.weights if self.combined else ())
        return [next(found, None) if part.variance > 0 else None for part in self.parts]

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness meta --json``."""
        row = self.parts[0].row
        about = ("method", "category", "teacher", "ranker_loss", "retriever_loss", "student", "budget")
        return {
            "name": self.name,
            **with_former_keys({key: getattr(row, key) for key in about}),
            "combined": self.combined._asdict() if self.combined else None,
            "on_these_collections": self.on_these and _on_these_json(self.on_these),
            "differing": list(self.differing),
            "p_adjusted": self.p_adjusted,
            "verdict": self.verdict,
            "collections": [_part_json(part, weight) for part, weight in zip(self.parts, self.weights, strict=True)],
        }


def _on_these_json(one: MeanDifference) -> dict[str, Any]:
    p = None if one.is_single else one.p()
    return {"effect": one.difference, "standard_error": one.error, "interval": one.interval(), "p": p}


def _part_json(part: CollectionEffect, weight: float | None) -> dict[str, Any]:
    row = part.row
    keys = ("collection", "split", "content_hash", "runs", "resamples", "missing_queries")
    return {
        **with_former_keys({key: getattr(row, key) for key in keys} | {"run_ids": list(row.run_ids)}),
        "queries": part.queries,
        **part.against.as_json(),
        "standard_error": part.variance**0.5,
        "weight": weight,
        "flags": list(row.flags),
    }


@dataclass(frozen=True)
class Meta:
    """The answer of ``harness meta``."""

    metric: str
    baseline: str
    family: str
    """What was combined how, in words; empty where nothing was."""
    methods: tuple[Pooled, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness meta --json``."""
        methods = [one.as_json() for one in self.methods]
        return {
            "metric": self.metric,
            "baseline": self.baseline,
            "family": self.family,
            "methods": methods,
            "notes": list(self.notes),
        }


def meta_of(
    result_set: ResultSet,
    methods: Sequence[str] = (),
    *,
    metric: str | None = None,
    baseline: str | None = None,
    split: str | None = None,
    same: Sequence[str] = (),
    clusters: Mapping[str, str] | None = None,
    seed: int = SEED,
) -> Meta:
    """The configurations of `methods` (names or labels; all where empty) over the collections of a results folder.

    A configuration is the same where all its settings are, or those of `same` only (names of SAME): what else differs
    is then said. Without `methods` only those on two collections or more are
    told of. `metric` and `baseline` are by default what most sweeps lead with. Raises UserError on unknown names, and
    where a collection would count twice.
    """
    runs = chosen_runs(result_set.runs, None, split)
    if not runs:
        raise UserError(f"no published runs in {result_set.folder}", remedy="give the folder with --results")
    wanted = wanted_metric(runs, metric) or primary_metric(runs, None)
    reference = baseline or usual_baseline(runs)
    for name in same:
        if name not in SAME:
            raise UserError(f"'{name}' is nothing to go by", key="--same", remedy=did_you_mean(name, SAME))
    groups = [group_of(members, wanted, reference, seed, clusters) for _, members in sorted(by_content(runs).items())]
    notes = [note for group in groups for note in _notes(group, wanted)]
    found: dict[str, list[CollectionEffect]] = defaultdict(list)
    for group in groups:
        for part in _parts(group, wanted, seed):
            found[_key(part, same)].append(part)
    _check_names(methods, {part.row.method for parts in found.values() for part in parts})
    kept = [parts for parts in found.values() if (parts[0].row.method in methods if methods else len(parts) > 1)]
    if not methods and (alone := len(found) - len(kept)):
        notes.append(f"{counted(alone, 'configuration')} on one collection only, left out; named they are shown")
    pooled = _adjusted([_pooled(parts) for parts in kept])
    return Meta(
        plain(wanted), plain(reference), _family(pooled, plain(reference), plain(wanted)), tuple(pooled), tuple(notes)
    )


def _notes(group: RunGroup, metric: str) -> list[str]:
    about = group.found[0].card.collection
    name = plain(f"{about.name} ({about.split})")
    if group.metric != metric:
        return [f"{name}: not evaluated by {plain(metric)}, left out"]
    if not group.pairs:
        return [f"{name}: no row of the baseline '{plain(group.baseline)}', left out"]
    unknown = unknown_overlap(group.measured[metric].runs.values())
    return [f"{name}: {unknown}"] if unknown else []


def _parts(group: RunGroup, metric: str, seed: int) -> list[CollectionEffect]:
    if group.metric != metric:
        return []
    rows, measured = build_rows(group, seed), group.measured[metric]
    parts = []
    for number, other in group.pairs.items():
        row, against = rows[number], rows[number].against
        if against is not None:
            one, difference = group.found[number], measured.difference(number, other)
            settings = {**one.own_settings, **one.teacher_settings}
            about = (one.identity, len(group.queries), difference, settings)
            parts.append(CollectionEffect(row, against, rows[other], *about))
    return parts


def _key(part: CollectionEffect, same: Sequence[str]) -> str:
    return json.dumps([getattr(part.row, name) for name in same]) if same else part.identity


def _check_names(methods: Sequence[str], known: set[str]) -> None:
    for name in methods:
        if name not in known:
            raise UserError(
                f"no row of method '{name}' that stands beside the baseline", remedy=did_you_mean(name, sorted(known))
            )


def _pooled(parts: list[CollectionEffect]) -> Pooled:
    twice = [name for name, count in Counter(part.row.collection for part in parts).items() if count > 1]
    if twice:
        places = ", ".join(
            f"{part.row.split} {part.row.content_hash[:8]}" for part in parts if part.row.collection == twice[0]
        )
        raise UserError(
            f"'{twice[0]}' would count as several collections ({places})",
            remedy="choose one split with --split, keep runs on one content in the folder, and with --same name enough "
            "that one configuration of a collection is left",
        )
    weighed = [part for part in parts if part.variance > 0]
    if len(weighed) < 2:
        return Pooled(tuple(parts), None)
    these = [part.difference for part in weighed]
    found = combine(np.array([one.difference for one in these]), np.array([one.variance for one in these]))
    return Pooled(tuple(parts), found, on_these=on_these(these))


def _adjusted(pooled: list[Pooled]) -> list[Pooled]:
    """With p adjusted by Holm over all that is combined, best first."""
    known = [one.combined for one in pooled if one.combined]
    adjusted = iter(correct(np.array([one.p for one in known]), "holm").tolist() if known else [])
    told = [replace(one, p_adjusted=next(adjusted) if one.combined else None) for one in pooled]
    return sorted(told, key=lambda one: (one.combined is None, -one.combined.effect if one.combined else 0.0, one.name))


def _family(pooled: Sequence[Pooled], baseline: str, metric: str) -> str:
    count = sum(one.combined is not None for one in pooled)
    if not count:
        return ""
    return (
        f"{counted(count, 'method')} against {baseline} on {metric}: random effects over collections (Paule-Mandel), "
        "Hartung-Knapp t, "
        f"two-sided, Holm over all {count}"
    )

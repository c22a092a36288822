"""Metrics by name, per query, as trec_eval computes them; names and parameters are those of ir_measures (``nDCG@10``,
``AP(rel=2)``)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from harness.errors import UserError, UserErrors, did_you_mean
from harness.evaluation.measures._judged_run import JudgedRun
from harness.evaluation.measures._ranks import Documents, Grades, judged_ranks
from harness.evaluation.measures.measure import Measure
from harness.plugins import Settings, plugins
from harness.validation import validated

Scores = dict[str, dict[str, float]]
"""metric -> query id -> value"""

_FORM = re.compile(r"(?P<name>[A-Za-z_]\w*)(\((?P<given>[^()]*)\))?(@(?P<cutoff>\d+))?")
_PARAMETER = re.compile(r"(?P<key>\w+)=(?P<quote>['\"]?)(?P<value>[\w.+-]+)(?P=quote)")
_RIGHT = "write it as in nDCG@10, AP, R(rel=2)@100 or nDCG(dcg='exp-log2')@10"


@dataclass(frozen=True)
class Metric:
    """A metric with its parameters; its text is what ir_measures prints."""

    kind: type[Measure]
    settings: Settings

    def __str__(self) -> str:
        fields, values = self.kind.Settings.model_fields, self.settings.model_dump()
        cutoff = values.pop("cutoff", None)
        said = [
            f"{key}={value!r}"
            for key, value in values.items()
            if value != fields[key].default or key in self.kind.always
        ]
        return self.kind.name + (f"({','.join(said)})" if said else "") + (f"@{cutoff}" if cutoff else "")

    def values(self, lists: JudgedRun) -> list[float]:
        """One value a query."""
        condensed = self.settings.model_dump().get("judged_only", False)
        measure = self.kind(self.settings)
        return cast("list[float]", measure.values(lists.condensed() if condensed else lists).tolist())


@cache
def _known() -> dict[str, type[Measure]]:
    return {alias.casefold(): kind for kind in plugins(Measure).values() for alias in (kind.name, *kind.aliases)}


@cache
def metric(text: str) -> Metric:
    """The metric that `text` names; upper and lower case and the usual aliases (MRR, MAP, hit_rate) are accepted.

    Raises UserError with the nearest known name.
    """
    form = _FORM.fullmatch(text.replace(" ", ""))
    if form is None:
        raise UserError(f"'{text}' is no metric", remedy=_RIGHT)
    kind = _kind(form["name"], text)
    given = _parameters(form["given"] or "", text)
    if form["cutoff"]:
        given["cutoff"] = form["cutoff"]
    if kind.cutoff_needed and "cutoff" not in given:
        raise UserError(f"'{text}' needs a cutoff", remedy=f"write {kind.name}@10")
    return Metric(kind, _settings(kind, given, f"the metric '{text}'"))


def distinct_metrics(names: str | Metric | Iterable[str | Metric]) -> list[Metric]:
    """The metrics of these names, one or several, each once. Raises UserErrors with every name that is none."""
    found: list[Metric] = []
    faults: list[UserError] = []
    for item in [names] if isinstance(names, str | Metric) else names:
        try:
            found.append(metric(item) if isinstance(item, str) else item)
        except UserError as error:
            faults += error.parts
    if faults:
        raise UserErrors.of(faults)
    return list(dict.fromkeys(found))


def bounds(text: str) -> tuple[float, float]:
    """The least and the largest value that the metric `text` gives a query; infinite where it is not known here."""
    try:
        found = metric(text).kind.bounds
    except UserError:
        found = None
    return found or (-math.inf, math.inf)


def reach(text: str) -> float:
    """How far two values of a query can lie apart by the metric `text`; infinite where it is not known here."""
    least, most = bounds(text)
    return most - least


_WORDS = {"rel": "relevance level", "cutoff": "cutoff", "judged_only": "condensed list (judged_only)"}


def _settings(kind: type[Measure], given: Mapping[str, str], what: str) -> Settings:
    fields, takes = kind.Settings.model_fields, f"{kind.name} takes {', '.join(kind.Settings.model_fields)}"
    faults = [
        UserError(f"{kind.name} takes no {_WORDS.get(key, key)}", remedy=takes, what=what)
        for key in given
        if key not in fields
    ]
    try:
        known = {key: value for key, value in given.items() if key in fields}
        settings = validated(kind.Settings, known, what=what, show=f"harness show metrics {kind.name}")
    except UserErrors as error:
        faults += error.parts
    if faults:
        raise UserErrors.of(faults)
    return settings


def _kind(name: str, text: str) -> type[Measure]:
    if name.casefold() not in _known():
        known = [alias for kind in plugins(Measure).values() for alias in (kind.name, *kind.aliases)]
        raise UserError(f"unknown metric '{name}' in '{text}'", remedy=did_you_mean(name, known))
    return _known()[name.casefold()]


def _parameters(given: str, text: str) -> dict[str, str]:
    parts = [_PARAMETER.fullmatch(part) for part in given.split(",")] if given else []
    found = {part["key"]: part["value"] for part in parts if part}
    if len(found) != len(parts):
        raise UserError(f"'{text}' is no metric", remedy=_RIGHT)
    return found


def evaluate(
    run: Mapping[str, Documents], qrels: Mapping[str, Grades], metrics: str | Iterable[str | Metric]
) -> Scores:
    """Value of each metric for every query of `qrels`, in the order of their ids; a query that `run` misses counts 0.

    `run` maps query id to document id to score (finite; higher is better), `qrels` query id to document id to grade.
    Keys of the answer are the metrics' own names. Raises UserErrors on unknown metrics, and where a metric gives no
    finite number, with metric and query.
    """
    wanted = distinct_metrics(metrics)
    queries = sorted(qrels)
    lists = judged_ranks(run, qrels, queries)
    return {str(item): _finite(str(item), dict(zip(queries, item.values(lists), strict=True))) for item in wanted}


def _finite(name: str, values: dict[str, float]) -> dict[str, float]:
    """`values`; raises UserError where a metric, which may be a plug-in, gives what is no number."""
    for query, value in values.items():
        if not math.isfinite(value):
            raise UserError(
                f"the metric {name} gives {value} for the query '{query}'",
                remedy="a metric gives a finite number for every query; 0 where there is nothing to measure",
            )
    return values


def mean(values: Mapping[str, float]) -> float:
    """Mean over all queries, the same to the last digit in whatever order they come."""
    return math.fsum(values.values()) / len(values) if values else math.nan


def described_metrics() -> list[dict[str, Any]]:
    """``[{"name", "summary", "source", "needs"}]`` of all metrics; the name shows how one is written."""
    return [_described(kind) for kind in plugins(Measure).values()]


def describe_metric(text: str) -> dict[str, Any]:
    """One entry of `described_metrics` with its other spellings and its parameters. Raises UserError when there is no
    such metric."""
    kind = _kind(re.split(r"[@(,]", text)[0], text)
    fields = kind.Settings.model_fields.items()
    settings = [
        {"name": key, "default": field.default, "description": field.description or ""} for key, field in fields
    ]
    about = f"Also written {', '.join(kind.aliases)}." if kind.aliases else ""
    return {**_described(kind), "about": about, "settings": settings}


def _described(kind: type[Measure]) -> dict[str, Any]:
    return {"name": _spelling(kind), "summary": kind.summary, "source": kind.source, "needs": list(kind.needs)}


def _spelling(kind: type[Measure]) -> str:
    if "cutoff" not in kind.Settings.model_fields:
        return kind.name
    return f"{kind.name}@k" if kind.cutoff_needed else f"{kind.name}, {kind.name}@k"

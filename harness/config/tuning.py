"""`tune`: settings that every trained method chooses on a split of its own, all of them with the same number of
trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationInfo

from harness.config.apply_trial import AppliedTrial, apply_trial
from harness.config.method_entries import MethodChoice
from harness.config.parts import EvaluationSettings, MetricName, scope_of
from harness.config.registries import Registries
from harness.config.trials import Trials, WrittenTrial
from harness.errors import did_you_mean
from harness.evaluation.metrics.answer_metrics import needs_answers
from harness.method import Method, RetrieverMethod
from harness.plugins import Settings
from harness.validation import ErrorCollector, Fault, KeyPath, checked, failure


class Tune(Settings):
    """How settings are chosen: every cell of a trained method tries them all and keeps the best retriever."""

    trials: Trials = Field(
        description="settings with lists of values, every combination of which is a trial; or a list of trials"
    )
    split: str = Field(
        default="dev", description="the split that the choice is made on; never the one that is evaluated"
    )
    metric: MetricName | None = Field(
        default=None,
        description="what the choice is made by; the first of the evaluated metrics (of documents) when left out",
    )
    methods: dict[str, Trials] = Field(
        default={}, description="trials of their own for some methods, by name or label; just as many"
    )


@dataclass(frozen=True)
class Tuning:
    """The choice that every cell of a trained method makes."""

    split: str
    metric: str
    trials: Mapping[tuple[str, str], tuple[AppliedTrial, ...]]
    """By label of the method and its settings as JSON; the same number for all."""


def trained(plugin: type[Method]) -> bool:
    """Whether cells of the method end in a retriever that some axis of the sweep makes a difference to."""
    return issubclass(plugin, RetrieverMethod) and bool(plugin.axes)


def tuning(value: Any, info: ValidationInfo) -> Tuning | None:
    """The section `tune`, checked against methods and evaluation. Raises ValidationError with all that is wrong."""
    if value is None:
        return None
    scope = scope_of(info)
    tune, evaluate = checked(Tune, value, context=scope), info.data.get("evaluate") or EvaluationSettings()
    choices = [choice for choice in info.data.get("methods") or () if trained(choice.plugin)]
    found, faults = _met(choices, tune, scope.registries)
    metric = tune.metric or next(iter(evaluate.ranking), evaluate.metrics[0])
    faults += [*_unfair(tune, evaluate), *_unread(metric), *(_odd(tune, choices) if "methods" in info.data else ())]
    if faults:
        raise failure(faults)
    return Tuning(tune.split, metric, found)


Found = dict[tuple[str, str], tuple[AppliedTrial, ...]]


def _met(choices: Iterable[MethodChoice], tune: Tune, registries: Registries) -> tuple[Found, list[Fault]]:
    """The trials of every variant of the methods, and what is wrong with them: each fault once, with the methods that
    have it."""
    found: Found = {}
    doubts: dict[tuple[KeyPath, str], tuple[Fault, dict[str, None]]] = {}
    for choice in choices:
        place, trials = _trials_of(choice, tune)
        collector = ErrorCollector()
        for settings in choice.variants:
            made = [apply_trial(settings, trial, registries, collector) for trial in trials]
            found[choice.label, settings.model_dump_json()] = tuple(trial for trial in made if trial is not None)
        for fault in collector.faults:
            placed = fault._replace(path=(*place, *fault.path))
            doubts.setdefault((placed.path, placed.message), (placed, {}))[1][choice.label] = None
    return found, [fault._replace(message=f"{', '.join(names)}: {fault.message}") for fault, names in doubts.values()]


def _unfair(tune: Tune, evaluate: EvaluationSettings) -> Iterator[Fault]:
    if tune.split == evaluate.split:
        message = (
            f"'{tune.split}' is the split that results are judged on (evaluate.split): what is chosen on it "
            "looks better than it is"
        )
        yield Fault(("split",), message, "choose on another split, for example dev")
    for name, trials in tune.methods.items():
        if len(trials) != len(tune.trials):
            message = (
                f"has {len(trials)} trials where others have {len(tune.trials)}: every method gets the same number"
            )
            yield Fault(("methods", name), message, "write as many trials as under tune.trials")


def _unread(metric: str) -> Iterator[Fault]:

    if needs_answers(metric):
        yield Fault(
            ("metric",),
            f"'{metric}' needs short answers; trials are chosen by judged documents",
            "choose by nDCG@10, for example",
        )


def _odd(tune: Tune, choices: Iterable[MethodChoice]) -> Iterator[Fault]:
    known = {name for choice in choices for name in (choice.label, choice.plugin.name)}
    for name in tune.methods:
        if name not in known:
            yield Fault(("methods", name), f"'{name}' is no trained method of this sweep", did_you_mean(name, known))


def _trials_of(choice: MethodChoice, tune: Tune) -> tuple[KeyPath, Sequence[WrittenTrial]]:
    """Where the trials of a method are written, and which they are."""
    for name in (choice.label, choice.plugin.name):
        if name in tune.methods:
            return ("methods", name), tune.methods[name]
    return ("trials",), tune.trials

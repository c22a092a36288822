"""A finished cell becomes a published run: its card is put together from the cell and the manifests of its stages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.claims.freezing import FreezeMark
from harness.collections.own_documents import drops_identical
from harness.config.sweep_file import SweepFile
from harness.errors import UserError
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.labelling.labels.label_stage import Labels
from harness.method import RetrieverMethod
from harness.models import ModelFiles
from harness.pipeline.builder import PlannedCell
from harness.pipeline.publish.answer_sources import answer_sources
from harness.pipeline.publish.cache import PublishedCache
from harness.pipeline.publish.card_data import card_data, split_of
from harness.pipeline.publish.labelling_time import LabellingTime
from harness.pipeline.publish.labels_used import labels_used
from harness.pipeline.publish.plugin_marks import plugin_sections, run_faults
from harness.pipeline.publish.run_numerics import run_numerics
from harness.pipeline.publish.sidecar_files import sidecar_files, trace_file
from harness.pipeline.publish.stage_facts import StageFacts
from harness.pipeline.publish.teacher_section import teacher_section
from harness.pipeline.store import Manifest, Store
from harness.pipeline.trial_selection import FILE as TRIALS
from harness.published import energy
from harness.published.card import (
    LONGEST_TAG,
    Card,
    CardEvaluation,
    MethodSection,
    ResearchGoal,
    TrialOutcome,
    TuningSection,
)
from harness.published.card_costs import Costs, Verdicts
from harness.published.environment import implementation, platform
from harness.published.provenance import read_provenance
from harness.published.result_folder import publish, renewed, run_folder, slug
from harness.qa.answer_stages import Answered
from harness.retrieval.student_stages import StudentStart
from harness.stage import Stage, canonical, digest
from harness.students.static_encoder import StaticStudent


def publish_cell(
    cell: PlannedCell,
    stages: Mapping[str, Stage],
    store: Store,
    results: Path,
    sweep: SweepFile,
    cache: PublishedCache,
    times: LabellingTime,
    facts: StageFacts,
    computed: Collection[str] = (),
    anew: bool = False,
    mark: FreezeMark | None = None,
) -> Path:
    """Publish the run of a finished cell under `results`; what is there already and says the same is kept, unless it is
    to be written `anew`. Returns its folder.

    `stages` are those behind its result, `computed` the keys of the stages that the present sweep made; all others came
    from the store. `mark` says which claims were frozen before.
    """
    alone = {
        key: times.standalone(stage)
        for key, stage in stages.items()
        if isinstance(stage, Labels) and store.is_recorded(stage)
    }
    card = _card(cell, store, sweep, alone, stages, facts)
    card = mark.stamped(card, store.manifest(cell.evaluate)["started"]) if mark is not None else card
    folder, trace = run_folder(results, card), trace_file(cell.trace, store)
    if anew or not cache.holds(folder, card, trace):
        run, metrics = store.place(cell.run) / "run.trec.gz", store.place(cell.evaluate) / METRICS
        publish(
            folder,
            _placed(card, sweep),
            run,
            metrics,
            lambda: sidecar_files(
                stages.values(),
                store,
                {*computed, *_computed_before(folder, card)},
                alone,
                labels=sweep.evaluate.labels,
            ),
            trace,
            anew,
            split_of(cell, sweep).clusters,
        )
        cache.note(folder, card, trace)
    return folder


def _computed_before(folder: Path, card: Card) -> set[str]:
    """Keys of the stages that the sweep made which published what `card` renews."""
    if renewed(folder, card) is card:
        return set()
    try:
        provenance = read_provenance(folder)
    except UserError:
        return set()
    return {stage.key for stage in provenance.stages if not stage.cached} if provenance else set()


def run_tag(cell: PlannedCell) -> str:
    """What a folder and its run are called; the mark at the end tells cells apart whatever is cut away before it."""
    point = cell.cell
    axes = {"b": point.budget, "r": point.resample, "s": point.seed}
    named = [
        slug(part) for part in (point.method.name, point.teacher, point.loss("ranker"), point.loss("retriever")) if part
    ]
    placed = [f"{short}{value}" for short, value in axes.items() if value is not None]
    mark = digest([cell.evaluate.key, point.settings, point.entry])[:8]
    whole = "-".join([*named, *placed, mark])
    # A sum of losses names all their settings.
    return (
        whole if len(whole) <= LONGEST_TAG else "-".join([*(part[:30].rstrip("-.") for part in named), *placed, mark])
    )


def _placed(card: Card, sweep: SweepFile) -> Card:
    """`card` with where and by which code it is written, of which git and the machine are asked only then."""
    told = {name: getattr(card, name) for name in Card.model_fields}
    return Card(**told | {"platform": platform(), "implementation": implementation(sweep.source.typed)})


def _card(
    cell: PlannedCell,
    store: Store,
    sweep: SweepFile,
    standalone: Mapping[str, float | None],
    stages: Mapping[str, Stage],
    facts: StageFacts,
) -> Card:
    """All but where it is written. `standalone` are the seconds of label stages with an empty ledger, by key."""
    point = cell.cell
    manifests = {key: store.manifest(stage) for key, stage in stages.items() if store.is_recorded(stage)}
    summaries = [facts.summary(one) for one in stages.values() if isinstance(one, Labels) and one.key in manifests]
    plugins = plugin_sections(cell, stages.values(), facts)
    return Card(
        tag=run_tag(cell),
        research_goal=ResearchGoal(
            sweep=sweep.source.path.name,
            question=sweep.description,
            evaluation=CardEvaluation(
                reported_measures=sweep.evaluate.reported, baseline=(sweep.baseline,) if sweep.baseline else ()
            ),
        ),
        method=_method(cell),
        data=card_data(cell, sweep, stages.values(), store),
        teacher=None if cell.inputs.teacher is None else teacher_section(cell.cell.teacher, cell.inputs.teacher),
        budget=point.budget,
        resample=point.resample,
        seed=point.seed,
        ranker_loss=point.loss("ranker"),
        retriever_loss=point.loss("retriever"),
        student=_student_name(cell),
        ranker=_ranker_name(cell),
        setup=_setup(cell, sweep),
        tuning=_tuning(cell, store, sweep),
        costs=_costs(manifests, {key for key, stage in stages.items() if stage.trains}, summaries).model_copy(
            update={
                "seconds_standalone": _seconds_standalone(manifests, standalone),
                "labels_used": labels_used(stages.values(), cell.inputs.pool, store),
            }
        ),
        labels=Verdicts.of(summaries) if summaries else None,
        answers=answer_sources(summaries),
        shared_queries=facts.shared_queries(stages.values(), cell.inputs.pool),
        stages={"run": cell.run.key, "evaluate": cell.evaluate.key},
        durations=_durations(manifests),
        durations_standalone=_durations_standalone(manifests, standalone),
        energy=energy.total(manifests.values()),
        numerics=run_numerics(stages, manifests),
        plugins=plugins,
        run_faults=run_faults(cell, store) if plugins else (),
    )


def _method(cell: PlannedCell) -> MethodSection:
    method = cell.cell.method
    placebo = cell.inputs.teacher is not None and cell.inputs.teacher.teacher_type == "placebo"
    return MethodSection(
        name=method.name,
        category="control" if placebo else method.category,
        sees=method.sees,
        settings=cell.cell.settings.model_dump(mode="json"),
        label=cell.cell.entry,
    )


def _model_name(model: ModelFiles | Stage) -> str:
    if isinstance(model, StaticStudent):
        return f"static:{model.encoder.name}"
    if isinstance(model, StudentStart):
        return f"{model.student.name}:{model.model.name}"
    return model.name if isinstance(model, ModelFiles) else model.kind


def _student_name(cell: PlannedCell) -> str | None:
    if not issubclass(cell.cell.method, RetrieverMethod):
        return None
    return getattr(cell.cell.settings, "model", None) or _model_name(cell.inputs.retriever)


def _ranker_name(cell: PlannedCell) -> str | None:
    how = getattr(cell.cell.settings, "ranker", None)
    return None if how is None else how.start or cell.inputs.ranker.name


def _setup(cell: PlannedCell, sweep: SweepFile) -> dict[str, Any]:
    """What matters to a cell beside its method's settings; nothing that an untrained reference does not read."""
    reads = {"max_length": sweep.max_length} if issubclass(cell.cell.method, RetrieverMethod) else {}
    common = {"depth": sweep.evaluate.depth, **reads, **_reader(cell)}
    if cell.cell.resample is None:
        return common
    # The evaluated split may drop nothing where the training queries do.
    dropped = {"drop_identical": True} if drops_identical(cell.inputs.pool) else {}
    return common | {"candidates": sweep.candidates.model_dump(mode="json"), **dropped}


def _reader(cell: PlannedCell) -> dict[str, Any]:
    """Who answered from the run, where anybody did."""
    read = cell.evaluate.read if isinstance(cell.evaluate, Answered) else None
    if read is None:
        return {}
    settings = {key: value for key, value in canonical(read.reader.settings).items() if key != "ask"}
    return {
        "reader": {
            "kind": read.reader.name,
            **settings,
            "prompt": read.reader.asking.identity,
            "passages": read.passages,
        }
    }


def _tuning(cell: PlannedCell, store: Store, sweep: SweepFile) -> TuningSection | None:
    if cell.choice is None or sweep.tune is None:
        return None
    told = json.loads((store.record(cell.choice) / TRIALS).read_text(encoding="utf-8"))
    trials = tuple(TrialOutcome.model_validate(trial) for trial in told["trials"])
    return TuningSection(
        split=sweep.tune.split, metric=told["metric"], trials=trials, chosen=trials[told["chosen"]].settings
    )


def _costs(manifests: Mapping[str, Manifest], training: Collection[str], summaries: Iterable[dict[str, Any]]) -> Costs:
    """`training` are the keys of the stages that train."""
    alone, here = Counter[str](), Counter[str]()
    for summary in summaries:
        alone.update(summary["alone"])
        here.update(summary["here"])
    return Costs(
        calls=alone["calls"],
        input_tokens=alone["input_tokens"],
        output_tokens=alone["output_tokens"],
        usd_standalone=alone["usd"],
        usd_incurred=here["usd"],
        train_seconds=sum(manifest["seconds"] for key, manifest in manifests.items() if key in training),
        seconds=sum(manifest["seconds"] for manifest in manifests.values()),
    )


def _durations(manifests: Mapping[str, Manifest]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for manifest in manifests.values():
        seconds[manifest["kind"]] = round(seconds.get(manifest["kind"], 0.0) + manifest["seconds"], 3)
    return seconds


def _seconds_standalone(manifests: Mapping[str, Manifest], standalone: Mapping[str, float | None]) -> float | None:
    """All seconds with labelling as if nothing had been paid before; None where one of `standalone` is not known."""
    known = [seconds for seconds in standalone.values() if seconds is not None]
    others = sum(manifest["seconds"] for key, manifest in manifests.items() if key not in standalone)
    return others + sum(known) if len(known) == len(standalone) else None


def _durations_standalone(
    manifests: Mapping[str, Manifest], standalone: Mapping[str, float | None]
) -> dict[str, float]:
    known = {key: seconds for key, seconds in standalone.items() if seconds is not None}
    told = {key: {**manifests[key], "seconds": seconds} for key, seconds in known.items()}
    return _durations(told) if len(known) == len(standalone) else {}

"""What the cards of one configuration say of its row."""

from __future__ import annotations

from typing import Any

from harness.collections.crops import HUMAN
from harness.labelling.labels.imported_labels import UNKNOWN
from harness.labelling.labels.ranking import VERDICTS
from harness.leaderboard.board_model import AS_PUBLISHED, NOT_AS_CARD, VERIFIED, RowFacts
from harness.leaderboard.configuration import Configuration
from harness.published.card import CardEvaluation
from harness.published.card_costs import pooled
from harness.published.result_folder import Published
from harness.text import plain

_COSTS = {
    "calls": "calls",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "usd": "usd_standalone",
    "usd_here": "usd_incurred",
    "train_seconds": "train_seconds",
    "seconds": "seconds_best",
    "seconds_here": "seconds",
}
"""Cost column -> field or property of the card's costs."""
_USED = {"labels_used": "total", "labels_teacher": "teacher", "labels_written": "written", "labels_gold": "gold"}
"""Cost column -> field or property of the labels used."""


def facts_of(one: Configuration, variant: str, queries: int) -> RowFacts:
    """What the cards of `one` say; `queries` is how many its table has."""
    card = one.card
    return RowFacts(
        collection=plain(card.collection.name),
        split=plain(card.collection.split),
        content_hash=card.collection.content_hash,
        drop_identical=card.collection.drop_identical,
        method=one.method,
        variant=variant,
        category=card.method.category,
        sees=tuple(plain(item) for item in card.method.sees),
        teacher=one.teacher,
        teacher_type=card.teacher.teacher_type if card.teacher else None,
        ranker_loss=_plain(card.ranker_loss),
        retriever_loss=_plain(card.retriever_loss),
        student=_plain(card.student),
        budget=card.budget,
        runs=len(one.runs),
        resamples=len({run.card.resample for run in one.runs} - {None}),
        trials=len(card.tuning.trials) if card.tuning else 0,
        shared_queries=_shared_queries(one),
        seen_in_training=_seen_in_training(one),
        random=card.seed is not None or card.resample is not None,
        cost=_cost(one),
        labels=_labels(one),
        prompts_cut=_prompts_cut(one),
        parameters={
            plain(name): plain(text)
            for run in one.runs
            if run.card.labels is not None
            for name, text in run.card.labels.parameters.items()
        },
        order_presented=pooled(
            [run.card.labels.order_presented for run in one.runs if run.card.labels and run.card.labels.order_presented]
        ),
        unlicensed=tuple(dict.fromkeys(name for run in one.runs for name in _unlicensed(run))),
        collection_faults=tuple(
            dict.fromkeys(plain(fault) for run in one.runs for fault in run.card.collection.warnings)
        ),
        missing_queries=max(_missing(run, queries) for run in one.runs),
        run_ids=tuple(run.card.tag for run in one.runs),
        metric_declared=_plain(next(iter(_declared(one)), None)),
        baseline_declared=tuple(
            plain(name) for name in dict.fromkeys(n for run in one.runs for n in _evaluation(run).baseline)
        ),
        missing_metrics=tuple(
            plain(name) for name in _declared(one) if not all(name in run.scores for run in one.runs)
        ),
        unchecked=tuple(
            dict.fromkeys(plain(part.name) for run in one.runs for part in run.card.plugins if not part.checked)
        ),
        numerics=tuple(
            sorted({plain(name) for run in one.runs if run.card.numerics for name in run.card.numerics.classes})
        ),
        run_faults=tuple(dict.fromkeys(plain(fault) for run in one.runs for fault in run.card.run_faults)),
        **_answers(one),
        **_mark(one),
    )


def _unlicensed(run: Published) -> list[str]:
    """The sources of imported labels whose licence nobody stated; anybody may have written the card."""
    sources = run.card.teacher.settings.get("imported_from") if run.card.teacher is not None else None
    told = [one for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
    return [plain(str(one.get("name", ""))) for one in told if one.get("licence", UNKNOWN) == UNKNOWN]


def _mark(one: Configuration) -> dict[str, Any]:
    """How far its runs were looked at: as far as the one that was looked at least."""
    changed = tuple(f"{plain(run.folder.name)}/{name}" for run in one.runs for name in run.changed)
    verified = tuple(dict.fromkeys(run.verified for run in one.runs)) if all(run.verified for run in one.runs) else ()
    mark = NOT_AS_CARD if changed else VERIFIED if verified else AS_PUBLISHED
    return {"mark": mark, "verified": verified, "changed": changed}


def _answers(one: Configuration) -> dict[str, Any]:
    """Who answered, over all runs."""
    known = [run.card.answers for run in one.runs if run.card.answers is not None]
    return {
        "served": tuple(plain(name) for name in dict.fromkeys(name for sources in known for name in sources.served)),
        "fingerprints": len({name for sources in known for name in sources.fingerprints}),
        "estimated": sum(sources.estimated for sources in known),
        "priced": all(sources.priced for sources in known),
    }


def _shared_queries(one: Configuration) -> float | None:
    known = [run.card.shared_queries for run in one.runs]
    return None if None in known else max(part for part in known if part is not None)


def _seen_in_training(one: Configuration) -> float | None:
    if HUMAN not in {source.name for source in one.card.data.training_data}:
        return None
    return one.card.collection.seen_in_training


def _evaluation(run: Published) -> CardEvaluation:
    return run.card.research_goal.evaluation


def _declared(one: Configuration) -> list[str]:
    """Metrics that the cards of its runs declare, the leading one first."""
    return list(dict.fromkeys(name for run in one.runs for name in _evaluation(run).reported_measures))


def _plain(text: str | None) -> str | None:
    return None if text is None else plain(text)


def _missing(run: Published, queries: int) -> int:
    """Queries for which the run has nothing, as its card says, and queries that it was not even evaluated on."""
    said = run.card.outcome.missing if run.card.outcome else 0
    return said + queries - min(len(values) for values in run.scores.values())


def _cost(one: Configuration) -> dict[str, float]:
    costs = [run.card.costs for run in one.runs]
    found = {column: sum(getattr(cost, field) for cost in costs) / len(costs) for column, field in _COSTS.items()}
    used = [cost.labels_used for cost in costs if cost.labels_used is not None]
    if len(used) < len(costs):
        # Cards from before labels were counted: not known is not 0.
        return found
    return found | {column: sum(getattr(one, field) for one in used) / len(used) for column, field in _USED.items()}


def _labels(one: Configuration) -> dict[str, float]:
    counts = [run.card.labels for run in one.runs if run.card.labels is not None]
    total = sum(count.total for count in counts)
    return {verdict: sum(getattr(count, verdict) for count in counts) / total for verdict in VERDICTS} if total else {}


def _prompts_cut(one: Configuration) -> float:
    counts = [run.card.labels.prompts for run in one.runs if run.card.labels is not None]
    calls = sum(count.get("calls", 0) for count in counts)
    return sum(count.get("cut_by_server", 0) for count in counts) / calls if calls else 0.0

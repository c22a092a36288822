"""Runs that were made elsewhere, published as runs of this board: checked, scored and described by a card."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from harness.collections.collection import Collection, Qrels
from harness.errors import UserError
from harness.evaluation.metrics.lookup import distinct_metrics, evaluate
from harness.evaluation.metrics.per_query_file import write_scores
from harness.evaluation.significance.evaluate_run import DEFAULT_METRICS
from harness.evaluation.significance.id_overlap import overlap_notices
from harness.leaderboard.configuration import cell_of
from harness.pipeline.inputs import load_run, typed_collection
from harness.pipeline.publish.evaluated_split import EvaluatedSplit, evaluated_split
from harness.pipeline.publish.external_system import ExternalSystem
from harness.published.card import Card
from harness.published.result_folder import publish, read_card, run_folder, run_folders
from harness.published.verify import verify
from harness.qa.gold_answers import known
from harness.retrieval.run import Run
from harness.stage import digest
from harness.text import counted, plain

__all__ = ["AddedRun", "ExternalSystem", "add_runs", "summary_of", "typed_collection"]


class AddedRun(TypedDict):
    """What became of a run. `state` is added, renewed (its card says something else now) or already there; `missing`
    counts queries of the split for which it has nothing, `unknown` what the collection does not have."""

    run: str
    name: str
    folder: str
    state: str
    queries: int
    missing: int
    unknown_queries: int
    unknown_documents: int
    notices: list[str]


@dataclass(frozen=True)
class _Setting:
    """Where runs are added: the collection and split, the results folder, the metrics."""

    collection: Collection
    split: str
    results: Path
    metrics: tuple[str, ...]
    qrels: Qrels = field(repr=False)

    @property
    def evaluated(self) -> EvaluatedSplit:
        return evaluated_split(self.collection, self.split)


@dataclass(frozen=True)
class _Candidate:
    """A run that was checked, and the card that it gets."""

    source: Path
    run: Run = field(repr=False)
    card: Card
    unknown: tuple[int, int]
    """Queries, documents."""
    notices: list[str]


def add_runs(
    sources: Sequence[Path],
    collection: Collection,
    split: str,
    results: Path,
    system: ExternalSystem,
    names: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> list[AddedRun]:
    """Publish runs of other systems on `split` of `collection` below `results`, all of them or none.

    A run is called by the name among `names` at its place, otherwise by its own; where several have the same one, by
    their files. The same run on the same collection has one folder, however often and under whatever name it is added.
    Scored by `metrics`, by default those of the board's rows on this collection, or the usual ones. Raises UserError
    for a file that is no run, for a run that shares no query or no document with the collection, and for a name that
    another run of this collection has.
    """
    chosen = tuple(str(one) for one in distinct_metrics(metrics or _usual(results, collection, split)))
    setting = _Setting(collection, split, results, chosen, collection.judgments(split).qrels)
    dropped = collection.judgments(split).drop_identical
    runs = [run.without_identical() if dropped else run for run in map(load_run, sources)]
    candidates = [
        _checked(Path(source), run, name, setting, system)
        for source, run, name in zip(sources, runs, _names(sources, runs, names), strict=True)
    ]
    _without_namesakes(candidates, setting)
    described = bool(metrics) or system != ExternalSystem()
    return [_published(one, setting, described) for one in candidates]


def _names(sources: Sequence[Path], runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    if names:
        if len(names) != len(sources):
            said = f"{counted(len(names), 'name')} for {counted(len(sources), 'run')}"
            raise UserError(said, key="--name", remedy="give one for each run, in their order, or none")
        return list(names)
    own, paths = [run.name for run in runs], [Path(source) for source in sources]
    stems = [path.name.split(".")[0] for path in paths]
    longer = [f"{path.resolve().parent.name}-{stem}" for path, stem in zip(paths, stems, strict=True)]
    for candidates in (own, stems, longer):
        counts = Counter(candidates)
        # Two paths of one run are no two systems.
        if all(count == 1 or _equal(name, candidates, runs) for name, count in counts.items()):
            return candidates
    raise UserError(
        "several runs have the same name, and so have their files", key="--name", remedy="name each of them"
    )


def _equal(name: str, names: Sequence[str], runs: Sequence[Run]) -> bool:
    first, *others = [run.scores for run, own in zip(runs, names, strict=True) if own == name]
    return all(scores == first for scores in others)


def _usual(results: Path, collection: Collection, split: str) -> Sequence[str]:
    """Metrics that most rows on this content report, without those of answers, which a run alone does not give."""
    reported = Counter(
        card.research_goal.evaluation.reported_measures
        for card in _cards(results, collection, split).values()
        if card.research_goal.evaluation.reported_measures and not any(map(_needs_more, _reported(card)))
    )
    return reported.most_common(1)[0][0] if reported else DEFAULT_METRICS


def _reported(card: Card) -> Sequence[str]:
    return card.research_goal.evaluation.reported_measures


def _needs_more(name: str) -> bool:
    try:
        (found,) = distinct_metrics(name)
    except UserError:
        return True
    return found.kind.needs != ("gold labels",)


def _cards(results: Path, collection: Collection, split: str) -> dict[Path, Card]:
    """Of the runs below `results` on that content and split."""
    cards: dict[Path, Card] = {}
    for folder in run_folders(results):
        try:
            card = read_card(folder)
        except UserError:
            # The board names what it cannot read.
            continue
        hashes = {card.collection.content_hash, card.collection.former_content_hash}
        same = card.collection.split == split and hashes & {collection.split_hash(split), collection.content_hash}
        # Runs that leave out their queries' own documents have tables of their own.
        if same and card.collection.drop_identical == collection.judgments(split).drop_identical:
            cards[folder] = card
    return cards


def _checked(source: Path, run: Run, name: str, setting: _Setting, system: ExternalSystem) -> _Candidate:
    notices = overlap_notices(name, run.scores, setting.qrels)
    documents = {document for found in run.scores.values() for document in found}
    returned = {document for query in setting.qrels for document in run.scores.get(query, {})}
    there = set(known(setting.collection.corpus, sorted(documents)))
    if there.isdisjoint(returned):
        examples = ", ".join(f"'{plain(one, 60)}'" for one in sorted(returned)[:3])
        raise UserError(
            f"the run has no document of '{setting.collection.name}': it has {examples or 'none at all'}",
            file=source,
            remedy="give a run of this collection; ids must be written as there",
        )
    queries = set(setting.collection.queries(setting.split).ids) | set(setting.qrels)
    content = {query: dict(run.scores[query]) for query in sorted(run.scores)}
    mark = digest([setting.evaluated.about.content_hash, setting.split, content])[:8]
    card = system.card(name, mark, setting.evaluated.about, setting.metrics)
    return _Candidate(source, run, card, (len(run.scores.keys() - queries), len(documents - there)), notices)


def _without_namesakes(candidates: Sequence[_Candidate], setting: _Setting) -> None:
    """Raises UserError where another run has the name of one of these: a row would stand for two systems."""
    cards = _cards(setting.results, setting.collection, setting.split)
    for one in candidates:
        mark = _mark(one.card)
        for folder, card in cards.items():
            if cell_of(card) == cell_of(one.card) and _mark(card) != mark:
                raise UserError(
                    f"there is another run of '{plain(one.card.method.name)}' on the board: {folder}",
                    file=one.source,
                    remedy="two systems need two names: --name; or remove that folder, if this run is to replace it",
                )


def _mark(card: Card) -> str:
    """What tells the content of runs apart, at the end of their tags."""
    return card.tag.rpartition("-")[2]


def _published(one: _Candidate, setting: _Setting, described: bool) -> AddedRun:
    """`described` is whether anything but the run was given: without it a folder that is there stays as it is."""
    folder = run_folder(setting.results, one.card)
    same = [path for path in sorted(folder.parent.glob(f"*-{_mark(one.card)}")) if path != folder or not described]
    state = "already there"
    if same:
        folder = same[0]
    else:
        existed = folder.is_dir()
        with tempfile.TemporaryDirectory() as temporary:
            run, metrics = Path(temporary) / "run.trec.gz", Path(temporary) / "metrics.parquet"
            Run(one.card.tag, one.run.scores).write(run)
            write_scores(metrics, evaluate(one.run.scores, setting.qrels, setting.metrics))
            if publish(folder, one.card, run, metrics, clusters=setting.evaluated.clusters):
                state = "renewed" if existed else "added"
        _verified(folder, setting)
    return AddedRun(
        run=str(one.source),
        name=read_card(folder).method.name,
        folder=str(folder),
        state=state,
        queries=len(setting.qrels),
        missing=sum(not one.run.scores.get(query) for query in setting.qrels),
        unknown_queries=one.unknown[0],
        unknown_documents=one.unknown[1],
        notices=one.notices,
    )


def _verified(folder: Path, setting: _Setting) -> None:
    if problems := verify(folder, setting.qrels):
        raise UserError(f"what was written cannot be verified: {'; '.join(problems)}", file=folder)


def summary_of(row: AddedRun) -> str:
    """A line for people."""
    counted_as = (
        (row["missing"], "query", "of the split missing"),
        (row["unknown_queries"], "query", "that the split does not have"),
        (row["unknown_documents"], "document", "that the collection does not have"),
    )
    counts = [f"{counted(number, thing)} {what}" for number, thing, what in counted_as if number]
    head = f"{row['state']}: {plain(row['name'])} in {row['folder']}"
    return "\n".join([f"{head} ({'; '.join(counts)})" if counts else head, *(f"  {line}" for line in row["notices"])])

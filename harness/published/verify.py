"""Checking a published run: are its files as its card says, and do its numbers follow from its run and the
judgments?"""

from __future__ import annotations

from pathlib import Path

from harness.collections.collection import Qrels
from harness.errors import UserError
from harness.evaluation.metrics.answer_metrics import needs_answers
from harness.evaluation.metrics.lookup import Scores, evaluate, mean
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.metrics.per_query_file import read_scores
from harness.files import sha256
from harness.published.card import Card, CardOutcome
from harness.published.provenance import read_provenance
from harness.published.published_labels import read_labels
from harness.published.result_folder import CARD, RUN, SIDECARS, check_file, read_card
from harness.published.run_trace import read_trace
from harness.published.untrusted_run import check_run_file
from harness.retrieval.run import Run
from harness.text import counted, plain

TOLERANCE = 1e-9
LARGEST_RUN = 4 << 30
"""Bytes of a run after decompression above which it is not read."""


def verify(folder: Path, qrels: Qrels) -> list[str]:
    """Problems of a result folder, each starting with its name; none when everything is as published.

    The run is evaluated again on `qrels`; per-query values and means must agree to 1e-9. Of metrics of short answers,
    which need a reader, only queries and means are checked.
    """
    try:
        card = read_card(folder)
        check_file(folder / METRICS)
        check_run_file(folder / RUN, LARGEST_RUN)
        run, scores = Run.read(folder / RUN), read_scores(folder / METRICS)
    except (UserError, ValueError, OSError) as error:
        return [f"unreadable: {plain(str(error))}"]
    if card.outcome is None:
        return [f"no outcome: {CARD} does not say what came of the run"]
    return [
        *_names(folder, card, run),
        *_files(folder, card.outcome),
        *_sidecars(folder),
        *_values(run, scores, card.outcome, qrels, card.collection.drop_identical),
    ]


def _names(folder: Path, card: Card, run: Run) -> list[str]:
    wrong = [("folder", folder.resolve().name), ("run file", run.name)]
    return [
        f"name: the {what} is called '{plain(name)}', the card '{card.tag}'" for what, name in wrong if name != card.tag
    ]


def _files(folder: Path, outcome: CardOutcome) -> list[str]:
    further = [name for name in SIDECARS if name in outcome.files]
    changed = [name for name in (RUN, METRICS, *further) if outcome.files.get(name) != _hash(folder / name)]
    return [f"hash: {name} is not the file that the card describes" for name in changed]


def _sidecars(folder: Path) -> list[str]:
    """What cannot be read beside the card; a missing file is told by its hash."""
    problems = []
    for read in (read_provenance, read_labels, read_trace):
        try:
            read(folder)
        except UserError as error:
            problems.append(f"unreadable: {plain(error.summary)} ({Path(str(error.file)).name})")
    return problems


def _hash(path: Path) -> str | None:
    """None for a file that is missing, linked or too large."""
    try:
        check_file(path)
    except ValueError:
        return None
    return sha256(path)


def _values(run: Run, scores: Scores, outcome: CardOutcome, qrels: Qrels, drop_identical: bool) -> list[str]:
    if drop_identical:
        run = run.without_identical()
    try:
        answered = [name for name in scores if needs_answers(name)]
        again = evaluate(run.scores, qrels, [name for name in scores if name not in answered])
    except UserError as error:
        return [f"metric: {plain(error.message)}"]
    problems = []
    # What a reader said is not in the folder: of its metrics only the queries and the means are checked.
    again |= {name: {query: scores[name].get(query, 0.0) for query in qrels} for name in answered}
    if set(again) != set(scores) or set(scores) != set(outcome.metrics):
        problems.append("metric: the card and the per-query values name different metrics")
    for name, values in again.items():
        problems += _metric(name, values, scores.get(name, {}), outcome.metrics.get(name))
    missing = sum(not run.scores.get(query) for query in qrels)
    if (outcome.queries, outcome.missing) != (len(qrels), missing):
        said = f"{counted(outcome.queries, 'query')}, {outcome.missing} missing"
        problems.append(f"queries: the card says {said}; there are {len(qrels)}, {missing} missing")
    return problems


def _metric(name: str, values: dict[str, float], reported: dict[str, float], reported_mean: float | None) -> list[str]:
    if values.keys() != reported.keys():
        return [f"queries: {name} is given for {counted(len(reported), 'query')}, the judgments have {len(values)}"]
    wrong = [query for query, value in values.items() if abs(value - reported[query]) > TOLERANCE]
    problems = [f"value: {name} differs for {counted(len(wrong), 'query')}, first {plain(wrong[0])}"] if wrong else []
    if reported_mean is not None and abs(mean(values) - reported_mean) > TOLERANCE:
        problems.append(f"mean: {name} is {reported_mean:.6f} on the card, {mean(values):.6f} when computed again")
    return problems

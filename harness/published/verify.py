"""Checking a published run: are its files as its card says, and do its numbers follow from its run and the
judgments?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from harness.collections.collection import Qrels
from harness.errors import UserError
from harness.evaluation.metrics.answer_metrics import needs_answers, needs_reader
from harness.evaluation.metrics.lookup import Scores, evaluate, mean
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.metrics.per_query_file import read_scores
from harness.evaluation.query_clusters import PASSAGE, sharing_documents
from harness.evaluation.significance.clusters import FILE as CLUSTERS
from harness.published.card import Card, CardOutcome
from harness.published.card_check import TOLERANCE, changed_sidecars, file_hash
from harness.published.card_claims import false_label_rates, false_seconds
from harness.published.provenance import read_provenance
from harness.published.published_answers import read_answers
from harness.published.published_labels import read_labels
from harness.published.result_folder import CARD, RUN, check_file, read_card, read_run_clusters
from harness.published.run_trace import read_trace
from harness.published.untrusted_run import check_run_file
from harness.retrieval.run import Run
from harness.text import counted, plain

LARGEST_RUN = 4 << 30
"""Bytes of a run after decompression above which it is not read."""
Answered = Callable[[Run, Mapping[str, str], Sequence[str]], Scores]
"""From a run, what a reader answered by query id, and names of metrics of short answers to their values."""


def verify(folder: Path, qrels: Qrels, answered: Answered | None = None) -> list[str]:
    """Problems of a result folder, each starting with its name; none when everything is as published.

    The run is evaluated again on `qrels`; per-query values and means must agree to 1e-9. Metrics of short answers are
    computed again by `answered` where the collection is at hand and the reader's answers lie in the folder
    (``answers.jsonl.gz``); otherwise only their queries and means are checked (`unchecked_metrics` names them). So are
    what the card says of labels and of seconds, as far as it follows from the files beside it.
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
        *_files(folder, card),
        *_sidecars(folder, card),
        *_clusters(folder, card, qrels),
        *_values(
            run.without_identical() if card.collection.drop_identical else run,
            scores,
            card.outcome,
            qrels,
            partial(_answer_scores, folder, run, scores, answered),
        ),
    ]


def unchecked_metrics(folder: Path) -> list[str]:
    """Metrics of a readable folder that need a reader whose answers do not lie there: they cannot be computed again."""
    try:
        names = list(read_scores(folder / METRICS))
        return [name for name in names if needs_reader(name)] if read_answers(folder) is None else []
    except (UserError, ValueError, OSError):
        return []


def _names(folder: Path, card: Card, run: Run) -> list[str]:
    wrong = [("folder", folder.resolve().name), ("run file", run.name)]
    return [
        f"name: the {what} is called '{plain(name)}', the card '{card.tag}'" for what, name in wrong if name != card.tag
    ]


def _files(folder: Path, card: Card) -> list[str]:
    files = card.outcome.files if card.outcome else {}
    hashed = (RUN, METRICS, *([CLUSTERS] if card.collection.clusters is not None else []))
    changed = [name for name in hashed if files.get(name) != file_hash(folder / name)]
    changed += changed_sidecars(folder, card)
    return [f"hash: {name} is not the file that the card describes" for name in changed]


def _sidecars(folder: Path, card: Card) -> list[str]:
    """What cannot be read beside the card, or says otherwise; a missing file is told by its hash."""
    problems = []
    for check in (_provenance, _labels, _trace_and_answers):
        try:
            problems += check(folder, card)
        except UserError as error:
            problems.append(f"unreadable: {plain(error.summary)} ({Path(str(error.file)).name})")
    return problems


def _clusters(folder: Path, card: Card, qrels: Qrels) -> list[str]:
    """Clusters of queries that share a relevant document follow from the judgments; others are as the card says."""
    try:
        said = read_run_clusters(folder, card)
    except (OSError, ValueError) as error:
        return [f"unreadable: {plain(str(error))}"]
    by = card.collection.clusters.by if card.collection.clusters is not None else ""
    if by == PASSAGE and said != sharing_documents(qrels):
        return [f"clusters: {CLUSTERS} is not which queries share a relevant document"]
    return []


def _provenance(folder: Path, card: Card) -> list[str]:
    return list(false_seconds(card, read_provenance(folder)))


def _labels(folder: Path, card: Card) -> list[str]:
    labels = read_labels(folder)
    return [] if labels is None else list(false_label_rates(card, labels))


def _trace_and_answers(folder: Path, card: Card) -> list[str]:
    for read in (read_trace, read_answers):
        read(folder)
    return []


def _answer_scores(folder: Path, run: Run, scores: Scores, answered: Answered | None) -> Scores:
    """Values of metrics of short answers, computed again as far as that can be."""
    try:
        said = read_answers(folder)
    except UserError:
        # That it cannot be read is told where the files are looked at.
        return {}
    names = [name for name in scores if needs_answers(name) and (said is not None or not needs_reader(name))]
    return answered(run, said or {}, names) if answered is not None and names else {}


def _values(
    run: Run, scores: Scores, outcome: CardOutcome, qrels: Qrels, answer_scores: Callable[[], Scores]
) -> list[str]:
    try:
        answered = [name for name in scores if needs_answers(name)]
        again = evaluate(run.scores, qrels, [name for name in scores if name not in answered])
        # Where nobody knows what a reader said, only the queries and the means of its metrics are checked.
        again |= {name: {query: scores[name].get(query, 0.0) for query in qrels} for name in answered}
        again |= answer_scores()
    except UserError as error:
        return [f"metric: {plain(error.message)}"]
    problems = []
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

"""Published runs: ``results/<collection>/<run id>/`` with run.trec.gz, card.yaml and metrics.parquet, and
clusters.parquet where queries are not independent.

Beside them may lie how the run was made (``provenance.json``, before 0.2 ``making.json``), the labels that taught it
(``labels.jsonl.gz``), where between teacher and retriever knowledge was lost (``trace.json``) and what a reader
answered from the run (``answers.jsonl.gz``); no number of a board rests on these.

Writing is atomic. Reading trusts nothing: folders may come from strangers, so links, large or malformed files and
unknown keys are refused with a reason; nothing is executed or unpickled.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness.errors import UserError
from harness.evaluation.metrics.lookup import mean
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.metrics.per_query_file import read_scores
from harness.evaluation.significance.clusters import FILE as CLUSTERS
from harness.evaluation.significance.clusters import load_clusters, save_clusters
from harness.files import atomic_folder, sha256, sync
from harness.published.card import Card, CardOutcome
from harness.published.card_collection import ClustersOnCard
from harness.published.card_section import CardSection
from harness.published.safe_yaml import load
from harness.retrieval.run import Run
from harness.text import plain
from harness.validation import validated

CARD = "card.yaml"
RUN = "run.trec.gz"
PROVENANCE, FORMER_PROVENANCE, LABELS = "provenance.json", "making.json", "labels.jsonl.gz"
TRACE, ANSWERS = "trace.json", "answers.jsonl.gz"
LABEL_SETS = "labels"
"""The folder among the collections that holds no runs but published sets of labels, ``labels/<collection>/``."""
SIDECARS = (PROVENANCE, FORMER_PROVENANCE, LABELS, TRACE, ANSWERS)
"""Files that only some folders have; `FORMER_PROVENANCE` is what older ones have in place of `PROVENANCE`."""
LARGEST = {CARD: 1 << 18, METRICS: 1 << 27, CLUSTERS: 1 << 27, RUN: 1 << 31} | dict.fromkeys(SIDECARS, 1 << 24)
"""Bytes above which a file is not opened."""


@dataclass(frozen=True)
class Published:
    """A published run that was read: its folder, card and per-query values."""

    folder: Path
    card: Card
    scores: Mapping[str, Mapping[str, float]] = field(repr=False)
    clusters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """query -> cluster, of queries that are not independent."""
    changed: tuple[str, ...] = ()
    """Files beside the run, on which no number rests, that are not what the card describes; of a board's runs only."""
    verified: str = ""
    """Who verified it, and when; empty where nobody did, or nobody looked."""


@dataclass(frozen=True)
class Skipped:
    """A folder that could not be read, and why."""

    folder: str
    reason: str
    mark: str = ""
    """'not as its card says' where that is why."""


def run_folder(results: Path, card: Card) -> Path:
    """Where the run of `card` is published: ``results/<collection>/<run id>``."""
    return results / slug(card.collection.name) / card.tag


def slug(text: str) -> str:
    """`text` as a part of a file name or run id: letters, digits and ``._+-`` only."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-.") or "unnamed"


def publish(
    folder: Path,
    card: Card,
    run_path: Path,
    metrics: Path,
    sidecars: Callable[[], Mapping[str, bytes]] = dict,
    trace: Mapping[str, bytes] | None = None,
    anew: bool = False,
    clusters: Mapping[str, str] | None = None,
) -> bool:
    """Write a result folder; `card.outcome` is filled in here. False when `folder` already holds this very cell, which
    is kept.

    It is written anew where that is asked for, where `card` knows costs that the one there does not tell (see
    `renewed`), where `trace` differs from what lies there, where queries are in other clusters, and where labels were
    asked again and came out otherwise.

    `run_path` is a run file, written again under the name `card.tag`; `metrics` the ``metrics.parquet`` of `Evaluate`;
    `sidecars` gives further files by name (PROVENANCE, LABELS, ANSWERS) and is asked only when the folder is written;
    `trace` is another (TRACE); `clusters` (query -> cluster) are those that the card tells
    of. A folder appears complete or not at all; an older result in its place is replaced.
    """
    there, trace = _same_cell(folder, card), trace or {}
    same = there is not None and there.tells >= card.tells and there.label_counts == card.label_counts
    same = same and there is not None and there.collection.clusters == card.collection.clusters
    if there is not None and same and not anew and _holds(there, trace):
        return False
    card = renewed(folder, card)

    run = Run.read(run_path)
    scores = read_scores(metrics)
    with atomic_folder(folder) as temporary:
        Run(card.tag, run.scores).write(temporary / RUN)
        shutil.copyfile(metrics, temporary / METRICS)
        sync(temporary / METRICS)
        grouped = [CLUSTERS] if clusters else []
        if clusters:
            save_clusters(temporary / CLUSTERS, clusters)
            sync(temporary / CLUSTERS)
        further = _write_sidecars(temporary, {**sidecars(), **trace})
        queries = list(next(iter(scores.values()), {}))
        outcome = CardOutcome(
            queries=len(queries),
            missing=sum(not run.scores.get(query) for query in queries),
            metrics={name: mean(values) for name, values in scores.items()},
            files={name: sha256(temporary / name) for name in (RUN, METRICS, *grouped, *further)},
        )
        (temporary / CARD).write_text(card_text(card.model_copy(update={"outcome": outcome})), encoding="utf-8")
        sync(temporary / CARD)
    return True


def _holds(card: Card, files: Mapping[str, bytes]) -> bool:
    """Whether the folder of `card` was published with these files, those left out that are too large for it."""
    hashes = {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if len(content) <= LARGEST[name]
    }
    return card.outcome is not None and hashes.items() <= card.outcome.files.items()


def _write_sidecars(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Writes those of `files` that are not too large to be read again; their names."""
    written = [name for name, content in files.items() if len(content) <= LARGEST[name]]
    for name in written:
        (folder / name).write_bytes(files[name])
        sync(folder / name)
    return written


def renewed(folder: Path, card: Card) -> Card:
    """`card` as it is written to `folder`: when, where and by which code the run was published stays as the card there
    tells it, where that is of the same cell, made of the same artefacts."""
    there = _same_cell(folder, card)
    if there is None or there.durations != card.durations:
        return card
    kept = {name: getattr(there, name) for name in ("created", "platform", "implementation", "actor")}
    return card.model_copy(update={**kept, "frozen": tuple(dict.fromkeys((*there.frozen, *card.frozen)))})


def _same_cell(folder: Path, card: Card) -> Card | None:
    """The card in `folder` where it is of the same cell as `card`."""
    try:
        there = read_card(folder)
    except UserError:
        return None
    return there if there.identity() == card.identity() else None


def card_text(card: CardSection) -> str:
    """A card as YAML."""

    class Dumper(yaml.SafeDumper):
        """Quotes text with characters that PyYAML writes wrongly otherwise (it turns U+0085 into a space)."""

    def quoted(dumper: Dumper, text: str) -> yaml.ScalarNode:
        clean = text.replace("\n", "").isprintable()
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if clean else '"')

    Dumper.add_representer(str, quoted)
    return yaml.dump(card.model_dump(mode="json"), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=140)


def read_card(folder: Path) -> Card:
    """The card of a result folder. Raises UserError when it is missing, linked, too large, or malformed."""

    path = folder / CARD
    try:
        value = load(_content(path).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(plain(f"the card cannot be read: {error}"), file=path) from error
    return validated(Card, value, what="the card", file=path)


def _content(path: Path) -> bytes:
    check_file(path)
    with path.open("rb") as stream:
        return stream.read(LARGEST[path.name] + 1)


def check_file(path: Path, most: int | None = None) -> None:
    """Raises ValueError when `path` is no ordinary file of at most `most` bytes; by default what its name allows."""
    largest = LARGEST[path.name] if most is None else most
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path.name} is missing or no ordinary file")
    if path.stat().st_size > largest:
        raise ValueError(f"{path.name} is larger than {largest} bytes")


def read_folder(folder: Path) -> Published:
    """A result folder without its run file. Raises UserError with the reason when it cannot be used."""
    card = read_card(folder)
    if card.tag != folder.name:
        raise UserError(
            f"the card is that of '{card.tag}'", file=folder / CARD, remedy="name the folder after its run id"
        )
    try:
        check_file(folder / METRICS)
        scores = read_scores(folder / METRICS)
        clusters = read_run_clusters(folder, card)
    except (OSError, ValueError) as error:
        raise UserError(plain(str(error)), file=folder / METRICS) from error
    if not scores:
        raise UserError("no metrics", file=folder / METRICS)
    return Published(folder, card, scores, clusters)


def read_run_clusters(folder: Path, card: Card) -> dict[str, str]:
    """query -> cluster of the run of `card`; empty where queries count as independent. Raises ValueError where the file
    is not what the card tells of."""
    if card.collection.clusters is None:
        return {}
    check_file(folder / CLUSTERS)
    found = load_clusters(folder / CLUSTERS)
    if ClustersOnCard.of(card.collection.clusters.by, found) != card.collection.clusters:
        raise ValueError(f"{CLUSTERS} has other clusters than the card tells of")
    return found


def read_results(results: Path, runs: Collection[str] | None = None) -> tuple[list[Published], list[Skipped]]:
    """All result folders under `results` (two levels) or only those of `runs` (run ids), in the order of their paths.

    Also those that were skipped, with the reason.
    """
    found: list[Published] = []
    skipped: list[Skipped] = []
    for folder in run_folders(results):
        if runs is not None and folder.name not in runs:
            continue
        try:
            found.append(read_folder(folder))
        except UserError as error:
            skipped.append(Skipped(plain(folder.relative_to(results).as_posix()), plain(error.summary)))
    return found, skipped


def run_folders(results: Path) -> Iterator[Path]:
    """Folders two levels below `results` that may hold a run; hidden ones, links, sets of labels and results of their
    own (`runs_below`) are left out."""
    for collection in _subfolders(results):
        for folder in _subfolders(collection):
            if not holds_label_sets(folder) and not runs_below(folder):
                yield folder


def holds_label_sets(folder: Path) -> bool:
    """Whether that is a place of published sets of labels and no run of a collection that is called so."""
    return folder.absolute().parent.name == LABEL_SETS and not (folder / CARD).exists()


def runs_below(folder: Path) -> list[Path]:
    """The runs of `folder` where it is no run but a collection: those of claims lie a level deeper, so that they change
    no other board."""
    if (folder / CARD).exists():
        return []
    return [run for run in _subfolders(folder) if (run / CARD).is_file()]


def all_run_folders(results: Path) -> Iterator[Path]:
    """Those of `run_folders`, and a level deeper the runs of results of their own."""
    yield from run_folders(results)
    for apart in _subfolders(results):
        for collection in _subfolders(apart):
            yield from runs_below(collection)


def _subfolders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [
            entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        ]
    return [folder / name for name in sorted(names)]

"""``harness labels export --as``: labels become training files of other projects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.collection import Collection, Document
from harness.collections.pool import Pool, read_pool
from harness.errors import UserError
from harness.files import atomic_file
from harness.labelling.exchange.training_file import TrainingRow
from harness.labelling.exchange.training_forms import training_form
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.labelling.labels.ranking import Ranking
from harness.pipeline.artefact_records import MANIFEST
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.text import plain

_NAMED = 20
"""Sets of labels that a refusal names."""


class Wanted(NamedTuple):
    """What is exported, and how."""

    form: str
    collection: str
    labels: Path | None = None
    """A file of labels; None for finished labels of the workspace."""
    of_set: str = ""
    """The beginning of the key of a set of labels, where there are several."""
    positives: int = 1


def export_training(file: Path, wanted: Wanted, workspace: WorkspaceFolder) -> dict[str, Any]:
    """Write the file, JSON lines; ``{"file", "form", "rows", "documents", "left_out", ...}``.

    A row holds what the teacher placed: nobody knows the order of the tail. Scores are the teacher's own, else 1/place,
    as in RankGPT's training. Raises UserError when several sets of labels could be meant, or no label makes a row.
    """
    form, collection = training_form(wanted.form), workspace.collection(wanted.collection)
    if wanted.positives < 1:
        raise UserError("there must be a positive document", what="--positives", remedy="give 1 or more")
    if not file.parent.is_dir():
        raise UserError("there is no such folder", file=file.parent)
    rankings, texts = _labels(wanted, collection, workspace)
    queries = {**_query_texts(collection), **texts}
    rows = list(_rows(rankings, queries, collection, wanted.positives))
    if not rows:
        raise UserError(
            f"none of {len(rankings):,} labels has a query and {wanted.positives + 1} placed documents of "
            f"{collection.name}",
            remedy="name the collection that was labelled with --collection",
        )
    with atomic_file(file) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(form.row(row, wanted.positives), ensure_ascii=False) + "\n")
    placed, known = sum(len(one.ranked) for one in rankings), sum(len(row.documents) for row in rows)
    return {
        "file": str(file),
        "form": form.name,
        "rows": len(rows),
        "documents": known,
        "left_out": {"labels": len(rankings) - len(rows), "placed_documents": placed - known},
        "tail_documents": sum(len(one.unranked) for one in rankings),
    }


def _labels(wanted: Wanted, collection: Collection, workspace: WorkspaceFolder) -> tuple[list[Ranking], dict[str, str]]:
    """Rankings, and the texts of queries that were drawn for them."""
    if wanted.labels is not None:
        return read_rankings(wanted.labels, wanted.of_set), {}
    folder = _chosen(_finished(workspace, collection), wanted.of_set, workspace)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    pool = workspace.store.root / Pool.kind / str(manifest["fields"]["draw"]["pool"]["stage"])
    drawn = {query.id: query.text for query in read_pool(pool)} if pool.is_dir() else {}
    return read_rankings(folder / RANKINGS), drawn


def _finished(workspace: WorkspaceFolder, collection: Collection) -> dict[Path, str]:
    """The sets of labels of a collection's documents, with what each is."""
    found = {}
    for file in sorted((workspace.store.root / Labels.kind).glob(f"[0-9a-f]*/{MANIFEST}")):
        manifest = json.loads(file.read_text(encoding="utf-8"))
        if manifest["fields"].get("corpus") == {"identity": collection.corpus.identity}:
            found[file.parent] = str(manifest.get("label", ""))
    return found


def _chosen(found: Mapping[Path, str], of_set: str, workspace: WorkspaceFolder) -> Path:
    named = [folder for folder in found if folder.name.startswith(of_set)]
    if len(named) == 1:
        return named[0]
    listed = ", ".join(f"{folder.name[:12]} ({plain(about)})" for folder, about in list(found.items())[:_NAMED])
    raise UserError(
        f"{len(named)} finished sets of labels of this collection could be meant",
        file=workspace.path,
        remedy=f"give one of them with --set: {listed}" if found else "give a file of labels with --from",
    )


def _query_texts(collection: Collection) -> dict[str, str]:
    """Texts of all judged queries, and of those that are titles."""
    texts = {f"title:{id}": title for id, title in collection.titles()}
    for split in collection.splits:
        queries = collection.queries(split)
        texts.update(zip(queries.ids, queries.slice_texts(0, len(queries)), strict=True))
    return texts


def _rows(
    rankings: Iterable[Ranking], queries: Mapping[str, str], collection: Collection, positives: int
) -> Iterator[TrainingRow]:
    rankings = list(rankings)
    documents = _documents({id for ranking in rankings for id in ranking.ranked}, collection)
    for ranking in rankings:
        scores = ranking.scores or [1 / place for place in range(1, len(ranking.ranked) + 1)]
        own = {ranking.query} if collection.drop_identical else set()
        known_ids = documents.keys() - own
        placed = [(documents[id], score) for id, score in zip(ranking.ranked, scores, strict=False) if id in known_ids]
        if ranking.query in queries and len(placed) > positives:
            known, values = zip(*placed, strict=True)
            yield TrainingRow(ranking.query, queries[ranking.query], known, values)


def _documents(wanted: set[str], collection: Collection) -> dict[str, Document]:
    known = sorted(wanted.intersection(collection.corpus.ids))
    return {one.id: one for one in collection.corpus.documents(collection.corpus.rows(known))}


def render_training(report: dict[str, Any]) -> str:
    """What was written and what was not, for people."""
    left = report["left_out"]
    lines = [
        f"{report['file']}: {report['rows']:,} rows with {report['documents']:,} documents for {report['form']}",
        f"{left['labels']:,} labels left out: without a text of the query, or with too few placed documents"
        * bool(left["labels"]),
        f"{left['placed_documents']:,} placed documents left out with them, or not in the collection"
        * bool(left["placed_documents"]),
        f"{report['tail_documents']:,} documents left out that the teacher did not place"
        * bool(report["tail_documents"]),
    ]
    return "\n".join(line for line in lines if line)

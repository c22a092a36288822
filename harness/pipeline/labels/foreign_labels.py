"""``harness labels import --as``: labels that others published become a file which the teacher `recorded` replays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.files import sha256
from harness.labelling.exchange.label_form import ForeignLabel
from harness.labelling.exchange.label_forms import label_form
from harness.labelling.exchange.matched_labels import MatchCounts, matched
from harness.labelling.exchange.text_match import matcher
from harness.labelling.labels.imported_labels import UNKNOWN, LabelSource, write_imported
from harness.labelling.labels.ranking import VERDICTS, Ranking
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.text import counted, plain
from harness.validation import validated


class Publication(NamedTuple):
    """A file of labels that somebody published, and what is known of it."""

    file: Path
    form: str
    hits: Path | None = None
    """The second file of a form that has two."""
    name: str | None = None
    date: str | None = None
    licence: str | None = None


def import_published(
    publication: Publication, collection: str, workspace: WorkspaceFolder, out: Path | None = None
) -> dict[str, Any]:
    """Match the labels to a collection and write those of its queries to `out`, by default in the workspace.

    ``{"file", "source", "counts", "verdicts"}``. Raises UserError where the file is not of that form, or none of its
    queries is one of the collection's.
    """
    form, found = label_form(publication.form), workspace.collection(collection)
    if publication.hits is not None and not form.takes_hits:
        raise UserError(f"labels of the form '{form.name}' are in one file", what="--hits", remedy="leave it out")
    labels = list(form.labels(publication.file, publication.hits))
    counts = MatchCounts()
    rankings = _matched(labels, found, counts)
    if not rankings:
        examples = ", ".join(f"'{plain(one)}'" for one in counts.unmatched) or "none"
        raise UserError(
            f"none of {counted(counts.labels, 'label')} is of a query of {found.name}; its queries: {examples}",
            file=publication.file,
            remedy="name the collection whose queries were labelled with --collection",
        )
    source = _source(publication, found)
    place = out or workspace.imported_labels / f"{publication.file.name.split('.')[0]}.{form.name}.jsonl.gz"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_imported(place, source, rankings)
    verdicts = Counter(ranking.verdict for ranking in rankings)
    return {
        "file": str(place),
        "source": source.model_dump(mode="json"),
        "counts": vars(counts),
        "verdicts": {verdict: verdicts[verdict] for verdict in VERDICTS},
    }


def _matched(labels: list[ForeignLabel], collection: Collection, counts: MatchCounts) -> list[Ranking]:
    queries = matcher({label.query for label in labels}, [collection.queries(split) for split in collection.splits])
    documents = matcher({one for label in labels for one in label.documents}, [collection.corpus])
    return list(matched(labels, queries, documents, counts))


def _source(publication: Publication, collection: Collection) -> LabelSource:
    about = {
        "name": publication.name or publication.file.name,
        "date": publication.date or UNKNOWN,
        "licence": publication.licence or UNKNOWN,
        "form": publication.form,
        "file_hash": sha256(publication.file),
        "collection": collection.name,
        "content_hash": collection.content_hash,
    }
    return validated(LabelSource, about, what="the source of the labels")


def render_published(report: dict[str, Any]) -> str:
    """What was imported and what was not, for people."""
    counts, source = report["counts"], report["source"]
    told = [f"{number:,} {verdict}" for verdict, number in report["verdicts"].items() if number]
    lines = [
        f"{counts['imported']:,} of {counts['labels']:,} labels imported: {', '.join(told)}",
        *_unmatched(counts),
        f"source: {plain(source['name'])}, date: {plain(source['date'])}, licence: {plain(source['licence'])}",
        f"replay them with the teacher {{kind: recorded, file: {report['file']}}}",
    ]
    return "\n".join(lines)


def _unmatched(counts: dict[str, Any]) -> list[str]:
    told = {
        "unmatched_queries": "labels of queries that the collection lacks: left out",
        "repeated_queries": "further labels of one query: the first stays",
        "unmatched_documents": f"of {counts['documents']:,} documents are not in the collection: left out",
        "equal_documents": "documents have the text of another one: they share a place",
        "tied_documents": "documents have the grade of another one of their query: of these the greater id comes first",
    }
    lines = [f"{counts[name]:,} {words}" for name, words in told.items() if counts[name]]
    examples = ", ".join(plain(one) for one in counts["unmatched"])
    return [*lines, *([f"such queries: {examples}"] if examples else [])]

"""Reads a source once, checks it and writes the folder that `PreparedCollection` opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.collections.collection import CollectionSource, Document, Qrels, Query
from harness.collections.duplicates import OTHER_FORM, other_forms
from harness.collections.import_report import UNJUDGED, Findings
from harness.collections.known_texts import KnownTexts
from harness.collections.own_documents import finds_itself, own_documents
from harness.collections.splits import Splits, collect, normalised, settle
from harness.collections.stored_qrels import save_qrels
from harness.collections.texts import StoredTexts
from harness.collections.texts_writer import Stored, write_texts
from harness.errors import UserError
from harness.stage import digest

if TYPE_CHECKING:
    from harness.progress import Progress


_JUDGED = ("answers", "judgments")


def build(source: CollectionSource, progress: Progress, folder: Path) -> None:
    """Write everything of `source` into `folder`. Raises UserErrors with every kind of fault that makes it unusable."""
    findings, known = Findings(source.title), KnownTexts(folder.parent)
    corpus = write_texts(
        folder / "corpus", source.documents(), "document", findings, lambda done: progress(done, 0, "documents")
    )
    corpus = known.settle(folder / "corpus", corpus, source.keeps_order)
    queries = _queries(source, findings)
    stored = StoredTexts(folder / "corpus", *corpus)
    judged = collect(source.judgments(), queries, stored, findings)
    _check_queries(judged, queries, findings)
    splits = settle(judged, queries, source.settings, findings)
    _check_emptiness(corpus, splits, findings)
    _check_judgments(stored, splits, findings)
    _check_own_documents(stored, splits, queries, findings)
    described = {}
    for k, (name, qrels) in enumerate(splits.items()):
        texts = _write_queries(folder / f"split-{k}", qrels, queries, findings)
        texts = known.settle(folder / f"split-{k}" / "queries", texts, source.keeps_order)
        described[name] = _write_split(folder / f"split-{k}", qrels, queries, texts)
        described[name] |= {
            "own_documents": own_documents(stored, qrels),
            "content": digest([corpus.content, texts.content, *(described[name][part] for part in _JUDGED)]),
        }
    facts: dict[str, Any] = {"corpus": corpus._asdict(), "splits": described}
    facts |= {"content_hash": _content_hash(facts), "report": findings.report().to_json()}
    (folder / "collection.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")


def _content_hash(facts: dict[str, Any]) -> str:
    splits = {name: [split[part] for part in ("queries", *_JUDGED)] for name, split in facts["splits"].items()}
    return digest([facts["corpus"]["identity"], splits])


def _queries(source: CollectionSource, findings: Findings) -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for query in source.queries():
        if query.id not in queries:
            queries[query.id] = query
        elif query[:3] == queries[query.id][:3]:
            findings.warn("queries that repeat an earlier one to the letter (read once)", query.id)
            if query.metadata != queries[query.id].metadata:
                findings.warn("queries that repeat an earlier one with other metadata (the first stays)", query.id)
        else:
            findings.error(
                "query ids occur more than once, with different texts",
                f"'{query.id}'",
                "give every query an id of its own",
            )
    return queries


def _check_judgments(corpus: StoredTexts, splits: Splits, findings: Findings) -> None:
    """Judgments of unknown documents stay, as in trec_eval: recall and the ideal ranking count them. A split of which
    no document is known is of another collection."""
    for split, qrels in splits.items():
        pairs = [(query, document) for query, grades in qrels.items() for document in grades]
        rows = corpus.find([document for _, document in pairs])
        absent = [pair for row, pair in zip(rows, pairs, strict=True) if row < 0]
        for query, document in absent:
            if len(absent) == len(pairs):
                findings.error(
                    f"judgments in '{split}', and the collection has none of their documents",
                    document,
                    f"give corpus and qrels of one collection, with ids written alike; here a document is called "
                    f"'{corpus.id_at(0)}'",
                )
            elif (corpus.find(other_forms(document)) >= 0).any():
                findings.warn(
                    f"judgments in '{split}' of documents whose ids {OTHER_FORM} from the collection's (kept, never "
                    "found)",
                    f"{query} {document}",
                )
            else:
                findings.warn(
                    f"judgments in '{split}' of documents that the collection does not have (kept)",
                    f"{query} {document}",
                )


def _check_own_documents(corpus: StoredTexts, splits: Splits, queries: dict[str, Query], findings: Findings) -> None:
    """Ids may be equal by chance, as numbers are; a document that also holds the text is the query."""
    for split, qrels in splits.items():
        same = [query for query, row in zip(qrels, corpus.find(list(qrels)), strict=True) if row >= 0]
        for query, text in zip(same, corpus.texts(same), strict=True):
            if normalised(queries[query].text) in normalised(text) and qrels[query].get(query, 0) <= 0:
                findings.warn(finds_itself(split), query)


def _check_queries(judged: Splits, queries: dict[str, Query], findings: Findings) -> None:
    used = {query for qrels in judged.values() for query in qrels}
    for query in queries:
        if query not in used:
            findings.warn(UNJUDGED, query)


def _check_emptiness(corpus: Stored, splits: Splits, findings: Findings) -> None:
    if not corpus.size or not splits:
        lacks = "documents" if not corpus.size else "judged queries"
        raise UserError(f"collection '{findings.name}' has no {lacks}", remedy=str(findings.report()) or None)


def _write_queries(folder: Path, qrels: Qrels, queries: dict[str, Query], findings: Findings) -> Stored:
    rows = (Document(query.id, "", query.text) for query in queries.values() if query.id in qrels)
    return write_texts(folder / "queries", rows, "query", findings)


def _write_split(folder: Path, qrels: Qrels, queries: dict[str, Query], stored: Stored) -> dict[str, Any]:
    answers = {query.id: query.answers for query in queries.values() if query.id in qrels and query.answers}
    (folder / "answers.json").write_text(json.dumps(answers, ensure_ascii=False), encoding="utf-8")
    metadata = {query.id: dict(query.metadata) for query in queries.values() if query.id in qrels and query.metadata}
    (folder / "metadata.json").write_text(json.dumps(metadata, ensure_ascii=False), encoding="utf-8")
    return {
        "folder": folder.name,
        "size": stored.size,
        "queries": stored.identity,
        "queries_content": stored.content,
        "answers": digest(answers),
        "judgments": save_qrels(folder, qrels),
    }

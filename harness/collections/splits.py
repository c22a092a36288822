"""Splits whose queries do not overlap."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from harness.collections.collection import Judgment, Qrels, Query, SourceSettings
from harness.collections.duplicates import OTHER_FORM, other_forms
from harness.collections.import_report import CARVED, REMOVED, UNJUDGED_TRAIN, Findings
from harness.collections.texts import StoredTexts

Splits = dict[str, Qrels]
"""split -> judgments of its queries"""


def normalised(text: str) -> str:
    """What two texts share that count as the same query: letters without case, words without the space between them."""
    return " ".join(text.casefold().split())


def by_hash(ids: Iterable[str], salt: str) -> list[str]:
    """`ids` in an order that looks random and depends on nothing but each id and `salt`."""
    return sorted(ids, key=lambda value: hashlib.sha256(f"{salt}\0{value}".encode()).digest())


def collect(
    judged: Mapping[str, Iterable[Judgment]], queries: Mapping[str, Query], corpus: StoredTexts, findings: Findings
) -> Splits:
    """The judgments of every split as a mapping; of those that contradict each other the last stays, as BEIR's loader
    has it.

    Ids are compared as they are; where only the white space around one is in the way, it is read without.
    """
    return {
        split: _collect(split, (_unpadded(one, queries, corpus, findings) for one in lines), queries, findings)
        for split, lines in judged.items()
    }


def _unpadded(found: Judgment, queries: Mapping[str, Query], corpus: StoredTexts, findings: Findings) -> Judgment:
    query, document = found.query.strip(), found.document.strip()
    if found.query in queries or query not in queries:
        query = found.query
    if document != found.document:
        known = corpus.find([found.document, document]) >= 0
        document = found.document if known[0] or not known[1] else document
    if (query, document) != found[:2]:
        findings.warn(
            "judgments with white space around an id that the collection has without (read without)",
            repr(f"{found.query} {found.document}"),
        )
    return Judgment(query, document, found.grade)


def _collect(split: str, lines: Iterable[Judgment], queries: Mapping[str, Query], findings: Findings) -> Qrels:
    qrels: Qrels = {}
    for query, document, grade in lines:
        if query not in queries:
            findings.warn(f"judgments in '{split}' of queries {_unknown(query, queries)} (left out)", query)
            continue
        grades = qrels.setdefault(query, {})
        if grades.get(document, grade) != grade:
            findings.warn(
                f"judgments in '{split}' that contradict an earlier one (the last stays)", f"{query} {document}"
            )
        elif document in grades:
            findings.warn(f"judgments in '{split}' that repeat an earlier one", f"{query} {document}")
        grades[document] = grade
    return qrels


def _unknown(query: str, queries: Mapping[str, Query]) -> str:
    if any(form in queries for form in other_forms(query)):
        return f"whose ids {OTHER_FORM} from the collection's"
    return "that the collection does not have"


def settle(splits: Splits, queries: Mapping[str, Query], settings: SourceSettings, findings: Findings) -> Splits:
    """The splits as they are used: no query of dev in a test split, none of train in any other, by id or by text; a dev
    split carved out of train where there is none; in train only queries with a relevant document. Empty splits are left
    out.

    Splits with other names than train and dev are test splits, whose queries all count and may overlap.
    """
    tests = {split: qrels for split, qrels in splits.items() if split not in ("train", "dev")}
    dev = _without("dev", splits.get("dev", {}), tests, queries, findings)
    train = _with_relevant(
        _without("train", splits.get("train", {}), tests | {"dev": dev}, queries, findings), findings
    )
    if not dev and train:
        dev = _carve(train, settings, findings)
        train = _without("train", train, {"dev": dev}, queries, findings) if dev else train
    return {split: qrels for split, qrels in ({"train": train, "dev": dev} | tests).items() if qrels}


def _without(name: str, qrels: Qrels, others: Splits, queries: Mapping[str, Query], findings: Findings) -> Qrels:
    kept = dict(qrels)
    for other, taken in others.items():
        texts = {normalised(queries[query].text) for query in taken}
        for query in list(kept):
            if query in taken or normalised(queries[query].text) in texts:
                findings.warn(f"queries of '{name}' that are in '{other}' too {REMOVED} '{name}')", query)
                del kept[query]
    return kept


def _with_relevant(train: Qrels, findings: Findings) -> Qrels:
    for query, grades in train.items():
        if max(grades.values()) <= 0:
            findings.warn(UNJUDGED_TRAIN, query)
    return {query: grades for query, grades in train.items() if max(grades.values()) > 0}


def _carve(train: Qrels, settings: SourceSettings, findings: Findings) -> Qrels:
    """A dev split out of `train`, which loses its queries."""
    size = min(int(settings.dev_share * len(train)), settings.dev_cap)
    chosen = set(by_hash(train, "dev")[:size])
    for query in sorted(chosen):
        findings.warn(CARVED, query)
    return {query: train.pop(query) for query in list(train) if query in chosen}

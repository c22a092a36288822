"""One query: where each chosen run ranks which documents, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.collections.collection import Collection
from harness.collections.prepared import PreparedCollection
from harness.errors import UserError
from harness.evaluation.measures._ranks import Grades
from harness.published.result_folder import RUN, Published
from harness.published.untrusted_run import check_run_file
from harness.retrieval.run import Run
from harness.text import plain

LARGEST_RUN = 1 << 28
"""Bytes of a run after decompression above which a page does not read it."""
DEPTH = 10
LONGEST_TEXT = 2_000
"""Characters of a document that a page shows."""


class RankedDocument(NamedTuple):
    """A document of the query: its rank and score in each run (None below `depth` or unranked), its grade and text
    where known."""

    document: str
    ranks: tuple[int | None, ...]
    grade: int | None
    text: str
    scores: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class QueryView:
    """A query as the chosen runs answer it; judged documents that no run ranks come last."""

    query: str
    text: str
    documents: tuple[RankedDocument, ...]
    answers: tuple[str, ...] = ()
    """Short answers that the collection gives; most have none."""


def read_run(run: Published) -> Run:
    """The run file of a published run. Raises UserError for a link, a damaged file, or one that unpacks to more than
    LARGEST_RUN."""
    path = Path(run.folder) / RUN
    try:
        check_run_file(path, LARGEST_RUN)
    except (OSError, ValueError) as error:
        raise UserError(plain(str(error)), file=path) from error
    return Run.read(path)


def local_collection(run: Published, collections: Path) -> Collection | None:
    """The collection of a run where a sweep prepared it in the folder `collections` with the very same content; nothing
    is downloaded."""
    about = run.card.collection
    for folder in sorted(collections.glob("*/collection.json")):
        try:
            found = PreparedCollection(folder.parent, plain(about.name))
            known = {found.content_hash, found.split_hash(about.split)} if about.split in found.splits else set()
            if known & {about.content_hash, about.former_content_hash}:
                return found
        except (UserError, OSError, ValueError, KeyError):
            continue
    return None


def query_view(
    runs: Sequence[Run], query: str, *, collection: Collection | None = None, split: str = "", depth: int = DEPTH
) -> QueryView:
    """How `runs` answer `query`, to `depth`; text, grades and answers come from `collection`, without one they stay
    empty."""
    grades: Grades = collection.judgments(split).qrels.get(query, {}) if collection else {}
    tops = [run.top(query, depth) for run in runs]
    places = [{document: place for place, document in enumerate(top, 1)} for top in tops]
    judged = sorted(
        (document for document, grade in grades.items() if grade > 0),
        key=lambda document: (-grades[document], document),
    )
    # Best place in any run first, of equals the document that more runs rank.
    ranked = sorted(
        dict.fromkeys(document for top in tops for document in top), key=lambda document: _order(document, places)
    )
    documents = list(dict.fromkeys([*ranked, *judged]))
    texts = texts_of(collection, documents)
    scores = [{document: run.scores[query][document] for document in top} for run, top in zip(runs, tops, strict=True)]
    rows = [
        RankedDocument(
            plain(document),
            tuple(place.get(document) for place in places),
            grades.get(document),
            texts.get(document, ""),
            tuple(score.get(document) for score in scores),
        )
        for document in documents
    ]
    answers = collection.answers(split).get(query, ()) if collection else ()
    return QueryView(plain(query), _query_text(collection, split, query), tuple(rows), tuple(map(one_line, answers)))


def _order(document: str, places: Sequence[Mapping[str, int]]) -> tuple[int, int, str]:
    found = [place[document] for place in places if document in place]
    return min(found), -len(found), document


def texts_of(collection: Collection | None, documents: Sequence[str]) -> dict[str, str]:
    """Texts of those documents that the collection holds; a published run may name others."""
    found: dict[str, str] = {}
    if collection is None:
        return found
    for document in documents:
        with suppress(KeyError):
            found[document] = safe_text(collection.corpus.texts([document])[0])
    return found


def query_texts(collection: Collection | None, split: str, queries: Sequence[str]) -> dict[str, str]:
    """Each on one line, of those queries that the collection holds; a published run may name others."""
    texts = {query: _query_text(collection, split, query) for query in queries}
    return {query: text for query, text in texts.items() if text}


def safe_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text` without control characters, at most `longest` characters; line breaks are kept as \\n, any other white
    space is a space."""
    kept = "".join(map(_letter, text[: 2 * longest + 2].replace("\r\n", "\n").replace("\r", "\n")[: longest + 1]))
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def _letter(letter: str) -> str:
    if letter.isprintable() or letter == "\n":
        return letter
    return " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"


def one_line(text: str) -> str:
    """`text` as `plain` shows it, but for white space: people write tabs and hard spaces in queries, and they are no
    attempt to deceive."""
    return plain(" ".join(text.split()))


def _query_text(collection: Collection | None, split: str, query: str) -> str:
    try:
        return one_line(collection.queries(split).texts([query])[0]) if collection else ""
    except KeyError:
        return ""

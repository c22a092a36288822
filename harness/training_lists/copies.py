"""Documents of equal text under different ids (Quora, MS MARCO, crawls): none is a negative of another.

A student gives them equal scores whatever it learns, so a list that ranks one above the other only disturbs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from harness.errors import UserError
from harness.training_lists.training_list import TrainingList

FILE = "copies.json"


@dataclass(frozen=True)
class CopiesLeftOut:
    """How many documents training lists lost because their text is there already, and how many lists were left with too
    little."""

    documents: int = 0
    lists: int = 0

    def write(self, folder: Path) -> None:
        """``copies.json`` beside the model, where anything was left out."""
        if self != CopiesLeftOut():
            (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> CopiesLeftOut | None:
        """Of a trained model; None where nothing was left out, or nobody counted."""
        file = folder / FILE
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


class TextSource(Protocol):
    """Where document texts come from; a corpus is one."""

    def texts(self, ids: Sequence[str]) -> list[str]:
        """Texts of `ids`, in that order. Raises KeyError on an unknown id."""
        ...


def document_texts(lists: Iterable[TrainingList], corpus: TextSource) -> dict[str, str]:
    """The text of every document in the lists, in their order, then of the gold documents that are in none, as far as
    the corpus has them."""
    found, gold = dict.fromkeys(document for one in lists for document in one.documents), dict[str, None]()
    gold.update(dict.fromkeys(document for one in lists for document in one.positives if document not in found))
    return dict(zip(found, corpus.texts(list(found)), strict=True)) | _texts_of_some(list(gold), corpus)


def _texts_of_some(ids: list[str], corpus: TextSource) -> dict[str, str]:
    """Texts of those `ids` that the corpus has: judgments may name documents that it lacks."""
    try:
        return dict(zip(ids, corpus.texts(ids), strict=True))
    except KeyError:
        if len(ids) == 1:
            return {}
        half = len(ids) // 2
        return _texts_of_some(ids[:half], corpus) | _texts_of_some(ids[half:], corpus)


def without_copies(lists: Sequence[TrainingList], corpus: TextSource) -> tuple[list[TrainingList], CopiesLeftOut]:
    """Lists in which every text stands once, where it stands first; a text of the unordered tail that is also a gold
    document's goes too. A list that is left with one document where it had more is dropped. And what was left out.

    Raises UserError when no list is left.
    """
    contents = document_texts(lists, corpus)
    left = [shortened for one in lists if (shortened := _without_copies(one, contents)) is not None]
    if lists and not left:
        raise UserError(
            "no training list holds two documents of different texts", remedy="take out the copies in the corpus"
        )
    lost = sum(len(one.documents) for one in lists) - sum(len(one.documents) for one in left)
    return left, CopiesLeftOut(lost, len(lists) - len(left))


def _without_copies(one: TrainingList, contents: dict[str, str]) -> TrainingList | None:
    gold = {contents[document] for document in one.positives if document in contents}
    seen: set[str] = set()
    places = []
    for place, document in enumerate(one.documents):
        text = contents[document]
        if text in seen or (place >= one.ordered and text in gold and document not in one.positives):
            continue
        seen.add(text)
        places.append(place)
    if len(places) == len(one.documents):
        return one
    if len(places) < 2:
        return None
    return replace(
        one,
        documents=tuple(one.documents[place] for place in places),
        ordered=sum(place < one.ordered for place in places),
        scores=None if one.scores is None else tuple(one.scores[place] for place in places),
    )

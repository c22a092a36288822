"""Where published sets of labels lie, ``results/labels/<collection>/<teacher>.jsonl.gz`` with ``<teacher>.card.yaml``
beside it, and how they are written and read. Reading trusts nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from harness.errors import UserError
from harness.files import atomic_file
from harness.labelling.labels.label_dataset import LabelDataset, read_dataset
from harness.published.label_sets.label_card import LabelCard
from harness.published.result_folder import LABEL_SETS, card_text, check_file, slug
from harness.published.safe_yaml import load
from harness.text import plain
from harness.validation import validated

FILE_END, CARD_END = ".jsonl.gz", ".card.yaml"
LARGEST_CARD, LARGEST_FILE = 1 << 20, 1 << 28
"""Bytes above which they are not read."""


class LabelSetPlace(NamedTuple):
    """The folder of a collection's sets, and the name that one of them has there."""

    folder: Path
    name: str

    @classmethod
    def of(cls, results: Path, collection: str, teacher: str) -> LabelSetPlace:
        """Where the labels of a teacher lie, as the sweep calls it."""
        return cls(results / LABEL_SETS / slug(collection), slug(teacher))

    @property
    def file(self) -> Path:
        """The labels."""
        return self.folder / f"{self.name}{FILE_END}"

    @property
    def card(self) -> Path:
        """The data card."""
        return self.folder / f"{self.name}{CARD_END}"


def label_sets_in(folder: Path) -> list[LabelSetPlace]:
    """Every set in a collection's folder that has a file or a card, by name."""
    names = {
        file.name.removesuffix(end)
        for file in folder.iterdir()
        for end in (FILE_END, CARD_END)
        if file.name.endswith(end) and not file.name.startswith(".")
    }
    return [LabelSetPlace(folder, name) for name in sorted(names)]


def read_label_card(place: LabelSetPlace) -> LabelCard:
    """The card of a set. Raises UserError where it is missing, linked, too large, or malformed."""
    try:
        check_file(place.card, LARGEST_CARD)
        value = load(place.card.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(plain(f"the data card cannot be read: {error}"), file=place.card) from error
    return validated(LabelCard, value, what="the data card", file=place.card)


def read_label_set(place: LabelSetPlace) -> LabelDataset:
    """The labels of a set. Raises UserError where the file is missing, linked, too large, or damaged."""
    try:
        check_file(place.file, LARGEST_FILE)
    except (OSError, ValueError) as error:
        raise UserError(plain(str(error)), file=place.file) from error
    return read_dataset(place.file)


def write_label_set(place: LabelSetPlace, content: bytes, card: LabelCard) -> bool:
    """Write both; False where both are there already with these very bytes."""
    described = card_text(card).encode()
    if _holds(place.file, content) and _holds(place.card, described):
        return False
    for file, written in ((place.file, content), (place.card, described)):
        with atomic_file(file) as temporary:
            temporary.write_bytes(written)
    return True


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and not file.is_symlink() and file.read_bytes() == content

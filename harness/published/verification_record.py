"""Who computed published runs again: ``verified.json`` in the results folder, beside the folders of collections.

It belongs to whoever keeps the board. Nothing in the folder of a run says that it was verified, for whoever hands in a
run could say so. An entry counts for the very card that was verified, by its sha256, and through the hashes on it for
the very run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from harness.errors import UserError
from harness.files import atomic_file
from harness.published.card_check import file_hash
from harness.published.card_section import CardSection, Hash
from harness.published.result_folder import CARD
from harness.text import plain
from harness.validation import validated_json

FILE = "verified.json"
_LARGEST = 1 << 26
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Verification(CardSection):
    """Who verified a run, and when; `card` is the sha256 of the card's file."""

    card: Hash
    by: Name
    at: AwareDatetime

    def __str__(self) -> str:
        return plain(f"{self.by}, {self.at:%Y-%m-%d}")


class VerificationRecord(CardSection):
    """All that were verified, by folder, relative to the results folder."""

    version: Literal[1] = 1
    runs: dict[str, Verification] = Field(default={})


def read_record(results: Path) -> VerificationRecord:
    """What the file says; nothing where there is none. Raises UserError for a link, a large or a malformed file."""
    path = results / FILE
    if not path.is_symlink() and not path.exists():
        return VerificationRecord()
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            raise ValueError(f"{FILE} is no ordinary file of at most {_LARGEST} bytes")
        return validated_json(VerificationRecord, path.read_bytes(), what="who verified runs", file=path)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(plain(str(error)), file=path) from error


def verification_of(folder: Path, results: Path, record: VerificationRecord) -> Verification | None:
    """Who verified the run in `folder`, as its card is now."""
    found = record.runs.get(_place(folder, results))
    return found if found is not None and found.card == file_hash(folder / CARD) else None


def record_verified(folders: Iterable[Path], by: str) -> list[Path]:
    """Note that `by` verified the runs in `folders` now; the files that were written, one a results folder.

    Raises UserError for a name that is empty or too long, and where there is a file that cannot be read.
    """
    if not 1 <= len(by) <= 100:
        raise UserError("a name has 1 to 100 characters", key="--record", remedy="say who verified: --record 'A. Name'")
    by_results: dict[Path, list[Path]] = {}
    for folder in folders:
        by_results.setdefault(folder.resolve().parents[1], []).append(folder.resolve())
    return [_write(results, inside, by) for results, inside in by_results.items()]


def _write(results: Path, folders: Iterable[Path], by: str) -> Path:
    now = datetime.now(UTC).replace(microsecond=0)
    entries: Mapping[str, Verification] = {
        _place(folder, results): Verification(card=card, by=by, at=now)
        for folder in folders
        if (card := file_hash(folder / CARD)) is not None
    }
    runs = {**read_record(results).runs, **entries}
    record = VerificationRecord(runs=dict(sorted(runs.items())))
    with atomic_file(results / FILE) as temporary:
        temporary.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return results / FILE


def _place(folder: Path, results: Path) -> str:
    return folder.relative_to(results).as_posix()

"""Reading a results folder once for everything that is shown of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from harness.collections.prepared_shelf import PreparedShelf
from harness.errors import UserError
from harness.files import cache_home
from harness.leaderboard import results_index
from harness.leaderboard.board_model import NOT_AS_CARD, Row, Table
from harness.leaderboard.disputes.query_sets import foreign_queries, place_of
from harness.leaderboard.disputes.same_cells import contradicting, same_cell
from harness.leaderboard.result_entry import Entry, file_mark, mark_of, read_entry
from harness.published.card_collection import TestCollection
from harness.published.common_hashes import with_common_hashes
from harness.published.result_folder import Published, Skipped, read_card, run_folders
from harness.published.verification_record import FILE as RECORD
from harness.published.verification_record import read_record, verification_of
from harness.text import plain


@dataclass(frozen=True)
class ResultSet:
    """The runs of a results folder, and what could not be read."""

    runs: tuple[Published, ...] = field(repr=False)
    skipped: tuple[Skipped, ...] = ()
    folder: str = ""

    def runs_of(self, table: Table) -> list[Published]:
        """All runs on the content and split of `table`."""
        about = (table.collection, table.split, table.content_hash, table.drop_identical)
        return [run for run in self.runs if _about(run) == about]

    def runs_of_row(self, table: Table, row: Row) -> list[Published]:
        """The runs of one of its rows, in the row's order."""
        # Of two folders with one run id the newer counts, as on the board.
        known = {
            run.card.tag: run for run in sorted(self.runs_of(table), key=lambda run: (run.card.created, run.card.tag))
        }
        return [known[tag] for tag in row.run_ids]


def _about(run: Published) -> tuple[str, str, str, bool]:
    about = run.card.collection
    return plain(about.name), plain(about.split), about.content_hash, about.drop_identical


def load_results(
    results: Path, runs: Collection[str] | None = None, cache: Path | None = None, collections: Path | None = None
) -> ResultSet:
    """All runs under `results`, or only those with the ids `runs`; nothing that one of them holds keeps the others from
    being shown, or changes a number of theirs.

    A folder that is not what its card says, one with queries that its collection does not have, and one that
    contradicts another run of its cell are skipped. With `cache`, a folder of the user's own, what was read is kept
    there and only folders that changed are read again. `collections` holds prepared collections, by default one of the
    user's own; it is asked where folders have different queries.
    """
    folders = {_name(folder, results): folder for folder in run_folders(results) if runs is None or folder.name in runs}
    known = results_index.load(cache, results, None if runs is None else folders) if cache else {}
    entries = _entries(folders, known)
    if cache and _marks(entries) != _marks(known):
        results_index.save(cache, results, entries, keep_others=runs is not None)
    found = with_common_hashes([run for name, entry in entries.items() for run in entry.published(folders[name])])
    skipped = [
        Skipped(plain(name), entry.reason + _whose_cell(folders[name], found), NOT_AS_CARD)
        if entry.false
        else Skipped(plain(name), entry.reason)
        for name, entry in entries.items()
        if entry.card is None
    ]
    skipped += [Skipped(plain(_name(link, results)), "a link, which is not followed") for link in _links(results)]
    verified, faults = _verified(found, results)
    shelf = PreparedShelf(collections or cache_home() / "collections")
    sound, strangers = _without(verified, foreign_queries(verified, partial(_queries_at_hand, shelf)), results)
    sound, copies = _without(sound, contradicting(sound), results)
    return ResultSet(tuple(sound), (*skipped, *strangers, *copies, *faults), str(results))


def _whose_cell(folder: Path, runs: Sequence[Published]) -> str:
    """What there is to say of a false folder where one of `runs` is of the very cell that its card names."""
    try:
        card = read_card(folder)
    except UserError:
        return ""
    others = (run for run in runs if same_cell(run.card, card))
    return next((f"; {place_of(run)}, of the same cell, counts" for run in others), "")


def _verified(runs: Sequence[Published], results: Path) -> tuple[list[Published], list[Skipped]]:
    """`runs` with who verified them; a record that cannot be read is told, and verifies nothing."""
    try:
        record = read_record(results)
    except UserError as error:
        return list(runs), [Skipped(RECORD, plain(error.summary))]
    if not record.runs:
        return list(runs), []
    by = (verification_of(run.folder, results, record) for run in runs)
    return [replace(run, verified=str(one or "")) for run, one in zip(runs, by, strict=True)], []


def _queries_at_hand(shelf: PreparedShelf, about: TestCollection) -> Sequence[str] | None:
    found = shelf.find(about.name, about.split, (about.content_hash, about.former_content_hash))
    return None if found is None else list(found.judgments(about.split).qrels)


def _without(
    runs: Sequence[Published], reasons: Mapping[int, str], results: Path
) -> tuple[list[Published], list[Skipped]]:
    """Those of `runs` for which there is no reason to skip them, and the others."""
    sound = [run for place, run in enumerate(runs) if place not in reasons]
    skipped = [Skipped(plain(_name(runs[place].folder, results)), reason) for place, reason in reasons.items()]
    return sound, skipped


def state(results: Path) -> str:
    """A mark that changes whenever `load_results` would find something else; nothing is opened."""
    inside = _subfolders(results)
    found = [*inside, *(entry for folder in inside if not folder.is_symlink() for entry in _subfolders(folder.path))]
    marks = [f"{entry.path} {'link' if entry.is_symlink() else mark_of(entry.path)}" for entry in found]
    marks.append(file_mark(str(results / RECORD)))
    return hashlib.sha256(os.fsencode("\n".join(marks))).hexdigest()


def _entries(folders: Mapping[str, Path], known: Mapping[str, Entry]) -> dict[str, Entry]:
    shared = {values.queries.ids: values.queries for entry in known.values() for values in entry.scores.values()}
    entries = {}
    for name, folder in folders.items():
        mark, old = mark_of(folder), known.get(name)
        entries[name] = old if old is not None and old.mark == mark else read_entry(folder, mark, shared)
    return entries


def _marks(entries: Mapping[str, Entry]) -> dict[str, str]:
    return {name: entry.mark for name, entry in entries.items()}


def _name(folder: Path, results: Path) -> str:
    """How a folder is called in notes and in the index; bytes that are no text are replaced."""
    return os.fsencode(folder.relative_to(results)).decode("utf-8", "backslashreplace")


def _links(results: Path) -> list[Path]:
    """Links to folders where runs are looked for; hidden ones are nobody's runs."""
    inside = _subfolders(results)
    places = [inside, *(_subfolders(entry.path) for entry in inside if not entry.is_symlink())]
    return [Path(entry.path) for place in places for entry in place if entry.is_symlink()]


def _subfolders(folder: Path | str) -> list[os.DirEntry[str]]:
    if not Path(folder).is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(
            (entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")),
            key=lambda entry: entry.name,
        )

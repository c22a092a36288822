"""``harness labels publish``: the labels of a sweep become data sets for others, by ids alone, each with a data
card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UserError, did_you_mean
from harness.labelling.labels.imported_labels import UNKNOWN
from harness.labelling.labels.label_dataset import DatasetHeader, LabelDataset
from harness.labelling.labels.label_stage import Labels
from harness.pipeline.labels.published_teacher import LabelledTeacher, labelled_teachers, public_name
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.publish.labelling_time import LabellingTime
from harness.pipeline.publish.run_numerics import run_numerics
from harness.pipeline.publish.teacher_section import teacher_section
from harness.pipeline.store import Store
from harness.published.card import TeacherSection
from harness.published.card_collection import TestCollection
from harness.published.card_numerics import NumericsSection, joined
from harness.published.label_sets.label_card import LabelCard, LabelFile, TextsSection, costs_of
from harness.published.label_sets.label_merging import check_same_set, merged_draws, merged_rows
from harness.published.label_sets.label_set_folder import (
    LabelSetPlace,
    read_label_card,
    read_label_set,
    write_label_set,
)
from harness.published.label_sets.label_statistics import label_statistics
from harness.text import counted, plain

Report = dict[str, Any]


class LabelPublication(NamedTuple):
    """What is to be published, where, and what is known of licences."""

    results: Path
    teachers: tuple[str, ...] = ()
    """As the sweep calls them; without any those that cost something."""
    collections: tuple[str, ...] = ()
    licence: str | None = None
    texts_licence: str | None = None


@dataclass(frozen=True)
class _Draft:
    """A set that is put together and not written yet."""

    labelled: LabelledTeacher
    place: LabelSetPlace
    content: bytes
    card: LabelCard
    before: int
    """Lists that were published already."""


def publish_labels(plan: PlannedSweep, wanted: LabelPublication) -> Report:
    """Write ``labels/<collection>/<teacher>.jsonl.gz`` and its card under `wanted.results` for the finished labels of
    the sweep, all its draws together; what is published there stays and is added to.

    ``{"sets": [{"collection", "teacher", "file", "card", "lists", "added", "written", "verdicts", "waiting",
    "otherwise", "licence", "texts_licence"}], "unfinished": [{"collection", "teacher", "waiting", "otherwise"}]}``.
    Nothing is written where something is refused: UserError for unknown names, where nothing is finished, and where
    what is published there contradicts.
    """
    chosen = _chosen(list(labelled_teachers(plan)), wanted, plan)
    store = plan.workspace.store
    stages = [stage for one in chosen for stage in one.finished]
    if not stages:
        raise _refusal(plan, "no label of these teachers is finished", f"harness sweep {plan.sweep.source.path}")
    with plan.workspace.open_ledger() as ledger:
        times = LabellingTime(stages, store, ledger, plan.workspace.cache("labelling-seconds.json"))
        drafts = [_draft(one, wanted, plan.sweep.source.path.name, store, times) for one in chosen if one.finished]
    _check_places(drafts)
    rows = [_row(draft, write_label_set(draft.place, draft.content, draft.card)) for draft in drafts]
    unfinished = [
        {"collection": one.collection.name, "teacher": one.name, "waiting": one.waiting, "otherwise": one.otherwise}
        for one in chosen
        if not one.finished
    ]
    return {"sets": rows, "unfinished": unfinished}


def _chosen(found: Sequence[LabelledTeacher], wanted: LabelPublication, plan: PlannedSweep) -> list[LabelledTeacher]:
    for option, names, known in (
        ("--teacher", wanted.teachers, {one.name for one in found}),
        ("--collection", wanted.collections, {one.collection.name for one in found}),
    ):
        for name in names:
            if name not in known:
                what = f"nothing of this sweep is labelled by '{name}'"
                what = what if option == "--teacher" else f"no teacher of this sweep labels '{name}'"
                raise _refusal(plan, what, did_you_mean(name, sorted(known)), option)
    chosen = [one for one in found if not wanted.collections or one.collection.name in wanted.collections]
    if wanted.teachers:
        return [one for one in chosen if one.name in wanted.teachers]
    paid = [one for one in chosen if one.teacher.teacher_type == "real" and not one.teacher.is_free]
    if not paid:
        free = ", ".join(dict.fromkeys(one.name for one in chosen)) or "it has none"
        problem = f"no teacher of this sweep costs anything, so anybody can ask it again ({plain(free)})"
        raise _refusal(plan, problem, "name those to be published: --teacher NAME")
    return paid


def _refusal(plan: PlannedSweep, problem: str, remedy: str, key: str = "teachers") -> UserError:
    return UserError(problem, file=plan.sweep.source.path, key=key, remedy=remedy)


def _draft(one: LabelledTeacher, wanted: LabelPublication, sweep: str, store: Store, times: LabellingTime) -> _Draft:
    place, about = LabelSetPlace.of(wanted.results, one.collection.name, one.name), one.about()
    there = read_label_set(place) if place.file.exists() or place.file.is_symlink() else None
    # Whoever was killed between the two left the labels.
    card = read_label_card(place) if there is not None and place.card.exists() else None
    if there is not None:
        check_same_set(there.header.about, about, place.file)
    rows = merged_rows((*(there.rows if there else ()), *one.rows(store)), place.file)
    draws = merged_draws(card.draws if card else (), one.draws(sweep, store, times))
    licence = wanted.licence or (there.header.licence if there else UNKNOWN)
    header = DatasetHeader(about=about, date=max(draw.labelled for draw in draws), licence=licence)
    content = LabelDataset(header, rows).packed()
    new = LabelCard(
        replay=_replay(place),
        licence=licence,
        texts=_texts(one, wanted, card),
        collection=TestCollection(name=about.collection, split=about.split, content_hash=about.content_hash),
        teacher=_teacher(one),
        identity=about.identity,
        details=one.teacher.details(),
        numerics=joined(card.numerics if card else None, _numerics(one.finished, store)),
        candidates=about.candidates,
        depth=about.depth,
        costs=costs_of(draws),
        date=header.date,
        draws=draws,
        file=LabelFile(name=place.file.name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)),
        **label_statistics(rows, one.collection),
    )
    return _Draft(one, place, content, new, len(there.rows) if there else 0)


def _replay(place: LabelSetPlace) -> str:
    return f"teachers: {{again: {{kind: recorded, file: results/labels/{place.folder.name}/{place.file.name}}}}}"


def _teacher(one: LabelledTeacher) -> TeacherSection:
    """As on the card of a run, without folders of this machine."""
    section = teacher_section(one.name, one.teacher)
    named = {
        key: public_name(value) for key in ("model", "prompt") if isinstance(value := section.settings.get(key), str)
    }
    return section.model_copy(update={"model": public_name(section.model), "settings": section.settings | named})


def _texts(one: LabelledTeacher, wanted: LabelPublication, card: LabelCard | None) -> TextsSection:
    """Whose licence the texts have: as it was said now, or before, or by the collection's source."""
    before = card.texts.licence if card is not None else None
    return TextsSection(licence=wanted.texts_licence or before or one.source.licence, citation=one.source.citation)


def _numerics(stages: Sequence[Labels], store: Store) -> NumericsSection | None:
    return run_numerics({one.key: one for one in stages}, {one.key: store.manifest(one) for one in stages})


def _check_places(drafts: Sequence[_Draft]) -> None:
    """Raises UserError where two sets of the sweep would be one file."""
    seen: set[Path] = set()
    for draft in drafts:
        if draft.place.file in seen:
            raise UserError(
                "two sets of labels of this sweep would lie there",
                file=draft.place.file,
                remedy="give collections and teachers names that differ in letters and digits",
            )
        seen.add(draft.place.file)


def _row(draft: _Draft, written: bool) -> Report:
    one, card = draft.labelled, draft.card
    return {
        "collection": one.collection.name,
        "teacher": one.name,
        "file": str(draft.place.file),
        "card": str(draft.place.card),
        "bytes": card.file.bytes,
        "lists": card.lists,
        "added": card.lists - draft.before,
        "written": written,
        "verdicts": dict(zip(("ok", "partial", "repaired", "failed"), card.verdicts.counts, strict=False)),
        "waiting": one.waiting,
        "otherwise": one.otherwise,
        "licence": card.licence,
        "texts_licence": card.texts.licence,
    }


def render_publication(report: Report) -> str:
    """What was published, and how others train on it, for people."""
    lines = [line for row in report["sets"] for line in _lines(row)]
    for row in report["unfinished"]:
        what = f"nothing is labelled yet of {counted(row['waiting'], 'list')}"
        own = "its labels are of methods that ask in ways of their own: nothing to publish"
        lines.append(f"{plain(row['collection'])}, {plain(row['teacher'])}: {what if row['waiting'] else own}")
    return "\n".join(lines)


def _lines(row: Mapping[str, Any]) -> list[str]:
    verdicts = ", ".join(f"{number:,} {name}" for name, number in row["verdicts"].items() if number)
    news = f"{row['added']:,} new" if row["written"] else "as it was"
    lines = [
        f"{row['file']}: {counted(row['lists'], 'list')} ({verdicts}), {news}, {row['bytes']:,} bytes; "
        f"card: {row['card']}",
        f"  train on it with the teacher {{kind: recorded, file: {row['file']}}}",
    ]
    if row["waiting"]:
        lines.append(f"  {counted(row['waiting'], 'list')} of the sweep not labelled yet: run it, and publish again")
    if row["otherwise"]:
        lines.append(f"  left out: {counted(row['otherwise'], 'set')} that methods have labelled in ways of their own")
    if row["licence"] == UNKNOWN:
        lines.append("  licence of the labels: not stated; say it with --licence")
    return lines

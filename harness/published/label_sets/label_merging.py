"""Labels of several draws, and those that are published already, become one set: each query once, nothing against
another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.errors import UserError
from harness.labelling.labels.label_dataset import DatasetAbout, DatasetRow
from harness.published.label_sets.label_card import LabelDraw
from harness.text import plain

_REMEDY = (
    "give the teacher another name in the sweep file, publish into another folder (--results), or take the published "
    "set away"
)


def check_same_set(published: DatasetAbout, new: DatasetAbout, file: Path) -> None:
    """Raises UserError where labels that lie in `file` are of another set than those that are to join them."""
    for key, there, wanted in published.differences(new):
        raise UserError(
            plain(f"the set that is published there has {there!r}, this sweep {wanted!r}", 300),
            file=file,
            key=key,
            remedy=_REMEDY,
        )


def merged_rows(rows: Iterable[DatasetRow], file: Path) -> tuple[DatasetRow, ...]:
    """Every query once, by id: its label with an order where one has it, otherwise the first.

    Raises UserError for two orders of one query that differ, and for a query with two texts or lists of candidates.
    """
    found: dict[str, DatasetRow] = {}
    for row in rows:
        other = found.setdefault(row.query, row)
        if other == row:
            continue
        _check_query(other, row, file)
        if not other.order:
            found[row.query] = row
    return tuple(found[query] for query in sorted(found))


def merged_draws(published: Iterable[LabelDraw], new: Iterable[LabelDraw]) -> tuple[LabelDraw, ...]:
    """Every draw once. One that is published stays, for what was paid is forgotten where labels are made again, unless
    teachers were asked again."""
    found = {draw.key: draw for draw in published}
    for draw in new:
        known = found.get(draw.key)
        if known is None or known.calls != draw.calls:
            found[draw.key] = draw
    return tuple(sorted(found.values(), key=lambda draw: (draw.resample, -draw.queries, draw.key)))


def _check_query(one: DatasetRow, other: DatasetRow, file: Path) -> None:
    wrong = None
    if (one.mark, one.source) != (other.mark, other.source):
        wrong = "two texts"
    elif one.given != other.given:
        wrong = "two lists of candidates"
    elif one.order and other.order:
        wrong = "two orders"
    if wrong is not None:
        raise UserError(plain(f"query '{one.query}' has {wrong}"), file=file, key="query", remedy=_REMEDY)

"""How many labels, which teacher, at what cost, is it real: a table of the board in a few sentences, built from its
verdicts and never from means alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.text import counted

_MOST = 4
"""Methods or rows that a sentence names."""
_WORDS = {"better": "better", "worse": "worse", "": "not shown to differ"}


class Phrase(NamedTuple):
    """Words of a sentence; those about one row have its runs, which a page links to."""

    text: str
    run_ids: tuple[str, ...] = ()


Sentence = tuple[Phrase, ...]


def headline(table: Table) -> list[Sentence]:
    """The sentences: what the methods at the centre reach with a real teacher and how many labels, whether controls
    reach it too, what others need, and what the labels cost.

    Every verdict is that of the row's own test against the table's baseline, adjusted over the whole table.
    """
    if table.baseline is None:
        return [(Phrase("No row of a baseline is here, so nothing was tested and nothing is shown."),)]
    tested = [row for row in table.rows if row.against is not None and row.rank is not None]
    ours = [row for row in tested if row.category == "ours" and row_texts.doubt(row) == ""]
    controls = [row for row in tested if row_texts.doubt(row)]
    others = [row for row in tested if row.category in ("baseline", "external") and row_texts.doubt(row) == ""]
    free = [row for row in tested if row.category == "reference" and not row.budget]
    said = [
        _reached(ours, table, f" on {table.collection}, by {table.metric}, with ") if ours else _nothing_ours(table),
        _controls(controls, ours),
        _others(others),
        _free(free, table),
        _cost(ours),
    ]
    return [sentence for sentence in said if sentence]


def words_of(sentence: Sentence) -> str:
    """A sentence as text."""
    return "".join(phrase.text for phrase in sentence)


def _nothing_ours(table: Table) -> Sentence:
    return (Phrase(f"No row on {table.collection} is of the method at the centre with a real teacher."),)


def _reached(rows: Sequence[Row], table: Table, about: str) -> Sentence:
    """'intermediate taught by smollm2 is better than zero-shot on scifact, by nDCG@10, with 100, 300 labels'."""
    parts: list[Phrase] = []
    groups = _by_method(rows)
    for number, (name, members) in enumerate(list(groups.items())[:_MOST]):
        found = _by_verdict(members)
        verdict = next(one for one in _WORDS if one in found)
        than = "from" if verdict == "" else "than"
        parts.append(Phrase(f"{'; ' if number else ''}{name} is {_WORDS[verdict]} {than} {table.baseline}"))
        parts += [Phrase(about if not number else " with "), *_amounts(found[verdict])]
        parts += [
            phrase
            for other, held in found.items()
            if other != verdict
            for phrase in (Phrase(f", {_WORDS[other]} with "), *_amounts(held))
        ]
    return (*parts, _rest(len(groups) - _MOST))


def _rest(number: int) -> Phrase:
    return Phrase(f"; and {counted(number, 'method')} more." if number > 0 else ".")


def _others(rows: Sequence[Row]) -> Sentence:
    groups = _by_method([row for row in rows if row.budget])
    if not groups:
        return ()
    parts = [Phrase("Others: ")]
    for number, (name, members) in enumerate(list(groups.items())[:_MOST]):
        parts.append(Phrase(f"{'; ' if number else ''}{name} is "))
        for place, (verdict, held) in enumerate(_by_verdict(members).items()):
            parts += [Phrase(f"{', ' if place else ''}{_WORDS[verdict]} with "), *_amounts(held)]
    return (*parts, _rest(len(groups) - _MOST))


def _controls(controls: Sequence[Row], ours: Sequence[Row]) -> Sentence:
    """Whether what is gained can be the teacher's: rows that no teacher's knowledge can have helped tell."""
    won = [row for row in controls if row.against and row.against.verdict == "better"]
    gained = any(row.against and row.against.verdict == "better" for row in ours)
    if won:
        so = " So the gain is not shown to come from the teacher." if gained else ""
        return (
            Phrase("Controls, which learn nothing from a teacher, are better too: "),
            *_listed(won),
            Phrase(f".{so}"),
        )
    if controls:
        one = "The control, which learns nothing from a teacher, is not better: "
        several = f"Of {len(controls):,} controls, which learn nothing from a teacher, none is better: "
        return (Phrase(one if len(controls) == 1 else several), *_listed(controls), Phrase("."))
    return (Phrase("No control stands beside it, so what part the teacher has in it is not known."),) if gained else ()


def _free(rows: Sequence[Row], table: Table) -> Sentence:
    won = [row for row in rows if row.against and row.against.verdict == "better"]
    if not won:
        return ()
    return (Phrase(f"Better than {table.baseline} without any label: "), *_listed(won), Phrase("."))


def _cost(rows: Sequence[Row]) -> Sentence:
    """What the fewest labels that a verdict rests on cost, for each teacher."""
    parts: list[Phrase] = []
    for members in list(_grouped(rows, lambda row: row.teacher or "").values())[:_MOST]:
        won = [row for row in members if row.against and row.against.verdict == "better"]
        row = min(won or members, key=lambda row: row.budget or 0)
        if not row.budget:
            continue
        name = f"{row_texts.labels(row)} labels of {row.teacher}"
        parts += [Phrase("; " if parts else ""), Phrase(name, row.run_ids), Phrase(f": {_price(row)}")]
    return (Phrase("Cost: "), *parts[1:], Phrase(".")) if parts else ()


def _price(row: Row) -> str:
    tokens = f", {row_texts.tokens(row):,.0f} tokens" if row_texts.tokens(row) else ""
    return f"{row_texts.usd(row)} USD{tokens}, {row_texts.duration(row.cost['seconds'])} of one machine in all"


def _by_method(rows: Iterable[Row]) -> dict[str, list[Row]]:
    return _grouped(rows, _name)


def _name(row: Row) -> str:
    if row.teacher:
        return f"{row.method} taught by {row.teacher}"
    return f"{row.method} (gold labels)" if "gold labels" in row.sees else row.method


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _by_verdict(rows: Sequence[Row]) -> dict[str, list[tuple[Row, ...]]]:
    """Rows of one number of labels by what all of them say; where they disagree, each verdict has its part of them.
    Better first."""
    found: dict[str, list[tuple[Row, ...]]] = {}
    budgets = _grouped(rows, lambda row: f"{row.budget or 0:012}")
    for verdict in _WORDS:
        held = [
            tuple(row for row in budgets[budget] if row.against and row.against.verdict == verdict)
            for budget in sorted(budgets)
        ]
        if kept := [part for part in held if part]:
            found[verdict] = kept
    return found


def _amounts(held: Sequence[tuple[Row, ...]]) -> list[Phrase]:
    """'100, 300 (2 of its settings) and 1,000 labels'; each number has the runs of its first row."""
    parts: list[Phrase] = []
    for place, rows in enumerate(held):
        joint = "" if not place else " and " if place == len(held) - 1 else ", "
        several = f" ({len(rows)} settings)" if len(rows) > 1 else ""
        parts += [Phrase(joint), Phrase(f"{row_texts.labels(rows[0]) or 'no'}{several}", rows[0].run_ids)]
    return [*(part for part in parts if part.text), Phrase(" labels")]


def _listed(rows: Sequence[Row]) -> list[Phrase]:
    """'no-llm (2 settings), direct (teacher shuffled, 300 labels)'; rows that words cannot tell apart are one."""
    parts: list[Phrase] = []
    groups = list(_grouped(rows, _row_name).items())
    for place, (name, members) in enumerate(groups[:_MOST]):
        several = f" ({len(members)} settings)" if len(members) > 1 else ""
        parts += [Phrase(", " if place else ""), Phrase(f"{name}{several}", members[0].run_ids)]
    rest = sum(len(members) for _, members in groups[_MOST:])
    return [*(part for part in parts if part.text), *([Phrase(f" and {rest:,} more")] if rest > 0 else [])]


def _row_name(row: Row) -> str:
    told = (f"teacher {row.teacher}" if row.teacher else "", f"{row_texts.labels(row)} labels" if row.budget else "")
    about = ", ".join(filter(None, told))
    return f"{row.method} ({about})" if about else row.method

"""What the methods of a table are, as their classes say where they are installed, and what their rows show."""

from __future__ import annotations

from typing import NamedTuple

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.load_results import ResultSet
from harness.method import Method
from harness.plugins import plugins
from harness.text import plain


class MethodFacts(NamedTuple):
    """A method of a table; `summary`, `source` and `needs` are empty where no package here has it."""

    method: str
    name: str
    """What sweep files call it; a label may stand in its place on the board."""
    category: str
    sees: str
    summary: str
    source: str
    needs: str
    rows: tuple[Row, ...]


def method_facts(result_set: ResultSet, table: Table) -> list[MethodFacts]:
    """The methods of `table` in the order of their best rows."""
    installed = plugins(Method)
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.method, []).append(row)
    found = []
    for method, rows in groups.items():
        name = result_set.runs_of_row(table, rows[0])[0].card.method.name
        known = installed.get(name)
        summary, source, needs = (known.summary, known.source, known.needs) if known is not None else ("", "", ())
        own = (plain(name), rows[0].category, row_texts.sees(rows[0]))
        found.append(MethodFacts(method, *own, summary, source, ", ".join(needs), tuple(rows)))
    return found

"""A report as HTML, LaTeX or Markdown. Whatever a template is given is escaped; only what is marked as done is set as
it is.

Results may come from strangers: their texts are data in every form. The page holds no script, loads nothing, and says
so to the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness._version import __version__
from harness.errors import UserError
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board import Board, board_of
from harness.leaderboard.load_results import load_results
from harness.leaderboard.render.escaping import escaped_latex, escaped_markdown
from harness.leaderboard.report.all_pairs import ALL_PAIRS
from harness.leaderboard.report.glossary import GLOSSARY
from harness.leaderboard.report.table_sections import TableSection, section
from harness.text import plain

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class ResultsReport:
    """A results folder, ready to be set."""

    board: Board
    sections: tuple[TableSection, ...]
    command: str
    """What makes this report again."""
    newest: str
    """When the newest run in it was published."""

    @property
    def title(self) -> str:
        """The collections in it."""
        return ", ".join(dict.fromkeys(one.table.collection for one in self.sections))

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness report --json``."""
        skipped = [{"folder": item.folder, "reason": item.reason} for item in self.board.skipped]
        tables = [one.as_json() for one in self.sections]
        return {"command": self.command, "tables": tables, "skipped": skipped, "notes": list(self.board.notes)}


def make_report(
    results: Path,
    *,
    collection: str | None = None,
    split: str | None = None,
    metric: str | None = None,
    baseline: str | Sequence[str] | None = None,
    question: TestSpec = ALL_PAIRS,
    command: str = "",
) -> ResultsReport:
    """The report of a results folder; the choices are those of `board`, `question` is how all pairs are tested.

    Raises UserError when nothing fits a name that was given, or there is no published run.
    """
    result_set = load_results(results)
    found = board_of(result_set, collection=collection, split=split, metric=metric, baseline=baseline)
    if not found.tables:
        raise UserError(
            "no published runs", file=results, remedy="give the folder that a sweep published to: harness sweep FILE"
        )
    typed = results.name if results.is_absolute() else results.as_posix()
    sections = tuple(
        section(number, result_set, table, plain(typed), question) for number, table in enumerate(found.tables, 1)
    )
    newest = max(run.card.created for table in found.tables for run in result_set.runs_of(table))
    return ResultsReport(found, sections, command or f"harness report {typed}", f"{newest:%Y-%m-%d %H:%M} UTC")


class Done(str):
    """Text that is set as it stands."""

    __slots__ = ()


class Marks(TypedDict, total=False):
    """What jinja's own marks are replaced by."""

    block_start_string: str
    block_end_string: str
    variable_start_string: str
    variable_end_string: str


@dataclass(frozen=True)
class Form:
    """A kind of document: its template, how texts are escaped (None leaves that to jinja's HTML), and marks that do not
    clash."""

    template: str
    escape: Callable[[str], str] | None = None
    marks: Marks = field(default_factory=Marks)


_LATEX_MARKS = Marks(
    block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>"
)
FORMS: dict[str, Form] = {
    "html": Form("report.html"),
    "latex": Form("report.tex", escaped_latex, _LATEX_MARKS),
    "markdown": Form("report.md", escaped_markdown),
}


def render(report: ResultsReport, form: str) -> str:
    """The report as one of FORMS; the same report gives the same text."""
    chosen = FORMS[form]
    return (
        _environment(chosen.template)
        .get_template(chosen.template)
        .render(report=report, glossary=GLOSSARY, version=__version__)
    )


@cache
def _environment(template: str) -> Environment:

    form = next(one for one in FORMS.values() if one.template == template)
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=form.escape is None,
        finalize=_finalize(form.escape),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **form.marks,
    )
    made.filters["done"] = _done(form.escape)
    return made


def _finalize(escape: Callable[[str], str] | None) -> Callable[[Any], Any] | None:
    if escape is None:
        return None
    return lambda value: value if isinstance(value, Done) else escape(str(value))


def _done(escape: Callable[[str], str] | None) -> Callable[[str], str]:
    """The filter by which a template marks text as set already."""

    return Markup if escape is None else Done

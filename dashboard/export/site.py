"""A results folder as a static site: leaderboard, budget curves, comparisons and a page a run, to open from a folder or
put on any server.

The pages load nothing: style and script stand in them, and a content security policy lets only these very texts
through. What results say, which strangers may have written, is escaped in templates and could run nothing even if it
were not.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dashboard.export.claims import exported_claims
from dashboard.export.comparisons import Matrix, baseline_grid, pair_matrix
from dashboard.export.costs import PriceTable, price_tables, stage_grid
from dashboard.export.curves import Picture, Points, area_grid, curve_note, curve_pictures, point_grids
from dashboard.export.grid import Grid, Link
from dashboard.export.leaderboard import Facet, facets, leaderboard
from dashboard.export.overview import collection_grid, pooled, summary
from dashboard.export.runs import FOLDER, address, run_page
from dashboard.export.teachers import agreement_grid, methods_grid, taught_grid, teacher_grid
from dashboard.words import INTRODUCTION
from harness._version import __version__
from harness.errors import UserError
from harness.files import atomic_folder, cache_home
from harness.leaderboard import row_texts
from harness.leaderboard.board import Board, board_of
from harness.leaderboard.board_model import Table
from harness.leaderboard.load_results import ResultSet, load_results
from harness.leaderboard.render import board_files
from harness.leaderboard.report.glossary import GLOSSARY
from harness.leaderboard.row_texts import titles
from harness.published.result_folder import Published
from harness.text import counted

HERE = Path(__file__).parent
PAGES = {
    "index": "Leaderboard",
    "collections": "All collections",
    "curves": "Budget curves",
    "comparisons": "Comparisons",
    "cost": "Cost",
    "teachers": "Teachers",
    "claims": "Claims",
    "methods": "Methods",
}
MARK = "exported.txt"
"""A file that says that a folder is an exported site, which another export may replace."""


@dataclass(frozen=True)
class SiteSection:
    """A table of the board on every page."""

    id: str
    table: Table
    queries: str
    caption: str
    facets: tuple[Facet, ...]
    board: Grid
    curves: tuple[Picture, ...]
    areas: Grid | None
    points: tuple[Points, ...]
    note: str
    against: Grid | None
    matrix: Matrix | None
    summary: list[list[Link]]
    prices: tuple[PriceTable, ...]
    stages: Grid | None
    teachers: Grid | None
    taught: Grid | None
    agreement: Grid | None
    methods: Grid


def export(results: Path, out: Path) -> int:
    """Write the site of `results` to the folder `out` and return how many pages it has.

    The folder appears complete or not at all; an earlier export in its place is replaced. Raises UserError when there
    is nothing to show, or `out` holds anything else.
    """
    if not results.is_dir():
        raise UserError(
            "there is no results folder", file=results, remedy="give one with --results, or run a sweep first"
        )
    if out.exists() and not (out / MARK).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(
            "this is no exported site and is left as it is",
            file=out,
            remedy="give --export a folder that is new or empty",
        )
    result_set = load_results(results, cache=cache_home() / "boards")
    found = board_of(result_set)
    if not found.tables:
        raise UserError(
            "no published runs",
            file=results,
            remedy="run a sweep first: harness sweep FILE; harness new sweep writes one",
        )
    count = 0
    with atomic_folder(out.resolve()) as folder:
        (folder / FOLDER).mkdir()
        for name, page in _pages(result_set, found):
            (folder / name).write_text(page, encoding="utf-8", newline="\n")
            count += 1
        (folder / "board.json").write_text(
            json.dumps(found.as_json(), ensure_ascii=False, allow_nan=False, indent=1), encoding="utf-8"
        )
        (folder / "board.csv").write_text(board_files.csv(found), encoding="utf-8")
        (folder / MARK).write_text(
            f"Written by harness dashboard --export {__version__}; the next export replaces this folder.\n"
        )
    return count


def _pages(result_set: ResultSet, found: Board) -> Iterator[tuple[str, str]]:
    behind = {number: _by_tag(result_set, table) for number, table in enumerate(found.tables, 1)}
    pages = {number: {tag: address(run) for tag, run in runs.items()} for number, runs in behind.items()}
    sections = tuple(_section(number, result_set, table, pages[number]) for number, table in enumerate(found.tables, 1))
    about = {
        "runs": f"{len(result_set.runs):,}",
        "newest": f"{max(run.card.created for run in result_set.runs):%Y-%m-%d}",
    }
    together, how = pooled(result_set) if len(found.tables) > 1 else (None, "")
    overview = {"grid": collection_grid(found.tables, list(pages.values())), "pooled": together, "how": how}
    shared: dict[str, object] = {
        "sections": sections,
        "notes": found.notes,
        "skipped": found.skipped,
        "glossary": GLOSSARY,
        "introduction": INTRODUCTION,
        "claims": exported_claims(Path(result_set.folder)),
    }
    shared |= about | {"overview": overview}
    for name in PAGES:
        yield f"{name}.html", _page(name, shared, current=name, up="")
    for number, (section, table) in enumerate(zip(sections, found.tables, strict=True), 1):
        for title, row in titles(table).items():
            for tag in row.run_ids:
                page = run_page(behind[number][tag], title, row, table, section.id, pages[number])
                yield pages[number][tag], _page("run", {**about, "run": page}, current="", up="../")


def _by_tag(result_set: ResultSet, table: Table) -> dict[str, Published]:
    # Of two folders with one run id the newer counts, as on the board.
    return {
        run.card.tag: run for run in sorted(result_set.runs_of(table), key=lambda run: (run.card.created, run.card.tag))
    }


def _section(number: int, result_set: ResultSet, table: Table, pages: Mapping[str, str]) -> SiteSection:
    runs = result_set.runs_of(table)
    return SiteSection(
        id=f"t{number}",
        table=table,
        queries=counted(table.queries, "query"),
        caption=row_texts.caption(table),
        facets=facets(table),
        board=leaderboard(table, pages),
        curves=tuple(curve_pictures(result_set, table)),
        areas=area_grid(result_set, table),
        points=tuple(point_grids(table)),
        note=curve_note(table),
        against=baseline_grid(table),
        matrix=pair_matrix(result_set, table),
        summary=summary(table, pages),
        prices=tuple(price_tables(result_set, table)),
        stages=stage_grid(result_set, table),
        teachers=teacher_grid(runs),
        taught=taught_grid(table, runs),
        agreement=agreement_grid(runs),
        methods=methods_grid(result_set, table, pages),
    )


def _page(template: str, notes: Mapping[str, Any], *, current: str, up: str) -> str:
    return _environment().get_template(f"{template}.html").render(**notes, here=current, up=up)


@cache
def _environment() -> Environment:

    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = ((HERE / "assets" / name).read_text(encoding="utf-8") for name in ("site.css", "site.js"))
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {_source(style)}; script-src "
        f"{_source(script)}"
    )
    made.globals.update(pages=PAGES, version=__version__, style=Markup(style), script=Markup(script), policy=policy)
    return made


def _source(text: str) -> str:
    """How a content security policy names an inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

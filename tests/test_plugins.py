"""Plug-ins are found by being there, and their names are checked."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.catalogue import catalogue, describe, kinds, render_catalogue
from harness.errors import UserError, did_you_mean
from harness.losses.loss import Loss
from harness.method import Method
from harness.plugins import plugin, plugins


def test_a_wrong_name_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match="did you mean 'listmle'"):
        plugin(Loss, "listmel")


def test_no_near_name_lists_them_all() -> None:
    assert did_you_mean("qqq", ["b", "a"]) == "known: a, b"


@pytest.mark.parametrize("kind", ["teachers", "methods", "losses", "collections", "engines"])
def test_everything_describes_itself(kind: str) -> None:
    for row in catalogue(kind):
        assert row["summary"] and not row["summary"].endswith("."), row["name"]
        entry = describe(kind, row["name"])
        assert entry["about"], f"{row['name']} has no docstring"
        assert all(setting["name"] for setting in entry["settings"])
    assert len(plugins(kinds()[kind])) >= 2


def test_every_method_says_what_it_may_see_and_where_it_stands() -> None:
    for method in plugins(Method).values():
        assert method.sees and method.category in {"ours", "baseline", "reference", "control"}


@pytest.mark.parametrize("kind", sorted({*kinds(), "metrics"}))
def test_lists_cut_no_name_in_80_columns(kind: str) -> None:
    rows = catalogue(kind)
    console = Console(width=80, file=io.StringIO())
    console.print(render_catalogue(kind, rows))
    lines = console.file.getvalue().splitlines()
    assert all(any(line.startswith(f" {row['name']} ") for line in lines) for row in rows)
    assert "…" not in "".join(lines)


def test_the_list_of_teachers_says_what_they_give() -> None:
    console = Console(width=160, file=io.StringIO())
    console.print(render_catalogue("teachers", catalogue("teachers")))
    lines = console.file.getvalue().splitlines()
    assert "gives" in lines[1]
    (line,) = (line for line in lines if line.startswith(" fid "))
    assert "cross-attention" in line

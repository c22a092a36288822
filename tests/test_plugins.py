"""Plug-ins are found by being there, and their names are checked."""

from __future__ import annotations

import pytest

from harness.catalogue import catalogue, describe, kinds
from harness.errors import UserError, did_you_mean
from harness.losses.base import Loss
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
        assert method.sees and method.standing in {"ours", "baseline", "reference", "control"}

"""A room imports rooms of a lower floor and nothing else; no circle among files, nor between folders of a room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from tests.house.source import files, own_imports

FLOORS = {
    "harness.errors": 1,
    "harness.text": 1,
    "harness.files": 1,
    "harness.progress": 1,
    "harness.numerics": 1,
    "harness.ports": 1,
    "harness.shipped": 1,
    "harness.examples": 2,
    "harness.user_cache": 2,
    "harness.source_hash": 2,
    "harness.masking": 1,
    "harness.plugin_code": 1,
    "harness._lazy": 1,
    "harness._version": 1,
    "harness.ledger": 2,
    "harness.device": 2,
    "harness.validation": 2,
    "harness.checked_plugins": 2,
    "harness.plugin_faults": 2,
    "harness.plugin_files": 2,
    "harness.plugins": 3,
    "harness.stage": 3,
    "harness.pretrained": 3,
    "harness.collections": 4,
    "harness.losses": 4,
    "harness.models": 4,
    "harness.retrieval": 5,
    "harness.doctor": 5,
    "harness.evaluation": 6,
    "harness.labelling": 7,
    "harness.llm": 8,
    "harness.method": 8,
    "harness.teachers": 9,
    "harness.config": 9,
    "harness.published": 9,
    "harness.catalogue": 9,
    "harness.training_lists": 10,
    "harness.leaderboard": 10,
    "harness.qa": 10,
    "harness.scaffold": 10,
    "harness.students": 11,
    "harness.claims": 11,
    "harness.training": 12,
    "baselines": 13,
    "harness.pipeline": 13,
    "harness.plugin_checks": 14,
    "dashboard": 14,
    "harness": 14,
    "harness.cli": 15,
    "harness.__main__": 16,
}
"""The whole house (docs/architecture.md says what each room is for). The face, ``harness/__init__.py``, stands beside
it."""

APART = {
    "harness.leaderboard": ("harness.training", "harness.students", "harness.teachers", "harness.llm"),
    "dashboard": ("harness.training", "harness.students", "harness.teachers", "harness.llm"),
    "harness": ("baselines",),
}
"""Rooms that know nothing of others, whatever the floor."""


def room(module: str) -> str:
    """The room of a module, or what stands in no room: the module itself."""
    parts = module.split(".")
    return parts[0] if parts[0] != "harness" else ".".join(parts[:2])


def test_every_module_stands_on_a_floor() -> None:
    lost = sorted({room(file.module) for file in files()} - set(FLOORS))

    assert lost == [], "new rooms get a floor in this file"


def test_no_import_goes_up_or_sideways() -> None:
    wrong = [
        f"{one} (floor {FLOORS[there]} from floor {FLOORS[here]})"
        for one in own_imports()
        if (here := room(one.file.module)) != (there := room(one.module)) and FLOORS[there] >= FLOORS[here]
    ]

    assert wrong == []


def test_rooms_that_know_nothing_of_each_other() -> None:
    wrong = [
        str(one)
        for one in own_imports()
        for here, others in APART.items()
        if _inside(one.file.module, here) and any(_inside(one.module, other) for other in others)
    ]

    assert wrong == []


def test_no_circle_among_files() -> None:
    graph: dict[str, set[str]] = {}
    for one in own_imports():
        if one.file.module not in (one.module, "harness"):
            graph.setdefault(one.file.module, set()).add(one.module)

    assert _circle(graph) == []


def test_no_folder_of_a_room_imports_a_sibling_that_imports_it() -> None:
    graph: dict[str, set[str]] = {}
    for one in own_imports():
        here, there = _folder(one.file.module), _folder(one.module)
        if here and there and here != there and here.rpartition(".")[0] == there.rpartition(".")[0]:
            graph.setdefault(here, set()).add(there)

    assert _circle(graph) == []


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _folder(module: str) -> str:
    """``harness.evaluation.curves`` of ``harness.evaluation.curves.fits``; empty for what stands at the top of its
    room."""
    parts = module.split(".")
    depth = 3 if parts[0] == "harness" else 2
    return ".".join(parts[:depth]) if len(parts) > depth else ""


def _circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    try:
        TopologicalSorter({key: set(value) for key, value in graph.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []

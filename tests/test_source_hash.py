"""An edited plug-in gets other keys, an unedited one and everything of this project keeps its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint, EntryPoints
from pathlib import Path

import pytest

from harness import source_hash as module
from harness.collections.collection import CollectionSource
from harness.collections.prepared import prepare
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.labelling.labels.teacher import Teacher
from harness.labelling.prompting.prompter import Prompter
from harness.losses.listmle import ListMLE
from harness.losses.loss import Loss
from harness.losses.spec import LossSpec
from harness.method import Method
from harness.pipeline.workspace import Workspace
from harness.plugins import Plugin, plugin
from harness.retrieval.search_stages import LexicalIndex
from harness.scaffold.package import KINDS, write_package
from harness.source_hash import source_hash
from harness.stage import Stage, canonical, digest
from tests.pipeline.toys import Number
from tests.scaffold.installed import installed

pytestmark = pytest.mark.slow

Monkey = pytest.MonkeyPatch


def marks(place: Path, kind: str, base: type[Plugin], monkeypatch: Monkey, look: Callable[[type[Plugin]], str]) -> str:
    """What `look` says of the plug-in as it is on disk now, freshly imported."""
    with installed(place, KINDS[kind].group, monkeypatch) as lookup:
        return look(lookup(base))


def edit(file: Path) -> None:
    file.write_text(file.read_text() + "\n# another thought\n")


def prepared(home: Path) -> Callable[[type[Plugin]], str]:
    def look(source: type[Plugin]) -> str:
        assert issubclass(source, CollectionSource)
        return prepare(source(source.Settings()), home).folder.name

    return look


def teaching(teacher: type[Plugin]) -> str:
    assert issubclass(teacher, Teacher)
    made = teacher(teacher.Settings())
    return f"{digest(made)} {made.identity}"


@pytest.mark.parametrize(
    ("kind", "base", "look"),
    [
        ("baseline", Method, lambda found: str(source_hash(found))),
        ("loss", Loss, lambda found: digest(LossSpec.of(found.name))),
        ("loss", Loss, lambda found: digest(LossSpec.of({"name": "sum", "of": ["kl", {"name": found.name}]}))),
        ("teacher", Teacher, teaching),
        ("collection", CollectionSource, None),
    ],
)
def test_only_an_edit_of_a_plug_in_changes_what_it_enters(
    kind: str, base: type[Plugin], look: Callable[[type[Plugin]], str] | None, tmp_path: Path, monkeypatch: Monkey
) -> None:
    place, look = write_package(kind, "edited", tmp_path), look or prepared(tmp_path / "home")
    first = marks(place, kind, base, monkeypatch, look)
    assert marks(place, kind, base, monkeypatch, look) == first
    edit(place / "src" / "edited.py")
    second = marks(place, kind, base, monkeypatch, look)
    assert not set(first.split()) & set(second.split())


def test_helper_modules_of_the_package_count(tmp_path: Path, monkeypatch: Monkey) -> None:
    text = (write_package("loss", "whole", tmp_path / "one") / "src" / "whole.py").read_text()
    folder = tmp_path / "whole" / "src" / "whole"
    (folder / "inner").mkdir(parents=True)
    for file in (folder / "__init__.py", folder / "_help.py", folder / "inner" / "__init__.py"):
        file.write_text("")
    (folder / "main.py").write_text(text)

    def look() -> str:
        return marks(tmp_path / "whole", "loss", Loss, monkeypatch, lambda found: str(source_hash(found)))

    seen = [look(), look()]
    for file in (folder / "_help.py", folder / "inner" / "__init__.py"):
        edit(file)
        seen.append(look())
    assert seen[0] == seen[1] and len(set(seen)) == 3


def test_modules_that_the_same_distribution_installs_count(tmp_path: Path, monkeypatch: Monkey) -> None:
    place = write_package("loss", "pair", tmp_path)
    (place / "src" / "pair_help.py").write_text("")

    class Installed(Distribution):
        def read_text(self, filename: str) -> str | None:
            return "pair\npair_help\n" if filename == "top_level.txt" else None

        def locate_file(self, path: object) -> Path:
            return place

    point = EntryPoint("pair", "pair", "harness.losses")._for(Installed())

    def points(group: str | None = None) -> EntryPoints:
        return EntryPoints([point] if group in (None, point.group) else [])

    def look() -> str:
        module._installed_with.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(module, "entry_points", points)
            return marks(place, "loss", Loss, monkeypatch, lambda found: str(source_hash(found)))

    first = look()
    edit(place / "src" / "pair_help.py")
    assert look() != first
    module._installed_with.cache_clear()


def test_what_is_of_this_project_has_no_mark() -> None:
    assert source_hash(Evaluate, LexicalIndex, Stage, plugin(Method, "direct"), ListMLE, Prompter) is None
    assert canonical(LossSpec.of("listmle")) == {"name": "listmle", "settings": {"temperature": None}}


def test_a_script_and_the_module_that_it_is_have_one_mark() -> None:
    assert source_hash(Number) is not None
    command = (
        "from harness.source_hash import source_hash as f; from tests.pipeline.toys import Number; "
        "print(f(Number), Number(value=1).key)"
    )
    told = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True
    )
    assert told.stdout.split() == [source_hash(Number), Number(value=1).key]


def test_a_class_that_was_typed_in_has_no_file_and_still_a_key() -> None:
    space: dict[str, type] = {"__name__": "typed_in"}
    exec("class Typed:\n    identity = '1'", space)
    assert canonical(space["Typed"]()) == {"identity": "1"}


SWEEP = """
collections: [semanlink-arxiv]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 5, training_queries: [train, titles]}
teachers:
  judge: {kind: simulated, noise: 0.3}
methods: [zero-shot, turned]
budgets: [20]
"""


@pytest.mark.models
def test_after_an_edit_a_sweep_runs_what_rests_on_the_plug_in_and_nothing_else(
    tmp_path: Path, monkeypatch: Monkey
) -> None:
    place = write_package("baseline", "turned", tmp_path)
    (place / "config.yaml").write_text(SWEEP)
    file = place / "src" / "turned.py"

    def sweep() -> dict[str, int]:
        with installed(place, "harness.methods", monkeypatch):
            outcome = Workspace(tmp_path / "w").plan(place / "config.yaml", ["evaluate.depth=20"]).run(tmp_path / "r")
        assert not outcome.failures
        return {"ran": outcome.summary["stages"]["run"], "cached cells": outcome.summary["cells"]["cached"]}

    sweep()
    assert sweep() == {"ran": 0, "cached cells": 2}
    file.write_text(file.read_text().replace("ranking.cut(1)", "ranking.cut(2)"))
    # The lists, the retriever, the embedded documents, the search and its evaluation; then the trace's three.
    assert sweep() == {"ran": 8, "cached cells": 1}
    assert sweep() == {"ran": 0, "cached cells": 2}

"""A broken plug-in costs nobody the others, and whoever asks for it hears what is wrong and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.labelling.labels.teacher import Teacher
from harness.losses.loss import Loss
from harness.method import Method
from harness.plugin_checks.run_checks import found
from harness.plugins import plugin, plugins
from harness.scaffold.package import write_package
from tests.scaffold.installed import installed

pytestmark = pytest.mark.slow

Monkey = pytest.MonkeyPatch
RETRIEVER = "    def retriever("


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        (
            "from pydantic import Field",
            "from pydantic improt Field",
            "improt",
            "does not load: SyntaxError: invalid syntax",
        ),
        (
            "class BrittleBaseline(",
            "1 / 0\nclass BrittleBaseline(",
            "1 / 0",
            "does not load: ZeroDivisionError: division by zero",
        ),
        (
            "from pydantic import Field",
            "from pydantic import Feild",
            "Feild",
            "does not load: ImportError: cannot import name 'Feild'",
        ),
        ("from pydantic import Field", "import sys; sys.exit(3)", "sys.exit", "does not load: SystemExit: 3"),
        ("from pydantic import Field", "import os; os._exit(3)", "os._exit", "it called os._exit(3), which would have"),
        ("from pydantic import Field", "while True: pass", "while True", "it ran longer than the timeout of 5 s"),
        ("from pydantic import Field", "raise BaseException('no')", "raise Base", "does not load: BaseException: no"),
        (RETRIEVER, "    def retreiver(", "class BrittleBaseline(", "lacks the method 'retriever'"),
        ("    summary = ", "    sumary = ", "class BrittleBaseline(", "lacks the attribute 'summary'"),
        ("    category = ", "    standing = ", "class BrittleBaseline(", "`standing` is `category` since 0.2"),
        (
            "    category = ",
            "    group = 'x'\n    category = ",
            "class BrittleBaseline(",
            "`group` is `entry_point_group` since 0.2",
        ),
        ("    name = ", "    nome = ", "class BrittleBaseline(", "lacks the attribute 'name'"),
    ],
)
def test_a_broken_plug_in_is_named_and_the_others_stay(
    old: str, new: str, line: str, told: str, tmp_path: Path, monkeypatch: Monkey, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_PLUGIN_TIMEOUT", "5")
    place = write_package("baseline", "brittle", tmp_path)
    file = place / "src" / "brittle.py"
    text = file.read_text().replace(old, new)
    file.write_text(text)
    number = next(number for number, one in enumerate(text.splitlines(), 1) if line in one)
    with installed(place, "harness.methods", monkeypatch):
        assert "direct" in plugins(Method) and "brittle" not in plugins(Method)
        warning = capsys.readouterr().err
        assert warning.startswith(f"warning: {file}:{number}: ") and "package 'brittle'" in warning and told in warning
        for ask in (lambda: plugin(Method, "brittle"), lambda: found("baseline", "brittle")):
            with pytest.raises(UserError, match="'brittle' is installed but cannot be used") as raised:
                ask()
            assert told in raised.value.message and (str(raised.value.file), raised.value.line) == (str(file), number)
        assert found("baseline", "direct").name == "direct"
        assert not capsys.readouterr().err


def test_a_teacher_of_0_1_is_told_what_the_word_is_now(
    tmp_path: Path, monkeypatch: Monkey, capsys: pytest.CaptureFixture[str]
) -> None:
    place = write_package("teacher", "older", tmp_path)
    file = place / "src" / "older.py"
    file.write_text(file.read_text().replace("    summary = ", '    standing = "placebo"\n    summary = '))
    with installed(place, "harness.teachers", monkeypatch):
        with pytest.raises(UserError, match="'older' is installed but cannot be used") as raised:
            plugin(Teacher, "older")
        assert "`standing` is `teacher_type` since 0.2" in raised.value.message and str(raised.value.file) == str(file)
        assert "`standing` is `teacher_type` since 0.2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "renamed"),
    [
        ("from harness.method import Kit, Group", ("`Kit` is `MethodInputs`", "`Group` is `Category`")),
        ("import harness.training.stages", ()),
        ("from harness.collections.pool import Draw", ("`Draw` is `QuerySubset`", "`standing` is `category`")),
    ],
)
def test_imports_of_0_1_are_told_where_they_are_now(
    old: str, renamed: tuple[str, ...], tmp_path: Path, monkeypatch: Monkey
) -> None:
    place = write_package("baseline", "older", tmp_path)
    file = place / "src" / "older.py"
    file.write_text(f"{old}\n{file.read_text().replace('    category = ', '    standing = ')}")
    with installed(place, "harness.methods", monkeypatch):
        with pytest.raises(UserError, match="does not load") as raised:
            plugin(Method, "older")
        for words in ("since 0.2", "`from harness import ...` has what plug-ins need", *renamed):
            assert words in raised.value.remedy


def test_an_entry_point_to_nothing_is_named(
    tmp_path: Path, monkeypatch: Monkey, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone" / "src").mkdir(parents=True)
    with installed(tmp_path / "gone", "harness.losses", monkeypatch):
        assert "listmle" in plugins(Loss)
        assert (
            "warning: the plug-in package 'gone' does not load: ModuleNotFoundError: No module named 'gone'"
            in capsys.readouterr().err
        )
        with pytest.raises(UserError, match="'gone' is installed but cannot be used"):
            plugin(Loss, "gone")


def test_only_the_broken_module_of_a_package_is_lost(
    tmp_path: Path, monkeypatch: Monkey, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "many" / "src" / "many"
    text = (write_package("loss", "many", tmp_path / "one") / "src" / "many.py").read_text()
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "good.py").write_text(text)
    (folder / "bad.py").write_text("raise RuntimeError('not today')\n")
    with installed(tmp_path / "many", "harness.losses", monkeypatch) as lookup:
        assert lookup(Loss).name == "many"
        assert f"{folder / 'bad.py'}:1: " in capsys.readouterr().err


def test_a_name_that_is_taken_stays_with_the_harness(
    tmp_path: Path, monkeypatch: Monkey, capsys: pytest.CaptureFixture[str]
) -> None:
    place = write_package("loss", "second", tmp_path)
    file = place / "src" / "second.py"
    file.write_text(file.read_text().replace('name = "second"', 'name = "listmle"'))
    ours = plugins(Loss)["listmle"]
    with installed(place, "harness.losses", monkeypatch):
        assert plugins(Loss)["listmle"] is ours
        told = capsys.readouterr().err
    assert "all call themselves 'listmle'; the harness's own is used" in told and "second.SecondLoss" in told

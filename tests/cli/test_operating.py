"""What a script can rely on: one document with --json, exit codes, nothing begun that could not end well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.checked_plugins import note_passed
from harness.cli.main import app
from harness.leaderboard.board import load_board
from harness.method import Method
from harness.plugins import plugin, use_plugin_files
from harness.source_hash import source_hash
from tests.baselines.small import write_collection
from tests.calling import call
from tests.pipeline.isolation.faulty_method import Faulty

pytestmark = pytest.mark.models

SOURCE = Path(__file__).parents[1] / "pipeline" / "isolation" / "faulty_method.py"
Monkey, Captured = pytest.MonkeyPatch, pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: Monkey) -> Path:
    write_collection(tmp_path / "data")
    (tmp_path / "sweep.yaml").write_text(
        "collections: [{folder: data}]\n"
        "students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}\n"
        "methods: [bm25, faulty]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HARNESS_PLUGINS", "")
    return tmp_path


def own_method(home: Path, name: str) -> Path:
    """The faulty method in a file of that name; no two tests share one, since a process keeps what it has loaded."""
    file = home / f"{name}.py"
    file.write_text(SOURCE.read_text().replace('"faulty", "fails', f'"{name}", "fails'))
    return file


@pytest.mark.parametrize(
    ("arguments", "where", "words", "code"),
    [
        (["sweep", "nowhere.yaml"], "nowhere.yaml", "there is no such sweep file", 2),
        (["sweep", "sweep.yaml"], "sweep.yaml:3: methods.1", "unknown method 'faulty'", 2),
        (["sweep", "sweep.yaml", "--nonsense"], "the command line", "No such option: --nonsense", 2),
        (["evaluate"], "the command line", "Missing argument 'RUN'", 2),
        (["board", "--results", "nothere"], "nothere", "there is no such folder of results", 2),
    ],
)
def test_with_json_an_error_is_one_document(
    arguments: list[str], where: str, words: str, code: int, home: Path, monkeypatch: Monkey, capsys: Captured
) -> None:
    assert call(monkeypatch, *arguments, "--json") == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["where"] == where and words in error["what"] and "remedy" in error


def test_several_faults_are_all_in_the_document(home: Path, monkeypatch: Monkey, capsys: Captured) -> None:
    (home / "sweep.yaml").write_text("collections: [{folder: data}]\nmethods: [bm52]\nbudgetss: [1]\n")
    assert call(monkeypatch, "plan", "sweep.yaml", "--json") == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert {one["where"] for one in error["errors"]} == {"sweep.yaml:2: methods.0", "sweep.yaml:3: budgetss"}
    assert error["where"] == error["errors"][0]["where"]


@pytest.mark.parametrize("command", ["board", "curves", "meta", "trace", "report", "dashboard"])
def test_results_that_are_only_read_have_to_be_there(
    command: str, home: Path, monkeypatch: Monkey, capsys: Captured
) -> None:
    assert call(monkeypatch, command, "--results", "nothere") == 2
    told = capsys.readouterr()
    assert told.out == "" and "nothere: there is no such folder of results" in told.err and "--results" in told.err
    assert not (home / "report.html").exists()


@pytest.mark.parametrize("command", ["plan", "status"])
def test_looking_at_a_sweep_makes_no_folder(command: str, home: Path, monkeypatch: Monkey, capsys: Captured) -> None:
    file = own_method(home, f"looked_at_by_{command}")
    (home / "sweep.yaml").write_text((home / "sweep.yaml").read_text().replace("faulty", file.stem))
    before = {path.name for path in home.iterdir()} | {"cache"}
    result = CliRunner().invoke(app, [command, "sweep.yaml", "--plugins", file.name, "--json"])
    assert result.exit_code == 0, result.output
    assert {path.name for path in home.iterdir()} <= before
    told = json.loads(result.stdout)
    assert told["cells"] == 2 if command == "plan" else len(told["cells"]) == 2


@pytest.mark.parametrize("option", ["results", "workspace"])
def test_folders_that_cannot_be_made_are_told_before_anything_runs(
    option: str, home: Path, monkeypatch: Monkey, capsys: Captured
) -> None:
    (home / "taken").write_text("")
    assert call(monkeypatch, "sweep", "sweep.yaml", f"--{option}", "taken/inside") == 2
    assert f"so that the {option} cannot be written" in capsys.readouterr().err
    assert not (home / "workspace").exists() and not (home / "results").exists()


def test_a_disk_without_room_is_told_before_anything_runs(home: Path, monkeypatch: Monkey, capsys: Captured) -> None:
    monkeypatch.setattr("harness.pipeline.diagnosis.preflight.disk_free", lambda folder: 1 << 20)
    assert call(monkeypatch, "sweep", "sweep.yaml", "--set", "methods=[bm25]") == 2
    assert "GB are free, and the sweep writes about" in capsys.readouterr().err
    assert not (home / "results").exists() and not (home / "workspace" / "store").exists()


def test_a_teacher_without_its_key_is_told_before_anything_runs(
    home: Path, monkeypatch: Monkey, capsys: Captured
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with (home / "sweep.yaml").open("a") as stream:
        stream.write("teachers: {gpt: {kind: litellm, model: openai/gpt-4.1-mini}}\nbudgets: [4]\n")
    assert call(monkeypatch, "sweep", "sweep.yaml", "--set", "methods=[bm25, direct]") == 2
    told = capsys.readouterr().err
    assert "sweep.yaml:4: teachers.gpt: the model 'openai/gpt-4.1-mini' needs OPENAI_API_KEY" in told
    assert not (home / "results").exists()


def test_one_file_is_enough_for_a_plug_in(home: Path, monkeypatch: Monkey, capsys: Captured) -> None:
    file = own_method(home, "one_file")
    change = "methods=[bm25, one_file]"
    assert call(monkeypatch, "list", "methods", "--plugins", file.name, "--json") == 0
    assert "one_file" in {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert call(monkeypatch, "sweep", "sweep.yaml", "--set", change, "--set", "plugins=[one_file.py]", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["cells"]["done"] == 2
    assert call(monkeypatch, "sweep", "sweep.yaml", "--set", change, "--json") == 0
    assert json.loads(capsys.readouterr().out)["stages"]["run"] == 0
    file.write_text(file.read_text().replace("1.0 / (n + 1)", "2.0 / (n + 1)"))
    assert call(monkeypatch, "sweep", "sweep.yaml", "--set", change, "--plugins", file.name, "--json") == 0
    assert json.loads(capsys.readouterr().out)["stages"]["run"] == 2, "its stage and the evaluation of it"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("absent.py", None, "there is no such plug-in file"),
        ("two words.py", "x = 1\n", "needs the name of a Python module"),
        ("json.py", "x = 1\n", "there is another module 'json' here"),
        ("holds_nothing.py", "x = 1\n", "the plug-in file holds no plug-in"),
        (
            "does_not_load.py",
            "import harness\n\n1 / 0\n",
            "does_not_load.py:3: the plug-in file does not load: Zero",
        ),
        (
            "exits_at_once.py",
            "import sys\nsys.exit(3)\n",
            "exits_at_once.py:2: the plug-in file does not load: System",
        ),
        (
            "leaves_at_once.py",
            "import os\nos._exit(3)\n",
            "leaves_at_once.py:2: the plug-in file does not load: RuntimeError: it called os._exit(3)",
        ),
        (
            "of_0_1.py",
            "import os\nfrom harness.method import Kit\n",
            "of_0_1.py:2: the plug-in file does not load: ImportError",
        ),
    ],
)
def test_a_file_that_is_no_plug_in_says_why(
    name: str, text: str | None, words: str, home: Path, monkeypatch: Monkey, capsys: Captured
) -> None:
    if text is not None:
        (home / name).write_text(text)
    assert call(monkeypatch, "plan", "sweep.yaml", "--plugins", name) == 2
    assert words in capsys.readouterr().err
    (home / "sweep.yaml").write_text((home / "sweep.yaml").read_text() + f"plugins: ['{name}']\n")
    assert call(monkeypatch, "plan", "sweep.yaml") == 2
    assert words.partition(": ")[2] in capsys.readouterr().err


def test_a_check_that_passed_is_written_onto_the_cards_of_what_is_there(
    home: Path, monkeypatch: Monkey, capsys: Captured
) -> None:
    file = own_method(home, "checked_later")
    arguments = ["sweep", "sweep.yaml", "--set", "methods=[checked_later]", "--plugins", file.name]
    assert call(monkeypatch, *arguments) == 0
    (row,) = load_board(home / "results").as_json()["rows"]
    assert "plug-in not checked: checked_later" in row["flags"]
    use_plugin_files([file])
    code = source_hash(plugin(Method, "checked_later"))
    assert code is not None and code != source_hash(Faulty)
    note_passed("harness.methods", "checked_later", code)
    assert call(monkeypatch, *arguments) == 0
    (row,) = load_board(home / "results").as_json()["rows"]
    assert not any("checked" in flag for flag in row["flags"])


def test_a_new_package_is_one_file_too(home: Path, monkeypatch: Monkey, capsys: Captured) -> None:
    """Beside its folder, whose name it has; in the processes of a check as well."""
    assert call(monkeypatch, "new", "baseline", "beside_its_folder") == 0
    file = "beside_its_folder/src/beside_its_folder.py"
    # As `python -m harness` has it.
    monkeypatch.syspath_prepend(str(home))
    assert call(monkeypatch, "list", "methods", "--plugins", file, "--json") == 0
    assert "beside_its_folder" in {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert call(monkeypatch, "check", "baseline", "beside_its_folder", "--plugins", file, "--json") == 0


def test_a_sweep_says_where_its_results_are_looked_at(home: Path, monkeypatch: Monkey, capsys: Captured) -> None:
    for results, folder in (("results", ""), ("elsewhere", " --results elsewhere")):
        assert call(monkeypatch, "sweep", "sweep.yaml", "--set", "methods=[bm25]", "--results", results) == 0
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert last.endswith(f"harness board{folder}   in the browser: harness dashboard{folder}")

"""The wheel in a folder of one's own, without the repository: built, installed, used, beside packages of the user's
that have the names of our folders."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import EntryPoints, PathDistribution
from pathlib import Path

import pytest

from tests.baselines.small import write_collection

pytestmark = [pytest.mark.slow, pytest.mark.models]

ROOT = Path(__file__).parents[2]
ALONE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""The environment of a user, who has no repository."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True)
    if tracked.returncode:
        pytest.skip("the source is no git repository")
    for name in tracked.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith(("results/", "tests/", "docs/")):
            place = home / "source" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(home), str(home / "source")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (file,) = home.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the `harness` command of the wheel; further packages are those of this environment."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))
    (site / "shared.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    python = home / "bin" / "python"
    command = [python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--ignore-installed", wheel]
    done = subprocess.run(command, env=ALONE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return home / "bin" / "harness"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with a collection, and packages with names of ours that fail when they are imported."""
    home = tmp_path_factory.mktemp("own")
    write_collection(home / "my data", answers=False)
    for name in ("baselines", "dashboard", "configs"):
        (home / name).mkdir()
        (home / name / "__init__.py").write_text("raise SystemExit('a package of the user')")
    return home


def run(installed: Path, own: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**ALONE, "PYTHONPATH": str(own), "HARNESS_CACHE": str(own / "cache"), "HARNESS_PRECISION": "fp32"}
    done = subprocess.run([installed, *words], cwd=own, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_no_name_in_it_could_be_a_users(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
            "harness",
            "harness_baselines",
            "harness_dashboard",
        }
        for name in names:
            if name.endswith(".py"):
                for node in ast.walk(ast.parse(content.read(name))):
                    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                    modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                    assert not {"baselines", "dashboard"} & {module.partition(".")[0] for module in modules}, name
        texts = {name.rpartition("/")[2]: content.read(name).decode() for name in names if ".dist-info/" in name}
    assert texts["top_level.txt"].split() == ["harness", "harness_baselines", "harness_dashboard"]
    points = EntryPoints(PathDistribution(zipfile.Path(wheel, _info(names))).entry_points)
    assert [point.value for point in points.select(group="harness.methods")] == ["harness_baselines"]
    assert {f"harness/_carried/configs/{file.name}" for file in (ROOT / "configs").glob("*.yaml")} <= set(names)


def _info(names: list[str]) -> str:
    return next(name.split("/")[0] for name in names if ".dist-info/" in name) + "/"


def test_the_same_keys_as_in_the_repository(installed: Path, own: Path) -> None:
    code = (
        "import harness, json, sys; plan = harness.Workspace(sys.argv[1]).plan(sys.argv[2]); "
        "print(json.dumps(sorted(plan.stages)))"
    )
    (own / "all.yaml").write_text((ROOT / "configs" / "smoke.yaml").read_text())

    def keys(python: str | Path, folder: Path, environment: dict[str, str]) -> list[str]:
        command = [str(python), "-c", code, str(own / "keys"), str(own / "all.yaml")]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        return list(json.loads(done.stdout))

    user = keys(installed.with_name("python"), installed.parent, ALONE)
    assert user == keys(sys.executable, ROOT, {**ALONE, "PYTHONPATH": str(ROOT)})


def test_from_an_empty_folder_to_a_board(installed: Path, own: Path) -> None:
    parts = json.loads(run(installed, own, "setup", "--json").stdout)
    assert all(part["installed"] == part["version"] for part in parts["parts"])
    assert Path(parts["file"]).is_file()
    names = {row["name"] for row in json.loads(run(installed, own, "list", "examples", "--json").stdout)}
    assert names == {file.stem for file in (ROOT / "configs").glob("*.yaml")}

    told = run(installed, own, "new", "sweep", "--collection", "my data").stderr
    assert "sweep.yaml written" in told and "harness sweep" in told
    small = ["--set", "students={retriever: {static: 'bundled:bert-tiny'}, ranker: 'bundled:bert-tiny'}"]
    small += [
        "--set",
        "teachers={smollm2: {kind: shuffled}}",
        "--set",
        "candidates.engine=bm25s",
        "--set",
        "budgets=[8]",
    ]
    summary = json.loads(run(installed, own, "sweep", *small, "--json").stdout)
    assert summary["cells"]["done"] == summary["cells"]["total"] == 5
    rows = json.loads(run(installed, own, "board", "--json").stdout)["rows"]
    assert {row["method"] for row in rows} == {"bm25", "zero-shot", "intermediate", "no-llm", "supervised"}
    assert json.loads(run(installed, own, "gc", "--json").stdout)["goes"]["artefacts"] > 0
    assert json.loads(run(installed, own, "sweep", *small, "--json").stdout)["stages"]["run"] == 0
    run(installed, own, "dashboard", "--export", "site")
    assert (own / "site" / "index.html").is_file()

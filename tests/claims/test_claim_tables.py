"""What people and programs are given: terminal, Markdown, JSON, forest plot."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from harness.claims.claim_tables import claims_markdown
from harness.claims.forest_plot import PANEL_WIDTH, forest_lines, forest_panels, forest_plot
from harness.claims.verdict_table import verdict_table
from harness.leaderboard.board import load_board
from harness.pipeline.publish.verification import verify_folders
from harness.published.result_folder import run_folders
from tests.calling import call
from tests.claims.simulated import Setting
from tests.leaderboard.runs import make_card, make_run, put, put_scores


@pytest.fixture
def made(tmp_path: Path) -> Setting:
    setting = Setting(tmp_path)
    setting.freeze()
    setting.put_all({"oracle": 0.1, "ours": 0.06})
    return setting


def test_markdown_names_every_verdict_collection_and_rival(made: Setting) -> None:
    text = claims_markdown(made.report)

    assert "| C1: ours is better than start and shuffled | **holds** |" in text
    assert all(f"| {name} |" in text for name in (*made.collections, "pooled"))
    assert "on collections like these, against start" in text and "least difference to be seen" in text


def test_json_is_finite_and_whole(made: Setting) -> None:
    report = json.loads(json.dumps(made.report.as_json(), allow_nan=False))

    claim = report["claims"][1]
    assert claim["name"] == "C1" and claim["verdict"] == "holds" and claim["rivals"] == {"all": ["start", "shuffled"]}
    comparison = claim["collections"][0]["comparisons"][0]
    assert comparison["runs"] == 3 and comparison["shared_queries"] == 0.05 and comparison["variance_runs"] > 0
    assert report["frozen"]["hash"] == made.mark[0] and not report["changed_since"]


def test_the_forest_plot_has_a_marker_for_every_comparison(made: Setting) -> None:
    lines = list(forest_lines(made.verdict("C1")))
    root = ElementTree.fromstring(forest_plot(made.report))
    circles = [one for one in root.iter() if one.tag.endswith("circle")]

    assert [line.marker for line in lines] == ["filled"] * 6 + ["diamond"] * 2
    assert len(circles) == 6


def test_panels_of_what_was_measured_stand_two_beside_each_other(made: Setting) -> None:
    report = made.report
    (claim,) = (one for one in report.verdicts if not one.hypothesis.check)
    unmeasured = replace(claim, results=tuple(replace(one, comparisons=()) for one in claim.results), pooled=())
    several = replace(report, verdicts=(claim, unmeasured, claim, claim))
    panels = [ElementTree.fromstring(panel) for panel in forest_panels(several)]
    whole = ElementTree.fromstring(forest_plot(several))

    assert len(panels) == 3 and {panel.get("width") for panel in panels} == {str(PANEL_WIDTH)}
    assert PANEL_WIDTH < int(whole.attrib["width"]) < 2 * PANEL_WIDTH
    assert int(whole.attrib["height"]) == 2 * int(panels[0].attrib["height"])
    assert sum(one.tag.endswith("circle") for one in whole.iter()) == 3 * 6
    assert all(
        0 < float(one.attrib["cy"]) < int(panels[0].attrib["height"]) for one in panels[0].iter() if "cy" in one.attrib
    )


def test_the_table_of_verdicts_has_every_hypothesis_and_collection(made: Setting) -> None:
    columns = verdict_table(made.report)

    assert list(columns) == ["claim", "verdict", *made.collections, "pooled"]
    assert columns["claim"][-1] == "C1: ours is better than start and shuffled" and columns["verdict"][-1] == "holds"
    assert all(
        columns[name][-1].endswith(" shown") and columns[name][-1].startswith("+0.0") for name in made.collections
    )
    assert columns["pooled"][-1].startswith("+0.0") and columns["pooled"][-1].endswith("]")


def test_the_command_answers_before_and_after_the_freeze(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Setting(tmp_path, collections=1)
    (tmp_path / "results").mkdir()
    file, picture = str(tmp_path / "claims.yaml"), tmp_path / "forest.svg"

    assert call(monkeypatch, "claims", file, "--results", str(tmp_path / "results"), "--svg", str(picture)) == 0
    assert "not frozen" in capsys.readouterr().out and picture.is_file()
    assert call(monkeypatch, "claims", file, "--freeze", "--workspace", str(tmp_path / "workspace"), "--json") == 0
    assert "semanlink" in json.loads(capsys.readouterr().out)["collections"]
    assert call(monkeypatch, "claims", file, "--results", str(tmp_path / "results"), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [one["verdict"] for one in report["claims"]] == ["exploratory"] * 2
    assert any("no run of" in note and "'ours'" in note for note in report["notes"])


def test_runs_in_a_folder_of_the_file_s_name_are_those_of_the_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made, results = Setting(tmp_path, collections=2), tmp_path / "results"
    made.freeze()
    made.put_all({"oracle": 0.1, "ours": 0.06})
    for run in made.runs:
        possible = {query: min(max(value, 0.0), 1.0) for query, value in run.scores["nDCG@10"].items()}
        put_scores(results / "claims", run.card, make_run(0.5), {"nDCG@10": possible})
    put(results, make_card("other"), make_run(0.5))
    file = str(tmp_path / "claims.yaml")
    assert call(monkeypatch, "claims", file, "--results", str(results), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [one["verdict"] for one in report["claims"]] == ["holds"] * 2
    assert [run.name for run in run_folders(results)] == ["other"]
    assert load_board(results).skipped == ()
    assert len(list(run_folders(results / "claims"))) == len(made.runs)
    folders = [path for path in sorted(results.glob("*/*")) if path.is_dir()]
    rows = verify_folders(folders, None, tmp_path / "workspace")["results"]
    assert len(rows) == len(made.runs) + 1, "a folder of runs is verified run by run"

"""The page of claims: the verdicts of ``harness claims``, for files where the dashboard was started."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dashboard.export.site import export
from dashboard.text import literal
from harness.claims.claim_report import claim_report
from harness.claims.claim_sentences import claim_sentences
from harness.claims.claim_tables import claim_table
from harness.claims.forest_plot import MARKERS, PANEL_WIDTH
from harness.claims.verdict_table import verdict_table
from tests.claims.simulated import Setting
from tests.dashboard.export.test_site import Read
from tests.dashboard.pages import methods, open_page
from tests.leaderboard.runs import make_card, make_run, put, put_scores

pytestmark = pytest.mark.slow

SWEEP = {
    "claims": "claims.yaml",
    "collections": ["semanlink"],
    "teachers": {"smollm2": {"kind": "shuffled"}},
    "methods": ["zero-shot", "intermediate"],
    "budgets": [100, 300],
    "resamples": 3,
}
CLAIMS = {
    "sweeps": ["sweep.yaml"],
    "runs": {
        "ours": {"method": "intermediate", "teacher": "smollm2", "budget": 300},
        "start": {"method": "zero-shot"},
    },
    "hypotheses": {"C1": {"statement": "<b>it</b> helps", "run": "ours", "than": "start"}},
}


def test_what_was_claimed_is_shown_with_its_plot(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in (("sweep.yaml", SWEEP), ("claims.yaml", CLAIMS)):
        (tmp_path / name).write_text(yaml.safe_dump(content))
    page = open_page(folder, monkeypatch, "claims")
    report = claim_report("claims.yaml", folder)
    table = claim_table(report.exploratory[0])
    assert page.selectbox(key="claims").options == ["claims.yaml"], "a sweep file with its name is none"
    (shown,) = [element.value for element in page.dataframe]
    assert [tuple(row) for row in shown.itertuples(index=False)] == list(table.rows) != []
    assert any("not frozen" in element.value for element in page.markdown)
    assert any("<b>" not in element.value and "helps" in element.value for element in page.subheader)
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(CLAIMS | {"alpha": 2}))
    assert "alpha" in open_page(folder, monkeypatch, "claims").error[0].value


def test_claims_without_a_run_are_told_and_not_drawn(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = {"ours": {"method": "intermediate", "teacher": "nobody"}, "start": {"method": "zero-shot"}}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(CLAIMS | {"runs": runs}))
    page = open_page(folder, monkeypatch, "claims")
    assert "No published run" in page.info[0].value and not page.header
    assert len(page.subheader) == 1 and not page.dataframe


def test_where_nothing_is_claimed_it_says_so(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "No file of claims here" in open_page(folder, monkeypatch, "claims").info[0].value


def test_frozen_claims_open_the_first_page_and_stand_in_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made, results = Setting(tmp_path), tmp_path / "results"
    own = results / "claims"
    made.freeze()
    made.put_all({"oracle": 0.1, "ours": 0.06})
    for run in made.runs:
        possible = {query: min(max(value, 0.0), 1.0) for query, value in run.scores["nDCG@10"].items()}
        put_scores(own, run.card, make_run(0.5), {"nDCG@10": possible})
    put(results, make_card("other"), make_run(0.5))
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(made.content))
    report = claim_report("claims.yaml", own)
    (sentence,) = claim_sentences(report)
    page = open_page(results, monkeypatch, "leaderboard")
    assert methods(page) == ["zero-shot"], "runs of claims are no rows of other boards"
    assert any(literal(sentence) in element.value for element in page.markdown)
    verdicts = page.table[0].value
    assert list(verdicts["verdict"]) == [one.verdict for one in report.verdicts]
    assert any(element.value == literal(MARKERS) for element in page.caption)
    judged = open_page(results, monkeypatch, "claims")
    assert judged.selectbox(key="claims").value == "claims.yaml", "the frozen one comes first"
    export(results, tmp_path / "site")
    first, all_of_it = (Read(tmp_path / "site" / f"{name}.html") for name in ("index", "claims"))
    assert sentence in first.texts and MARKERS in first.texts
    panels = (tmp_path / "site" / "index.html").read_text().count(f'viewBox="0 0 {PANEL_WIDTH} ')
    assert panels == 1, "one claim, one panel"
    assert list(first.columns("Verdicts of the claims")) == list(verdict_table(report))
    assert report.verdicts[1].reason in "".join(all_of_it.texts)
    assert all_of_it.columns(claim_table(report.verdicts[1]).title)

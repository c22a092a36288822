"""The page of claims: the verdicts of ``harness claims``, for files where the dashboard was started."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.claims.claim_report import claim_report
from harness.claims.claim_tables import claim_table
from tests.dashboard.pages import open_page

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

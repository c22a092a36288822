"""A sweep with a teacher behind an API: priced before, capped, paid once, and done elsewhere without a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.pipeline.labels.label_transfer import export_labels, import_labels
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.progress import silent
from harness.published.result_folder import read_card
from tests.llm.openai_server import FAULTS, Server, serving

pytestmark = pytest.mark.models

SWEEP = """
collections: [semanlink-arxiv]
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 5, training_queries: [train, titles]}}
teachers:
  gpt: {{kind: litellm, model: openai/gpt-4.1-mini, api_base: "{url}", price: {{input: 100, output: 400}}}}
methods:
  - {{method: direct, epochs: 1}}
budgets: [10, 20]
resamples: 2
evaluate: {{metrics: [nDCG@10]}}
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.01)


def sweep(home: Path, url: str, workspace: str = "workspace", **options: Any) -> SweepResult:
    (home / "sweep.yaml").write_text(SWEEP.format(url=url))
    return (
        Workspace(home / workspace).plan(home / "sweep.yaml").run(home / "results", observer=NullObserver(), **options)
    )


def planned(home: Path, workspace: str = "workspace") -> dict[str, Any]:
    found: dict[str, Any] = Workspace(home / workspace).plan(home / "sweep.yaml").report()["llm"]
    return found


def test_priced_capped_and_paid_once_through_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Server(faults=[fault for fault in FAULTS if fault != "hang"], rate=0.3)) as server:
        capped = sweep(tmp_path, server.url, max_cost=0.5)
        assert capped.summary["cells"]["failed"] > 0
        assert 0 < capped.summary["llm"]["usd"] <= 0.5
        assert any("--max-cost" in reason for reason in capped.failures)

        cost = planned(tmp_path)
        assert cost["calls"] > 0 and cost["usd"] > 0
        assert [teacher["name"] for teacher in cost["teachers"]] == ["gpt"]

        done = sweep(tmp_path, server.url)
        assert done.summary["cells"] == {"total": 4, "done": 4, "failed": 0, "cached": capped.summary["cells"]["done"]}
        assert max(server.answered.values()) == 1, "an answer was paid for twice"
        asked = len(server.bodies)
        again = sweep(tmp_path, server.url)
        assert (len(server.bodies), again.summary["llm"]["calls"], again.summary["stages"]["run"]) == (asked, 0, 0)
        assert planned(tmp_path)["calls"] == 0

    cards = [read_card(folder) for folder in done.published]
    assert all(card.labels is not None and card.labels.total == card.budget for card in cards)
    assert all(card.costs.usd_standalone > 0 for card in cards)
    published = "".join(file.read_text() for file in (tmp_path / "results").rglob("card.yaml"))
    assert "sk-test" not in published
    assert server.url not in published, "an address may hold a password, and says nothing about the labels"

    # Elsewhere, without a key and with nobody to ask: the labels came along.
    export_labels(tmp_path / "labels.jsonl.gz", Workspace(tmp_path / "workspace"), silent)
    import_labels(tmp_path / "labels.jsonl.gz", Workspace(tmp_path / "other"), silent)
    monkeypatch.delenv("OPENAI_API_KEY")
    moved = sweep(tmp_path, "http://127.0.0.1:9/v1", workspace="other")
    assert (moved.summary["cells"]["failed"], moved.summary["llm"]["calls"]) == (0, 0)


def test_a_prompt_that_does_not_exist_is_named_where_its_teacher_is(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(
        SWEEP.format(url="http://127.0.0.1:9/v1").replace("kind: litellm,", "kind: litellm, ask: {prompt: listwis},")
    )
    with pytest.raises(UserError, match="did you mean 'listwise'") as caught:
        Workspace(tmp_path / "workspace").plan(file).report()
    assert (Path(str(caught.value.file)), caught.value.key) == (file, "teachers.gpt")

"""A sweep in which some queries cannot be answered: told, published, asked again when that is wished; and no secret in
anything that it writes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import read_card
from harness.stage import Stage
from tests.calling import call
from tests.llm.openai_server import completion, serving
from tests.llm.scripted_server import Reply, Scripted, error, right

pytestmark = pytest.mark.models

SECRET = "sk-very-secret-9f3a77"
SWEEP = """
collections: [semanlink-arxiv]
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 5, training_queries: [train, titles]}}
teachers:
  gpt: {{kind: litellm, model: openai/test, api_base: "{url}", attempts: 2, on_failure: {{tolerate: 0.3}}, ask: {ask}}}
methods:
  - {{method: direct, epochs: 1}}
budgets: [10, 20]
evaluate: {{metrics: [nDCG@10]}}
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.001)


def sweep(home: Path, url: str, ask: str = "listwise", **options: Any) -> SweepResult:
    (home / "sweep.yaml").write_text(SWEEP.format(url=url, ask=ask))
    plan = Workspace(home / "workspace").plan(home / "sweep.yaml")
    return plan.run(home / "results", observer=NullObserver(), **options)


class SomeFail:
    """Every fifth query is too long."""

    def __init__(self) -> None:
        self.queries: dict[str, int] = {}

    def __call__(self, body: dict[str, Any]) -> Reply:
        number = self.queries.setdefault(body["messages"][-1]["content"], len(self.queries))
        return error(400, f"prompt is too long for {SECRET}") if number % 5 == 4 else right(body)


def test_failed_labels_are_told_left_out_and_asked_again_when_wished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Scripted(script=SomeFail())) as server:
        assert isinstance(server, Scripted)
        first = sweep(tmp_path, server.url)
        assert first.summary["cells"] == {"total": 2, "done": 2, "failed": 0, "cached": 0}
        assert first.summary["labels"] == {
            "queries": 20,
            "failed": 6,
            "reasons": {"too long": 3, "no candidates": 3},
        }
        assert "6 of 20 queries failed (no candidates 3, too long 3); training leaves them out; --retry" in first.text()
        cards = {folder.name: read_card(folder) for folder in first.published}
        large = next(name for name in cards if "b20" in name)
        assert cards[large].labels is not None and cards[large].labels.failed == 6

        asked = len(server.bodies)
        again = sweep(tmp_path, server.url)
        assert (len(server.bodies), again.summary["stages"]["run"]) == (asked, 0)
        assert Workspace(tmp_path / "workspace").plan(tmp_path / "sweep.yaml").status()["labels"]["failed"] == 6

        still = sweep(tmp_path, server.url, retry_failed=True)
        assert len(server.bodies) == asked + 3, "each is asked once, whatever the budgets"
        assert still.summary["labels"]["failed"] == 6
        assert still.summary["stages"]["run"] == 2, "labels that came out the same leave all else as it is"

        server.script = right
        assert call(monkeypatch, "sweep", str(tmp_path / "sweep.yaml"), "--workspace", str(tmp_path / "workspace"),
                    "--results", str(tmp_path / "results"), "--retry-failed", "--json") == 0  # fmt: skip
        summary = json.loads(capsys.readouterr().out)
        assert (len(server.bodies), summary["labels"]["failed"]) == (asked + 6, 3)
        card = read_card(tmp_path / "results" / "semanlink-arxiv" / large)
        assert card.labels is not None and (card.labels.failed, card.labels.ok) == (3, 17)
        assert sweep(tmp_path, server.url).summary["stages"]["run"] == 0


def test_labels_that_cannot_be_asked_again_now_stay_as_they_were(tmp_path: Path) -> None:
    with serving(Scripted(script=SomeFail())) as server:
        assert isinstance(server, Scripted)
        sweep(tmp_path, server.url)
        server.script = lambda body: error(401, f"no such key: {SECRET}")
        stopped = sweep(tmp_path, server.url, retry_failed=True)
        assert any("no such key" in reason for reason in stopped.failures) and SECRET not in stopped.text()
        assert "the labels stay as they were" in stopped.text()
        assert stopped.summary["cells"]["done"] == 2 and stopped.summary["labels"]["failed"] == 6


def test_asking_again_goes_on_after_it_was_interrupted(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    class Watcher(NullObserver):
        def started(self, stage: Stage) -> None:
            raise Killed

    with serving(Scripted(script=SomeFail())) as server:
        assert isinstance(server, Scripted)
        sweep(tmp_path, server.url)
        server.script = right
        plan = Workspace(tmp_path / "workspace").plan(tmp_path / "sweep.yaml")
        with pytest.raises(Killed):
            plan.run(tmp_path / "results", observer=Watcher(), retry_failed=True)
        again = sweep(tmp_path, server.url, retry_failed=True)
        assert again.summary["labels"] == {"queries": 20, "failed": 3, "reasons": {"no candidates": 3}}
        cards = [read_card(folder) for folder in again.published]
        assert {card.labels.failed for card in cards if card.labels and card.budget == 20} == {3}


def test_no_secret_is_in_anything_that_a_sweep_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "sweep.yaml")
    where = ("--workspace", str(tmp_path / "workspace"))
    with serving(Scripted(script=SomeFail())) as server:
        assert isinstance(server, Scripted)
        address = server.url.replace("://", "://someone:pass-w0rd@")
        (tmp_path / "sweep.yaml").write_text(SWEEP.format(url=address, ask="listwise"))
        server.script = lambda body: error(401, f"{SECRET} or someone:pass-w0rd at {address}")
        assert call(monkeypatch, "sweep", file, *where, "--results", str(tmp_path / "results")) == 1
        server.script = SomeFail()
        sweep(tmp_path, address)
    shown = "".join(capsys.readouterr())
    (tmp_path / "sweep.yaml").unlink()
    written = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())
    for secret in (SECRET, "pass-w0rd"):
        assert secret not in shown
        assert secret.encode() not in written


def ordered(body: dict[str, Any], key: Callable[[str], str]) -> Reply:
    """The passages in the order of `key`, which is given the passage, or where it is `str` as they are shown."""
    shown = re.findall(r"^\[(\d+)\] (.*)", body["messages"][-1]["content"], re.MULTILINE)
    numbers = [number for number, text in (shown if key is str else sorted(shown, key=lambda one: key(one[1])))]
    text = " > ".join(f"[{number}]" for number in numbers)
    return 200, completion(body["model"], text, "stop", 10)


@pytest.mark.parametrize(
    ("ask", "flag"),
    [
        ("{shuffle: true}", "follows the order shown: tau 1.00"),
        ("listwise", "follows the order shown: tau 1.00, not shuffled"),
    ],
)
def test_a_teacher_that_repeats_the_order_shown_is_flagged(tmp_path: Path, ask: str, flag: str) -> None:
    with serving(Scripted(script=lambda body: ordered(body, str))) as server:
        sweep(tmp_path, server.url, ask)
        rows = harness.load_board(tmp_path / "results").tables[0].rows
        assert all(flag in row.flags for row in rows)


def test_a_teacher_that_does_not_is_not(tmp_path: Path) -> None:
    def by_text(passage: str) -> str:
        return hashlib.sha256(passage.encode()).hexdigest()

    with serving(Scripted(script=lambda body: ordered(body, by_text))) as server:
        sweep(tmp_path, server.url, "{shuffle: true}")
        rows = harness.load_board(tmp_path / "results").tables[0].rows
        assert [flag for row in rows for flag in row.flags if "order shown" in flag] == []

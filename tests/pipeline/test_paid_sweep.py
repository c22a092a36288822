"""The money of sweeps: one cap for all runs and processes of a sweep, one for a workspace; what is odd is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.console import Console

import harness
from harness.errors import UserError
from harness.ledger.ledger import Ledger
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.plan import Plan
from harness.pipeline.plan_report import render_status
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import read_card
from tests.house.source import ROOT
from tests.llm.openai_server import Server, completion, permutation, serving

pytestmark = pytest.mark.models

TEACHER = '{{kind: litellm, model: {model}, api_base: "{url}", concurrency: 8{more}}}'
SWEEP = """
collections: [semanlink-arxiv]
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 5, training_queries: [train, titles]}}
teachers: {{{teachers}}}
methods:
  - {{method: direct, epochs: 1}}
budgets: [{budget}]
evaluate: {{metrics: [nDCG@10]}}
"""
PRICE = ", price: {input: 100, output: 400}"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.01)


def write(
    home: Path, *urls: str, name: str = "sweep", model: str = "openai/tgi", more: str = PRICE, budget: int = 10
) -> Path:
    teachers = ", ".join(
        f"t{number}: {TEACHER.format(model=model, url=url, more=more)}" for number, url in enumerate(urls)
    )
    file = home / f"{name}.yaml"
    file.write_text(SWEEP.format(teachers=teachers, budget=budget))
    return file


def plan(home: Path, file: Path) -> Plan:
    return Workspace(home / "workspace").plan(file)


def run(home: Path, file: Path, **caps: float) -> SweepResult:
    return plan(home, file).run(home / "results", observer=NullObserver(), **caps)


class MovingServer(Server):
    """Another model answers behind the name from the fifth answer on, and no token is counted."""

    given = 0

    async def _respond(self, request: web.Request, body: dict[str, Any], fault: str) -> web.StreamResponse:
        self.given += 1
        answer = completion(f"m-{1 + (self.given > 4)}", permutation(body["messages"][-1]["content"]), "stop", 9)
        return web.json_response(answer | {"usage": None})


def test_a_model_that_moves_and_tokens_that_nobody_counts_are_told_everywhere(tmp_path: Path) -> None:
    with serving(MovingServer()) as server:
        done = run(tmp_path, write(tmp_path, server.url))
    told = "\n".join(done.summary["notices"])
    rest = server.given - 4
    assert f"the model behind 'openai/tgi' moved: answers are from m-1 (4), m-2 ({rest})" in told
    assert f"the cost of {server.given} answers is estimated" in told and told.splitlines()[0] in done.text()
    answers = read_card(done.published[0]).answers
    assert answers is not None and (answers.served, answers.estimated) == ({"m-1": 4, "m-2": rest}, server.given)
    [row] = [row for row in harness.load_board(done.results).tables[0].rows if row.method == "direct"]
    assert {"model moved: m-1, m-2", "cost estimated"} <= set(row.flags)


def test_an_unknown_price_is_told_in_plan_and_board_and_refused_under_a_cap(tmp_path: Path) -> None:
    with serving(Server()) as server:
        file = write(tmp_path, server.url, more="")
        assert not plan(tmp_path, file).report()["llm"]["priced"]
        capped = run(tmp_path, file, max_cost=1.0)
        assert any("the price of 'openai/tgi' is not known" in reason for reason in capped.failures)
        assert server.bodies == []
        done = run(tmp_path, file)
    assert any("price of 'openai/tgi' is not known" in notice for notice in done.summary["notices"])
    [row] = [row for row in harness.load_board(done.results).tables[0].rows if row.method == "direct"]
    assert "price not known" in row.flags


def test_two_servers_of_one_name_are_refused_at_load(tmp_path: Path) -> None:
    with serving(Server()) as one, serving(Server()) as two:
        with pytest.raises(UserError, match=r"teachers\.t1\.revision.*nothing tells the two apart") as caught:
            plan(tmp_path, write(tmp_path, one.url, two.url))
        assert caught.value.parts[0].line is not None
        with pytest.raises(UserError, match="nothing tells the two apart"):
            plan(tmp_path, write(tmp_path, one.url, two.url, model="openai/gpt-4.1-mini"))
        plan(tmp_path, write(tmp_path, one.url, two.url, more=f"{PRICE}, revision: same"))
        # The same in a later sweep of the workspace.
        run(tmp_path, write(tmp_path, one.url))
        with pytest.raises(UserError, match=r"are from 127\.0\.0\.1"):
            plan(tmp_path, write(tmp_path, two.url))
        moved = run(tmp_path, write(tmp_path, two.url, more=f"{PRICE}, revision: ''"))
        assert moved.summary["cells"]["done"] == 1 and two.bodies == []


def test_the_cap_is_that_of_all_runs_of_a_sweep(tmp_path: Path) -> None:
    with serving(Server()) as server:
        file = write(tmp_path, server.url, budget=40)
        for _ in range(2):
            capped = run(tmp_path, file, max_cost=1.0)
            assert capped.summary["cells"]["failed"] == 1
            assert any("paid by this sweep, in all its runs" in reason for reason in capped.failures)
            assert 0.5 < server.billed(100, 400) <= 1.0
            assert capped.summary["account"]["usd"] == pytest.approx(server.billed(100, 400))
        other = write(tmp_path, server.url, name="other", budget=40)
        both = run(tmp_path, other, max_cost=5.0, max_cost_workspace=1.5)
        assert any("--max-cost-workspace" in reason for reason in both.failures)
        assert 1.0 < server.billed(100, 400) <= 1.5

        # What is under way, and what a process that died leaves, is in the status.
        ledger = Ledger(tmp_path / "workspace" / "ledger.sqlite")
        ledger.account = plan(tmp_path, file).account
        ledger.claim("0" * 64, 0.25)
        report = plan(tmp_path, file).status()
        assert (report["llm"]["usd_reserved"], report["llm"]["calls_under_way"]) == (0.25, 1)
        assert report["llm"]["workspace"]["usd"] == pytest.approx(server.billed(100, 400))
        console = Console(width=300)
        with console.capture() as text:
            console.print(render_status(report))
        assert "0.25 reserved for 1 under way" in text.get()
        ledger.close()
        assert plan(tmp_path, file).status()["llm"]["usd_unconfirmed"] == 0.25


@pytest.mark.slow
def test_two_sweeps_at_once_never_ask_the_same(tmp_path: Path) -> None:
    with serving(Server(latency=0.3)) as server:
        files = [write(tmp_path, server.url, name=name, budget=budget) for name, budget in (("a", 30), ("b", 20))]
        command = [sys.executable, "-m", "harness", "sweep"]
        where = ["--workspace", str(tmp_path / "workspace"), "--results", str(tmp_path / "results"), "--json"]
        caps = ["--max-cost", "5", "--max-cost-workspace", "6"]
        running = [
            subprocess.Popen(
                [*command, str(file), *where, *caps], cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True
            )
            for file in files
        ]
        ended = [json.loads(process.communicate()[0]) for process in running]
    assert [one["cells"]["done"] for one in ended] == [1, 1]
    assert len(server.answered) == sum(server.answered.values()) == sum(one["llm"]["calls"] for one in ended) <= 50
    assert sum(one["llm"]["usd"] for one in ended) == pytest.approx(server.billed(100, 400))

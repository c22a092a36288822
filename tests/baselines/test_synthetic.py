"""Written queries: asked of a real HTTP server, cleaned, filtered, paid once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from baselines.query_writing.syntriever_stages import SyntrieverStagesSettings
from harness.collections.pool import read_pool
from harness.errors import UserError
from harness.labelling.labels.label_files import read_rankings
from harness.pipeline.graph import closure
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import read_card
from harness.teachers.writing import read_query, written_query
from harness.training.train_stages import TrainRetriever
from harness.training_lists.training_list import read_lists
from tests.baselines.small import NAMES, Swept
from tests.llm.openai_server import Server, serving

pytestmark = pytest.mark.models

LOST = "Ken"
"""Of whom the server writes a query that leads elsewhere."""
TEST_QUERY = "Leslie"
"""Of whom it writes a query of the test split, in other case."""


@dataclass
class Writer(Server):
    """Writes a passage's last words as its query."""

    held: str = ""

    async def _respond(self, request: web.Request, body: dict[str, Any], fault: str) -> web.StreamResponse:
        if not body["messages"][-1]["content"].startswith("Passage: "):
            # Asked for an order, it gives one as any server does.
            self.answer = None
            return await super()._respond(request, body, fault)
        words = body["messages"][-1]["content"].split("\n\n")[0].removeprefix("Passage: ").split()
        own = {LOST: "Ada works", TEST_QUERY: self.held.upper()}.get(words[0], " ".join(words))
        self.answer = f'Query: "{own}"\nI hope that this helps.'
        return await super()._respond(request, body, fault)


def test_written_queries_are_read_without_decoration() -> None:
    assert written_query('\n**Query:** "who made jazz"\nBye') == "who made jazz"
    assert written_query("Search query: graph search") == "graph search"
    assert written_query("C++: what is it") == "C++: what is it"
    assert written_query(" \n --- ") == ""


def test_what_is_no_whole_query_has_failed() -> None:
    assert read_query("music and", True).reasons == ("truncated",)
    assert read_query("music and more\nThis", True).verdict == "ok"
    assert read_query("...", False).reasons == ("empty",)


def test_queries_are_written_filtered_and_paid_once(
    all_methods: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    collection = all_methods.cells[0].inputs.collection
    held = collection.queries("test").slice_texts(0, 1)[0]
    file, workspace = all_methods.home / "sweep.yaml", all_methods.home / "workspace"
    with serving(Writer(held=held)) as server:
        teacher = (
            f'{{kind: litellm, model: openai/gpt-4.1-mini, api_base: "{server.url}", price: {{input: 1, output: 4}}}}'
        )
        overrides = [
            f"teachers={{gpt: {teacher}}}",
            "methods=[{method: synthetic-queries, epochs: 1, within: [1, null]}]",
        ]
        outcome = Workspace(workspace).plan(file, overrides).run(tmp_path / "results", observer=NullObserver())
        assert outcome.summary["cells"] == {"total": 2, "done": 2, "failed": 0, "cached": 0}
        assert len(server.bodies) == len(NAMES) == outcome.summary["llm"]["calls"]
    store, cells = Workspace(workspace).store, Workspace(workspace).plan(file, overrides).cells
    made = [{stage.kind: stage for stage in closure([cell.run]).values()} for cell in cells]
    rankings = read_rankings(store.read(made[0]["query-labels"]) / "rankings.jsonl.gz")
    assert {ranking.query for ranking in rankings} == {f"written:{id}" for id in collection.corpus.ids}
    pool = {query.id: query for query in read_pool(store.read(made[0]["written-queries"]))}
    texts = dict(zip(collection.corpus.ids, collection.corpus.texts(list(collection.corpus.ids)), strict=True))
    named = {text.split()[0]: f"written:{id}" for id, text in texts.items()}
    assert named[TEST_QUERY] not in pool and len(pool) == len(NAMES) - 1
    assert pool[named["Ada"]].text == texts["d0"] and pool[named["Ada"]].gold == {"d0": 1}
    strict, lenient = (
        {one.query: one for one in read_lists(store.read(stages["consistent-lists"]))} for stages in made
    )
    assert set(lenient) == set(pool) and named[LOST] not in strict and len(strict) >= 8
    assert all(one.positives == one.documents[:1] == (one.query.removeprefix("written:"),) for one in lenient.values())
    card = read_card(outcome.published[0])
    assert card.costs.calls == len(NAMES) and card.costs.usd_standalone > 0 and card.budget == 8


def test_written_queries_serve_other_methods_too(
    all_methods: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    file, workspace = all_methods.home / "sweep.yaml", tmp_path / "workspace"
    with serving(Writer(held="nobody works here")) as server:
        teacher = (
            f'{{kind: litellm, model: openai/gpt-4.1-mini, api_base: "{server.url}", price: {{input: 1, output: 4}}}}'
        )
        overrides = [
            f"teachers.gpt={teacher}",
            "methods=[{method: gpl, epochs: 1}, {method: syntriever-stages, epochs: 1, top: 3}]",
        ]
        outcome = Workspace(workspace).plan(file, overrides).run(tmp_path / "results", observer=NullObserver())
        assert outcome.summary["cells"] == {"total": 2, "done": 2, "failed": 0, "cached": 0}, outcome.failures
        # Eight written queries of the second method are among the twelve of the first; eight lists are ordered.
        assert len(server.bodies) == len(NAMES) + 8 == outcome.summary["llm"]["calls"]
    made = Swept(
        all_methods.home, outcome, Workspace(workspace).plan(file, overrides).cells, Workspace(workspace).store
    )
    scored = read_lists(made.made("gpl", "scored-lists"))
    assert len(scored) == len(read_lists(made.made("gpl", "consistent-lists"))) >= 10
    assert all(one.scores is not None and one.positives == one.documents[:1] for one in scored)
    second = made.cell("syntriever-stages").cell
    trained = [
        stage for stage in closure([made.cell("syntriever-stages").run]).values() if isinstance(stage, TrainRetriever)
    ]
    (last,) = [stage for stage in trained if stage.lists.kind == "pair-lists"]
    (first,) = [stage for stage in trained if stage.lists.kind == "consistent-lists"]
    assert isinstance(last.start, TrainRetriever) and last.start.key == first.key
    cards = {card.method.name: card for card in map(read_card, outcome.published)}
    assert cards["gpl"].costs.calls == len(NAMES) and cards["syntriever-stages"].costs.calls == 16
    assert second.method.sees == ("order", "text") and cards["gpl"].method.sees == ("text",)


def test_stage_two_needs_one_encoder() -> None:
    with pytest.raises(ValueError, match="frozen_documents"):
        SyntrieverStagesSettings(frozen_documents=True)


def test_a_teacher_without_words_is_refused(all_methods: Swept, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of the defined teachers gives text"):
        Workspace(tmp_path / "w").plan(all_methods.home / "sweep.yaml", ["methods=[synthetic-queries]"]).run(
            tmp_path / "r", observer=NullObserver()
        )

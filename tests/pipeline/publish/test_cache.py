"""A remembered folder is one whose cell and card file are the same as before."""

from __future__ import annotations

from pathlib import Path

from harness.pipeline.publish.cache import PublishedCache
from harness.published.card import Card, Data, MethodSection, ResearchGoal
from harness.published.card_collection import TestCollection
from harness.published.result_folder import CARD


def card(budget: int) -> Card:
    return Card(
        tag="direct-1",
        research_goal=ResearchGoal(sweep="budget.yaml"),
        method=MethodSection(name="direct", category="baseline", sees=("order",)),
        data=Data(test_collection=TestCollection(name="toy", split="test", content_hash="0" * 64)),
        budget=budget,
    )


def test_only_the_same_cell_behind_the_same_card_file_is_known(tmp_path: Path) -> None:
    file, folder = tmp_path / "cache" / "published.json", tmp_path / "run"
    folder.mkdir()
    (folder / CARD).write_text("a card")
    remembered = PublishedCache(file)
    assert not remembered.holds(folder, card(10))
    remembered.note(folder, card(10))
    remembered.save()
    again = PublishedCache(file)
    assert again.holds(folder, card(10)) and not again.holds(folder, card(20))
    (folder / CARD).write_text("another card")
    assert not again.holds(folder, card(10))
    (folder / CARD).unlink()
    assert not again.holds(folder, card(10))


def test_another_trace_is_another_result(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text("a card")
    cache = PublishedCache(tmp_path / "published.json")
    cache.note(tmp_path, card(10), {"trace.json": b"one"})
    assert cache.holds(tmp_path, card(10), {"trace.json": b"one"})
    assert not cache.holds(tmp_path, card(10), {"trace.json": b"two"}) and not cache.holds(tmp_path, card(10))


def test_a_file_that_cannot_be_read_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "published.json"
    file.write_text("{half")
    assert not PublishedCache(file).holds(tmp_path, card(10))

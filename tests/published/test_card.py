"""Cards of every version are read; what they say is written in one form, and saying the same is no reason to write
again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from harness.files import sha256
from harness.pipeline.publish.cache import PublishedCache
from harness.published.card import Card
from harness.published.card_costs import Costs
from harness.published.result_folder import card_text, publish, read_card, run_folders
from tests.leaderboard.runs import make_card, make_run, put, teacher

RESULTS = Path(__file__).parents[2] / "results"
FORMER = {
    "category": "group",
    "type": "standing",
    "usd_standalone": "usd_alone",
    "usd_incurred": "usd_here",
    "seconds_standalone": "seconds_alone",
    "durations_standalone": "durations_alone",
}


def in_version_1(value: Any) -> Any:
    """A card as plain data under the keys of version 1."""
    if not isinstance(value, dict):
        return value
    return {FORMER.get(key, key): 1 if key == "card-version" else in_version_1(part) for key, part in value.items()}


def test_a_card_is_written_in_version_2_and_read_in_both() -> None:
    costs = Costs(usd_standalone=0.5, usd_incurred=0.25, seconds_standalone=3.0)
    card = make_card(
        "a", category="ours", teacher=teacher(teacher_type="oracle"), costs=costs, durations_standalone={"labels": 2.0}
    )
    written = yaml.safe_load(card_text(card))
    assert (
        written["card-version"] == 2
        and written["method"]["category"] == "ours"
        and written["teacher"]["type"] == "oracle"
    )
    assert {key: written["costs"][key] for key in ("usd_standalone", "usd_incurred", "seconds_standalone")} == {
        "usd_standalone": 0.5,
        "usd_incurred": 0.25,
        "seconds_standalone": 3.0,
    }
    assert written["durations_standalone"] == {"labels": 2.0}
    old = in_version_1(written)
    assert old["card-version"] == 1 and old["method"]["group"] == "ours" and old["costs"]["usd_alone"] == 0.5
    assert Card.model_validate(written) == Card.model_validate(old) == card
    assert card_text(Card.model_validate(old)) == card_text(card)


def test_a_card_that_says_a_thing_twice_is_refused() -> None:
    written = yaml.safe_load(card_text(make_card("a")))
    written["costs"]["usd_alone"] = 7.0
    with pytest.raises(ValidationError, match="usd_alone"):
        Card.model_validate(written)


def test_publishing_again_what_version_1_cards_say_writes_nothing(tmp_path: Path) -> None:
    folders = list(run_folders(RESULTS))
    assert len(folders) >= 49
    cache = PublishedCache(tmp_path / "cache.json")
    for folder in folders:
        copy = tmp_path / folder.name
        shutil.copytree(folder, copy)
        before = {file.name: (sha256(file), file.stat().st_mtime_ns) for file in copy.iterdir()}
        # What a sweep of today builds: the same card by its present names, without an outcome.
        fresh = Card.model_validate(yaml.safe_load(card_text(read_card(folder).model_copy(update={"outcome": None}))))
        assert publish(copy, fresh, copy / "run.trec.gz", copy / "metrics.parquet") is False
        assert {file.name: (sha256(file), file.stat().st_mtime_ns) for file in copy.iterdir()} == before
        cache.note(copy, fresh)
        assert cache.holds(copy, fresh) and cache.holds(copy, read_card(copy))


def test_what_is_new_about_a_collection_is_absent_where_it_says_nothing() -> None:
    about = yaml.safe_load(card_text(make_card("a")))["data"]
    assert set(about) == {"test collection", "training data"}
    assert set(about["test collection"]) == {"name", "split", "content hash", "source"}
    later = make_card("a", content_hash="01" * 32, former_content_hash="ab" * 32, drop_identical=True)
    written = yaml.safe_load(card_text(later))["data"]["test collection"]
    assert written["former content hash"] == "ab" * 32 and written["drop identical"] is True
    assert Card.model_validate(yaml.safe_load(card_text(later))) == later


def test_another_hash_of_one_content_is_the_same_cell_and_written_once(tmp_path: Path) -> None:
    earlier, today = make_card("a"), make_card("a", content_hash="01" * 32, former_content_hash="ab" * 32)
    put(tmp_path, earlier, make_run(0.5))
    assert today.identity() == earlier.identity() and today.tells > earlier.tells
    assert make_card("a", drop_identical=True).identity() != earlier.identity()
    folder = put(tmp_path, today.model_copy(update={"created": earlier.created.replace(year=2030)}), make_run(0.5))
    card = read_card(folder)
    assert card.collection.content_hash == "01" * 32 and card.created == earlier.created
    put(tmp_path, earlier, make_run(0.5))
    assert read_card(folder) == card, "a card that tells less takes nothing away"


def test_what_is_known_to_be_nothing_is_no_gap() -> None:
    known, unknown = (make_card("x").model_copy(update={"shared_queries": one}) for one in (0.0, None))
    assert known.model_dump(mode="json")["shared_queries"] == 0.0
    assert "shared_queries" not in unknown.model_dump(mode="json")

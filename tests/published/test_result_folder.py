"""Published folders: what is written is what is read, complete or not at all; strangers' folders do no harm."""

from __future__ import annotations

import gzip
import math
import os
import pickle
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.errors import UserError, UserErrors
from harness.evaluation.metrics.lookup import evaluate, mean
from harness.leaderboard.board import load_board
from harness.published.card import Card
from harness.published.card_costs import Costs, Verdicts
from harness.published.environment import implementation, platform
from harness.published.result_folder import card_text, publish, read_card, read_folder, read_results, run_folder, slug
from harness.published.safe_yaml import load
from harness.retrieval.run import Run
from tests.leaderboard.runs import METRICS, QRELS, QUERIES, make_card, make_run, put, teacher

FULL = make_card(
    "ours-300-r1-s0",
    "intermediate",
    category="ours",
    budget=300,
    resample=1,
    seed=0,
    teacher=teacher(
        model="bundled:smollm2-135m", settings={"prompt": "Passage: {x}", "temperature": 2e-05, "top": None}
    ),
    ranker_loss="listmle",
    settings={"ranker_loss": {"name": "listmle"}, "lr": 1e-05, "text": "true", "none": None},
    labels=Verdicts(ok=280, failed=20, reasons={"empty answer": 20}),
    platform=platform(),
    implementation=implementation("harness sweep configs/budget.yaml"),
    durations={"labels": 12.5},
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_published_is_read_again(tmp_path: Path) -> None:
    run = make_run(0.5, missing=3)
    folder = put(tmp_path, FULL, run)
    assert folder == tmp_path / "semanlink" / "ours-300-r1-s0"
    assert names(folder) == ["card.yaml", "metrics.parquet", "run.trec.gz"]
    found = read_folder(folder)
    assert found.card.model_copy(update={"outcome": None}) == FULL
    assert found.card.outcome is not None
    assert (found.card.outcome.queries, found.card.outcome.missing) == (60, 3)
    assert found.scores == evaluate(run.scores, QRELS, METRICS)
    assert found.card.outcome.metrics == {name: mean(values) for name, values in found.scores.items()}
    published = Run.read(folder / "run.trec.gz")
    assert published.name == "ours-300-r1-s0"
    assert published.scores.keys() == run.scores.keys()


def test_the_card_has_the_sections_of_ir_metadata(tmp_path: Path) -> None:
    card = yaml.safe_load((put(tmp_path, FULL, make_run(0.5)) / "card.yaml").read_text(encoding="utf-8"))
    assert list(card)[:10] == [
        "schema-version", "card-version", "tag", "created", "platform", "research goal", "implementation", "method",
        "actor", "data",
    ]  # fmt: skip
    assert card["method"]["score ties"] == "score descending, then document id descending"
    assert card["data"]["test collection"]["name"] == "semanlink"
    assert card["platform"]["hardware"]["cpu"]["number of cores"] == os.cpu_count()
    assert card["research goal"]["evaluation"]["reported measures"] == list(METRICS)


def test_publishing_the_same_cell_again_keeps_what_is_there(tmp_path: Path) -> None:
    folder = put(tmp_path, FULL, make_run(0.5))
    before = (folder / "card.yaml").stat().st_mtime_ns
    later = FULL.model_copy(update={"created": datetime(2027, 1, 1, tzinfo=UTC), "costs": Costs(usd_incurred=0.0)})
    assert publish(folder, later, tmp_path / "run.trec.gz", tmp_path / "metrics.parquet") is False
    assert (folder / "card.yaml").stat().st_mtime_ns == before


def test_another_result_replaces_what_is_there(tmp_path: Path) -> None:
    put(tmp_path, FULL, make_run(0.5))
    folder = put(tmp_path, FULL.model_copy(update={"stages": {"run": "f" * 64}}), make_run(0.9))
    assert read_folder(folder).scores == evaluate(make_run(0.9).scores, QRELS, METRICS)
    assert names(folder.parent) == ["ours-300-r1-s0"]


def test_a_failure_while_publishing_leaves_the_old_result_and_nothing_else(tmp_path: Path) -> None:
    folder = put(tmp_path, FULL, make_run(0.5))
    before = (folder / "card.yaml").read_bytes()
    changed = FULL.model_copy(update={"stages": {"run": "f" * 64}})
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="no Parquet file"):
        publish(folder, changed, tmp_path / "run.trec.gz", broken)
    assert (folder / "card.yaml").read_bytes() == before
    assert names(folder.parent) == [folder.name]


def test_folder_names_are_safe(tmp_path: Path) -> None:
    assert slug("beir/scifact") == "beir-scifact"
    assert slug("../../etc") == "etc"
    assert slug("...") == "unnamed"
    assert run_folder(tmp_path, make_card("a", collection="../../x")) == tmp_path / "x" / "a"
    with pytest.raises(ValidationError):
        make_card("../evil")


@pytest.mark.parametrize(
    "bad", [{"budget": -1}, {"budgets": 3}, {"costs": {"usd_standalone": math.inf}}, {"created": datetime(2026, 1, 1)}]
)
def test_cards_refuse_unknown_keys_and_impossible_numbers(bad: dict) -> None:
    with pytest.raises(ValidationError):
        Card(**(FULL.model_dump() | bad))


plain_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@example({"\x85": "\x85\u2028\ufeff\n\t é"})
@given(st.dictionaries(st.text(max_size=8), plain_data, max_size=4))
def test_any_settings_survive_the_way_through_yaml(given_settings: dict) -> None:
    text = card_text(make_card("a", settings=given_settings))
    assert Card.model_validate(load(text)).method.settings == given_settings
    assert load(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("- " * 50_000, "nested too deeply"),
        ("a: &x [1]\nb: [*x, *x]", "line 1: anchors"),
        ("!!python/object/apply:os.system ['true']", "nested too deeply, or tagged"),
        ("a: !!binary aGk=", "tags are not allowed"),
        ("a: 1\na: 2", "line 2: a key"),
        ("? [1]\n: 2", "a key is no text"),
        ("a: [", "line 2"),
        ("a: " + "9" * 5000, "digits"),
        ("a: 1\n---\nb: 2", "second document"),
        ("a: \x00", "control characters"),
    ],
)
def test_hostile_yaml_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load(text)


def _as_pickle(folder: Path) -> None:
    (folder / "metrics.parquet").write_bytes(pickle.dumps({"a": 1}))


def _card_from_elsewhere(folder: Path) -> None:
    shutil.move(folder / "card.yaml", folder.parent.parent / "card.yaml")
    (folder / "card.yaml").symlink_to(folder.parent.parent / "card.yaml")


def _huge_card(folder: Path) -> None:
    with (folder / "card.yaml").open("wb") as stream:
        stream.truncate(3 << 30)


def _huge_metrics(folder: Path) -> None:
    with (folder / "metrics.parquet").open("wb") as stream:
        stream.truncate(3 << 30)


def _nan(folder: Path) -> None:
    pq.write_table(pa.table({"query": ["q"], "metric": ["AP"], "value": [math.nan]}), folder / "metrics.parquet")


def _other_columns(folder: Path) -> None:
    pq.write_table(pa.table({"query": ["q"], "score": [1.0]}), folder / "metrics.parquet")


def _twice(folder: Path) -> None:
    pq.write_table(
        pa.table({"query": ["q", "q"], "metric": ["AP", "AP"], "value": [0.1, 0.2]}), folder / "metrics.parquet"
    )


def _no_values(folder: Path) -> None:
    schema = pa.schema([("query", pa.string()), ("metric", pa.string()), ("value", pa.float64())])
    pq.write_table(schema.empty_table(), folder / "metrics.parquet")


def _renamed(folder: Path) -> None:
    folder.rename(folder.with_name("somebody-else"))


def _newer_version(folder: Path) -> None:
    text = (folder / "card.yaml").read_text(encoding="utf-8")
    (folder / "card.yaml").write_text(text.replace("card-version: 2", "card-version: 3"), encoding="utf-8")


def _binary_card(folder: Path) -> None:
    (folder / "card.yaml").write_bytes(b"\xff\xfe\x00")


def _list_card(folder: Path) -> None:
    (folder / "card.yaml").write_text("- 1\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_as_pickle, "no Parquet file"),
        (_card_from_elsewhere, "no ordinary file"),
        (_huge_card, "larger than"),
        (_huge_metrics, "larger than"),
        (_nan, "no finite number"),
        (_other_columns, "has columns query, score"),
        (_twice, "two values"),
        (_no_values, "no metrics"),
        (_renamed, "the card is that of 'bad'"),
        (_newer_version, "card-version"),
        (_binary_card, "cannot be read"),
        (_list_card, "the card: must be a mapping (key: value), not a list"),
        (shutil.rmtree, None),
    ],
)
def test_a_bad_folder_is_skipped_with_a_reason_and_hides_nobody(tmp_path: Path, harm: object, said: str | None) -> None:
    put(tmp_path, make_card("good"), make_run(0.5))
    harm(put(tmp_path, make_card("bad"), make_run(0.5)))
    found, skipped = read_results(tmp_path)
    assert [run.card.tag for run in found] == ["good"]
    assert len(load_board(tmp_path).tables[0].rows) == 1
    if said is not None:
        assert len(skipped) == 1
        assert said in skipped[0].reason


def test_links_and_hidden_folders_are_not_followed(tmp_path: Path) -> None:
    folder = put(tmp_path / "elsewhere", make_card("good"), make_run(0.5))
    results = tmp_path / "results"
    (results / "semanlink").mkdir(parents=True)
    (results / "semanlink" / "good").symlink_to(folder)
    (results / "linked").symlink_to(folder.parent)
    shutil.copytree(folder, results / "semanlink" / ".good.new-abc")
    assert read_results(results) == ([], [])


def test_read_card_names_the_place_of_an_error(tmp_path: Path) -> None:
    folder = put(tmp_path, FULL, make_run(0.5))
    text = (folder / "card.yaml").read_text(encoding="utf-8")
    (folder / "card.yaml").write_text(text.replace("usd_standalone: 0.25", "usd_standalone: -1"), encoding="utf-8")
    with pytest.raises(UserError) as refused:
        read_card(folder)
    assert refused.value.key == "costs.usd_standalone"
    assert "card.yaml" in str(refused.value)


def test_the_run_file_is_deterministic_and_gzip(tmp_path: Path) -> None:
    first = put(tmp_path / "a", FULL, make_run(0.5)) / "run.trec.gz"
    second = put(tmp_path / "b", FULL, make_run(0.5)) / "run.trec.gz"
    assert first.read_bytes() == second.read_bytes()
    line = gzip.decompress(first.read_bytes()).decode().splitlines()[0].split()
    assert (line[0], line[1], line[5]) == (QUERIES[0], "Q0", "ours-300-r1-s0")


def test_a_malformed_card_tells_every_fault(tmp_path: Path) -> None:
    folder = put(tmp_path, make_card("bad"), make_run(0.5))
    card = yaml.safe_load((folder / "card.yaml").read_text())
    card["tag"], card["data"]["test collection"]["name"], card["surplus\x1b"] = "../x", 3, 1
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(UserErrors) as caught:
        read_card(folder)
    assert {fault.key for fault in caught.value.parts} == {
        "tag",
        "data.test collection.name",
        "surplus\N{REPLACEMENT CHARACTER}",
    }
    assert "\x1b" not in str(caught.value)

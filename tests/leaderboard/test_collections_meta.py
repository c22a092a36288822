"""Methods over collections: the boards' own numbers, combined by their variances."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import UserError
from harness.evaluation.metrics.lookup import evaluate
from harness.evaluation.significance.meta_analysis import combine
from harness.leaderboard.board import load_board
from harness.leaderboard.collections_meta import Meta, meta_of
from harness.leaderboard.load_results import load_results
from tests.leaderboard.runs import QRELS, make_card, make_run, put

QUALITY = {"cranfield": 0.3, "scifact": 0.9, "semanlink": 0.5}
REPEATS = 3


def put_collections(folder: Path) -> None:
    """A baseline, a method with three resamples, and one that stands on one collection only."""
    for place, (name, quality) in enumerate(QUALITY.items()):
        content = f"{place:02x}" * 32
        put(folder, make_card(f"zero-{name}", collection=name, content_hash=content), make_run(0.2, place))
        for resample in range(REPEATS):
            card = make_card(
                f"ours-{name}-{resample}",
                "ours",
                collection=name,
                content_hash=content,
                resample=resample,
                seed=0,
                budget=100,
            )
            put(folder, card, make_run(quality, 100 * place + resample + 7))
    put(folder, make_card("lone", "lonely", collection="scifact", content_hash="01" * 32), make_run(0.4, 77))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("meta") / "results"
    put_collections(found)
    return found


@pytest.fixture(scope="module")
def meta(folder: Path) -> Meta:
    return meta_of(load_results(folder))


def scores(place: int, quality: float, metric: str = "nDCG@10") -> np.ndarray:
    """Values (queries, resamples) of the method."""
    runs = [
        evaluate(make_run(quality, 100 * place + resample + 7).scores, QRELS, [metric])[metric]
        for resample in range(REPEATS)
    ]
    return np.array([[run[query] for run in runs] for query in sorted(QRELS)])


def test_the_effects_are_those_of_the_boards(folder: Path, meta: Meta) -> None:
    (ours,) = meta.methods
    tables = {table.collection: table for table in load_board(folder).tables}
    assert [part.row.collection for part in ours.parts] == sorted(QUALITY)
    for part in ours.parts:
        row = next(row for row in tables[part.row.collection].rows if row.method == "ours")
        assert (part.against, part.row.metrics, part.row.flags) == (row.against, row.metrics, row.flags)
        assert part.baseline.method == "zero-shot"
        assert part.queries == 60


def test_they_are_weighed_by_queries_and_runs(meta: Meta) -> None:
    """The variance computed again from the runs: of the averaged differences over queries, and of the runs' means over
    resamples."""
    variances, effects = [], []
    for place, quality in enumerate(QUALITY.values()):
        ours = scores(place, quality)
        zero = evaluate(make_run(0.2, place).scores, QRELS, ["nDCG@10"])["nDCG@10"]
        differences = ours.mean(axis=1) - np.array([zero[query] for query in sorted(QRELS)])
        noise = (
            (ours - ours.mean(axis=1, keepdims=True) - ours.mean(axis=0) + ours.mean()).var(ddof=0)
            * ours.size
            / (59 * 2)
        )
        between = max(noise / 60, ours.mean(axis=0).var(ddof=1))
        variances.append(differences.var(ddof=1) / 60 + between / REPEATS)
        effects.append(differences.mean())
    (found,) = meta.methods
    assert [part.variance for part in found.parts] == pytest.approx(variances, rel=1e-9)
    expected = combine(np.array(effects), np.array(variances))
    assert found.combined.effect == pytest.approx(expected.effect, rel=1e-9)
    assert found.combined.interval == pytest.approx(expected.interval, rel=1e-9)
    assert found.weights == pytest.approx(expected.weights, rel=1e-9)
    assert found.p_adjusted == pytest.approx(expected.p)
    assert abs(found.combined.effect - np.mean(effects)) > 1e-6


def test_what_stands_alone_is_told_apart_and_named_it_is_shown(folder: Path, meta: Meta) -> None:
    *unknown, alone = meta.notes
    assert alone == "1 configuration on one collection only, left out; named they are shown"
    assert [note.split(": how many")[0] for note in unknown] == [f"{name} (test)" for name in sorted(QUALITY)]
    assert meta.family.startswith("1 method against zero-shot on nDCG@10: random effects over collections")
    named = meta_of(load_results(folder), ["lonely"])
    assert [(one.name, one.combined, one.verdict, one.weights) for one in named.methods] == [
        ("lonely", None, "", [None])
    ]


def test_p_of_several_methods_is_adjusted_over_them(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for place, name in enumerate(QUALITY):
        card = make_card(f"other-{name}", "other", collection=name, content_hash=f"{place:02x}" * 32)
        put(tmp_path, card, make_run(0.25, 50 + place))
    both = meta_of(load_results(tmp_path))
    raw = sorted(one.combined.p for one in both.methods)
    assert sorted(one.p_adjusted for one in both.methods) == pytest.approx(
        [min(1, 2 * raw[0]), max(2 * raw[0], raw[1])]
    )
    assert both.methods[0].combined.effect >= both.methods[1].combined.effect


def test_a_method_that_is_the_baseline_has_no_weight(tmp_path: Path) -> None:
    for place, name in enumerate(QUALITY):
        content = f"{place:02x}" * 32
        put(tmp_path, make_card(f"zero-{name}", collection=name, content_hash=content), make_run(0.2, place))
        put(
            tmp_path,
            make_card(f"copy-{name}", "copy", collection=name, content_hash=content),
            make_run(0.2 + 0.3 * (place > 0), place),
        )
    (found,) = meta_of(load_results(tmp_path)).methods
    assert [weight is None for weight in found.weights] == [True, False, False]
    assert sum(weight for weight in found.weights if weight) == pytest.approx(1)


def test_one_collection_never_counts_twice(tmp_path: Path) -> None:
    for place, content in enumerate(("ab" * 32, "cd" * 32)):
        put(tmp_path, make_card(f"zero-{place}", content_hash=content), make_run(0.2, 1))
        put(tmp_path, make_card(f"ours-{place}", "ours", content_hash=content), make_run(0.5, 2))
    with pytest.raises(
        UserError, match=r"'semanlink' would count as several collections \(test abababab, test cdcdcdcd\)"
    ):
        meta_of(load_results(tmp_path))


def test_collections_without_the_metric_or_the_baseline_are_named(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    put(tmp_path, make_card("bare", "ours", collection="vaswani", content_hash="aa" * 32), make_run(0.5))
    put(tmp_path, make_card("other", collection="openqa", content_hash="bb" * 32), make_run(0.5), metrics=("R@100",))
    notes = meta_of(load_results(tmp_path)).notes
    assert "vaswani (test): no row of the baseline 'zero-shot', left out" in notes
    assert "openqa (test): not evaluated by nDCG@10, left out" in notes
    with pytest.raises(UserError, match=r"no row of method 'our'.*\n.*'ours'"):
        meta_of(load_results(tmp_path), ["our"])
    with pytest.raises(UserError, match="no run was evaluated by AP"):
        meta_of(load_results(tmp_path), metric="AP")
    with pytest.raises(UserError, match="no published runs"):
        meta_of(load_results(tmp_path / "nowhere"))


def test_the_command_says_it_in_words_and_as_json(folder: Path) -> None:
    words = ["meta", "ours", "--results", str(folder), "--baseline", "zero-shot", "-m", "nDCG@10"]
    told = CliRunner().invoke(app, words, env={"COLUMNS": "110"})
    assert told.exit_code == 0, told.output
    for part in (
        "scifact",
        "all together",
        "between collections: tau",
        "on another collection: [",
        "ours · 100 labels",
        "Holm over all 1",
    ):
        assert part in told.output
    found = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    (method,) = found["methods"]
    assert {"name", "combined", "p_adjusted", "verdict", "collections"} <= method.keys()
    assert {"effect", "interval", "p", "deviation", "i2", "prediction", "weights"} <= method["combined"].keys()
    keys = {
        "collection",
        "queries",
        "runs",
        "baseline",
        "difference",
        "interval",
        "p_adjusted",
        "standard_error",
        "weight",
        "flags",
    }
    assert keys <= method["collections"][0].keys()


def test_on_these_collections_is_their_plain_mean_with_its_own_degrees(meta: Meta) -> None:
    (found,) = meta.methods
    effects = [part.against.difference for part in found.parts]
    variances = np.array([part.variance for part in found.parts])
    assert found.on_these.difference == pytest.approx(np.mean(effects))
    assert found.on_these.error == pytest.approx(np.sqrt(variances.sum()) / 3)
    freedom = variances.sum() ** 2 / sum(part.variance**2 / part.difference.freedom for part in found.parts)
    expected = t.interval(0.95, freedom, np.mean(effects), np.sqrt(variances.sum()) / 3)
    assert found.on_these.interval() == pytest.approx(expected)
    assert found.on_these.interval().low > found.combined.interval.low
    told = meta.as_json()["methods"][0]["on_these_collections"]
    assert told == {
        "effect": found.on_these.difference,
        "standard_error": found.on_these.error,
        "interval": found.on_these.interval(),
        "p": found.on_these.p(),
    }


def test_methods_whose_settings_a_collection_needs_otherwise_are_combined_by_what_is_the_same(tmp_path: Path) -> None:
    for place, name in enumerate(QUALITY):
        content = f"{place:02x}" * 32
        put(tmp_path, make_card(f"zero-{name}", collection=name, content_hash=content), make_run(0.2, place))
        card = make_card(f"own-{name}", "own", collection=name, content_hash=content, settings={"depth": 5 + place})
        put(tmp_path, card, make_run(0.5, place + 9))
    assert meta_of(load_results(tmp_path)).methods == ()
    (found,) = meta_of(load_results(tmp_path), same=["method"]).methods
    assert (len(found.parts), found.combined is not None) == (3, True)
    assert found.differing == ("depth: 5, 6, 7",)
    with pytest.raises(UserError, match="'methods' is nothing to go by"):
        meta_of(load_results(tmp_path), same=["methods"])

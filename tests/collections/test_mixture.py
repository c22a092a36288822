"""One mixture of sources at every budget: proportion, nesting, exhaustion, what resamples share."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collections.crops import TrainingQuery
from harness.collections.pool import Pool, shares_of, training_pool
from harness.collections.sample import (
    draw_queries,
    drawn_counts,
    largest_mixed,
    order_queries,
    shared_part,
    source_sequence,
)
from harness.errors import UserError
from tests.collections.folders import Load, MakeFolder

SHARES = (("train", 0.12), ("sentences", 0.88))


def rows(**counts: int) -> list[TrainingQuery]:
    return [TrainingQuery(f"{source}-{n}", "x", source, {}) for source, count in counts.items() for n in range(count)]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_every_beginning_holds_its_share_to_within_one_query(a: int, b: int, c: int, parts: list[int]) -> None:
    shares = tuple((name, part / sum(parts)) for name, part in zip("abc", parts, strict=True))
    counts = {"a": a, "b": b, "c": c}
    sequence = source_sequence(counts, shares)
    most = largest_mixed(counts, shares)

    assert Counter(sequence) == counts
    for size in range(1, most + 1):
        taken = Counter(sequence[:size])
        assert all(abs(taken[name] - share * size) < 1 for name, share in shares)
    if most < a + b + c:
        after = Counter(sequence[: most + 1])
        assert any(counts[name] == after[name] for name in counts), "it ends where a source does"


@given(st.integers(1, 80), st.integers(0, 5))
def test_budgets_are_nested_and_resamples_differ_only_in_which_queries(size: int, resample: int) -> None:
    pool = rows(train=40, sentences=200)
    large = draw_queries(pool, resample, 200, SHARES)

    assert draw_queries(pool, resample, size, SHARES) == large[:size]
    assert len({row.id for row in large}) == 200
    assert [row.source for row in large] == [row.source for row in draw_queries(pool, resample + 1, 200, SHARES)]
    assert order_queries(pool, resample, SHARES)[:200] == large


def test_an_exhausted_source_is_an_error_that_says_how_far_it_lasts() -> None:
    pool = rows(train=6, sentences=500)

    assert len(draw_queries(pool, 0, 54, SHARES)) == 54
    with pytest.raises(
        UserError, match=r"mixture train 0\.12, sentences 0\.88 .*6 from train.*they last for 54"
    ) as error:
        draw_queries(pool, 0, 55, SHARES)
    assert "take budgets up to 54" in str(error.value)
    with pytest.raises(UserError, match="they last for 0"):
        draw_queries(rows(sentences=50), 0, 10, (("train", 0.5), ("sentences", 0.5)))


def test_lists_of_sources_are_drawn_as_before() -> None:
    pool = rows(train=30, titles=50)
    drawn = draw_queries(pool, 1, 60)

    assert [row.source for row in drawn] == ["train"] * 30 + ["titles"] * 30


@pytest.mark.parametrize("shares", [None, (("train", 0.2), ("titles", 0.8))])
def test_the_shared_part_is_what_resamples_have_in_common(shares: tuple[tuple[str, float], ...] | None) -> None:
    pool = rows(train=40, titles=150)
    counts = {"train": 40, "titles": 150}
    drawn = [{row.id for row in draw_queries(pool, resample, 90, shares)} for resample in range(60)]
    seen = np.mean([len(one & other) / 90 for n, one in enumerate(drawn) for other in drawn[:n]])

    assert shared_part(counts, 90, shares) == pytest.approx(seen, abs=0.01)
    assert sum(drawn_counts(counts, 90, shares).values()) == 90


def test_a_mixed_pool_has_another_key_and_the_others_keep_theirs(make_folder: MakeFolder, load: Load) -> None:
    collection = load(make_folder())
    plain, mixed = (training_pool(collection, ("train", "titles"), shares=shares) for shares in (None, SHARES))

    assert type(plain) is Pool and "shares" not in plain.fields() and shares_of(plain) is None
    assert plain.key != mixed.key and shares_of(mixed) == SHARES

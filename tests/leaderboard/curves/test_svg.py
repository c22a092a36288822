"""Names and looks of the series in pictures: short, and never the same for two."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.leaderboard.board import load_board
from harness.leaderboard.curves.series import Chart, ReferenceLevel, chart
from harness.leaderboard.curves.series_style import COLOURS, DASHES, MARKERS, MOST, ink, series_style, series_styles
from harness.leaderboard.curves.short_names import shortened, wrapped
from harness.leaderboard.curves.svg import _spread, draw, svg

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [
    "intermediate, smollm2, listmle, kl, distil_queries=1000",
    "intermediate, smollm2, listmle, kl, distil_queries=none",
    "intermediate, smollm2, ranknet, kl, distil_queries=1000",
    "direct, smollm2, ranknet",
]


@pytest.fixture
def many(results: Path) -> Chart:
    found = chart(load_board(results).tables[0])
    assert found is not None
    one = found.series[0]
    return replace(found, series=tuple(replace(one, name=f"method, setting={number}") for number in range(30)))


def test_no_two_series_look_alike() -> None:
    seen = series_styles(MOST)
    assert len({(one.colour, one.shape, one.filled) for one in seen}) == MOST
    assert [one.colour for one in seen[:8]] == list(COLOURS)
    assert len({one.shape for one in seen[:8]}) == len({one.dash for one in seen[:8]}) == 8
    assert all(one.filled for one in seen[:8])
    assert not any(one.filled for one in seen[8:16])
    for first, second in zip(seen[:8], seen[8:16], strict=True):
        assert first.shape != second.shape
        assert first.dash != second.dash
    assert series_style(MOST) == series_style(0)
    assert set(DASHES) >= {one.dash for one in seen}
    assert set(MARKERS) >= {one.shape for one in seen}


def test_letters_on_a_colour_are_those_of_the_higher_contrast() -> None:
    assert [ink(colour) for colour in ("#000000", "#0072B2", "#ffffff", "#E69F00")] == [
        "#ffffff",
        "#ffffff",
        "#000000",
        "#000000",
    ]


def test_names_lose_what_their_method_shares_and_keep_what_tells_them_apart() -> None:
    assert shortened(NAMES, 60) == NAMES
    assert shortened(NAMES, 51) == [
        "intermediate, listmle, distil_queries=1000",
        "intermediate, listmle, distil_queries=none",
        "intermediate, ranknet, distil_queries=1000",
        "direct, smollm2, ranknet",
    ]
    cut = shortened(NAMES, 30)
    assert all(len(name) <= 30 for name in cut)
    assert [name[-4:] for name in cut] == ["1000", "none", "knet", "knet"]
    assert len(set(cut)) == 4


def test_a_name_too_long_alone_is_cut_in_its_middle() -> None:
    (found,) = shortened(["a" * 50 + "z" * 50], 30)
    assert len(found) == 30
    assert re.fullmatch("a+…z+", found)


@given(st.lists(st.text("ab, ·=1", max_size=40), max_size=8), st.integers(8, 40))
def test_different_names_never_come_out_the_same(names: list[str], longest: int) -> None:
    found = dict(zip(names, shortened(names, longest), strict=True))
    assert all(found[a] != found[b] for a, b in combinations(set(names), 2))


@given(st.text("ab ,·", max_size=60), st.integers(3, 20))
def test_lines_fit_and_lose_no_letter(name: str, width: int) -> None:
    lines = wrapped(name, width)
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")


def test_lines_break_between_parts() -> None:
    assert wrapped("direct · smollm2 · ranknet · 1,000 labels", 30) == ["direct · smollm2 · ranknet ·", "1,000 labels"]


def test_the_figure_draws_every_series_with_its_own_marker_beside_its_name(many: Chart) -> None:
    root = ET.fromstring(svg(many))
    height = float(root.attrib["viewBox"].split()[3])
    markers = [(item.attrib["d"], item.attrib["fill"], item.attrib["stroke"]) for item in root.iter(f"{SVG}path")]
    assert len(set(markers)) == 30
    assert len(markers) == sum(len(one.points) for one in many.series) + 30
    labels = {item.text: float(item.attrib["y"]) for item in root.iter(f"{SVG}text") if float(item.attrib["x"]) > 580}
    assert len(labels) == 30 + len(many.drawn_levels)
    assert all(0 <= y <= height for y in labels.values())
    assert all(lower - upper >= 15.9 for upper, lower in pairwise(sorted(labels.values())))


def test_long_names_stand_differently_at_the_ends_of_lines(many: Chart) -> None:
    drawn = replace(many, series=tuple(replace(one, name=name) for one, name in zip(many.series, NAMES, strict=False)))
    drawn = replace(drawn, levels=(ReferenceLevel("no-llm", many.span[1], ("x",)),))
    texts = [item.text or "" for item in ET.fromstring(svg(drawn)).iter(f"{SVG}text") if float(item.attrib["x"]) > 580]
    assert len({text.rsplit("  ", 1)[0] for text in texts}) == len(NAMES) + 1
    assert sum("distil_queries=none" in text for text in texts) == 1


def test_the_written_figure_leaves_out_what_cannot_be_told_apart(results: Path, tmp_path: Path) -> None:
    draw(load_board(results), tmp_path / "budget.svg")
    assert len(list(ET.parse(tmp_path / "budget.svg").getroot().iter(f"{SVG}polyline"))) == 3


@given(st.lists(st.floats(40, 400), min_size=1, max_size=12).map(sorted))
def test_labels_move_as_little_as_they_can(wanted: list[float]) -> None:
    """No pair of neighbours stands nearer than a line, and no common shift of labels that touch would be nearer to what
    is wanted."""
    found = _spread(wanted, 2000)
    assert all(lower - upper >= 16 - 1e-6 for upper, lower in pairwise(found))
    blocks: list[list[int]] = [[0]]
    for number, (upper, lower) in enumerate(pairwise(found), 1):
        if lower - upper > 16 + 1e-6:
            blocks.append([])
        blocks[-1].append(number)
    for block in blocks:
        if found[block[0]] > 32 + 1e-6:
            assert np.mean([found[n] for n in block]) == pytest.approx(np.mean([wanted[n] for n in block]), abs=1e-6)

"""What series of a picture look like: colour, marker and dash, so that no two of them look alike."""

from __future__ import annotations

from string import ascii_lowercase
from typing import NamedTuple

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6E6E6E", "#8C6BB1")
"""Okabe and Ito's palette, which colour-blind readers can tell apart, with violet for its yellow and grey for its black
(dark pages)."""
DASHES = ((), (7, 3), (2, 3), (9, 3, 2, 3), (4, 2), (12, 4), (1, 3), (6, 2, 2, 2))
MARKERS = {
    "circle": "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
    "square": "M-4,-4h8v8h-8z",
    "triangle-up": "M0,-5l5,9h-10z",
    "diamond": "M0,-5l5,5l-5,5l-5,-5z",
    "triangle-down": "M0,5l5,-9h-10z",
    "cross": "M-5,-1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z",
    "triangle-right": "M5,0l-9,5v-10z",
    "triangle-left": "M-5,0l9,5v-10z",
}
"""Shapes by their names in Vega, as SVG paths around the origin."""
MOST = 2 * len(COLOURS) * len(MARKERS)
"""Series after which looks are repeated."""


class SeriesStyle(NamedTuple):
    """How one series is drawn; an open marker has its colour at the edge only."""

    colour: str
    shape: str
    filled: bool
    dash: tuple[int, ...]


def series_style(number: int) -> SeriesStyle:
    """The look of series `number`, from 0: colours repeat after eight, with an open marker of another shape and another
    dash."""
    turn, colour = divmod(number % MOST, len(COLOURS))
    # Open markers start four shapes on: an open circle beside a full one of its colour would be hard to tell from it.
    shape = (colour + turn // 2 + 4 * (turn % 2)) % len(MARKERS)
    return SeriesStyle(COLOURS[colour], list(MARKERS)[shape], turn % 2 == 0, DASHES[(colour + turn) % len(DASHES)])


def series_styles(count: int) -> list[SeriesStyle]:
    """The looks of the first `count` series."""
    return [series_style(number) for number in range(count)]


def letters(count: int) -> list[str]:
    """The first `count` of a, b, ..., z, aa, ab, ..."""
    return [_letter(number) for number in range(count)]


def _letter(number: int) -> str:
    before, last = divmod(number, len(ascii_lowercase))
    return (_letter(before - 1) if before else "") + ascii_lowercase[last]


def ink(colour: str) -> str:
    """Black or white, whichever has the higher contrast (WCAG 2) on `colour`, which is given as #rrggbb."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "#000000"

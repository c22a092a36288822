"""Reading long answers."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import ClassVar

from benchmarks.case import Case, Goal, Measured, Timed

SIZES = (10_000, 100_000, 1_000_000)
PIECES = (
    *(
        "[1] > [2] > ",
        "[3] is about cats.\n",
        "1. 5\n",
        "[[",
        "{",
        '{"id": 3}, ',
        '"4", ',
        "<think>",
        "</think>",
        "(2) ",
    ),
    *(
        "| 3 | good |\n",
        "\\boxed{",
        "Final: ",
        "```json\n",
        "9",
        "a",
        " ",
        "\n",
        "> ",
        "[7",
        "【5】 > ",
        "Correction: [2] > ",
    ),
)
"""What answers are made of, each said again and again."""
PASSAGES = 20


class ReadingAnswers(Case):
    """The slowest of many answers of 1 MB, in seconds of the processor; no kind takes more than linear time."""

    name: ClassVar[str] = "reading long answers"
    quality: ClassVar[str] = "time for ten times as much, by ten (worst kind)"
    rounds: ClassVar[tuple[int, int]] = (1, 2)

    def work(self) -> str:
        return f"{len(PIECES)} kinds of answers of {', '.join(f'{size:,}' for size in SIZES)} characters"

    def ours(self) -> Timed:
        seconds = {(piece, size): _seconds((piece * size)[:size]) for piece in PIECES for size in SIZES}
        # What takes less than a millisecond says nothing about growth.
        growth = {
            (piece, large): seconds[piece, large] / max(seconds[piece, small], 0.001) / 10
            for piece in PIECES
            for small, large in pairwise(SIZES)
        }
        worst = max(growth, key=lambda one: growth[one])
        slowest = max(PIECES, key=lambda piece: seconds[piece, SIZES[-1]])
        note = f"slowest {slowest!r}, steepest {worst[0]!r}"
        return Timed(seconds[slowest, SIZES[-1]], growth[worst], note)

    def limits(self) -> tuple[Goal, ...]:
        return (Goal("linear (at most 2)", _is_linear),)


def _seconds(text: str) -> float:
    """Of this process alone: growth is not to depend on who else computes."""
    from harness.labelling.labels.parser import parse

    begun = time.process_time()
    parse(text, PASSAGES)
    return time.process_time() - begun


def _is_linear(ours: Measured, peer: Measured | None) -> bool:
    return ours.quality is not None and ours.quality <= 2

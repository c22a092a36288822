"""Blocks: overlapping blocks of candidates, all ranked in one round; their comparisons make one order."""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from pydantic import Field

from harness.labelling.strategies.strategy import (
    SINGLE,
    ParsedResponse,
    PartialRanking,
    Presentation,
    Steps,
    Strategy,
    overall,
)
from harness.plugins import Settings

Numbers = np.ndarray[Any, np.dtype[np.float64]]


class BlocksSettings(Settings):
    """Settings of `Blocks`."""

    block: int = Field(20, ge=3, description="candidates of one question, at most")
    appearances: int = Field(
        2, ge=2, description="blocks in which every candidate appears, where one block does not hold them all"
    )


class Blocks(Strategy):
    """Every candidate appears in so many blocks; a block shows its candidates in the order of presentation.

    The design is equi-replicate and depends on the number of candidates only. Each block says that a candidate beats
    those that it places later and those that it does not place. Bradley-Terry strengths (doi 10.2307/2334029), with one
    win and one loss of everybody against an imagined candidate of strength 1, make one order of all that; of
    Bradley-Terry, win rate and PageRank, all tried for JointRank, it came nearest to the true order in simulations with
    sound and with noisy judges.
    """

    name = "blocks"
    summary = "overlapping blocks of candidates ranked all at once, in one round"
    source = "Dedov, arXiv 2506.22262 (JointRank)"
    prompt = "listwise"
    settings: BlocksSettings

    def steps(self, count: int) -> Steps:
        if count == 1:
            return SINGLE
        blocks = design(count, self.settings.block, self.settings.appearances)
        replies = yield list(blocks)
        strength = _strengths(_wins(blocks, replies, count))
        placed = {block[place] for block, reply in zip(blocks, replies, strict=True) for place in reply.order}
        ordered = tuple(sorted(placed, key=lambda number: -strength[number]))
        tail = tuple(number for number in range(count) if number not in placed)
        scores = tuple(strength[number] for number in ordered)
        return PartialRanking(ordered, tail, *overall(replies, len(ordered)), scores=scores)

    def most_presented(self, count: int) -> int:
        return min(count, self.settings.block)

    def calls(self, count: int) -> int:
        return len(design(count, self.settings.block, self.settings.appearances)) if count > 1 else 0


@lru_cache(maxsize=64)
def design(count: int, block: int, appearances: int) -> tuple[Presentation, ...]:
    """Blocks of at most `block` of `count` candidates, each candidate in `appearances` of them; one block where that
    holds all.

    Of 32 seeded designs the one in whose comparisons the fewest groups of candidates stay apart, then with the most
    different pairs.
    """
    if count <= block:
        return (tuple(range(count)),)
    return max(
        (_drawn(count, block, appearances, seed) for seed in range(32)),
        key=lambda blocks: (-_components(blocks, count), _pairs(blocks)),
    )


def _drawn(count: int, block: int, appearances: int, seed: int) -> tuple[Presentation, ...]:
    draw = random.Random(seed)
    blocks = -(-count // block)
    shuffled = [draw.sample(range(count), count) for _ in range(appearances)]
    return tuple(tuple(sorted(order[first::blocks])) for order in shuffled for first in range(blocks))


def _pairs(blocks: tuple[Presentation, ...]) -> int:
    return len({pair for block in blocks for pair in combinations(block, 2)})


def _components(blocks: tuple[Presentation, ...], count: int) -> int:
    """How many groups of candidates there are between which nothing is compared, not even by way of others."""
    groups: list[set[int]] = []
    for block in blocks:
        touching = [group for group in groups if not group.isdisjoint(block)]
        groups = [group for group in groups if group not in touching] + [set(block).union(*touching)]
    return len(groups)


def _wins(blocks: tuple[Presentation, ...], replies: list[ParsedResponse], count: int) -> Numbers:
    """How often the row's candidate beat the column's."""
    wins = np.zeros((count, count))
    for block, reply in zip(blocks, replies, strict=True):
        behind = list(block)
        for place in reply.order:
            behind.remove(block[place])
            wins[block[place], behind] += 1
    return wins


def _strengths(wins: Numbers) -> list[float]:
    """Logarithms of Bradley-Terry strengths, rounded so that candidates in the same situation get the same one."""
    bouts, won = wins + wins.T, wins.sum(axis=1) + 1
    strength = np.zeros(len(wins))
    for _ in range(100):
        against, mean = _chance(strength[:, None] - strength), _chance(strength)
        slope = bouts * against * (1 - against)
        curvature = np.diag(slope.sum(axis=1) + 2 * mean * (1 - mean)) - slope
        step = np.linalg.solve(curvature, won - (bouts * against).sum(axis=1) - 2 * mean)
        # Newton's step overshoots far from the solution.
        strength = strength + step / max(1.0, np.abs(step).max())
        if np.abs(step).max() < 1e-9:
            break
    return [float(value) for value in strength.round(6)]


def _chance(difference: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-difference)))

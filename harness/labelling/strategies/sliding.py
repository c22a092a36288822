"""Sliding: a window over the candidates, from the last to the first; each step carries its best ones on."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.labelling.strategies.strategy import SINGLE, ParsedResponse, PartialRanking, Steps, Strategy, overall
from harness.plugins import Settings


class SlidingSettings(Settings):
    """Settings of `Sliding`."""

    window: int = Field(20, ge=2, description="candidates of one question")
    step: int = Field(
        10, ge=1, description="candidates by which the window moves; at most the window, less it carries on more"
    )

    @model_validator(mode="after")
    def _reaches(self) -> SlidingSettings:
        if self.step > self.window:
            raise ValueError(f"a step of {self.step} skips candidates: it must be at most the window, {self.window}")
        return self


class Sliding(Strategy):
    """Windows from back to front; a window's placed candidates go first, so that the best are carried on to the next.

    One pass sorts the first ``window - step`` places; those behind are ordered among the candidates of their last
    window only. A candidate that the last window which showed it did not place is left in the tail.
    """

    name = "sliding"
    summary = "a window from the last candidates to the first, the best of each carried on"
    source = "Sun et al., arXiv 2304.09542 (RankGPT)"
    prompt = "listwise"
    settings: SlidingSettings

    def steps(self, count: int) -> Steps:
        if count == 1:
            return SINGLE
        order = list(range(count))
        replies: list[ParsedResponse] = []
        placed: set[int] = set()
        for start, end in self._windows(count):
            window = tuple(order[start:end])
            (reply,) = yield [window]
            replies.append(reply)
            first = [window[place] for place in reply.order]
            placed.update(first)
            if len(first) < len(window):
                rest = [number for number in window if number not in {*first}]
                placed.difference_update(rest)
                first += rest
            order[start:end] = first
        ordered = tuple([number for number in order if number in placed])
        return PartialRanking(
            ordered, tuple([number for number in order if number not in placed]), *overall(replies, len(ordered))
        )

    def _windows(self, count: int) -> list[tuple[int, int]]:
        ends = [count]
        while ends[-1] > self.settings.window:
            # A window of one, which a step as wide as the window can leave, would compare nothing.
            ends.append(max(ends[-1] - self.settings.step, 2))
        return [(max(end - self.settings.window, 0), end) for end in ends]

    def most_presented(self, count: int) -> int:
        return min(count, self.settings.window)

    def calls(self, count: int) -> int:
        return len(self._windows(count)) if count > 1 else 0

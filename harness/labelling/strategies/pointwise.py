"""Pointwise: one passage a question, judged by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from harness.labelling.strategies._answer_text import clear, last_line, spoken, unclear
from harness.labelling.strategies.strategy import AnswerFormat, ParsedResponse, PartialRanking, Steps, Strategy, overall
from harness.plugins import Settings

GRADES = {"yes-no": {"Yes": 1, "No": 0}, "graded": {str(grade): grade for grade in range(4)}}


class PointwiseSettings(Settings):
    """Settings of `Pointwise`."""

    scale: Literal["yes-no", "graded"] = Field(
        "yes-no", description="yes-no: relevant or not; graded: 0 (irrelevant) to 3 (perfect)"
    )


class Pointwise(Strategy):
    """Every passage gets a grade; equal grades are equal scores. Passages without a clear grade are left in the tail.

    A grade is clear when the answer or its last line is nothing else, or when the answer starts with it; a number must
    then be the only one. Of a cut answer only the start counts.
    """

    name = "pointwise"
    summary = "one passage a question, by yes or no or by a grade"
    source = "Liang et al., arXiv 2211.09110 (HELM); grades after Zhuang et al., arXiv 2310.14122"
    prompt = "pointwise-yes-no"
    placeholders = frozenset({"query", "passage"})
    settings: PointwiseSettings

    @property
    def default_prompt(self) -> str:
        return f"pointwise-{self.settings.scale}"

    def defuse(self, text: str) -> str:
        # Nothing in the prompt is called by an identifier.
        return text

    def answer(self, count: int) -> AnswerFormat:
        return AnswerFormat(choices=tuple(GRADES[self.settings.scale]))

    def answer_tokens(self, count: int) -> int:
        return 32

    def values(self, query: str, passages: Sequence[str]) -> dict[str, str]:
        (passage,) = passages
        return {"query": query, "count": "1", "passage": passage}

    def steps(self, count: int) -> Steps:
        replies = yield [(number,) for number in range(count)]
        grades = {number: reply.grade for number, reply in enumerate(replies) if reply.grade is not None}
        ordered = tuple(sorted(grades, key=lambda number: -grades[number]))
        tail = tuple(number for number in range(count) if number not in grades)
        return PartialRanking(
            ordered, tail, *overall(replies, len(ordered)), scores=tuple(grades[number] for number in ordered)
        )

    def most_presented(self, count: int) -> int:
        return 1

    def calls(self, count: int) -> int:
        return count

    def read(self, text: str, count: int, truncated: bool) -> ParsedResponse:
        said, cut = spoken(text, truncated)
        grades = GRADES[self.settings.scale]
        if said in grades:
            return clear(text, (0,), True, cut, grades[said])
        named = _named(said, cut, _WORD if self.settings.scale == "yes-no" else _NUMBER)
        if len(named) != 1:
            return unclear(text, said, cut)
        grade = grades.get(named.pop().capitalize())
        return unclear(text, said, cut, outside=True) if grade is None else clear(text, (0,), False, cut, grade)


_MARKS = r"""[\s:="'*`(\[{]*"""
_WORDS = r"(?:the\s+)?(?:final\s+)?(?:relevance\s+)?(?:answer|score|grade|rating|relevance|judge?ment)"
_LEAD = _MARKS + rf"(?:{_WORDS}\s*(?:is)?{_MARKS})?"
_END = r"""[\s"'*`)\].!}]*\Z"""
_WORD, _NUMBER = ("(yes|no)", ""), (r"(\d{1,4})", r"(?:\s?(?:/|out\sof)\s?3)?")


def _named(answer: str, cut: bool, form: tuple[str, str]) -> set[str]:
    """The grades that the answer, or its start, names."""
    grade, scale = form
    only = re.compile(_LEAD + grade + scale + _END, re.IGNORECASE).match("" if cut else last_line(answer))
    start = re.compile(_LEAD + grade + r"""["'*`)\]]{0,3}(?:\n|\s{0,3}[.,:;!\-–—]\s)""", re.IGNORECASE).match(
        answer[:200]
    )
    found = {match[1].lower() for match in (only, start) if match}
    # A number beside others may be a step, a count or the end of a range.
    counts = start is not None and only is None and form is _NUMBER and len(re.findall(r"\d+", answer)) > 1
    return set() if counts else found

"""What a way of asking is: questions over some of the candidates, and an order made from the answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, NamedTuple

from harness.labelling.labels.parser import Parsed, Reason, parse
from harness.labelling.labels.ranking import VERDICTS, Verdict
from harness.labelling.strategies._defusing import defuse_brackets
from harness.plugins import Plugin, Settings


class ParsedResponse(NamedTuple):
    """One answer as read. `order` holds positions among the shown passages, from 0, best first, each at most once."""

    order: tuple[int, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    grade: float | None = None
    """For questions about a single passage."""
    text: str = ""
    """What the model wrote."""


class PartialRanking(NamedTuple):
    """What a way of asking made of n candidates, by number from 0.

    `scores` are given where several candidates may be equal: one for each of `ordered`, higher is better; equal ones
    are then ordered by document id, whatever their order here.
    """

    ranked: tuple[int, ...]
    unranked: tuple[int, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    scores: tuple[float, ...] | None = None


SINGLE = PartialRanking((0,), (), "ok")
"""The only order of a single candidate; comparing needs no question to find it."""

Presentation = tuple[int, ...]
"""Candidates of one question, in the order in which they are shown."""

Steps = Generator[list[Presentation], list[ParsedResponse], PartialRanking]
"""Yields questions that do not depend on one another, gets a reply for each, ends with an order."""


@dataclass(frozen=True)
class AnswerFormat:
    """The well-formed answers to a question, for decoders that can be held to them.

    Either one of `choices`, or a permutation of `permutation` identifiers, written ``[2] > [1]``.
    """

    choices: tuple[str, ...] = ()
    permutation: int = 0


class Strategy(Plugin):
    """A way of asking. It sees candidates as numbers in presentation order and never their texts.

    >>> import harness
    >>> from harness.labelling.strategies.strategy import PartialRanking
    >>> class OneQuestion(harness.Strategy):
    ...     name, summary, prompt = "one-question", "all passages in one question", "listwise"
    ...
    ...     def steps(self, count):
    ...         [reply] = yield [tuple(range(count))]
    ...         rest = tuple(number for number in range(count) if number not in reply.order)
    ...         return PartialRanking(reply.order, rest, reply.verdict, reply.reasons)
    ...
    ...     def calls(self, count):
    ...         return 1
    >>> OneQuestion(harness.Settings()).read("[2] > [1]", 2, truncated=False).order
    (1, 0)
    """

    entry_point_group: ClassVar[str] = "harness.strategies"
    prompt: ClassVar[str]
    """The bundled prompt that it uses unless told otherwise."""
    placeholders: ClassVar[frozenset[str]] = frozenset({"query", "passages", "count"})
    """What its prompts must hold."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opened: dict[int, list[str]] = {}

    @property
    def default_prompt(self) -> str:
        """The bundled prompt that goes with these settings."""
        return self.prompt

    @abstractmethod
    def steps(self, count: int) -> Steps:
        """Ask about candidates 0 to `count` - 1; `count` is at least 1. May end without a question where none is
        needed."""

    @abstractmethod
    def calls(self, count: int) -> int:
        """How many questions `steps` asks at most."""

    def most_presented(self, count: int) -> int:
        """How many passages a question over `count` candidates shows at most."""
        return count

    def read(self, text: str, count: int, truncated: bool) -> ParsedResponse:
        """Read an answer about `count` passages. Never raises on any text."""
        parsed = parse(text, count, truncated)
        return ParsedResponse(tuple([number - 1 for number in parsed.order]), parsed.verdict, parsed.reasons, text=text)

    def identifier(self, position: int) -> str:
        """What passage number `position` (from 0) is called in the prompt."""
        return f"[{position + 1}]"

    def defuse(self, text: str) -> str:
        """`text` of a passage or query without what could be taken for `identifier`."""
        return defuse_brackets(text)

    def _openings(self, count: int) -> list[str]:
        """What stands before each of `count` passages, one a line."""
        if count not in self._opened:
            self._opened[count] = ["\n" * (position > 0) + self.identifier(position) + " " for position in range(count)]
        return self._opened[count]

    def answer(self, count: int) -> AnswerFormat:
        """What a well-formed answer about `count` passages looks like."""
        return AnswerFormat(permutation=count)

    def answer_tokens(self, count: int) -> int:
        """Room for an answer about `count` passages with a few words around it, in tokens of any usual tokenizer."""
        return 32 + 8 * count

    def values(self, query: str, passages: Sequence[str]) -> dict[str, str]:
        """The placeholders' values for one question."""
        lines = chain.from_iterable(zip(self._openings(len(passages)), passages, strict=True))
        return {"query": query, "count": str(len(passages)), "passages": "".join(lines)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The least sound of several verdicts; ok when there are none."""
    return max(verdicts, key=VERDICTS.index, default="ok")


def overall(
    replies: Sequence[ParsedResponse | PartialRanking | Parsed], placed: int
) -> tuple[Verdict, tuple[Reason, ...]]:
    """Verdict and reasons of an order made from several replies or orders, in which `placed` candidates have a place.

    Failed ones make the whole partial; only an order without any placed candidate has failed.
    """
    verdict = worst(reply.verdict for reply in replies)
    reasons = tuple(dict.fromkeys(reason for reply in replies for reason in reply.reasons))
    if not placed:
        return "failed", reasons
    return ("partial" if verdict == "failed" else verdict), reasons

"""From tasks to requests and from replies to rankings: presentation, repeats, and what malformed answers become."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from harness.labelling.labels.parser import VERSION, Reason
from harness.labelling.labels.ranking import VERDICTS, Answer, Ranking
from harness.labelling.labels.teacher import Task
from harness.labelling.prompting.aggregate import merged
from harness.labelling.prompting.prompting_settings import OnMalformed, PromptingSettings
from harness.labelling.prompting.templates import load_chat_prompt
from harness.labelling.prompting.text_cut import CountTokens, TextCut
from harness.labelling.strategies.strategy import (
    AnswerFormat,
    ParsedResponse,
    PartialRanking,
    Presentation,
    Steps,
    Strategy,
)
from harness.plugins import plugin
from harness.source_hash import source_hash
from harness.stage import digest

NO_ANSWER: tuple[Reason, ...] = ("truncated", "refused", "empty", "too long", "no answer")
"""Reasons for which a reply is no answer at all. Whoever sends requests decides whether to send these again."""


class Request(NamedTuple):
    """One question to a model: (role, content) messages, what an answer looks like, and how it is read."""

    messages: tuple[tuple[str, str], ...]
    answer: AnswerFormat
    max_tokens: int
    """Room for a well-formed answer."""
    read: Callable[[str, bool], ParsedResponse]
    repeat: int = 0
    """How many times the same question was asked before."""
    resent: int = 0
    """How many times this very one was sent before and brought no answer; no part of what it is."""


RankingProcedure = Generator[list[Request], list[ParsedResponse], Ranking]
"""Yields requests that do not depend on one another, gets the reply to each, ends with the ranking."""


class _Form(NamedTuple):
    """What all questions over the same number of passages share."""

    answer: AnswerFormat
    max_tokens: int
    read: Callable[[str, bool], ParsedResponse]


class Prompter:
    """Turns tasks into requests and replies into rankings. Relative paths in `ask` start from `base`; `count` is the
    model's own tokenizer, where it is here."""

    def __init__(
        self,
        ask: PromptingSettings,
        on_malformed: OnMalformed,
        base: Path = Path(),
        count: CountTokens | None = None,
    ) -> None:
        kind = plugin(Strategy, ask.strategy)
        self.ask, self.on_malformed = ask, on_malformed
        self.strategy = kind(kind.Settings(**ask.options))
        defuse = self.strategy.defuse if ask.defuse else str
        self._passages = TextCut(ask.max_passage_words, ask.passage_tokens, count, defuse)
        self._queries = TextCut(None, ask.max_query_tokens, count, defuse)
        self._forms: dict[int, _Form] = {}
        self.prompt = load_chat_prompt(ask.prompt or self.strategy.default_prompt, base, kind.placeholders)
        self._system = (("system", self.prompt.system),) if self.prompt.system else ()

    @property
    def identity(self) -> str:
        """Everything that can change what is asked or how answers are read."""
        code = [mark] if (mark := source_hash(type(self.strategy))) is not None else []
        return digest([self.ask.key(), self.on_malformed, self.prompt.identity, *code])

    @property
    def parser(self) -> int:
        """The version of what reads an order out of answers; 0 where none is asked for."""
        return VERSION

    def calls(self, count: int) -> int:
        """Requests for `count` candidates, re-asking aside."""
        return self.ask.shuffles * self.strategy.calls(count)

    def cut_counts(self, tasks: Sequence[Task]) -> dict[str, int]:
        """How many different queries and passages of `tasks` there are, and how many were cut or had identifiers
        defused."""
        queries = [self._queries[text] for text in {task.text for task in tasks}]
        passages = [self._passages[text] for text in {one.text for task in tasks for one in task.candidates}]
        return {
            "queries": len(queries),
            "queries_cut": sum(query.is_cut for query in queries),
            "passages": len(passages),
            "passages_cut": sum(passage.is_cut for passage in passages),
            "defused": sum(one.is_defused for one in (*queries, *passages)),
        }

    def session(self, task: Task) -> RankingProcedure:
        """The requests of one task."""
        texts = [self._passages[candidate.text].text for candidate in task.candidates]
        shown = [self._presented(task, shuffle) for shuffle in range(self.ask.shuffles)]
        replies: list[ParsedResponse] = []
        orders = yield from self._together(self._queries[task.text].text, texts, shown, replies)
        whole = merged(orders, self.ask.aggregate) if len(orders) > 1 else orders[0]
        presented = tuple([task.candidates[number].id for number in shown[0]]) if len(shown) == 1 else ()
        ranking = self._ranking(task, whole, replies, presented)
        if len(shown) == 1:
            return ranking
        ids = [candidate.id for candidate in task.candidates]
        answers = [
            Answer(tuple([ids[number] for number in presentation]), _ordered(ids, order))
            for presentation, order in zip(shown, orders, strict=True)
        ]
        return replace(ranking, answers=tuple(answers))

    def _presented(self, task: Task, shuffle: int) -> Presentation:
        numbers = range(len(task.candidates))
        if self.ask.shuffles == 1 and self.ask.presentation != "shuffled":
            return tuple(numbers if self.ask.presentation == "first-stage" else reversed(numbers))
        seed = f"{self.ask.seed}\0{shuffle}\0{task.query}"
        return tuple(
            sorted(
                numbers, key=lambda number: hashlib.sha256(f"{seed}\0{task.candidates[number].id}".encode()).digest()
            )
        )

    def _together(
        self, query: str, texts: Sequence[str], presentations: Sequence[Presentation], replies: list[ParsedResponse]
    ) -> Generator[list[Request], list[ParsedResponse], list[PartialRanking]]:
        """Run the strategy once for every presentation, side by side; orders by candidate number."""
        running = [self.strategy.steps(len(texts)) for _ in presentations]
        arranged = [[texts[number] for number in order] for order in presentations]
        states = [_advanced(steps) for steps in running]
        while asking := [(number, state) for number, state in enumerate(states) if isinstance(state, list)]:
            windows = [(number, window) for number, state in asking for window in state]
            requests = [
                self._request(query, list(map(arranged[number].__getitem__, window))) for number, window in windows
            ]
            best = yield from self._answered(requests)
            got = [self._mended(reply, len(window)) for reply, (_, window) in zip(best, windows, strict=True)]
            replies += got
            left = iter(got)
            for number, state in asking:
                states[number] = _advanced(running[number], list(islice(left, len(state))))
        return [
            _renumbered(state, order)
            for state, order in zip(states, presentations, strict=True)
            if isinstance(state, PartialRanking)
        ]

    def _request(self, query: str, passages: Sequence[str]) -> Request:
        text = self.prompt.fill(self.strategy.values(query, passages))
        form = self._forms.get(len(passages)) or self._form(len(passages))
        return Request((*self._system, ("user", text)), form.answer, form.max_tokens, form.read)

    def _form(self, count: int) -> _Form:
        strategy = self.strategy

        def read(answer: str, truncated: bool) -> ParsedResponse:
            return strategy.read(answer, count, truncated)

        self._forms[count] = _Form(strategy.answer(count), strategy.answer_tokens(count), read)
        return self._forms[count]

    def _answered(
        self, requests: list[Request]
    ) -> Generator[list[Request], list[ParsedResponse], list[ParsedResponse]]:
        """Ask, and ask again what came back failed or partial; the best reply to each counts, of equals the first."""
        best = yield requests
        for repeat in range(1, self.on_malformed.reask + 1):
            again = [
                number
                for number, reply in enumerate(best)
                if reply.verdict in ("partial", "failed") and not {*reply.reasons} & {*NO_ANSWER}
            ]
            if not again:
                break
            found = yield [requests[number]._replace(repeat=repeat) for number in again]
            for number, reply in zip(again, found, strict=True):
                best[number] = min(best[number], reply, key=lambda one: VERDICTS.index(one.verdict))
        return best

    def _mended(self, reply: ParsedResponse, count: int) -> ParsedResponse:
        if self.on_malformed.then != "repair" or reply.verdict != "partial" or not reply.order:
            return reply
        placed = set(reply.order)
        rest = tuple(number for number in range(count) if number not in placed)
        return reply._replace(order=reply.order + rest, verdict="repaired")

    def _ranking(
        self, task: Task, whole: PartialRanking, replies: Sequence[ParsedResponse], presented: tuple[str, ...]
    ) -> Ranking:
        ids = [candidate.id for candidate in task.candidates]
        said = [reply.text for reply in replies]
        raw = json.dumps(said, ensure_ascii=False) if len(said) > 1 else "".join(said)
        reason = ", ".join(whole.reasons)
        if not whole.ranked or (self.on_malformed.then == "drop" and whole.verdict in ("partial", "failed")):
            return Ranking(task.query, (), tuple(ids), "failed", reason, raw, presented=presented)
        tail = tuple(ids[number] for number in whole.unranked)
        return Ranking(task.query, _ordered(ids, whole), tail, whole.verdict, reason, raw, presented=presented)


def _ordered(ids: Sequence[str], order: PartialRanking) -> tuple[str, ...]:
    """The placed candidates, best first; equal scores by falling ids, wherever they were shown."""
    placed = [ids[number] for number in order.ranked]
    if order.scores is None:
        return tuple(placed)
    # Two stable sorts, the second by score: equal scores keep the falling ids of the first.
    scored = sorted(sorted(zip(placed, order.scores, strict=True), reverse=True), key=lambda item: -item[1])
    return tuple(id for id, _ in scored)


def _advanced(steps: Steps, replies: list[ParsedResponse] | None = None) -> list[Presentation] | PartialRanking:
    """The next questions, or the order with which the steps end; `replies` are None before the first questions."""
    try:
        return next(steps) if replies is None else steps.send(replies)
    except StopIteration as end:
        order: PartialRanking = end.value
        return order


def _renumbered(order: PartialRanking, presentation: Presentation) -> PartialRanking:
    """From places in a presentation to candidates."""
    return order._replace(
        ranked=tuple([presentation[place] for place in order.ranked]),
        unranked=tuple([presentation[place] for place in order.unranked]),
    )

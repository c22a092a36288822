"""Asking for a short answer: a task becomes one request, with its passages in the prompt or, where it has none, the
bare question."""

from __future__ import annotations

import re
from pathlib import Path

from harness.labelling.labels.parser import without_thoughts
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task
from harness.labelling.prompting.prompter import Prompter, RankingProcedure, Request
from harness.labelling.prompting.prompting_settings import OnMalformed, PromptingSettings
from harness.labelling.prompting.templates import Prompt, load_chat_prompt
from harness.labelling.prompting.text_cut import CountTokens
from harness.labelling.strategies.strategy import AnswerFormat, ParsedResponse
from harness.stage import digest

OPEN = Prompt(
    "read",
    "a short answer from passages",
    "",
    "{passages}\n\nQuestion: {query}\n\nAnswer the question from the passages in as few words as possible. Write the "
    "answer only.",
)
CLOSED = Prompt(
    "closed-book",
    "a short answer from memory",
    "after Roberts et al., arXiv 2002.08910",
    "Question: {query}\n\nAnswer the question in as few words as possible. Write the answer only.",
)
TOKENS = 32
"""Room for a short answer."""

_LABEL = re.compile(r"\A(?:the )?(?:short |final |correct )?answer(?: to the question)?(?: is)?:", re.IGNORECASE)
_AROUND = " \t*`\"'“”"


class AnswerAsking(Prompter):
    """One request a task; the ranking holds the passages in the order in which they were shown, and what was said as
    its raw text.

    Passages are shown best first, each as long as `ask` allows. A cut answer is an answer: it is kept, and scored as it
    stands.
    """

    def __init__(
        self,
        ask: PromptingSettings,
        on_malformed: OnMalformed,
        prompts: tuple[Prompt, Prompt] = (OPEN, CLOSED),
        count: CountTokens | None = None,
    ) -> None:
        # Answers are words, so that no identifier is taken for another.
        super().__init__(ask.lengths.model_copy(update={"defuse": False}), on_malformed, count=count)
        self.prompt, self._closed = prompts

    @property
    def identity(self) -> str:
        return digest(["answers", self.ask.length_key, self.on_malformed, self.prompt.identity, self._closed.identity])

    @property
    def parser(self) -> int:
        return 0

    def calls(self, count: int) -> int:
        return 1

    def session(self, task: Task) -> RankingProcedure:
        (reply,) = yield from self._answered([self._question(task)])
        ids = tuple(candidate.id for candidate in task.candidates)
        if reply.verdict == "failed":
            return Ranking(task.query, ids, verdict="failed", reason=", ".join(reply.reasons), raw=reply.text)
        return Ranking(task.query, ids, raw=reply.text)

    def _question(self, task: Task) -> Request:
        prompt = self.prompt if task.candidates else self._closed
        shown = (
            f"Passage {number}: {self._passages[candidate.text].text}"
            for number, candidate in enumerate(task.candidates, 1)
        )
        text = prompt.fill({"query": self._queries[task.text].text, "passages": "\n\n".join(shown)})
        system = (("system", prompt.system),) if prompt.system else ()
        return Request((*system, ("user", text)), AnswerFormat(), TOKENS, read_answer)


def prompts(base: Path, opened: str | None, closed: str | None) -> tuple[Prompt, Prompt]:
    """The prompts with and without passages: ours, or .yaml files that hold {passages} and {query}, and {query}
    alone."""
    return (
        OPEN if opened is None else load_chat_prompt(opened, base, ("passages", "query")),
        CLOSED if closed is None else load_chat_prompt(closed, base, ("query",)),
    )


def read_answer(text: str, truncated: bool) -> ParsedResponse:
    """What was said, as a reply; failed where nothing came, or nothing but a thought that was cut."""
    if not text:
        return ParsedResponse((), "failed", ("empty",), text=text)
    said, unfinished = without_thoughts(text)
    if truncated and unfinished and not said.strip():
        return ParsedResponse((), "failed", ("truncated",), text=text)
    return ParsedResponse((), "ok", text=text)


def short_answer(text: str) -> str:
    """The first line that says something beside the thinking, without a leading ``Answer:`` and quotes around it; empty
    where none does."""
    said, _ = without_thoughts(text)
    bare = (_LABEL.sub("", line.strip(_AROUND)).strip(_AROUND) for line in said.splitlines())
    return next((line for line in bare if any(map(str.isalnum, line))), "")

"""Query writing: a teacher that answers in words is shown one passage and writes a query for it. Ledger, limits and
prices as ever."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task, Teacher
from harness.labelling.prompting.prompter import Prompter, RankingProcedure, Request
from harness.labelling.prompting.prompting_settings import OnMalformed, PromptingSettings
from harness.labelling.prompting.templates import Prompt, load_chat_prompt
from harness.labelling.prompting.text_cut import CountTokens
from harness.labelling.strategies.strategy import AnswerFormat, ParsedResponse
from harness.llm.chat_teacher import ChatTeacher
from harness.stage import digest

WRITE = Prompt(
    "write-query",
    "one query that the passage answers",
    "after InPars, arXiv 2202.05144",
    "Passage: {passage}\n\nWrite one search query that this passage answers, as a person would type it. Write the "
    "query only.",
)
TOKENS = 64
"""Room for a query, as in InPars."""


class QueryWriting(Prompter):
    """Turns a task of one candidate into one request; the ranking holds what was written as its raw text, and has
    failed without a query.

    The task's own text is not shown.
    """

    def __init__(
        self,
        ask: PromptingSettings,
        on_malformed: OnMalformed,
        prompt: Prompt,
        base: Path,
        count: CountTokens | None = None,
    ) -> None:
        # What is written are words, so that no identifier is taken for another.
        super().__init__(ask.lengths.model_copy(update={"defuse": False}), on_malformed, base, count)
        self.prompt, self._system = prompt, (("system", prompt.system),) if prompt.system else ()

    @property
    def identity(self) -> str:
        return digest(["query writing", self.ask.length_key, self.on_malformed, self.prompt.identity])

    @property
    def parser(self) -> int:
        return 0

    def calls(self, count: int) -> int:
        return 1

    def session(self, task: Task) -> RankingProcedure:
        (candidate,) = task.candidates
        text = self.prompt.fill({"passage": self._passages[candidate.text].text})
        (reply,) = yield from self._answered(
            [Request((*self._system, ("user", text)), AnswerFormat(), TOKENS, read_query)]
        )
        ids, reason = (candidate.id,), ", ".join(reply.reasons)
        if reply.verdict == "failed":
            return Ranking(task.query, (), ids, "failed", reason, reply.text)
        return Ranking(task.query, ids, raw=reply.text)


def read_query(text: str, truncated: bool) -> ParsedResponse:
    """What was written, as a reply; failed where no line of it is a whole query."""
    if not written_query(text):
        return ParsedResponse((), "failed", ("empty",), text=text)
    if truncated and "\n" not in text.strip():
        return ParsedResponse((), "failed", ("truncated",), text=text)
    return ParsedResponse((0,), "ok", text=text)


def written_query(text: str) -> str:
    """The first line that says something, without a leading ``Query:`` and quotes around it; empty where there is
    none."""
    lines = (line.strip() for line in text.splitlines())
    found = next((line for line in lines if any(letter.isalnum() for letter in line)), "")
    label, colon, rest = found.partition(":")
    return (rest if colon and label.strip("* ").casefold() in ("query", "search query", "question") else found).strip(
        " \"'`*“”"
    )


def writer(teacher: Teacher, base: Path, prompt: str | None) -> ChatTeacher:
    """The model of `teacher`, asked to write queries. Raises UserError when it does not answer in words."""
    if not isinstance(teacher, ChatTeacher):
        raise UserError(
            f"a teacher of kind '{teacher.name}' writes no queries",
            key="teachers",
            remedy="take a chat model (see docs/teachers.md)",
        )
    # Guided decoding knows permutations and choices only.
    free = {"guided": False} if "guided" in type(teacher.settings).model_fields else {}
    asked = type(teacher)(teacher.settings.model_copy(update=free), base).derived_from(teacher)
    chosen = WRITE if prompt is None else load_chat_prompt(prompt, base, ("passage",))
    settings = teacher.settings
    asked.asking = QueryWriting(settings.ask, settings.on_malformed, chosen, base, asked.own_tokens)
    return asked

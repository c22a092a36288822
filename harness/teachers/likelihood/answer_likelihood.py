"""Answer likelihood: a passage is as good as a known short answer is probable after it and the question.

The same models, machinery and ledger as for query likelihood (likelihood.py); only what is read and what is scored
differs. Methods derive such a teacher from the sweep's own by `answering`, so one language model in a sweep file serves
both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.labelling.prompting.templates import Prompt, load_prompt
from harness.ledger.call_ledger import CallLedger
from harness.ledger.calls import CachedResponse
from harness.llm.local_weights import causal_folder, load_tokenizer
from harness.progress import Progress
from harness.stage import digest
from harness.teachers.likelihood._pairs import Pair, PairTokens, TextPairs, Tokens
from harness.teachers.likelihood.query_likelihood import Likelihood, PairSettings, PairTeacher
from harness.teachers.likelihood.vllm_likelihood import VLLMLikelihood

ANSWER = Prompt(
    "answer",
    "the short answer after passage and question",
    "",
    "Passage: {passage}\nQuestion: {query}\nAnswer: {answer}",
)

Contexts = Literal["each", "leave-one-out"]
"""What is read for a candidate: its own passage, or those of all other candidates."""


def answer_prompt(name: str | None, base: Path) -> Prompt:
    """`ANSWER`, or a .yaml file with {passage}, {query} and, last, {answer}. Raises UserError when it holds others."""
    return ANSWER if name is None else load_prompt(name, base, ("passage", "query", "answer"))


@dataclass(frozen=True)
class AnswerTask(Task):
    """A task whose query has a known short answer; empty where it has none."""

    answer: str = ""


@dataclass(frozen=True)
class AnswerPromptSettings:
    """How a language model is asked for answers.

    `mean` divides a log-likelihood by the answer's tokens. Without `passage_tokens` passages are cut as the teacher's
    own settings say.
    """

    prompt: Prompt = ANSWER
    contexts: Contexts = "each"
    mean: bool = False
    passage_tokens: int | None = None
    depth: int = 1
    """Most passages that stand in one context."""


class Together(NamedTuple):
    """Passages in one context: all tokens up to where the answer begins, where each passage stands in them, the
    answer's tokens."""

    context: Tokens
    spans: list[range]
    answer: Tokens


@dataclass(frozen=True)
class AnswerTokens(PairTokens):
    """Reads `AnswerTask`s: passages, the question, then the answer, which alone is scored; it is cut to `query_limit`
    tokens too."""

    contexts: Contexts
    depth: int

    def pairs(self, tasks: Sequence[Task]) -> TextPairs:
        """One pair of a context and an answer for every candidate of a task, in their order; none where a task has no
        answer."""
        asked = {id(task): task.answer for task in tasks if isinstance(task, AnswerTask) and task.answer.strip()}
        passages = self._encoded(shown.text for task in tasks for shown in task.candidates)
        questions, answers = self._encoded(task.text for task in tasks), self._encoded(asked.values())
        contexts: dict[Tokens, int] = {}
        wanted: dict[Tokens, int] = {}
        by_task: list[list[Pair]] = []
        for task in tasks:
            row: list[Pair] = []
            if id(task) in asked:
                answer = wanted.setdefault(tuple(answers[asked[id(task)]][: self.query_limit]), len(wanted))
                for context in self._contexts([passages[shown.text] for shown in task.candidates]):
                    tokens = self._context(context, questions[task.text])
                    row.append((contexts.setdefault(tokens, len(contexts)), answer))
            by_task.append(row)
        return TextPairs(list(contexts), list(wanted), by_task, self._keys(list(contexts), list(wanted), by_task))

    @cached_property
    def longest(self) -> int:
        """Most tokens of a context."""
        head, again, between, behind = self._literals
        return (
            len(head) + self.depth * (self.passage_limit + len(again)) + len(between) + self.query_limit + len(behind)
        )

    @cached_property
    def row(self) -> int:
        """Tokens of a packed row with room for any context and any answer."""
        return max(512, -(-max(self.longest, self.query_limit) // 64) * 64)

    def _contexts(self, passages: Sequence[list[int]]) -> Iterator[Sequence[list[int]]]:
        for place, own in enumerate(passages):
            yield [own] if self.contexts == "each" else [*passages[:place], *passages[place + 1 :]]

    def together(self, task: AnswerTask) -> Together:
        """All passages of a task in one context."""
        encoded = self._encoded([*(shown.text for shown in task.candidates), task.text, task.answer])
        spans: list[range] = []
        context = self._context([encoded[shown.text] for shown in task.candidates], encoded[task.text], spans)
        return Together(context, spans, tuple(encoded[task.answer][: self.query_limit]))

    def _context(self, passages: Sequence[list[int]], question: list[int], spans: list[range] | None = None) -> Tokens:
        head, again, between, behind = self._literals
        read = list(head)
        for number, passage in enumerate(passages):
            read += again if number else []
            if spans is not None:
                spans.append(range(len(read), len(read) + len(passage[: self.passage_limit])))
            read += passage[: self.passage_limit]
        return (*read, *between, *question[: self.query_limit], *behind)

    @cached_property
    def _literals(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """The prompt around passages, question and answer: before the first passage, before each later one, and so on.

        Spaces go to the word that follows them, as tokenizers have it; so the literals lose theirs at the end.
        """
        (before, _), (between, _), (behind, _), *_ = self.prompt.pieces()
        head = self.tokenizer.encode(before.rstrip(), add_special_tokens=True).ids
        again, between_ids, behind_ids = (
            self.tokenizer.encode(text.rstrip(), add_special_tokens=False).ids
            for text in (f"\n{before}", between, behind)
        )
        return head, again, between_ids, behind_ids


class AnswerScoring(PairTeacher):
    """Orders by log p(answer | passage, query); left out one by one, by minus log p(answer | the other passages,
    query).

    Not a teacher of its own for sweep files: `answering` makes one out of a teacher of query likelihoods.
    """

    source = "Izacard et al. (Atlas), arXiv 2208.03299; Shi et al. (REPLUG), arXiv 2301.12652"
    needs = ("answers",)

    def __init__(self, settings: PairSettings, base: Path, how: AnswerPromptSettings) -> None:
        super().__init__(settings, base)
        self._how = how
        self._prompt = how.prompt

    @property
    def identity(self) -> str:
        limits = [self.settings.max_passage_tokens, self.settings.max_query_tokens, self._how.depth]
        return digest(["answers", self._reader, self._prompt.identity, limits, self._how.contexts, self._how.mean])

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        answered = [task for task in tasks if _answer(task)]
        found = super().label(answered, ledger, progress)
        for task in tasks:
            ids = tuple(candidate.id for candidate in task.candidates)
            yield next(found) if _answer(task) else Ranking(task.query, (), ids, "failed", "no short answer")

    def guess(self, queries: int, depth: int) -> Cost:
        calls = queries * depth
        return Cost(calls, calls * (self._pair_tokens.longest + self.settings.max_query_tokens), exact=False)

    @cached_property
    def _pair_tokens(self) -> AnswerTokens:

        settings, how = self.settings, self._how
        tokenizer = load_tokenizer(causal_folder(self._model))
        limits = settings.max_passage_tokens, settings.max_query_tokens
        return AnswerTokens(tokenizer, self._prompt, *limits, self._reader, how.contexts, how.depth)

    def _score(self, answer: CachedResponse) -> float:
        score = super()._score(answer)
        return -score if self._how.contexts == "leave-one-out" else score


class AnswerLikelihood(AnswerScoring, Likelihood):
    """Through torch in this process."""


class ServedAnswerLikelihood(AnswerScoring, VLLMLikelihood):
    """Through vLLM."""


_KINDS: Mapping[type[Teacher], type[AnswerScoring]] = {
    Likelihood: AnswerLikelihood,
    VLLMLikelihood: ServedAnswerLikelihood,
}


def answering(teacher: Teacher, base: Path, how: AnswerPromptSettings) -> AnswerScoring:
    """The language model of `teacher`, asked for answers. Raises UserError when `teacher` gives no likelihoods."""
    settings = likelihoods(teacher).settings
    changed = {
        "normalise": "mean" if how.mean else "sum",
        "max_passage_tokens": how.passage_tokens or settings.max_passage_tokens,
    }
    return _KINDS[type(teacher)](settings.model_copy(update=changed), base, how).derived_from(teacher)


def likelihoods(teacher: Teacher) -> PairTeacher:
    """`teacher`, known to give likelihoods. Raises UserError when it does not."""
    if not isinstance(teacher, PairTeacher) or type(teacher) not in _KINDS:
        known = " or ".join(kind.name for kind in _KINDS)
        raise UserError(
            f"a teacher of kind '{teacher.name}' gives no likelihoods",
            key="teachers",
            remedy=f"take one of kind {known}",
        )
    return teacher


def _answer(task: Task) -> str:
    return task.answer.strip() if isinstance(task, AnswerTask) else ""

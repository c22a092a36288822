"""Query likelihood: a passage is as good as the query is probable after it. White-box, local, one pass a passage."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import Field

from harness.device import Resources, current_numerics
from harness.labelling.labels.failure_guard import OnFailure
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.labelling.prompting.templates import load_prompt
from harness.ledger.calls import CachedResponse, Call
from harness.ledger.given_up import GivenUp
from harness.llm.local_weights import causal_folder, load_tokenizer
from harness.models import model_memory, resolve_model
from harness.numerics.numerics_class import Numerics, Precision
from harness.plugins import Settings
from harness.stage import digest
from harness.teachers.likelihood._packing_trial import scorer_for
from harness.teachers.likelihood._pair_failures import PairFailures
from harness.teachers.likelihood._pairs import Pair, PairTokens, ScoreRequest, TextPairs
from harness.teachers.likelihood._ranking import by_score

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger
    from harness.progress import Progress
    from harness.teachers.likelihood._scorer import Scored

_VERSION = 1
"""Rises when the same request would get another score."""
_CHUNK_TOKENS = 4096
"""Tokens of passages whose keys and values a thread holds in memory at once; also what it loses when the process
dies."""


class PairScorer(Protocol):
    """What scores pairs."""

    def run(self, requests: Iterable[ScoreRequest]) -> Iterator[Scored]:
        """The requests' scores, in their order; a score must not depend on what is scored beside it."""
        ...


class PairSettings(Settings):
    """Which model, how it is asked, how long texts may be."""

    model: str = Field(
        "bundled:smollm2-135m", description="causal language model: bundled:NAME, a folder, or a Hugging Face id"
    )
    prompt: str = Field(
        "topic", description="a bundled prompt, or a .yaml file whose text holds {passage} and ends with {query}"
    )
    max_passage_tokens: int = Field(160, ge=1, description="tokens of a passage that the model reads")
    max_query_tokens: int = Field(32, ge=1, description="tokens of a query that are scored")
    normalise: Literal["sum", "mean"] = Field(
        "sum", description="log-likelihood of the whole query, or its mean over the tokens"
    )


class LikelihoodSettings(PairSettings):
    """Also the precision."""

    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto is what is faster on this machine")


class PairTeacher(Teacher):
    """Orders by log p(query | passage) of a causal language model, ties by document id as trec_eval does.

    Every pair of a passage and a query is one call in the ledger, keyed by the tokens that the model sees. Subclasses
    say what scores.
    """

    source = "Sachan et al., arXiv 2204.07496 (UPR)"
    box = "white"
    settings: PairSettings

    def __init__(self, settings: PairSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._model = resolve_model(settings.model, base)
        self._prompt = load_prompt(settings.prompt, base, ("passage", "query"))

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self._model, 1), gpu=1.0)

    @property
    def identity(self) -> str:
        return digest([*self._asked, self.settings.normalise])

    @property
    def asks_as(self) -> str:
        return digest(["pairs", *self._asked])

    def details(self) -> dict[str, Any]:
        return {"weights": self._model.identity, "prompt": self._prompt.details()}

    @property
    def _asked(self) -> list[Any]:
        limits = [self.settings.max_passage_tokens, self.settings.max_query_tokens]
        return [self.name, self._reader, self._prompt.identity, limits]

    @property
    @abstractmethod
    def _reader(self) -> str:
        """What turns tokens into scores."""

    @abstractmethod
    def _scorer(self) -> AbstractContextManager[PairScorer]:
        """It at work; called only when something must be scored."""

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        pairs = self._pair_tokens.pairs(tasks)
        failed = ledger.given_up(pairs.keys.values())
        self._pay(tasks, pairs, failed, ledger, progress)
        answers = ledger.get_many(key for key in pairs.keys.values() if key not in failed)
        scores = {key: self._score(answer) for key, answer in answers.items()}
        for task, asked in zip(tasks, pairs.by_task, strict=True):
            keys = [pairs.keys[pair] for pair in asked]
            lacking = next((failed[key] for key in keys if key in failed), None)
            yield _ranking(task, [scores[key] for key in keys]) if lacking is None else _unscored(task, lacking)

    def calls_of(self, tasks: Sequence[Task], labels: Mapping[str, Ranking]) -> Iterator[Call]:
        # A mean was rounded: what it is the mean of is no longer known to the last digit.
        if self.settings.normalise != "sum":
            return
        pairs = self._pair_tokens.pairs(tasks)
        found: dict[Pair, float] = {}
        for task, asked in zip(tasks, pairs.by_task, strict=True):
            if scores := labels[task.query].scores_by_id:
                found |= zip(asked, (scores[shown.id] for shown in task.candidates), strict=True)
        yield from self._calls(pairs, found, 0.0)

    def estimate(self, tasks: Sequence[Task], ledger: CallLedger) -> Cost:
        pairs = self._pair_tokens.pairs(tasks)
        held = ledger.held(pairs.keys.values()) | ledger.given_up(pairs.keys.values()).keys()
        missing = [pair for pair, key in pairs.keys.items() if key not in held]
        return Cost(calls=len(missing), input_tokens=sum(pairs.tokens(pair) for pair in missing))

    def guess(self, queries: int, depth: int) -> Cost:
        calls = queries * depth
        return Cost(calls, calls * (self.settings.max_passage_tokens + self.settings.max_query_tokens), exact=False)

    @cached_property
    def _pair_tokens(self) -> PairTokens:

        tokenizer = load_tokenizer(causal_folder(self._model))
        return PairTokens(
            tokenizer, self._prompt, self.settings.max_passage_tokens, self.settings.max_query_tokens, self._reader
        )

    def _pay(
        self,
        tasks: Sequence[Task],
        pairs: TextPairs,
        failed: dict[str, GivenUp],
        ledger: CallLedger,
        progress: Progress,
    ) -> None:
        """Score what the ledger lacks and put it there, chunk by chunk, each whole or not at all; `failed` gets what
        cannot be scored."""
        held = ledger.held(key for key in pairs.keys.values() if key not in failed) | failed.keys()
        done, total = len(held), len(pairs.keys)
        progress(done, total, "pairs")
        if done == total:
            return
        chunks = [[pair for pair in chunk if pairs.keys[pair] not in held] for chunk in pairs.chunks(_CHUNK_TOKENS)]
        waiting = [chunk for chunk in chunks if chunk]
        unscored = PairFailures(tasks, pairs, held, failed, getattr(self.settings, "on_failure", OnFailure()).tolerate)
        with self._scorer() as scorer:
            for chunk, scored in zip(waiting, scorer.run(map(pairs.request, waiting)), strict=True):
                found = {
                    pair: score
                    for place, (pair, score) in enumerate(zip(chunk, scored.scores, strict=True))
                    if place not in scored.failed
                }
                ledger.put_many(list(self._calls(pairs, found, scored.seconds)))
                unscored.settle(chunk, scored.failed, ledger)
                done += len(chunk)
                progress(done, total, "pairs")

    def _calls(self, pairs: TextPairs, scores: Mapping[Pair, float], seconds: float) -> Iterator[Call]:
        read: set[int] = set()
        for pair, score in scores.items():
            passage, query = pairs.passages[pair[0]], pairs.queries[pair[1]]
            request = {
                "passage": self._pair_tokens.pair_text(passage),
                "continuation": self._pair_tokens.pair_text(query),
            }
            yield Call(
                key=pairs.keys[pair],
                model=self._model.name,
                request=json.dumps(request, ensure_ascii=False),
                response=json.dumps({"log_likelihood": round(score, 6), "tokens": len(query)}),
                input_tokens=pairs.tokens(pair),
                cached_tokens=len(passage) if pair[0] in read else 0,
                seconds=seconds / len(scores),
            )
            read.add(pair[0])

    def _score(self, answer: CachedResponse) -> float:
        found: Mapping[str, float] = json.loads(answer.response)
        return round(found["log_likelihood"] / (found["tokens"] if self.settings.normalise == "mean" else 1), 6)


class Likelihood(PairTeacher):
    """Through torch in this process, a passage's queries together, so that every passage is read once."""

    name = "likelihood"
    summary = "local language model: how probable the query is after the passage"
    gives = ("order", "likelihoods", "attention")
    settings: LikelihoodSettings

    def __init__(self, settings: LikelihoodSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self.computed_in: Numerics = current_numerics().at(settings.precision)

    @property
    def precision(self) -> Precision:
        """'fp32' or 'bf16'."""
        return self.computed_in.precision

    @property
    def _reader(self) -> str:
        # A score does not depend on the number of threads.
        return digest([_VERSION, self._model.identity, self.computed_in._replace(threads=1).teacher_mark])

    def _scorer(self) -> AbstractContextManager[PairScorer]:
        return nullcontext(
            scorer_for(causal_folder(self._model), self._model.name, self.precision, self._pair_tokens.row)
        )


def _unscored(task: Task, why: GivenUp) -> Ranking:
    return Ranking(task.query, (), tuple(one.id for one in task.candidates), "failed", why.kind, why.response)


def _ranking(task: Task, scores: Sequence[float]) -> Ranking:
    if not scores:
        return Ranking(
            task.query, (), tuple(candidate.id for candidate in task.candidates), "failed", "the query is empty"
        )
    return by_score(task, scores)

"""Attention as a label: how much a decoder-only reader looks at each passage while it reads the known answer.

All candidates stand in one context, in the order of the first stage, before the question and the answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness._lazy import lazy
from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.ledger.call_ledger import CallLedger
from harness.ledger.calls import Call, call_key
from harness.llm.local_weights import PLAIN, UNKNOWN, causal_folder, in_words, load_causal
from harness.progress import Progress
from harness.stage import digest
from harness.teachers.likelihood._ranking import by_score
from harness.teachers.likelihood.answer_likelihood import AnswerLikelihood, AnswerPromptSettings, AnswerTask, Together
from harness.teachers.likelihood.query_likelihood import Likelihood, LikelihoodSettings

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


transformers = lazy("transformers")

Measure = Literal["norms", "scores"]
"""norms: probabilities times the length of the value, summed over a passage's tokens, mean over heads, layers and the
answer's tokens. scores: what the softmax is taken of, at the first answer token, mean over a passage's tokens, heads
and layers."""

RECORDED = "harness-recorded"
"""The attention implementation to load a model with; its forward then needs a `record`."""
_VERSION = 1
"""Rises when the same request would get another score."""


@dataclass
class AttentionRecord:
    """What the tokens that foretell the answer see: one number a token, layer by layer."""

    rows: range
    """Positions whose next token is one of the answer's."""
    measure: Measure
    seen: list[Tensor] = field(default_factory=list)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Causal attention of one layer: (H, T, D), (V, T, D), (V, T, D) to (H, T, D)."""

        shared = query.shape[0] // key.shape[0]
        key, value = key.repeat_interleave(shared, 0), value.repeat_interleave(shared, 0)
        rows = torch.arange(self.rows.start, self.rows.stop, device=query.device)
        scores = (query[:, rows] @ key.transpose(1, 2)).float() * scale
        later = torch.arange(key.shape[1], device=query.device) > rows[:, None]
        if self.measure == "norms":
            weights = scores.masked_fill(later, -torch.inf).softmax(-1)
            found = (weights * value.float().norm(dim=-1).unsqueeze(1)).mean((0, 1))
        else:
            found = scores[:, 0].mean(0)
        self.seen.append(found)
        return torch.nn.functional.scaled_dot_product_attention(
            query[None], key[None], value[None], is_causal=True, scale=scale
        )[0]

    def of(self, spans: Sequence[range]) -> list[float]:
        """A number for each passage."""

        mean = torch.stack(self.seen).mean(0)
        totals = [mean[span.start : span.stop].sum().item() for span in spans]
        return (
            totals
            if self.measure == "norms"
            else [total / max(len(span), 1) for total, span in zip(totals, spans, strict=True)]
        )


def _recorded(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: None, **options: Any
) -> tuple[Tensor, None]:
    """The form in which transformers calls an attention implementation: (1, heads, T, D) in, (1, T, H, D) out."""
    if extra := [name for name in UNKNOWN if options.get(name) is not None]:
        raise UserError(f"its attention uses {', '.join(extra)}")
    window = options.get("sliding_window")
    if window is not None and query.shape[2] > window:
        raise UserError(
            f"the reader's attention sees {window} tokens, and passages, question and answer are {query.shape[2]} "
            "together",
            remedy="take fewer candidates, a smaller passage_tokens, or another reader",
        )
    record: AttentionRecord = options["record"]
    return record.attend(query[0], key[0], value[0], options["scaling"]).transpose(0, 1).unsqueeze(0), None


def _unlike(model: Any) -> str:
    """What keeps a model that was loaded with the recorded attention from being read, in words; empty where nothing
    does."""

    config, record = model.config.get_text_config(), AttentionRecord(range(1), "norms")
    tokens = torch.tensor([[(7 + 7919 * number) % config.vocab_size for number in range(8)]], device=model.device)
    with torch.inference_mode():
        found = model.base_model(tokens, use_cache=False, record=record).last_hidden_state
        if len(record.seen) != config.num_hidden_layers:
            return "not all its layers call the attention that was set"
        model.set_attn_implementation(PLAIN)
        wanted = model.base_model(tokens, use_cache=False).last_hidden_state
        model.set_attn_implementation(RECORDED)
    rounding = 1e-3 if model.dtype == torch.float32 else 0.1
    # Written so that a NaN is a difference.
    return "" if (found - wanted).abs().max() <= rounding * wanted.abs().max() else "its own attention is another"


class AttentionAnswering(AnswerLikelihood):
    """Orders by attention; one pass a query, one call in the ledger. Not for sweep files: `attending` makes it."""

    def __init__(self, settings: LikelihoodSettings, base: Path, how: AnswerPromptSettings, measure: Measure) -> None:
        super().__init__(settings, base, how)
        self._measure: Measure = measure

    @property
    def identity(self) -> str:
        return digest(["attention", self._measure, super().identity])

    @property
    def _reader(self) -> str:
        several = self.computed_in.threads > 1
        return digest([super()._reader, str(self.computed_in)]) if several else super()._reader

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        read = {
            task.query: (task, self._pair_tokens.together(task))
            for task in tasks
            if isinstance(task, AnswerTask) and task.answer.strip()
        }
        keys = {query: self._key(together) for query, (_, together) in read.items()}
        held = ledger.held(keys.values())
        waiting = [query for query in read if keys[query] not in held]
        model = self._load() if waiting else None
        for number, query in enumerate(waiting, 1):
            ledger.put_many([self._ask(model, keys[query], read[query][1])])
            progress(number, len(waiting), "queries")
        answers = ledger.get_many(keys.values())
        for task in tasks:
            if task.query in keys:
                yield by_score(task, json.loads(answers[keys[task.query]].response)["attention"])
            else:
                yield Ranking(task.query, (), tuple(shown.id for shown in task.candidates), "failed", "no short answer")

    def estimate(self, tasks: Sequence[Task], ledger: CallLedger) -> Cost:
        read = [
            self._pair_tokens.together(task) for task in tasks if isinstance(task, AnswerTask) and task.answer.strip()
        ]
        keys = {self._key(together): len(together.context) + len(together.answer) for together in read}
        missing = keys.keys() - ledger.held(keys)
        return Cost(calls=len(missing), input_tokens=sum(keys[key] for key in missing))

    def guess(self, queries: int, depth: int) -> Cost:
        return Cost(queries, queries * (self._pair_tokens.longest + self.settings.max_query_tokens), exact=False)

    def _key(self, together: Together) -> str:
        spans = [[span.start, span.stop] for span in together.spans]
        return call_key(
            f"attention {_VERSION} {self._reader}", [self._measure, together.context, together.answer, spans]
        )

    def _load(self) -> Any:

        transformers.AttentionInterface.register(RECORDED, _recorded)
        try:
            model = load_causal(causal_folder(self._model), self.precision, RECORDED)
            fault = _unlike(model)
        except Exception as error:  # A model's own code may raise anything.
            model, fault = None, in_words(error)
        if fault:
            remedy = "take a reader whose attention is of the common kind, or leave this method out"
            raise UserError(
                f"the attention of '{self._model.name}' cannot be recorded: {fault}", key="teachers", remedy=remedy
            )
        return model

    def _ask(self, model: Any, key: str, together: Together) -> Call:

        begun = time.monotonic()
        before, size = len(together.context), len(together.answer)
        record = AttentionRecord(range(before - 1, before - 1 + size), self._measure)
        tokens = torch.tensor([[*together.context, *together.answer[:-1]]], device=model.device)
        with torch.inference_mode():
            model.base_model(tokens, use_cache=False, record=record)
        request = {
            "context": self._pair_tokens.pair_text(together.context),
            "continuation": self._pair_tokens.pair_text(together.answer),
        }
        return Call(
            key=key,
            model=self._model.name,
            request=json.dumps(request, ensure_ascii=False),
            response=json.dumps({"attention": record.of(together.spans)}),
            input_tokens=before + size,
            seconds=time.monotonic() - begun,
        )


def attending(teacher: Teacher, base: Path, how: AnswerPromptSettings, measure: Measure) -> AttentionAnswering:
    """The language model of `teacher`, whose attention is read. Raises UserError when it does not run in this
    process."""
    if type(teacher) is not Likelihood:
        raise UserError(
            f"a teacher of kind '{teacher.name}' shows no attention",
            key="teachers",
            remedy=f"take one of kind {Likelihood.name}",
        )
    changed = {"max_passage_tokens": how.passage_tokens or teacher.settings.max_passage_tokens}
    return AttentionAnswering(teacher.settings.model_copy(update=changed), base, how, measure).derived_from(teacher)

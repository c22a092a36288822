"""A reader: any teacher that answers in words, asked for short answers in place of an order. Ledger, limits and prices
as ever."""

from __future__ import annotations

from pathlib import Path

import yaml

from harness.errors import UserError
from harness.labelling.labels.teacher import Teacher
from harness.llm.chat_teacher import ChatTeacher
from harness.qa.answer_prompter import AnswerAsking, prompts
from harness.teachers.make import teacher_from

_WAYS = (
    "write KIND:MODEL (transformers:bundled:smollm2-135m, litellm:openai/gpt-4.1-mini) or '{kind: KIND, model: "
    "MODEL, ...}'"
)


def reader(
    teacher: Teacher, base: Path, prompt: str | None = None, closed_book_prompt: str | None = None
) -> ChatTeacher:
    """The model of `teacher`, asked for answers; its other settings (sampling, words of a passage) stay. Paths start
    from `base`.

    Raises UserError when it does not answer in words, or for a prompt that cannot be used.
    """
    if not isinstance(teacher, ChatTeacher):
        remedy = "take a chat model: kind transformers, vllm or litellm (see docs/teachers.md)"
        raise UserError(
            f"a teacher of kind '{teacher.name}' does not answer in words, so it reads nothing",
            key="reader",
            remedy=remedy,
        )
    # Guided decoding knows permutations and choices only.
    free = {"guided": False} if "guided" in type(teacher.settings).model_fields else {}
    asked = type(teacher)(teacher.settings.model_copy(update=free), base).derived_from(teacher)
    settings = teacher.settings
    asked.asking = AnswerAsking(
        settings.ask, settings.on_malformed, prompts(base, prompt, closed_book_prompt), asked.own_tokens
    )
    return asked


def named_reader(text: str, base: Path = Path()) -> ChatTeacher:
    """The reader that `text` describes: KIND:MODEL, or the YAML mapping of a teacher. Raises UserError."""
    return reader(teacher_from(_spec(text), base), base)


def _spec(text: str) -> dict[str, object]:
    if text.lstrip().startswith("{"):
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UserError(f"the reader is no YAML: {error}", key="--reader", remedy=_WAYS) from error
        return dict(found)
    kind, colon, model = text.partition(":")
    if not (kind and colon and model):
        raise UserError(f"'{text}' names no reader", key="--reader", remedy=_WAYS)
    return {"kind": kind, "model": model}

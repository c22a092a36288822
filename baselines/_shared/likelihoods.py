"""Lists for the methods that read a language model's likelihoods, of the query or of a known answer; methods that ask alike share them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from baselines._shared.refresh import RefreshSettings
from harness.method import Kit
from harness.stage import Stage

if TYPE_CHECKING:
    from harness.labelling.labels.teacher import Teacher
    from harness.teachers.attention.attention_answering import Measure


class AnswerSettings(RefreshSettings):
    """How the reader is asked for the answer, and how the retriever is trained."""

    prompt: str | None = Field(None, description="a .yaml file whose text holds {passage}, {query} and ends with {answer}; ours by default")


def query_lists(kit: Kit, mean: bool, prompt: str | None) -> Stage:
    """Candidates scored by log p(query | passage), its mean over the tokens where `mean` is set; `prompt` replaces the teacher's own.

    Raises UserError when the cell's teacher gives no likelihoods.
    """
    from harness.teachers.likelihood.answer_likelihood import likelihoods
    from harness.training_lists.list_stages import RankedLists

    assert kit.teacher is not None, "the method must list 'teacher' among its axes"
    teacher = likelihoods(kit.teacher)
    changed = {"normalise": "mean" if mean else "sum", "prompt": prompt or teacher.settings.prompt}
    asked = type(teacher)(teacher.settings.model_copy(update=changed), kit.base).made_from(teacher)
    return RankedLists(labels=replace(kit, teacher=asked).labels(), draw=kit.draw())


def answer_lists(kit: Kit, mean: bool, prompt: str | None) -> Stage:
    """Candidates scored by log p(answer | passage, query), its mean over the tokens where `mean` is set.

    Raises UserError when the cell's teacher gives no likelihoods and when the collection's training queries have no answers.
    """
    from harness.teachers.likelihood.answer_likelihood import Asking, answer_prompt, answering

    assert kit.teacher is not None, "the method must list 'teacher' among its axes"
    return _lists(kit, answering(kit.teacher, kit.base, Asking(prompt=answer_prompt(prompt, kit.base), mean=mean)))


def left_out_lists(kit: Kit, prompt: str | None, passage_tokens: int) -> Stage:
    """Candidates scored by minus the mean-token log p(answer | all other candidates, query). Raises UserError as `answer_lists` does."""
    from harness.teachers.likelihood.answer_likelihood import Asking, answer_prompt, answering

    assert kit.teacher is not None, "the method must list 'teacher' among its axes"
    how = Asking(answer_prompt(prompt, kit.base), "leave-one-out", True, passage_tokens, max(kit.list_depth - 1, 1))
    return _lists(kit, answering(kit.teacher, kit.base, how))


def attention_lists(kit: Kit, prompt: str | None, passage_tokens: int, measure: Measure) -> Stage:
    """Candidates scored by the attention that they get while the answer is read. Raises UserError as `answer_lists` does."""
    from harness.teachers.attention.attention_answering import attending
    from harness.teachers.likelihood.answer_likelihood import Asking, answer_prompt

    assert kit.teacher is not None, "the method must list 'teacher' among its axes"
    how = Asking(prompt=answer_prompt(prompt, kit.base), passage_tokens=passage_tokens, depth=kit.list_depth)
    return _lists(kit, attending(kit.teacher, kit.base, how, measure))


def _lists(kit: Kit, teacher: Teacher) -> Stage:
    from harness.teachers.likelihood.answer_label_stage import AnswerLabels, Answers
    from harness.training_lists.list_stages import RankedLists

    labels = AnswerLabels(
        teacher=teacher,
        draw=kit.draw(),
        candidates=kit.candidates,
        corpus=kit.collection.corpus,
        depth=kit.list_depth,
        answers=Answers.of(kit.collection),
    )
    return RankedLists(labels=labels, draw=kit.draw())

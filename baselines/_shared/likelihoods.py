"""Lists for the methods that read a language model's likelihoods, of the query or of a known answer; methods that ask
alike share them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from baselines._shared.refresh import RefreshSettings
from harness.method import MethodInputs
from harness.stage import Stage
from harness.teachers.attention.attention_answering import attending
from harness.teachers.likelihood.answer_label_stage import AnswerLabels, Answers
from harness.teachers.likelihood.answer_likelihood import AnswerPromptSettings, answer_prompt, answering, likelihoods
from harness.training_lists.list_stages import RankedLists

if TYPE_CHECKING:
    from harness.labelling.labels.teacher import Teacher
    from harness.teachers.attention.attention_answering import Measure


class AnswerSettings(RefreshSettings):
    """How the reader is asked for the answer, and how the retriever is trained."""

    prompt: str | None = Field(
        None, description="a .yaml file whose text holds {passage}, {query} and ends with {answer}; ours by default"
    )


def query_lists(inputs: MethodInputs, mean: bool, prompt: str | None) -> Stage:
    """Candidates scored by log p(query | passage), its mean over the tokens where `mean` is set; `prompt` replaces the
    teacher's own.

    Raises UserError when the cell's teacher gives no likelihoods.
    """

    assert inputs.teacher is not None, "the method must list 'teacher' among its axes"
    teacher = likelihoods(inputs.teacher)
    changed = {"normalise": "mean" if mean else "sum", "prompt": prompt or teacher.settings.prompt}
    asked = type(teacher)(teacher.settings.model_copy(update=changed), inputs.base).derived_from(teacher)
    return replace(inputs, teacher=asked).teacher_lists()


def answer_lists(inputs: MethodInputs, mean: bool, prompt: str | None) -> Stage:
    """Candidates scored by log p(answer | passage, query), its mean over the tokens where `mean` is set.

    Raises UserError when the cell's teacher gives no likelihoods and when the collection's training queries have no
    answers.
    """

    assert inputs.teacher is not None, "the method must list 'teacher' among its axes"
    return _lists(
        inputs,
        answering(
            inputs.teacher, inputs.base, AnswerPromptSettings(prompt=answer_prompt(prompt, inputs.base), mean=mean)
        ),
    )


def left_out_lists(inputs: MethodInputs, prompt: str | None, passage_tokens: int) -> Stage:
    """Candidates scored by minus the mean-token log p(answer | all other candidates, query). Raises UserError as
    `answer_lists` does."""

    assert inputs.teacher is not None, "the method must list 'teacher' among its axes"
    how = AnswerPromptSettings(
        answer_prompt(prompt, inputs.base), "leave-one-out", True, passage_tokens, max(inputs.list_depth - 1, 1)
    )
    return _lists(inputs, answering(inputs.teacher, inputs.base, how))


def attention_lists(inputs: MethodInputs, prompt: str | None, passage_tokens: int, measure: Measure) -> Stage:
    """Candidates scored by the attention that they get while the answer is read. Raises UserError as `answer_lists`
    does."""
    assert inputs.teacher is not None, "the method must list 'teacher' among its axes"
    how = AnswerPromptSettings(
        prompt=answer_prompt(prompt, inputs.base), passage_tokens=passage_tokens, depth=inputs.list_depth
    )
    return _lists(inputs, attending(inputs.teacher, inputs.base, how, measure))


def _lists(inputs: MethodInputs, teacher: Teacher) -> Stage:

    labels = AnswerLabels(
        teacher=teacher,
        subset=inputs.subset(),
        candidates=inputs.candidates,
        corpus=inputs.collection.corpus,
        depth=inputs.list_depth,
        answers=Answers.of(inputs.collection),
    )
    return RankedLists(labels=labels, subset=inputs.subset())

"""The forms of published labels that can be imported, by name."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import UserError, did_you_mean
from harness.labelling.exchange.grades_form import GradesForm
from harness.labelling.exchange.label_form import LabelForm
from harness.labelling.exchange.rank_llm_form import RankLlmForm
from harness.labelling.exchange.rankgpt_form import RankGptForm
from harness.labelling.exchange.reasonrank_form import ReasonRankForm
from harness.labelling.exchange.trec_form import TrecForm

LABEL_FORMS: Mapping[str, LabelForm] = {
    form.name: form for form in (TrecForm(), RankGptForm(), RankLlmForm(), ReasonRankForm(), GradesForm())
}


def label_form(name: str) -> LabelForm:
    """The form of that name. Raises UserError."""
    if name not in LABEL_FORMS:
        raise UserError(f"unknown form of labels '{name}'", what="--as", remedy=did_you_mean(name, LABEL_FORMS))
    return LABEL_FORMS[name]

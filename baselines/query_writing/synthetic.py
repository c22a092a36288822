"""Synthetic queries: a language model writes a query for each of some documents, and contrastive training learns from
the pairs.

InPars (Bonifacio et al., arXiv 2202.05144) and Promptagator (Dai et al., arXiv 2209.11755): write q for d, keep it if d
is found among the first `within` for q (Promptagator's round-trip filter, with 1), train by InfoNCE with hard and
in-batch negatives. No training query is read, of a person or otherwise, and no label.

As many documents are read as the order methods read: with `documents_a_label` left out, queries are written for budget
times the list's depth, at most for every document once; tokens are not equal, for every document is a call. Queries
equal to one of dev or test are dropped.

Departures. The prompt has no examples (InPars: 3, Promptagator: up to 8 of the task at hand). The filter uses the
untrained student where Promptagator trains a retriever on all pairs first, and InPars takes the most probable queries.
Whatever teacher of the sweep answers in words writes, at its own temperature; InPars uses GPT-J-6B and 64 new tokens,
Promptagator FLAN-137B.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.written import WritingSettings, written_lists
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class SyntheticSettings(WritingSettings):
    """How queries are written and kept, and the loss."""

    within: int | None = Field(
        1, ge=1, description="keep queries that find their document among so many; null keeps all"
    )
    retriever_loss: LossChoice = Field(
        {"name": "infonce", "in_batch": True}, description="a contrastive loss over written queries and their documents"
    )


class Synthetic(RetrieverMethod):
    """Queries that the teacher writes for documents train the retriever."""

    name = "synthetic-queries"
    summary = "the LLM writes queries for documents, those that find them back train the retriever (InfoNCE)"
    source = "InPars, arXiv 2202.05144; Promptagator, arXiv 2209.11755"
    needs = ("text",)
    category = "baseline"
    settings: SyntheticSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        lists = written_lists(inputs, self.settings, self.settings.within)
        return inputs.train_retriever(lists, self.settings.retriever_loss, self.settings)

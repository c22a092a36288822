"""Both stages of Syntriever (Kim & Baek, Findings of NAACL 2025, arXiv 2502.03824): data that the teacher makes up,
then preferences.

Stage 1: contrastive training on queries that the teacher writes for documents, kept if they find their document back.
Stage 2: from there on, pairwise preferences under a partial Plackett-Luce model, as in `syntriever` (syntriever.py).

Departures of stage 1. The paper has the teacher write passages, relevant and plausible but wrong, for training queries,
and judge them itself; here it writes queries for documents that are there, hard negatives are documents that the
untrained student finds, and the round trip takes the place of the judgement (Promptagator, arXiv 2209.11755): so
nothing is learnt that the collection does not hold. It is paid beside the labels of stage 2: one document for each of
the budget unless `documents_a_label` says otherwise. Those of stage 2 are syntriever.py's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator

from baselines._shared.written import WritingSettings, written_lists
from baselines.black_box.syntriever import SyntrieverSettings, preferred
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class SyntrieverStagesSettings(SyntrieverSettings, WritingSettings):
    """Those of both stages; epochs, learning rate and batch hold for each."""

    documents_a_label: int | None = Field(
        1,
        ge=1,
        description="documents that a query is written for, for each of the budget; null: as many as a list holds",
    )
    within: int | None = Field(
        1, ge=1, description="keep queries that find their document among so many; null keeps all"
    )
    written_loss: LossChoice = Field({"name": "infonce", "in_batch": True}, description="a contrastive loss of stage 1")

    @model_validator(mode="after")
    def _documents_learn(self) -> Self:
        if self.frozen_documents:
            raise ValueError(
                "stage 2 goes on from the encoder of stage 1, of which frozen_documents would leave two: leave it out"
            )
        return self


class SyntrieverStages(RetrieverMethod):
    """Queries that the teacher writes, then its preferences, train the retriever."""

    name = "syntriever-stages"
    summary = (
        "queries that the LLM writes, then its pairwise preferences train the retriever (InfoNCE, partial "
        "Plackett-Luce)"
    )
    source = "arXiv 2502.03824"
    needs = ("order", "text")
    category = "baseline"
    settings: SyntrieverStagesSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        begun = inputs.train_retriever(
            written_lists(inputs, settings, settings.within), settings.written_loss, settings
        )
        return replace(inputs, retriever=begun).train_retriever(
            preferred(inputs, settings), settings.retriever_loss, settings
        )

"""Synthetic queries: a language model writes a query for each of some documents, and contrastive training learns from the pairs.

InPars (Bonifacio et al., arXiv 2202.05144) and Promptagator (Dai et al., arXiv 2209.11755): write q for d, keep it if d is found among the
first `within` for q (Promptagator's round-trip filter, with 1), train by InfoNCE with hard and in-batch negatives. No training query is
read, of a person or otherwise, and no label.

At equal tokens: with `documents_a_label` left out, as many documents are written for as a listwise teacher of the same budget reads,
budget times the list's depth. Ones equal to a dev or test query are dropped.

Departures. The prompt has no examples (InPars: 3, Promptagator: up to 8 of the task at hand). The filter uses the untrained student where
Promptagator trains a retriever on all pairs first, and InPars takes the most probable queries. Whatever teacher of the sweep answers in
words writes, at its own temperature; InPars uses GPT-J-6B and 64 new tokens, Promptagator FLAN-137B.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines.settings import LossChoice, StudentSettings, retriever_trained
from harness.method import Group, Kit, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage


class SyntheticSettings(StudentSettings):
    """How queries are written and kept, and the loss."""

    prompt: str | None = Field(None, description="a .yaml file whose text holds {passage}; ours by default")
    documents_a_label: int | None = Field(
        None, ge=1, description="documents that a query is written for, for each of the budget; left out: as many as a list holds"
    )
    within: int | None = Field(1, ge=1, description="keep queries that find their document among so many; null keeps all")
    retriever_loss: LossChoice = Field(
        {"name": "infonce", "in_batch": True}, description="a contrastive loss over written queries and their documents"
    )


class Synthetic(RetrieverMethod):
    """Queries that the teacher writes for documents train the retriever."""

    name = "synthetic-queries"
    summary = "the LLM writes queries for documents, those that find them back train the retriever (InfoNCE)"
    source = "InPars, arXiv 2202.05144; Promptagator, arXiv 2209.11755"
    standing: ClassVar[Group] = "baseline"
    sees = ("nothing",)
    Settings: ClassVar[type[Settings]] = SyntheticSettings
    settings: SyntheticSettings

    def retriever(self, kit: Kit) -> Stage:
        from harness.retrieval.stages import DenseSearch, Embed
        from harness.students.written_lists import ConsistentLists, QueryLabels, WrittenQueries
        from harness.teachers.writing import writer

        settings, collection = self.settings, kit.collection
        assert kit.teacher is not None and kit.budget is not None
        labels = QueryLabels(
            teacher=writer(kit.teacher, kit.base, settings.prompt),
            draw=kit.draw(),
            candidates=kit.candidates,
            corpus=collection.corpus,
            depth=1,
            documents=min(kit.budget * (settings.documents_a_label or kit.list_depth), len(collection.corpus)),
        )
        held_out = tuple(collection.queries(split) for split in collection.splits if split != "train")
        written = WrittenQueries(labels=labels, held_out=held_out)
        embedded = Embed(model=kit.retriever, texts=collection.corpus, max_length=kit.max_length)
        found = DenseSearch(
            model=kit.retriever,
            corpus=embedded,
            queries=written,
            ids=collection.corpus,
            depth=max(kit.list_depth, settings.within or 0),
        )
        lists = ConsistentLists(written=written, candidates=found, depth=kit.list_depth, within=settings.within)
        return retriever_trained(kit, lists, settings, settings.retriever_loss)

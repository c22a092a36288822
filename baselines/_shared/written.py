"""What the methods share that have queries written for documents: how they are asked for, and the training lists they
make."""

from __future__ import annotations

from pydantic import Field

from harness.collections.own_documents import plain_queries
from harness.method import MethodInputs
from harness.stage import Stage
from harness.teachers.writing import writer
from harness.training.student_settings import StudentSettings
from harness.training_lists.written_queries import ConsistentLists, QueryLabels, WrittenQueries


class WritingSettings(StudentSettings):
    """How queries are written, and for how many documents."""

    prompt: str | None = Field(None, description="a .yaml file whose text holds {passage}; ours by default")
    documents_a_label: int | None = Field(
        None,
        ge=1,
        description="documents that a query is written for, for each of the budget; left out: as many as a list holds",
    )


def written_lists(inputs: MethodInputs, settings: WritingSettings, within: int | None) -> Stage:
    """Lists of written queries: the document that each was written for, then what the untrained student finds for it
    instead.

    Kept are queries that find their document among the first `within`; all, where None. None equals a query of a
    held-out split.
    """

    collection = inputs.collection
    assert inputs.teacher is not None and inputs.budget is not None, (
        "the method must list 'teacher' and 'budget' among its axes"
    )
    labels = QueryLabels(
        teacher=writer(inputs.teacher, inputs.base, settings.prompt),
        subset=inputs.subset(),
        candidates=inputs.candidates,
        corpus=collection.corpus,
        depth=1,
        documents=min(inputs.budget * (settings.documents_a_label or inputs.list_depth), len(collection.corpus)),
    )
    held_out = tuple(plain_queries(collection.queries(split)) for split in collection.splits if split != "train")
    written = WrittenQueries(labels=labels, held_out=held_out)
    found = inputs.search(inputs.retriever, written, max(inputs.list_depth, within or 0))
    return ConsistentLists(written=written, candidates=found, depth=inputs.list_depth, within=within)

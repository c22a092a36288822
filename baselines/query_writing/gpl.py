"""GPL (Wang et al., NAACL 2022, arXiv 2112.07577): written queries, mined negatives, a ranker's margins as pseudo
labels.

For a query q written for d+ and negatives d- that a retriever finds: L = mean over d- of ((s+ - s-) - (t+ - t-))^2, t a
cross-encoder's scores. A query that fits its document badly gets a small or negative margin, so no filter is needed. No
training query is read and no label. As in `synthetic-queries`, as many documents are read as the order methods read at
the same budget.

Departures. Whatever teacher of the sweep writes takes the place of a T5 that was trained to write queries (3 a passage,
here 1). The untrained student mines the negatives, as many as a list holds, where GPL draws from 50 of each of two
retrievers; all count at once, where GPL draws one a step. The ranker is `ranker: {start: ..., architecture:
cross-encoder}`, GPL's a MiniLM trained on MS MARCO. As released: 140k steps, batch 32, 350 tokens.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.written import WritingSettings, written_lists
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import RankerSettings


class GPLSettings(WritingSettings):
    """How queries are written, the ranker that scores, and the loss."""

    ranker: RankerSettings = Field(RankerSettings(), description="the ranker; it is not trained on labels")
    retriever_loss: LossChoice = Field(
        "margin-mse", description="a loss over the ranker's scores, the query's own document first"
    )


class GPL(RetrieverMethod):
    """A ranker's margins on queries that the teacher writes train the retriever."""

    name = "gpl"
    summary = (
        "the LLM writes queries for documents, an off-the-shelf ranker's margins on them train the retriever "
        "(Margin-MSE)"
    )
    source = "arXiv 2112.07577"
    needs = ("text",)
    category = "baseline"
    settings: GPLSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        ranker = inputs.untrained_ranker(settings.ranker)
        lists = inputs.score_lists(ranker, written_lists(inputs, settings, within=None), settings.ranker)
        return inputs.train_retriever(lists, settings.retriever_loss, settings)

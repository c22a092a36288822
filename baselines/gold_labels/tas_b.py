"""TAS-B (Hofstaetter et al., SIGIR 2021, arXiv 2104.06967): topic-aware batches for Margin-MSE.

L = mean over d- of ((s+ - s-) - (t+ - t-))^2, where d- runs over the list's own negatives and over documents of queries
of the same cluster; t are an off-the-shelf ranker's scores. Gold labels say which document is d+; no LLM.

Departures. The batch of a query is part of its list: the gold document and one negative each of `mates` queries from
its cluster, scored by the ranker as the paper's second teacher (ColBERT) does. Clusters and mates are drawn anew for
every pass over the queries (`redraw: false`: once); the passes are shuffled into one another under one learning-rate
schedule. Both kinds of negatives weigh alike; the paper weighs the second with 0.75. Its bins of equal margins are not
needed, for lists hold all their candidates. As released: 2,000 clusters of 400,000 queries, batch 32 (256 in the
paper), lr 7e-6.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.passes import Passes
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import RankerSettings, StudentSettings
from harness.training_lists.topic_aware import TopicAwareLists

_APART = 1_000_003
"""Between the seeds of two passes: more than there are resamples."""


class TASBSettings(StudentSettings):
    """The clusters, the ranker that scores, and the loss."""

    cluster_size: int = Field(20, ge=2, description="queries to a cluster, about")
    mates: int = Field(8, ge=1, description="queries of the same cluster whose documents join a list")
    redraw: bool = Field(True, description="draw clusters and mates anew for every epoch")
    ranker: RankerSettings = Field(RankerSettings(), description="the ranker; it is not trained on labels")
    retriever_loss: LossChoice = Field(
        "margin-mse", description="a loss over the ranker's scores, the gold document first"
    )


class TASB(RetrieverMethod):
    """A ranker's margins among documents of like queries train the retriever."""

    name = "tas-b"
    summary = "an off-the-shelf ranker's margins, negatives of like queries included, train the retriever, no LLM"
    source = "arXiv 2104.06967"
    needs = ("gold labels",)
    category = "baseline"
    settings: TASBSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        if not settings.redraw or settings.epochs == 1:
            return self._trained(inputs, self._mixed(inputs, 0), settings)
        passes = Passes(passes=tuple(self._mixed(inputs, number) for number in range(settings.epochs)))
        stop = settings.stop and settings.stop.model_copy(update={"checks": settings.stop.checks * settings.epochs})
        return self._trained(inputs, passes, settings.model_copy(update={"epochs": 1, "stop": stop}))

    def _trained(self, inputs: MethodInputs, lists: Stage, settings: TASBSettings) -> Stage:
        ranker = inputs.untrained_ranker(settings.ranker)
        scored = inputs.score_lists(ranker, lists, settings.ranker)
        return inputs.train_retriever(scored, settings.retriever_loss, settings)

    def _mixed(self, inputs: MethodInputs, number: int) -> Stage:
        """The lists of pass `number`."""

        settings = self.settings
        return TopicAwareLists(
            lists=inputs.gold_lists(most_positives=1),
            encoder=inputs.encoder("clustering of queries"),
            cluster_size=settings.cluster_size,
            cluster_neighbours=settings.mates,
            max_length=inputs.max_length,
            seed=_APART * number + (inputs.resample or 0),
        )

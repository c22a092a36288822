"""The ranker as it starts, as a re-ranker: what an off-the-shelf cross-encoder does without any label of ours.

With `ranker: {start: ..., architecture: cross-encoder}` any cross-encoder re-ranks the first stage of the evaluated
queries. A model without a trained head gets a random one and re-ranks at random; the bundled bi-encoders rank by their
cosines.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.reranking import RerankSettings, reranked
from harness.method import Method, MethodInputs
from harness.stage import Stage
from harness.training.student_settings import RankerSettings


class RankerRerankSettings(RerankSettings):
    """The ranker and what it re-ranks."""

    ranker: RankerSettings = Field(RankerSettings(), description="the ranker; it is not trained on labels")


class RankerRerank(Method):
    """The first stage in the order of an untrained ranker."""

    name = "ranker-rerank"
    summary = "the ranker as it comes re-ranks the first stage, no training"
    source = "monoBERT style re-ranking, arXiv 1901.04085"
    category = "reference"
    settings: RankerRerankSettings

    def run(self, inputs: MethodInputs) -> Stage:
        how = self.settings.ranker
        return reranked(inputs, inputs.untrained_ranker(how), how, self.settings)

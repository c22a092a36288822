"""RocketQAv2 (Ren et al., EMNLP 2021, arXiv 2110.07367): retriever and ranker trained jointly by dynamic listwise
distillation.

For a list of a gold document and mined negatives, p_R = softmax(t) of the ranker and p_D = softmax(s / T) of the
retriever: L = KL(p_R || p_D) - log p_R(gold). Both models learn at once, and the gradient of the KL reaches both
(`mutual`; false lets it reach the retriever only). The direction is that of the released code. No LLM.

Lists are hybrid (`hybrid`): each as the untrained student mined it, and once more without negatives that the ranker, as
it starts, scores as high as the gold document.

Departures. The paper's denoising takes thresholds on the probabilities of a trained cross-encoder (below 0.1 negative,
above 0.9 a further positive): scores of any ranker have no such scale, so gold sets it, and nobody adds positives.
Negatives are mined by the untrained student, not by a trained RocketQA. Rates are the students' own; the paper: 1e-5
for both, 128 documents a list, 2 epochs, batch 384 x 8. A ranker that was never trained denoises at random.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.hybrid_lists import HybridLists
from baselines._shared.joint import JointRanker, TrainJointly
from baselines._shared.refresh import mined
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.models import ModelFiles, resolve_model
from harness.plugins import Settings
from harness.stage import Stage
from harness.training.train_settings import TrainSettings


class RocketQAv2Settings(Settings):
    """How both are trained, and on which lists."""

    epochs: int = Field(3, ge=1, description="passes over the training lists")
    learning_rate: float | None = Field(
        None, gt=0, description="the retriever's peak; left out: 3e-3 for a static student, 2e-5 for a transformer"
    )
    batch: int = Field(16, ge=1, description="lists a step")
    ranker: JointRanker = Field(JointRanker(), description="the ranker, trained along on the same gold labels")
    hybrid: bool = Field(True, description="lists also without the negatives that the ranker holds for relevant")
    mutual: bool = Field(True, description="the ranker, too, learns from the divergence; false: from gold labels only")
    ranker_loss: LossChoice = Field("infonce", description="a loss over gold labels")
    retriever_loss: LossChoice = Field("kl", description="a loss over the ranker's scores")


class RocketQAv2(RetrieverMethod):
    """A retriever and a ranker that learn from gold labels and from one another."""

    name = "rocketqa-v2"
    summary = (
        "retriever and ranker learn jointly from gold labels and one another (dynamic listwise distillation), no LLM"
    )
    source = "arXiv 2110.07367"
    needs = ("gold labels",)
    category = "baseline"
    settings: RocketQAv2Settings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings, how = self.settings, self.settings.ranker
        return TrainJointly(
            start=inputs.encoder("joint training with a ranker"),
            ranker=self._ranker(inputs),
            # Where the ranker starts is in the key as its content.
            how=how.model_copy(update={"start": None}),
            lists=self._lists(inputs),
            corpus=inputs.collection.corpus,
            retriever_loss=inputs.loss(settings.retriever_loss),
            ranker_loss=inputs.loss(settings.ranker_loss),
            mutual=settings.mutual,
            train=TrainSettings(epochs=settings.epochs, learning_rate=settings.learning_rate, batch=settings.batch),
            seed=inputs.seed or 0,
            max_length=inputs.max_length,
        )

    def _lists(self, inputs: MethodInputs) -> Stage:
        gold = mined(inputs).gold_lists(most_positives=1)
        if not self.settings.hybrid:
            return gold
        return HybridLists(lists=inputs.score_lists(self._ranker(inputs), gold, self.settings.ranker))

    def _ranker(self, inputs: MethodInputs) -> ModelFiles:
        start = self.settings.ranker.start
        return resolve_model(start, inputs.base) if start else inputs.ranker

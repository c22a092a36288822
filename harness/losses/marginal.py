"""The likelihood of the answer with the passage summed out: the retriever's shares are the weights of a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._lazy import lazy
from harness.losses._lists import mask_fill_min, masked_log_softmax, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class EMDR2LossSettings(LossSettings):
    """Nothing beside the student's temperature: the target's scores are log-likelihoods and are taken as such."""


class EMDR2Loss(Loss):
    """Minus the log of the marginal likelihood. No gradient reaches the reader; a padded place has no share.

    Its gradient in the student's scores is its shares less their posterior, which weighs each share with the answer's
    likelihood. It has no minimum inside: all weight on the likeliest passage is best.
    """

    name = "emdr2"
    summary = "likelihood of the answer, summed over passages with the student's shares as weights"
    source = "Sachan et al. (EMDR2), arXiv 2106.05346; as in Atlas, arXiv 2208.03299"
    formula = "-log sum_i exp(t_i) softmax(s)_i; t_i = log p(answer | passage i, query)"
    role = "retriever"
    needs = ("scores",)
    settings: EMDR2LossSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        if target.scores is None:
            raise ValueError("emdr2 needs the scores (log-likelihoods) of a reader, and these lists carry none")
        shares = masked_log_softmax(scores, target.mask, self.temperature)
        known = to_float32(target.scores.detach()).masked_fill(~target.mask, 0.0)
        lost = -mask_fill_min(shares + known, target.mask).logsumexp(1)
        return torch.where(target.mask.any(1), lost, torch.zeros_like(lost)).mean()

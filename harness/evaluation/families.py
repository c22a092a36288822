"""One family over several answers, for a claim that is made of several collections at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.errors import UserError
from harness.evaluation.answers import Compared, Comparison, Equivalence
from harness.evaluation.columns import verdict
from harness.evaluation.corrections import correct
from harness.evaluation.question import HOLM
from harness.evaluation.text import counted


def over_collections(answers: Mapping[str, Compared], correction: str = HOLM) -> dict[str, Compared]:
    """`answers` by collection, their p adjusted again over all comparisons of all of them; equivalence likewise, as a family of its own.

    Raises UserError on an unknown correction, and where the answers differ in alpha or in whether they ask for equivalence.
    """
    if len({(answer["alpha"], "margin" in answer) for answer in answers.values()}) > 1:
        raise UserError("the comparisons make no family", remedy="compare all collections at the same alpha, all or none for equivalence")
    rows = [row for answer in answers.values() for row in answer["comparisons"]]
    adjusted = correct(np.array([row["p"] for row in rows]), correction).tolist()
    alike = correct(np.array([row["equivalence"]["p"] if "equivalence" in row else 1.0 for row in rows]), correction).tolist()
    family = f"{counted(len(rows), 'comparison')} over {counted(len(answers), 'collection')}: {', '.join(answers)}"
    numbers = iter(zip(adjusted, alike, strict=True))
    return {
        name: Compared(
            {
                **answer,
                "correction": correction,
                "family": family,
                "comparisons": [_again(row, *next(numbers), answer["alpha"]) for row in answer["comparisons"]],
            }
        )
        for name, answer in answers.items()
    }


def _again(row: Comparison, adjusted: float, alike: float, alpha: float) -> Comparison:
    new = Comparison({**row, "p_adjusted": adjusted})
    if "equivalence" in row:
        new["equivalence"] = Equivalence(p=row["equivalence"]["p"], p_adjusted=alike)
    new["verdict"] = verdict(row["difference"], adjusted, new.get("equivalence"), alpha)
    return new

"""Every loss against its formula written out in plain Python, and against other people's code where there is any."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from torch import Tensor, nn

from tests.losses.lists import loss_from, padded, plackett_luce, softmax, target

S = [[0.3, -1.2, 2.0, 0.7], [1.5, 0.1], [0.4, 0.2, -0.6]]
T = [[2.0, 1.0, 0.5, -3.0], [0.0, 4.0], [1.0, 1.0, 1.0]]
SIZES = [4, 2, 3]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_listmle_is_the_log_likelihood_of_the_order() -> None:
    got = loss_from("listmle")(padded(S), target(SIZES)).item()
    assert got == pytest.approx(mean([-math.log(plackett_luce(row, len(row))) for row in S]), rel=1e-12)


def test_listmle_gives_every_order_of_a_list_a_probability_that_sums_to_one() -> None:
    orders = list(itertools.permutations(S[0]))
    losses = [loss_from("listmle")(padded([order]), target([4])).item() for order in orders]
    assert sum(math.exp(-loss) for loss in losses) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("placed", [0, 1, 2, 3])
def test_truncated_listmle_sums_over_all_orders_of_the_tail(placed: int) -> None:
    got = loss_from("listmle")(padded([S[0]]), target([4], [placed])).item()
    endings = itertools.permutations(S[0][placed:])
    assert math.exp(-got) == pytest.approx(
        sum(plackett_luce([*S[0][:placed], *ending], 4) for ending in endings), rel=1e-12
    )


def test_temperature_divides_the_scores() -> None:
    halved = padded(S) / 0.05
    for name in ("listmle", "ranknet", "softmax-ce", "listnet"):
        warm = loss_from({"name": name, "temperature": 0.05})(padded(S), target(SIZES))
        torch.testing.assert_close(warm, loss_from(name)(halved, target(SIZES)))
        torch.testing.assert_close(warm, loss_from(name, temperature=0.05)(padded(S), target(SIZES)))


def test_ranknet_takes_pairs_of_the_prefix_and_prefix_over_tail() -> None:
    def slow(row: list[float], placed: int) -> float:
        pairs = [(i, j) for i in range(placed) for j in range(i + 1, len(row))]
        return mean([math.log1p(math.exp(row[j] - row[i])) for i, j in pairs]) if pairs else 0.0

    ordered = [2, 2, 0]
    got = loss_from("ranknet")(padded(S), target(SIZES, ordered)).item()
    assert got == pytest.approx(mean([slow(row, placed) for row, placed in zip(S, ordered, strict=True)]), rel=1e-12)


def test_listnet_is_the_cross_entropy_with_reciprocal_ranks() -> None:
    ordered = [4, 1, 2]
    slow = []
    for row, placed in zip(S, ordered, strict=True):
        wanted = softmax([1 / (i + 1) if i < placed else 0.0 for i in range(len(row))], 0.5)
        slow.append(-sum(p * math.log(q) for p, q in zip(wanted, softmax(row), strict=True)))
    got = loss_from({"name": "listnet", "target_temperature": 0.5})(padded(S), target(SIZES, ordered)).item()
    assert got == pytest.approx(mean(slow), rel=1e-6)


def test_softmax_cross_entropy_looks_at_the_first() -> None:
    got = loss_from("softmax-ce")(padded(S), target(SIZES)).item()
    assert got == pytest.approx(mean([-math.log(softmax(row)[0]) for row in S]), rel=1e-12)


def test_infonce_sets_each_positive_against_the_negatives_only() -> None:
    gold = [[0, 2], [1], []]
    slow = []
    for row, places in zip(S, gold, strict=True):
        negatives = sum(math.exp(score) for i, score in enumerate(row) if i not in places)
        slow.append(
            mean([-math.log(math.exp(row[i]) / (math.exp(row[i]) + negatives)) for i in places]) if places else 0.0
        )
    got = loss_from("infonce")(padded(S), target(SIZES, gold=gold)).item()
    assert got == pytest.approx(mean(slow), rel=1e-12)


def divergence(name: str, student: list[float], teacher: list[float]) -> float:
    p, q = softmax(teacher, 0.7), softmax(student, 0.2)
    return {
        "kl": lambda: entropy(p, q),
        "reverse-kl": lambda: entropy(q, p),
        "jensen-shannon": lambda: jensenshannon(p, q) ** 2,
    }[name]()


@pytest.mark.parametrize("name", ["kl", "reverse-kl", "jensen-shannon"])
def test_divergences_agree_with_scipy(name: str) -> None:
    loss = loss_from({"name": name, "temperature": 0.2, "teacher_temperature": 0.7})
    got = loss(padded(S), target(SIZES, scores=padded(T))).item()
    assert got == pytest.approx(mean([divergence(name, s, t) for s, t in zip(S, T, strict=True)]), rel=1e-9)


@pytest.mark.parametrize(("ours", "torchs"), [("batchmean", "batchmean"), ("elementwise", "mean")])
def test_kl_reductions_are_torchs_on_even_lists(ours: str, torchs: str) -> None:
    student, teacher = torch.randn(5, 7, dtype=torch.float64), torch.randn(5, 7, dtype=torch.float64)
    got = loss_from({"name": "kl", "temperature": 0.1, "teacher_temperature": 0.3, "reduction": ours})(
        student, target([7] * 5, scores=teacher)
    )
    reference = nn.KLDivLoss(reduction=torchs)((student / 0.1).log_softmax(-1), (teacher / 0.3).softmax(-1))
    torch.testing.assert_close(got, reference)


def test_margin_mse_against_the_best_and_over_all_pairs() -> None:
    def slow(s: list[float], t: list[float], lefts: int) -> float:
        return mean(
            [((s[i] - s[j]) - (t[i] - t[j])) ** 2 for i in range(min(lefts, len(s))) for j in range(i + 1, len(s))]
        )

    wanted = target(SIZES, scores=padded(T))
    for pairs, lefts in (("best", 1), ("all", 9)):
        got = loss_from({"name": "margin-mse", "pairs": pairs})(padded(S), wanted).item()
        assert got == pytest.approx(mean([slow(s, t, lefts) for s, t in zip(S, T, strict=True)]), rel=1e-12)


class FixedScores(nn.Module):
    """A cross-encoder that answers with given scores, so that sentence-transformers' losses can be asked."""

    num_labels = 1
    device = torch.device("cpu")

    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__()
        self.rows = rows

    def preprocess(self, pairs: list[tuple[str, str]], **_: Any) -> dict[str, Tensor]:
        return {"score": torch.tensor([self.rows[int(query)][int(document)] for query, document in pairs])}

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"scores": features["score"]}


def inputs(rows: list[list[float]]) -> list[Any]:
    return [[str(i) for i in range(len(rows))], [[str(j) for j in range(len(row))] for row in rows]]


def test_listmle_agrees_with_sentence_transformers_on_ragged_lists() -> None:
    from sentence_transformers.cross_encoder.losses import ListMLELoss

    theirs = ListMLELoss(FixedScores(S))(inputs(S), [torch.arange(len(row), 0, -1.0) for row in S])
    assert loss_from("listmle")(padded(S), target(SIZES)).item() == pytest.approx(theirs.item(), rel=1e-5)


def test_listnet_agrees_with_sentence_transformers_on_ragged_lists() -> None:
    from sentence_transformers.cross_encoder.losses import ListNetLoss

    theirs = ListNetLoss(FixedScores(S))(inputs(S), [1 / torch.arange(1.0, len(row) + 1) for row in S])
    assert loss_from("listnet")(padded(S), target(SIZES)).item() == pytest.approx(theirs.item(), rel=1e-5)


def _grades(size: int, placed: int) -> list[float]:
    return [1 / (place + 1) if place < placed else 0.0 for place in range(size)]


def _decided(size: int, placed: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(placed) for j in range(i + 1, size)]


def _surprise(row: list[float], place: int) -> float:
    return -math.log(softmax(row[place:])[0])


def _sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))


def _soft_ranks(row: list[float]) -> list[float]:
    return [1 + sum(_sigmoid(other - one) for j, other in enumerate(row) if j != i) for i, one in enumerate(row)]


def _p_listmle(row: list[float], placed: int) -> float:
    weights = [2.0 ** (len(row) - place) - 1 for place in range(placed)]
    return sum(weight * _surprise(row, place) for place, weight in enumerate(weights)) / sum(weights) if placed else 0.0


def _weighted_ranknet(row: list[float], placed: int) -> float:
    grades = _grades(len(row), placed)
    pairs = [(grades[i] - grades[j], math.log1p(math.exp(row[j] - row[i]))) for i, j in _decided(len(row), placed)]
    return sum(weight * lost for weight, lost in pairs) / sum(weight for weight, _ in pairs) if pairs else 0.0


def _hinge(row: list[float], placed: int) -> float:
    return mean([max(0.0, 1 - (row[i] - row[j])) for i, j in _decided(len(row), placed)] or [0.0])


def _approx_ndcg(row: list[float], placed: int) -> float:
    gains = [2**grade - 1 for grade in _grades(len(row), placed)]
    ideal = sum(gain / math.log2(2 + place) for place, gain in enumerate(gains))
    return (
        1 - sum(gain / math.log2(1 + rank) for gain, rank in zip(gains, _soft_ranks(row), strict=True)) / ideal
        if ideal
        else 0.0
    )


def _adr_mse(row: list[float], placed: int) -> float:
    ranks = _soft_ranks(row)
    return mean([(ranks[place] - place - 1) ** 2 / math.log2(2 + place) for place in range(placed)] or [0.0])


def _bce(row: list[float], placed: int) -> float:
    grades = _grades(len(row), placed)
    return mean(
        [-y * math.log(_sigmoid(s)) - (1 - y) * math.log(1 - _sigmoid(s)) for s, y in zip(row, grades, strict=True)]
    )


def _pointwise_mse(row: list[float], placed: int) -> float:
    return mean([(_sigmoid(s) - y) ** 2 for s, y in zip(row, _grades(len(row), placed), strict=True)])


def _lambda(row: list[float], placed: int, weigh: Any) -> float:
    gains = [2**grade - 1 for grade in _grades(len(row), placed)]
    ideal = sum(gain / math.log2(2 + place) for place, gain in enumerate(gains))
    ranks = [1 + sum(other > one for other in row) for one in row]
    pairs = _decided(len(row), placed)
    scaled = [gain / ideal for gain in gains] if ideal else gains
    return sum(
        weigh(scaled[i], scaled[j], ranks[i], ranks[j]) * math.log2(1 + math.exp(row[j] - row[i])) for i, j in pairs
    )


def _at(rank: float) -> float:
    return 1 / math.log2(1 + rank)


_WEIGHTS: dict[str, Any] = {
    "lambdarank": lambda g, h, r, q: abs(g - h) * abs(_at(r) - _at(q)),
    "ndcg-loss1": lambda g, h, r, q: g * _at(r),
    "ndcg-loss2": lambda g, h, r, q: abs(g - h) * (_at(abs(r - q)) - _at(abs(r - q) + 1)),
    "ndcg-loss2++": lambda g, h, r, q: (
        abs(g - h) * (abs(_at(r) - _at(q)) + 10 * (_at(abs(r - q)) - _at(abs(r - q) + 1)))
    ),
}
_SLOW: dict[str, Any] = {
    "p-listmle": _p_listmle,
    "weighted-ranknet": _weighted_ranknet,
    "hinge": _hinge,
    "approx-ndcg": _approx_ndcg,
    "adr-mse": _adr_mse,
    "pointwise-bce": _bce,
    "pointwise-mse": _pointwise_mse,
    **{name: lambda row, placed, weigh=weigh: _lambda(row, placed, weigh) for name, weigh in _WEIGHTS.items()},
}


@pytest.mark.parametrize("ordered", [[4, 2, 3], [2, 1, 0]])
@pytest.mark.parametrize("name", _SLOW)
def test_losses_on_an_order_are_their_formulas(name: str, ordered: list[int]) -> None:
    got = loss_from(name)(padded(S), target(SIZES, ordered)).item()
    assert got == pytest.approx(
        mean([_SLOW[name](row, placed) for row, placed in zip(S, ordered, strict=True)]), rel=1e-5
    )


def test_top_k_plackett_luce_is_listmle_with_a_longer_tail() -> None:
    got = loss_from({"name": "top-k-pl", "k": 2})(padded(S), target(SIZES)).item()
    assert got == pytest.approx(loss_from("listmle")(padded(S), target(SIZES, [2, 2, 2])).item(), rel=1e-12)


def test_discounted_grades() -> None:
    got = loss_from({"name": "pointwise-mse", "grade": "discounted"})(padded([[0.0, 0.0]]), target([2])).item()
    assert got == pytest.approx(((0.5 - 1) ** 2 + (0.5 - 1 / math.log2(3)) ** 2) / 2, rel=1e-6)


def test_score_mse_is_the_mean_squared_error() -> None:
    got = loss_from("score-mse")(padded(S), target(SIZES, scores=padded(T, dtype=torch.float32))).item()
    assert got == pytest.approx(
        mean([mean([(s - t) ** 2 for s, t in zip(row, other, strict=True)]) for row, other in zip(S, T, strict=True)])
    )

"""Published labels of made-up teachers."""

from __future__ import annotations

import random
from pathlib import Path

from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.run_labels import packed, row_of
from harness.published.card_costs import Verdicts
from harness.published.provenance import Provenance, curve
from harness.published.result_folder import LABELS, PROVENANCE
from tests.leaderboard.runs import make_card, make_run, put, teacher
from tests.published.test_provenance import stage

CANDIDATES = tuple(f"d{number}" for number in range(5))
TRAINING = [f"t{number:02}" for number in range(40)]


def orders_of(seed: int) -> dict[str, tuple[str, ...]]:
    """An order of the candidates for every training query."""
    generator = random.Random(seed)
    return {query: tuple(generator.sample(CANDIDATES, len(CANDIDATES))) for query in TRAINING}


def labels_of(
    orders: dict[str, tuple[str, ...]], raw: str = "", shown: dict[str, tuple[str, ...]] | None = None
) -> bytes:
    """The file of a run that these orders taught; its ranker scores the candidates 1, 2, 3 and so on."""
    ranker = {document: float(number) for number, document in enumerate(CANDIDATES, 1)}
    rows = [
        row_of(
            Ranking(query, order, raw=raw, presented=(shown or {}).get(query, ())),
            f"text of {query}",
            CANDIDATES,
            ranker,
        )
        for query, order in orders.items()
    ]
    return packed([row for row in rows if row is not None], len(rows))


def making() -> bytes:
    """How such a run was made."""
    stages = (
        stage(kind="labels", label="labels of a teacher", seconds=1.0),
        stage(curve=curve(range(1, 401), [1 / step for step in range(1, 401)], ([200, 400], [0.5, 0.4]), 200)),
        stage(kind="retriever", label="kl", seconds=2.0, cached=False, curve=curve([1, 2], [0.5, 0.25], ([], []), 2)),
    )
    return Provenance(stages=stages).model_dump_json().encode()


def put_labelled(results: Path, name: str, orders: dict[str, tuple[str, ...]], raw: str = "", **more: object) -> Path:
    """A run of the teacher `name` with its labels and how it was made."""
    card = make_card(
        f"by-{name}",
        f"direct-{name}",
        budget=len(orders),
        resample=0,
        seed=0,
        teacher=teacher(name),
        labels=Verdicts(ok=len(orders)),
    )
    return put(results, card, make_run(0.5, 7), beside={LABELS: labels_of(orders, raw, **more), PROVENANCE: making()})  # type: ignore[arg-type]

"""Five recorded repeats of one teacher as one method with five runs: what a careful person would say of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.evaluation.metrics.lookup import evaluate
from harness.evaluation.metrics.per_query_file import write_scores
from harness.evaluation.significance import evaluate_run
from harness.evaluation.significance.variance import QUERIES, RESIDUAL, SEEDS
from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Row, Table
from harness.published.result_folder import publish, run_folder
from harness.retrieval.run import Run
from tests.leaderboard.runs import make_card

pytestmark = pytest.mark.shared
REPEATS = 5
Qrels = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def data(shared_data: Path) -> Path:
    return shared_data / "trec-dl"


@pytest.fixture(scope="module")
def qrels(data: Path) -> Qrels:
    found: Qrels = {}
    for line in (data / "qrels" / "dl19.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split()
        found.setdefault(query, {})[document] = int(grade)
    return found


@pytest.fixture(scope="module")
def repeats(data: Path) -> list[Run]:
    return [Run.read(path) for path in sorted((data / "rankings" / "gpt-3.5-turbo").glob("bm25.dl19.rep*.trec"))]


@pytest.fixture(scope="module")
def bm25(data: Path) -> Run:
    return Run.read(data / "candidates" / "bm25.dl19.trec")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, qrels: Qrels, repeats: list[Run], bm25: Run) -> Table:
    """The board of BM25 and of the repeats, published as five seeds of one method."""
    folder = tmp_path_factory.mktemp("repeats")
    cards = [make_card("bm25", "bm25"), *(make_card(f"gpt-{seed}", "gpt-3.5", seed=seed) for seed in range(REPEATS))]
    for card, run in zip(cards, [bm25, *repeats], strict=True):
        run.write(folder / "run.trec.gz")
        write_scores(folder / "metrics.parquet", evaluate(run.scores, qrels, ("nDCG@10", "R@100", "RR@10")))
        publish(run_folder(folder, card), card, folder / "run.trec.gz", folder / "metrics.parquet")
    (found,) = load_board(folder, baseline="bm25").tables
    return found


@pytest.fixture(scope="module")
def row(table: Table) -> Row:
    return next(row for row in table.rows if row.method == "gpt-3.5")


def test_they_are_one_row_that_is_better_than_bm25(table: Table, row: Row) -> None:
    assert (len(table.rows), row.runs, row.rank, row.flags) == (2, REPEATS, 1, ("not its declared baseline zero-shot",))
    assert row.against.verdict == "better"
    assert row.against.p_adjusted < 0.001
    assert row.against.interval.low > 0.1
    # Their published values: 0.674 to 0.694.
    assert 0.674 <= row.metrics["nDCG@10"].mean <= 0.694


def test_almost_all_that_is_uncertain_is_so_by_the_queries(row: Row) -> None:
    shares = row.variance.shares
    assert list(shares) == [QUERIES, SEEDS, RESIDUAL]
    assert shares[QUERIES] > 0.9
    estimate = row.metrics["nDCG@10"]
    assert estimate.deviation < 0.02
    width = estimate.interval.high - estimate.interval.low
    assert estimate.runs_interval.high - estimate.runs_interval.low < width / 4
    assert width == pytest.approx(2 * 1.96 * row.variance.standard_error, rel=0.1)


def test_each_is_better_than_bm25_and_none_differs_from_another(qrels: Qrels, repeats: list[Run], bm25: Run) -> None:
    against = evaluate_run.compare(repeats, qrels, baseline=bm25)["comparisons"]
    assert [row["verdict"] for row in against] == ["better"] * REPEATS
    among = evaluate_run.compare(repeats, qrels)["comparisons"]
    assert [row["verdict"] for row in among] == ["inconclusive"] * 10
    alike = evaluate_run.compare(repeats, qrels, question=evaluate_run.TestSpec(margin=0.05))["comparisons"]
    assert {row["verdict"] for row in alike} == {"equivalent"}


def test_the_documented_example_says_what_the_documentation_says(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    for path in [*(data / "rankings" / "gpt-3.5-turbo").glob("bm25.dl19.rep*.trec"), data / "qrels" / "dl19.tsv"]:
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/statistics.md", "exec"), {})
    (said,) = re.findall(r"^which says `(.*?)`", page, flags=re.MULTILINE)
    assert capsys.readouterr().out.strip() == said

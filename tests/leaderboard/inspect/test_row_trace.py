"""Traces of rows: means over runs, one line, and in words why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.leaderboard.inspect.row_trace import load_traces, trace_of_run
from harness.published.result_folder import TRACE, read_card, read_folder
from harness.published.run_trace import RankerTrace, RunTrace
from tests.leaderboard.runs import make_card, make_run, put
from tests.leaderboard.traces import put_traced, trace_of

NAME = "intermediate · smollm2 · listmle → kl · 100 labels"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    put(folder, make_card("zero", budget=None), make_run(0.2, 1))
    put_traced(folder, 100, 0, 0.5, trace_of(1.0, 0))
    put_traced(folder, 100, 1, 0.7, trace_of(2.0, 1, held_out=False))
    put_traced(folder, 100, 2, 0.7, None)
    put_traced(folder, 300, 0, 0.7, None)
    return folder


def test_a_row_is_the_mean_of_its_runs_and_says_which_have_no_trace(results: Path) -> None:
    (found,) = load_traces(results, [NAME])
    one, two = trace_of(1.0, 0).ranker, trace_of(2.0, 1).ranker
    assert one is not None and two is not None and one.reranked is not None and two.reranked is not None
    steps = {(step.model, step.on): step for step in found.steps}
    assert steps["ranker", "evaluated queries"].value == pytest.approx((one.reranked.mean + two.reranked.mean) / 2)
    assert steps["ranker", "held-out lists"].value == pytest.approx(0.8)
    assert steps["student", "own lists"].tau == pytest.approx(0.7) and steps["student", "own lists"].chance == 0.7
    found_cards = map(read_card, results.glob("*/ours-100-[01]"))
    means = [card.outcome.metrics["nDCG@10"] for card in found_cards]  # type: ignore[union-attr]
    assert steps["retriever", "evaluated queries"].value == pytest.approx(sum(means) / 2)
    assert (found.runs, found.traced) == (3, 2)
    assert found.notes == ("1 of 3 runs were published without a trace",)


def test_one_line_from_the_judgments_to_the_retriever(results: Path) -> None:
    (found,) = load_traces(results, ["ours-100-1"])
    assert (found.runs, found.row) == (1, NAME)
    reranked = trace_of(2.0, 1).ranker.reranked.mean  # type: ignore[union-attr]
    own = read_card(next(results.glob("*/ours-100-1"))).outcome.metrics["nDCG@10"]  # type: ignore[union-attr]
    assert found.line == (
        "judgments: candidates 0.500, teacher 0.750 > "
        f"ranker (own 0.900 τ 0.80 / held-out –; re-ranks nDCG@10 {reranked:.3f}) > "
        f"student (own 0.850 τ 0.70 / held-out 0.750 τ 0.50) > retriever nDCG@10 {own:.3f}"
    )
    assert found.notes == ("ranker, held-out lists: all were learnt",)
    document = found.as_json()
    assert document["line"] == found.line and len(document["steps"]) == 9
    assert document["steps"][3] == {
        "model": "ranker",
        "on": "held-out lists",
        "target": "teacher",
        "metric": "nDCG@10",
        "value": None,
        "tau": None,
        "chance": None,
        "lists": None,
        "reason": "all were learnt",
        "sources": (),
    }


def test_held_out_queries_of_another_source_are_no_comparison(results: Path) -> None:
    fidelity = trace_of(1.0).student
    assert fidelity is not None and fidelity.held_out is not None
    titles = fidelity.held_out.model_copy(update={"sources": {"train": 1, "titles": 9}})
    put_traced(results, 500, 0, 0.7, RunTrace(student=fidelity.model_copy(update={"held_out": titles})))
    (found,) = load_traces(results, ["ours-500-0"])
    assert "/ held-out of train and titles 0.750" in found.line
    assert found.notes == ("student, held-out lists: queries of train and titles, another mixture than those learnt",)


def test_parts_that_a_method_lacks_are_left_out(results: Path) -> None:
    put_traced(results, 500, 0, 0.7, RunTrace(student=trace_of(1.0).student))
    ranker = RankerTrace(teacher=trace_of(1.0).ranker.teacher)  # type: ignore[union-attr]
    put_traced(results, 700, 0, 0.7, RunTrace(ranker=ranker))
    assert load_traces(results, ["ours-500-0"])[0].line.startswith("student (own 0.850")
    line = load_traces(results, ["ours-700-0"])[0].line
    assert line.startswith("ranker (own 0.900 τ 0.80 / held-out 0.800 τ 0.60) > run nDCG@10")


def test_rows_are_found_by_beginning_words_and_id(results: Path) -> None:
    put_traced(results, 300, 1, 0.7, trace_of(1.0))
    both = load_traces(results, ["intermediate"])
    assert [one.row for one in both] == [one.row for one in load_traces(results)] and len(both) == 2
    assert [one.row for one in load_traces(results, ["smollm2 100 labels"])] == [NAME]
    assert load_traces(results, [NAME], collection=both[0].collection)[0].row == NAME


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "300 labels",
            r"the row 'intermediate .* 300 labels' has no trace: it was published without one\n.*run its sweep",
        ),
        ("zero-shot", "no teacher and no ranker taught it"),
        ("intermedate", "no row 'intermedate'\n.*did you mean 'intermediate'"),
    ],
)
def test_why_a_row_has_none(results: Path, row: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_traces(results, [row])


def test_a_folder_without_traces_says_how_to_get_them(tmp_path: Path) -> None:
    put_traced(tmp_path, 100, 0, 0.5, None)
    with pytest.raises(UserError, match=r"no row has a trace\n.*run its sweep again"):
        load_traces(tmp_path)


def test_a_bad_file_is_named(results: Path) -> None:
    folder = put_traced(results, 900, 0, 0.5, trace_of(1.0))
    (folder / TRACE).write_text("{")
    with pytest.raises(UserError, match=TRACE):
        load_traces(results, ["900 labels"])
    with pytest.raises(UserError, match=TRACE):
        trace_of_run(read_folder(folder))


def test_one_run(results: Path) -> None:
    found = trace_of_run(read_folder(next(results.glob("*/ours-100-0"))))
    assert found is not None and (found.row, found.notes) == ("ours-100-0", ())
    assert trace_of_run(read_folder(next(results.glob("*/ours-100-2")))) is None


def test_what_a_stranger_writes_is_shown_plain(results: Path) -> None:
    trace = RunTrace(ranker=RankerTrace(teacher=trace_of(1.0, held_out=False).ranker.teacher))  # type: ignore[union-attr]
    odd = trace.model_copy(
        update={"ranker": RankerTrace(teacher=trace.ranker.teacher.model_copy(update={"reason": "a\x1b[31mb"}))}  # type: ignore[union-attr]
    )
    put_traced(results, 900, 0, 0.5, odd)
    (found,) = load_traces(results, ["900 labels"])
    assert "\x1b" not in found.notes[0]

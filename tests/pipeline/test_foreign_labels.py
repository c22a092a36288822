"""Labels that others published become files that the teacher `recorded` replays, matched to a collection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.labelling.labels.agreement import order_presented
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task
from harness.leaderboard.board import load_board
from harness.ledger.ledger import Ledger
from harness.pipeline.labels.foreign_labels import Publication, import_published, render_published
from harness.pipeline.workspace import Workspace
from harness.progress import silent
from harness.published.card_costs import OrderPresented, Verdicts
from harness.teachers.make import teacher_from
from tests.leaderboard import runs as run_cards

TEXTS = {
    "a": "Apples are the fruits of trees that people have grown for thousands of years.",
    "b": "Bread is baked from flour, water and – in most places – yeast or sourdough.",
    "c": "Cheese is made from milk; there are more kinds of it than days in a year [1].",
    "d": "Dates grow on palms and are dried in the sun before they travel a long way.",
    "e": "Dates grow on palms and are dried in the sun before they travel a long way.",
}
QUERIES = {"q1": "what is cheese made of?", "q2": "who bakes bread"}


def write_collection(folder: Path, queries: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """A folder in BEIR's format, as a sweep file names it."""
    (folder / "qrels").mkdir(parents=True)
    _write_lines(folder / "corpus.jsonl", ({"_id": id, "title": "", "text": text} for id, text in texts.items()))
    _write_lines(folder / "queries.jsonl", ({"_id": id, "text": text} for id, text in queries.items()))
    rows = "".join(f"{query}\t{next(iter(texts))}\t1\n" for query in queries)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    return f"folder/{folder}"


def _write_lines(file: Path, rows: Iterable[Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


Import = Callable[..., tuple[dict[str, Any], dict[str, Ranking]]]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Imports a file for the collection of `TEXTS` and `QUERIES`; the report, and rankings by query."""
    collection = write_collection(tmp_path / "food", QUERIES, TEXTS)

    def run(file: Path, form: str, **about: Any) -> tuple[dict[str, Any], dict[str, Ranking]]:
        told = import_published(Publication(file, form, **about), collection, Workspace(tmp_path / "home"))
        return told, {ranking.query: ranking for ranking in read_rankings(Path(told["file"]))}

    return run


def prompt(query: str, passages: Sequence[str]) -> str:
    listed = "\n".join(f"[{number}] {text}" for number, text in enumerate(passages, 1))
    return (
        f"You rank passages. USER: I will provide you with {len(passages)} passages. The query: {query}.\n\n"
        f"{listed}\nSearch Query: {query}.\nRank them, e.g., [2] > [1], and say no word. ASSISTANT:"
    )


def test_a_run_keeps_its_order_and_what_the_collection_lacks_is_counted(tmp_path: Path, imported: Import) -> None:
    run = tmp_path / "zephyr.run"
    run.write_text("q1 Q0 c 1 3 r\nq1 Q0 zz 2 2 r\nq1 Q0 a 3 1 r\nnobody Q0 a 1 1 r\n")

    told, rankings = imported(run, "trec")

    assert rankings == {"q1": Ranking("q1", ("c", "a"))}
    assert told["counts"]["labels"] == 2 and told["counts"]["imported"] == 1
    assert (told["counts"]["unmatched_queries"], told["counts"]["unmatched"]) == (1, ["nobody"])
    assert (told["counts"]["documents"], told["counts"]["unmatched_documents"]) == (3, 1)
    shown = render_published(told)
    assert "1 labels of queries that the collection lacks" in shown and "licence: not stated" in shown


def test_windows_of_raw_answers_are_one_label_read_by_our_parser(tmp_path: Path, imported: Import) -> None:
    windows = [([TEXTS["c"], TEXTS["a"]], "[1] > [2]"), ([TEXTS["b"], TEXTS["c"]], "Sure: [2] > [1] > [2]")]
    rows = [{"prompt": prompt(QUERIES["q1"], shown), "response": answer} for shown, answer in windows]
    rows += [{"prompt": prompt(QUERIES["q2"], [TEXTS["a"], TEXTS["b"]]), "response": "I cannot do that."}]

    told, rankings = imported(_write_lines(tmp_path / "vicuna.jsonl", rows), "rank_llm")

    assert told["verdicts"] == {"ok": 0, "partial": 0, "repaired": 1, "failed": 1}
    assert rankings["q1"].ranked == ("c", "b", "a")
    assert json.loads(rankings["q1"].raw) == [answer for _, answer in windows]
    assert rankings["q2"] == Ranking(
        "q2", (), ("a", "b"), "failed", rankings["q2"].reason, "I cannot do that.", presented=("a", "b")
    )


def test_what_has_no_place_in_its_last_window_has_none_in_the_label(tmp_path: Path, imported: Import) -> None:
    windows = [([TEXTS["c"], TEXTS["a"]], "[1] > [2]"), ([TEXTS["b"], TEXTS["c"]], "[1]")]
    rows = [{"prompt": prompt(QUERIES["q1"], shown), "response": answer} for shown, answer in windows]

    _, rankings = imported(_write_lines(tmp_path / "cut.jsonl", rows), "rank_llm")

    assert (rankings["q1"].ranked, rankings["q1"].unranked) == (("b", "a"), ("c",))
    assert rankings["q1"].verdict == "partial"


@pytest.mark.parametrize("key", ["invocations_history", "ranking_exec_summary"])
def test_rank_llms_history_of_a_query_is_read(tmp_path: Path, imported: Import, key: str) -> None:
    turns = [f"Rank passages for the query: {QUERIES['q1']}", f"[1] {TEXTS['b'][:60]}", "Received passage [1]."]
    turns += [f"[2] {TEXTS['c']}", "Received passage [2].", f"Search Query: {QUERIES['q1']}\nRank the 2 passages."]
    asked = {"prompt": [{"role": "user", "content": turn} for turn in turns], "response": "[2] > [1]"}
    file = tmp_path / "history.json"
    file.write_text(json.dumps([{"query": {"text": QUERIES["q1"], "qid": "q1"}, key: [asked]}]))

    _, rankings = imported(file, "rank_llm")

    # The prompt cut a passage; the beginning finds it.
    assert rankings == {"q1": Ranking("q1", ("c", "b"), raw="[2] > [1]", presented=("b", "c"))}


@pytest.mark.parametrize(
    "names", [("conversations", "from", "value", "human", "gpt"), ("messages", "role", "content", "user", "assistant")]
)
def test_conversations_as_rank_zephyr_was_trained_on_are_read(
    tmp_path: Path, imported: Import, names: tuple[str, ...]
) -> None:
    turns, who, what, asks, answers = names

    def row(query: str, answer: Any) -> dict[str, Any]:
        asked = prompt(QUERIES[query], [TEXTS["a"], TEXTS["b"], TEXTS["c"]])
        said = [{who: "system", what: "You rank passages."}, {who: asks, what: asked}, {who: answers, what: answer}]
        return {"id": query, turns: said}

    told, rankings = imported(_write_lines(tmp_path / "zephyr.jsonl", [row("q1", "[3] > [1] > [2]")]), "rank_llm")
    assert rankings["q1"].ranked == ("c", "a", "b") and rankings["q1"].presented == ("a", "b", "c")
    assert told["verdicts"]["ok"] == 1
    for number, odd in enumerate([7, None]):
        with pytest.raises(UserError, match="the response is no text"):
            imported(_write_lines(tmp_path / f"odd{number}.jsonl", [row("q1", odd)]), "rank_llm")
    silent_one = {turns: [{who: asks, what: prompt(QUERIES["q1"], [TEXTS["a"]])}]}
    with pytest.raises(UserError, match="the response is no text"):
        imported(_write_lines(tmp_path / "silent.jsonl", [silent_one]), "rank_llm")


def test_a_model_that_numbers_the_order_shown_is_flagged_on_the_board(tmp_path: Path, imported: Import) -> None:
    """As vicuna-7b answers: '1. [1] > [2] > ...', window for window."""
    shown = [("b", "c"), ("a", "b")]
    windows = [([TEXTS[id] for id in ids], f"{number}. [1] > [2]") for number, ids in enumerate(shown, 1)]
    rows = [{"prompt": prompt(QUERIES["q1"], texts), "response": answer} for texts, answer in windows]
    told, rankings = imported(_write_lines(tmp_path / "vicuna.jsonl", rows), "rank_llm")
    assert told["verdicts"]["repaired"] == 1 and rankings["q1"].reason == "wrong format"
    assert rankings["q1"].presented == rankings["q1"].ranked == ("a", "b", "c")

    teacher = teacher_from({"kind": "recorded", "file": told["file"]})
    task = Task("q1", QUERIES["q1"], tuple(Candidate(id, TEXTS[id]) for id in "cba"))
    (label,) = teacher.label([task], Ledger(tmp_path / "ledger.sqlite"), silent)
    assert (label.ranked, label.presented, label.verdict) == (("a", "b", "c"), ("a", "b", "c"), "repaired")
    fewer = Task("q1", QUERIES["q1"], (*task.candidates, Candidate("zz", "not recorded")))
    (label_of_more,) = teacher.label([fewer], Ledger(tmp_path / "ledger.sqlite"), silent)
    assert label_of_more.presented == ()

    many = [replace(label, query=f"q{number}") for number in range(40)]
    found = order_presented(many, {ranking.query: ("c", "b", "a") for ranking in many})
    labels = Verdicts(repaired=40, reasons={"wrong format": 40}, order_presented=OrderPresented(**found))
    of = run_cards.teacher(settings=teacher.provenance())
    put_on_board = run_cards.make_card("a", "first", budget=40, resample=0, teacher=of, labels=labels)
    run_cards.put(tmp_path / "results", put_on_board, run_cards.make_run(0.5))
    (row,) = load_board(tmp_path / "results").tables[0].rows
    assert "follows the order shown: tau 1.00" in row.flags and "labels not ok: 100%" in row.flags
    assert "licence of its labels not stated" in row.flags


def test_a_licence_that_was_stated_is_no_flag(tmp_path: Path) -> None:
    source = {"imported_from": [{"name": "theirs", "licence": "CC-BY-4.0"}]}
    for number, settings in enumerate([source, {"imported_from": [{"name": "theirs"}]}, {"imported_from": "odd"}, {}]):
        of = run_cards.teacher(f"t{number}", settings=settings)
        run_cards.put(
            tmp_path, run_cards.make_card(f"{number}", "first", budget=40, teacher=of), run_cards.make_run(0.5)
        )
    rows = {row.teacher: row.flags for row in load_board(tmp_path).tables[0].rows}
    flagged = {name for name, flags in rows.items() if "licence of its labels not stated" in flags}
    assert flagged == {"t1"} and len(rows) == 4


def test_permutations_order_the_hits_beside_them(tmp_path: Path, imported: Import) -> None:
    hits = [
        {"query": QUERIES["q1"], "hits": [{"content": TEXTS["a"]}, {"content": TEXTS["c"]}, {"content": TEXTS["b"]}]},
        {"query": QUERIES["q2"], "retrieved_passages": [{"docid": "a", "text": ""}, {"docid": "b", "text": ""}]},
    ]
    _write_lines(tmp_path / "train-10.jsonl", hits)
    answers = tmp_path / "train-10-gpt3.5.json"
    answers.write_text(json.dumps(["[2] > [3]", "[2] > [1]"]))

    told, rankings = imported(answers, "rankgpt", name="RankGPT", date="2023-04-23", licence="Apache-2.0")

    # RankGPT's own reader would put [1] last; nobody said so.
    assert (rankings["q1"].ranked, rankings["q1"].unranked, rankings["q1"].verdict) == (("c", "b"), ("a",), "partial")
    assert rankings["q2"].ranked == ("b", "a")
    assert (told["source"]["name"], told["source"]["date"]) == ("RankGPT", "2023-04-23")


def test_permutations_of_other_hits_are_refused(tmp_path: Path, imported: Import) -> None:
    hits = _write_lines(tmp_path / "other.jsonl", [{"query": "x", "hits": [{"content": "y"}]}])
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps(["[1]", "[1]"]))

    with pytest.raises(UserError, match="2 permutations stand here, and 1 lists"):
        imported(answers, "rankgpt", hits=hits)
    with pytest.raises(UserError, match="--hits"):
        imported(answers, "rankgpt")


def test_a_second_file_is_refused_where_the_form_has_one(tmp_path: Path, imported: Import) -> None:
    run = tmp_path / "zephyr.run"
    run.write_text("q1 Q0 c 1 3 r\n")

    with pytest.raises(UserError, match="in one file"):
        imported(run, "trec", hits=run)


def test_reasoning_stays_with_its_order(tmp_path: Path, imported: Import) -> None:
    rows = [
        {"qid": "q1", "initial_list": ["a", "b", "c"], "final_list": ["c", "a", "b"], "reasoning": "Cheese first."},
        {"qid": "q2", "initial_list": ["a", "b", "c"], "final_list": ["b", "zz"], "reasoning": ""},
    ]

    told, rankings = imported(_write_lines(tmp_path / "r1.jsonl", rows), "reasonrank")

    assert rankings["q1"] == Ranking("q1", ("c", "a", "b"), raw="Cheese first.", presented=("a", "b", "c"))
    assert (rankings["q2"].ranked, rankings["q2"].reason) == (("b",), "out of range, missing")
    assert told["verdicts"]["partial"] == 1


def test_equal_grades_are_told_and_fall_by_id(tmp_path: Path, imported: Import) -> None:
    file = tmp_path / "judge.txt"
    file.write_text("q1 0 a 1\nq1 0 b 1\nq1 0 c 3\nq1 0 d 0\n")

    told, rankings = imported(file, "grades")

    assert rankings["q1"] == Ranking("q1", ("c", "b", "a", "d"), scores=(3.0, 1.0, 1.0, 0.0))
    assert told["counts"]["tied_documents"] == 2


def test_documents_with_one_text_share_a_place(tmp_path: Path, imported: Import) -> None:
    rows = [{"prompt": prompt(QUERIES["q1"], [TEXTS["d"], TEXTS["c"]]), "response": "[2] > [1]"}]

    told, rankings = imported(_write_lines(tmp_path / "twins.jsonl", rows), "rank_llm")

    assert rankings["q1"].ranked == ("c", "e", "d") and told["counts"]["equal_documents"] == 2


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("rank_llm", '{"prompt": "Tell me a joke.", "response": "No."}\n'),
        ("rank_llm", '{"query": {"qid": "q1", "text": "x"}, "candidates": []}\n'),
        ("rank_llm", '{"prompt": '),
        ("reasonrank", '{"qid": "q1", "final_list": ["a"]}\n'),
        ("reasonrank", "[1]"),
        ("grades", "q1 0 a good\n"),
        ("grades", "q1 a\n"),
        ("grades", "q1 0 a 1\nq1 0 a 2\n"),
        ("rankgpt", '{"query": "x"}'),
        ("trec", "q1 Q0 a\n"),
        ("trecc", "q1 Q0 a 1 1 r\n"),
        ("trec", "other Q0 a 1 1 r\n"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path: Path, imported: Import, form: str, content: str) -> None:
    file = tmp_path / "file.jsonl"
    file.write_text(content)

    with pytest.raises(UserError):
        imported(file, form)
    assert not (tmp_path / "home" / "imported-labels").exists()


def test_the_teacher_recorded_replays_them_and_names_their_source(tmp_path: Path, imported: Import) -> None:
    run = tmp_path / "zephyr.run"
    run.write_text("q1 Q0 c 1 3 r\nq1 Q0 a 3 1 r\n")
    told, _ = imported(run, "trec", name="Rank-DistiLLM", licence="CC-BY-4.0")

    teacher = teacher_from({"kind": "recorded", "file": told["file"]})
    task = Task("q1", QUERIES["q1"], tuple(Candidate(id, TEXTS[id]) for id in "ac"))

    assert list(teacher.label([task], Ledger(tmp_path / "ledger.sqlite"), silent)) == [Ranking("q1", ("c", "a"))]
    (source,) = teacher.provenance()["imported_from"]
    assert (source["name"], source["licence"], source["form"]) == ("Rank-DistiLLM", "CC-BY-4.0", "trec")
    assert source == told["source"]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("model", "verdicts"),
    [
        ("output_v2_aug_vicuna_7b", {"ok": 43, "partial": 0, "repaired": 0, "failed": 0}),
        ("vicuna-7b-checkpoint-800", {"ok": 1, "partial": 2, "repaired": 40, "failed": 0}),
        ("vicuna-13b-v1.5", {"ok": 0, "partial": 0, "repaired": 0, "failed": 43}),
    ],
)
def test_raw_answers_of_real_models(tmp_path: Path, shared_data: Path, model: str, verdicts: dict[str, int]) -> None:
    folder = shared_data / "trec-dl"
    publication = Publication(folder / "responses" / f"{model}.dl19.jsonl.gz", "rank_llm")

    told = import_published(publication, f"folder/{folder}", Workspace(tmp_path))

    assert told["verdicts"] == verdicts
    # Of 4,240 different texts, encoding that was mended by guess keeps some from being found.
    assert told["counts"]["documents"] == 4240 and told["counts"]["unmatched_documents"] <= 12


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "form", "queries"),
    [("rank-distillm/rankzephyr.sample.run", "trec", 100), ("llmjudge/scores/Olz-gpt4o.txt", "grades", 25)],
)
def test_published_files_with_ids(tmp_path: Path, shared_data: Path, name: str, form: str, queries: int) -> None:
    lines = [line.split() for line in (shared_data / name).read_text(encoding="utf-8").splitlines()]
    texts = {fields[2]: f"text {fields[2]}" for fields in lines}
    collection = write_collection(tmp_path / "all", {fields[0]: f"query {fields[0]}" for fields in lines}, texts)

    told = import_published(Publication(shared_data / name, form), collection, Workspace(tmp_path / "home"))

    assert (told["counts"]["imported"], told["counts"]["documents"]) == (queries, len(lines))
    assert told["counts"]["unmatched_documents"] == told["counts"]["unmatched_queries"] == 0

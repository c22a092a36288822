from __future__ import annotations

import gzip
import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.labelling.labels.parser import FORMS, Form, Parsed, parse
from harness.labelling.labels.ranking import Ranking, Verdict

ids = st.integers(1, 20)
pieces = st.sampled_from(
    [
        "[",
        "]",
        " > ",
        ">",
        ",",
        "\n",
        "1. ",
        "passage ",
        "<think>",
        "</think>",
        "I am sorry",
        "**",
        "２",
        "٣",
        "²",
        "[0]",
        "[21]",
        "[007]",
        "9" * 40,
        "[]",
    ]
)
wild = st.lists(st.text() | pieces | ids.map(str) | ids.map("[{}]".format), max_size=30).map("".join)


@given(wild, st.integers(1, 20), st.booleans(), st.sets(st.sampled_from(FORMS)))
def test_any_text_gives_only_shown_passages_each_once(text: str, shown: int, truncated: bool, forms: set[Form]) -> None:
    parsed = parse(text, shown, truncated, forms)
    assert len(set(parsed.order)) == len(parsed.order)
    assert set(parsed.order) <= set(range(1, shown + 1))
    assert (parsed.verdict == "failed") == (not parsed.order)
    assert (parsed.verdict == "ok") == (not parsed.reasons)
    assert (parsed.verdict == "partial") == ("missing" in parsed.reasons)
    assert parsed.verdict != "ok" or re.fullmatch(r"(\[\d+\]\s*>?\s*)+", parse_target(text))
    assert parsed.form is None or parsed.form in forms


def parse_target(text: str) -> str:
    """The answer behind any thinking, with wide digits made narrow."""
    import unicodedata

    plain = unicodedata.normalize("NFKC", text)
    before, closed, after = plain.rpartition("</think>")
    return (before.partition("<think>")[0] * ("<think>" in before) + after if closed else plain).strip()


@given(st.permutations(range(1, 13)), st.sampled_from([" > ", ">", " >\n", "  >  "]))
def test_a_complete_answer_as_asked_is_ok(order: list[int], joint: str) -> None:
    said = joint.join(f"[{number}]" for number in order)
    for text in (
        said,
        f"\n{said} \n",
        f"<think>[3] seems best, or 4 > 2?</think>\n{said}",
        f"let me see [1] > [2]</think>{said}",
    ):
        assert parse(text, 12) == Parsed(tuple(order), "ok", (), "asked")


@pytest.mark.parametrize(
    ("text", "order", "verdict", "reasons", "form"),
    [
        (
            "I think passage 2 of the 20 passages is best: [1] > [4]",
            (1, 4),
            "partial",
            "wrong format, missing",
            "brackets",
        ),
        ("[2] > [1] > [3] > [4] > [2]", (2, 1, 3, 4), "repaired", "repetition", "asked"),
        ("[2] > [1]", (2, 1), "partial", "missing", "asked"),
        ("[2] > [9] > [1] > [3] > [4]", (2, 1, 3, 4), "repaired", "out of range", "asked"),
        ("[2] > [1] > [3] >", (2, 1, 3), "partial", "wrong format, missing, truncated", "brackets"),
        ("[2] > [1] > [3] > [", (2, 1, 3), "partial", "wrong format, missing, truncated", "brackets"),
        ("[3] is about tea. So: [2] > [1] > [4] > [3].", (2, 1, 4, 3), "repaired", "wrong format", "brackets"),
        ("1. [4] > [2] > [1] > [3]", (4, 2, 1, 3), "repaired", "wrong format", "brackets"),
        ("1. [4] > 2. [2] > 3. [1] > 4. [3]", (4, 2, 1, 3), "repaired", "wrong format", "brackets"),
        ("1. [4]\n2. [2]\n3. [1]\n4. [3]", (4, 2, 1, 3), "repaired", "wrong format", "brackets"),
        ("4 > [2] > [1] > [3]", (4, 2, 1, 3), "repaired", "wrong format", "brackets"),
        ("**[4]** > **[2]** > **[1]** > **[3]**", (4, 2, 1, 3), "repaired", "wrong format", "brackets"),
        ("[4], [2], [1], [3]", (4, 2, 1, 3), "repaired", "wrong format", "brackets"),
        ("In 2020, [4] > [2]", (4, 2), "partial", "wrong format, missing", "brackets"),
        ("[4, 2, 1, 3]", (4, 2, 1, 3), "repaired", "wrong format", "list"),
        ('{"order": [4, 2, 1, 3]}', (4, 2, 1, 3), "repaired", "wrong format", "list"),
        ("4 2 1 3", (4, 2, 1, 3), "repaired", "wrong format", "list"),
        ("The order is 4 > 2 > 1 > 3.", (4, 2, 1, 3), "repaired", "wrong format", "chain"),
        ("Passage 4 is best, then passage 2 of those 20.", (4, 2), "partial", "wrong format, missing", "named"),
        ("［４］ > ［２］ > ［１］ > ［３］", (4, 2, 1, 3), "ok", "", "asked"),
        ("", (), "failed", "empty", None),
        (" \n", (), "failed", "empty", None),
        ("<think>[1] > [2] > [3] > [4]", (), "failed", "truncated", None),
        ("<think>nothing</think>", (), "failed", "empty", None),
        ("I'm sorry, but I cannot rank these 4 passages.", (), "failed", "refused", None),
        ("Home / News / Industry News / What", (), "failed", "wrong format", None),
        ("There are 4 passages and 2 are good.", (), "failed", "wrong format", None),
        ("[] > []", (), "failed", "wrong format", None),
        ("[7] > [99999999999999999999999]", (), "failed", "out of range", None),
    ],
)
def test_what_models_write(
    text: str, order: tuple[int, ...], verdict: Verdict, reasons: str, form: Form | None
) -> None:
    parsed = parse(text, 4)
    assert (parsed.order, parsed.verdict, ", ".join(parsed.reasons), parsed.form) == (order, verdict, reasons, form)


def test_a_cut_answer_may_end_in_half_a_number() -> None:
    assert parse("12 > 3 > 1", 12, truncated=True).order == (12, 3)
    assert parse("[12] > [3] > [1]", 12, truncated=True).order == (12, 3, 1)
    assert parse("[2] > [1]", 2, truncated=True) == Parsed((2, 1), "repaired", ("truncated",), "asked")


def test_forms_that_are_not_declared_are_not_read() -> None:
    for text in ("4 > 2 > 1 > 3", "[4, 2]", "passage 4", "so [4] > [2]"):
        assert parse(text, 4, forms=["asked"]) == Parsed((), "failed", ("wrong format",), None)


def test_what_the_model_did_not_place_has_no_place() -> None:
    ranking = parse("[3] > [1]", 4).ranking("q", ["a", "b", "c", "d"], "[3] > [1]")
    assert ranking == Ranking("q", ("c", "a"), ("b", "d"), "partial", "missing", "[3] > [1]")


@pytest.mark.parametrize(
    "text",
    [
        "<think>" * 20_000,
        "[ " * 50_000,
        "1 > " * 30_000,
        "[1, " * 30_000,
        "9" * 100_000,
        "[" + " " * 100_000 + "x",
        "1, " * 40_000 + "x",
        ("passage" + " " * 100) * 900,
    ],
)
def test_long_garbage_is_read_in_no_time(text: str) -> None:
    start = time.thread_time()
    parse(text, 20)
    assert time.thread_time() - start < 1.5


_EXPECTED = {
    "output_v2_aug_vicuna_7b": {"ok": 387},
    "vicuna-13b-v1.5": {"failed": 387},
    "vicuna-7b-checkpoint-800": {"ok": 219, "repaired": 126, "partial": 42},
    "vicuna-7b-v1.5": {"ok": 6, "repaired": 359, "partial": 19, "failed": 3},
}


@pytest.mark.shared
@pytest.mark.parametrize("model", _EXPECTED)
def test_recorded_answers_of_real_models(shared_data: Path, model: str) -> None:
    with gzip.open(shared_data / "trec-dl" / "responses" / f"{model}.dl19.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    shown = [int(re.findall(r"provide you with (\d+) passages", row["prompt"])[0]) for row in rows]
    counts = Counter(parse(row["response"], number).verdict for row, number in zip(rows, shown, strict=True))
    print(model, dict(counts))
    assert counts == _EXPECTED[model]

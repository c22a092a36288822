"""Answers from a grammar: every one has one right reading, whatever marks, drafts and remarks stand around it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.labelling.labels.parser import parse
from harness.labelling.strategies.pointwise import Pointwise

Order = Sequence[int]
WRITTEN: dict[str, Callable[[Order], str]] = {
    "as asked": lambda order: " > ".join(f"[{n}]" for n in order),
    "round brackets": lambda order: " > ".join(f"({n})" for n in order),
    "corner brackets": lambda order: "＞".join(f"「{n}」" for n in order),
    "escaped brackets": lambda order: " > ".join(f"\\[{n}\\]" for n in order),
    "unseen characters": lambda order: " > ".join(f"[{n}]\u200b" for n in order),
    "hashes": lambda order: " > ".join(f"#{n}" for n in order),
    "names in quotes": lambda order: json.dumps([f"passage_{n}" for n in order]),
    "from the least": lambda order: " < ".join(f"[{n}]" for n in reversed(order)),
    "a bare chain from the least": lambda order: " < ".join(map(str, reversed(order))),
    "a countdown": lambda order: "\n".join(f"{len(order) - n}. [{one}]" for n, one in enumerate(reversed(order))),
    "hyphens": lambda order: " - ".join(f"[{n}]" for n in order),
    "ties": lambda order: " = ".join(f"[{n}]" for n in order[:2]) + "".join(f" >= [{n}]" for n in order[2:]),
    "lenticular brackets": lambda order: " > ".join(f"【{n}】" for n in order),
    "wide brackets": lambda order: "＞".join(f"［{n}］" for n in order),
    "bare chain": lambda order: " > ".join(map(str, order)),
    "arrows": lambda order: " → ".join(map(str, order)),
    "named chain": lambda order: " > ".join(f"Passage {n}" for n in order),
    "bold": lambda order: " > ".join(f"**[{n}]**" for n in order),
    "brackets with commas": lambda order: ", ".join(f"[{n}]" for n in order),
    "brackets with and": lambda order: ", ".join(f"[{n}]" for n in order[:-1]) + f" and [{order[-1]}]",
    "JSON": lambda order: json.dumps(list(order)),
    "JSON over lines": lambda order: json.dumps(list(order), indent=2),
    "JSON strings": lambda order: json.dumps([str(n) for n in order]),
    "JSON identifiers": lambda order: json.dumps({"ranking": [f"[{n}]" for n in order]}),
    "JSON objects": lambda order: json.dumps([{"id": n} for n in order]),
    "JSON objects with reasons": lambda order: json.dumps([{"passage": n, "why": "it fits"} for n in order]),
    "JSON objects with ranks": lambda order: json.dumps([{"id": n, "rank": order.index(n) + 1} for n in sorted(order)]),
    "JSON objects with scores": lambda order: json.dumps([{"id": n, "score": -order.index(n)} for n in sorted(order)]),
    "code block": lambda order: f"```json\n{json.dumps(list(order))}\n```",
    "numbered lines": lambda order: "\n".join(f"{place}. {n}" for place, n in enumerate(order, 1)),
    "numbered lines with brackets": lambda order: "\n".join(f"{place}) [{n}]" for place, n in enumerate(order, 1)),
    "numbered lines with names": lambda order: "\n".join(f"{place}. Passage {n}" for place, n in enumerate(order, 1)),
    "numbered lines with reasons": lambda order: "\n".join(
        f"{place}. [{n}] - it fits" for place, n in enumerate(order, 1)
    ),
    "bullets": lambda order: "\n".join(f"- [{n}]" for n in order),
    "lines": lambda order: "\n".join(map(str, order)),
    "boxed chain": lambda order: "\\boxed{" + " > ".join(f"[{n}]" for n in order) + "}",
    "boxed list": lambda order: "\\boxed{" + ", ".join(map(str, order)) + "}",
    "table": lambda order: (
        "| Rank | Passage |\n|---|---|\n" + "\n".join(f"| {place} | [{n}] |" for place, n in enumerate(order, 1))
    ),
    "table by passage": lambda order: (
        "| Passage | Rank |\n|---|---|\n" + "\n".join(f"| {n} | {order.index(n) + 1} |" for n in sorted(order))
    ),
    "table of scores": lambda order: (
        "Document | Score\n--- | ---\n" + "\n".join(f"{n} | {90 - order.index(n)}" for n in sorted(order))
    ),
    "bare table": lambda order: "\n".join(f"{place} | {n}" for place, n in enumerate(order, 1)),
}
PLAIN = ("as asked", "lenticular brackets", "wide brackets", "corner brackets", "escaped brackets", "unseen characters")
"""Forms that are what was asked, in other letters."""
THOUGHTS = ["think", "Thinking", "thought", "REASONING", "analysis", "reflection", "scratchpad"]


@st.composite
def orders(draw: st.DrawFn) -> list[int]:
    """A permutation of 4 to 12 passages that is not the order shown."""
    return draw(
        st.permutations(range(1, draw(st.integers(4, 12)) + 1)).filter(lambda order: list(order) != sorted(order))
    )


@pytest.mark.parametrize("form", WRITTEN)
@given(order=orders())
def test_every_way_of_writing_an_order_is_read(form: str, order: list[int]) -> None:
    parsed = parse(WRITTEN[form](order), len(order))

    assert parsed.order == tuple(order)
    assert parsed.verdict == ("ok" if form in PLAIN else "repaired")


@pytest.mark.parametrize("form", WRITTEN)
@given(
    order=orders(),
    draft=st.permutations(range(1, 5)),
    mark=st.sampled_from(THOUGHTS),
    square=st.booleans(),
    opened=st.booleans(),
)
def test_drafts_in_thoughts_count_for_nothing(
    form: str, order: list[int], draft: list[int], mark: str, square: bool, opened: bool
) -> None:
    left, right = "[]" if square else "<>"
    thought = f"{left}{mark}{right}" * opened + f"maybe {WRITTEN['as asked'](draft)}{left}/{mark}{right}\n"

    assert parse(thought + WRITTEN[form](order), len(order)).order == tuple(order)


@given(order=orders(), draft=st.permutations(range(1, 5)))
def test_of_channels_only_the_final_one_counts(order: list[int], draft: list[int]) -> None:
    thought = f"<|channel|>analysis<|message|>{WRITTEN['as asked'](draft)}<|end|><|start|>assistant"

    assert parse(
        f"{thought}<|channel|>final<|message|>{WRITTEN['as asked'](order)}<|return|>", len(order)
    ).order == tuple(order)
    assert parse(thought, 4).verdict == "failed"


@given(
    order=orders(),
    form=st.sampled_from(["as asked", "bare chain", "JSON", "numbered lines with brackets", "table"]),
    data=st.data(),
)
def test_the_final_statement_wins(order: list[int], form: str, data: st.DataObject) -> None:
    draft = WRITTEN["as asked"](data.draw(st.permutations(order)))
    mark = data.draw(
        st.sampled_from(["Final:", "Correction:", "Final ranking:\n", "**Final answer:**", "Revised order:"])
    )

    assert parse(f"{draft}\n{mark} {WRITTEN[form](order)}", len(order)).order == tuple(order)
    assert parse(f"{draft}\nOn second thought:\n{WRITTEN['as asked'](order)}", len(order)).order == tuple(order)


@given(order=orders(), form=st.sampled_from(["as asked", "round brackets", "bare chain", "JSON", "JSON strings"]))
def test_counting_from_zero_is_shifted_when_all_are_there_and_nothing_otherwise(order: list[int], form: str) -> None:
    shifted = [n - 1 for n in order]
    whole, part = parse(WRITTEN[form](shifted), len(order)), parse(WRITTEN[form]([0, 2, 1]), len(order))

    assert (whole.order, whole.verdict) == (tuple(order), "repaired") and "counted from 0" in whole.reasons
    assert (part.order, part.verdict) == ((), "failed")


@given(st.integers(3, 12))
def test_what_only_speaks_of_all_passages_is_no_ranking(count: int) -> None:
    every = ", ".join(f"[{n}]" for n in range(1, count + 1))
    remarks = [f"[{n}] is about roofs and cats." for n in range(1, count + 1)]
    texts = [
        f"I'm sorry, but I can't rank the passages {every}.",
        f"None of the passages {every} is relevant to the query.",
        f"You gave me the passages {every} and asked for an order",
        "\n".join(remarks),
        "\n\n".join(remarks),
        "\n".join([*remarks, f"Rank the {count} passages above."]),
        "\n".join(f"- {remark}" for remark in remarks),
        f"Passages 1 to {count} do not help; none of them answers the question.",
        "List them in descending order of relevance, in the form [2] > [1].",
    ]

    for text in texts:
        assert parse(text, count).order == (), text
        assert parse(text, count).verdict == "failed"


def _shown(count: int) -> str:
    return WRITTEN["as asked"](range(1, count + 1))


@pytest.mark.parametrize(
    "words",
    [
        "I'm not able to rank {} since the query is unclear.",
        "Lo siento, pero no puedo ordenar {}.",
        "Je suis désolé: {}",
        "Es tut mir leid, {} kann ich nicht ordnen.",
        "抱歉，我无法对这些段落进行排序：{}",
    ],
)
def test_a_refusal_in_any_language_is_no_ranking(words: str) -> None:
    assert parse(words.format(_shown(6)), 6).order == ()


@given(order=orders(), form=st.sampled_from(["as asked", "JSON", "bare chain", "from the least"]))
def test_the_order_shown_is_no_answer_where_there_is_another(order: list[int], form: str) -> None:
    count = len(order)
    for words in ("(original order: {})", "Given: {}", "As initially presented: {}", "The input order was {}"):
        assert parse(f"{WRITTEN[form](order)}\n{words.format(_shown(count))}", count).order == tuple(order)
    keyed = {"ranking": order, "input_order": sorted(order), "original": sorted(order), "scores": [9] * count}
    assert parse(json.dumps(keyed), count).order == tuple(order)
    assert parse(f"Original order: {_shown(count)}", count).order == tuple(range(1, count + 1))


@given(order=orders(), form=st.sampled_from(["as asked", "JSON", "numbered lines with brackets"]))
def test_what_stands_behind_the_end_of_the_answer_is_none(order: list[int], form: str) -> None:
    for end in ("<|im_end|>", "<|eot_id|><|start_header_id|>assistant", "</s>", "<end_of_turn>", "\n\nHuman: again"):
        assert parse(f"{WRITTEN[form](order)}{end}\n\n{_shown(len(order))}", len(order)).order == tuple(order)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Highly relevant: [4], [2]\nSomewhat: [5]\nNot relevant: [1], [3]", ()),
        ("Not relevant: [1] and [3]. Relevant: [2], [4] and [5].", ()),
        ("[4] > [2]\n[1], [3] and [5] are off topic.", (4, 2)),
        ("[1], [3] and [5] are off topic, so [4] > [2]", (4, 2)),
        ("Top 3: [4], [2], [5]", (4, 2, 5)),
        ('{"scores": [2, 4, 1, 5, 3]}', ()),
    ],
)
def test_groups_are_no_order(text: str, order: tuple[int, ...]) -> None:
    assert parse(text, 5).order == order


@given(st.integers(3, 12))
def test_all_of_them_are_no_two_of_them(count: int) -> None:
    for words in ("All passages [1]-[{}] are off topic.", "[1] to [{}] say nothing", "Passages [1] through [{}]: no"):
        assert parse(words.format(count), count).order == ()


@given(st.integers(3, 12))
def test_a_table_of_remarks_is_no_ranking(count: int) -> None:
    rows = "\n".join(f"| {n} | about cats |" for n in range(1, count + 1))
    table, ranked = f"| Passage | Remark |\n|---|---|\n{rows}", f"| Passage | Rank |\n|---|---|\n{rows}"

    assert parse(table, count).order == ()
    assert parse(ranked.replace("about cats", "1"), count).order != ()


@pytest.mark.parametrize("text", ['{"grade": 2}', '{"relevance": 2}', "```\n2\n```", '{ "score" : "2" }', "Grade: 2/3"])
def test_a_grade_in_json_is_a_grade(text: str) -> None:
    strategy = Pointwise(Pointwise.Settings(scale="graded"))

    assert strategy.read(text, 1, False).grade == 2


UNITS = [
    *("[1] ", "(1) ", "1 > ", '"1", ', "1. [", "1\n", "- [1] x\n", "| 1 ", "| 1 | 2 |\n", '{"id": 1}', "{", "\\boxed{"),
    *(
        "[1] < ",
        "1 < ",
        "[1]-[2]",
        "[1] = ",
        "original order: [1] > [2] ",
        "「1」",
        "\\[1\\]",
        "2. [1]\n",
        "<|im_end|>1",
        "User:\n",
    ),
    *("final: ", "<think>", "[think]", "none ", "sorry "),
]


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_of_anything_is_read(unit: str) -> None:
    """A reader whose time grows with the square of the length would not be done within the hour."""
    assert parse(unit * (1_000_000 // len(unit)), 20).verdict in ("repaired", "partial", "failed")

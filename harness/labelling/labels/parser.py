"""From what a model wrote to an order, with a verdict: what was asked for, what had to be repaired, what is missing,
what failed.

A number counts only where the text uses it as an identifier (statements.py). The final statement wins over drafts.
Digits of the prose never count, a refusal or a remark on every passage is no ranking, and what the model did not place
is never given a place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from harness.labelling.labels.ranking import Ranking, Verdict
from harness.labelling.labels.statement import FORMS, Form, Statement, ascends
from harness.labelling.labels.statements import final_part, is_refusal, statements

VERSION = 3
"""Of what an answer is read as; it is in the keys of labels, whose answers stay paid for in the ledger whatever it
is."""

Reason = Literal[
    "wrong format",
    "repetition",
    "out of range",
    "counted from 0",
    "missing",
    "truncated",
    "refused",
    "empty",
    "too long",
    "no answer",
]


@dataclass(frozen=True)
class Parsed:
    """Numbers of the shown passages from 1, best first, each at most once, and what was wrong. `form` is None when no
    order was found.

    Verdicts: ok (exactly as asked, and complete), repaired (complete once cleaned), partial (some are missing), failed
    (no order).
    """

    order: tuple[int, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...]
    form: Form | None

    def ranking(self, query: str, presented: Sequence[str], raw: str) -> Ranking:
        """The same for document ids in the order in which they were shown; documents without a place make the unordered
        tail."""
        placed = set(self.order)
        ordered = tuple(presented[number - 1] for number in self.order)
        tail = tuple(id for number, id in enumerate(presented, 1) if number not in placed)
        return Ranking(query, ordered, tail, self.verdict, ", ".join(self.reasons), raw)


def parse(text: str, count: int, truncated: bool = False, forms: Iterable[Form] = FORMS) -> Parsed:
    """Read an answer to the request to order passages 1 to `count`.

    `truncated` says that the provider cut the answer; a cut is also seen in an unfinished identifier or thought. Of
    `forms`, only those given are understood. Never raises on any text.
    """
    if not truncated and "asked" in forms:
        # Nearly all answers of good models end here, and a ledger may hold a hundred thousand of them.
        placed = tuple(map(_identifiers(count).get, text.split(" > ")))
        if len(placed) == count == len({*placed} - {None}):
            return Parsed(cast("tuple[int, ...]", placed), "ok", (), "asked")
    found, unfinished = without_thoughts(_plain_marks(text))
    answer = _own_turn(found.strip())
    cut = truncated or unfinished or _DANGLING.search(answer) is not None
    one = _chosen(answer, frozenset(forms), count)
    form, numbers = (one.form, one.numbers) if one else (None, ())
    if cut and form in ("chain", "list", "lines", "table") and answer.endswith(numbers[-1]):
        # Its last number may be half a number.
        numbers = numbers[:-1]
    return _judged(answer, form, numbers, count, cut)


def _plain_marks(text: str) -> str:
    """`text` with one kind of brackets, none of them escaped, and no characters that nobody sees."""
    plain = unicodedata.normalize("NFKC", text).translate(_MARKS)
    return plain.replace("\\[", "[").replace("\\]", "]") if "\\" in plain else plain


def _own_turn(answer: str) -> str:
    """`answer` up to where it goes on as somebody else, which small models do."""
    end = _TURN.search(answer, 1)
    return answer[: end.start()].strip() if end and any(map(str.isdigit, answer[: end.start()])) else answer


@cache
def _identifiers(count: int) -> dict[str, int]:
    return {f"[{number}]": number for number in range(1, count + 1)}


def _chosen(answer: str, forms: frozenset[Form], count: int) -> Statement | None:
    """The statement that counts: of those that say an order the final complete one, else the longest; then what is only
    mentioned."""
    found = [one for one in statements(answer) if one.form in forms]
    refused = is_refusal(answer)
    if firm := [one for one in found if one.firm and not (refused and ascends(one.numbers))]:
        late = final_part(answer)
        return _best([one for one in firm if one.start >= late] or firm, count)
    return next((one for one in found if not refused and not ascends(one.numbers)), None)


def _best(found: Sequence[Statement], count: int) -> Statement | None:
    complete = [one for one in found if len(_inside(one.numbers, count)) == count]
    if complete:
        return complete[-1]
    best = max(
        found,
        key=lambda one: (
            not one.is_group,
            one.form in ("asked", "brackets"),
            len(_inside(one.numbers, count)),
            one.end,
        ),
    )
    # Of two groups nobody can say which is the better one.
    others = (one for one in found if best.is_group and not {*one.numbers} & {*best.numbers})
    return best if next(others, None) is None else None


def _inside(numbers: Sequence[str], count: int) -> set[int]:
    """The passages that `numbers` name, counted from 1; from 0 where they are all of them so."""
    known = {int(number) for number in numbers if len(number) < _DIGITS}
    return known if known == set(range(count)) else {number for number in known if 1 <= number <= count}


def _judged(answer: str, form: Form | None, numbers: Sequence[str], count: int, cut: bool) -> Parsed:
    known = [int(number) for number in numbers if len(number) < _DIGITS]
    from_zero = set(known) == set(range(count)) and len(known) == len(numbers)
    if 0 in known and not from_zero:
        # Nobody can say which passages are meant.
        return Parsed((), "failed", no_order(answer, form, cut), None)
    inside = [number + from_zero for number in known if 1 <= number + from_zero <= count]
    order = tuple(dict.fromkeys(inside))
    if not order:
        return Parsed((), "failed", no_order(answer, form, cut), None)
    faults: dict[Reason, bool] = {
        "wrong format": form != "asked",
        "repetition": len(order) < len(inside),
        "out of range": len(inside) < len(numbers),
        "counted from 0": from_zero,
        "missing": len(order) < count,
        "truncated": cut,
    }
    reasons = tuple(reason for reason, found in faults.items() if found)
    return Parsed(order, "partial" if faults["missing"] else "repaired" if reasons else "ok", reasons, form)


def no_order(answer: str, form: Form | None, cut: bool) -> tuple[Reason, ...]:
    """Why an answer holds no order: it names what was not shown, it was cut, it is empty, it refuses, or it cannot be
    understood."""
    if form is not None:
        return ("out of range",)
    if cut:
        return ("truncated",)
    if not answer:
        return ("empty",)
    return ("refused",) if is_refusal(answer) else ("wrong format",)


def without_thoughts(text: str) -> tuple[str, bool]:
    """The text without its thinking, and whether the thinking has no end."""
    if "<|" in text:
        text, unfinished = _final_channel(text)
        if unfinished:
            return text, True
    marks = list(_THOUGHT.finditer(text))
    ends = [mark for mark in marks if mark["end"]]
    if not ends:
        return (text[: marks[0].start()], True) if marks else (text, False)
    last = ends[-1]
    # Some chat templates open the thought in the prompt, so that only its end is in the answer.
    first = next((mark for mark in marks if not mark["end"] and mark.start() < last.start()), None)
    ahead = text[: first.start()] if first else ""
    again = next((mark for mark in marks if not mark["end"] and mark.start() > last.start()), None)
    return f"{ahead} {text[last.end() : again.start() if again else len(text)]}", again is not None


def _final_channel(text: str) -> tuple[str, bool]:
    """What stands in the last final channel, where an answer is written in channels."""
    parts = _CHANNEL.split(text)
    if len(parts) == 1:
        return text, False
    said = [body for name, body in zip(parts[1::2], parts[2::2], strict=True) if name.lower() == "final"]
    return (_CONTROL.split(said[-1])[0], False) if said else (parts[0], True)


_DIGITS = 7
"""No list of passages is so long that a number of as many digits could be one of them."""
_MARKS = str.maketrans("【】〔〕〖〗「」『』", "[][][][][]", "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad")
_TURN = re.compile(
    r"<\|(?:eot_id|im_end|im_start|end|endoftext|end_of_turn|end_of_text|start_header_id)\|>|<end_of_turn>|</s>"
    r"|^(?:User|Human):",
    re.MULTILINE,
)
_DANGLING = re.compile(r"(?:>|\[\s*\d*)\Z")
_THOUGHT = re.compile(
    r"[<\[◁](?P<end>/?)(?:[a-z]{1,12}:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|scratchpad)[>\]▷]",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"<\|channel\|>\s{0,3}(\w{1,20})[^<]{0,80}<\|message\|>")
_CONTROL = re.compile(r"<\|(?:end|return|call|start)\|>")

"""What a listwise prompt of others asks about: the query, and the passages by number."""

from __future__ import annotations

import re
from typing import NamedTuple


class ListwisePrompt(NamedTuple):
    """The query and the passages as they stand in a prompt, cut as they were cut for it."""

    query: str
    passages: tuple[str, ...]


_QUERY = re.compile(r"\bquery:[ \t]*(\S.*?)(?=\n|</s>|<\||\sASSISTANT:|\Z)", re.IGNORECASE)
_NUMBER = re.compile(r"(?:^[ \t]*|USER:[ \t]*|\|>[ \t]*|\[INST\][ \t]*)\[(\d{1,4})\][ \t]*", re.MULTILINE)
_END = re.compile(
    r"\n\s*(?:search )?query:|</s>|<\|(?:im_end|eot_id|end)\|>|\s(?:ASSISTANT:\s*)?Received passage \[",
    re.IGNORECASE,
)


def listwise_prompt(text: str) -> ListwisePrompt | None:
    """The parts of a prompt in which passages are numbered from 1 at the beginning of a line or of a turn; None where
    it is no such prompt."""
    queries = _QUERY.findall(text)
    starts: list[re.Match[str]] = []
    for match in _NUMBER.finditer(text):
        if int(match[1]) == len(starts) + 1:
            starts.append(match)
    if not queries or not starts:
        return None
    ends = [match.start() for match in starts[1:]] + [len(text)]
    passages = tuple(_passage(text[match.end() : end]) for match, end in zip(starts, ends, strict=True))
    return ListwisePrompt(queries[-1].strip().removesuffix("."), passages)


def _passage(text: str) -> str:
    end = _END.search(text)
    return text[: end.start() if end else len(text)].strip()

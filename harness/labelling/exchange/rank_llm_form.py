"""rank_llm's records of what it asked and what came back: prompts with windows of passages, and raw answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UserError
from harness.labelling.exchange.json_rows import PlacedObject, json_rows, objects_of, text_of
from harness.labelling.exchange.label_form import ForeignLabel, LabelForm, Reference
from harness.labelling.exchange.listwise_prompt import listwise_prompt
from harness.labelling.exchange.text_key import text_key
from harness.labelling.labels.parser import Parsed, parse
from harness.labelling.strategies.strategy import overall


class Window(NamedTuple):
    """One question about some passages, in the order in which they were presented, and its answer."""

    query: Reference
    documents: tuple[Reference, ...]
    answer: str


class RankLlmForm(LabelForm):
    """Lines of prompt and response, or objects that hold a query's `invocations_history` (once `ranking_exec_summary`).
    Windows of a query that follow one another are one label, read by our parser: the last window heads the order, and
    what earlier windows left behind follows it. A passage without a place in its last window is in the tail, where
    rank_llm would repeat the order presented. Passages are found again by their texts. Training data of RankZephyr are
    conversations: what came before the last answer is the prompt."""

    name = "rank_llm"
    summary = "rank_llm's JSON of prompts and raw responses, windows put together, read by our parser"
    source = "https://github.com/castorini/rank_llm"

    def labels(self, file: Path, hits: Path | None) -> Iterator[ForeignLabel]:
        windows = (window for row in json_rows(file) for window in _windows(row, file))
        for query, asked in groupby(windows, key=lambda window: window.query):
            yield _joined(query, list(asked))


def _windows(row: PlacedObject, file: Path) -> Iterator[Window]:
    if (turns := objects_of(row.value, "conversations", "messages")) and "prompt" not in row.value:
        yield _window(_conversation(turns), Reference(), file, row.place)
        return
    if "prompt" in row.value:
        yield _window(row.value, Reference(), file, row.place)
        return
    found = row.value.get("query")
    about: dict[str, Any] = found if isinstance(found, dict) else {"text": found}
    query = Reference(text_of(about, "qid"), text_key(text_of(about, "text")))
    asked = objects_of(row.value, "invocations_history", "ranking_exec_summary")
    if not asked:
        remedy = "rank_llm writes them with --store-invocations-history; import its TREC run with --as trec"
        raise UserError("there is no prompt with its response", file=file, line=row.place, remedy=remedy)
    for one in asked:
        yield _window(one, query, file, row.place)


def _window(asked: dict[str, Any], query: Reference, file: Path, line: int) -> Window:
    prompt = listwise_prompt(_prompt_text(asked.get("prompt")))
    if prompt is None:
        raise UserError("the prompt holds no numbered passages of one query", file=file, line=line)
    answer = asked.get("response")
    if not isinstance(answer, str):
        raise UserError("the response is no text", file=file, line=line)
    named = query if query != Reference() else Reference(key=text_key(prompt.query))
    return Window(named, tuple(Reference(key=text_key(text)) for text in prompt.passages), answer)


def _conversation(turns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Prompt and response of turns that say who speaks (`from` or `role`) and what (`value` or `content`)."""
    answers = [place for place, turn in enumerate(turns) if text_of(turn, "from", "role").lower() in _ANSWERING]
    if not answers:
        return {"prompt": list(turns)}
    answer = turns[answers[-1]]
    return {"prompt": list(turns[: answers[-1]]), "response": answer.get("value", answer.get("content"))}


_ANSWERING = ("gpt", "assistant", "model", "chatgpt", "bot")


def _prompt_text(prompt: Any) -> str:
    """A prompt, or the messages of a chat one after the other."""
    if isinstance(prompt, list):
        return "\n".join(text_of(one, "content", "value") for one in prompt if isinstance(one, dict))
    return prompt if isinstance(prompt, str) else ""


def _joined(query: Reference, windows: Sequence[Window]) -> ForeignLabel:
    """The order that all windows say together, in the order in which they were asked."""
    parsed = [parse(window.answer, len(window.documents)) for window in windows]
    if len(windows) == 1 and len(set(windows[0].documents)) == len(windows[0].documents):
        return ForeignLabel.of_answer(query, windows[0].documents, parsed[0], windows[0].answer)
    documents = list(reversed(list(_presented(windows))))
    places = {document: place for place, document in enumerate(documents)}
    order = [places[document] for document in _order(windows, parsed)]
    verdict, reasons = overall(parsed, len(order))
    raw = json.dumps([window.answer for window in windows], ensure_ascii=False)
    return ForeignLabel(query, tuple(documents), tuple(order), verdict, ", ".join(reasons), raw, presented=True)


def _presented(windows: Sequence[Window]) -> Iterator[Reference]:
    """All documents from the last to the first as they stood before anything was asked: windows slide from the end to
    the beginning, and what a window shows that none before it did stands there as it was."""
    seen: set[Reference] = set()
    for window in windows:
        yield from reversed([one for one in dict.fromkeys(window.documents) if one not in seen])
        seen.update(window.documents)


def _order(windows: Sequence[Window], parsed: Sequence[Parsed]) -> Iterator[Reference]:
    """Each document by its last window."""
    seen: set[Reference] = set()
    for window, answer in zip(reversed(windows), reversed(parsed), strict=True):
        placed = dict.fromkeys(window.documents[number - 1] for number in answer.order)
        yield from (document for document in placed if document not in seen)
        seen.update(window.documents)

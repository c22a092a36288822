"""Reference pages of methods, losses, teachers and the other plug-ins, made from what the classes say of themselves."""

from __future__ import annotations

import inspect
import re
from typing import Any

from harness.catalogue import Row, catalogue, describe

PAGES = {
    "methods": "A method turns labels into a retriever, or is what such a retriever is compared with. Sweep files "
    "name it under `methods`.",
    "losses": "A loss compares the scores of a list with a target. Sweep files name it under `losses`, `ranker_loss` "
    "and `retriever_loss`.",
    "teachers": "A teacher orders the candidates of a training query. Sweep files name its kind under `teachers`.",
    "strategies": "A strategy is a way of asking a teacher that answers in words. Sweep files name it under `ask`.",
    "prompts": "A prompt is what such a teacher is sent. Sweep files name it, or a file of your own, under `ask`.",
    "metrics": "A metric scores a run against judgments. Sweep files name it under `evaluate`, written as in "
    "ir_measures.",
    "collections": "A collection source reads documents, queries and judgments. Sweep files name it under "
    "`collections`.",
    "students": "A type of student says what is made of a model, and how that is loaded, indexed and searched. Sweep "
    "files name it under `students`.",
    "engines": "A lexical engine makes first-stage candidates. Sweep files name it under `candidates`.",
}
"""What each kind is, by the word that `harness list` takes."""
_FACTS = {
    "category": "category",
    "teacher_type": "type",
    "needs": "needs",
    "gives": "gives",
    "sees": "may see",
    "box": "box",
    "role": "trains",
    "class": "class",
}
_KEYED_CODE = ("system", "text", "identity")


def catalogue_page(kind: str) -> str:
    """One page: a table of all names, then a section for each."""
    rows = catalogue(kind)
    table = "\n".join(f"| [`{row['name']}`](#{anchor(row['name'])}) | {plain(row['summary'])} |" for row in rows)
    sections = "\n\n".join(_section(describe(kind, row["name"])) for row in rows)
    intro = (
        f"{PAGES[kind]} `harness list {kind}` and `harness show {kind} NAME` say the same on your machine, your "
        "own plug-ins included."
    )
    return f"# {kind.capitalize()}\n\n{intro}\n\n| name | what it is |\n|---|---|\n{table}\n\n{sections}\n"


def anchor(name: str) -> str:
    """Where a name's section is found; names that differ in signs alone (ndcg-loss2, ndcg-loss2++) get anchors that
    differ."""
    return re.sub(r"[^\w-]+", "-", name.lower().replace("+", "plus")).strip("-")


def plain(text: str) -> str:
    """A sentence of a class as Markdown: signs that would be markup are escaped, what stands between backticks is
    code."""
    parts = re.split(r"(`+[^`]+`+)", text)
    words = (part if part.startswith("`") else re.sub(r"([\\*_<>\[\]|#~])", r"\\\1", part) for part in parts)
    return re.sub(r"``([^`]+)``", r"`\1`", "".join(words))


def code(value: Any) -> str:
    """A value in a cell of a table."""
    return f"`{value}`".replace("|", "\\|") if value not in (None, "", []) else ""


def _section(entry: Row) -> str:
    parts = [f"## `{entry['name']}` {{#{anchor(entry['name'])}}}", f"{plain(entry['summary'])}."]
    if entry.get("about"):
        parts.append(plain(inspect.cleandoc(entry["about"])))
    if entry.get("formula"):
        parts.append(f"```text\n{entry['formula']}\n```")
    facts = [f"- {title}: {_words(entry[key])}" for key, title in _FACTS.items() if entry.get(key)]
    if entry.get("source"):
        facts.append(f"- source: {_sourced(entry['source'])}")
    parts += ["\n".join(facts)] if facts else []
    parts += [f"{key}:\n\n```text\n{entry[key]}\n```" for key in _KEYED_CODE if entry.get(key)]
    if entry.get("settings"):
        rows = (
            f"| `{row['name']}` | {code(row['default'])} | {plain(row['description'])} |" for row in entry["settings"]
        )
        parts.append("| setting | default | meaning |\n|---|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts)


def _words(value: str | list[str]) -> str:
    return ", ".join(value) if isinstance(value, list) else f"`{value}`" if "." in value else value


def _sourced(source: str) -> str:
    """A source whose arXiv ids and addresses can be clicked."""
    linked = re.sub(r"arXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", source)
    return re.sub(r"(?<![(\w])(https?://[^\s)]+)", r"<\1>", linked)

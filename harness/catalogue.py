"""What there is and how it describes itself: lists and help made from the plug-ins' own attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.collections.collection import CollectionSource
from harness.evaluation.metrics.lookup import describe_metric, described_metrics
from harness.examples import describe_example, described_examples
from harness.labelling.labels.teacher import Teacher
from harness.labelling.prompting.templates import any_prompt, bundled_prompts
from harness.labelling.strategies.strategy import Strategy
from harness.losses.loss import Loss
from harness.method import Method
from harness.plugins import Plugin, plugin, plugins
from harness.retrieval.engines import LexicalEngine
from harness.retrieval.student_type import StudentType

Row = dict[str, Any]


def kinds() -> dict[str, type[Plugin]]:
    """Plug-in base class by the plural that people type."""

    return {
        "teachers": Teacher,
        "methods": Method,
        "losses": Loss,
        "collections": CollectionSource,
        "engines": LexicalEngine,
        "strategies": Strategy,
        "students": StudentType,
    }


def catalogue(kind: str) -> list[Row]:
    """``[{"name", "summary", "source", "needs"}]`` of everything of a kind."""
    if kind == "metrics":
        return described_metrics()
    if kind == "examples":
        rows = described_examples()
        return [{key: row[key] for key in ("name", "summary", "source", "needs")} for row in rows]
    if kind == "prompts":
        rows = [_prompt(name) for name in bundled_prompts()]
        return [{key: row[key] for key in ("name", "summary", "source", "needs")} for row in rows]
    return [_row(found) for found in plugins(kinds()[kind]).values()]


def _row(found: type[Plugin]) -> Row:
    extra = {
        key: getattr(found, key) for key in ("category", "teacher_type", "box", "gives", "role") if hasattr(found, key)
    }
    # What was one word for both until 0.2; programs read it.
    if former := extra.get("category") or extra.get("teacher_type"):
        extra["standing"] = former
    sees = {"sees": list(found.sees)} if issubclass(found, Method) else {}
    return {
        "name": found.name,
        "summary": found.summary,
        "source": found.source,
        "needs": list(found.needs),
        **extra,
        **sees,
    }


def _prompt(name: str) -> Row:

    prompt = any_prompt(name, Path())
    return {
        "name": prompt.name,
        "summary": prompt.summary,
        "source": prompt.source,
        "needs": [],
        "system": prompt.system,
        "text": prompt.text,
        "placeholders": list(dict.fromkeys(prompt.placeholders)),
        "identity": prompt.identity,
    }


def describe(kind: str, name: str) -> Row:
    """A catalogue row with the class's docstring, formula and settings. Raises UserError for an unknown name."""
    if kind == "metrics":
        return describe_metric(name)
    if kind == "prompts":
        return _prompt(name)
    if kind == "examples":
        return describe_example(name)
    found = plugin(kinds()[kind], name)
    settings = [
        {
            "name": key,
            "default": _plain(field.get_default(call_default_factory=True)),
            "description": field.description or "",
        }
        for key, field in found.Settings.model_fields.items()
    ]
    formula = {"formula": found.formula} if issubclass(found, Loss) else {}
    return {
        **_row(found),
        **formula,
        "about": (found.__doc__ or "").strip(),
        "settings": settings,
        "class": f"{found.__module__}.{found.__qualname__}",
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str, list)):
        return value
    return "required" if type(value).__name__ == "PydanticUndefinedType" else str(value)


def render_catalogue(kind: str, rows: list[Row]) -> Table:
    """The list for people."""

    # What teachers give is what methods need of them.
    gives = any("gives" in row for row in rows)
    table = Table(title=kind, box=None, title_justify="left")
    table.add_column("name", no_wrap=True)
    for heading in ("what it is", *(["gives"] if gives else []), "needs", "source"):
        words = [word for row in rows for word in row.get(heading, ())] if heading in ("gives", "needs") else []
        table.add_column(heading, overflow="fold", min_width=max(map(len, words), default=0) + 1)
    for row in rows:
        given = [", ".join(row.get("gives", ()))] if gives else []
        table.add_row(
            *(escape(text) for text in (row["name"], row["summary"], *given, ", ".join(row["needs"]), row["source"]))
        )
    return table


def render_description(entry: Row) -> Group:
    """One entry for people."""

    told = ("source", "formula", "about", "identity", "system", "file", "text")
    lines = [f"{entry['name']} — {entry['summary']}", *(f"{key}: {entry[key]}" for key in told if entry.get(key))]
    facts = [
        f"{key}: {', '.join(entry[key]) or 'nothing'}"
        for key in ("needs", "gives", "sees", "placeholders")
        if key in entry
    ]
    table = Table("setting", "default", "meaning", box=None)
    for setting in entry.get("settings", []):
        table.add_row(Text(setting["name"]), Text(str(setting["default"])), Text(setting["description"]))
    return Group(*(Text(line) for line in lines + facts), table)

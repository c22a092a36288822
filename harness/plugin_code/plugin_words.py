"""What plug-ins raise, in words for people: short, writable anywhere, and with the name of today where code still says
the one of 0.1."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_NAMES = {
    "Kit": "MethodInputs",
    "Draw": "QuerySubset",
    "Group": "Category",
    "Ask": "PromptingSettings",
    "Session": "RankingProcedure",
}
_ATTRIBUTES = {
    "draw": "subset",
    "first": "positives",
    "others": "in_batch_negatives",
    "ordered": "ranked",
    "tail": "unranked",
    "shown": "presented",
}
_REST = (
    "`from harness import ...` has what plug-ins need; CHANGELOG.md lists all names that changed ('What plug-ins have "
    "to change')"
)


_LONGEST_LINE, _MOST_LINES = 1_000, 20


def cause(error: BaseException) -> str:
    """What was raised: its kind, and what it says."""
    words = f"{error_text(error)}{_hint(error)}"
    return f"{type(error).__name__}{': ' * bool(words)}{words}"


def error_text(error: BaseException) -> str:
    """What an error says in its own words, short enough to read; a plug-in's may say anything, or fail to."""
    try:
        words = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception as failure:
        words = f"(what it says cannot be read: {type(failure).__name__})"
    lines = words.encode("utf-8", "backslashreplace").decode().splitlines()
    more = [f"... ({len(lines) - _MOST_LINES:,} more lines)"] * (len(lines) > _MOST_LINES)
    return "\n".join([*(_cut(line) for line in lines[:_MOST_LINES]), *more])


def _cut(line: str) -> str:
    line = "".join(letter if letter.isprintable() or letter == "\t" else ascii(letter)[1:-1] for letter in line)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def import_remedy(error: BaseException, file: str | Path | None) -> str | None:
    """What to write where an import of `file` asks this project for what it does not have; None for other errors."""
    if not isinstance(error, ImportError) or (error.name or "").partition(".")[0] != "harness":
        return None
    renamed = dict.fromkeys(_renamed(Path(file))) if file is not None else {}
    told = f"written for 0.1: {', '.join(renamed)} since 0.2; " if renamed else "since 0.2 "
    return f"{told}{_REST}"


def _hint(error: BaseException) -> str:
    """The name of today, where an object lacks an attribute that it had under another one; empty for other errors."""
    if not isinstance(error, AttributeError) or not hasattr(error.obj, new := _ATTRIBUTES.get(error.name or "", "")):
        return ""
    return f"; `{error.name}` is `{new}` since 0.2"


def _renamed(file: Path) -> Iterator[str]:
    """Every name of 0.1 that the source says."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (OSError, ValueError, SyntaxError):
        return
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "harness":
            names = [alias.name for alias in node.names]
            yield from (f"`{name}` is `{_NAMES[name]}`" for name in names if name in _NAMES)
    for part in (part for node in nodes if isinstance(node, ast.ClassDef) for part in node.body):
        targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "standing" for target in targets):
            yield "`standing` is `category` of a method and `teacher_type` of a teacher"

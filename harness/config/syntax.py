"""What is wrong with text that is no YAML, for people who do not know YAML's own words."""

from __future__ import annotations

from typing import Any

from harness.config.located import Place
from harness.errors import UserError

_FITS_NOTHING = (
    "this line fits none of the lines above it",
    "entries of one list or mapping start in the same column; what belongs to an entry is indented further than it",
)
_COLON = (
    "there is a second ': ' in this line",
    "put text that holds ': ' in quotes, or give the inner key a line of its own",
)
_WORDS = {
    "did not find expected key": _FITS_NOTHING,
    "did not find expected '-' indicator": _FITS_NOTHING,
    "did not find expected <document start>": _FITS_NOTHING,
    "mapping values are not allowed in this context": _COLON,
    "block sequence entries are not allowed in this context": (
        "a list cannot begin in the line of its key",
        "begin it in the next line, or write [a, b]",
    ),
    "could not find expected ':'": ("this line has no ':' after its key", "write key: value"),
    "found unexpected end of stream": (
        "a quote is opened and never closed",
        "close it, or put the text in the other kind of quotes",
    ),
    "found unexpected ':'": (
        "there is a ':' without a value inside of { } or [ ]",
        "write {key: value}, with a space after the ':'",
    ),
    "found undefined alias": ("'*' begins a reference that is not defined", "put text that begins with * in quotes"),
    "found character that cannot start any token": ("no value can begin with this character", "put the text in quotes"),
}
"""By the reason that the parser gives: what it means, and what would be right."""


def syntax_error(error: Exception, text: str, origin: Place) -> UserError:
    """The parser's error in our words, at its line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", 0)) + 1
    message, remedy = _explained(error, mark, text.splitlines()[line - 1 : line])
    return UserError(f"is not YAML: {message}", origin.file, line if origin.line else None, remedy=remedy)


def _explained(error: Exception, mark: Any, lines: list[str]) -> tuple[str, str | None]:
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "nested too deeply"
    written = lines[0] if lines else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or (
        mark and written[mark.column : mark.column + 1] == "\t"
    ):
        return "there is a tab in this line", "YAML indents with spaces: put spaces in its place"
    context = str(getattr(error, "context", None) or "")
    if "flow" in context:
        opened = "[" if "sequence" in context else "{"
        begun = getattr(error, "context_mark", None)
        where = f" that opens in line {begun.line + 1}" if begun else ""
        return (
            f"the '{opened}'{where} is not closed, or a comma is missing",
            f"close it with '{']' if opened == '[' else '}'}'",
        )
    for theirs, ours in _WORDS.items():
        if theirs in reason:
            return ours
    return f"{context}, {reason}" if context else reason, None

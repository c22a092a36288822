"""How a command that fails says so: sentences for people, with ``--json`` one document for programs; and its exit
code (docs/operating.md)."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from harness.cli.result_output import output
from harness.errors import UserError
from harness.masking import masked

FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 1, 2, 130, 143
"""Exit codes beside 0; the last two are 128 and the number of the signal, as shells have it."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM)."""


def is_json() -> bool:
    """Whether the command line asks for one document of JSON."""
    return "--json" in sys.argv[1:]


def tell_error(error: BaseException) -> int:
    """Print `error`, on standard output where that is one document of JSON; the exit code that goes with it."""
    # Errors repeat what providers say, which may hold a key.
    if is_json():
        print(masked(json.dumps({"error": error_document(error)}, ensure_ascii=False, indent=1)), file=output())
    else:
        print(masked(_words(error)), file=sys.stderr)
    if isinstance(error, KeyboardInterrupt):
        return TERMINATED if isinstance(error.__cause__ or error, Terminated) else INTERRUPTED
    return BAD_INPUT if isinstance(error, UserError) or hasattr(error, "format_message") else FAILED


def error_document(error: BaseException) -> dict[str, Any]:
    """``{"where", "what", "remedy"}``; of several faults those of the first, and all of them under ``errors``."""
    if isinstance(error, UserError):
        parts = [_document(one) for one in error.parts]
        return parts[0] if len(parts) == 1 else {**parts[0], "errors": parts}
    if isinstance(error, KeyboardInterrupt):
        return {"where": None, "what": f"interrupted: {_interruption(error)}", "remedy": "run the same command again"}
    if hasattr(error, "format_message"):
        return {"where": "the command line", "what": error.format_message(), "remedy": "see --help of the command"}
    remedy = "run again with --debug before the command for the traceback"
    return {"where": None, "what": f"{type(error).__name__}: {error}", "remedy": remedy}


def _document(error: UserError) -> dict[str, Any]:
    place = ":".join(str(part) for part in (error.file, error.line) if part is not None)
    where = ": ".join(part for part in (place or error.what, error.key) if part)
    return {"where": where or None, "what": error.message, "remedy": error.remedy}


def _interruption(error: KeyboardInterrupt) -> str:
    return str(error) or "the same command goes on where it stopped"


def _words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted: {_interruption(error)}"
    if "--debug" in sys.argv:
        return "".join(traceback.format_exception(error)).rstrip()
    if isinstance(error, UserError):
        return "\n".join(f"error: {one}" for one in error.parts)
    return f"error: {type(error).__name__}: {error}\n  run again with --debug before the command for the traceback"

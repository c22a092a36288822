"""Commands of the command line: standard output is theirs alone, and an interruption says what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

from harness.cli.error_output import tell_error
from harness.cli.result_output import diverted


class ResultCommand(TyperCommand):
    """A command during which only `output()` leads to standard output."""

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        try:
            with diverted():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:
            # typer would end without a word.
            raise typer.Exit(tell_error(error)) from error


class ResultTyper(typer.Typer):
    """Commands that keep standard output to themselves."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """As typer has it."""
        return super().command(name, **{"cls": ResultCommand, **options})

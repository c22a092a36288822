"""Commands of the command line: standard output is theirs alone, and an interruption says what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

from harness.cli.error_output import tell_error
from harness.cli.result_output import diverted
from harness.errors import UserError


class ResultCommand(TyperCommand):
    """A command during which only `output()` leads to standard output, and whose options count once unless they may be
    repeated."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse `args`. Raises UserError where a second value would replace the first without a word."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(args=list(args))
            for param, count in Counter(given).items():
                counts_once = isinstance(param, TyperOption) and not (param.multiple or param.is_flag)
                if count > 1 and counts_once:
                    name = max(param.opts, key=len)
                    raise UserError(f"{name} is given {count} times, and counts once", key=name, remedy="give it once")
        return super().parse_args(ctx, args)

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

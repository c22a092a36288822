"""The reference page of the command line, made from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from generate_catalogue import anchor, code, plain

from harness.cli.main import app


def command_page() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    commands = list(_commands(root, "harness"))
    table = "\n".join(f"| [`{name}`](#{anchor(name)}) | {plain(_first(command))} |" for name, command in commands)
    sections = "\n\n".join(_section(name, command) for name, command in commands)
    head = (
        f"# Commands\n\n{plain(root.help)}\n\n{_options(root)}\n\nExit codes: 0 all done, 1 something failed, 2 "
        "bad usage or bad input; [operating.md](../operating.md) has all."
    )
    return f"{head}\n\n| command | what it does |\n|---|---|\n{table}\n\n{sections}\n"


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


def _first(command: Any) -> str:
    return inspect.cleandoc(command.help or "").partition("\n\n")[0].replace("\n", " ")


def _section(name: str, command: Any) -> str:
    pieces = " ".join(command.collect_usage_pieces(command.make_context(name, [], resilient_parsing=True)))
    help_ = plain(inspect.cleandoc(command.help or ""))
    return f"## `{name}` {{#{anchor(name)}}}\n\n```text\n{name} {pieces}\n```\n\n{help_}\n\n{_options(command)}"


def _options(command: Any) -> str:
    context = command.make_context(command.name, [], resilient_parsing=True)
    records = [
        param.get_help_record(context)
        for param in command.get_params(context)
        if param.name != "help" and not param.hidden
    ]
    rows = (f"| {code(names.replace('  ', ' '))} | {plain(help_)} |" for names, help_ in records)
    return "| argument or option | meaning |\n|---|---|\n" + "\n".join(rows)

"""A sweep file from disk to a checked `SweepFile`, or all that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.definitions import References
from harness.config.extends import read_merged
from harness.config.located import Node, Place, node_of
from harness.config.overrides import Override, apply, parse_override
from harness.config.registries import Registries, Scope, SweepSource
from harness.config.sweep_file import SweepFile
from harness.errors import UserError, UserErrors
from harness.plugins import use_plugin_files
from harness.stage import digest
from harness.validation import validated


def load_sweep(path: str | Path, overrides: Sequence[str] = (), registries: Registries | None = None) -> SweepFile:
    """The sweep that the file at `path` describes, with ``a.b=v`` overrides, checked as far as that needs no data.

    Raises UserErrors with everything that is wrong, each with file, line and key. `registries` says which plug-ins
    there are: those installed, by default.

    >>> import harness
    >>> sweep = harness.load_sweep("configs/smoke.yaml", ["budgets=[20]"])
    >>> sweep.name, sweep.budgets, [choice.label for choice in sweep.methods]
    ('smoke', (20,), ['bm25', 'zero-shot', 'intermediate', 'direct', 'supervised'])
    """
    path, faults = Path(path), list[UserError]()
    tree = _resolved(read_merged(path, faults), _parsed(overrides, faults), faults)
    return _checked(
        tree, SweepSource(path, _content_hash(tree), overrides=tuple(overrides), tree=tree), faults, registries
    )


def sweep_of(content: Mapping[str, Any], name: str, command: str) -> SweepFile:
    """The sweep that `content` describes as a file would; paths in it start from the working directory.

    `name` stands for the file in errors and on cards, `command` is what runs it. Raises UserErrors.
    """
    tree = node_of(content, Place(name))
    return _checked(tree, SweepSource(Path.cwd() / name, _content_hash(tree), command, tree=tree), [])


def _checked(
    tree: Node, source: SweepSource, faults: list[UserError], registries: Registries | None = None
) -> SweepFile:
    content = tree.plain()
    if registries is None:
        _use_plugin_files(source, content.get("plugins"), faults)
    scope = _scope(source, content, registries or Registries.installed())
    try:
        sweep = validated(SweepFile, content, what="the sweep file", place=tree, context=scope)
    except UserErrors as error:
        known = {fault.key for fault in faults}
        faults += [fault for fault in error.errors if fault.key not in known]
    if faults:
        raise UserErrors.of(sorted(faults, key=lambda fault: (str(fault.file), fault.line or 0)))
    return sweep


def _use_plugin_files(source: SweepSource, files: Any, faults: list[UserError]) -> None:
    """Loads what the file names, before anything is looked for among the plug-ins."""
    for file in [files] if isinstance(files, str) else files if isinstance(files, list) else ():
        try:
            use_plugin_files([source.path.parent / str(file)])
        except UserError as error:
            faults += source.at(error, source.where(("plugins",), file)).parts


def _parsed(overrides: Sequence[str], faults: list[UserError]) -> list[Override]:
    found = []
    for text in overrides:
        try:
            found.append(parse_override(text))
        except UserError as error:
            faults.append(error)
    return found


def _resolved(tree: Node, overrides: list[Override], faults: list[UserError]) -> Node:
    """The tree after overrides and references: overrides of definitions come before they are used, all others after."""
    for override in overrides:
        tree = _applied(tree, override, faults) if override.defines else tree
    references = References(tree.child("definitions"), faults)
    tree = references.resolve(tree)
    for override in overrides:
        if not override.defines:
            value = references.resolve(override.value, override.parts)
            tree = _applied(tree, Override(override.parts, value), faults)
    return tree


def _applied(tree: Node, override: Override, faults: list[UserError]) -> Node:
    try:
        return apply(tree, override)
    except UserError as error:
        faults.append(error)
        return tree


def _content_hash(tree: Node) -> str:
    return digest({key: value for key, value in tree.plain().items() if key not in ("extends", "definitions")})


def _scope(source: SweepSource, content: dict[str, Any], registries: Registries) -> Scope:
    teachers = content.get("teachers")
    methods = content.get("methods")
    return Scope(
        registries,
        source,
        frozenset(teachers if isinstance(teachers, dict) else ()),
        frozenset(name for entry in (methods if isinstance(methods, list) else ()) for name in _names(entry)),
        frozenset(content) - set(SweepFile.model_fields),
    )


def _names(entry: Any) -> list[str]:
    found = [entry.get("method"), entry.get("label")] if isinstance(entry, dict) else [entry]
    return [name for name in found if isinstance(name, str)]

"""The source of the project as syntax trees, read once for all tests of this folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("harness", "baselines", "dashboard")


@dataclass(frozen=True)
class Import:
    """One module that a file imports, wherever in the file it stands."""

    file: SourceFile
    line: int
    module: str
    """The module itself where that is ours (``harness.files``, not ``harness.files.sha256``)."""
    in_function: bool

    def __str__(self) -> str:
        return f"{self.file.path}:{self.line} imports {self.module}"


@dataclass(frozen=True)
class SourceFile:
    """A Python file of the project."""

    path: Path
    """Relative to the repository."""

    @cached_property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        """Its dotted name; a package's ``__init__`` goes by the package."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def imports(self) -> Iterator[Import]:
        """Everything that it imports, imports inside functions and under TYPE_CHECKING included."""
        for node, in_function in _walk(self.tree, False):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(self, node.lineno, alias.name, in_function)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    full = f"{self._absolute(node)}.{alias.name}"
                    yield Import(self, node.lineno, full if full in modules() else self._absolute(node), in_function)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.module.split(".") if self.path.name == "__init__.py" else self.module.split(".")[:-1]
        return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def _walk(node: ast.AST, in_function: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, in_function
        yield from _walk(child, in_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


@cache
def files(*packages: str) -> tuple[SourceFile, ...]:
    """Every Python file of these packages, of all three by default."""
    return tuple(
        SourceFile(path.relative_to(ROOT))
        for top in packages or PACKAGES
        for path in sorted((ROOT / top).rglob("*.py"))
    )


@cache
def modules() -> dict[str, SourceFile]:
    """Files by dotted name."""
    return {file.module: file for file in files()}


@cache
def own_imports() -> tuple[Import, ...]:
    """All imports of modules of the project."""
    return tuple(one for file in files() for one in file.imports() if one.module.partition(".")[0] in PACKAGES)


def folders() -> dict[Path, list[SourceFile]]:
    """Modules by folder, the ``__init__`` left out."""
    found: dict[Path, list[SourceFile]] = {}
    for file in files():
        if file.path.name != "__init__.py":
            found.setdefault(file.path.parent, []).append(file)
    return found

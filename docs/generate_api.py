"""Makes docs/api.md, the reference of the public face, from docstrings: ``python docs/generate_api.py``."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness

PAGE = Path(__file__).parent / "api.md"
GROUPS = {
    "Sweeps": ("Workspace", "Plan", "SweepResult", "run_method", "load_sweep"),
    "Results": ("load_board", "load_result", "load_run", "load_qrels", "load_collection", "evaluate", "compare"),
    "Plug-ins": (
        "Method",
        "RetrieverMethod",
        "MethodInputs",
        "Teacher",
        "LedgerTeacher",
        "Task",
        "Ranking",
        "Strategy",
        "Loss",
        "Target",
        "StudentType",
        "Stage",
    ),
    "Settings and errors": ("Settings", "UserError"),
}
INTRO = """# Python reference

What `import harness` offers. These names stay; what else can be imported may change. `harness.load_board` returns a
board with `tables`, `notes`, `as_json()`, `to_frame()` and `plot()`; a [notebook](notebook.md) shows how the parts go
together.

This page is made from docstrings by `python docs/generate_api.py`."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def page() -> str:
    """The whole page."""
    rest = [name for name in harness.FACE if name not in [one for names in GROUPS.values() for one in names]]
    groups = {**GROUPS, **({"More": tuple(rest)} if rest else {})}
    parts = [INTRO]
    for title, names in groups.items():
        parts += [f"## {title}", *(part for name in names for part in _entry(name))]
    return "\n\n".join(parts) + "\n"


def _entry(name: str) -> Iterator[str]:
    value = getattr(harness, name)
    yield f"### {name}"
    yield f"`harness.{name}`, from `{harness.FACE[name]}`."
    yield from _class(value) if inspect.isclass(value) else _function(_definition(value))


def _definition(value: Any) -> Any:
    return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]


def _function(node: Any) -> Iterator[str]:
    yield f"```python\n{_signature(node)}\n```"
    yield from _prose(ast.get_docstring(node))


def _class(kind: type) -> Iterator[str]:
    node = _definition(kind)
    bases = [base.__name__ for base in kind.__bases__ if base is not object]
    yield f"```python\nclass {kind.__name__}{'(' + ', '.join(bases) + ')' if bases else ''}\n```"
    yield from _prose(ast.get_docstring(node))
    members = list(_members(kind))
    if members:
        yield "\n".join(members)


def _members(kind: type) -> Iterator[str]:
    """A line each for what the class and those of ours that it is made from offer; the nearest definition counts."""
    known = set[str]()
    for one in kind.__mro__:
        if not one.__module__.startswith("harness"):
            continue
        body = _definition(one).body
        for place, node in enumerate(body):
            name, text = _member(node, body[place + 1 :])
            if name and not name.startswith("_") and name not in known:
                known.add(name)
                yield text


def _member(node: ast.stmt, following: list[ast.stmt]) -> tuple[str, str]:
    if isinstance(node, Function):
        is_property = any("property" in ast.unparse(mark) for mark in node.decorator_list)
        head = f"{node.name}: {_returns(node)}" if is_property else _call(node)
        return node.name, _line(head, ast.get_docstring(node))
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        after = following[0] if following else None
        text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else None
        default = (
            f" = {ast.unparse(node.value)}" if node.value is not None and len(ast.unparse(node.value)) < 30 else ""
        )
        return node.target.id, _line(f"{node.target.id}: {ast.unparse(node.annotation)}{default}", text)
    return "", ""


def _line(head: str, text: Any) -> str:
    words = _inline(" ".join(str(text).split(">>>")[0].split())) if text else ""
    return f"- `{head}`" + (f": {words}" if words else "")


def _signature(node: Any) -> str:
    return f"def {node.name}({ast.unparse(node.args)}) -> {_returns(node)}"


def _call(node: Any) -> str:
    """A method as it is called."""
    return re.sub(r"\((self|cls)(, )?", "(", _signature(node).removeprefix("def "), count=1)


def _returns(node: Any) -> str:
    return "None" if node.returns is None else ast.unparse(node.returns)


def _prose(text: str | None) -> Iterator[str]:
    """Paragraphs, and examples as code."""
    for part in re.split(r"\n\n", text or ""):
        yield f"```pycon\n{part}\n```" if part.startswith(">>>") else _inline(part)


def _inline(text: str) -> str:
    """Code of docstrings has two backticks; brackets of code are none of links."""
    return text.replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""A button that saves a file: one look wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Content = str | bytes | Callable[[], str | bytes]
"""A file, or what makes it when it is asked for."""


def save_button(
    where: Any, label: str, content: Content, name: str, mime: str, *, key: str | None = None, help: str | None = None
) -> None:
    """`content` as a file `name` of that `mime` type; the page is not drawn again."""
    where.download_button(
        label,
        content,
        name,
        mime,
        key=key,
        help=help,
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )

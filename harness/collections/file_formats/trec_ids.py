"""Ids in TREC files, whose columns are parted by white space: an id that holds some is escaped, and its line says so.

The second column, which every tool skips, says it: where it is ``Q0%`` (runs) or ``0%`` (qrels), the ids of the line
are percent-encoded (``doc 1`` as ``doc%201``). In all other lines a percent sign is a percent sign, as in ids that are
web addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote

ESCAPED = "%"
"""What the second column ends with where ids are escaped."""
_BOM = "\ufeff"


def needs_escape(value: str) -> bool:
    """Whether a reader that splits at white space would not get `value` back."""
    return len(value.split()) != 1 or value.strip() != value or value.startswith(_BOM)


def escape(value: str) -> str:
    """`value` without white space; `unescape` gives it back."""
    return "".join(quote(one) if one.isspace() or one in (ESCAPED, _BOM) else one for one in value)


def unescape(value: str) -> str:
    """What `escape` was given. Raises ValueError for bytes that are no UTF-8."""
    return unquote(value, errors="strict")


def trec_pair(query: str, document: str, constant: str) -> str:
    """The first three columns of a line of TREC; `constant` is the second one where nothing is escaped."""
    if needs_escape(query) or needs_escape(document):
        return f"{escape(query)} {constant}{ESCAPED} {escape(document)}"
    return f"{query} {constant} {document}"


def restored(query: str, constant: str, document: str) -> tuple[str, str]:
    """Query and document of the first three columns."""
    return (unescape(query), unescape(document)) if constant in ("Q0%", "0%") else (query, document)


def any_escaped(ids: Iterable[str]) -> bool:
    """Whether one of `ids` is written otherwise than it is; fast where none is."""
    values = ids if isinstance(ids, list) else list(ids)
    joined = " ".join(values)
    return joined.split() != values or _BOM in joined

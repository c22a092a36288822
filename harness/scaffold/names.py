"""Names that a new plug-in may have: it becomes a module, a package on this machine and a word in sweep files."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.metadata import packages_distributions

from harness.catalogue import kinds
from harness.errors import UserError
from harness.plugins import plugins

_RIGHT = re.compile(r"[a-z][a-z0-9_]*")


def checked_name(kind: str, listed: str, name: str) -> str:
    """`name`, which may be given to a new plug-in of a kind that is `listed` under that word.

    Raises UserError when it is no module name in lower case, a keyword, the name of a plug-in of that kind, or of
    another module.
    """
    if not _RIGHT.fullmatch(name):
        raise UserError(
            f"'{name}' is no name for a {kind}: it must be a Python identifier of lower-case letters, digits and "
            "underscores",
            remedy=f"for example: {_proposed(name)}",
        )
    if keyword.iskeyword(name):
        raise _taken(name, "a word of Python")
    if name in plugins(kinds()[listed]):
        raise _taken(name, f"a {kind} already (harness show {listed} {name})")
    if name in sys.stdlib_module_names or name in packages_distributions():
        raise _taken(name, "a module already, which it would hide")
    return name


def _taken(name: str, what: str) -> UserError:
    return UserError(f"'{name}' is {what}", remedy=f"take another name, for example: my_{name}")


def _proposed(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if _RIGHT.fullmatch(plain) and not keyword.iskeyword(plain) else f"my_{plain}".rstrip("_")

"""A new package with one plug-in: five files that run as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from harness.errors import UserError
from harness.scaffold.names import checked_name


@dataclass(frozen=True)
class Kind:
    """What is particular to one kind of plug-in."""

    group: str
    """The entry point group in which it is found."""
    word: str
    """The last word of the class's name."""
    listed: str
    """What `harness list` calls the kind."""


KINDS = {
    "baseline": Kind("harness.methods", "Baseline", "methods"),
    "teacher": Kind("harness.teachers", "Teacher", "teachers"),
    "loss": Kind("harness.losses", "Loss", "losses"),
    "student": Kind("harness.students", "Student", "students"),
    "collection": Kind("harness.collections", "Source", "collections"),
}


def write_package(kind: str, name: str, folder: Path = Path()) -> Path:
    """Write the package `name` below `folder` and return its own folder.

    Raises UserError when the name is no good (see names.py) or something of that name is there; then nothing is
    written.
    """
    about = KINDS[kind]
    checked_name(kind, about.listed, name)
    words = {
        "kind": kind,
        "name": name,
        "class_name": "".join(part.capitalize() for part in name.split("_")) + about.word,
        "group": about.group,
        "listed": about.listed,
    }
    files = {place: _filled(template, words) for place, template in _templates(kind, name).items()}
    place = folder / name
    try:
        place.mkdir(parents=True)
    except FileExistsError as error:
        raise UserError(
            f"'{place}' is there already; nothing was written", remedy="take another name, or another folder with --dir"
        ) from error
    except OSError as error:
        raise UserError(
            f"'{place}' cannot be made: {error.strerror}", remedy="name a folder that you may write to with --dir"
        ) from error
    for relative, text in files.items():
        (place / relative).parent.mkdir(exist_ok=True)
        (place / relative).write_text(text, encoding="utf-8")
    return place


def _templates(kind: str, name: str) -> dict[str, str]:
    """Where each file goes, and which template it is made from."""
    return {
        "pyproject.toml": "shared/pyproject.toml.txt",
        "README.md": "shared/README.md.txt",
        "config.yaml": f"{kind}/config.yaml.txt",
        f"src/{name}.py": f"{kind}/plugin.py.txt",
        f"tests/test_{name}.py": "shared/test.py.txt",
    }


def _filled(template: str, words: dict[str, str]) -> str:
    text = resources.files(__package__).joinpath("templates", *template.split("/")).read_text(encoding="utf-8")
    return Template(text).substitute(words)

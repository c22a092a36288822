"""Models load whole or not at all: transformers draws random weights for those that a file lacks and says so in a log
line; here that is an error, but for parts that are declared to be new or go unused."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.pretrained.model_folder import damaged_files, refuse_foreign_code

transformers = lazy("transformers")
transformers_utils = lazy("transformers.utils")

_SWAP = threading.RLock()
_MOST_NAMED = 4


@dataclass(frozen=True)
class LoadReport:
    """What `from_pretrained` found in the files of one model; `missing` weights were drawn at random."""

    model: Any
    missing: frozenset[str]
    unexpected: frozenset[str]


Exempt = Callable[[Any, str], bool]
"""Whether a weight (model, name) may be drawn at random."""


def unused_pooler(model: Any, name: str) -> bool:
    """The pooler of an encoder, which sentence-transformers does not read: embeddings are pooled tokens."""
    return name.partition(".")[0] == "pooler"


def fresh_head(model: Any, name: str) -> bool:
    """All that a classifier has beside its encoder, the encoder's pooler included."""
    inside, _, part = name.partition(".")
    return inside != model.base_model_prefix or part.partition(".")[0] == "pooler"


@contextmanager
def silence_libraries() -> Iterator[None]:
    """No progress bars and no advice from the libraries while a model is loaded or saved; what is wrong still
    raises."""
    level, bars = transformers_utils.logging.get_verbosity(), transformers_utils.logging.is_progress_bar_enabled()
    transformers_utils.logging.set_verbosity_error()
    transformers_utils.logging.disable_progress_bar()
    logger = logging.getLogger("sentence_transformers")
    former = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(former)
        transformers_utils.logging.set_verbosity(level)
        if bars:
            transformers_utils.logging.enable_progress_bar()


@contextmanager
def explain_load_errors(folder: Path, *exempt: Exempt) -> Iterator[None]:
    """Loads what is in `folder` quietly.

    Raises UserError naming the folder for what fails, for code that comes with it, for files that are cut off, and for
    weights that the files lack, unless one of `exempt` lets them be drawn.
    """
    refuse_foreign_code(folder)
    try:
        with silence_libraries(), _load_reports() as reports:
            yield
    except UserError:
        raise
    except Exception as error:
        damage = next(damaged_files(folder), None)
        remedy = "copy, download or save the model anew" if damage else "give a folder saved by sentence-transformers"
        fault = damage or f"{type(error).__name__}: {error}"
        raise UserError(f"the model in '{folder}' does not load: {fault}", remedy=remedy) from error
    for report in reports:
        _require_whole(report, folder, exempt)


@contextmanager
def _load_reports() -> Iterator[list[LoadReport]]:
    """Collects what transformers finds in this thread, wherever in a library it is called."""
    thread, reports = threading.get_ident(), list[LoadReport]()
    with _SWAP:
        original = transformers.PreTrainedModel.__dict__["from_pretrained"]

        def from_pretrained(cls: type, *arguments: Any, **options: Any) -> Any:
            wanted = options.pop("output_loading_info", False)
            model, found = original.__func__(cls, *arguments, output_loading_info=True, **options)
            if threading.get_ident() == thread:
                mismatched = {name for name, *_ in found["mismatched_keys"]}
                missing = frozenset({*found["missing_keys"], *mismatched})
                reports.append(LoadReport(model, missing, frozenset(found["unexpected_keys"])))
            return (model, found) if wanted else model

        transformers.PreTrainedModel.from_pretrained = classmethod(from_pretrained)
        try:
            yield reports
        finally:
            transformers.PreTrainedModel.from_pretrained = original


def _require_whole(report: LoadReport, folder: Path, exempt: tuple[Exempt, ...]) -> None:
    lacking = sorted(name for name in report.missing if not any(rule(report.model, name) for rule in exempt))
    if not lacking:
        return
    unknown = sorted(report.unexpected)
    others = f", and hold {len(unknown)} that it does not know ({_named(unknown)})" if unknown else ""
    prefix = _common_prefix(lacking, unknown, f"{report.model.base_model_prefix}.")
    raise UserError(
        f"the files in '{folder}' lack {len(lacking)} weights of {type(report.model).__name__} "
        f"({_named(lacking)}){others}: it would be trained on random numbers",
        remedy=f"take '{prefix}' off the names of its weights"
        if prefix
        else "save the whole model anew (save_pretrained), or give the folder that it comes from",
    )


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _common_prefix(lacking: list[str], unknown: list[str], inside: str) -> str:
    """What the names of all lacking weights bear in the file, with the name of the encoder inside a model or
    without; empty where they are not there under another name."""
    for names in (lacking, [name.removeprefix(inside) for name in lacking]):
        prefixes = (one.removesuffix(names[0]) for one in unknown if one.endswith(f".{names[0]}"))
        found = next((one for one in prefixes if {one + name for name in names} <= set(unknown)), "")
        if found:
            return found
    return ""

"""Why something of a sweep failed, for people: what was raised, in which line of a plug-in, and the whole traceback."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from harness.errors import UserError
from harness.masking import masked
from harness.plugin_code.plugin_words import cause

_FRAME = re.compile(r'^ +File "(?P<file>[^"]+)", line (?P<line>\d+) in ', re.MULTILINE)
"""A frame as faulthandler writes it; the innermost comes first."""


class Refused(Exception):
    """What a plug-in does or gives cannot be taken; the message says why."""


@dataclass(frozen=True)
class StageFault:
    """`reason` is a sentence for people, `traceback` for whoever mends it; `file` and `line` are those of the plug-in
    that was at work, None where none was."""

    reason: str
    traceback: str
    file: str | None = None
    line: int | None = None

    def masked(self) -> StageFault:
        """The same without secrets: what a provider or a library says may repeat a key."""
        return replace(self, reason=masked(self.reason), traceback=masked(self.traceback))

    @classmethod
    def of(cls, error: BaseException, classes: Sequence[type] = ()) -> StageFault:
        """What `error` says; `classes` are those of the plug-ins that were at work."""
        files = _files(classes)
        steps = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        place = next((step for step in reversed(steps) if step[0] in files), None) or _defined(classes)
        return cls._placed(_words(error), "".join(traceback.format_exception(error)), place)

    @classmethod
    def of_process(cls, words: str, dump: str, classes: Sequence[type]) -> StageFault:
        """A process that ended without a word, as `words` say; `dump` is what faulthandler wrote, if anything."""
        files = _files(classes)
        steps = [(frame["file"], int(frame["line"])) for frame in _FRAME.finditer(dump)]
        place = next((step for step in steps if step[0] in files), None) or _defined(classes)
        return cls._placed(words, f"{words}\n{dump}", place)

    @classmethod
    def _placed(cls, words: str, trace: str, place: tuple[str, int] | None) -> StageFault:
        if place is None:
            return cls(words, trace)
        head, newline, rest = words.partition("\n")
        return cls(f"{head} ({place[0]}:{place[1]}){newline}{rest}", trace, *place)


def _words(error: BaseException) -> str:
    if isinstance(error, (UserError, Refused)):
        return str(error)
    ends = not isinstance(error, (Exception, KeyboardInterrupt))
    return f"{cause(error)}, which would have ended the sweep" if ends else cause(error)


def _files(classes: Iterable[type]) -> set[str]:
    found = set()
    for kind in classes:
        with suppress(OSError, TypeError):
            found.add(inspect.getfile(kind))
    return found


def _defined(classes: Sequence[type]) -> tuple[str, int] | None:
    """Where the first of the plug-ins stands."""
    for kind in classes:
        with suppress(OSError, TypeError):
            file, run = inspect.getfile(kind), getattr(kind, "run", kind)
            own = run if inspect.getfile(run) == file else kind
            return file, inspect.getsourcelines(own)[1]
    return None

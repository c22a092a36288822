"""What a teacher's server has been found to take: a parameter that it refuses by name is left out, or sent under its
successor's name, from then on.

What was found out is kept in the user's cache, so that all runs of one teacher ask in one way, and labels out of the
ledger can say how they were asked for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.files import atomic_file, cache_home
from harness.llm.wire.refused_parameter import ROOM, SYSTEM, Refusal, refusal

Message = dict[str, str]
MOST = 8
"""How often one request is changed at most."""


@dataclass
class AcceptedParameters:
    """The changes to requests of one teacher. `teacher` names it and its address; `fixed` are parameters that are never
    taken out, `initial` changes that the user asks for."""

    teacher: str = ""
    fixed: Collection[str] = ()
    initial: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def changes(self) -> dict[str, str]:
        """Name -> successor (empty: left out), for everything that a request went through with."""
        found = dict(self.initial)
        if self.teacher:
            with suppress(OSError, ValueError, AttributeError):
                cached = json.loads(self._file.read_text(encoding="utf-8"))
                found |= {str(name): str(successor) for name, successor in cached.items()}
        return found

    def trial(self) -> RequestTrial:
        """For one request: starts from what is known."""
        return RequestTrial(self, dict(self.changes))

    def confirm(self, changes: Mapping[str, str]) -> None:
        """A request with these `changes` was answered: so are all others asked."""
        if changes.items() <= self.changes.items():
            return
        self.changes.update(changes)
        if self.teacher:
            with suppress(OSError), atomic_file(self._file, fsync=False) as temporary:
                temporary.write_text(json.dumps(self.changes), encoding="utf-8")

    def described(self) -> dict[str, str]:
        """The changes in words, by parameter, for cards and people."""
        return {name: _described(name, successor) for name, successor in sorted(self.changes.items())}

    @property
    def _file(self) -> Any:
        return cache_home() / "parameters" / f"{self.teacher}.json"


@dataclass
class RequestTrial:
    """One request on its way to a form that the server takes."""

    accepted: AcceptedParameters
    changes: dict[str, str]

    def messages(self, messages: Sequence[Message]) -> list[Message]:
        """As the server takes them."""
        role = self.changes.get(SYSTEM)
        if role is None:
            return list(messages)
        if role != "user":
            return [{**message, "role": role if message["role"] == SYSTEM else message["role"]} for message in messages]
        system = [message["content"] for message in messages if message["role"] == SYSTEM]
        rest = [dict(message) for message in messages if message["role"] != SYSTEM]
        if system and rest:
            rest[0]["content"] = "\n\n".join([*system, rest[0]["content"]])
        return rest

    def parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """As the server takes them."""
        found = dict(parameters)
        for name, successor in self.changes.items():
            if name in found:
                value = found.pop(name)
                if successor:
                    found.setdefault(successor, value)
        return found

    def learn(self, status: int, text: str, parameters: Mapping[str, Any], system: bool) -> bool:
        """Whether the server's answer refuses a part of the request that can be left out or replaced, and was not
        yet. `parameters` are those of the whole request, before any change."""
        sent = self.parameters(parameters)
        movable = {name: value for name, value in sent.items() if name not in self.accepted.fixed}
        found = refusal(status, text, movable, system and SYSTEM not in self.changes)
        if found is None or found.name in self.changes or len(self.changes) > MOST + len(self.accepted.initial):
            return False
        if found.name in ROOM and found.successor in self.changes:
            return False
        self.changes[found.name] = found.successor
        if found.name not in parameters and found.name != SYSTEM:
            # A successor is refused as well: its own first name leads to what takes its place.
            self._redirect(found)
        return True

    def confirm(self) -> None:
        """The request was answered."""
        self.accepted.confirm(self.changes)

    def _redirect(self, found: Refusal) -> None:
        for name, successor in self.changes.items():
            if successor == found.name:
                self.changes[name] = found.successor


def _described(name: str, successor: str) -> str:
    if name == SYSTEM:
        return "before the user's message" if successor == "user" else f"as a message of the {successor}"
    return f"sent as {successor}" if successor else "not sent"

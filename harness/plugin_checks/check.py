"""Contracts of plug-ins: what each demands, how that is checked, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Literal, TypeVar

from harness.errors import UserError
from harness.plugin_code.plugin_guard import plugin_guard
from harness.plugin_code.plugin_words import cause
from harness.plugins import Plugin
from harness.progress import Progress

State = Literal["kept", "broken", "not checked"]
T = TypeVar("T")
TIMEOUT = 600.0
"""Seconds a contract; the longest take some, unless a machine is busy."""


class Broken(Exception):
    """A contract does not hold; the message says what was seen. `contract` names it where another one was being
    tried."""

    def __init__(self, detail: str, contract: str | None = None) -> None:
        super().__init__(detail)
        self.contract = contract


class NotChecked(Exception):
    """A contract that says nothing about this plug-in, or cannot be tried; the message says why."""


@dataclass(frozen=True)
class Check(Generic[T]):
    """One thing that a plug-in promises. `passes` gets the plug-in in its setting and raises Broken or NotChecked."""

    name: str
    demands: str
    remedy: str
    passes: Callable[[T], None]


class Checks(list[Check[T]]):
    """What plug-ins of one kind promise, in the order in which it is checked."""

    def add(self, name: str, demands: str, remedy: str) -> Callable[[Callable[[T], None]], Callable[[T], None]]:
        """Adds the decorated function as a check."""

        def _add(passes: Callable[[T], None]) -> Callable[[T], None]:
            self.append(Check(name, demands, remedy, passes))
            return passes

        return _add


def check_description(plugin: type[Plugin], faults: Iterable[str] = (), texts: Sequence[str] = ()) -> None:
    """Raises Broken with what is wrong with the attributes that every list shows, with those of `texts` that are empty,
    and `faults`."""
    found = []
    if not plugin.summary or plugin.summary.endswith("."):
        found.append("'summary' must be a few words without a full stop")
    if not (plugin.__doc__ or "").strip():
        found.append("the class has no docstring")
    found += [f"'{name}' is empty" for name in texts if not str(getattr(plugin, name, "")).strip()]
    if found := [*found, *faults]:
        raise Broken("; ".join(found))


@dataclass(frozen=True)
class CheckResult:
    """What came of trying one contract."""

    contract: str
    demands: str
    state: State
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class CheckReport:
    """What came of all contracts of one plug-in."""

    kind: str
    name: str
    contracts: tuple[CheckResult, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether no contract is broken."""
        return not self.broken

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the broken contracts, in the order in which they were tried."""
        return tuple(verdict.contract for verdict in self.contracts if verdict.state == "broken")

    def as_json(self) -> dict[str, Any]:
        """``{"kind", "name", "ok", "seconds", "contracts": [{"contract", "demands", "state", "detail",
        "remedy"}]}``."""
        return {
            "kind": self.kind,
            "name": self.name,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "contracts": [asdict(verdict) for verdict in self.contracts],
        }

    def __str__(self) -> str:
        told = (f"{one.contract}: {one.detail}\n  {one.remedy}" for one in self.contracts if one.state == "broken")
        return "\n".join(told) or f"{self.kind} '{self.name}' keeps its contracts"


def run_checks(
    kind: str, name: str, setting: T, contracts: Sequence[Check[T]], progress: Progress, timeout: float = TIMEOUT
) -> CheckReport:
    """Every contract tried on `setting`, one after another; one that is broken, or not kept after `timeout` seconds,
    stops no other."""
    begun, verdicts = time.perf_counter(), []
    for number, contract in enumerate(contracts):
        progress(number, len(contracts), contract.name)
        verdicts.append(_verdict(contract, setting, timeout))
    progress(len(contracts), len(contracts), "")
    return CheckReport(kind, name, tuple(verdicts), time.perf_counter() - begun)


def _verdict(contract: Check[T], setting: T, timeout: float) -> CheckResult:
    try:
        with plugin_guard(timeout):
            contract.passes(setting)
    except NotChecked as reason:
        return CheckResult(contract.name, contract.demands, "not checked", str(reason))
    except Broken as seen:
        if seen.contract not in (None, contract.name):
            return CheckResult(contract.name, contract.demands, "not checked", f"see '{seen.contract}'")
        return CheckResult(contract.name, contract.demands, "broken", str(seen), contract.remedy)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return CheckResult(contract.name, contract.demands, "broken", raised(error), contract.remedy)
    return CheckResult(contract.name, contract.demands, "kept")


def raised(error: BaseException) -> str:
    """An error that a plug-in raised, in one line of words."""
    return f"it raises {str(error) if isinstance(error, UserError) else cause(error)}"

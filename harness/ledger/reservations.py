"""Waiting for a claim: until money comes free, or until another that asks the same is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from harness.errors import UserError
from harness.ledger.call_ledger import CallLedger
from harness.ledger.claims import Claim
from harness.ledger.given_up import GivenUp

_FIRST, _LONGEST = 0.02, 0.5
"""Seconds of the first and of the longest pause between two looks at what others do."""
_CLAIM = 0.002
"""Seconds between two looks for each that waits: ten times what a claim takes."""


class Reservations:
    """The claims of one piece of work with many questions under way.

    `check` is called before each new try and raises when the work is to stop. `resumable` as in `claims.Wish`.
    """

    def __init__(self, ledger: CallLedger, check: Callable[[], None], resumable: bool) -> None:
        self._ledger, self._check, self._resumable = ledger, check, resumable
        self._granted: dict[str, Claim] = {}
        self._settled = asyncio.Event()
        self._line = asyncio.Lock()
        self._others: dict[str, asyncio.Future[None]] = {}
        self._watching: asyncio.Task[None] | None = None

    async def claim(self, key: str, usd: float, model: str, holding: bool = False) -> Claim:
        """A claim on `key` that is granted, or held or given up where another has asked meanwhile. Raises UserError
        when the call could pass a limit, however those under way turn out."""
        while True:
            claim = await self._in_line(key, usd, model, holding)
            if claim.state == "granted":
                self._granted[key] = claim
            if claim.state != "taken":
                return claim
            await self._other(key)

    def end(self, key: str, *, unconfirmed: bool = False, gives_up: GivenUp | None = None) -> None:
        """The question is no longer under way. Where it has neither been answered nor missed, its claim is given back;
        `unconfirmed` and `gives_up` as in `Ledger.release`."""
        if self._granted.pop(key, None) is not None:
            abandoned = unconfirmed and self._resumable
            self._ledger.release(key, unconfirmed=unconfirmed, abandoned=abandoned, gives_up=gives_up)
        self._settled.set()

    def settled(self, key: str) -> None:
        """What was paid for `key` is in the ledger, which has ended the claim."""
        self._granted.pop(key, None)

    async def again(self, key: str, usd: float, model: str) -> None:
        """An answer was lost on the way, and may be billed: reserve for another try. Raises UserError when that could
        pass a limit."""
        self._ledger.lose(key)
        if (await self.claim(key, usd, model, holding=True)).state != "granted":
            raise UserError(
                "another process asked the same question, since this one seemed to have died", remedy="run again"
            )

    async def _in_line(self, key: str, usd: float, model: str, holding: bool) -> Claim:
        """Money is given in the order of asking, so that whoever needs much is not overtaken for ever."""
        async with self._line:
            pause = _FIRST
            while True:
                self._check()
                claim = self._ledger.claim(key, usd, model, resumable=self._resumable, holding=holding)
                if claim.state == "over":
                    raise refusal(claim)
                if claim.state != "wait":
                    return claim
                self._settled.clear()
                await _until(self._settled, pause)
                pause = min(_LONGEST, 2 * pause)

    async def _other(self, key: str) -> None:
        """Wait until nobody has a claim on `key` any more, or an answer is there."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        if key not in self._others:
            self._others[key] = asyncio.get_running_loop().create_future()
        await self._others[key]

    async def _watch(self) -> None:
        """One look for all that wait. Now and then all claim anew, which finds the claims of those that died."""
        pause, looked = _FIRST, time.monotonic()
        try:
            while self._others:
                await asyncio.sleep(pause)
                pause = min(_LONGEST, 2 * pause)
                anew = time.monotonic() - looked > max(2 * _LONGEST, len(self._others) * _CLAIM)
                looked = time.monotonic() if anew else looked
                claimed = set() if anew else self._ledger.claimed(self._others) - self._ledger.held(self._others)
                for key in [key for key in self._others if key not in claimed]:
                    self._others.pop(key).set_result(None)
        except Exception as error:
            for future in self._others.values():
                future.set_exception(error)
            self._others.clear()


def wait_for_claim(ledger: CallLedger, key: str, usd: float, model: str) -> Claim:
    """The same for work that asks one question after another; holds the thread meanwhile."""
    pause = _FIRST
    while (claim := ledger.claim(key, usd, model)).state in ("wait", "taken"):
        time.sleep(pause)
        pause = min(_LONGEST, 2 * pause)
    if claim.state == "over":
        raise refusal(claim)
    return claim


def refusal(claim: Claim) -> UserError:
    """Why a claim is over, in words."""
    assert claim.cap is not None
    there, whole = claim.balance, claim.cap.account is None
    left = max(0.0, claim.cap.usd - there.spent)
    who = "all sweeps of this workspace" if whole else "this sweep, in all its runs"
    perhaps = f", {_usd(there.unconfirmed)} more may have been billed for answers that never came" * bool(
        there.unconfirmed
    )
    option = "--max-cost-workspace" if whole else "--max-cost (or max_cost in the sweep file)"
    head = f"the next call may cost {_usd(claim.usd)} USD and only {_usd(left)} are left of the limit"
    return UserError(
        f"{head}: of {_usd(claim.cap.usd)} USD {_usd(there.paid)} were paid by {who}{perhaps}",
        remedy=f"raise {option} and run again; everything paid so far is kept",
    )


def _usd(value: float) -> str:
    return f"{value:.4f}" if value >= 0.01 or not value else f"{value:.2g}"


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return

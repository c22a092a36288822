"""Many processes that pay under one cap."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from benchmarks.case import Case, Goal, Measured, Timed
from benchmarks.timing import timed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PROCESSES, LATENCY, CAP = 8, 0.02, 2.0
PRICE = {"input": 10.0, "output": 40.0}


class PayingTogether(Case):
    """Label stages in processes of their own, whose queries overlap, until the cap they share stops them."""

    name: ClassVar[str] = "paying under one cap"
    quality: ClassVar[str] = "USD counted by USD billed"
    rounds: ClassVar[tuple[int, int]] = (1, 2)

    @property
    def queries(self) -> int:
        """Of each process; the next one has half of them too."""
        return 100 if self.quick else 400

    def work(self) -> str:
        return f"{PROCESSES} processes of {self.queries} queries, cap {CAP} USD, {LATENCY * 1000:.0f} ms"

    def ours(self) -> Timed:
        from tests.llm.openai_server import Server, serving

        file = self.folder / "ledger.sqlite"
        file.unlink(missing_ok=True)
        _warm(self.folder / "warm.sqlite")
        fork, server = multiprocessing.get_context("fork"), Server(latency=LATENCY)
        pipes = [fork.Pipe() for _ in range(PROCESSES)]
        workers = [
            fork.Process(target=_label, args=(file, number * self.queries // 2, self.queries, child))
            for number, (_, child) in enumerate(pipes)
        ]
        # Forked before the server has threads.
        for worker in workers:
            worker.start()
        with serving(server):

            def label() -> list[float]:
                for parent, _ in pipes:
                    parent.send(server.url)
                return [float(parent.recv()) for parent, _ in pipes]

            seconds, paid = timed(label)
        for worker in workers:
            worker.join()
        billed, twice = server.billed(**{f"{kind}_price": usd for kind, usd in PRICE.items()}), server.answered
        assert billed <= CAP, f"billed {billed} USD under a cap of {CAP}"
        assert max(twice.values()) == 1, "a question was answered twice"
        return Timed(seconds, sum(paid) / billed, f"billed {billed:.3f} of {CAP} USD for {len(twice):,} answers")

    def limits(self) -> tuple[Goal, ...]:
        return (Goal("1", _is_exact),)


def _is_exact(ours: Measured, peer: Measured | None) -> bool:
    return ours.quality is not None and abs(ours.quality - 1) < 1e-9


def _label(file: Path, first: int, count: int, pipe: Connection) -> None:
    """Label until the cap; sends the USD that this process counted."""
    from benchmarks.windows import chat_teacher, tasks_of
    from harness.errors import UserError
    from harness.ledger.ledger import Ledger
    from harness.progress import silent

    teacher = chat_teacher(api_base=pipe.recv(), concurrency=8, price=PRICE)
    ledger = Ledger(file)
    ledger.limit = CAP
    with suppress(UserError):
        list(teacher.label(tasks_of(first + count, 20)[first:], ledger, silent))
    pipe.send(ledger.paid.usd)
    ledger.close()


def _warm(file: Path) -> None:
    """What labelling imports is imported once, not in each process."""
    from benchmarks.windows import chat_teacher, tasks_of
    from harness.ledger.ledger import Ledger
    from harness.progress import silent
    from tests.llm.openai_server import Server, serving

    file.unlink(missing_ok=True)
    with serving(Server()) as server:
        list(chat_teacher(api_base=server.url, price=PRICE).label(tasks_of(1, 3), Ledger(file), silent))

"""Five hundred seeds in the ordinary run; `make simulate` for more, and for one of them again."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from jobengine.engine import local
from jobengine.engine.local import LocalEngine
from jobengine.engine.walk import Walk
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.order import Order
from tests.simulation.counts import Counts
from tests.simulation.disk import DiskInDanger
from tests.simulation.simulation import Simulation

SEEDS = 500
AT_ONCE = 25
SEEDS_TO_NOTICE = 20

BEFALLEN = (
    *("power_losses", "kills", "failed_calls", "taken_back", "unknown", "compactions", "rekeys"),
    *("growth_refused", "waits"),
)

COMPACT = LocalEngine.compact
REPLAYED = (3, 4, 5)
PRINT_TRACES = """
import sys
from tests.simulation.test_simulation import traces
sys.stdout.write(traces())
"""


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_no_seed_breaks_a_promise(first: int) -> None:
    counts = Counts()
    for seed in range(first, first + AT_ONCE):
        outcome = Simulation(seed).run()
        assert outcome.violation is None, str(outcome)
        counts.add(outcome.counts)
    assert counts.answered > counts.operations // 2  # that the broker served, and was not only killed
    for befallen in BEFALLEN:
        assert getattr(counts, befallen), befallen


def test_the_same_seed_gives_the_same_trace_byte_for_byte() -> None:
    assert {traces(), *map(_traces_of_another_process, ("1", "2"))} == {traces()}


def traces() -> str:
    """Those of some seeds, one after the other."""
    return "\n".join("\n".join(Simulation(seed).run().trace) for seed in REPLAYED)


def test_another_seed_gives_another_trace() -> None:
    assert Simulation(3).run().trace != Simulation(4).run().trace


def test_a_failing_seed_says_how_to_run_it_again() -> None:
    with mock.patch.object(DiskInDanger, "sync", _do_nothing):
        outcome = _first_violation()
    assert f"make simulate FIRST={outcome.seed} SEEDS=1" in str(outcome)
    assert outcome.trace[-1] in str(outcome)


def _last_instead_of_first(order: Order, now: int) -> Job | None:
    alive = [job for job in order._queued if job.expires > now]
    return alive[-1] if alive else None


def _first_of_all(order: Order, now: int) -> Job | None:
    return next(iter(order._queued), None)


def _do_nothing(*_: object) -> None:
    pass


async def _true(*_: object) -> bool:
    return True


async def _compact_under_the_old_secret(engine: LocalEngine, new_secret: str | None = None) -> Any:
    return await COMPACT(engine)


def _refuse_growth_for_good(engine: LocalEngine, reason: str | None) -> None:
    engine._no_growth = engine._no_growth or reason


@pytest.mark.parametrize(
    ("owner", "method", "wrong"),
    [
        pytest.param(DiskInDanger, "sync", _do_nothing, id="answers before the disk has them"),
        pytest.param(LocalEngine, "_what_was_seen_lasts", _true, id="shows what a crash may undo"),
        pytest.param(Ledger, "undo", staticmethod(_do_nothing), id="keeps what the disk refused"),
        pytest.param(
            Order, "first_ready", _last_instead_of_first, id="hands out the last instead of the first"
        ),
        pytest.param(Order, "first_ready", _first_of_all, id="hands out what has expired"),
        pytest.param(Walk, "copies", lambda *_: [], id="forgets what changes while it compacts"),
        pytest.param(LocalEngine, "compact", _compact_under_the_old_secret, id="keeps the old SECRET"),
        pytest.param(
            LocalEngine, "refuse_growth", _refuse_growth_for_good, id="takes no more jobs when there is room"
        ),
        pytest.param(local, "grows", lambda *_: True, id="refuses claims on a disk that is nearly full"),
    ],
)
def test_the_oracle_notices_a_broker_that(owner: Any, method: str, wrong: Callable[..., Any]) -> None:
    with mock.patch.object(owner, method, wrong):
        assert _first_violation().violation


def _first_violation() -> Any:
    outcomes = (Simulation(seed).run() for seed in range(SEEDS_TO_NOTICE))
    return next(outcome for outcome in outcomes if outcome.violation is not None)


def _traces_of_another_process(hash_seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PRINT_TRACES],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

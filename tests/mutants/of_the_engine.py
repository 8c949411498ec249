"""Bugs between memory and disk, and in what runs in the background."""

from tests.mutants.mutant import Mutant

ENGINE: tuple[Mutant, ...] = (
    Mutant(
        name="answer before it is stored",
        breaks="A caller is told what a crash undoes.",
        file="jobengine/engine/local.py",
        old="await self._store(decision.changes)",
        new="self._store(decision.changes)",
        test="tests/engine/test_against_reference.py::TestTheEngineAgainstTheReference",
    ),
    Mutant(
        name="reads do not wait for the disk",
        breaks="A caller sees a state that a crash undoes.",
        file="jobengine/engine/local.py",
        old="in_flight = self._journal.barrier()",
        new="in_flight: asyncio.Future[None] | None = None",
        test="tests/engine/test_against_reference.py::TestTheEngineAgainstTheReference",
    ),
    Mutant(
        name="undo forgotten on a full disk",
        breaks="Memory shows what the file does not hold: a restart takes it away.",
        file="jobengine/engine/local.py",
        old="self._ledger.undo(self._undos.pop())",
        new="self._undos.pop()",
        test="tests/engine/test_against_reference.py::TestTheEngineAgainstTheReference",
    ),
    Mutant(
        name="undo in the wrong order",
        breaks="Of two changes taken back the first one stays.",
        file="jobengine/model/ledger.py",
        old="for step in reversed(undo):",
        new="for step in undo:",
        test="tests/engine/test_against_reference.py::TestTheEngineAgainstTheReference",
    ),
    Mutant(
        name="a full disk stops reads",
        breaks="Who only looks is told that the disk is full.",
        file="jobengine/engine/local.py",
        old="""
            except StorageFull:
                return False
""",
        new="""
            except StorageFull:
                raise
""",
        test="tests/engine/test_against_reference.py::TestTheEngineAgainstTheReference",
    ),
    Mutant(
        name="leases that are over are not looked at before a claim",
        breaks="A job that was given back is handed out only once the sweeper has passed.",
        file="jobengine/engine/local.py",
        old="while contents.deadlines.lease_is_over(self._clock.now()):",
        new="while not contents.jobs and contents.deadlines.lease_is_over(self._clock.now()):",
        test="tests/engine/test_against_reference.py::TestTheEngineAgainstTheReference",
    ),
    Mutant(
        name="the clock of the wall",
        breaks="A wall clock that is set back, or a file of a machine that was ahead, makes time run back.",
        file="jobengine/engine/clock.py",
        old="max(wall(), at_least)",
        new="max(wall(), 0 * at_least)",
        test="tests/engine/test_clock.py::test_x",
    ),
)

"""Bugs between memory and disk, and in what runs in the background."""

from tests.mutants.mutant import Mutant

ENGINE: tuple[Mutant, ...] = (
    Mutant(
        name="answer before it is stored",
        breaks="A caller is told what a crash undoes.",
        file="jobengine/engine/local.py",
        old="await self._store(decision.changes)",
        new="self._store(decision.changes)",
        test="tests/engine/test_answers.py::test_a_command_is_answered_once_it_is_on_disk",
    ),
    Mutant(
        name="reads do not wait for the disk",
        breaks="A caller sees a state that a crash undoes.",
        file="jobengine/engine/looking.py",
        old="in_flight = self._journal.barrier()",
        new="in_flight: asyncio.Future[None] | None = None",
        test="tests/engine/test_answers.py::test_a_read_is_answered_once_what_it_saw_is_on_disk",
    ),
    Mutant(
        name="undo forgotten on a full disk",
        breaks="Memory shows what the file does not hold: a restart takes it away.",
        file="jobengine/engine/local.py",
        old="self._ledger.undo(self._undos.pop())",
        new="self._undos.pop()",
        test="tests/engine/test_answers.py::test_memory_forgets_what_found_no_room_and_nothing_else",
    ),
    Mutant(
        name="undo the oldest change",
        breaks="A full disk takes back what was acknowledged long ago, and leaves what was refused.",
        file="jobengine/engine/local.py",
        old="self._ledger.undo(self._undos.pop())",
        new="self._ledger.undo(self._undos.popleft())",
        test="tests/engine/test_answers.py::test_memory_forgets_what_found_no_room_and_nothing_else",
    ),
    Mutant(
        name="refusals do not wait for the disk",
        breaks="A caller is told that a job is gone, and a crash brings it back.",
        file="jobengine/engine/looking.py",
        old="""
                seen = look()
            except JobEngineError:
                if await self._what_was_seen_lasts():
                    raise
""",
        new="""
                seen = look()
            except JobEngineError:
                raise
""",
        test="tests/engine/test_answers.py::test_a_refusal_is_answered_once_what_it_saw_is_on_disk",
    ),
    Mutant(
        name="a full disk stops reads",
        breaks="Who only looks is told that the disk is full.",
        file="jobengine/engine/looking.py",
        old="""
            except StorageFull:
                return False
""",
        new="""
            except StorageFull:
                raise
""",
        test="tests/engine/test_answers.py::test_a_read_that_saw_what_found_no_room_looks_again",
    ),
    Mutant(
        name="leases that are over are not looked at before a claim",
        breaks="A job that was given back is handed out only once the sweeper has passed.",
        file="jobengine/engine/way.py",
        old="and not contents.deadlines.lease_is_over(now)",
        new="",
        test="tests/engine/test_answers.py::test_a_job_whose_lease_is_over_is_claimed_again_although_nobody_swept",
    ),
)

"""Bugs in what a server does when its disk is nearly full, hangs, or rots."""

from tests.mutants.mutant import Mutant

FAILING_DISK: tuple[Mutant, ...] = (
    Mutant(
        name="take jobs on a nearly full disk",
        breaks="The last of the room goes to new jobs, and those that are there cannot be finished.",
        file="jobengine/upkeep/free_space.py",
        old="self._engine.refuse_growth(self._refusal() if is_low else None)",
        new="self._engine.refuse_growth(None)",
        test="tests/upkeep/test_free_space.py::test_growth_is_refused_while_there_is_less_than_the_reserve",
    ),
    Mutant(
        name="go on as a disk hangs",
        breaks="More and more callers wait for a disk that does not answer.",
        file="jobengine/journal/stall.py",
        old="if seconds >= SLOW_SECONDS and self.refusal is None:",
        new="if seconds >= SLOW_SECONDS and self.is_hung:",
        test="tests/journal/test_stall.py::test_after_ten_seconds_nothing_new_is_taken_and_those_waiting_wait",
    ),
    Mutant(
        name="let callers wait for ever",
        breaks="Whoever waits for a disk that hangs never learns that nobody knows.",
        file="jobengine/journal/stall.py",
        old="self._on_hung(OutcomeUnknown(_UNKNOWN))",
        new="pass",
        test=(
            "tests/journal/test_stall.py::test_after_thirty_seconds_all_who_wait_are_told_that_nobody_knows"
        ),
    ),
    Mutant(
        name="scrub heads alone",
        breaks="A big value rots, and nobody notices before it is read.",
        file="jobengine/journal/scrub.py",
        old="if not follows or self._sealer.body(head, data, position) is None:",
        new="if not follows:",
        test="tests/journal/test_scrub.py::test_a_damaged_frame_is_named_whichever_of_its_bytes_it_is",
    ),
)

"""Bugs in how the engine hands jobs to those who wait."""

from tests.mutants.mutant import Mutant

HANDING_OUT = "jobengine/engine/handing_out.py"
TESTS = "tests/engine/test_waiting.py"

WAITING: tuple[Mutant, ...] = (
    Mutant(
        name="a new job wakes nobody",
        breaks="Whoever waits hears of a job only when its time is over.",
        file="jobengine/engine/local.py",
        old="self._handing_out.note(changes)",
        new="pass",
        test=f"{TESTS}::test_one_list_serves_many",
    ),
    Mutant(
        name="the last who came is served first",
        breaks="A worker may wait for ever.",
        file="jobengine/engine/waiters.py",
        old="next(iter(self.by_queue.get(queue, ())), None)",
        new="next(reversed(self.by_queue.get(queue, {})), None)",
        test=f"{TESTS}::test_who_waited_longest_gets_the_first_job",
    ),
    Mutant(
        name="who waits is served twice",
        breaks="A worker is handed a job, and told of another: the first waits for the end of its lease.",
        file=HANDING_OUT,
        old="""
            if not claimer.handed.done() and not self._hand(claimer, queue):
                break
            self._claimers.remove(claimer)
""",
        new="""
            if not self._hand(claimer, queue):
                break
            claimer.handed = asyncio.Future()
""",
        test=f"{TESTS}::test_a_thousand_who_wait_and_a_thousand_creates_make_a_thousand_pairs",
    ),
    Mutant(
        name="who is gone keeps what it was handed",
        breaks="Each client that goes away while it waits may take a job with it, until its lease is over.",
        file=HANDING_OUT,
        old="            await self._take_back(claimer)\n",
        new="",
        test=f"{TESTS}::test_who_goes_away_at_the_hand_over_burns_no_attempt",
    ),
    Mutant(
        name="who is gone does not see that what it was handed is given back",
        breaks="A claim that was told that nothing was done holds a job, when the server is killed then.",
        file=HANDING_OUT,
        old="        await asyncio.gather(*given_back, return_exceptions=True)\n",
        new="",
        test=f"{TESTS}::test_who_was_told_that_it_holds_nothing_holds_nothing_after_a_kill",
    ),
    Mutant(
        name="rights are not asked again",
        breaks="A service whose right was taken away gets one more job.",
        file=HANDING_OUT,
        old="            claimer.may_claim()\n",
        new="",
        test=f"{TESTS}::test_who_lost_the_right_while_it_waited_is_told_so_and_the_job_stays",
    ),
    Mutant(
        name="nobody looks when a delay is over",
        breaks="Whoever waits for a job gets it only when another one comes.",
        file=HANDING_OUT,
        old="        self._set_alarm(queue)\n",
        new="",
        test=f"{TESTS}::test_a_job_whose_time_comes_is_handed_out_then",
    ),
    Mutant(
        name="a queue that goes on wakes nobody",
        breaks="Whoever waited while it was paused waits on.",
        file=HANDING_OUT,
        old="            return queue.name\n",
        new="            return None\n",
        test=f"{TESTS}::test_a_queue_that_is_paused_hands_out_when_it_goes_on",
    ),
    Mutant(
        name="the end of a job wakes nobody",
        breaks="Whoever calls and waits for the result gets it only when the time is over.",
        file="jobengine/engine/local.py",
        old="self._watchers.note(changes)",
        new="pass",
        test=f"{TESTS}::test_whoever_waits_for_the_end_hears_of_it_with_the_result",
    ),
)

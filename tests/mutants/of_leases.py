"""Bugs in the rules of API v2: leases, retries, unique and idempotency keys, limits, control."""

from typing import Final

from tests.mutants.mutant import Mutant

SIMULATION: Final = "tests/simulation/test_simulation.py::test_no_seed_breaks_a_promise[0]"

LEASES: tuple[Mutant, ...] = (
    Mutant(
        name="a halted job that is stopped has simply ended",
        breaks="What it had begun is never taken back: its class is not told, its job of Slurm's runs on.",
        file="jobengine/model/rules/control.py",
        old="if job.more.saved is not None and not job.more.is_to_stop:",
        new="if job.more.saved is None and job.more.is_to_stop:",
        test="tests/model/test_stopping.py::test_it_is_handed_out_once_more_to_be_ended[True]",
    ),
    Mutant(
        name="a job that is stopped is resumed",
        breaks="What somebody has stopped while it was halted is done all the same.",
        file="jobengine/work/running.py",
        old="if self.job.asked is Asked.STOP:",
        new="if False:",
        test="tests/work/test_server.py::test_a_job_that_is_stopped_while_it_is_halted_cleans_up_after_a_restart",
    ),
    Mutant(
        name="a holder overrules a stop by API v1",
        breaks="Who puts a job back has it run again though somebody has stopped it.",
        file="jobengine/model/rules/update.py",
        old="if gives_back and before.more.is_to_stop:",
        new="if False:",
        test="tests/model/test_stopping.py::"
        "test_what_its_holder_puts_back_by_api_v1_is_halted_or_stopped_all_the_same",
    ),
    Mutant(
        name="a stale lease is accepted",
        breaks="A worker that lost its job completes what another works on.",
        file="jobengine/model/rules/settle.py",
        old="if not job.lease or job.lease != settlement.lease:",
        new="if not job.lease:",
        test="tests/web/v2/test_settling.py::test_a_stale_holder_changes_nothing",
    ),
    Mutant(
        name="the epoch does not rise",
        breaks="A disk or a service behind the worker cannot tell an old holder from the present one.",
        file="jobengine/model/rules/claim.py",
        old="epoch=job.epoch + 1",
        new="epoch=job.epoch or 1",
        test=SIMULATION,
    ),
    Mutant(
        name="a retry ignores the limit",
        breaks="A job that always fails is tried for ever.",
        file="jobengine/model/rules/settle.py",
        old="if is_final or job.attempt >= attempts_of(job, queue):",
        new="if is_final:",
        test=SIMULATION,
    ),
    Mutant(
        name="a release burns an attempt",
        breaks="A worker that stops in good order makes its jobs fail.",
        file="jobengine/model/rules/settle.py",
        old="attempt=job.attempt - 1",
        new="attempt=job.attempt",
        test="tests/web/v2/test_settling.py::test_a_released_job_has_made_no_attempt",
    ),
    Mutant(
        name="an extension outlasts the timeout",
        breaks="A worker that hangs, and still extends its lease, keeps its job for ever.",
        file="jobengine/model/rules/settle.py",
        old="ends = min(ends, job.more.started + job.more.timeout)",
        new="pass",
        test="tests/model/test_leases.py::test_an_extended_lease_ends_with_its_timeout",
    ),
    Mutant(
        name="a job is not completed twice",
        breaks="A worker whose answer was lost is told that it lost its job.",
        file="jobengine/model/rules/settle.py",
        old="if job.state is State.COMPLETE and isinstance(settlement, Complete):",
        new="if job.state is State.COMPLETE and isinstance(settlement, Fail):",
        test=SIMULATION,
    ),
    Mutant(
        name="a lease that ran out leaves no record",
        breaks="Nobody learns why a job was tried three times.",
        file="jobengine/model/rules/passing.py",
        old="""
        case Event.RETRY:
            return with_failure(job, _timeout(job, deadline))
""",
        new="""
        case Event.RETRY:
            return job.extra
""",
        test=SIMULATION,
    ),
    Mutant(
        name="a dead letter loses its errors",
        breaks="Whoever looks at it cannot tell why it died.",
        file="jobengine/model/rules/failing.py",
        old="died_in=job.queue",
        new="died_in=job.queue, failures=()",
        test=SIMULATION,
    ),
    Mutant(
        name="a unique key stays with an ended job",
        breaks="A job that is done keeps all later ones out.",
        file="jobengine/model/uniques.py",
        old="return not job.has_ended",
        new="return True",
        test="tests/model/test_unique_keys.py::test_a_key_is_free_once_its_job_timed_out_although_nobody_swept",
    ),
    Mutant(
        name="a window never ends",
        breaks="One job a minute becomes one job.",
        file="jobengine/model/uniques.py",
        old="if end <= now",
        new="if end <= 0",
        test="tests/model/test_unique_keys.py::test_a_key_for_a_window_is_free_when_that_is_over_and_not_before",
    ),
    Mutant(
        name="an idempotency key takes any body",
        breaks="A request is answered with the jobs of another one.",
        file="jobengine/model/rules/create.py",
        old="if key.body != idempotency.body:",
        new="if not key.body:",
        test="tests/model/test_unique_keys.py::test_the_key_with_another_body_is_refused",
    ),
    Mutant(
        name="idempotency keys get lost in a compaction",
        breaks="A request that is sent again makes its jobs twice.",
        file="jobengine/engine/walk.py",
        old="return [PutKey(key) for key in keys]",
        new="return []",
        test=SIMULATION,
    ),
    Mutant(
        name="idempotency keys forget their jobs over a restart",
        breaks="A request that is sent again is answered with nothing.",
        file="jobengine/journal/codec.py",
        old="record.body, record.uids))",
        new='record.body, b""))',
        test=SIMULATION,
    ),
    Mutant(
        name="the options of a job are not stored",
        breaks="After a restart a job has no tags, no result, no errors, and no limit of its own.",
        file="jobengine/journal/codec.py",
        old="""
            record.extra,
        )
""",
        new="""
        )
""",
        test=SIMULATION,
    ),
    Mutant(
        name="a full queue drops the first",
        breaks="The most urgent job goes, to make room for one that is less so.",
        file="jobengine/model/order.py",
        old="merge(reversed(self._queued), reversed(self._held.by_order), key=_by_order, reverse=True)",
        new="merge(self._queued, self._held.by_order, key=_by_order)",
        test="tests/model/test_limits.py::test_the_lowest_goes_for_one_that_stands_before_it",
    ),
    Mutant(
        name="a paused queue hands out",
        breaks="Whoever stops a queue to mend something finds its jobs done meanwhile.",
        file="jobengine/model/queue.py",
        old="return not (self.is_paused or self.is_paused_by_hand)",
        new="return not self.is_paused",
        test="tests/web/v2/test_queues.py::test_a_paused_queue_hands_out_nothing",
    ),
    Mutant(
        name="a queue that drains takes jobs",
        breaks="It is never empty.",
        file="jobengine/model/rules/create.py",
        old="if queue.is_draining:",
        new="if queue.is_draining and queue.is_paused:",
        test="tests/model/test_limits.py::test_a_queue_that_drains_takes_no_more_but_knows_what_it_has",
    ),
    Mutant(
        name="a delayed job is handed out early",
        breaks="A reminder comes before its time.",
        file="jobengine/model/held.py",
        old="bool(extra.halted or extra.not_before)",
        new="bool(extra.halted)",
        test="tests/web/v2/test_v1_beside.py::test_v1_does_not_claim_what_waits_for_a_time",
    ),
    Mutant(
        name="a halted job is handed out",
        breaks="What somebody has stopped for a while goes on.",
        file="jobengine/model/held.py",
        old="bool(extra.halted or extra.not_before)",
        new="bool(extra.not_before)",
        test="tests/web/v2/test_changing.py::test_a_halted_job_is_not_handed_out_until_it_is_resumed",
    ),
    Mutant(
        name="a change ignores the version",
        breaks="Of two people who change a job at once, one undoes the other's change unseen.",
        file="jobengine/model/rules/amend.py",
        old="if command.version is not None and command.version != job.updated:",
        new="if command.version is not None and command.version > job.updated:",
        test="tests/web/v2/test_changing.py::test_a_version_that_is_no_more_keeps_from_changing",
    ),
    Mutant(
        name="a job whose time is over is changed",
        breaks="What a caller sees depends on whether the sweeper has passed.",
        file="jobengine/model/rules/amend.py",
        old="job = current(view, command.queue, command.uid, moment)",
        new="job = view.job(command.queue, command.uid) or current(view, command.queue, command.uid, moment)",
        test=SIMULATION,
    ),
    Mutant(
        name="what stands before an overdue job is stepped over with it",
        breaks="A claim that looks at more jobs than it takes leaves some that nobody is ever given.",
        file="jobengine/model/order.py",
        old="if first.priority != jobs[-1].priority:",
        new="if first is not None:",
        test=SIMULATION,
    ),
)

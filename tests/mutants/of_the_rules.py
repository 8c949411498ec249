"""Bugs in the rules."""

from tests.mutants.mutant import Mutant

RULES: tuple[Mutant, ...] = (
    Mutant(
        name="a lane takes every job at its end",
        breaks="A job that is put back where it was is handed out behind those that came after it.",
        file="jobengine/model/lanes.py",
        old="if job.order < last[-1].order:",
        new="if job.order < 0:",
        test="tests/model/test_lanes.py::test_jobs_are_in_order_however_they_come_and_go",
    ),
    Mutant(
        name="claim ignores expiry",
        breaks="A job whose time is over is handed out.",
        file="jobengine/model/order.py",
        old="""
        while (first := self._first_not_overdue()) is not None and first.expires <= now:
            self._skip_equals(first, now, SKIP_MOST)
""",
        new="""
        while (first := self._first_not_overdue()) is not None and not first.expires:
            self._skip_equals(first, now, SKIP_MOST)
""",
        test=("tests/model/test_claiming.py::test_an_expired_job_is_never_handed_out_although_nobody_swept"),
    ),
    Mutant(
        name="last come first served",
        breaks="Among equals the newest job is handed out first; the oldest may wait for ever.",
        file="jobengine/model/job.py",
        old="return (100 - priority) << ARRIVAL_BITS | arrival",
        new="return (100 - priority) << ARRIVAL_BITS | (ARRIVAL_MASK - arrival)",
        test=(
            "tests/model/test_job_order.py::test_the_most_urgent_is_handed_out_first_and_equals_as_they_came"
        ),
    ),
    Mutant(
        name="a changed priority does not move",
        breaks="A job that was made urgent waits as before.",
        file="jobengine/model/rules/update.py",
        old="moves = put_back or priority != job.priority",
        new="moves = put_back",
        test="tests/model/test_job_order.py::test_a_changed_priority_puts_the_job_behind_its_new_equals",
    ),
    Mutant(
        name="the same priority moves",
        breaks="A client that says again what it said before loses its job's place.",
        file="jobengine/model/rules/update.py",
        old="moves = put_back or priority != job.priority",
        new="moves = put_back or command.priority is not None",
        test="tests/model/test_job_order.py::test_the_same_priority_again_moves_nothing",
    ),
    Mutant(
        name="ended jobs are never forgotten",
        breaks="Complete and failed jobs fill the memory.",
        file="jobengine/model/deadlines.py",
        old="""
        yield from self._due(self._ended.until(now - queue.keep), queue, now)
""",
        new="""
""",
        test=(
            "tests/model/test_passing_time.py::test_an_ended_job_is_forgotten_once_it_was_kept_long_enough"
        ),
    ),
    Mutant(
        name="a lease is over when the sweeper comes",
        breaks="What becomes of a job depends on when somebody looks.",
        file="jobengine/model/rules/passing.py",
        old="event, deadline_of(job, queue)",
        new="event, now",
        test="tests/model/test_passing_time.py::test_a_lease_that_is_over_fails_the_job_at_that_moment",
    ),
    Mutant(
        name="an update does not renew the lease",
        breaks="A worker that reports all the time loses its job all the same.",
        file="jobengine/model/rules/update.py",
        old="        return renewed",
        new="        return before.lease_ends or renewed",
        test="tests/model/test_updating.py::test_every_update_renews_a_lease",
    ),
    Mutant(
        name="any reader settles any job",
        breaks="A service completes what another works on.",
        file="jobengine/model/rules/update.py",
        old="if job.claimer != command.caller:",
        new="if job.claimer is None:",
        test="tests/model/test_updating.py::test_a_reader_may_not_settle_what_another_claimed",
    ),
    Mutant(
        name="an expired job can be updated",
        breaks="What a caller sees depends on whether the sweeper has passed.",
        file="jobengine/model/rules/passing.py",
        old="""
    if job is None:
        raise NotFound
    return job
""",
        new="""
    if stored is None:
        raise NotFound
    return job or stored
""",
        test="tests/model/test_updating.py::test_an_expired_job_cannot_be_updated_although_nobody_swept",
    ),
    Mutant(
        name="a job of another queue is deleted",
        breaks="A right on one queue is a right on all.",
        file="jobengine/model/ledger.py",
        old="""
        return self.contents(queue).jobs.get(uid)
""",
        new="""
        self.contents(queue)
        return next((each.jobs[uid] for each in self._contents.values() if uid in each.jobs), None)
""",
        test="tests/model/test_deleting_and_configuring.py::test_a_job_of_another_queue_is_not_deleted",
    ),
    Mutant(
        name="a picture that moves",
        breaks="A list shows a job twice, or not at all, when it changes while the list is written.",
        file="jobengine/model/contents.py",
        old="picture.note(uid, before)",
        new="pass",
        test=(
            "tests/model/test_picture.py"
            "::test_a_picture_shows_its_moment_while_anything_changes_between_slices"
        ),
    ),
)

"""Bugs in what becomes of the output of jobs."""

from tests.mutants.mutant import Mutant

LOGS: tuple[Mutant, ...] = (
    Mutant(
        name="a joined piece is taken for one that is known",
        breaks="Output that is written while a compaction fetches its job is not in the new file.",
        file="jobengine/model/log.py",
        old="if chunk.end <= self.end(chunk.stream) or not isinstance(chunk.data, bytes):",
        new="if chunk.end > chunk.offset or not isinstance(chunk.data, bytes):",
        test=(
            "tests/engine/test_logs.py::test_a_piece_that_joins_one_which_a_compaction_has_copied_is_not_lost"
        ),
    ),
    Mutant(
        name="anybody appends to a log",
        breaks="A worker that has lost its job goes on writing into the log of the next attempt.",
        file="jobengine/model/rules/log.py",
        old="if not job.lease or job.lease != command.lease or job.state is not State.INPROGRESS:",
        new="if not job.lease or job.state is not State.INPROGRESS:",
        test="tests/model/test_log.py::test_only_who_holds_the_job_may_write",
    ),
    Mutant(
        name="an attempt writes behind the one before it",
        breaks="The log of a job shows the output of an attempt that failed as that of the last one.",
        file="jobengine/model/contents.py",
        old="if log is None or log.epoch < epoch:",
        new="if log is None:",
        test=(
            "tests/model/test_log.py"
            "::test_the_first_piece_of_an_attempt_takes_the_place_of_what_an_earlier_one_wrote"
        ),
    ),
    Mutant(
        name="the logs of ended jobs are kept for ever",
        breaks="The output of jobs that are long done fills the disk.",
        file="jobengine/model/rules/log.py",
        old="len(idle) - queue.keep_logs",
        new="0",
        test="tests/model/test_log.py::test_only_the_most_recent_logs_of_jobs_that_nobody_runs_are_kept",
    ),
    Mutant(
        name="nobody tells a follower of new output",
        breaks="Who follows a log sees nothing until the next sign of life.",
        file="jobengine/engine/waiters.py",
        old="""
                case AppendLog(queue, uid):
                    self._tell(queue, uid)
""",
        new="""
                case AppendLog():
                    pass
""",
        test="tests/engine/test_logs.py::test_a_follower_hears_of_each_piece_and_of_the_end",
    ),
)

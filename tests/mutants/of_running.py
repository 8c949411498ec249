"""Bugs in how jobs are run."""

from tests.mutants.mutant import Mutant

PYTHON = "tests/work/test_python_class.py"

RUNNING: tuple[Mutant, ...] = (
    Mutant(
        name="a job that leaves its program takes the broker with it",
        breaks="One `sys.exit` in a job class, and the server is gone.",
        file="jobengine/work/python_class.py",
        old="self._threads.begin(partial(_called, method, *arguments))",
        new="self._threads.begin(partial(method, *arguments))",
        test=f"{PYTHON}::test_one_that_leaves_its_program_ends_its_job_only",
    ),
    Mutant(
        name="what an exception says is stored as it is",
        breaks="A file name that is no Unicode, in the error of a job, is more than the journal can write.",
        file="jobengine/work/outcome.py",
        old='.encode(errors="replace").decode()',
        new="",
        test=f"{PYTHON}::test_what_an_exception_says_can_be_stored_whatever_it_is",
    ),
    Mutant(
        name="whoever tells a job to stop waits until it has stopped",
        breaks="A job class that ends when it is told to is never told.",
        file="jobengine/work/lanes.py",
        old="2 * slots + STUCK_MOST",
        new="slots",
        test=f"{PYTHON}::test_a_thread_for_each_slot_is_not_all",
    ),
    Mutant(
        name="a broker that refuses is asked without a pause",
        breaks="While the disk hangs, one job that is told to stop keeps the server from all else.",
        file="jobengine/work/running.py",
        old="                await asyncio.sleep(REFUSED_SECONDS)\n",
        new="                pass\n",
        test="tests/work/test_running.py::test_a_broker_that_refuses_at_once_is_not_asked_without_a_pause",
    ),
    Mutant(
        name="a worker that has failed is the last one",
        breaks="After one bug no job is run until somebody starts the server again.",
        file="jobengine/compose/workforce.py",
        old="""
            self._is_in_trouble(reason)
            self._beginning = asyncio.create_task(self._begin_again())
""",
        new="""
            self._is_in_trouble(reason)
""",
        test="tests/work/test_workforce.py::test_a_worker_that_fails_is_told_of_and_another_one_begins",
    ),
    Mutant(
        name="an edit of the configuration cuts what runs short",
        breaks="A job of ten hours begins anew because somebody changed another queue.",
        file="jobengine/compose/workforce.py",
        old="            self._worker.retire()\n",
        new="            self._worker.stop()\n",
        test="tests/work/test_workforce.py::test_what_runs_when_the_configuration_changes_ends_as_it_was_begun",
    ),
    Mutant(
        name="a job is run however it is that it names its program",
        breaks="Who may write to a queue runs any line of shell on it.",
        file="jobengine/work/shell.py",
        old="case (UnsetType(), str() as command) if settings.allow_shell:",
        new="case (UnsetType(), str() as command):",
        test="tests/work/test_shell.py::test_a_shell_must_be_allowed",
    ),
    Mutant(
        name="the environment of a worker is that of its jobs",
        breaks="A job reads SECRET, and with it the whole database.",
        file="jobengine/work/conditions.py",
        old="**passed, **settings.environment}",
        new="**own, **settings.environment}",
        test="tests/work/spawner/test_secrecy.py::test_a_job_does_not_find_the_secret",
    ),
    Mutant(
        name="what a program leaves behind goes on",
        breaks="A stopped job still runs, in a session of its own.",
        file="jobengine/work/spawner/starter.py",
        old="            run.known |= end_families(left)\n        return bool(left)",
        new="            pass\n        return bool(left)",
        test="tests/work/spawner/test_process.py::test_a_child_in_a_session_of_its_own_ends_with_it",
    ),
    Mutant(
        name="names in an archive lead anywhere",
        breaks="A bundle writes over the files of the worker.",
        file="jobengine/archive/names.py",
        old='if any(part in ("", ".", "..") for part in parts):',
        new='if any(part in ("", ".") for part in parts):',
        test="tests/archive/test_reading.py::test_a_name_that_leads_elsewhere_is_refused",
    ),
    Mutant(
        name="the processes of a killed worker go on",
        breaks="They compute for ever what nobody waits for, while others have the job.",
        file="jobengine/client/worker/processes.py",
        old="    os._exit(1)\n",
        new="    pass\n",
        test="tests/client/test_endings.py::test_a_worker_that_is_killed_leaves_no_process_behind",
    ),
    Mutant(
        name="of a job that is gone more is heard",
        breaks="Whoever deletes a job that runs in the server stops all else in it.",
        file="jobengine/work/running.py",
        old="while self._asked is not Asked.GONE:",
        new="while True:",
        test="tests/work/test_running.py::test_of_a_job_that_is_gone_nothing_more_is_heard",
    ),
    Mutant(
        name="a class that cannot be cancelled keeps its slot",
        breaks="A job that swallows its cancellation outlives its time limit, and the stop of the server.",
        file="jobengine/work/python_class.py",
        old="timeout=self._grace_seconds)\n        self._is_over()\n",
        new="timeout=self._grace_seconds)\n",
        test="tests/work/test_python_class.py::test_one_that_cannot_be_cancelled_is_left_behind",
    ),
)

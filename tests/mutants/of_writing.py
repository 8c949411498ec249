"""Bugs in what is written to disk, and when."""

from tests.mutants.mutant import Mutant

WRITING: tuple[Mutant, ...] = (
    Mutant(
        name="skip the sync",
        breaks="A crash of the machine loses commits that were acknowledged.",
        file="jobengine/journal/tail.py",
        old="""
            self._files.sync(self._file)
            self.place = frame.after
""",
        new="""
            self.place = frame.after
""",
        test="tests/journal/test_crashes.py::test_no_crash_of_the_machine_loses_what_was_acknowledged",
    ),
    Mutant(
        name="sync nothing",
        breaks="The system is never asked to bring anything to the disk.",
        file="jobengine/journal/files.py",
        old="os.fdatasync(file)",
        new="os.fstat(file)",
        test="tests/crash/test_system_calls.py::test_a_commit_is_written_and_synced_before_its_answer",
    ),
    Mutant(
        name="answer before the write",
        breaks="A caller is told that its change is kept, and a crash loses it.",
        file="jobengine/journal/commit.py",
        old="""
            outcome = _outcome(run)
            self._loop.call_soon_threadsafe(self._settle, written, outcome, perf_counter() - started)
""",
        new="""
            self._loop.call_soon_threadsafe(self._settle, written, None, perf_counter() - started)
            _outcome(run)
""",
        test="tests/journal/test_answers.py::test_no_answer_is_given_while_the_write_is_under_way",
    ),
    Mutant(
        name="skip the directory sync of a new file",
        breaks="A crash of the machine takes the whole file away: its name was never on disk.",
        file="jobengine/journal/opening.py",
        old="            self._files.sync_directory(self._path.parent)\n",
        new="",
        test="tests/journal/test_crashes.py::test_no_crash_of_the_machine_loses_what_was_acknowledged",
    ),
    Mutant(
        name="rename a compacted file before it is synced",
        breaks="A crash of the machine leaves a name with half a file behind it.",
        file="jobengine/journal/successor.py",
        old="""
        self._write(FrameType.SNAPSHOT_END, self._count.body(of.sequence))
        self._sync()
""",
        new="""
        self._write(FrameType.SNAPSHOT_END, self._count.body(of.sequence))
""",
        test=(
            "tests/journal/test_crashes.py::test_a_crash_while_a_file_is_compacted_leaves_one_complete_file"
        ),
    ),
    Mutant(
        name="retry a failed sync",
        breaks="The second sync says that all is well; the system has forgotten what the first one lost.",
        file="jobengine/journal/tail.py",
        old="""
            self._files.sync(self._file)
            self.place = frame.after
""",
        new="""
            try:
                self._files.sync(self._file)
            except OSError:
                self._files.sync(self._file)
            self.place = frame.after
""",
        test="tests/journal/test_failing_calls.py::test_a_failed_sync_is_never_tried_again",
    ),
    Mutant(
        name="go on after a failed sync",
        breaks="Changes are acknowledged on top of one that may not be on disk.",
        file="jobengine/journal/commit.py",
        old="""
        self._refusal = OutcomeUnknown(_UNKNOWN)
        for one in (written, *self._gathering, *self._errands):
            refuse(one, self._refusal)
""",
        new="""
        for one in (written, *self._gathering, *self._errands):
            refuse(one, OutcomeUnknown(_UNKNOWN))
""",
        test="tests/journal/test_failing_calls.py::test_a_failed_sync_is_never_tried_again",
    ),
    Mutant(
        name="ignore a short write",
        breaks="The end of a frame is missing on disk.",
        file="jobengine/journal/files.py",
        old="while written < len(data):",
        new="while not written:",
        test="tests/journal/test_failing_calls.py::test_short_writes_change_nothing",
    ),
    Mutant(
        name="leave what a full disk took of a frame",
        breaks="Half a frame stands where the next one has to start.",
        file="jobengine/journal/tail.py",
        old="""
        self._files.truncate(self._file, self.place.end)
""",
        new="""
""",
        test=(
            "tests/journal/test_failing_calls.py"
            "::test_a_full_disk_leaves_the_file_as_it_was_and_is_tried_again"
        ),
    ),
    Mutant(
        name="counter as nonce",
        breaks="After a torn tail or a restored backup one nonce is used twice: the cipher is broken.",
        file="jobengine/journal/cipher.py",
        old="os.urandom(NONCE_BYTES - _HALF)",
        new="self._left.to_bytes(NONCE_BYTES - _HALF)",
        test="tests/journal/test_cipher.py::test_nonces_are_not_counted",
    ),
    Mutant(
        name="a file that all may read",
        breaks="Other users of the machine get at the database.",
        file="jobengine/journal/files.py",
        old="MODE: Final = 0o600",
        new="MODE: Final = 0o644",
        test="tests/journal/test_journal.py::test_all_files_are_for_their_owner_only",
    ),
    Mutant(
        name="a cancelled caller ends the commits",
        breaks="One client that goes away keeps all others waiting for ever.",
        file="jobengine/journal/batch.py",
        old="""
        if not waiter.done():  # one cancelled caller must not keep the others waiting
            waiter.set_result(None)
""",
        new="""
        waiter.set_result(None)
""",
        test="tests/journal/test_commit.py::test_a_caller_who_has_gone_keeps_nobody_waiting",
    ),
    Mutant(
        name="undo only the batch that found no room",
        breaks="What was decided on top of a change that never came to be is kept.",
        file="jobengine/journal/commit.py",
        old="self._on_rollback(sum(one.appends for one in undone))",
        new="self._on_rollback(batch.appends)",
        test="tests/journal/test_commit.py::test_a_full_disk_undoes_the_batch_and_all_that_came_after_it",
    ),
)

"""Bugs in what is written to disk, and in what is read back."""

from tests.mutants.mutant import Mutant

JOURNAL: tuple[Mutant, ...] = (
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
        old="""
    files.rename(new_path(path), path)
    files.sync_directory(path.parent)
""",
        new="""
    files.rename(new_path(path), path)
""",
        test="tests/journal/test_crashes.py::test_no_crash_of_the_machine_loses_what_was_acknowledged",
    ),
    Mutant(
        name="rename a compacted file before it is synced",
        breaks="A crash of the machine leaves a name with half a file behind it.",
        file="jobengine/journal/compaction.py",
        old="""
        self._write(FrameType.SNAPSHOT_END, self._count.body())
        self._files.sync(self._file)
""",
        new="""
        self._write(FrameType.SNAPSHOT_END, self._count.body())
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
            _refuse(one, self._refusal)
""",
        new="""
        for one in (written, *self._gathering, *self._errands):
            _refuse(one, OutcomeUnknown(_UNKNOWN))
""",
        test="tests/journal/test_failing_calls.py::test_a_failed_sync_is_never_tried_again",
    ),
    Mutant(
        name="trust the file after a failed sync",
        breaks="The next start serves what the page cache shows and the disk does not hold.",
        file="jobengine/journal/opening.py",
        old="if mark is not None and mark.failed:",
        new="if mark is not None and mark.failed and mark.clean:",
        test="tests/journal/test_recovery.py::test_after_a_failed_sync_the_file_is_copied_to_a_new_place",
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
        name="no check of the chain",
        breaks="A frame of another history is taken for one of this file.",
        file="jobengine/journal/scan.py",
        old=" and head.tag_before == self.place.tag",
        new="",
        test="tests/journal/test_recovery.py::test_a_frame_of_a_parallel_history_is_refused",
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
        name="no check of the key commitment",
        breaks="A file can be made that opens to two contents under two keys.",
        file="jobengine/journal/header.py",
        old="if not hmac.compare_digest(keys.commitment, self.commitment):",
        new="if not self.commitment:",
        test="tests/journal/test_header.py::test_a_data_key_without_the_right_commitment_does_not_open",
    ),
    Mutant(
        name="no check of the anchor",
        breaks="A file that lost its newest commits is served as if it were whole.",
        file="jobengine/journal/recovery.py",
        old="""
        if self._mark is None:
            return 0
""",
        new="""
        if self._mark is None or self._mark.sequence:
            return 0
""",
        test="tests/journal/test_recovery.py::test_a_file_without_its_newest_commits_is_refused",
    ),
    Mutant(
        name="cut off any bad end",
        breaks="Damage to what was acknowledged is hidden as if a crash had torn it.",
        file="jobengine/journal/recovery.py",
        old="return Verdict.TORN if self._may_be_torn(trouble) else Verdict.DAMAGED_END",
        new="return Verdict.TORN",
        test="tests/journal/test_recovery.py::test_bad_bytes_at_the_end_after_another_boot_are_refused",
    ),
    Mutant(
        name="do not look behind bad bytes",
        breaks="Damage in the middle cuts off all good commits behind it.",
        file="jobengine/journal/recovery.py",
        old="""
        if self._scan.authentic_head_behind(trouble) is not None:
            return Verdict.DAMAGED_MIDDLE
""",
        new="""
""",
        test="tests/journal/test_middle.py::test_a_frame_that_lacks_a_sector_is_damage_when_another_frame_follows",
    ),
    Mutant(
        name="cut a torn tail in silence",
        breaks="Nobody learns that something was cut off.",
        file="jobengine/journal/opening.py",
        old="""
        self._warnings.append(
            f"a torn tail of {self._torn_bytes} bytes was cut off and is kept as {kept.name}"
        )
""",
        new="""
        self._torn_bytes += 0 * len(kept.name)
""",
        test="tests/journal/test_recovery.py::test_a_torn_tail_is_cut_and_kept_aside",
    ),
    Mutant(
        name="do not write the last frame again",
        breaks="A frame that only the page cache holds is served, and a crash of the machine loses it.",
        file="jobengine/journal/opening.py",
        old="mending.write_again(scan.last)",
        new="pass",
        test=(
            "tests/journal/test_recovery.py"
            "::test_the_last_frame_is_written_again_and_synced_when_there_is_no_seal"
        ),
    ),
    Mutant(
        name="take half a snapshot for the whole",
        breaks="A compaction that was cut short loses the jobs that it had not come to.",
        file="jobengine/journal/recovery.py",
        old="return self._header.parent.known and not self._snapshot.ended",
        new="return False",
        test="tests/journal/test_compaction.py::test_half_a_snapshot_is_never_taken_for_the_whole",
    ),
    Mutant(
        name="no check of a big value",
        breaks="A job shows the content of another.",
        file="jobengine/journal/blobs.py",
        old="if (length, digest.digest()) != (blob.length, blob.digest):",
        new="if not length:",
        test="tests/journal/test_blobs.py::test_a_reference_that_does_not_fit_is_damage",
    ),
    Mutant(
        name="two processes at once",
        breaks="Two servers write into one file.",
        file="jobengine/journal/lock.py",
        old="if not files.lock(file):",
        new="if not (files.lock(file) or True):",
        test="tests/journal/test_recovery.py::test_a_second_process_is_refused_and_told_who_has_the_file",
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
        file="jobengine/journal/commit.py",
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

"""Bugs in what is read back, and believed."""

from tests.mutants.mutant import Mutant

RECOVERY: tuple[Mutant, ...] = (
    Mutant(
        name="trust the file after a failed sync",
        breaks="The next start serves what the page cache shows and the disk does not hold.",
        file="jobengine/journal/opening.py",
        old="if mark is not None and mark.failed:",
        new="if mark is not None and mark.failed and mark.clean:",
        test="tests/journal/test_recovery.py::test_after_a_failed_sync_the_file_is_copied_to_a_new_place",
    ),
    Mutant(
        name="no check of the chain",
        breaks="A frame of another history is taken for one of this file.",
        file="jobengine/journal/scan.py",
        old="return head.tag_before == self.place.tag and (",
        new="return (",
        test="tests/journal/test_recovery.py::test_a_frame_of_a_parallel_history_is_refused",
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
        old="return Verdict.TORN if is_torn else Verdict.DAMAGED_END",
        new="return Verdict.TORN",
        test="tests/journal/test_recovery.py::test_bad_bytes_at_the_end_after_another_boot_are_refused",
    ),
    Mutant(
        name="do not look behind bad bytes",
        breaks="Damage in the middle cuts off all good commits behind it.",
        file="jobengine/journal/recovery.py",
        old="""
        if self._goes_on():
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
)

"""Bugs in compactions and changes of the SECRET: in the file that takes the place of another."""

from tests.mutants.mutant import Mutant

LOSSES = "tests/power/test_power_loss.py::test_all_or_nothing_may_be_there_of_what_was_not_synced"
MEANWHILE = (
    "tests/engine/test_compaction.py::test_what_memory_holds_is_in_the_file_whatever_happens_meanwhile"
)

NEW_FILES: tuple[Mutant, ...] = (
    Mutant(
        name="skip the directory sync of a compacted file",
        breaks="Commits are acknowledged that stand in a file whose name a crash of the machine takes back.",
        file="jobengine/journal/compaction.py",
        old="            files.sync_directory(self._path.parent)\n            tail =",
        new="            tail =",
        test=LOSSES,
    ),
    Mutant(
        name="let the walk overtake the copies of earlier changes",
        breaks="What was answered while the disk was slow is undone by the next start.",
        file="jobengine/journal/commit.py",
        old="        self._gathering[-1].copy(changes, successor)\n        return self.barrier()",
        new="        successor.take(changes)\n        return None",
        test=(
            "tests/engine/test_compaction_order.py"
            "::test_the_walk_does_not_overtake_the_copies_of_what_changed_before_it_came"
        ),
    ),
    Mutant(
        name="install a new file while a job's going is not on disk yet",
        breaks="A job is as it was before what was told of it, when the server is killed then.",
        file="jobengine/engine/compaction.py",
        old="                await found\n",
        new="                pass\n",
        test=(
            "tests/engine/test_compaction_order.py"
            "::test_a_job_that_is_apart_and_goes_does_not_come_back_as_it_was_before"
        ),
    ),
    Mutant(
        name="take the newest old file for the parent",
        breaks="History and restore tell of a past that a restore gave up.",
        file="jobengine/journal/spans.py",
        old="if older != old_path(path, found[-1].through):",
        new="if older == path:",
        test="tests/journal/test_restoring.py::test_what_a_restore_left_behind_is_no_part_of_the_past",
    ),
    Mutant(
        name="count the old files from the wrong end",
        breaks="With keep_old_files of 3 or more, files that history and restore need are removed.",
        file="jobengine/journal/compaction.py",
        old="kept[: max(0, len(kept) - self._keep)]",
        new="kept[: len(kept) - self._keep]",
        test=(
            "tests/journal/test_compaction.py::test_what_was_replaced_is_kept_when_wanted_and_the_oldest_goes"
        ),
    ),
    Mutant(
        name="the anchor first, then the name",
        breaks="After a crash of the machine the anchor names a file that is not there: no start.",
        file="jobengine/journal/compaction.py",
        old="""
            files.sync_directory(self._path.parent)
            tail = Tail(files, successor.file, anchor, successor.sealer, successor.place)
            tail.establish()
""",
        new="""
            tail = Tail(files, successor.file, anchor, successor.sealer, successor.place)
            tail.establish()
            files.sync_directory(self._path.parent)
""",
        test=LOSSES,
    ),
    Mutant(
        name="leave out what changes during a compaction",
        breaks="What was acknowledged while the file was compacted is gone after the next start.",
        file="jobengine/engine/local.py",
        old="copies = None if self._compaction is None else self._compaction.copies(changes, undo)",
        new="copies = None if self._compaction is None else self._compaction.copies([], [])",
        test=MEANWHILE,
    ),
    Mutant(
        name="forget who leaps over the walk",
        breaks="A job that was ahead of a compaction, and is behind it now, is not in the new file.",
        file="jobengine/engine/walk.py",
        old="if self._is_behind(queue, state, order):",
        new="if not queue:",
        test=MEANWHILE,
    ),
    Mutant(
        name="go back to the old SECRET",
        breaks="The first compaction after a change of the SECRET undoes it.",
        file="jobengine/journal/succession.py",
        old="self.volume, self._secret = volume, self._next_secret",
        new="self.volume = volume",
        test="tests/journal/test_compaction.py::test_a_new_secret_opens_the_new_file_and_the_old_one_does_not",
    ),
    Mutant(
        name="anybody may change the SECRET",
        breaks="Whoever reaches the control socket locks the owner out.",
        file="jobengine/control/desk.py",
        old="""
    header.unlock(Secret.parse(secret))
""",
        new="""
    Secret.parse(secret)
""",
        test="tests/control/test_desk.py::test_a_refused_rekey_changes_nothing",
    ),
    Mutant(
        name="keep every old file",
        breaks="Replaced files fill the disk.",
        file="jobengine/journal/compaction.py",
        old="for path in kept[: max(0, len(kept) - self._keep)]:",
        new="for path in kept[:0]:",
        test="tests/journal/test_compaction.py::test_what_was_replaced_is_kept_when_wanted_and_the_oldest_goes",
    ),
    Mutant(
        name="begin a compaction without room",
        breaks="A compaction fills the disk, and commits of clients are refused.",
        file="jobengine/journal/compaction.py",
        old="if free < needed:",
        new="if free < 0:",
        test="tests/journal/test_compaction.py::test_a_disk_without_room_leaves_all_as_it_was",
    ),
    Mutant(
        name="any anchor of the parent will do",
        breaks="A compacted file from an older backup is served as if nothing came after it.",
        file="jobengine/journal/recovery.py",
        old="return max(self._header.parent.sequence, self._snapshot.through)",
        new="return 1 << 62",
        test=(
            "tests/journal/test_compaction.py"
            "::test_a_compacted_file_beside_a_later_anchor_of_its_parent_is_refused"
        ),
    ),
    Mutant(
        name="leave half a new file behind",
        breaks="What a crash left of a compaction takes room on the disk for ever.",
        file="jobengine/journal/opening.py",
        old="mending.remove_leftovers()",
        new="pass",
        test="tests/journal/test_compaction.py::test_leftovers_of_a_compaction_that_was_cut_short_are_removed",
    ),
)

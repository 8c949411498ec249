"""Restoring: a copy, or the file itself, put back to a moment of its past."""

import os
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.errors import Fatal, WrongSecret
from jobengine.journal.anchor import Anchor, Mark
from jobengine.journal.files import REAL_FILES, Files, beside, new_path
from jobengine.journal.frame import Place
from jobengine.journal.inspection import Progress, unwatched
from jobengine.journal.keys import Secret
from jobengine.journal.lock import take_lock_at_rest
from jobengine.journal.prefix import Until, copy_prefix, place_at
from jobengine.journal.reading import READING_FILES, Reading, at_rest, reading, system_errors
from jobengine.journal.spans import Span, spans

_WHICH_ONE: Final = "copies from before a rekey open with the SECRET of then"


class Restored(Struct, frozen=True):
    """What is in place now. Times are ms since the Unix epoch."""

    path: Path
    source: Path  # the file that it was taken from
    sequence: int
    time: int
    reaches_back_to: Span
    kept: Path | None  # where what was there before is kept


class Restoring:
    """Puts one file back."""

    def __init__(
        self,
        path: Path,
        secret: Secret,
        *,
        files: Files = REAL_FILES,
        reading_files: Files = READING_FILES,
        wall_ms: int | None = None,
    ) -> None:
        self._path = Path(os.path.realpath(path))
        self._secret = secret
        self._files = files
        self._reading_files = reading_files
        self._wall_ms = time.time_ns() // 1_000_000 if wall_ms is None else wall_ms

    def run(
        self, source: Path | None, until: Until, *, overwrite: bool, progress: Progress = unwatched
    ) -> Restored:
        """Do it, under the lock. Raises Locked, Fatal, Damaged, WrongSecret, InputOutputFailed.

        Until the very end all is as it was. The copy is in place at once, or not at all.
        """
        self._refuse_what_is_half_written(source)
        with system_errors(f"restoring {self._path}"):
            lock = take_lock_at_rest(self._files, self._path, needed=source or self._path)
            try:
                self._refuse_to_overwrite(overwrite=overwrite)
                reach = spans(self._reading_files, source or self._path, self._secret)
                span = _reached(reach, until)
                with reading(span.path, self._secret, self._reading_files, pause=at_rest) as read:
                    end = place_at(read, until).end
                    with system_errors(f"writing {new_path(self._path)}"):
                        place = copy_prefix(read, end, self._files, new_path(self._path), progress=progress)
                        kept = self._install(read, place)
            except WrongSecret as refusal:
                raise WrongSecret(f"{refusal.detail}; {_WHICH_ONE}") from None
            finally:
                self._files.close(lock)
        return Restored(self._path, span.path, place.sequence, place.time, reach[-1], kept)

    def _refuse_to_overwrite(self, *, overwrite: bool) -> None:
        if self._files.exists(self._path) and not overwrite:
            raise Fatal(
                f"{self._path} is there already; --overwrite replaces it, and keeps it beside as "
                f"{self._path.name}.before-restore-<time>"
            )

    def _refuse_what_is_half_written(self, source: Path | None) -> None:
        half_written = new_path(self._path)
        if source is not None and Path(os.path.realpath(source)) == half_written:
            raise Fatal(
                f"{half_written} is what a compaction or a repair left behind, and restoring writes over it; "
                "give it another name first, if it is to be restored"
            )

    def _install(self, read: Reading, place: Place) -> Path | None:
        """Let the copy be the database file, with an anchor of its own.

        Without its anchor the old file starts, and so does the new one: a crash on the way harms neither.
        """
        files, path, anchor_path = self._files, self._path, beside(self._path, ".anchor")
        kept = None
        if files.exists(path):
            kept = beside(path, f".before-restore-{self._wall_ms}")
            files.link(path, kept)
        if files.exists(anchor_path):
            files.remove(anchor_path)
        files.sync_directory(path.parent)
        files.rename(new_path(path), path)
        files.sync_directory(path.parent)
        anchor = Anchor(files, anchor_path, file_id=read.header.file_id, key=read.keys.anchor)
        anchor.establish(Mark(read.header.file_id, place.sequence, place.end, place.time, files.boot_id()))
        anchor.close()
        return kept


def _reached(reach: list[Span], until: Until) -> Span:
    """The newest of these files that tells what was then. Raises Fatal."""
    for span in reach:
        if until.reaches(sequence=span.sequence, time=span.time):
            return span
    raise Fatal(f"that is before what is kept: {_described(reach[-1])} is as far back as it goes")


def _described(span: Span) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(span.time / 1000))
    return f"commit {span.sequence} of {seconds}"

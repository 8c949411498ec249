"""The first part of a file, up to a moment: copied to a new file, and authenticated there."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from jobengine.errors import Damaged, Fatal
from jobengine.journal.files import Files, make_new, read_all, write_all
from jobengine.journal.frame import Head, Place
from jobengine.journal.header import FRAMES_START
from jobengine.journal.inspection import Inspection, Progress, unwatched
from jobengine.journal.reading import Reading, at_rest

_PIECE_BYTES: Final = 4 * 1024 * 1024

Wanted = Callable[[Head], bool]


class Until(Struct, frozen=True):
    """A moment of the past: a commit, or a time in ms since the Unix epoch. Without either: now."""

    sequence: int | None = None
    time: int | None = None

    def reaches(self, *, sequence: int, time: int) -> bool:
        """Whether what was then is part of it."""
        if self.sequence is not None:
            return sequence <= self.sequence
        return self.time is None or time <= self.time


def place_at(read: Reading, until: Until) -> Place:
    """Behind the last frame of that moment. Raises Damaged when the file is not whole up to there, Fatal
    when it does not go so far.
    """
    inspection = Inspection(read, reads_blobs=False)
    place = read.header.first_place
    for head, _ in inspection.frames():
        if inspection.damages:
            break
        if not until.reaches(sequence=head.sequence, time=head.time):
            return place
        place = Place(head.end, head.sequence, head.time, head.tag)
        if place.sequence == until.sequence:
            return place  # whatever is behind it
    if inspection.damages or (inspection.tail is not None and not inspection.is_torn):
        raise Damaged(
            f"{read.path} is damaged behind commit {place.sequence}, at offset {place.end}; "
            "see `jobengine db repair`, or name a moment before that with --until"
        )
    if until.sequence is not None and until.sequence > place.sequence:
        raise Fatal(f"there is no commit {until.sequence} in {read.path}: it ends with {place.sequence}")
    return place


def copy_prefix(
    read: Reading, end: int, files: Files, path: Path, *, progress: Progress = unwatched
) -> Place:
    """Copy so many bytes to a new file of that name, authenticate the copy, and wait for the disk.

    What the last frame lacks is cut off. Raises Damaged, OSError; then there is no new file.
    """
    file = make_new(files, path)
    try:
        write_all(files, file, read.header.pack() * 2, 0)
        for offset in range(FRAMES_START, end, _PIECE_BYTES):
            piece = read_all(read.files, read.file, min(_PIECE_BYTES, end - offset), offset)
            write_all(files, file, piece, offset)
            progress((offset + len(piece)) // 2)
        place = _authenticated(
            replace(read, files=files, file=file, path=path, size=end, pause=at_rest),
            progress=lambda done: progress((end + done) // 2),
        )
        files.truncate(file, place.end)
        files.sync(file)
    except BaseException:
        files.close(file)
        files.remove(path)
        raise
    files.close(file)
    return place


def _authenticated(copy: Reading, *, progress: Progress) -> Place:
    inspection = Inspection(copy, progress=progress)
    for _ in inspection.frames():
        if inspection.damages:
            break
    if inspection.damages or inspection.lacks_its_snapshot or not _ends_well(inspection):
        raise Damaged("the file is damaged, and was not copied; `jobengine db verify` says where")
    return inspection.place


def _ends_well(inspection: Inspection) -> bool:
    return inspection.tail is None or inspection.is_torn

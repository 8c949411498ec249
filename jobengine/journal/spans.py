"""The database file and the older ones that are kept beside it: how far back they tell exactly what was."""

from pathlib import Path

from msgspec import Struct

from jobengine.errors import Damaged, WrongSecret
from jobengine.journal.files import Files, old_path, old_paths
from jobengine.journal.frame import FrameType
from jobengine.journal.inspection import Inspection
from jobengine.journal.keys import Secret
from jobengine.journal.reading import Reading, reading


class Span(Struct, frozen=True):
    """One file, and the first moment that it can be put back to."""

    path: Path
    file_id: bytes
    parent_id: bytes
    sequence: int
    time: int  # ms since the Unix epoch
    through: int  # the last sequence of its parent that is in it


def span_of(read: Reading) -> Span:
    """From where a file tells exactly what was: from its start, or from the end of its snapshot.

    Raises Damaged when the snapshot is not whole.
    """
    header = read.header
    sequence, time, through = header.parent.sequence, header.created, 0
    if header.parent.known:
        sequence, time, through = _end_of_snapshot(read)
    return Span(read.path, header.file_id, header.parent.file_id, sequence, time, through)


def spans(files: Files, path: Path, secret: Secret) -> list[Span]:
    """Of a file and those that it was made of, the newest first, without a gap between them.

    An old file that is damaged, or was sealed with another SECRET, is none of them. For the file itself that
    raises Damaged, WrongSecret.
    """
    with reading(path, secret, files) as read:
        found = [span_of(read)]
    for older in reversed(old_paths(files, path)):
        # After a restore there may be two old files with this id: the parent ended where its child begins.
        if older != old_path(path, found[-1].through):
            continue
        span = _span_of_old(files, older, secret)
        if span is not None and span.file_id == found[-1].parent_id:
            found.append(span)
    return found


def _span_of_old(files: Files, path: Path, secret: Secret) -> Span | None:
    try:
        with reading(path, secret, files) as read:
            return span_of(read)
    except (Damaged, WrongSecret):
        return None


def _end_of_snapshot(read: Reading) -> tuple[int, int, int]:
    inspection = Inspection(read, reads_blobs=False)
    for head, _ in inspection.frames():
        if inspection.damages or inspection.snapshot_is_wrong:
            break
        if head.type == FrameType.SNAPSHOT_END:
            return head.sequence, head.time, inspection.through
    raise Damaged(f"{read.path} is damaged in what a compaction wrote; see `jobengine db repair`")

"""Verifying: everything in a file is read and authenticated, and what is wrong is said exactly."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.frame import FrameType
from jobengine.journal.inspection import Inspection, Progress, unwatched
from jobengine.journal.reading import Reading
from jobengine.journal.references import References

_KINDS = frozenset(FrameType)


class FindingKind(StrEnum):
    """What may be wrong with a file."""

    HEADER = "header_copy"  # one of two; the next start mends it
    MIDDLE = "damaged_middle"
    END = "damaged_end"
    SENSELESS = "senseless_frame"
    SNAPSHOT = "snapshot_not_whole"
    BIG_VALUE = "big_value"
    MISSING = "commits_missing"
    ANCHOR = "anchor_of_another_file"


class Finding(Struct, frozen=True):
    """One thing that is wrong, and where. Offsets are bytes of the file."""

    kind: FindingKind
    detail: str
    offset: int | None = None
    end: int | None = None
    sequence_before: int | None = None  # of the last good frame before
    sequence_behind: int | None = None  # of the next good one
    uid: str | None = None  # of the job that is concerned


class Verification(Struct, frozen=True):
    """What verifying found."""

    bytes: int  # of the file
    frames: int
    sequence: int  # of the last good frame
    time: int  # of the last good frame, ms since the Unix epoch
    torn_bytes: int  # at the end, never acknowledged: no damage
    has_anchor: bool
    commits_missing: int  # in what is damaged, and behind the end as the anchor knows it
    findings: tuple[Finding, ...]


class Verifier:
    """Verifies one file."""

    def __init__(self, reading: Reading, *, progress: Progress = unwatched) -> None:
        self._reading = reading
        self._inspection = Inspection(reading, progress=progress)
        self._references = References()
        self._senseless: list[Finding] = []

    def run(self) -> Verification:
        """Read all of it. Raises OSError."""
        frames = self._read()
        inspection, place = self._inspection, self._inspection.place
        torn_bytes = inspection.size - place.end if inspection.is_torn else 0
        return Verification(
            inspection.size,
            frames,
            place.sequence,
            place.time,
            torn_bytes,
            self._reading.mark is not None,
            sum(damage.missing for damage in inspection.damages) + inspection.missing_commits,
            tuple(self._findings()),
        )

    def _read(self) -> int:
        frames, references = 0, self._references
        for head, body in self._inspection.frames():
            frames += 1
            if self._inspection.damages:
                references.are_expected = True  # the blobs themselves may be what is lost
            try:
                references.add(head, body)
            except Damaged as error:
                self._senseless.append(_senseless(error.detail, head.offset, head.end))
            if head.type not in _KINDS:
                detail = f"frame {head.sequence} at offset {head.offset} is of a kind that is not known"
                self._senseless.append(_senseless(detail, head.offset, head.end))
        return frames

    def _findings(self) -> Iterator[Finding]:
        yield from self._of_the_header()
        yield from self._of_the_frames()
        yield from self._senseless
        if self._inspection.lacks_its_snapshot and not self._inspection.damages:
            yield Finding(FindingKind.SNAPSHOT, "what the compaction wrote that made this file is not whole")
        yield from self._of_the_big_values()
        yield from self._of_the_anchor()

    def _of_the_header(self) -> Iterator[Finding]:
        for offset in self._reading.damaged_copies:
            detail = f"the copy of the header at offset {offset} is damaged; the next start mends it"
            yield Finding(FindingKind.HEADER, detail, offset, offset + 4096)

    def _of_the_frames(self) -> Iterator[Finding]:
        for damage in self._inspection.damages:
            length = damage.end - damage.offset
            before, behind = damage.sequence_before, damage.sequence_behind
            detail = (
                f"bad bytes at offset {damage.offset}, {length} of them, behind commit {before}; "
                f"it goes on at offset {damage.end} with commit {behind}"
            )
            yield Finding(FindingKind.MIDDLE, detail, damage.offset, damage.end, before, behind)
        tail = self._inspection.tail
        if tail is not None and not self._inspection.is_torn:
            size, before = self._inspection.size, self._inspection.place.sequence
            detail = (
                f"bad bytes at offset {tail.offset}, {size - tail.offset} of them, "
                f"behind commit {before}, up to the end"
            )
            yield Finding(FindingKind.END, detail, tail.offset, size, before)

    def _of_the_big_values(self) -> Iterator[Finding]:
        for uid, blob in self._references.damaged(self._reading.blobs):
            offset = blob.offsets[0] if blob.offsets else 0
            detail = f"the big value of job {uid} at offset {offset} is damaged, {blob.length} bytes"
            yield Finding(FindingKind.BIG_VALUE, detail, offset, uid=uid)

    def _of_the_anchor(self) -> Iterator[Finding]:
        if self._reading.is_of_another_file and self._reading.is_in_place():
            yield Finding(FindingKind.ANCHOR, "the anchor beside the file belongs to another file")
        elif missing := self._inspection.missing_commits:
            sequence = self._inspection.place.sequence
            detail = f"{missing} acknowledged commits are missing: the anchor knows of more than {sequence}"
            yield Finding(FindingKind.MISSING, detail, sequence_before=sequence)


def _senseless(detail: str, offset: int, end: int) -> Finding:
    return Finding(FindingKind.SENSELESS, detail, offset, end)

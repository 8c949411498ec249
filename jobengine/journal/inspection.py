"""One reading of a whole file that authenticates every frame, and goes on behind what is damaged."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.codec import ChangeDecoder
from jobengine.journal.frame import FrameType, Head, Place
from jobengine.journal.reading import Reading
from jobengine.journal.recovery import may_be_torn
from jobengine.journal.scan import Scan, Trouble
from jobengine.journal.snapshot import SnapshotCount
from jobengine.model.changes import Change

Progress = Callable[[int], object]  # told how many bytes of the file are behind

_OF_A_SNAPSHOT: Final = frozenset((FrameType.SNAPSHOT, FrameType.SNAPSHOT_END))
_LOOKS: Final = 3
_STEP_BYTES: Final = 4 * 1024 * 1024


def unwatched(position: int) -> None:
    """Nobody waits to see how far it is."""


class Damage(Struct, frozen=True):
    """Bytes in the middle that are no frames of this file, or not in their order."""

    offset: int
    end: int  # where the next authentic frame stands
    sequence_before: int  # of the last good frame before
    sequence_behind: int  # of the next one

    @property
    def missing(self) -> int:
        """How many frames these bytes held."""
        return self.sequence_behind - self.sequence_before - 1


class Inspection:
    """Reads one file from its first frame to its end. `frames` first; then the rest is known."""

    def __init__(
        self,
        reading: Reading,
        *,
        reads_blobs: bool = True,
        progress: Progress = unwatched,
    ) -> None:
        self.damages: list[Damage] = []
        self.snapshot_is_wrong = False
        self._reading = reading
        self._reads_blobs = reads_blobs
        self._progress = progress
        self._told = 0
        self._snapshot = SnapshotCount()
        self._scan = self._from(reading.header.first_place)

    @property
    def place(self) -> Place:
        """Behind the last good frame."""
        return self._scan.place

    @property
    def size(self) -> int:
        """Bytes of the file, as far as it was looked at."""
        return self._scan.size

    @property
    def tail(self) -> Trouble | None:
        """What stands behind the last good frame, and is none."""
        return self._scan.trouble

    @property
    def is_torn(self) -> bool:
        """The bytes behind the last good frame are what a crash leaves: they were never acknowledged."""
        return self.tail is not None and may_be_torn(
            self._scan, self.tail, self._reading.mark, boot_id=self._reading.files.boot_id()
        )

    @property
    def missing_commits(self) -> int:
        """How many commits the anchor remembers that are not here."""
        mark = self._reading.mark
        if mark is None or self._reading.is_of_another_file:
            return 0
        own = mark.file_id == self._reading.header.file_id
        inherited = max(self._reading.header.parent.sequence, self._snapshot.through)
        return max(0, mark.sequence - (self.place.sequence if own else inherited))

    @property
    def through(self) -> int:
        """The last sequence of the parent file that is in this one, once its snapshot was read."""
        return self._snapshot.through

    @property
    def lacks_its_snapshot(self) -> bool:
        """The file was made by a compaction, and what that wrote is not all here."""
        return self.snapshot_is_wrong or (self._reading.header.parent.known and not self._snapshot.ended)

    def frames(self) -> Iterator[tuple[Head, bytes]]:
        """Every authentic frame and its body, in order."""
        for look in range(_LOOKS):
            if look:
                # What a server is writing at this moment is whole a moment later.
                self._reading.pause()
                self._scan = self._from(self.place)
            yield from self._to_the_end()
            if self.tail is None:
                break
        self._progress(self.size)

    def _to_the_end(self) -> Iterator[tuple[Head, bytes]]:
        while True:
            for head, body in self._scan.frames():
                if head.end - self._told >= _STEP_BYTES:
                    self._told = head.end
                    self._progress(head.end)
                if head.type in _OF_A_SNAPSHOT:
                    self._count(head, body)
                yield head, body
            if self.tail is None or not self._go_on_behind(self.tail):
                return

    def _count(self, head: Head, body: bytes) -> None:
        if head.type == FrameType.SNAPSHOT:
            self._snapshot.add(head.tag, records_in(body))
        elif not self._snapshot.end(body):
            self.snapshot_is_wrong = True

    def _go_on_behind(self, trouble: Trouble) -> bool:
        """Go to the next authentic frame. False when there is none."""
        before = self.place.sequence
        head = self._scan.authentic_head_behind(trouble)
        while head is not None and head.sequence <= before:  # left from another time, and overwritten since
            head = self._scan.authentic_head_behind(Trouble(head.offset, head.end))
        if head is None:
            return False
        self._note(Damage(trouble.offset, head.offset, before, head.sequence))
        self._scan = self._from(Place(head.offset, head.sequence - 1, head.time, head.tag_before))
        return True

    def _note(self, damage: Damage) -> None:
        """Two that touch each other are one."""
        if self.damages and self.damages[-1].end == damage.offset:
            last = self.damages.pop()
            damage = Damage(last.offset, damage.end, last.sequence_before, damage.sequence_behind)
        self.damages.append(damage)

    def _from(self, place: Place) -> Scan:
        reading = self._reading
        return Scan(reading.files, reading.file, reading.sealer, place, reads_blobs=self._reads_blobs)


def records_in(body: bytes) -> int:
    """How many records the body of a frame of changes says that it has."""
    return int.from_bytes(body[2:6])


def changes_in(reading: Reading, *, progress: Progress = unwatched) -> Iterator[tuple[Head, list[Change]]]:
    """Every frame with the changes that it holds; those of a blob or a seal are none.

    Raises Damaged where a frame is not good; a torn tail is passed over in silence.
    """
    inspection = Inspection(reading, reads_blobs=False, progress=progress)
    decoder = ChangeDecoder()
    for head, body in inspection.frames():
        if inspection.damages:
            break
        holds_changes = head.type in (FrameType.CHANGES, FrameType.SNAPSHOT)
        yield head, decoder.decode(body) if holds_changes else []
    is_cut = inspection.lacks_its_snapshot or (inspection.tail is not None and not inspection.is_torn)
    if inspection.damages or is_cut:
        raise Damaged(f"{reading.path} is damaged; `jobengine db verify` says where")

"""File → changes. The first row that fits, from the top:

  behind the last good frame n (A: the anchor's sequence)            verdict
  -----------------------------------------------------------------  ---------------------------------------
  n < A; or the anchor names another file, unless this one was       MISSING: acknowledged data is not here;
  compacted from it; or a snapshot lacks its end                     refuse
  nothing                                                            FINE: start; no anchor: warn, make one
  bad bytes, and an authentic head lies further on                   DAMAGED_MIDDLE: refuse
  bad bytes at the end, n = A, same boot as the anchor; or the       TORN: keep the tail aside, cut it off,
  frame runs past the end of the file; or a sector of it is zero     warn, start
  bad bytes at the end otherwise                                     DAMAGED_END: refuse

Why bad bytes at the end may be cut: the next frame is not written before the last one is on disk, so at most
one frame was never acknowledged. A frame that a crash tore is cut short, or lacks sectors; and while the
machine runs on, the anchor knows which frame was the last. Anything else was on disk once, and has changed.

A taken lock (lock.py), a newer format, a damaged header and a wrong SECRET (header.py) are told before. A
refusal changes nothing.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum, auto

from jobengine.errors import Damaged
from jobengine.journal.anchor import Mark
from jobengine.journal.codec import ChangeDecoder, ChangeEncoder
from jobengine.journal.frame import FrameType, Head
from jobengine.journal.header import Header
from jobengine.journal.scan import Scan, Trouble
from jobengine.journal.snapshot import SnapshotCount
from jobengine.model.changes import Change

Replay = Callable[[Sequence[Change]], object]


class Verdict(Enum):
    """A row of the table."""

    MISSING = auto()
    FINE = auto()
    DAMAGED_MIDDLE = auto()
    TORN = auto()
    DAMAGED_END = auto()


class Recovery:
    """One reading of a file: replays it, then says what it is."""

    def __init__(self, header: Header, mark: Mark | None, scan: Scan, *, boot_id: bytes) -> None:
        self.frames = 0
        self.records = 0
        self._header = header
        self._mark = mark
        self._scan = scan
        self._boot_id = boot_id
        self._decoder = ChangeDecoder()
        self._snapshot = SnapshotCount()

    @property
    def encoder(self) -> ChangeEncoder:
        """What goes on encoding where the file ends."""
        return self._decoder.encoder()

    def replay(self, replay: Replay) -> None:
        """Hand over every change, in order. Raises Damaged for a frame that makes no sense."""
        for head, body in self._scan.frames():
            self.frames += 1
            match head.type:
                case FrameType.CHANGES:
                    self._hand_over(head, self._changes(head, body), replay)
                case FrameType.SNAPSHOT:
                    changes = self._changes(head, body)
                    self._snapshot.add(head.tag, len(changes))
                    self._hand_over(head, changes, replay)
                case FrameType.SNAPSHOT_END:
                    if not self._snapshot.end(body):
                        raise _senseless(head, "a snapshot that is not what its end says")
                case FrameType.BLOB | FrameType.SEAL:
                    pass
                case _:
                    raise _senseless(head, "a type that this program does not know")

    def verdict(self) -> Verdict:
        """The first row of the table that fits."""
        trouble = self._scan.trouble
        if self._is_of_another_file() or self._missing_commits() or self._lacks_its_snapshot():
            return Verdict.MISSING
        if trouble is None:
            return Verdict.FINE
        if self._goes_on():
            return Verdict.DAMAGED_MIDDLE
        is_torn = may_be_torn(self._scan, trouble, self._mark, boot_id=self._boot_id)
        return Verdict.TORN if is_torn else Verdict.DAMAGED_END

    def refusal(self, verdict: Verdict) -> Damaged:
        """Why the server does not start, and what helps."""
        way_out = "`jobengine db repair`"
        reasons = [reason for reason in (self._missing(), self._damage()) if reason]
        if self._goes_on() and not self._is_of_another_file():
            # No older copy: what the anchor remembers may stand behind the damage.
            reasons = [reason for reason in (self._damage(),) if reason]
        elif verdict is Verdict.MISSING:
            way_out = "`jobengine db restore` (an older copy put back on purpose) or `jobengine db repair`"
        return Damaged(
            f"the database file is not whole: {'; '.join(reasons)}. Nothing was changed. See {way_out}"
        )

    def _hand_over(self, head: Head, changes: list[Change], replay: Replay) -> None:
        try:
            replay(changes)
        except KeyError:
            raise _senseless(head, "a change of a queue or a job that is not there") from None

    def _changes(self, head: Head, body: bytes) -> list[Change]:
        try:
            changes = self._decoder.decode(body)
        except Damaged as error:
            raise _senseless(head, error.detail) from None
        self.records += len(changes)
        return changes

    def _is_of_another_file(self) -> bool:
        known = (self._header.file_id, self._header.parent.file_id)
        return self._mark is not None and self._mark.file_id not in known

    def _missing_commits(self) -> int:
        """How many commits the anchor remembers that are not here."""
        if self._mark is None:
            return 0
        own = self._mark.file_id == self._header.file_id
        here = self._scan.place.sequence if own else self._inherited
        return max(0, self._mark.sequence - here)

    @property
    def _inherited(self) -> int:
        """How far the file had come that this one was compacted from."""
        return max(self._header.parent.sequence, self._snapshot.through)

    def _lacks_its_snapshot(self) -> bool:
        return self._header.parent.known and not self._snapshot.ended

    def _missing(self) -> str | None:
        place = self._scan.place
        if self._is_of_another_file():
            return "its anchor belongs to another file"
        if self._mark is not None and (missing := self._missing_commits()):
            there = f"{self._mark.sequence} of {_date(self._mark.time)}"
            here = f"{place.sequence} of {_date(place.time)}" if place.time else f"{place.sequence}"
            return f"{missing} acknowledged commits are missing (the last was {there}, here it is {here})"
        return "its snapshot is not complete" if self._lacks_its_snapshot() else None

    def _goes_on(self) -> bool:
        """Whether there are authentic frames behind bad bytes."""
        trouble = self._scan.trouble
        return trouble is not None and self._scan.authentic_head_behind(trouble) is not None

    def _damage(self) -> str | None:
        trouble, place = self._scan.trouble, self._scan.place
        if trouble is None:
            return None
        where = f"bad bytes at offset {trouble.offset}, behind commit {place.sequence}"
        beyond = self._scan.authentic_head_behind(trouble)
        if beyond is None:
            return f"{where}, {self._scan.size - trouble.offset} of them, up to the end"
        length = beyond.offset - trouble.offset
        return (
            f"{where}, {length} of them; it goes on at offset {beyond.offset} with commit {beyond.sequence}"
        )


def may_be_torn(scan: Scan, trouble: Trouble, mark: Mark | None, *, boot_id: bytes) -> bool:
    """Whether bad bytes at the end are a frame that a crash tore: it was never acknowledged."""
    if mark is not None and (mark.sequence, mark.boot_id) == (scan.place.sequence, boot_id):
        return True
    return scan.runs_past_the_end(trouble) or scan.has_zero_sector(trouble)


def _senseless(head: Head, reason: str) -> Damaged:
    return Damaged(f"frame {head.sequence} at offset {head.offset} is authentic, and yet holds {reason}")


def _date(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="seconds")

"""What a file holds, in numbers."""

from collections import Counter
from typing import Final

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.anchor import Mark
from jobengine.journal.codec import ChangeDecoder
from jobengine.journal.frame import FrameType, Head
from jobengine.journal.inspection import Inspection, Progress, unwatched
from jobengine.journal.reading import Reading
from jobengine.model.contents import Totals
from jobengine.model.ledger import Ledger

_RECORD_BYTES: Final = 100  # of a job in the file, but for its content
_KINDS: Final[dict[int, str]] = {kind: kind.name.lower() for kind in FrameType}

Jobs = dict[str, dict[str, int]]  # queue → state → how many


class Summary(Struct, frozen=True):
    """One file. Times are ms since the Unix epoch, 0 where there was nothing."""

    bytes: int
    frames: dict[str, int]  # kind → how many
    sequence: int  # of the last good frame
    first_time: int  # of the first commit
    last_time: int  # of the last one
    sealed_time: int  # of the last seal
    is_sealed: bool  # the seal is the last frame: the file was closed in good order
    torn_bytes: int
    damaged_from: (
        int | None
    )  # the offset of the first bytes that are no frame; what follows counts only frames
    missing_commits: int  # that the anchor knows of
    mark: Mark | None
    jobs: Jobs
    live_bytes: int  # about


class Counting:
    """Reads one file as a start does, and counts."""

    def __init__(self, reading: Reading, *, progress: Progress = unwatched) -> None:
        self._reading = reading
        self._inspection = Inspection(reading, reads_blobs=False, progress=progress)
        self._decoder = ChangeDecoder()
        self._ledger = Ledger()
        self._kinds: Counter[str] = Counter()
        self._first_time = self._last_time = self._sealed_time = 0
        self._is_sealed = False

    def run(self) -> Summary:
        """Do it. Raises Damaged for a frame that makes no sense."""
        for head, body in self._inspection.frames():
            self._count(head, body)
        inspection = self._inspection
        return Summary(
            bytes=inspection.size,
            frames=dict(self._kinds),
            sequence=inspection.place.sequence,
            first_time=self._first_time,
            last_time=self._last_time,
            sealed_time=self._sealed_time,
            is_sealed=self._is_sealed and inspection.tail is None,
            torn_bytes=inspection.size - inspection.place.end if inspection.is_torn else 0,
            damaged_from=self._damaged_from(),
            missing_commits=inspection.missing_commits,
            mark=self._reading.mark,
            jobs=_jobs(self._ledger),
            live_bytes=min(live_bytes(_totals(self._ledger)), inspection.size),
        )

    def _count(self, head: Head, body: bytes) -> None:
        self._kinds[_KINDS.get(head.type, "unknown")] += 1
        self._is_sealed = head.type == FrameType.SEAL
        if self._is_sealed:
            self._sealed_time = head.time
        if head.type == FrameType.CHANGES:
            self._first_time = self._first_time or head.time
            self._last_time = head.time
        if head.type in (FrameType.CHANGES, FrameType.SNAPSHOT) and not self._inspection.damages:
            self._replay(head, body)

    def _replay(self, head: Head, body: bytes) -> None:
        try:
            self._ledger.replay(self._decoder.decode(body))
        except KeyError:
            raise Damaged(
                f"frame {head.sequence} is authentic, and yet names a job that is not there"
            ) from None

    def _damaged_from(self) -> int | None:
        if self._inspection.damages:
            return self._inspection.damages[0].offset
        tail = self._inspection.tail
        return None if tail is None or self._inspection.is_torn else tail.offset


def live_bytes(totals: Totals) -> int:
    """About how many bytes of a file are still in use, when it holds so many jobs."""
    return totals.jobs * _RECORD_BYTES + totals.content_bytes + totals.blob_bytes


def _totals(ledger: Ledger) -> Totals:
    """The jobs are not kept in order here, and so were not counted."""
    totals = Totals()
    for queue in ledger.queues():
        totals.add_all(ledger.contents(queue.name).jobs.values())
    return totals


def _jobs(ledger: Ledger) -> Jobs:
    return {
        queue.name: dict(Counter(job.state.value for job in ledger.contents(queue.name).jobs.values()))
        for queue in ledger.queues()
    }

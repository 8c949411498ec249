"""Opening a database file: make it, or recover it and mend what a crash left."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.anchor import Anchor, Mark
from jobengine.journal.codec import ChangeEncoder
from jobengine.journal.files import Files, beside, make_new, new_path, read_all, write_all
from jobengine.journal.frame import FrameSealer
from jobengine.journal.header import FRAMES_START, Header, read_header
from jobengine.journal.keys import Secret
from jobengine.journal.lock import take_lock
from jobengine.journal.mending import Mending
from jobengine.journal.reading import unlocked
from jobengine.journal.recovery import Recovery, Replay, Verdict
from jobengine.journal.scan import Scan
from jobengine.journal.tail import Tail

_NO_ANCHOR: Final = (
    "the anchor was missing or damaged; nobody can tell whether the newest commits are missing too"
)
_GONE: Final = (
    "the database file is not there, but its anchor is: put the file back, or remove the anchor to begin anew"
)


class Report(Struct, frozen=True):
    """What opening found and did, for the log and the metrics."""

    made: bool  # there was no file
    frames: int
    records: int
    torn_bytes: int  # cut off, and kept aside
    warnings: tuple[str, ...]


class Opened(Struct, frozen=True):
    """A database file in good order, locked until `lock` is closed."""

    lock: ExitStack
    file: int
    header: Header
    sealer: FrameSealer
    tail: Tail
    encoder: ChangeEncoder
    report: Report


class Opening:
    """Opens one file, step by step. A refusal changes nothing."""

    def __init__(self, files: Files, path: Path, secret: Secret, *, wall_ms: Callable[[], int]) -> None:
        self._files = files
        self._path = path
        self._secret = secret
        self._wall_ms = wall_ms
        self._warnings: list[str] = []
        self._torn_bytes = 0

    def run(self, replay: Replay) -> Opened:
        """Do it. Raises Locked, WrongSecret, Damaged, or OSError."""
        with ExitStack() as lock, ExitStack() as descriptors:
            lock.callback(self._files.close, take_lock(self._files, beside(self._path, ".lock")))
            made = self._make_when_missing()
            mending = Mending(self._files, self._path, self._files.open(self._path))
            descriptors.callback(lambda: self._files.close(mending.file))
            header, copies = read_header(read_all(self._files, mending.file, FRAMES_START, 0))
            keys = unlocked(header, self._secret, self._path)
            anchor = Anchor(
                self._files, beside(self._path, ".anchor"), file_id=header.file_id, key=keys.anchor
            )
            descriptors.callback(anchor.close)
            mark, sealer = anchor.read(), FrameSealer(keys)
            scan = Scan(self._files, mending.file, sealer, header.first_place)
            recovery = self._recover(header, mark, scan, replay)
            self._mend(mending, scan, copies, mark)
            if mark is None and not made:
                self._warnings.append(_NO_ANCHOR)
            tail = Tail(self._files, mending.file, anchor, sealer, scan.place)
            # Its name may not be on disk yet, being new, or since a crash: power lost later would undo it.
            self._files.sync_directory(self._path.parent)
            tail.establish()
            report = self._report(recovery, made=made)
            descriptors.pop_all()  # they stay open
            return Opened(lock.pop_all(), mending.file, header, sealer, tail, recovery.encoder, report)

    def _make_when_missing(self) -> bool:
        if self._files.exists(self._path):
            return False
        if self._files.exists(beside(self._path, ".anchor")):
            raise Damaged(_GONE)
        make_file(self._files, self._path, Header.make(self._secret, created=self._wall_ms()))
        return True

    def _recover(self, header: Header, mark: Mark | None, scan: Scan, replay: Replay) -> Recovery:
        recovery = Recovery(header, mark, scan, boot_id=self._files.boot_id())
        recovery.replay(replay)
        verdict = recovery.verdict()
        if verdict not in (Verdict.FINE, Verdict.TORN):
            raise recovery.refusal(verdict)
        return recovery

    def _mend(self, mending: Mending, scan: Scan, copies: dict[int, bytes], mark: Mark | None) -> None:
        mending.remove_leftovers()
        if copies:
            mending.mend_header(copies)
            self._warnings.append("one copy of the header was damaged; it was written anew")
        if scan.trouble is not None:
            self._cut_tail(mending, scan)
        if mark is not None and mark.failed:
            mending.move_to_new_file(scan.place.end)
            self._warnings.append(
                "a sync had failed before the last stop; the file was copied to a new place"
            )
        elif scan.last is not None and not (mark is not None and mark.clean):
            # A seal that stands in the file may not be on the disk: the anchor says clean only when it is.
            mending.write_again(scan.last)

    def _cut_tail(self, mending: Mending, scan: Scan) -> None:
        self._torn_bytes = scan.size - scan.place.end
        kept = mending.cut_tail(scan.place.end, size=scan.size, wall_ms=self._wall_ms())
        self._warnings.append(
            f"a torn tail of {self._torn_bytes} bytes was cut off and is kept as {kept.name}"
        )

    def _report(self, recovery: Recovery, *, made: bool) -> Report:
        return Report(made, recovery.frames, recovery.records, self._torn_bytes, tuple(self._warnings))


def make_file(files: Files, path: Path, header: Header) -> None:
    """A new database file without frames. It has its name only once it is complete; sync the directory."""
    file = make_new(files, new_path(path))
    try:
        write_all(files, file, header.pack() * 2, 0)
        files.sync(file)
    finally:
        files.close(file)
    files.rename(new_path(path), path)

"""Opening a database file: make it, or recover it and mend what a crash left."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.anchor import Anchor, Mark
from jobengine.journal.codec import ChangeEncoder
from jobengine.journal.files import Files, beside, copy, make_new, read_all, write_all
from jobengine.journal.frame import FrameSealer, FrameType, Head
from jobengine.journal.header import FRAMES_START, Header, Parent, read_header
from jobengine.journal.keys import Keys, Secret
from jobengine.journal.lock import take_lock
from jobengine.journal.recovery import Recovery, Replay, Verdict
from jobengine.journal.scan import Scan
from jobengine.journal.tail import Tail


class Report(Struct, frozen=True):
    """What opening found and did, for the log and the metrics."""

    made: bool = False  # there was no file
    frames: int = 0
    records: int = 0
    torn_bytes: int = 0  # cut off, and kept aside
    warnings: tuple[str, ...] = ()


class Opened(Struct, frozen=True):
    """A database file in good order, locked."""

    lock: int
    file: int
    anchor: Anchor
    header: Header
    sealer: FrameSealer
    tail: Tail
    encoder: ChangeEncoder
    report: Report


class Opening:
    """Opens one file, step by step. A refusal changes nothing."""

    def __init__(self, files: Files, path: Path, secret: Secret, wall_ms: Callable[[], int]) -> None:
        self._files = files
        self._path = path
        self._secret = secret
        self._wall_ms = wall_ms
        self._warnings: list[str] = []

    def run(self, replay: Replay) -> Opened:
        """Do it. Raises Locked, WrongSecret, Damaged, OSError."""
        files, path = self._files, self._path
        with ExitStack() as descriptors:
            lock = take_lock(files, beside(path, ".lock"))
            descriptors.callback(files.close, lock)
            made = self._make_when_missing()
            file = files.open(path)
            ...


def new_path(path: Path) -> Path:
    """Where a file stands that is to replace this one."""
    return beside(path, ".new")

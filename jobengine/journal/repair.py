"""Repairing: all that is authentic in a damaged file goes into a new one, and what is lost is named."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.anchor import Anchor, Mark
from jobengine.journal.files import REAL_FILES, Files, beside
from jobengine.journal.frame import Place
from jobengine.journal.header_salvage import salvaged_header
from jobengine.journal.inspection import Progress, unwatched
from jobengine.journal.keys import Secret
from jobengine.journal.lock import take_lock_at_rest
from jobengine.journal.reading import READING_FILES, Reading, at_rest, reading, system_errors
from jobengine.journal.salvage import Name, Salvage, salvage
from jobengine.journal.successor import Successor
from jobengine.journal.verification import Finding, Verification, Verifier
from jobengine.model.blob import Blob
from jobengine.model.changes import PutKey, PutQueue, all_of

NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


class Repaired(Struct, frozen=True):
    """What is wrong with a file, what can be kept, and whether that was done."""

    path: Path
    findings: tuple[Finding, ...]
    jobs_kept: int
    commits_missing: int
    lost: tuple[Name, ...]  # jobs that are named behind the damage, and whose content is gone
    uncertain: tuple[Name, ...]  # jobs that are kept, and may have changed in what is missing
    without_value: tuple[Name, ...]  # jobs whose big value is damaged: they are not kept
    without_log: tuple[Name, ...]  # jobs that are kept, but not what they have written: it is damaged
    guessed_queues: tuple[str, ...]  # whose settings are lost; the configuration sets them right
    nameless_queues: tuple[str, ...]  # whose names are lost as well: what they are called instead
    kept: Path | None = None  # where the damaged file is kept, once it was replaced


class Repairing:
    """Repairs one file. `names` are those of queues whose own are lost, by what they are called instead."""

    def __init__(
        self,
        path: Path,
        secret: Secret,
        *,
        files: Files = REAL_FILES,
        reading_files: Files = READING_FILES,
        wall_ms: int | None = None,
        names: Mapping[str, str] = NO_NAMES,
    ) -> None:
        self._path = Path(os.path.realpath(path))
        self._secret = secret
        self._files = files
        self._reading_files = reading_files
        self._wall_ms = time.time_ns() // 1_000_000 if wall_ms is None else wall_ms
        self._names = names
        self._without_value: list[Name] = []
        self._without_log: list[Name] = []

    def run(self, *, accept_loss: bool, progress: Progress = unwatched) -> Repaired:
        """Look, and with `accept_loss` replace the file when there is damage; under the lock.

        Raises Fatal, Locked, WrongSecret, InputOutputFailed; Damaged when nothing can be kept at all.
        """
        with system_errors(f"repairing {self._path}"):
            lock = take_lock_at_rest(self._files, self._path, needed=self._path)
            try:
                with reading(
                    self._path, self._secret, self._reading_files, pause=at_rest, find_header=salvaged_header
                ) as read:
                    return self._repair(read, accept_loss=accept_loss, progress=progress)
            finally:
                self._files.close(lock)

    def _repair(self, read: Reading, *, accept_loss: bool, progress: Progress) -> Repaired:
        verification = Verifier(read, progress=progress).run()
        found = salvage(read, self._names)
        kept = None
        if verification.findings and accept_loss:
            kept = self._replace(read, verification, found)
        elif verification.findings:
            self._look_at_big_values(read, found)
        return self._report(verification, found, kept)

    def _replace(self, read: Reading, verification: Verification, found: Salvage) -> Path:
        # Beyond all that the anchor knows of: then it fits the new file too, whenever a crash comes.
        sequence = max(verification.sequence, 0 if read.mark is None else read.mark.sequence)
        header = read.header.successor(self._secret, created=self._wall_ms, sequence=verification.sequence)
        keys = header.unlock(self._secret)
        successor = Successor(self._files, self._path, header, keys, generation=1, time=self._wall_ms)
        successor.start()
        try:
            self._fill(successor, read, found)
            successor.end(*successor.cut(), of=Place(0, sequence, verification.time, b""))
            kept = beside(self._path, f".damaged-{self._wall_ms}")
            self._files.link(self._path, kept)
            self._files.sync_directory(self._path.parent)
        except BaseException:
            successor.abandon()
            raise
        successor.install()
        self._files.sync_directory(self._path.parent)
        self._files.close(successor.file)
        self._establish_anchor(successor)
        return kept

    def _fill(self, successor: Successor, read: Reading, found: Salvage) -> None:
        successor.take(PutQueue(queue) for queue in found.queues.values())
        successor.take(PutKey(key) for key in found.keys.behind(0, len(found.keys)))
        for name, job in found.jobs.items():
            try:
                self._copy_values(successor, read, job.blobs)
            except Damaged:
                self._without_value.append(name)
                continue
            log = found.logs.get(name)
            try:
                self._copy_values(successor, read, () if log is None else log.blobs)
            except Damaged:
                self._without_log.append(name)
                log = None
            successor.take(all_of(job, log))
            if successor.is_full:
                successor.write(*successor.cut())

    def _copy_values(self, successor: Successor, read: Reading, blobs: Iterable[Blob]) -> None:
        for blob in blobs:
            successor.encoder.places.move(blob, successor.copy_blob(blob, read.blobs))

    def _look_at_big_values(self, read: Reading, found: Salvage) -> None:
        for name, job in found.jobs.items():
            log = found.logs.get(name)
            if not _are_whole(job.blobs, read):
                self._without_value.append(name)
            elif log is not None and not _are_whole(log.blobs, read):
                self._without_log.append(name)

    def _establish_anchor(self, successor: Successor) -> None:
        header, place = successor.header, successor.place
        path = beside(self._path, ".anchor")
        anchor = Anchor(self._files, path, file_id=header.file_id, key=successor.anchor_key)
        anchor.establish(Mark(header.file_id, place.sequence, place.end, place.time, self._files.boot_id()))
        anchor.close()

    def _report(self, verification: Verification, found: Salvage, kept: Path | None) -> Repaired:
        without_value = set(self._without_value)
        return Repaired(
            self._path,
            verification.findings,
            jobs_kept=len(found.jobs) - len(without_value),
            commits_missing=verification.commits_missing,
            lost=tuple(sorted(found.lost)),
            uncertain=tuple(sorted(found.uncertain - without_value)),
            without_value=tuple(sorted(without_value)),
            without_log=tuple(sorted(self._without_log)),
            guessed_queues=tuple(sorted(found.guessed - found.nameless)),
            nameless_queues=tuple(sorted(found.guessed & found.nameless)),
            kept=kept,
        )


def _are_whole(blobs: Iterable[Blob], read: Reading) -> bool:
    try:
        for blob in blobs:
            for _ in read.blobs.parts(blob):
                pass
    except Damaged:
        return False
    return True

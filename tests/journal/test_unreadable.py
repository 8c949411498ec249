"""A sector that the disk cannot read: what is authentic before and behind it is found and kept."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobengine.errors import InputOutputFailed
from jobengine.journal.journal import Journal
from jobengine.journal.reading import reading
from jobengine.journal.repair import Repairing
from jobengine.journal.verification import FindingKind, Verifier
from jobengine.model.changes import PutQueue
from tests.journal.scenes import MAIL, SECRET, WALL_MS, Book, put

PAGE = 4096
JOBS = 200


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A file of some pages."""
    path = tmp_path / "jobs.queuedb"
    journal = Journal.open(path, SECRET, replay=lambda _: None)
    journal.start(now=lambda: WALL_MS, on_rollback=print, on_failure=print)
    await journal.append([PutQueue(MAIL)])
    for number in range(JOBS):
        await journal.append(put(number, content=b"z" * 300))
    await journal.close()
    return path


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], None]:
    """Let a page of a file be one that the disk cannot read."""
    pread = os.pread

    def lose(path: Path, page: int) -> None:
        start, stop = page * PAGE, (page + 1) * PAGE
        lost = path.stat().st_ino

        def failing(file: int, length: int, offset: int) -> bytes:
            if os.fstat(file).st_ino == lost and offset < stop and offset + length > start:
                if offset >= start:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                length = start - offset
            return pread(file, length, offset)

        monkeypatch.setattr(os, "pread", failing)

    return lose


async def test_verify_says_where_and_goes_on(path: Path, lose: Callable[[Path, int], None]) -> None:
    lose(path, 10)
    with reading(path, SECRET) as read:
        found = Verifier(read).run()
    (finding,) = found.findings
    assert finding.kind is FindingKind.MIDDLE
    assert finding.offset is not None
    assert finding.end is not None
    assert finding.offset <= 10 * PAGE < finding.end
    assert 0 < found.commits_missing < 20


async def test_repair_keeps_what_stands_before_and_behind(
    path: Path, lose: Callable[[Path, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(path, 10)
    repaired = Repairing(path, SECRET).run(accept_loss=True)
    monkeypatch.undo()
    book = Book()
    Journal.open(path, SECRET, replay=book.apply)
    assert len(book.jobs) == repaired.jobs_kept == JOBS - repaired.commits_missing


async def test_an_unreadable_end_is_not_called_torn(path: Path, lose: Callable[[Path, int], None]) -> None:
    lose(path, path.stat().st_size // PAGE)
    with reading(path, SECRET) as read:
        found = Verifier(read).run()
    assert found.torn_bytes == 0
    assert found.findings


async def test_a_server_does_not_start_on_it(path: Path, lose: Callable[[Path, int], None]) -> None:
    lose(path, 10)
    with pytest.raises(InputOutputFailed):
        Journal.open(path, SECRET, replay=lambda _: None)

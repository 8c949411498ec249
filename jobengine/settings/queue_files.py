"""The directory of queues with files of their own: `<queue>.yml` holds what stands below a queue's name."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.errors import ConfigurationWrong
from jobengine.settings.snapshot import read
from jobengine.settings.whole_file import sync_directory, write_whole

SUFFIX: Final = ".yml"
# Whoever makes a file theirs takes this line away: then the server writes to it no more.
MARK: Final = b"# Made by the API. The server may write this file anew, or remove it.\n"
_READ_AND_WRITE: Final = 0o600
_NEVER_FOR_OTHERS: Final = 0o640


class QueueFile(Struct, frozen=True):
    """A file of one queue."""

    path: Path
    data: bytes

    @property
    def name(self) -> str:
        """Of the queue."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def is_made_by_api(self) -> bool:
        """Whether the server wrote it; else somebody did."""
        return self.data.startswith(MARK)


class QueueFiles(Struct, frozen=True):
    """What the directory held at one moment."""

    files: tuple[QueueFile, ...]
    changed: float  # when it came to hold that, in seconds since the epoch
    is_there: bool  # the directory itself


def read_queue_files(directory: Path) -> QueueFiles:
    """What the directory holds now. Raises ConfigurationWrong if it cannot be read."""
    try:
        paths = sorted(path for path in directory.iterdir() if _is_queue_file(path))
        changed = directory.stat().st_ctime
    except FileNotFoundError:
        return QueueFiles((), 0.0, is_there=False)
    except OSError as error:
        raise ConfigurationWrong(f"{directory}: cannot be read: {error.strerror}") from error
    snapshots = [read(path) for path in paths]
    files = tuple(QueueFile(path, snapshot.data) for path, snapshot in zip(paths, snapshots, strict=True))
    return QueueFiles(files, max([changed, *(snapshot.changed for snapshot in snapshots)]), is_there=True)


def check_is_there(directory: Path, held: QueueFiles, with_jobs: Collection[str]) -> None:
    """Raises ConfigurationWrong when the directory has gone, and with it queues of the API that have jobs."""
    if not held.is_there and with_jobs:
        raise ConfigurationWrong(
            f"{directory}: is not there, but queues of it have jobs "
            f"({', '.join(sorted(with_jobs)[:5])}): bring it back, or make it anew, empty, if they may go"
        )


def write_queue_file(file: QueueFile, *, like: Path) -> None:
    """Put it in its place, whole and durable. Who may read it is who may read `like`. Raises OSError."""
    file.path.parent.mkdir(mode=0o750, exist_ok=True)
    write_whole(file.path, file.data, mode=like.stat().st_mode & _NEVER_FOR_OTHERS | _READ_AND_WRITE)


def remove_queue_file(path: Path) -> None:
    """Take it away for good. Raises OSError."""
    path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_directory(path.parent)


def _is_queue_file(path: Path) -> bool:
    return path.suffix == SUFFIX and not path.name.startswith(".")

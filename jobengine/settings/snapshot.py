"""A file of the configuration, as it was at one moment."""

from os import fstat
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.errors import ConfigurationWrong

FILE_MOST_BYTES: Final = 1024 * 1024


class Snapshot(Struct, frozen=True):
    """What a file held at one moment."""

    data: bytes
    changed: float  # when it came to hold that, in seconds since the epoch


def read(path: Path) -> Snapshot:
    """What the file holds now. Raises ConfigurationWrong if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MOST_BYTES + 1)
            # Asked after reading: whoever truncates the file in between makes it look new, not old.
            return Snapshot(data, fstat(file.fileno()).st_ctime)
    except OSError as error:
        raise ConfigurationWrong(f"{path}: cannot be read: {error.strerror}") from error


def decode(data: bytes, source: str) -> str:
    """The text of a configuration file. Raises ConfigurationWrong."""
    if len(data) > FILE_MOST_BYTES:
        raise ConfigurationWrong(f"{source}: is larger than {FILE_MOST_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationWrong(f"{source}:{line}: is not UTF-8") from error

"""A configuration file to Settings: everything is checked, and all mistakes are told at once."""

from collections.abc import Mapping
from os import fstat
from pathlib import Path
from typing import Final

import msgspec

from jobengine.errors import ConfigurationWrong
from jobengine.settings.document import compose
from jobengine.settings.mistakes import Mistakes
from jobengine.settings.reader import Reader
from jobengine.settings.schema import Settings

FILE_MOST_BYTES: Final = 1024 * 1024


class Snapshot(msgspec.Struct, frozen=True):
    """What a file held at one moment."""

    data: bytes
    changed: float  # when it came to hold that, in seconds since the epoch


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """The settings of this file. Raises ConfigurationWrong."""
    return parse(read(path).data, source=str(path), environment=environment)


def read(path: Path) -> Snapshot:
    """What the file holds now. Raises ConfigurationWrong if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MOST_BYTES + 1)
            # Asked after reading: whoever truncates the file in between makes it look new, not old.
            return Snapshot(data, fstat(file.fileno()).st_ctime)
    except OSError as error:
        raise ConfigurationWrong(f"{path}: cannot be read: {error.strerror}") from error


def parse(data: bytes, *, source: str, environment: Mapping[str, str]) -> Settings:
    """The settings that these bytes say; `source` names them in mistakes. Raises ConfigurationWrong."""
    root = compose(decode(data, source), source=source)
    if root is None:
        raise ConfigurationWrong(f'{source}:1: is empty (write "queues: {{}}" for no queues)')
    mistakes = Mistakes(source)
    values = Reader(environment, mistakes).settings(root)
    mistakes.check()
    return msgspec.convert(values, Settings)


def decode(data: bytes, source: str) -> str:
    """The text of a configuration file. Raises ConfigurationWrong."""
    if len(data) > FILE_MOST_BYTES:
        raise ConfigurationWrong(f"{source}: is larger than {FILE_MOST_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationWrong(f"{source}:{line}: is not UTF-8") from error

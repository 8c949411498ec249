"""What a program has left in its directory, which is a stranger's by then."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from jobengine.work.outcome import Kind, Refused

_OF_A_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OF_A_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def left_file(directory: Path, name: str, *, most_bytes: int) -> bytes:
    """A file right in the directory; nothing when there is none. Raises Refused."""
    try:
        with open_left(directory, name) as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Refused(Kind.OUTPUT, f"its {name} cannot be read: {error.strerror}", retry=None) from None
    if len(data) > most_bytes:
        raise Refused(Kind.OUTPUT, f"its {name} has more than {most_bytes} bytes", retry=None)
    return data


def open_left(directory: Path, name: str) -> BinaryIO:
    """Open such a file. Raises Refused, and OSError.

    It is read as the worker, so it must be one that the program could have written itself, and no link.
    """
    above = os.open(directory, _OF_A_DIRECTORY)
    try:
        file = os.fdopen(os.open(name, _OF_A_FILE, dir_fd=above), "rb")
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.fstat(above).st_uid:
            file.close()
            raise Refused(Kind.OUTPUT, f"its {name} is no file of its own", retry=None)
        return file
    finally:
        os.close(above)

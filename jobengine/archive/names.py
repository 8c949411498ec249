"""Paths of entries: relative, below the directory, each of them once."""

from collections.abc import Iterable

from jobengine.archive.limits import DEPTH_MOST
from jobengine.errors import ArchiveRefused


def checked_path(name: str, *, most_bytes: int) -> tuple[str, ...]:
    """The parts of an entry's path. Raises ArchiveRefused for one that could lead elsewhere."""
    if not name or len(name.encode("utf-8", "replace")) > most_bytes:
        raise ArchiveRefused(f"an entry has no name, or one of over {most_bytes} bytes")
    if any(character < " " or character in "\\\x7f" for character in name) or not _is_text(name):
        raise ArchiveRefused("the name of an entry has a backslash, or a character that nobody can see")
    if name.startswith("/") or name[1:2] == ":":
        raise ArchiveRefused("the name of an entry is absolute: let all be relative to the archive")
    parts = tuple(name.removesuffix("/").split("/"))
    if any(part in ("", ".", "..") for part in parts):
        raise ArchiveRefused('the name of an entry has "..", "." or nothing between two slashes')
    if len(parts) - 1 > DEPTH_MOST:
        raise ArchiveRefused(f"an entry lies more than {DEPTH_MOST} directories deep")
    if any(len(part.encode()) > 255 for part in parts):
        raise ArchiveRefused(
            "a part of an entry's name is longer than the 255 bytes that a file system takes"
        )
    return parts


def check_together(paths: Iterable[tuple[tuple[str, ...], bool]], *, most: int) -> None:
    """Of each its parts, and whether it is a directory. Raises ArchiveRefused when one stands twice.

    A file that is also the directory of another is the same mistake. Directories count that are only named on
    the way to others: there could be hundreds of them for each entry.
    """
    seen: dict[tuple[str, ...], bool] = {}
    for parts, is_directory in paths:
        if parts in seen:
            raise ArchiveRefused("two entries have the same name")
        seen[parts] = is_directory
    for above in {parts[:length] for parts in seen for length in range(1, len(parts))}:
        if not seen.setdefault(above, True):
            raise ArchiveRefused("an entry is a file, and the directory of another")
    if len(seen) > most:
        raise ArchiveRefused(f"there are more than {most} files and directories in the archive")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True

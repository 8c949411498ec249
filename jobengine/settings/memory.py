"""How much memory there is, and how sizes are written."""

import os
import re
from pathlib import Path
from typing import Final

MEBIBYTE: Final = 1024 * 1024
_UNITS: Final = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}
_SIZE: Final = re.compile(r"(?P<number>[0-9]{1,15}) ?(?P<unit>B|KiB|MiB|GiB|TiB|)", re.ASCII)
_PERCENT: Final = re.compile(r"(?P<number>[0-9]{1,3}) ?%", re.ASCII)

# The limit that a container sets, in the second and in the first version of control groups.
_CONTAINER_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def machine_memory(container_limits: tuple[Path, ...] = _CONTAINER_LIMITS) -> int:
    """Bytes of memory of this machine, or of the container if that is given less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *filter(None, map(_limit, container_limits))])


def parse_size(text: str) -> int | None:
    """The bytes that "65536", "64KiB" or "2GiB" stand for; None if it is no size."""
    found = _SIZE.fullmatch(text)
    return int(found["number"]) * _UNITS[found["unit"]] if found else None


def parse_memory(text: str) -> int | None:
    """As `parse_size`; "50%" is that part of this machine's memory."""
    found = _PERCENT.fullmatch(text)
    if found is None:
        return parse_size(text)
    return machine_memory() * int(found["number"]) // 100 if int(found["number"]) <= 100 else None


def write_size(size: int) -> str:
    """The shortest way to write so many bytes, without a fraction."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None  # no such control group: no limit
    return int(text) if text.isdecimal() else None  # "max" is none either

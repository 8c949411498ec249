"""What a program sees of the machine in bubblewrap: a read-only system, its directory, and no more."""

import shutil
from os.path import normpath
from pathlib import Path
from typing import Final

from jobengine.errors import ConfigurationWrong
from jobengine.work.spawner.starting import INSIDE

# The system, without what is this machine's own: its secrets, its services and their settings, its data.
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt")
_SETTINGS: Final = (
    *(
        "alternatives",
        "ca-certificates",
        "ca-certificates.conf",
        "fonts",
        "group",
        "ld.so.cache",
        "ld.so.conf",
    ),
    *("ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "python3", "R", "ssl/certs"),
    *("ssl/openssl.cnf", "timezone"),
)
_ALONE: Final = ("--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--die-with-parent")
_SCRATCH: Final = ("/dev/shm", "/tmp")  # noqa: S108 - the sandbox's own
_SCRATCH_BYTES: Final = 256 * 1024 * 1024  # of each: it is memory of the machine


def bubblewrap() -> Path:
    """Where it is. Raises ConfigurationWrong."""
    found = shutil.which("bwrap")
    if found is None:
        raise ConfigurationWrong(
            "run.sandbox: bubblewrap is not installed: `apt-get install bubblewrap`, or leave run.sandbox out"
        )
    return Path(found)


def enclosed(program: Path, argv: tuple[str, ...], directory: Path | None) -> tuple[str, ...]:
    """The arguments that run these in the sandbox; of all that is written, the directory alone stays."""
    kept = () if directory is None else ("--bind", str(directory), str(directory), "--chdir", str(directory))
    return (
        *(str(program), *_ALONE, "--info-fd", str(INSIDE)),
        *(word for path in _SYSTEM for word in _shown(Path(path))),
        *(word for name in _SETTINGS for word in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")),
        *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
        *(word for path in _SCRATCH for word in ("--size", str(_SCRATCH_BYTES), "--tmpfs", path)),
        *kept,
        *("--remount-ro", "/", "--", *argv),
    )


def is_there(program: str, directory: Path, path: str) -> bool:
    """Whether there is such a program; bubblewrap tells it in words only, among those of the job."""
    if "/" in program:
        place = Path(normpath(directory / program))
        # Of what is elsewhere it is not told whether it exists: who asks here may see more than the job.
        return any(place.is_relative_to(shown) for shown in (*_SYSTEM, directory)) and place.exists()
    return any((Path(place) / program).exists() for place in path.split(":"))


def _shown(path: Path) -> tuple[str, ...]:
    if path.is_symlink():
        return ("--symlink", str(path.readlink()), str(path))
    return ("--ro-bind", str(path), str(path)) if path.is_dir() else ()

"""What a caller would like of its answer (RFC 7240), and which version it means (RFC 9110, 13.1.1)."""

import re
from typing import Final

from msgspec import Struct

from jobengine.errors import VersionChanged
from jobengine.model.job import Job
from jobengine.web.request import Request
from jobengine.web.v2.decoding import wrong
from jobengine.web.v2.durations import Wait

_VERSION: Final = re.compile(r'"([0-9]{1,18})"', re.ASCII)


class Preferences(Struct, frozen=True, gc=False):
    """What of it is understood."""

    minimal: bool = False  # the answer need not hold what the caller knows
    wait: Wait | None = None  # for the end of the job

    @property
    def applied(self) -> bytes:
        """The header that says so."""
        said = [b"return=minimal"] if self.minimal else []
        if self.wait is not None:
            said.append(b"wait=%d" % self.wait.seconds)
        return b"Preference-Applied: %b\r\n" % b", ".join(said) if said else b""


_NONE: Final = Preferences()


def preferences(request: Request) -> Preferences:
    """What the caller prefers; what is not understood is passed over. Raises ValidationFailed."""
    if "Prefer" not in request.headers:
        return _NONE
    said: dict[str, str] = {}
    for each in ",".join(request.headers.getall("Prefer")).split(","):
        name, _, value = each.partition(";")[0].partition("=")
        said.setdefault(name.strip().lower(), value.strip().strip('"'))  # the first one counts
    return Preferences(said.get("return") == "minimal", _wait(said.get("wait")))


def _wait(seconds: str | None) -> Wait | None:
    if seconds is None:
        return None
    try:
        return Wait.parse(seconds)
    except ValueError as error:
        raise wrong("Prefer", f"wait {error}") from None


def expected_version(request: Request) -> int | None:
    """The version that the job must have still; None: whatever it is.

    Raises VersionChanged for one that no job can have, ValidationFailed for several.
    """
    if "If-Match" not in request.headers:
        return None
    (text, *more) = request.headers.getall("If-Match")
    if more or "," in text:
        raise wrong("If-Match", "names one version, or *")
    if text.strip() == "*":
        return None
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise VersionChanged
    return int(found[1])


def expected_versions(request: Request) -> tuple[int, ...]:
    """The same, for a command that may name many jobs. Raises VersionChanged, ValidationFailed."""
    version = expected_version(request)
    return () if version is None else (version,)


def etag(job: Job) -> bytes:
    """The header that tells a job's version."""
    return b'ETag: "%d"\r\n' % job.updated

"""The broker's log in a test: what is wrong, and nothing else; the test's own log stays as it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


class _Quiet(structlog.PrintLogger):
    """Passes warnings on, and what is worse."""

    def msg(self, message: str) -> None:
        """Less than a warning."""

    debug = info = log = msg


@contextmanager
def quiet() -> Iterator[None]:
    """Where nobody has set up structlog, it would print each request. Who has, decides of ours too."""
    if structlog.is_configured():
        yield
        return
    structlog.configure(logger_factory=_logger)
    try:
        yield
    finally:
        if structlog.get_config()["logger_factory"] is _logger:  # else somebody has set it up since
            structlog.reset_defaults()


def _logger(*names: str) -> structlog.PrintLogger:
    is_ours = bool(names) and names[0].startswith("jobengine.")
    return _Quiet(sys.stderr) if is_ours else structlog.PrintLogger()

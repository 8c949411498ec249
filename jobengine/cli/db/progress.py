"""A bar on a terminal's stderr, for what takes over a second."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

_PATIENCE_SECONDS: Final = 1.0


@contextmanager
def progress(doing: str, total: int, *, in_jobs: bool = False) -> Iterator[Callable[[int], None]]:
    """What is to be told how many bytes of so many are done; or how many jobs."""
    with ExitStack() as shown:
        bar = _Bar(doing, total, shown, in_jobs=in_jobs)
        yield bar.tell if sys.stderr.isatty() else _nobody


class _Bar:
    """Appears once it is worth it."""

    def __init__(self, doing: str, total: int, shown: ExitStack, *, in_jobs: bool) -> None:
        self._doing = doing
        self._total = total
        self._shown = shown
        self._in_jobs = in_jobs
        self._begun = time.monotonic()
        self._update: Callable[[int], None] | None = None

    def tell(self, done: int) -> None:
        """So many are done."""
        if self._update is None:
            if time.monotonic() - self._begun < _PATIENCE_SECONDS:
                return
            self._update = self._appear()
        self._update(done)

    def _appear(self) -> Callable[[int], None]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        amount = MofNCompleteColumn() if self._in_jobs else DownloadColumn(binary_units=True)
        columns = (TextColumn(self._doing), BarColumn(), amount, TimeRemainingColumn())
        bars = self._shown.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        bar = bars.add_task(self._doing, total=self._total)
        return lambda done: bars.update(bar, completed=done)


def _nobody(done: int) -> None:
    """No terminal, no bar."""

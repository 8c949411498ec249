"""A bar on a terminal's stderr, for what is done to many jobs and takes over a second."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

_PATIENCE_SECONDS: Final = 1.0


@contextmanager
def counting(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """What is to be told how many of about so many jobs are done."""
    with ExitStack() as shown:
        yield _Bar(doing, total, shown).tell if sys.stderr.isatty() else _nobody


class _Bar:
    """Appears once it is worth it."""

    def __init__(self, doing: str, total: int, shown: ExitStack) -> None:
        self._doing = doing
        self._total = total
        self._shown = shown
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
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(self._doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        bars = self._shown.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        bar = bars.add_task(self._doing, total=self._total)
        return lambda done: bars.update(bar, completed=done)


def _nobody(done: int) -> None:
    """No terminal, no bar."""

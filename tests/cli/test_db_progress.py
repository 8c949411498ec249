"""What takes long shows a bar, where somebody can see it."""

import sys
from io import StringIO

import pytest

from jobengine.cli.db import progress as module
from jobengine.cli.db.progress import progress


class Terminal(StringIO):
    """Somebody looks."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("screen", "patience", "appears"),
    [(Terminal(), 0.0, True), (Terminal(), 3600.0, False), (StringIO(), 0.0, False)],
    ids=["a terminal", "quickly done", "a pipe"],
)
def test_a_bar_appears_on_a_terminal_for_what_takes_long(
    monkeypatch: pytest.MonkeyPatch, screen: StringIO, patience: float, appears: bool
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", patience)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress("verifying", 100) as told:
        told(10)
        told(90)
    assert ("verifying" in screen.getvalue()) is appears


def test_jobs_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress("purging", 200, in_jobs=True) as told:
        told(100)
    assert "100/200" in screen.getvalue()

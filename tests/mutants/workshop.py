"""A copy of the project in which bugs are put in and out."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("jobengine", "tests", "config", "docs", "pyproject.toml", "README.md")
TEST_SECONDS = 30  # a bug may also show in a test that never ends
RUN_SECONDS = 120  # of one mutant's run of pytest; `timeout` ends it with all that it has started
ALL_SECONDS = 1200  # of all tests together, while there is no mutant


class Verdict(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    MISSED = "MISSED"  # the test stays green
    BROKEN = "BROKEN"  # the test cannot be run at all: that proves nothing
    GONE = "GONE"  # the text that it changes is not there any more


class Workshop:
    """One copy; one mutant in it at a time."""

    def __init__(self, place: Path) -> None:
        self._place = place
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place / name)

    def judge(self, mutant: Mutant) -> Verdict:
        """Put it in, run its test, take it out."""
        if mutant.problem(self._place):
            return Verdict.GONE
        with mutant.applied(self._place):
            code, _ = self.run([mutant.test])
        match code:
            case 0:
                return Verdict.MISSED
            case 1:
                return Verdict.CAUGHT
            case _:
                return Verdict.BROKEN

    def run(self, tests: Iterable[str], *, seconds: int = RUN_SECONDS) -> tuple[int, str]:
        """The exit code of pytest for these tests, and what it said."""
        options = ["-x", "-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}"]
        ran = subprocess.run(
            ["timeout", "--kill-after=5", str(seconds), sys.executable, "-m", "pytest", *options, *tests],
            cwd=self._place,
            # A file that changes twice within a second looks unchanged to who compares times: no bytecode.
            env={**os.environ, "PYTHONPATH": str(self._place), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        return ran.returncode, ran.stdout + ran.stderr

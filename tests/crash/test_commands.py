"""Kills of the commands in the ordinary run; `make kills` for more."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.crash.commands import COMMANDS, DATABASE, Killing
from tests.crash.forked import Forked
from tests.soak.part import Violation

KILLS = 25  # of each


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_leaves_the_old_file_or_the_new_one_whole(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killing, counts = Killing(name, tmp_path, Random(name)), Counter[str]()
    for _ in range(KILLS):
        counts += killing.kill()
    with capsys.disabled():
        print(f"\n{name}: {dict(counts)}")
    assert counts["half_a_file_left"]  # that it was killed at work


def test_half_a_new_file_in_place_of_the_old_one_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing = Killing("restore", tmp_path, Random(0))

    def torn(self: Forked) -> None:
        self.wait(10)
        database = next(tmp_path.glob(f"restore-2/{DATABASE}"))
        database.write_bytes(database.read_bytes()[:20_000])

    monkeypatch.setattr(Forked, "kill", torn)
    with pytest.raises(Violation, match="neither the old file nor the new one"):
        killing.kill()


def test_a_database_that_is_kept_nowhere_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing = Killing("restore", tmp_path, Random(0))

    def gone(self: Forked) -> None:
        self.wait(10)
        for kept in tmp_path.glob("restore-2/*.before-restore-*"):
            kept.unlink()

    monkeypatch.setattr(Forked, "kill", gone)
    with pytest.raises(Violation, match="is kept nowhere"):
        killing.kill()

"""What a soak counts is never lost, and a broken promise never overlooked."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.part import Part, Violation
from tests.soak.parts import PARTS
from tests.soak.results import Counts, record
from tests.soak.running import run


def five_then(end: BaseException) -> Part:
    """A part that counts five eggs, and then ends so."""

    def pieces(place: Path) -> Iterator[Counts]:
        yield {"eggs": 5}
        raise end

    return Part("basket", {"eggs": 100}, pieces)


def test_the_runs_of_one_part_at_one_commit_add_up(tmp_path: Path) -> None:
    path = tmp_path / "results"
    for part, commit in (("basket", "one"), ("basket", "another"), ("nest", "one")):
        record(part, {"eggs": 100}, commit=commit, seconds=1, path=path)
    assert record("basket", {"eggs": 7, "shells": 1}, commit="one", seconds=1, path=path) == {
        "eggs": 107,
        "shells": 1,
    }


def test_what_was_counted_before_it_was_stopped_is_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(five_then(KeyboardInterrupt()), seconds=60, results=path)
    assert "10 of 100 eggs, 0 violations" in capsys.readouterr().out


def test_a_broken_promise_is_told_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # something is kept there
    assert not run(five_then(Violation("an egg is lost")), seconds=60, results=tmp_path / "results")
    told = capsys.readouterr().out
    assert "an egg is lost" in told
    assert "5 of 100 eggs, 1 violations" in told


def test_each_part_has_its_command() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for part in PARTS:
        assert f"\n.PHONY: {part.name}\n" in makefile

"""What a soak counts is never lost, and a broken promise never overlooked."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.soak import workers
from tests.soak.part import Part, Violation
from tests.soak.parts import PARTS
from tests.soak.results import Counts, record
from tests.soak.running import all_done, run, shares, standing
from tests.soak.workers import working
from tests.work.spawner.programs import is_alive


def five_then(end: Callable[[], object]) -> Part:
    """A part that counts five eggs, and then ends so."""

    def pieces(place: Path) -> Iterator[Counts]:
        yield {"eggs": 5}
        end()

    return part("basket", pieces)


def part(name: str, pieces: Callable[[Path], Iterator[Counts]], *, is_random: bool = False) -> Part:
    """A part whose goal takes ten minutes."""
    return Part(name, {"eggs": 100}, pieces, minutes=10, is_random=is_random)


def no_pieces(place: Path) -> Iterator[Counts]:
    """Nothing is ever done."""
    yield from ()


def raising(error: Exception) -> Callable[[], object]:
    def end() -> None:
        raise error

    return end


@pytest.fixture(autouse=True)
def kept_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is kept in the place of the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_runs_of_one_part_at_one_commit_add_up(tmp_path: Path) -> None:
    path = tmp_path / "results"
    for name, commit in (("basket", "one"), ("basket", "another"), ("nest", "one")):
        record(name, {"eggs": 100}, commit=commit, seconds=1, path=path)
    assert record("basket", {"eggs": 7, "shells": 1}, commit="one", seconds=1, path=path) == {
        "eggs": 107,
        "shells": 1,
    }


def test_what_was_counted_before_it_was_stopped_is_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped_by_the_first(text: str, **options: Any) -> None:
        if text.startswith("\r"):
            raise KeyboardInterrupt
        print(text, **options)

    monkeypatch.setattr("tests.soak.running.print", stopped_by_the_first, raising=False)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(five_then(lambda: time.sleep(60)), seconds=60, results=tmp_path / "results")
    assert "10 of 100 eggs, 0 violations" in capsys.readouterr().out


@pytest.mark.parametrize("error", [Violation("an egg is lost"), KeyError("an egg is lost")])
def test_a_broken_promise_is_told_and_counted_and_so_is_whatever_else_goes_wrong(
    error: Exception, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run(five_then(raising(error)), seconds=60, results=tmp_path / "results")
    told = capsys.readouterr().out
    assert "an egg is lost" in told
    assert "5 of 100 eggs, 1 violations" in told


def test_a_worker_that_dies_is_missed(tmp_path: Path) -> None:
    with working(five_then(lambda: os.kill(os.getpid(), signal.SIGKILL)), tmp_path) as pieces:
        assert next(pieces) == {"eggs": 5}
        with pytest.raises(Violation, match="died"):
            next(pieces)


def test_the_workers_of_a_part_that_is_random_work_side_by_side_each_in_its_place(tmp_path: Path) -> None:
    def pieces(place: Path) -> Iterator[Counts]:
        while True:
            yield {f"eggs of {place.name}": 1}
            time.sleep(0.01)

    with working(part("basket", pieces, is_random=True), tmp_path) as told:
        wanted = {f"eggs of {number}" for number in range(os.cpu_count() or 1)}
        while wanted:
            wanted -= set(next(told))


def test_a_worker_that_is_stopped_clears_up(tmp_path: Path) -> None:
    def pieces(place: Path) -> Iterator[Counts]:
        try:
            while True:
                yield {"eggs": 1}
                time.sleep(0.01)
        finally:
            (tmp_path / "cleared up").touch()

    with working(part("basket", pieces), tmp_path / "place") as told:
        next(told)
    assert (tmp_path / "cleared up").exists()


@pytest.mark.parametrize("times", [2, 1_000_000])
def test_a_worker_that_swallows_what_it_is_told_is_told_again_and_then_killed(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "TELL_SECONDS", 0.1)
    monkeypatch.setattr(workers, "STOP_SECONDS", 1.0)

    def pieces(place: Path) -> Iterator[Counts]:
        started = subprocess.Popen(["sleep", "1000"])
        yield {"pid": os.getpid(), "started": started.pid}
        for _ in range(times):
            with suppress(KeyboardInterrupt):
                time.sleep(60)

    with working(part("basket", pieces), tmp_path / "place") as told:
        counts = next(told)
    end = time.monotonic() + 10
    while any(is_alive(pid) for pid in counts.values()):  # who is killed is gone a moment later
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_time_goes_to_what_is_left(tmp_path: Path) -> None:
    results = tmp_path / "results"
    parts = [part("half", no_pieces), part("done", no_pieces), part("untouched", no_pieces)]
    record("half", {"eggs": 50}, commit="one", seconds=1, path=results)
    record("done", {"eggs": 120}, commit="one", seconds=1, path=results)
    done = all_done(parts, commit="one", results=results)
    assert shares(parts, done, 60) == [20, 0, 40]
    assert [
        standing(each, counts).split(maxsplit=1)[1] for each, counts in zip(parts, done, strict=True)
    ] == [
        "50% done, about 5 minutes left",
        "100% done, nothing left",
        "0% done, about 10 minutes left",
    ]


def test_when_nothing_is_left_each_has_a_share_again() -> None:
    parts = [part("one", no_pieces), part("other", no_pieces)]
    assert shares(parts, [{"eggs": 100}] * 2, 60) == [30, 30]


def test_each_part_has_its_command() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for each in PARTS:
        assert f"\n.PHONY: {each.name}\n" in makefile

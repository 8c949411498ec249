"""A hundred kills in the ordinary run; `make kills` for more."""

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from random import Random

import pytest

from tests.crash.counts import Counts
from tests.crash.rounds import PLAN, Rounds

KILLS = 100
SIDE_BY_SIDE = 2  # most of the time goes into starting servers


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_kills_break_no_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts()
    with ThreadPoolExecutor() as threads:
        for some in threads.map(_killed, [tmp_path / str(number) for number in range(SIDE_BY_SIDE)]):
            counts.add(some)
    with capsys.disabled():
        print(f"\n{counts}")
    assert counts.all_kills == KILLS
    assert counts.violations == 0
    assert counts.acknowledged > 10 * KILLS  # that there was a load
    assert counts.cut > KILLS // 10  # that compactions were under way
    assert counts.cut_rekeys > 0  # and changes of the SECRET


def _killed(place: Path) -> Counts:
    place.mkdir()
    with Rounds(place, Random(place.name)) as rounds:
        for kill in islice(cycle(PLAN), KILLS // SIDE_BY_SIDE):
            rounds.round(kill)
        rounds.finish()
        return rounds.counts

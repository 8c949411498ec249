"""Fifty thousand states of a disk that lost its power; `make power` for more."""

from pathlib import Path

import pytest

from tests.power.losses import lose_power

STATES = 50_000
SHARES = 4  # so that several processes can have one each


def test_all_or_nothing_may_be_there_of_what_was_not_synced() -> None:
    losses = lose_power("all or nothing", states=1000)
    assert losses.wrong == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("share", range(SHARES))
def test_no_loss_of_power_loses_what_was_acknowledged_or_keeps_a_server_from_starting(
    share: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = f"share {share}"
    losses = lose_power(seed, states=STATES // SHARES)
    with capsys.disabled():
        print(f"\nseed {seed!r}: {losses.counts}, {len(losses.wrong)} violations")
    losses.keep_evidence(tmp_path)
    assert losses.wrong == [], tmp_path
    assert losses.counts.states >= STATES // SHARES
    assert losses.counts.points > 500

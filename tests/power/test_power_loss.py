"""Fifty thousand states of a disk that lost its power; `make power` for more."""

from pathlib import Path
from random import Random

import pytest

from jobengine.model.changes import PutQueue
from tests.journal.scenes import MAIL, PATH, Scene, compact, filled, job, put
from tests.power.losses import lose_power
from tests.support.disk import SimulatedDisk

STATES = 50_000
SHARES = 4  # so that several processes can have one each


def test_all_or_nothing_may_be_there_of_what_was_not_synced() -> None:
    losses = lose_power("all or nothing", states=1000)
    assert losses.wrong == []


async def test_a_name_that_a_killed_process_did_not_sync_is_on_disk_before_the_next_one_serves() -> None:
    """Else power that is lost later takes the old file's name back, and the anchor names the new one."""
    disk = SimulatedDisk()
    scene = await filled(disk)
    before, disk.history = disk.files[PATH], []
    await compact(scene.journal, [PutQueue(MAIL), *put(0)])
    await scene.journal.close()
    renamed = next(state for state in disk.history if state.content(PATH)[:512] != before.seen[:512])
    restarted = renamed.kill()
    again = Scene(restarted).start()
    await again.journal.append(put(9))
    left = restarted.crash(Random(0), keep=0)
    await again.journal.close()
    assert job(9).uid in Scene(left).book.jobs


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

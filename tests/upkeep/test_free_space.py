"""Free space: what is refused when there is little, and that it is said once."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from jobengine.errors import InputOutputFailed, StorageFull
from jobengine.settings.memory import MEBIBYTE
from jobengine.upkeep import free_space as upkeep
from jobengine.upkeep.free_space import QUIET_LOOKS, FreeSpace
from tests.support.brokers import Broker

RESERVE = 64 * MEBIBYTE
PLENTY = RESERVE + 1
LITTLE = 3 * MEBIBYTE


class Disk:
    """An engine's disk, whose room the test sets."""

    def __init__(self, free: int = PLENTY) -> None:
        self.free = free
        self.failure: InputOutputFailed | None = None
        self.refusals: list[str | None] = []
        self.looked = asyncio.Event()

    def free_bytes(self) -> int:
        if self.failure is not None:
            raise self.failure
        return self.free

    def refuse_growth(self, reason: str | None) -> None:
        self.refusals.append(reason)
        self.looked.set()


async def looks(free_space: FreeSpace, many: int) -> list[Any]:
    """What is logged meanwhile."""
    with capture_logs() as logs:
        for _ in range(many):
            await free_space.look()
    return logs


async def test_growth_is_refused_while_there_is_less_than_the_reserve() -> None:
    disk = Disk()
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    for free in (PLENTY, LITTLE, PLENTY):
        disk.free = free
        await free_space.look()
        assert free_space.free_bytes == free
    before, low, after = disk.refusals
    assert (before, after) == (None, None)
    assert low is not None
    assert "3 MiB free" in low
    assert "64 (database.reserve_mib)" in low


async def test_it_is_logged_when_it_begins_and_when_it_ends_and_not_between() -> None:
    disk = Disk(LITTLE)
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    begun = await looks(free_space, 20)
    disk.free = PLENTY
    ended = await looks(free_space, 20)
    assert [entry["event"] for entry in begun] == ["disk_nearly_full"]
    assert [entry["event"] for entry in ended] == ["disk_has_room_again"]


async def test_what_comes_and_goes_near_the_limit_is_one_trouble() -> None:
    disk = Disk()
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    events = []
    for _ in range(5):
        disk.free = LITTLE
        events += await looks(free_space, 1)
        disk.free = PLENTY
        events += await looks(free_space, QUIET_LOOKS - 1)
    assert [entry["event"] for entry in events] == ["disk_nearly_full"]


async def test_a_warning_stands_as_long_as_the_trouble() -> None:
    disk = Disk()
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    await free_space.look()
    assert free_space.warning() is None
    disk.free = LITTLE
    await free_space.look()
    assert free_space.warning() == disk.refusals[-1]
    disk.free = PLENTY
    await looks(free_space, QUIET_LOOKS)
    assert free_space.warning() is None


async def test_a_write_that_was_refused_is_trouble_although_there_seems_to_be_room() -> None:
    """A quota, say: creates are tried all the same, for nobody else can tell when it is over."""
    disk = Disk()
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    free_space.look_soon()
    (entry,) = await looks(free_space, 1)
    assert entry["event"] == "disk_nearly_full"
    assert disk.refusals == [None]


async def test_it_looks_at_once_when_the_disk_has_refused_a_write() -> None:
    disk = Disk()
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    await free_space.start()
    disk.free = LITTLE
    disk.looked.clear()
    free_space.look_soon()
    await asyncio.wait_for(disk.looked.wait(), upkeep.LOOK_SECONDS / 2)
    assert disk.refusals[-1] is not None
    await free_space.stop()


async def test_it_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LOOK_SECONDS", 0.0)
    disk = Disk()
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    await free_space.start()
    await free_space.start()
    for free in (LITTLE, PLENTY):
        disk.free = free
        while free_space.free_bytes != free:
            await asyncio.sleep(0)
    await free_space.stop()
    await free_space.stop()


async def test_a_disk_that_does_not_say_is_no_reason_to_refuse() -> None:
    disk = Disk()
    disk.failure = InputOutputFailed("asking failed")
    free_space = FreeSpace(disk, reserve_bytes=RESERVE)
    (entry,) = await looks(free_space, 1)
    assert entry["event"] == "free_space_unknown"
    assert disk.refusals == []


async def test_an_engine_refuses_what_does_not_fit_and_comes_back_by_itself() -> None:
    async with Broker() as broker:
        await broker.configure()
        free_space = FreeSpace(broker.engine, reserve_bytes=RESERVE)
        await broker.create()
        broker.disk.disk.room = LITTLE
        await free_space.look()
        with pytest.raises(StorageFull, match="MiB free"):
            await broker.create()
        assert await broker.claim() is not None
        broker.disk.make_room()
        await free_space.look()
        await broker.create()

"""The scrubber: how often, how fast, and what it says."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from jobengine.journal.scrub import PIECE_BYTES
from jobengine.settings.memory import MEBIBYTE
from jobengine.upkeep.scrubber import FIRST_HOURS, Scrubber
from tests.support.brokers import PATH, Broker

HOUR_SECONDS = 3600
BIG = b"x" * (2 * PIECE_BYTES)


class Sleeps:
    """Takes no time, and remembers how long it was to be."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def scrubber_of(broker: Broker, sleeps: Sleeps, *, hours: float = 24, mib_per_second: float = 8) -> Scrubber:
    return Scrubber(
        broker.engine.scrub,
        hours=hours,
        mib_per_second=mib_per_second,
        sleep=sleeps,
        random=lambda least, most: (least + most) / 2,
    )


def damage(broker: Broker) -> None:
    broker.disk.disk.files[PATH].seen[-200] ^= 1


async def filled(broker: Broker) -> None:
    await broker.configure()
    for _ in range(3):
        await broker.create(content=BIG)


async def test_a_good_file_is_read_whole_and_nothing_is_warned_of() -> None:
    async with Broker() as broker:
        await filled(broker)
        scrubber = scrubber_of(broker, Sleeps())
        began = time.time()
        with capture_logs() as logs:
            await scrubber.turn()
        assert scrubber.read_bytes == broker.engine.file_bytes()
        assert began <= scrubber.last_completed <= time.time()
        assert (scrubber.damaged_bytes(), scrubber.warning()) == (0, None)
        assert [entry["event"] for entry in logs] == ["scrubbed"]


async def test_it_is_never_faster_than_its_rate() -> None:
    async with Broker() as broker:
        await filled(broker)
        sleeps = Sleeps()
        scrubber = scrubber_of(broker, sleeps, mib_per_second=0.5)
        began = time.monotonic()
        await scrubber.turn()
        took = time.monotonic() - began
        assert sum(sleeps.seconds) + took >= broker.engine.file_bytes() / (0.5 * MEBIBYTE)


async def test_a_fast_one_leaves_most_of_the_time_to_others() -> None:
    async with Broker() as broker:
        await filled(broker)
        sleeps = Sleeps()
        scrubber = scrubber_of(broker, sleeps, mib_per_second=1_000_000)
        began = time.monotonic()
        await scrubber.turn()
        assert sum(sleeps.seconds) > (time.monotonic() - began) / 2


async def test_damage_is_told_until_a_compaction_has_written_everything_anew() -> None:
    async with Broker() as broker:
        await filled(broker)
        job = await broker.create()
        damage(broker)
        scrubber = scrubber_of(broker, Sleeps())
        with capture_logs() as logs:
            await scrubber.turn()
        (entry,) = logs
        ((offset, end),) = [each.split("-") for each in entry["ranges"]]
        assert (entry["event"], entry["log_level"]) == ("scrub_found_damage", "error")
        assert int(offset) <= broker.engine.file_bytes() - 200 < int(end)
        assert scrubber.damaged_bytes() == entry["bytes"] == int(end) - int(offset)
        warning = scrubber.warning()
        assert warning is not None
        assert "db compact" in warning
        await broker.engine.compact()
        assert (scrubber.damaged_bytes(), scrubber.warning()) == (0, None)
        await scrubber.turn()
        assert scrubber.warning() is None
        assert broker.replayed().job("mail", job.uid) == job


async def test_what_is_found_is_told_before_the_end_of_the_file() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.disk.files[PATH].seen[9] ^= 1
        await filled(broker)
        scrubber = scrubber_of(broker, Sleeps())
        scrub = broker.engine.scrub()
        await scrubber._step(scrub)
        assert not scrub.is_done
        assert scrubber.damaged_bytes() > 0


async def test_what_an_earlier_one_found_stands_until_the_next_has_looked() -> None:
    async with Broker() as broker:
        await filled(broker)
        damage(broker)
        scrubber = scrubber_of(broker, Sleeps())
        await scrubber.turn()
        found = scrubber.damaged_bytes()
        await scrubber._step(broker.engine.scrub())
        assert scrubber.damaged_bytes() == found > 0


async def test_a_compaction_meanwhile_makes_it_begin_anew_in_the_new_file() -> None:
    async with Broker() as broker:
        await filled(broker)
        sleeps = Sleeps()
        scrubber = scrubber_of(broker, sleeps)
        turning = asyncio.create_task(scrubber.turn())
        while not scrubber.read_bytes:
            await asyncio.sleep(0)
        await broker.engine.compact()
        await turning
        assert scrubber.read_bytes > broker.engine.file_bytes()
        assert scrubber.damaged_bytes() == 0
        assert scrubber.last_completed


async def test_the_first_comes_a_random_while_after_the_start_and_the_others_once_a_period() -> None:
    async with Broker() as broker:
        await broker.configure()
        sleeps = Sleeps()
        scrubber = scrubber_of(broker, sleeps)
        await scrubber.start()
        await scrubber.start()
        while 24 * HOUR_SECONDS not in sleeps.seconds:
            await asyncio.sleep(0)
        await scrubber.stop()
        assert sleeps.seconds[0] == FIRST_HOURS / 2 * HOUR_SECONDS
        assert scrubber.read_bytes >= broker.engine.file_bytes()


@pytest.mark.parametrize("hours", [0, 24])
async def test_it_may_be_turned_off_and_stopped(hours: float) -> None:
    async with Broker() as broker:
        await broker.configure()
        sleeps = Sleeps()
        scrubber = scrubber_of(broker, sleeps, hours=hours)
        await scrubber.start()
        await asyncio.sleep(0)
        await scrubber.stop()
        assert bool(sleeps.seconds) == bool(hours)
        assert scrubber.read_bytes == 0

"""Group commit: batches and futures."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from threading import Event
from typing import cast

import pytest

from jobengine.errors import Fatal, InputOutputFailed, OutcomeUnknown, StorageFull, Unavailable
from jobengine.journal.batch import Batch
from jobengine.journal.commit import MOST_BYTES, GroupCommit
from jobengine.model.changes import Change


class Writer:
    """Stands for the disk: holds writes until it is let go, and fails those that it is told to fail."""

    def __init__(self) -> None:
        self.written: list[list[object]] = []
        self.rollbacks: list[int] = []
        self.failures: list[Fatal] = []
        self.observed: list[int] = []
        self.errors: list[Exception] = []
        self.gate = Event()
        self.gate.set()
        self.commit = GroupCommit(
            prepare=self.prepare,
            on_rollback=self.rollbacks.append,
            on_failure=self.failures.append,
            observe=lambda records, seconds: self.observed.append(records),
        )

    def append(self, part: bytes, records: int = 1) -> asyncio.Future[None]:
        """Append something in the place of changes."""
        return self.commit.append(cast(list[Change], [part] * records), len(part))

    def prepare(self, batch: Batch) -> Callable[[], None]:
        return self.run(list(batch.changes))

    def run(self, parts: Sequence[object]) -> Callable[[], None]:
        def write() -> None:
            assert self.gate.wait(10)
            if self.errors:
                raise self.errors.pop(0)
            self.written.append(parts)

        return write


@pytest.fixture
async def writer() -> AsyncIterator[Writer]:
    writer = Writer()
    yield writer
    writer.gate.set()
    await writer.commit.close()


async def turn() -> None:
    """Let what is ready run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_those_who_ask_in_one_turn_share_one_write(writer: Writer) -> None:
    await asyncio.gather(*[writer.append(b"%d" % number, 1) for number in range(5)])
    assert writer.written == [[b"0", b"1", b"2", b"3", b"4"]]
    assert writer.observed == [5]


async def test_the_others_gather_while_one_write_is_under_way(writer: Writer) -> None:
    writer.gate.clear()
    first = writer.append(b"first", 1)
    await turn()
    others = [writer.append(part, 1) for part in (b"second", b"third")]
    await turn()
    assert not first.done()
    assert writer.commit.in_flight == 3
    writer.gate.set()
    await asyncio.gather(first, *others)
    assert writer.written == [[b"first"], [b"second", b"third"]]
    assert writer.commit.in_flight == 0


async def test_nobody_is_answered_before_the_write_has_returned(writer: Writer) -> None:
    writer.gate.clear()
    waiting = writer.append(b"one", 1)
    await turn()
    assert not waiting.done()
    assert not writer.written
    writer.gate.set()
    await waiting


async def test_a_caller_who_has_gone_keeps_nobody_waiting(writer: Writer) -> None:
    writer.gate.clear()
    gone, stays = writer.append(b"gone", 1), writer.append(b"stays", 1)
    await turn()
    gone.cancel()
    writer.gate.set()
    await stays
    assert writer.written == [[b"gone", b"stays"]]


async def test_a_barrier_waits_for_what_was_appended_before_it(writer: Writer) -> None:
    assert writer.commit.barrier() is None
    writer.gate.clear()
    writer.append(b"one", 1)
    gathering = writer.commit.barrier()
    await turn()
    under_way = writer.commit.barrier()
    assert gathering is not None
    assert under_way is not None
    assert not gathering.done()
    writer.gate.set()
    await asyncio.gather(gathering, under_way)
    assert writer.written == [[b"one"]]
    assert writer.commit.barrier() is None


async def test_a_cancelled_barrier_takes_nobody_with_it(writer: Writer) -> None:
    writer.gate.clear()
    waiting = writer.append(b"one", 1)
    barrier = writer.commit.barrier()
    assert barrier is not None
    barrier.cancel()
    writer.gate.set()
    await waiting


async def test_a_batch_is_bounded(writer: Writer) -> None:
    half = bytes(MOST_BYTES // 2)
    await asyncio.gather(*[writer.append(half, 1) for _ in range(5)])
    assert [len(parts) for parts in writer.written] == [2, 2, 1]


async def test_errands_and_batches_take_turns(writer: Writer) -> None:
    writer.gate.clear()
    errands = [writer.commit.alone(lambda: writer.run([b"errand"])) for _ in range(2)]
    await turn()
    batches = [writer.append(bytes(MOST_BYTES), 1) for _ in range(2)]
    writer.gate.set()
    await asyncio.gather(*errands, *batches)
    kinds = ["errand" if parts == [b"errand"] else "batch" for parts in writer.written]
    assert kinds == ["errand", "batch", "errand", "batch"]


async def test_a_full_disk_undoes_the_batch_and_all_that_came_after_it(writer: Writer) -> None:
    await writer.append(b"before", 1)
    writer.gate.clear()
    writer.errors = [StorageFull("full")]
    failing = [writer.append(b"one", 1), writer.append(b"two", 1)]
    await turn()
    failing += [writer.append(b"three", 1)]
    barrier = writer.commit.barrier()
    assert barrier is not None
    undone_first: list[bool] = []
    failing[0].add_done_callback(lambda _: undone_first.append(bool(writer.rollbacks)))
    writer.gate.set()
    outcomes = await asyncio.gather(*failing, barrier, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageFull] * 4
    assert writer.rollbacks == [3]
    assert undone_first == [True]
    assert writer.commit.in_flight == 0
    await writer.append(b"after", 1)
    assert writer.written == [[b"before"], [b"after"]]


async def test_those_undone_fail_with_errors_of_their_own(writer: Writer) -> None:
    writer.errors = [StorageFull("full")]
    first, second = await asyncio.gather(
        writer.append(b"1", 1), writer.append(b"2", 1), return_exceptions=True
    )
    assert first is not second


async def test_an_errand_that_finds_the_disk_full_undoes_nothing(writer: Writer) -> None:
    writer.gate.clear()
    writer.errors = [StorageFull("full")]
    errand = writer.commit.alone(lambda: writer.run([b"errand"]))
    await turn()
    batch = writer.append(b"batch", 1)
    writer.gate.set()
    with pytest.raises(StorageFull):
        await errand
    await batch
    assert writer.rollbacks == []


async def test_after_a_failure_nothing_is_written_any_more(writer: Writer) -> None:
    writer.gate.clear()
    writer.errors = [InputOutputFailed("sync")]
    waiting = [writer.append(b"one", 1)]
    await turn()
    waiting += [writer.append(b"two", 1), writer.commit.alone(lambda: writer.run([b"errand"]))]
    writer.gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 3
    assert [failure.detail for failure in writer.failures] == ["sync"]
    for refused in (
        writer.append(b"x", 1),
        writer.commit.barrier(),
        writer.commit.alone(lambda: print),
    ):
        assert refused is not None
        assert isinstance(refused.exception(), OutcomeUnknown)
    assert writer.written == []
    assert writer.rollbacks == []


async def test_a_writer_that_breaks_is_a_failure_too(writer: Writer) -> None:
    writer.errors = [ZeroDivisionError("a bug")]
    with pytest.raises(OutcomeUnknown):
        await writer.append(b"one", 1)
    assert "ZeroDivisionError" in writer.failures[0].detail


async def test_closing_finishes_what_was_appended_and_takes_no_more(writer: Writer) -> None:
    waiting = writer.append(b"one", 1)
    await writer.commit.close()
    assert waiting.done()
    assert writer.written == [[b"one"]]
    assert isinstance(writer.append(b"late", 1).exception(), Unavailable)


async def test_changes_keep_the_order_in_which_they_were_appended(writer: Writer) -> None:
    async def caller(name: int) -> None:
        for number in range(20):
            await writer.append(b"%d %d" % (name, number), 1)

    await asyncio.gather(*map(caller, range(8)))
    written = [part for parts in writer.written for part in parts]
    assert len(written) == 160
    for name in range(8):
        own = [part for part in written if part.startswith(b"%d " % name)]
        assert own == [b"%d %d" % (name, number) for number in range(20)]


async def test_closing_ends_when_the_last_write_cannot_be_prepared(writer: Writer) -> None:
    writer.gate.clear()
    first = writer.append(b"a")
    await turn()

    def fails() -> Callable[[], None]:
        raise RuntimeError("a bug")

    last = writer.commit.alone(fails)
    closing = asyncio.create_task(writer.commit.close())
    await turn()
    writer.gate.set()
    await asyncio.wait_for(closing, 10)
    await first
    with pytest.raises(OutcomeUnknown):
        await last

"""No answer overtakes its write, however the threads take their turns."""

import asyncio
from threading import Event

from jobengine.journal.commit import GroupCommit


async def test_no_answer_is_given_while_the_write_is_under_way() -> None:
    loop, has_begun, may_end = asyncio.get_running_loop(), asyncio.Event(), Event()

    def write() -> None:
        loop.call_soon_threadsafe(has_begun.set)  # the loop does this after all that it was told before
        assert may_end.wait(10)

    commit = GroupCommit(
        prepare=lambda batch: write,
        on_rollback=lambda appends: None,
        on_failure=lambda failure: None,
        observe=lambda records, seconds: None,
    )
    waiting = commit.append([], 1)
    await has_begun.wait()
    assert not waiting.done()
    may_end.set()
    await waiting
    await commit.close()

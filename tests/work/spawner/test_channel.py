"""The worker's end of a connection to a process of its spawner."""

import asyncio
import os
import socket
from pathlib import Path

from jobengine.work.spawner.channel import Channel
from jobengine.work.spawner.connection import receive


class Ends:
    """Both ends of one, and what came of them."""

    def __init__(self) -> None:
        mine, self.other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.received: list[bytes] = []
        self.is_gone = False
        self.channel = Channel(mine, lambda packet, _: self.received.append(packet), self._gone)

    def _gone(self) -> None:
        self.is_gone = True


async def test_packets_for_which_there_is_no_room_are_sent_later_and_in_order() -> None:
    ends = Ends()
    for number in range(2000):
        ends.channel.send(b"%05d" % number + bytes(5000))
    got: list[bytes] = []
    async with asyncio.timeout(20):
        while len(got) < 2000:
            got.append(await asyncio.to_thread(lambda: receive(ends.other)[0][:5]))
    assert got == [b"%05d" % number for number in range(2000)]
    ends.channel.close()
    ends.other.close()


async def test_descriptors_go_along_and_are_closed_here() -> None:
    ends = Ends()
    end, other = os.pipe()
    ends.channel.send(b"take it", (other,))
    packet, (taken,) = receive(ends.other)
    os.write(taken, b"through")
    assert (packet, os.read(end, 100)) == (b"take it", b"through")
    assert not os.get_inheritable(taken)
    os.close(taken)
    assert os.read(end, 100) == b""  # nobody else holds it
    os.close(end)
    ends.channel.close()
    ends.other.close()


async def test_the_end_of_the_other_side_is_noticed_and_nothing_is_sent_then() -> None:
    ends = Ends()
    ends.other.send(b"last words")
    ends.other.close()
    async with asyncio.timeout(10):
        while not ends.is_gone:
            await asyncio.sleep(0)
    assert ends.received == [b"last words"]
    before = len(list(Path("/proc/self/fd").iterdir()))
    end, other = os.pipe()
    ends.channel.send(b"to nobody", (other,))
    ends.channel.close()
    os.close(end)
    assert len(list(Path("/proc/self/fd").iterdir())) == before

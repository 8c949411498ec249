"""Files of several kinds of frames, and what befalls them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobengine.journal.frame import Head
from jobengine.journal.inspection import Inspection
from jobengine.journal.keys import Secret
from jobengine.journal.reading import Reading, at_rest, reading
from jobengine.journal.verification import Verification, Verifier
from jobengine.model.changes import PutJob, PutQueue
from tests.journal.scenes import MAIL, PATH, SECRET, compact, filled, job, put
from tests.support.disk import SimulatedDisk


@contextmanager
def looked_at(disk: SimulatedDisk, path: Path = PATH, *, secret: Secret = SECRET) -> Iterator[Reading]:
    """A file of this disk, open for reading."""
    with reading(path, secret, disk, pause=at_rest) as read:
        yield read


def verified(disk: SimulatedDisk, path: Path = PATH) -> Verification:
    """What verifying finds."""
    with looked_at(disk, path) as read:
        return Verifier(read).run()


def heads(disk: SimulatedDisk, path: Path = PATH) -> list[Head]:
    """The heads of all frames."""
    with looked_at(disk, path) as read:
        return [head for head, _ in Inspection(read).frames()]


def flipped(data: bytes, *places: int) -> bytes:
    """The same bytes but for some."""
    changed = bytearray(data)
    for place in places:
        changed[place] ^= 1
    return bytes(changed)


def damaged(disk: SimulatedDisk, *places: int, path: Path = PATH) -> SimulatedDisk:
    """The same disk with these bytes changed."""
    changed = disk.kill()
    changed.put(path, flipped(disk.content(path), *places))
    return changed


async def rich_disk(*, sealed: bool = True) -> SimulatedDisk:
    """A file that was compacted, then has small jobs, one with a big value of two parts, and a seal."""
    disk = SimulatedDisk()
    scene = await filled(disk, 3)
    await compact(scene.journal, [PutQueue(MAIL), *put(0), *put(1), *put(2)])
    blob = await scene.journal.write_blob(b"big" * 400_000)
    await scene.journal.append([PutJob(job(7, content=blob))])
    await scene.journal.append(put(8))
    left = disk.kill()
    await scene.journal.close()
    return disk.kill() if sealed else left

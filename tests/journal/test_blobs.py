"""Big values stand in the file, not in memory."""

import asyncio
import os

import pytest
from msgspec.structs import replace

from jobengine.errors import Damaged, InputOutputFailed
from jobengine.model.blob import BLOB_PART_BYTES, Blob
from tests.journal.scenes import PATH, Scene, filled, put
from tests.support.disk import SimulatedDisk


@pytest.mark.parametrize(
    ("length", "frames"),
    [(0, 0), (1, 1), (17_000, 1), (BLOB_PART_BYTES, 1), (BLOB_PART_BYTES + 1, 2), (3 * BLOB_PART_BYTES, 3)],
)
async def test_a_big_value_is_read_as_it_was_written(length: int, frames: int) -> None:
    scene = await filled(SimulatedDisk(), 0)
    value = os.urandom(length)
    blob = await scene.journal.write_blob(value)
    assert (blob.length, len(blob.offsets)) == (length, frames)
    assert scene.journal.read_blob(blob) == value
    assert await asyncio.to_thread(scene.journal.read_blob, blob) == value
    await scene.journal.close()


async def test_a_big_value_is_found_after_a_restart() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    blob = await scene.journal.write_blob(b"a big value" * 3000)
    await scene.journal.append(put(1, content=blob))
    await scene.journal.close()
    again = Scene(disk)
    (job,) = again.book.jobs.values()
    assert isinstance(job.content, Blob)
    assert again.journal.read_blob(job.content) == b"a big value" * 3000


async def test_a_big_value_is_on_disk_before_it_can_be_named() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    await scene.journal.write_blob(bytes(2 * BLOB_PART_BYTES))
    assert disk.files[PATH].durable == disk.content(PATH)
    assert len(disk.content(PATH)) > 2 * BLOB_PART_BYTES
    await scene.journal.close()


async def test_commits_come_between_the_parts_of_a_big_value() -> None:
    scene = await filled(SimulatedDisk(), 0)
    writing = asyncio.create_task(scene.journal.write_blob(bytes(4 * BLOB_PART_BYTES)))
    done = 0
    while not writing.done():
        await scene.journal.append(put(done))
        done += 1
    blob = await writing
    assert done >= 3
    assert blob.offsets[1] - blob.offsets[0] > BLOB_PART_BYTES + 128
    assert scene.journal.read_blob(blob) == bytes(4 * BLOB_PART_BYTES)
    await scene.journal.close()


async def test_a_damaged_big_value_is_told_when_it_is_read() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    blob = await scene.journal.write_blob(b"v" * 300)
    await scene.journal.append(put(1, content=blob))
    await scene.journal.close()
    start = blob.offsets[0]
    for byte in range(start, start + 128 + 384):
        data = bytearray(disk.content(PATH))
        data[byte] ^= 1
        disk.put(PATH, bytes(data))
        with pytest.raises(Damaged):
            Scene(disk.kill()).journal.read_blob(blob)
        data[byte] ^= 1
        disk.put(PATH, bytes(data))


async def test_a_reference_that_does_not_fit_is_damage() -> None:
    scene = await filled(SimulatedDisk(), 1)
    blob = await scene.journal.write_blob(b"v" * 300)
    other = await scene.journal.write_blob(b"w" * 300)
    for wrong in (
        replace(blob, offsets=other.offsets),
        replace(blob, offsets=blob.offsets * 2),
        replace(blob, offsets=(8192,)),  # a frame, but of changes
        replace(blob, offsets=(1 << 40,)),
        replace(blob, offsets=()),
        replace(blob, length=299),
        replace(blob, digest=bytes(32)),
    ):
        with pytest.raises(Damaged):
            scene.journal.read_blob(wrong)
    await scene.journal.close()


async def test_a_disk_that_cannot_be_read_is_told_as_such() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    blob = await scene.journal.write_blob(b"v" * 300)
    disk.failing[len(disk.calls)] = 5
    with pytest.raises(InputOutputFailed):
        scene.journal.read_blob(blob)
    await scene.journal.close()


async def test_recovery_does_not_read_the_big_values() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    for _ in range(30):
        await scene.journal.write_blob(bytes(BLOB_PART_BYTES))
    await scene.journal.append(put(1))
    await scene.journal.close()
    before = disk.bytes_read
    assert len(Scene(disk).book.jobs) == 1
    assert disk.bytes_read - before < 5 * BLOB_PART_BYTES

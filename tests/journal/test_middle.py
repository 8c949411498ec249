"""A frame that lacks sectors is torn only where the file ends."""

from tests.journal.scenes import PATH, filled, put
from tests.journal.test_recovery import frames_of, refuses, with_file, without_anchor
from tests.support.disk import SECTOR, SimulatedDisk


async def test_a_frame_that_lacks_a_sector_is_damage_when_another_frame_follows() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 1)
    start = scene.journal.size
    await scene.journal.append(put(1, content=b"1" * 3000))
    await scene.journal.append(put(2))
    left = without_anchor(disk)
    await scene.journal.close()
    data = bytearray(left.content(PATH))
    lost = (start // SECTOR + 2) * SECTOR
    data[lost : lost + SECTOR] = bytes(SECTOR)
    refuses(with_file(left, bytes(data)), f"bad bytes at offset {start}", f"offset {frames_of(data)[-1]}")

"""The recovery table, a test per row."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from jobengine.errors import Damaged, Locked, WrongSecret
from jobengine.journal.frame import HEAD_BYTES, MAGIC
from jobengine.journal.header import FRAMES_START
from jobengine.journal.journal import Journal
from tests.journal.scenes import (
    ANCHOR,
    NEW,
    OTHER_SECRET,
    PATH,
    SECRET,
    WALL_MS,
    Scene,
    disk_with,
    filled,
    put,
)
from tests.support.disk import SECTOR, SimulatedDisk

TORN = Path(f"{PATH}.torn-{WALL_MS}")


def frames_of(data: bytes) -> list[int]:
    """The offsets of all frames."""
    return [offset for offset in range(FRAMES_START, len(data), 128) if data[offset:].startswith(MAGIC)]


def flipped(data: bytes, at: int) -> bytes:
    """The same bytes but for one."""
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def with_file(
    disk: SimulatedDisk, data: bytes, *, anchor: bytes | None = None, boot: int | None = None
) -> SimulatedDisk:
    """The same disk with another database file, another anchor, or after another boot."""
    changed = disk.kill()
    changed.put(PATH, data)
    if anchor is not None:
        changed.put(ANCHOR, anchor)
    changed.boot = disk.boot if boot is None else boot
    return changed


def without_anchor(disk: SimulatedDisk) -> SimulatedDisk:
    changed = disk.kill()
    del changed.files[ANCHOR]
    return changed


def refuses(disk: SimulatedDisk, *words: str) -> None:
    """The file is refused in these words, and nothing is changed."""
    before = {path: disk.content(path) for path in (PATH, ANCHOR) if path in disk.files}
    with pytest.raises(Damaged) as refusal:
        Scene(disk)
    for word in words:
        assert word in refusal.value.detail
    assert {path: disk.content(path) for path in (PATH, ANCHOR) if path in disk.files} == before
    assert not [path for path in disk.files if "torn" in path.name]


async def with_unacknowledged_frame(size: int = 3000) -> tuple[SimulatedDisk, bytes, int]:
    """A disk killed between the write of a frame and its sync: the anchor does not know of it."""
    disk = SimulatedDisk()
    scene = await filled(disk)
    anchor, start = disk.content(ANCHOR), scene.journal.size
    await scene.journal.append(put(9, content=b"9" * size))
    left = disk.kill()
    left.put(ANCHOR, anchor)
    await scene.journal.close()
    return left, left.content(PATH), start


# --- fine ---


async def test_a_sealed_file_is_fine() -> None:
    scene = Scene(await disk_with(3, sealed=True))
    assert scene.warnings == ()
    assert len(scene.book.jobs) == 3
    assert scene.journal.report.records == 4


async def test_a_file_whose_process_was_killed_is_fine() -> None:
    scene = Scene(await disk_with(3))
    assert scene.warnings == ()
    assert len(scene.book.jobs) == 3


async def test_a_missing_file_is_made() -> None:
    disk = SimulatedDisk()
    scene = Scene(disk)
    assert scene.journal.report.made
    assert scene.warnings == ()
    assert len(disk.content(PATH)) == FRAMES_START
    assert NEW not in disk.files


async def test_a_missing_anchor_is_made_with_a_warning() -> None:
    disk = without_anchor(await disk_with(3))
    scene = Scene(disk)
    assert len(scene.book.jobs) == 3
    assert "anchor" in scene.warnings[0]
    assert Scene(disk.kill()).warnings == ()


async def test_a_damaged_anchor_is_made_anew_with_a_warning() -> None:
    disk = await disk_with(3)
    disk.put(ANCHOR, b"?" * 128)
    assert "anchor" in Scene(disk).warnings[0]


async def test_an_older_anchor_of_the_same_file_is_fine() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    older = disk.content(ANCHOR)
    await scene.journal.append(put(1))
    left = disk.kill()
    left.put(ANCHOR, older)
    await scene.journal.close()
    assert Scene(left).warnings == ()


async def test_a_frame_that_was_written_and_never_acknowledged_is_there_whole() -> None:
    disk, _, _ = await with_unacknowledged_frame()
    assert len(Scene(disk).book.jobs) == 4


async def test_the_last_frame_is_written_again_and_synced_when_there_is_no_seal() -> None:
    disk = await disk_with(3)
    calls = len(disk.calls)
    file, durable = disk.files[PATH], disk.content(PATH)
    file.durable = file.durable[: frames_of(durable)[-1]]  # the page cache shows what the disk does not hold
    Scene(disk)
    assert file.durable == durable
    assert disk.calls[calls:].count("sync") == 2  # the frame, the anchor


async def test_a_seal_that_may_not_be_on_disk_is_written_again() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    disk.history = []
    await scene.journal.close()
    killed = disk.history[0]  # between the write of the seal and its sync
    Scene(killed)
    assert killed.files[PATH].durable == disk.content(PATH)


async def test_nothing_is_written_again_after_a_clean_stop() -> None:
    disk = await disk_with(3, sealed=True)
    Scene(disk)
    assert disk.calls.count("sync") == 1  # the anchor


# --- acknowledged data is missing ---


async def test_a_file_without_its_newest_commits_is_refused() -> None:
    disk = await disk_with(3)
    data = disk.content(PATH)
    refuses(with_file(disk, data[: frames_of(data)[-2]]), "2 acknowledged commits are missing", "db restore")


async def test_an_older_copy_of_the_file_is_refused() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 1)
    older = disk.content(PATH)
    await scene.journal.append(put(7))
    await scene.journal.close()
    refuses(with_file(disk, older), "2 acknowledged commits are missing")


async def test_a_torn_tail_that_was_acknowledged_is_refused() -> None:
    disk = await disk_with(3)
    refuses(
        with_file(disk, disk.content(PATH)[:-1]), "1 acknowledged commits are missing", "bad bytes at offset"
    )


async def test_a_file_beside_the_anchor_of_another_is_refused() -> None:
    disk, other = await disk_with(3), await disk_with(3)
    refuses(with_file(disk, disk.content(PATH), anchor=other.content(ANCHOR)), "another file")


async def test_a_file_that_is_gone_while_its_anchor_is_there_is_refused() -> None:
    disk = await disk_with(3)
    del disk.files[PATH]
    refuses(disk, "not there", "anchor")
    assert PATH not in disk.files


# --- damaged middle ---


async def test_bad_bytes_before_an_authentic_frame_are_refused() -> None:
    disk = without_anchor(await disk_with(3))
    data = bytearray(disk.content(PATH))
    offsets = frames_of(data)
    data[offsets[1] + HEAD_BYTES + 3] ^= 1
    refuses(
        with_file(disk, bytes(data)),
        f"bad bytes at offset {offsets[1]}",
        f"{offsets[2] - offsets[1]} of them",
        f"goes on at offset {offsets[2]} with commit 3",
        "db repair",
    )


async def test_a_zero_sector_before_an_authentic_frame_is_refused() -> None:
    disk = without_anchor(await disk_with(3))
    data = bytearray(disk.content(PATH))
    start = frames_of(data)[1]
    data[start : start + HEAD_BYTES] = bytes(HEAD_BYTES)
    refuses(with_file(disk, bytes(data)), "bad bytes", "goes on at offset")


@pytest.mark.parametrize("distance", [4 * 1024 * 1024, 20 * 1024 * 1024])
async def test_an_authentic_frame_is_found_however_far_on_it_lies(distance: int) -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 1)
    await scene.journal.append(put(1, content=bytes(distance)))
    await scene.journal.append(put(2))
    left = without_anchor(disk)
    await scene.journal.close()
    data = bytearray(left.content(PATH))
    bad = frames_of(data[: FRAMES_START + 4096])[-1]
    data[bad : bad + HEAD_BYTES] = MAGIC * 32
    refuses(with_file(left, bytes(data)), "goes on at offset", "with commit 4")


@pytest.mark.parametrize("swap", [(0, 1), (1, 2), (0, 2)])
async def test_swapped_frames_are_refused(swap: tuple[int, int]) -> None:
    disk = without_anchor(await disk_with(4))
    data = disk.content(PATH)
    offsets = [*frames_of(data)[1:], len(data)]
    frames = [data[start:stop] for start, stop in pairwise(offsets)]
    one, two = swap
    frames[one], frames[two] = frames[two], frames[one]
    refuses(with_file(disk, data[: offsets[0]] + b"".join(frames)), "bad bytes")


async def test_a_repeated_frame_is_refused() -> None:
    disk = without_anchor(await disk_with(3))
    data = disk.content(PATH)
    last = frames_of(data)[-1]
    refuses(with_file(disk, data + data[last:]), f"bad bytes at offset {len(data)}")


async def test_a_frame_taken_out_is_refused() -> None:
    disk = without_anchor(await disk_with(3))
    data = disk.content(PATH)
    _, second, third, *_ = frames_of(data)
    refuses(with_file(disk, data[:second] + data[third:]), f"bad bytes at offset {second}")


async def test_a_frame_of_a_parallel_history_is_refused() -> None:
    """Two copies of one file went on apart; a frame of one stands in the other, where its offset fits."""
    disk = await disk_with(1)
    histories = []
    for number in (7, 8):
        copy = disk.kill()
        scene = Scene(copy).start()
        for arrival in range(2):
            await scene.journal.append(put(number * 10 + arrival))
        histories.append(copy.content(PATH))
        await scene.journal.close()
    one, other = histories
    assert len(one) == len(other)
    last = frames_of(one)[-1]
    refuses(with_file(without_anchor(disk), one[:last] + other[last:]), "bad bytes")


# --- torn ---


async def test_a_torn_tail_is_cut_and_kept_aside() -> None:
    disk, data, start = await with_unacknowledged_frame()
    torn = with_file(disk, data[: start + 700], boot=2)
    scene = Scene(torn)
    assert len(scene.book.jobs) == 3
    assert torn.content(PATH) == data[:start] == torn.files[PATH].durable
    assert torn.content(TORN) == data[start : start + 700] == torn.files[TORN].durable
    assert scene.journal.report.torn_bytes == 700
    assert TORN.name in scene.warnings[0]
    assert len(Scene(torn.crash(Random(1))).book.jobs) == 3


@pytest.mark.parametrize("length", [1, 50, 127])
async def test_a_head_that_is_cut_short_is_torn(length: int) -> None:
    disk, data, start = await with_unacknowledged_frame()
    assert len(Scene(with_file(disk, data[: start + length], boot=2)).book.jobs) == 3


async def test_a_frame_that_lacks_a_sector_is_torn() -> None:
    disk, data, start = await with_unacknowledged_frame()
    first = (start // SECTOR + 1) * SECTOR
    for sector in range(first, len(data), SECTOR):
        torn = data[:sector] + bytes(len(data[sector : sector + SECTOR])) + data[sector + SECTOR :]
        assert len(Scene(with_file(disk, torn, boot=2)).book.jobs) == 3, sector


async def test_a_frame_that_lacks_the_sector_of_its_head_is_torn() -> None:
    disk, data, start = await with_unacknowledged_frame()
    end = (start // SECTOR + 1) * SECTOR
    torn = data[:start] + bytes(end - start) + data[end:]
    assert len(Scene(with_file(disk, torn, boot=2)).book.jobs) == 3


async def test_a_big_value_that_lacks_a_sector_is_torn() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    anchor, start = disk.content(ANCHOR), scene.journal.size
    await scene.journal.write_blob(b"9" * 3000)
    data = bytearray(disk.content(PATH))
    await scene.journal.close()
    data[start + 1024 : start + 2048] = bytes(1024)
    torn = Scene(with_file(disk, bytes(data), anchor=anchor, boot=2))
    assert torn.journal.report.torn_bytes == len(data) - start
    assert len(torn.book.jobs) == 3


async def test_bad_bytes_behind_the_anchor_of_the_same_boot_are_torn() -> None:
    disk, data, start = await with_unacknowledged_frame()
    bad = flipped(data, start + 900)
    scene = Scene(with_file(disk, bad))
    assert len(scene.book.jobs) == 3
    assert scene.journal.report.torn_bytes == len(data) - start


async def test_a_journal_goes_on_behind_a_torn_tail() -> None:
    disk, data, start = await with_unacknowledged_frame()
    torn = with_file(disk, data[: start + 700])
    scene = Scene(torn).start()
    await scene.journal.append(put(20))
    await scene.journal.close()
    assert len(Scene(torn.kill()).book.jobs) == 4


# --- damaged end ---


async def test_bad_bytes_at_the_end_after_another_boot_are_refused() -> None:
    disk, data, start = await with_unacknowledged_frame()
    bad = flipped(data, start + 900)
    refuses(with_file(disk, bad, boot=2), f"bad bytes at offset {start}", "up to the end")


async def test_bad_bytes_at_the_end_without_an_anchor_are_refused() -> None:
    disk, data, start = await with_unacknowledged_frame()
    bad = flipped(data, start + 900)
    refuses(with_file(without_anchor(disk), bad), f"bad bytes at offset {start}")


async def test_bad_bytes_at_the_end_behind_commits_that_the_anchor_does_not_know_are_refused() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    anchor = disk.content(ANCHOR)
    for number in (8, 9):
        await scene.journal.append(put(number))
    left = disk.kill()
    await scene.journal.close()
    data = bytearray(left.content(PATH))
    data[-200] ^= 1
    refuses(with_file(left, bytes(data), anchor=anchor), "bad bytes", "up to the end")


# --- the header, the key, the lock ---


async def test_one_damaged_copy_of_the_header_is_mended_with_a_warning() -> None:
    for offset in (100, 4096 + 100):
        disk = await disk_with(3)
        data = bytearray(disk.content(PATH))
        data[offset] ^= 1
        changed = with_file(disk, bytes(data))
        scene = Scene(changed)
        assert len(scene.book.jobs) == 3
        assert "header" in scene.warnings[0]
        assert changed.files[PATH].durable == disk.content(PATH)


async def test_a_damaged_header_is_refused() -> None:
    disk = await disk_with(3)
    data = bytearray(disk.content(PATH))
    data[100] ^= 1
    data[4096 + 100] ^= 1
    refuses(with_file(disk, bytes(data)), "header")


async def test_a_newer_major_version_is_refused_and_nothing_written() -> None:
    disk = await disk_with(3)
    data = bytearray(disk.content(PATH))
    data[8] = data[4096 + 8] = 2
    changed = with_file(disk, bytes(data))
    refuses(changed, "format 2")
    assert "sync" not in changed.calls


async def test_a_wrong_secret_is_told_from_damage() -> None:
    disk = await disk_with(3)
    before = disk.content(PATH)
    with pytest.raises(WrongSecret):
        Scene(disk, secret=OTHER_SECRET)
    assert disk.content(PATH) == before
    assert len(Scene(disk).book.jobs) == 3


async def test_a_second_process_is_refused_and_told_who_has_the_file() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    with pytest.raises(Locked, match=r"pid \d+"):
        Scene(disk)
    await scene.journal.append(put(9))
    await scene.journal.close()
    assert len(Scene(disk).book.jobs) == 4


# --- after a failed sync ---


async def test_after_a_failed_sync_the_file_is_copied_to_a_new_place() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    disk.failing[len(disk.calls) + 1] = 5  # the sync behind the next write
    lost = scene.journal.append(put(9))
    with pytest.raises(Exception, match="nobody knows"):
        await lost
    assert len(scene.failures) == 1
    left = disk.kill()
    await scene.journal.close()
    old = left.files[PATH]
    again = Scene(left)
    assert left.files[PATH] is not old
    assert left.files[PATH].durable == left.content(PATH) == bytes(old.seen)
    assert "sync had failed" in again.warnings[0]
    assert len(again.book.jobs) == 4  # it is there whole
    assert NEW not in left.files
    assert len(Scene(left.crash(Random(1), keep=0)).book.jobs) == 4


async def test_a_frame_that_makes_no_sense_is_damage() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    scene.journal._volume.encoder.encode = lambda changes: b"\xc1"  # type: ignore[method-assign]
    await scene.journal.append(put(9))
    left = disk.kill()
    await scene.journal.close()
    refuses(left, "frame 5", "do not make sense")


async def test_replaying_hands_over_each_frame_as_it_was_written() -> None:
    disk = await disk_with(2)
    batches: list[int] = []
    Journal.open(PATH, SECRET, replay=lambda changes: batches.append(len(changes)), files=disk)
    assert batches == [1, 1, 1]


async def test_damage_in_the_middle_is_not_called_an_older_copy() -> None:
    disk = await disk_with(2)
    disk.put(PATH, flipped(disk.content(PATH), FRAMES_START + 5))
    with pytest.raises(Damaged) as refusal:
        Scene(disk)
    assert refusal.value.detail.startswith("the database file is not whole: bad bytes at offset 8192")
    assert "1970" not in refusal.value.detail
    assert "restore" not in refusal.value.detail

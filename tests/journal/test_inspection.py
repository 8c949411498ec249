"""Reading a whole file: nothing that is wrong passes in silence, and what is wrong is said exactly."""

import pytest
from msgspec.structs import replace

from jobengine.errors import Damaged
from jobengine.journal.frame import FrameType
from jobengine.journal.header import FRAMES_START
from jobengine.journal.inspection import Damage, Inspection, changes_in
from jobengine.journal.verification import FindingKind, Verifier
from tests.journal.damage import damaged, heads, looked_at, rich_disk, verified
from tests.journal.scenes import ANCHOR, PATH, Scene, disk_with, filled, job, put
from tests.support.disk import SimulatedDisk


async def test_a_whole_file_is_found_whole() -> None:
    disk = await rich_disk()
    found = verified(disk)
    assert found.findings == ()
    assert (found.torn_bytes, found.has_anchor) == (0, True)
    kinds = {head.type for head in heads(disk)}
    assert kinds == set(FrameType)


async def test_verifying_changes_nothing_and_takes_no_lock() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    before = dict(disk.files)
    calls = len(disk.calls)
    assert verified(disk).findings == ()
    assert set(disk.calls[calls:]) <= {"open", "read", "size", "exists"}
    assert disk.files == before
    await scene.journal.close()


async def test_a_flipped_byte_is_found_wherever_it_is() -> None:
    disk = await disk_with(2, sealed=True)
    for byte in (*range(0, FRAMES_START, 29), *range(FRAMES_START, len(disk.content(PATH)))):
        found = verified(damaged(disk, byte))
        assert found.findings or found.torn_bytes, byte


async def test_a_damaged_frame_in_the_middle_is_named_by_its_bytes_and_commits() -> None:
    disk = await rich_disk()
    for before, frame, behind in zip(*[heads(disk)[start:] for start in range(3)], strict=False):
        for byte in (frame.offset, frame.offset + 100, frame.end - 1):
            damages = [
                each for each in verified(damaged(disk, byte)).findings if each.kind == "damaged_middle"
            ]
            (found,) = damages
            assert (found.offset, found.end) == (frame.offset, frame.end), byte
            assert (found.sequence_before, found.sequence_behind) == (before.sequence, behind.sequence)


async def test_damage_at_several_places_is_all_found() -> None:
    disk = await disk_with(9)
    frames = heads(disk)
    changed = damaged(disk, frames[2].offset, frames[5].end - 1, frames[6].offset + 130)
    with looked_at(changed) as read:
        inspection = Inspection(read)
        kept = [head.sequence for head, _ in inspection.frames()]
    assert kept == [1, 2, 4, 5, 8, 9, 10]
    assert inspection.damages == [
        Damage(frames[2].offset, frames[2].end, 2, 4),
        Damage(frames[5].offset, frames[6].end, 5, 8),
    ]
    assert [damage.missing for damage in inspection.damages] == [1, 2]


async def test_a_damaged_big_value_names_its_job() -> None:
    disk = await rich_disk()
    blob = next(head for head in heads(disk) if head.type == FrameType.BLOB)
    findings = verified(damaged(disk, blob.offset + 5000)).findings
    assert [finding.kind for finding in findings] == [FindingKind.MIDDLE, FindingKind.BIG_VALUE]
    assert findings[1].uid == "00000000-0000-7000-8000-000000000007"


async def test_a_damaged_copy_of_the_header_is_found() -> None:
    disk = await disk_with(1)
    assert [each.offset for each in verified(damaged(disk, 20)).findings] == [0]
    assert [each.offset for each in verified(damaged(disk, 4096 + 700)).findings] == [4096]


async def test_a_torn_tail_is_no_damage() -> None:
    disk = await disk_with(3)
    torn = disk.kill()
    torn.put(PATH, disk.content(PATH) + disk.content(PATH)[8192 : 8192 + 100])
    found = verified(torn)
    assert (found.findings, found.torn_bytes) == ((), 100)


async def test_bad_bytes_at_the_end_that_were_acknowledged_are_damage() -> None:
    disk = await disk_with(3)
    last = heads(disk)[-1]
    findings = verified(damaged(disk, last.offset + 140)).findings
    assert [each.kind for each in findings] == [FindingKind.END, FindingKind.MISSING]
    assert (findings[0].offset, findings[0].end) == (last.offset, last.end)


async def test_what_is_being_written_is_looked_at_again() -> None:
    disk = await disk_with(3)
    whole = disk.content(PATH)
    torn = disk.kill()
    torn.put(PATH, whole[:-200])
    with looked_at(torn) as read:

        def goes_on() -> None:
            torn.files[PATH].seen[:] = whole

        found = Verifier(replace(read, pause=goes_on)).run()
    assert (found.findings, found.torn_bytes, found.sequence) == ((), 0, 4)


async def test_missing_commits_are_counted() -> None:
    disk = await disk_with(3)
    cut = disk.kill()
    cut.put(PATH, disk.content(PATH)[: heads(disk)[1].end])
    (finding,) = verified(cut).findings
    assert finding.kind is FindingKind.MISSING
    assert finding.detail.startswith("2 acknowledged commits")


async def test_a_foreign_anchor_is_found_and_a_missing_one_only_mentioned() -> None:
    disk, other = await disk_with(1), await disk_with(1)
    foreign = disk.kill()
    foreign.put(ANCHOR, other.content(ANCHOR))
    assert [each.kind for each in verified(foreign).findings] == [FindingKind.ANCHOR]
    del foreign.files[ANCHOR]
    assert (verified(foreign).findings, verified(foreign).has_anchor) == ((), False)


async def test_a_file_that_a_compaction_replaces_meanwhile_is_read_to_its_end() -> None:
    disk = await rich_disk(sealed=False)
    with looked_at(disk) as read:
        successor = await disk_with(1)
        disk.files[PATH] = successor.files[PATH]
        disk.put(ANCHOR, successor.content(ANCHOR))
        mark = replace(read.mark, file_id=bytes(16)) if read.mark else None
        assert Verifier(replace(read, mark=mark)).run().findings == ()


async def test_a_repeated_or_swapped_frame_is_damage() -> None:
    disk = await disk_with(4)
    frames, data = heads(disk), disk.content(PATH)
    first, second = frames[1], frames[2]
    assert first.end - first.offset == second.end - second.offset
    repeated = disk.kill()
    repeated.put(PATH, data[: second.offset] + data[first.offset : first.end] + data[second.end :])
    (finding,) = verified(repeated).findings
    assert (finding.kind, finding.offset, finding.end) == (FindingKind.MIDDLE, second.offset, second.end)


async def test_changes_are_read_up_to_damage_and_not_over_it() -> None:
    disk = await disk_with(4)
    with looked_at(disk) as read:
        assert sum(len(changes) for _, changes in changes_in(read)) == 5
    with looked_at(damaged(disk, heads(disk)[2].offset)) as read, pytest.raises(Damaged):
        list(changes_in(read))


async def test_a_job_is_named_when_nothing_of_its_big_value_is_left() -> None:
    disk = await rich_disk()
    blobs = [head.offset for head in heads(disk) if head.type == FrameType.BLOB]
    findings = verified(damaged(disk, *blobs)).findings
    assert [each.uid for each in findings if each.kind is FindingKind.BIG_VALUE] == [job(7).uid]


async def test_frames_of_an_earlier_time_behind_newer_ones_are_damage() -> None:
    disk = await disk_with(1)
    first, small = heads(disk)[0].end, heads(disk)[1].end - heads(disk)[1].offset
    left, before = disk.kill(), disk.kill()
    newer = Scene(left).start()
    for number in range(1, 5):
        await newer.journal.append(put(number))
    await newer.journal.close()
    scene = Scene(before).start()
    await scene.journal.append(put(1, content=b"x" * (len(b'{"n": 1}') + 3 * small)))
    await scene.journal.append(put(2))
    await scene.journal.append(put(3))
    await scene.journal.close()
    end = heads(left)[-2].end
    assert end == first + 5 * small == heads(before)[2].end
    left.put(PATH, left.content(PATH)[:end] + before.content(PATH)[end:])
    with looked_at(left) as read:
        inspection = Inspection(read)
        assert [head.sequence for head, _ in inspection.frames()] == [1, 2, 3, 4, 5, 6]
    assert inspection.tail is not None

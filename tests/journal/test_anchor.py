"""The anchor: what it says is believed only when it is whole."""

from jobengine.journal.anchor import Anchor, Mark
from tests.journal.scenes import ANCHOR
from tests.support.disk import SimulatedDisk

FILE_ID = b"i" * 16
KEY = b"k" * 32
MARK = Mark(FILE_ID, sequence=7, end=9000, time=1234, boot_id=b"b" * 16, failed=True)


def anchor(disk: SimulatedDisk, *, file_id: bytes = FILE_ID, key: bytes = KEY) -> Anchor:
    return Anchor(disk, ANCHOR, file_id=file_id, key=key)


def test_an_anchor_says_what_was_written() -> None:
    disk = SimulatedDisk()
    anchor(disk).establish(MARK)
    assert anchor(disk).read() == MARK
    assert len(disk.content(ANCHOR)) == 128


def test_there_may_be_none() -> None:
    assert anchor(SimulatedDisk()).read() is None


def test_an_anchor_is_on_disk_once_it_is_established() -> None:
    disk = SimulatedDisk()
    anchor(disk).establish(MARK)
    assert disk.files[ANCHOR].durable == MARK.pack(KEY)
    assert disk.calls[-1] == "sync_directory"


def test_an_anchor_is_synced_only_when_something_was_written() -> None:
    disk = SimulatedDisk()
    established = anchor(disk)
    established.establish(MARK)
    calls = len(disk.calls)
    established.sync()
    assert len(disk.calls) == calls
    established.write(MARK)
    established.sync()
    assert disk.calls[calls:] == ["write", "sync"]


def test_any_flipped_bit_makes_an_anchor_unreadable() -> None:
    for bit in range(128 * 8):
        data = bytearray(MARK.pack(KEY))
        data[bit // 8] ^= 1 << bit % 8
        disk = SimulatedDisk()
        disk.put(ANCHOR, bytes(data))
        assert anchor(disk).read() is None, bit


def test_any_other_length_makes_an_anchor_unreadable() -> None:
    for data in (b"", MARK.pack(KEY)[:127]):
        disk = SimulatedDisk()
        disk.put(ANCHOR, data)
        assert anchor(disk).read() is None


def test_a_forged_anchor_is_not_believed() -> None:
    disk = SimulatedDisk()
    disk.put(ANCHOR, MARK.pack(b"f" * 32))
    assert anchor(disk).read() is None


def test_the_anchor_of_another_file_is_told_as_it_stands() -> None:
    disk = SimulatedDisk()
    disk.put(ANCHOR, MARK.pack(KEY))
    assert anchor(disk, file_id=b"o" * 16, key=b"o" * 32).read() == MARK

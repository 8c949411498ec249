"""The header: two copies, and what is said of damaged ones."""

import hashlib

import pytest

from jobengine.errors import Damaged, WrongSecret
from jobengine.journal.header import COPY_BYTES, FRAMES_START, Header, read_header
from jobengine.journal.keys import Kdf, Secret
from tests.journal.scenes import OTHER_SECRET, SECRET

HEADER = Header.make(SECRET, created=17)
BOTH = HEADER.pack() * 2


def changed(offset: int, new: bytes) -> bytes:
    """A copy of the header with these bytes in it, and a right SHA-256."""
    copy = bytearray(HEADER.pack())
    copy[offset : offset + len(new)] = new
    copy[480:512] = hashlib.sha256(copy[:480]).digest()
    return bytes(copy)


def test_a_header_comes_back_as_it_was() -> None:
    assert len(BOTH) == FRAMES_START
    assert read_header(BOTH) == (HEADER, {})


def test_a_header_opens_with_its_secret_and_no_other() -> None:
    assert HEADER.unlock(SECRET) == HEADER.unlock(Secret.parse("hex:" + "5c" * 32))
    with pytest.raises(WrongSecret):
        HEADER.unlock(OTHER_SECRET)


def test_a_passphrase_opens_its_header() -> None:
    cheap = Secret(b"correct horse", Kdf(scrypt=1, log2_n=10, r=1, p=1))
    header, _ = read_header(Header.make(cheap, created=0).pack() * 2)
    assert header.unlock(Secret.parse("correct horse")) == header.unlock(cheap)
    with pytest.raises(WrongSecret):
        header.unlock(Secret.parse("battery staple"))


def test_each_file_has_its_own_id_key_and_salt() -> None:
    other = Header.make(SECRET, created=17)
    assert other.file_id != HEADER.file_id
    assert other.salt != HEADER.salt
    assert other.unlock(SECRET).body != HEADER.unlock(SECRET).body


def test_a_successor_has_a_new_key_and_names_its_parent() -> None:
    successor = HEADER.successor(SECRET, created=18, sequence=5)
    assert (successor.parent.file_id, successor.parent.sequence) == (HEADER.file_id, 5)
    assert successor.file_id != HEADER.file_id
    assert successor.unlock(SECRET).body != HEADER.unlock(SECRET).body
    assert successor.first_place.sequence == 5
    assert not HEADER.parent.known
    assert successor.parent.known


@pytest.mark.parametrize("copy", [0, 1])
def test_any_flipped_bit_in_one_copy_is_mended_from_the_other(copy: int) -> None:
    for bit in range(COPY_BYTES * 8):
        data = bytearray(BOTH)
        data[copy * COPY_BYTES + bit // 8] ^= 1 << bit % 8
        header, mends = read_header(bytes(data))
        assert header == HEADER, bit
        assert mends == {copy * COPY_BYTES: HEADER.pack()}, bit


def test_two_damaged_copies_are_refused() -> None:
    data = bytearray(BOTH)
    data[100] ^= 1
    data[COPY_BYTES + 200] ^= 1
    with pytest.raises(Damaged, match="both copies"):
        read_header(bytes(data))


def test_two_headers_that_differ_are_refused() -> None:
    with pytest.raises(Damaged, match="differ"):
        read_header(HEADER.pack() + Header.make(SECRET, created=17).pack())


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0" + bytes(9000), BOTH[:511]])
def test_what_is_no_database_file_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged, match="not a database file"):
        read_header(data)


def test_a_file_cut_off_in_its_second_header_is_known() -> None:
    header, mends = read_header(BOTH[: COPY_BYTES + 99])
    assert header == HEADER
    assert list(mends) == [COPY_BYTES]


def test_a_newer_major_version_is_refused_as_such() -> None:
    with pytest.raises(Damaged, match="format 2"):
        read_header(changed(8, b"\x02\0") * 2)


def test_a_newer_minor_version_is_read() -> None:
    header, mends = read_header(changed(10, b"\x01\0") * 2)
    assert header.minor == 1
    assert not mends
    assert header.pack() == changed(10, b"\x01\0")


def test_parameters_of_the_derivation_out_of_bounds_are_refused() -> None:
    with pytest.raises(Damaged, match="out of bounds"):
        read_header(changed(12, bytes((1, 63, 8, 1))) * 2)


@pytest.mark.parametrize("offset", [16, 40, 48, 56, 70, 100, 130, 160])
def test_a_forged_header_does_not_open(offset: int) -> None:
    forged, _ = read_header(changed(offset, bytes((HEADER.pack()[offset] ^ 1,))) * 2)
    with pytest.raises(WrongSecret):
        forged.unlock(SECRET)


def test_a_data_key_without_the_right_commitment_does_not_open() -> None:
    forged, _ = read_header(changed(170, b"another commitment") * 2)
    with pytest.raises(WrongSecret, match="another key"):
        forged.unlock(SECRET)


def test_the_first_frame_depends_on_the_header() -> None:
    tags = {HEADER.first_place.tag, Header.make(SECRET, created=17).first_place.tag}
    assert len(tags) == 2

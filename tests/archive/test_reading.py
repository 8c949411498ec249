"""Archives from strangers: each hostile kind is refused, and nothing is written outside."""

import contextlib
import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.archive.limits import ArchiveLimits
from jobengine.archive.reading import Archive
from jobengine.errors import ArchiveRefused

LIMITS = ArchiveLimits(bytes=100_000, unpacked_bytes=200_000, entries=20)


def zipped(*entries: tuple[str, bytes], mode: int = stat.S_IFREG | 0o644, comment: bytes = b"") -> bytes:
    """An archive of these files, each with this mode."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, content in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return file.getvalue()


def unpacked(data: bytes, directory: Path) -> dict[str, bytes]:
    """All files that come of it."""
    Archive(data, LIMITS).unpack(directory)
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    data = zipped(("run.sh", b"echo hi"), ("input/a.txt", b"a" * 500), ("input/deep/b", b""), comment=b"mine")
    assert unpacked(data, tmp_path) == {"run.sh": b"echo hi", "input/a.txt": b"a" * 500, "input/deep/b": b""}


def test_an_empty_directory_comes_out(tmp_path: Path) -> None:
    unpacked(zipped(("run.sh", b""), ("results/", b"")), tmp_path)
    assert (tmp_path / "results").is_dir()


def test_what_may_be_executed_stays_so_and_is_nobody_elses(tmp_path: Path) -> None:
    unpacked(
        zipped(
            (
                "run.sh",
                b"",
            ),
            mode=stat.S_IFREG | stat.S_ISUID | 0o777,
        ),
        tmp_path,
    )
    assert stat.S_IMODE((tmp_path / "run.sh").stat().st_mode) == 0o700


def test_it_tells_which_files_are_at_its_top() -> None:
    archive = Archive(zipped(("run.sh", b""), ("deep/other.sh", b""), ("folder/", b"")), LIMITS)
    assert "run.sh" in archive
    assert "other.sh" not in archive
    assert "folder" not in archive


def test_an_archive_that_was_written_as_it_came_is_read(tmp_path: Path) -> None:
    class Stream(io.RawIOBase):
        """Cannot go back, so that sums and sizes stand behind the data."""

        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.written += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"one")
        archive.writestr("b", b"two")
    assert unpacked(bytes(stream.written), tmp_path) == {"a": b"one", "b": b"two"}


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../out",
        "a/../../out",
        "a/./b",
        "a//b",
        "..",
        ".",
        "C:/out",
        "c:out",
        "a\\..\\out",
        "a\nb",
        "a/..",
        "a" * 300,
        "b/" * 600 + "b",
        "a\x7fb",
        "a/" * 65 + "b",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    with pytest.raises(ArchiveRefused):
        unpacked(zipped((name, b"x")), inside)
    assert list(tmp_path.rglob("*")) == [inside]


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK], ids=stat.filemode
)
def test_links_and_devices_are_refused(kind: int) -> None:
    with pytest.raises(ArchiveRefused, match="link or a device"):
        Archive(zipped(("a", b"/etc/passwd"), mode=kind | 0o777), LIMITS)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.raises(ArchiveRefused, match="same name"):
        Archive(zipped(("run.sh", b"one"), ("run.sh", b"two")), LIMITS)


@pytest.mark.parametrize("names", [("a", "a/"), ("a/", "a"), ("a", "a/b"), ("a/b/c", "a/b")])
def test_a_file_that_is_also_a_directory_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(ArchiveRefused):
        Archive(zipped((names[0], b""), (names[1], b"")), LIMITS)


def test_more_entries_than_allowed_are_refused() -> None:
    Archive(zipped(*((f"{number}", b"") for number in range(20))), LIMITS)
    with pytest.raises(ArchiveRefused, match="more than 20 entries"):
        Archive(zipped(*((f"{number}", b"") for number in range(21))), LIMITS)


def test_directories_that_are_only_named_count_too() -> None:
    deep = "b/" * 50
    Archive(zipped(*((f"{number}/{deep}f", b"") for number in range(3))), LIMITS)
    with pytest.raises(ArchiveRefused, match="more than 200 files and directories"):
        Archive(zipped(*((f"{number}/{deep}f", b"") for number in range(4))), LIMITS)


def test_an_end_that_lies_about_the_number_of_entries_does_not_help() -> None:
    data = bytearray(zipped(*((f"{number}", b"") for number in range(21))))
    data[-14:-10] = struct.pack("<HH", 3, 3)
    with pytest.raises(ArchiveRefused):
        Archive(bytes(data), LIMITS)


def test_a_bomb_is_refused() -> None:
    with pytest.raises(ArchiveRefused, match="more than 100 times"):
        Archive(zipped(("zeros", bytes(150_000))), LIMITS)


def test_more_bytes_than_allowed_are_refused() -> None:
    content = (bytes(range(256)) * 4 + bytes(range(255, -1, -1)) * 4) * 30
    with pytest.raises(ArchiveRefused, match="more than 200000 bytes"):
        Archive(zipped(*((f"{number}", content) for number in range(4))), LIMITS)
    with pytest.raises(ArchiveRefused, match="100000 are taken"):
        Archive(bytes(100_001), LIMITS)


def _central(data: bytes, place: int, value: bytes) -> bytes:
    start = data.index(b"PK\1\2") + place
    return data[:start] + value + data[start + len(value) :]


def _local(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value + data[place + len(value) :]


ENTRY = zipped(("run.sh", b"echo hello, hello, hello"))
DAMAGES: dict[str, bytes] = {
    "nothing": b"",
    "not a zip": b"#!/bin/sh\necho hi\n",
    "cut": ENTRY[:-5],
    "something before it": b"MZ" + ENTRY,
    "something behind it": ENTRY + b"x",
    "two ends": ENTRY + ENTRY[-22:],
    "encrypted": _central(ENTRY, 8, b"\1\0"),
    "strongly encrypted": _central(ENTRY, 8, b"\x41\0"),
    "packed by lzma": _central(ENTRY, 10, b"\x0e\0"),
    "another name in its own header": _local(ENTRY, 30, b"RUN"),
    "more bytes than it says": _central(ENTRY, 24, b"\2\0\0\0"),
    "fewer bytes than it says": _central(ENTRY, 24, b"\xff\0\0\0"),
    "another sum": _central(ENTRY, 16, b"\0\0\0\0"),
    "no entry where the directory says": _central(ENTRY, 42, b"\7\0\0\0"),
    "an entry beyond the end": _central(ENTRY, 42, b"\0\0\0\x7f"),
    "reaching into the directory": _central(ENTRY, 20, b"\x60\0\0\0"),
    "a later version": _central(ENTRY, 6, b"\xff\0"),
    "a NUL in a name": ENTRY.replace(b"run.sh", b"run\0sh"),
    "a name that says UTF-8 and is not": _local(_central(ENTRY, 8, b"\0\x08"), 6, b"\0\x08").replace(
        b"run.sh", b"r\xffn.sh"
    ),
    "a name in its own header that says UTF-8 and is not": _local(_local(ENTRY, 6, b"\0\x08"), 30, b"\xff"),
    "damaged data": _local(ENTRY, 36, b"\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("data", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_archive_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused):
        unpacked(data, tmp_path)


def test_entries_that_share_bytes_are_refused() -> None:
    data = zipped(("a", b"x" * 50), ("b", b"x" * 50))
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    data = data[: second + 42] + bytes(4) + data[second + 46 :]
    with pytest.raises(ArchiveRefused, match="share bytes"):
        Archive(data, LIMITS)


def _try(data: bytes, directory: Path) -> None:
    """Unpack it below the directory; whatever comes of it, nothing else may be there."""
    inside = directory / "in"
    inside.mkdir(parents=True)
    with contextlib.suppress(ArchiveRefused):
        unpacked(data, inside)
    assert list(directory.iterdir()) == [inside]


def test_no_flipped_bit_does_more_than_be_refused(tmp_path: Path) -> None:
    for number in range(8 * len(ENTRY)):
        place, bit = divmod(number, 8)
        _try(_local(ENTRY, place, bytes([ENTRY[place] ^ 1 << bit])), tmp_path / f"{number}")


def test_no_cut_archive_is_unpacked(tmp_path: Path) -> None:
    for length in range(len(ENTRY)):
        with pytest.raises(ArchiveRefused):
            unpacked(ENTRY[:length], tmp_path)
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=300))
def test_junk_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        Archive(data, LIMITS)

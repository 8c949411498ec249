"""Base64 from strangers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.archive.base64 import decoded, decoded_pieces, encoded
from jobengine.errors import ArchiveRefused


@given(st.binary(max_size=100))
def test_what_is_written_is_read(value: bytes) -> None:
    assert decoded(encoded(value)) == value


def test_bytes_are_read_as_well_as_text() -> None:
    assert decoded(b"aGk=") == b"hi"


@pytest.mark.parametrize(
    "text",
    [
        "aGk",
        "aGk=!!!",
        "aGk==",
        "aGl=",
        "aG k=",
        "aGk=\n",
        "=aGk",
        "aGk=aGk=",
        "a-_=",
        "é",
        "a",
        "====",
        "\x00",
    ],
)
def test_what_is_not_quite_base64_is_refused(text: str) -> None:
    with pytest.raises(ArchiveRefused, match="not base64"):
        decoded(text)


@pytest.mark.parametrize("count", [0, 1, 200_000, 196_608, 196_609, 393_216])
def test_pieces_are_the_same_as_all_at_once(count: int) -> None:
    value = bytes(range(256)) * (count // 256) + bytes(count % 256)
    assert b"".join(decoded_pieces(memoryview(encoded(value).encode()))) == value


@pytest.mark.parametrize("text", [b"A" * 262_142 + b"==" + b"AAAA", b"A" * 262_145, b"A" * 300_000 + b"AR=="])
def test_pieces_are_read_as_strictly(text: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        list(decoded_pieces(memoryview(text)))

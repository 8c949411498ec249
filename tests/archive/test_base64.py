"""Base64 from strangers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.archive.base64 import decoded, encoded
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

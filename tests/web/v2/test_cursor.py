"""Cursors: opaque, and good for what they were given for only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.errors import ValidationFailed
from jobengine.web.v2.cursor import Cursor

WISH = ("mail", ("queued",), "priority > 5")


@given(st.integers(0, 2**63), st.integers(0, 2**52))
def test_a_cursor_is_read_as_it_was_written(after: int, before: int) -> None:
    assert Cursor.read(Cursor(after, before).text(*WISH), *WISH) == Cursor(after, before)


def test_without_one_it_is_the_start() -> None:
    assert Cursor.read(None, *WISH) == Cursor(-1, 0)


@given(st.text(max_size=80))
def test_junk_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed):
        Cursor.read(text, *WISH)


@pytest.mark.parametrize(
    "other",
    [("post", ("queued",), "priority > 5"), ("mail", (), "priority > 5"), ("mail", ("queued",), None)],
)
def test_one_for_another_wish_is_refused(other: tuple[object, ...]) -> None:
    with pytest.raises(ValidationFailed):
        Cursor.read(Cursor(7).text(*WISH), *other)

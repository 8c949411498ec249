"""`jobengine db` without the rights that it needs: one line that says what to do, and nothing is changed."""

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.databases import UID, Finished, damage, database, db
from tests.support.server import SECRET
from tests.work.shop import open_directory

LOOKING = [("info",), ("verify",), ("history", "--job", UID), ("export", "{}/copy", "--yes")]
CHANGING = [("compact",), ("rekey",), ("repair",), ("restore", "--overwrite")]


@contextmanager
def nobody() -> Iterator[None]:
    """This process has the rights of a user who owns nothing."""
    user, groups = pwd.getpwnam("nobody"), os.getgroups()
    os.setgroups([])
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def as_nobody(*words: str, path: Path, tmp_path: Path) -> Finished:
    """`jobengine db …`, by such a user."""
    (command, *first), other = (word.format(tmp_path) for word in words), database(tmp_path)
    db(command, other, *first, new_secret=SECRET)  # what it imports, nobody could perhaps not read
    with nobody():
        return db(command, path, *(word.format(path.parent) for word in words[1:]), new_secret=SECRET)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody may look into."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with open_directory() as directory:
        directory.chmod(0o755)
        yield directory


def refused(finished: Finished) -> None:
    """One line, which says what to do."""
    assert finished.returncode == 74, finished
    assert finished.stderr.count("\n") <= 2, finished.stderr  # an export warns before
    assert "Permission denied" in finished.stderr
    assert "run it as the user that" in finished.stderr


@pytest.mark.parametrize("words", [*LOOKING, *CHANGING], ids=" ".join)
def test_a_file_that_may_not_be_read(place: Path, tmp_path: Path, words: Sequence[str]) -> None:
    path = database(place)
    path.chmod(0o600)
    refused(as_nobody(*words, path=path, tmp_path=tmp_path))


@pytest.mark.parametrize("words", [*LOOKING, *CHANGING], ids=" ".join)
def test_a_directory_that_may_not_be_entered(place: Path, tmp_path: Path, words: Sequence[str]) -> None:
    path = database(place)
    place.chmod(0o700)
    refused(as_nobody(*words, path=path, tmp_path=tmp_path))


@pytest.mark.parametrize("words", CHANGING, ids=" ".join)
def test_a_directory_that_may_not_be_written(place: Path, tmp_path: Path, words: Sequence[str]) -> None:
    path = database(place)
    for each in place.iterdir():
        each.chmod(0o666)
    before = {each.name for each in place.iterdir()}
    if words == ("repair",):
        damage(path, path.stat().st_size - 100)
        words = ("repair", "--accept-loss")
    refused(as_nobody(*words, path=path, tmp_path=tmp_path))
    assert {each.name for each in place.iterdir()} == before
    assert db("verify", path).returncode == (65 if "repair" in words else 0)


@pytest.mark.parametrize("words", [("backup", "{}/copy"), ("export", "{}/copy", "--yes")], ids=" ".join)
def test_a_destination_that_may_not_be_written(place: Path, tmp_path: Path, words: Sequence[str]) -> None:
    path = database(place)
    for each in place.iterdir():
        each.chmod(0o666)
    finished = as_nobody(*words, path=path, tmp_path=tmp_path)
    refused(finished)
    assert str(place / "copy") in finished.stderr

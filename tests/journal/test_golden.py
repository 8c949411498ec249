"""Files that earlier versions wrote are read as they were meant."""

import json
from pathlib import Path

import pytest

from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from tests.journal.make_golden import GOLDEN, SECRETS, described
from tests.journal.scenes import ANCHOR, PATH, Book
from tests.support.disk import SimulatedDisk


def test_all_golden_files_are_there() -> None:
    assert {path.stem for path in GOLDEN.glob("*.queuedb")} == set(SECRETS)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.queuedb")), ids=lambda path: path.stem)
def test_a_golden_file_holds_what_it_held(path: Path) -> None:
    disk, book = SimulatedDisk(), Book()
    disk.put(PATH, path.read_bytes())
    disk.put(ANCHOR, path.with_name(path.name + ".anchor").read_bytes())
    journal = Journal.open(PATH, Secret.parse(SECRETS[path.stem]), replay=book.apply, files=disk)
    assert journal.report.warnings == ()
    assert described(book, journal) == json.loads(path.with_suffix(".json").read_text())
    assert disk.content(PATH) == path.read_bytes()

"""What a first start finds, and what a lost configuration must not do."""

from pathlib import Path

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.default import ensure_configuration
from jobengine.settings.load import load
from jobengine.settings.schema import Settings


def test_the_first_start_writes_a_default_without_queues(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "config.yml"
    assert ensure_configuration(path, database=tmp_path / "database.queuedb")
    assert load(path, {}) == Settings()


def test_a_configuration_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("queues:")
    assert not ensure_configuration(path, database=tmp_path / "database.queuedb")
    assert path.read_text() == "queues:"


def test_a_configuration_lost_beside_a_database_is_a_mistake_and_stays_lost(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    database = tmp_path / "database.queuedb"
    database.touch()
    with pytest.raises(ConfigurationWrong, match=r"is not there, but the database .* is; bring it back"):
        ensure_configuration(path, database=database)
    assert not path.exists()


def test_a_link_to_nothing_is_not_written_through(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.symlink_to(tmp_path / "elsewhere.yml")
    with pytest.raises(ConfigurationWrong, match="is not there and cannot be made: File exists"):
        ensure_configuration(path, database=tmp_path / "database.queuedb")
    assert not (tmp_path / "elsewhere.yml").exists()


def test_a_place_where_nothing_can_be_written_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        ConfigurationWrong, match=r"is not there and cannot be made: (Not a directory|File exists)"
    ):
        ensure_configuration(tmp_path / "file" / "config.yml", database=tmp_path / "database.queuedb")

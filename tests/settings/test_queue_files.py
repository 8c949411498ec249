"""Queues that have files of their own beside the configuration."""

from pathlib import Path

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.load import load
from jobengine.settings.queue_files import (
    MARK,
    QueueFile,
    read_queue_files,
    remove_queue_file,
    write_queue_file,
)
from jobengine.settings.schema import QueueSettings

MAIL = "queues: {mail: {read: [], write: []}}\n"
QUEUE = "read: [a]\nwrite: []\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(MAIL)
    (tmp_path / "config.d").mkdir()
    return path


def put(path: Path, name: str, text: str, *, directory: str = "config.d") -> Path:
    file = path.parent / directory / name
    file.write_text(text)
    return file


def mistakes_of(path: Path, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationWrong) as refusal:
        load(path, environment)
    return list(refusal.value.mistakes)


def test_a_queue_may_have_a_file_of_its_own(path: Path) -> None:
    put(path, "letters.yml", "read: [a]\nwrite: ['${WRITER}']\ndead_letter: mail\n")
    letters, _ = load(path, {"WRITER": "b"}).queues
    assert letters == QueueSettings(
        "letters", read=frozenset({"a"}), write=frozenset({"b"}), dead_letter="mail"
    )


def test_it_takes_the_times_of_the_configuration(path: Path) -> None:
    path.write_text(f"job_keep_minutes: 3\n{MAIL}")
    put(path, "letters.yml", QUEUE)
    assert load(path, {}).queues[0].job_keep_minutes == 3


def test_the_directory_may_be_another_one(path: Path, tmp_path: Path) -> None:
    path.write_text(f"config_dir: queues\n{MAIL}")
    (tmp_path / "queues").mkdir()
    put(path, "letters.yml", QUEUE, directory="queues")
    put(path, "ignored.yml", QUEUE)
    assert [queue.name for queue in load(path, {}).queues] == ["letters", "mail"]


def test_what_is_no_queue_file_is_left_alone(path: Path) -> None:
    for name in ("letters.yml~", ".letters.yml.new", ".letters.yml", "README", "letters.yaml"):
        put(path, name, "no YAML: [")
    assert [queue.name for queue in load(path, {}).queues] == ["mail"]


def test_a_queue_in_two_places_is_a_mistake_that_names_both(path: Path) -> None:
    file = put(path, "mail.yml", QUEUE)
    assert mistakes_of(path) == [f"{file}:1: the queue mail stands in {path} too: take one of the two away"]


def test_the_mistakes_of_all_files_are_told_at_once(path: Path) -> None:
    broken = put(path, "broken.yml", "read: [")
    empty = put(path, "empty.yml", "")
    letters = put(path, "letters.yml", "read: []\nwirte: []\ndead_letter: nobody\n")
    assert [mistake.partition(": ")[0] for mistake in mistakes_of(path)] == [
        f"{broken}:1",
        f"{empty}:1",
        *[f"{letters}:1", f"{letters}:2", f"{letters}:3"],
    ]


def test_a_file_must_be_called_as_a_queue_may_be(path: Path) -> None:
    put(path, "a queue.yml", QUEUE)
    (mistake,) = mistakes_of(path)
    assert "is not called as a queue may be called" in mistake


def test_a_queue_of_the_configuration_sends_its_dead_letters_to_one_of_the_configuration(path: Path) -> None:
    path.write_text("queues: {mail: {read: [], write: [], dead_letter: letters}}\n")
    put(path, "letters.yml", QUEUE)
    assert mistakes_of(path) == [f'{path}:1: queues.mail.dead_letter: there is no queue "letters"']


def test_dead_letters_that_go_round_are_told_of_each_queue_on_their_way(path: Path) -> None:
    put(path, "letters.yml", QUEUE + "dead_letter: parcels\n")
    put(path, "parcels.yml", QUEUE + "dead_letter: cards\n")
    put(path, "cards.yml", QUEUE + "dead_letter: parcels\n")
    told = [mistake.partition(": ")[0].rpartition("/")[2] for mistake in mistakes_of(path)]
    assert told == ["cards.yml:1", "parcels.yml:1"]


def test_what_the_api_wrote_never_reads_the_environment(path: Path) -> None:
    put(path, "letters.yml", f"{MARK.decode()}read: ['${{TOKEN}}']\nwrite: []\n")
    (mistake,) = mistakes_of(path, TOKEN="stolen")
    assert "stolen" not in mistake


def test_without_the_directory_there_are_just_the_queues_of_the_configuration(path: Path) -> None:
    (path.parent / "config.d").rmdir()
    assert len(load(path, {}).queues) == 1
    assert not read_queue_files(path.parent / "config.d").is_there


@pytest.mark.parametrize(("mode", "written"), [(0o600, 0o600), (0o640, 0o640), (0o644, 0o640)])
def test_a_written_file_is_for_those_who_may_read_the_configuration(
    path: Path, mode: int, written: int
) -> None:
    path.chmod(mode)
    file = QueueFile(path.parent / "config.d" / "letters.yml", MARK + QUEUE.encode())
    write_queue_file(file, like=path)
    assert file.path.stat().st_mode & 0o777 == written
    assert read_queue_files(file.path.parent).files == (file,)


def test_a_file_is_written_over_and_leaves_nothing_beside_it(path: Path) -> None:
    directory = path.parent / "config.d"
    (directory / ".letters.yml.new").write_text("of a server that was killed")
    for text in (QUEUE, "read: []\nwrite: []\n"):
        write_queue_file(QueueFile(directory / "letters.yml", text.encode()), like=path)
    assert [each.name for each in directory.iterdir()] == ["letters.yml"]
    remove_queue_file(directory / "letters.yml")
    assert list(directory.iterdir()) == []

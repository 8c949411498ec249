"""`jobengine config explain`: what a service may do with a queue, and why."""

import json
from itertools import product
from pathlib import Path

import pytest

from jobengine.access import Access, QueueRights
from jobengine.cli.explain import verdicts_of
from jobengine.settings.load import load
from tests.support.command import run

CONFIGURATION = """\
admin: [ops]
queues:
  mail: {read: [postman], write: ["*"], admin: [boss]}
  letters: {read: [], write: [website]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(CONFIGURATION)
    return path


def explained(path: Path, *arguments: str) -> tuple[int, list[str]]:
    done = run("config", "explain", *arguments, CONFIG_PATH=path)
    assert done.stderr == b""
    return done.returncode, done.stdout.decode().splitlines()


def test_each_right_is_told_with_its_reason(path: Path) -> None:
    code, lines = explained(path, "postman", "mail")
    assert code == 0
    assert lines[:3] == [
        "read: yes: it is named in read of the queue",
        'write: yes: "*" in write of the queue is every service',
        "admin: no: it is not named in admin of the queue or of the configuration",
    ]
    assert lines[3].startswith("so on mail, postman may ")
    assert " claim," in lines[3]


@pytest.mark.parametrize(
    ("service", "queue", "line"),
    [
        ("ops", "letters", "admin: yes: it is named in admin of the configuration"),
        ("boss", "mail", "admin: yes: it is named in admin of the queue"),
    ],
)
def test_admin_may_come_from_two_places(path: Path, service: str, queue: str, line: str) -> None:
    assert line in explained(path, service, queue)[1]


def test_who_may_do_nothing_is_told_so_and_it_is_1(path: Path) -> None:
    code, lines = explained(path, "postman", "letters")
    assert code == 1
    assert lines[-1] == "so on letters, postman may do nothing: for it there is no such queue"
    assert explained(path, "postman", "none") == (
        1,
        ["there is no queue none: jobengine config check says which files are read"],
    )


def test_programs_get_one_document(path: Path) -> None:
    _, (line,) = explained(path, "website", "letters", "--json")
    told = json.loads(line)
    assert told["rights"]["write"] == {"has": True, "why": "it is named in write of the queue"}
    assert not told["rights"]["read"]["has"]
    assert "create" in told["actions"]
    assert "claim" not in told["actions"]


def test_what_it_says_is_what_the_server_holds_to(path: Path) -> None:
    settings = load(path, {})
    access = Access()
    rights = {queue.name: QueueRights(queue.read, queue.write, queue.admin) for queue in settings.queues}
    access.configure(rights, settings.admin)
    for service, queue in product(("postman", "website", "boss", "ops", "stranger"), ("mail", "letters")):
        said = {verdict.right for verdict in verdicts_of(settings, service, queue) if verdict.has}
        assert said == {right.value for right in access.rights(service, queue)}

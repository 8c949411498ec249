"""`jobengine queue`: queues of a running broker."""

import json
from unittest.mock import patch

import pytest

from jobengine import Client
from jobengine.cli.asking import Asking
from jobengine.cli.output import Format
from jobengine.errors import Unreachable
from tests.cli.broker import Terminal


def test_queues_are_listed_and_told(terminal: Terminal) -> None:
    names = [queue["name"] for queue in terminal.ask("queue", "list")]
    assert {"mail", "dead", "empty", "secret"} <= set(names)
    assert terminal.ask("queue", "info", "mail")["settings"]["max_attempts"] == 2
    lines = terminal.say("queue", "info", "mail").splitlines()
    assert lines[:2] == ["queue                     mail", "made by                   the configuration"]


def test_a_stranger_sees_none(terminal: Terminal) -> None:
    assert terminal.type("queue", "list", "-o", "json", name="stranger").stdout == b"[]\n"
    assert terminal.refused("queue", "pause", "mail", name="stranger")[0] == 1


def test_a_queue_is_paused_and_goes_on(terminal: Terminal) -> None:
    assert terminal.say("queue", "pause", "empty") == "empty: paused\n"
    assert "paused" in terminal.say("queue", "list")
    assert terminal.say("queue", "resume", "empty") == "empty: goes on\n"


def test_a_queue_that_drains_takes_nothing(terminal: Terminal) -> None:
    assert terminal.say("queue", "drain", "empty") == "empty: takes no more jobs; 0 jobs left to hand out\n"
    assert terminal.refused("job", "create", "empty", "1")[1].startswith("bad_state: ")
    terminal.say("queue", "resume", "empty")


def test_a_purge_wants_to_be_sure(terminal: Terminal) -> None:
    terminal.say("job", "create", "empty", "-", "--lines", stdin=b"1\n2\n")
    asked = terminal.type("queue", "purge", "empty")
    assert (asked.returncode, asked.stderr) == (
        64,
        b"jobengine queue purge: Remove 2 jobs of empty? There is no terminal to ask on: say --yes\n",
    )
    assert terminal.say("queue", "purge", "empty", "--yes") == "empty: 2 jobs removed\n"
    assert terminal.ask("job", "list", "empty") == []


def test_dead_letters_go_back(terminal: Terminal) -> None:
    uid = terminal.say("job", "create", "mail", "1", "--max-attempts", "1").strip()
    (job,) = terminal.ask("job", "claim", "mail")
    terminal.say("job", "fail", "mail", uid, "--lease", job["lease"]["id"])
    assert terminal.ask("job", "get", "dead", uid)["died_in"] == "mail"
    assert terminal.say("queue", "redrive", "dead") == "dead: 1 job sent back\n"
    assert terminal.ask("job", "get", "mail", uid)["state"] == "queued"
    terminal.say("job", "delete", "mail", uid)


def test_what_did_not_die_is_not_sent_back(terminal: Terminal) -> None:
    uid = terminal.ask("job", "create", "dead", "1")["uid"]
    done = terminal.type("queue", "redrive", "dead")
    assert done.returncode == 1
    assert done.stdout.decode() == (
        f"dead: 0 jobs sent back, 1 refused\n  {uid}: it is no dead letter: move it instead\n"
    )
    terminal.say("job", "delete", "dead", uid)


def test_a_queue_is_made_changed_and_dropped(terminal: Terminal) -> None:
    new = terminal.ask("queue", "set", "new", "read=[ops]", "write=[ops]", "backoff=[1s, 2m]")
    assert (new["from"], new["settings"]["backoff"]) == ("api", [1, 120])
    changed = terminal.ask("queue", "set", "new", "max_attempts=7", "errors={bad: fail}")["settings"]
    assert (changed["max_attempts"], changed["backoff"], changed["errors"]) == (7, [1, 120], {"bad": "fail"})
    terminal.say("job", "create", "new", "1")
    assert terminal.say("queue", "drop", "new", "--yes") == "new: dropped, and 1 job with it\n"
    assert terminal.refused("queue", "info", "new")[0] == 1


def test_a_rule_for_a_kind_of_error_is_kept_to(terminal: Terminal) -> None:
    options = ("max_attempts=5", "backoff=[1h]", "errors={bad: fail, busy: [2h]}")
    terminal.say("queue", "set", "rules", "read=[ops]", "write=[ops]", *options)
    found = {}
    for kind in ("bad", "busy", "other"):
        uid = terminal.say("job", "create", "rules", "1").strip()
        (job,) = terminal.ask("job", "claim", "rules")
        fail = ("job", "fail", "rules", uid, "--lease", job["lease"]["id"], "--kind", kind)
        found[kind] = terminal.ask(*fail)
    assert [job["state"] for job in found.values()] == ["failed", "queued", "queued"]
    assert found["other"]["not_before"] < found["busy"]["not_before"]
    terminal.say("queue", "drop", "rules", "--yes")


def test_what_is_shown_of_a_queue_may_be_set_again(terminal: Terminal) -> None:
    options = ("read=[ops]", "write=['*']", "backoff={from: 250ms, to: 1h}", "errors={a: fail, b: [1s]}")
    more = ("max_bytes=2MiB", "when_full=drop_lowest", "on_expire=fail", "dead_letter=dead", "paused=true")
    first = terminal.ask("queue", "set", "again", *options, *more)["settings"]
    assert terminal.ask("queue", "set", "again", "max_jobs=0")["settings"] == first
    terminal.say("queue", "drop", "again", "--yes")


def test_all_that_is_wrong_with_settings_is_told(terminal: Terminal) -> None:
    code, line = terminal.refused("queue", "set", "new", "max_attempts=0", "pause=true")
    assert code == 1
    assert line.startswith("validation_failed: ")
    assert "max_attempts: must be a whole number from 1 to 1000" in line
    assert '(did you mean "paused"?)' in line


@pytest.mark.parametrize("verb", [("set", "mail", "paused=true"), ("drop", "mail", "--yes")])
def test_a_queue_of_the_configuration_is_changed_there(terminal: Terminal, verb: tuple[str, ...]) -> None:
    assert terminal.refused("queue", *verb)[1].startswith("bad_state: ")


@pytest.mark.parametrize("setting", ["paused", "paused=[", "=1 2: {", "paused=2026-99-99"])
def test_an_option_that_is_not_written_as_one_is_64(terminal: Terminal, setting: str) -> None:
    assert terminal.type("queue", "set", "new", setting).returncode == 64


def test_a_watch_looks_again_until_it_is_ended(terminal: Terminal) -> None:
    with patch("jobengine.cli.asking.time.sleep", side_effect=[None, KeyboardInterrupt]):
        done = terminal.type("queue", "info", "mail", "--watch", "-o", "jsonl")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["mail", "mail"]


def test_a_watch_goes_on_while_the_broker_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    found = iter([["here"], None, ["again"]])

    def look() -> None:
        lines = next(found)
        if lines is None:
            raise Unreachable("nobody answers")
        asking.show(None, lines)

    with (
        Client("http://127.0.0.1:9", name="ops") as client,
        patch("jobengine.cli.asking.time.sleep", side_effect=[None, None, KeyboardInterrupt]),
    ):
        asking = Asking(client, Format.TABLE)
        asking.again(look, watch=True)
    assert capsys.readouterr() == ("here\nagain\n", "unreachable: nobody answers\n")

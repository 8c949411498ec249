"""`jobengine job`: jobs of a running broker."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.broker import Terminal


def made(terminal: Terminal, *options: str, queue: str = "mail", content: str = "{}") -> str:
    """The uid of a new job."""
    return terminal.say("job", "create", queue, content, *options).strip()


def claimed(terminal: Terminal, queue: str) -> tuple[str, str]:
    """The uid and the lease of a job that is there to be claimed."""
    (job,) = terminal.ask("job", "claim", queue)
    return job["uid"], job["lease"]["id"]


def test_a_job_is_made_of_what_is_typed_what_comes_in_or_what_stands_in_a_file(
    terminal: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "job.json").write_text('{"n": 12345678901234567890}')
    typed = terminal.ask(
        "job", "create", "mail", '{"to": "you"}', "--priority", "90", "--tag", "a", "--tag", "b"
    )
    assert (typed["content"], typed["priority"], typed["tags"]) == ({"to": "you"}, 90, ["a", "b"])
    assert terminal.ask("job", "create", "mail", "-", stdin=b"[1]")["content"] == [1]
    from_file = terminal.ask("job", "create", "mail", f"@{tmp_path}/job.json")
    assert from_file["content"] == {"n": 12345678901234567890}
    terminal.say("job", "delete", "mail", "--state", "queued")


def test_a_text_without_its_quotes_is_told_how_to_write_one(terminal: Terminal) -> None:
    code, line = terminal.refused("job", "create", "mail", "ls")
    assert (code, """'"text"'""" in line) == (64, True)


def test_each_line_may_be_a_job(terminal: Terminal) -> None:
    lines = terminal.say("job", "create", "mail", "-", "--lines", "-o", "jsonl", stdin=b'1\n\n{"a": 2}\n')
    assert [json.loads(line)["content"] for line in lines.splitlines()] == [1, {"a": 2}]
    terminal.say("job", "delete", "mail", "--state", "queued")


def test_a_delay_is_a_time(terminal: Terminal) -> None:
    job = terminal.ask("job", "create", "mail", "1", "--delay", "2h")
    assert job["not_before"] > job["created"]
    assert "2" in terminal.say("job", "why", "mail", job["uid"])
    terminal.say("job", "delete", "mail", job["uid"])


@pytest.mark.parametrize(
    "words",
    [
        ("create", "mail", "{"),
        ("create", "mail", "@/nowhere"),
        ("create", "mail", "1", "--delay", "soon"),
        ("create", "mail", "1", "--priority", "0"),
        ("delete", "mail"),
        ("delete", "mail", "--dry-run"),
        ("retry", "mail", "some", "--state", "failed"),
        ("complete", "mail", "some"),
        ("create", "mail", '"\udcff"'),
        ("create", "mail", "1", "--tag", "\udcff"),
        ("get", "mail", "\udcff"),
    ],
    ids=" ".join,
)
def test_what_is_not_written_as_it_must_be_is_64(terminal: Terminal, words: tuple[str, ...]) -> None:
    done = terminal.type("job", *words)
    assert (done.returncode, done.stdout) == (64, b"")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("stdin", [b'"\xff"', b"[" * 5000 + b"]" * 5000, b"", b"1e999"])
def test_what_comes_in_and_is_no_json_is_64(terminal: Terminal, stdin: bytes) -> None:
    done = terminal.type("job", "create", "mail", "-", stdin=stdin)
    assert (done.returncode, done.stdout) == (64, b"")


def test_a_line_that_is_no_json_is_named_and_nothing_is_made(terminal: Terminal) -> None:
    done = terminal.type("job", "create", "mail", "-", "--lines", stdin=b"1\n{\n")
    assert done.returncode == 64
    assert b"line 2" in done.stderr
    assert terminal.ask("job", "list", "mail") == []


@pytest.mark.parametrize(
    ("words", "name", "code"),
    [
        (("get", "mail", "none"), "ops", "not_found"),
        (("list", "secret"), "postman", "not_found"),
        (("create", "secret", "1"), "ops", "forbidden"),
        (("list", "mail", "--filter", "prio > 5"), "ops", "validation_failed"),
    ],
)
def test_what_is_refused_is_1_and_one_line(
    terminal: Terminal, words: tuple[str, ...], name: str, code: str
) -> None:
    assert terminal.refused("job", *words, name=name)[0] == 1
    assert terminal.refused("job", *words, name=name)[1].startswith(f"{code}: ")


def test_a_job_is_claimed_and_completed(terminal: Terminal) -> None:
    uid = made(terminal)
    assert claimed(terminal, "mail")[0] == uid
    assert terminal.refused("job", "complete", "mail", uid, "--lease", "0" * 16)[1].startswith("lease_lost: ")
    terminal.say("job", "delete", "mail", uid)


def test_a_result_is_kept_and_a_wait_ends_well(terminal: Terminal) -> None:
    made(terminal)
    uid, lease = claimed(terminal, "mail")
    assert terminal.say("job", "complete", "mail", uid, "--lease", lease, "--result", '{"ok": 1}') == (
        f"{uid}: complete\n"
    )
    assert terminal.ask("job", "wait", "mail", uid)["result"] == {"ok": 1}


def test_a_wait_for_what_has_not_completed_is_3(terminal: Terminal) -> None:
    uid = made(terminal)
    waited = terminal.type("job", "wait", "mail", uid, "--timeout", "1ms")
    assert (waited.returncode, waited.stderr) == (3, b"")
    made_and_waited = terminal.type("job", "create", "mail", "1", "--wait", "1ms")
    assert made_and_waited.returncode == 3
    terminal.say("job", "delete", "mail", "--state", "queued")


def test_nothing_to_claim_is_3(terminal: Terminal) -> None:
    assert terminal.refused("job", "claim", "empty") == (3, "no job is there to be claimed")


def test_a_failure_is_told_and_retried(terminal: Terminal) -> None:
    made(terminal, "--max-attempts", "1", queue="empty")
    uid, lease = claimed(terminal, "empty")
    fail = ("job", "fail", "empty", uid, "--lease", lease, "--kind", "smtp", "--error", "no such host")
    assert terminal.ask(*fail)["state"] == "failed"
    (error,) = terminal.ask("job", "get", "empty", uid)["errors"]
    assert (error["kind"], error["text"]) == ("smtp", "no such host")
    assert [job["uid"] for job in terminal.ask("job", "list", "empty", "--filter", "kind = smtp")] == [uid]
    terminal.say("job", "retry", "empty", uid)
    assert terminal.ask("job", "get", "empty", uid)["state"] == "queued"
    terminal.say("job", "stop", "empty", uid)
    assert terminal.ask("job", "get", "empty", uid)["reason"] == "stopped"
    terminal.say("job", "delete", "empty", uid)


def test_many_are_deleted_at_once_and_a_dry_run_only_counts(terminal: Terminal) -> None:
    terminal.say("job", "create", "empty", "-", "--lines", "--tag", "old", stdin=b"1\n2\n3\n")
    uid = made(terminal, queue="empty")
    old = ("job", "delete", "empty", "--filter", "tag = old")
    assert terminal.say(*old, "--dry-run") == "delete: 3 jobs would be tried; nothing was changed\n"
    assert terminal.ask(*old)["changed"] == 3
    assert [job["uid"] for job in terminal.ask("job", "list", "empty")] == [uid]
    terminal.say("job", "delete", "empty", uid)


def test_a_list_is_as_long_as_one_wants(terminal: Terminal) -> None:
    terminal.say("job", "create", "empty", "-", "--lines", stdin=b"1\n2\n3\n")
    assert len(terminal.ask("job", "list", "empty", "--limit", "2")) == 2
    assert len(terminal.ask("job", "list", "empty", "--limit", "0")) == 3
    heads, *rows = terminal.say("job", "list", "empty").splitlines()
    assert heads.split() == ["UID", "STATE", "PRIORITY", "ATTEMPT", "CREATED", "TAGS", "CONTENT"]
    assert [row.split()[-1] for row in rows] == ["1", "2", "3"]
    terminal.say("job", "delete", "empty", "--state", "queued")


def test_a_table_shows_nothing_that_a_terminal_would_obey(terminal: Terminal) -> None:
    content: Any = "\x1b[2J\u202e\x9b"
    uid = made(terminal, queue="empty", content=json.dumps(content))
    shown = terminal.say("job", "list", "empty") + terminal.say("job", "get", "empty", uid)
    assert all(line.isprintable() for line in shown.splitlines())
    terminal.say("job", "delete", "empty", uid)


def test_a_result_of_nothing_is_a_result(terminal: Terminal) -> None:
    for result in ("0", "false"):
        made(terminal, queue="empty")
        uid, lease = claimed(terminal, "empty")
        terminal.say("job", "complete", "empty", uid, "--lease", lease, "--result", result)
        assert terminal.ask("job", "get", "empty", uid)["result"] == json.loads(result)
        shown = dict(line.split(maxsplit=1) for line in terminal.say("job", "get", "empty", uid).splitlines())
        assert shown["result"] == result
        assert "halted" not in shown
        assert shown["created"].endswith("Z")
        terminal.say("job", "delete", "empty", uid)


def test_one_of_several_that_is_refused_is_named_and_does_not_hinder_the_others(terminal: Terminal) -> None:
    first, last = made(terminal, queue="empty"), made(terminal, queue="empty")
    done = terminal.type("job", "delete", "empty", first, "none", last, "-o", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == [{"uid": first, "action": "delete"}, {"uid": last, "action": "delete"}]
    assert done.stderr.startswith(b"none: not_found: ")
    assert terminal.ask("job", "list", "empty") == []

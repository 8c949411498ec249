"""`jobengine job log` and `jobengine worker list`."""

from jobengine import Client
from tests.cli.broker import Terminal


def test_a_log_is_told_as_it_was_written_and_as_json(terminal: Terminal) -> None:
    uid = terminal.ask("job", "create", "mail", '"x"')["uid"]
    with Client(terminal.url, name="ops") as client:
        (job,) = client.claim("mail", worker="w1")
        client.append_log(job, "out", 0, b"hello\n")
        client.append_log(job, "err", 100, b"\x1b[31m oh\n")
    done = terminal.type("job", "log", "mail", uid)
    assert (done.returncode, done.stdout) == (0, b"hello\n")
    assert done.stderr == "\n[… 100 bytes cut …]\n".encode() + b"\x1b[31m oh\n"
    first, second = terminal.say("job", "log", "mail", uid, "-o", "jsonl").splitlines()
    assert '"stream":"out"' in first
    assert '"offset":100' in second
    assert "w1" in terminal.say("worker", "list")
    with Client(terminal.url, name="ops") as client:
        client.complete(job)
    assert terminal.type("job", "log", "mail", uid, "-f").stdout == b"hello\n"


def test_a_log_of_no_job_is_refused_in_a_line(terminal: Terminal) -> None:
    code, line = terminal.refused("job", "log", "mail", "0a0b0c0d-1111-4111-8111-0123456789ab")
    assert (code, line.partition(":")[0]) == (1, "not_found")

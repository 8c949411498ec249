"""`jobengine bench`: a bounded load, which leaves nothing behind."""

from tests.cli.broker import Terminal


def test_jobs_are_made_worked_on_and_removed(terminal: Terminal) -> None:
    create, work = terminal.ask("bench", "empty", "--jobs", "250", "--list", "50", "--connections", "2")
    assert (create["what"], create["jobs"], work["jobs"]) == ("create", 250, 250)
    assert create["jobs_per_second"] > 0
    assert create["median_ms"] <= create["slow_ms"]
    assert sum(terminal.ask("queue", "info", "empty")["jobs"].values()) == 0


def test_a_queue_with_jobs_is_left_alone(terminal: Terminal) -> None:
    uid = terminal.say("job", "create", "mail", "1").strip()
    assert terminal.refused("bench", "mail")[0] == 1
    assert terminal.ask("job", "get", "mail", uid)["state"] == "queued"

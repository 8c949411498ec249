"""What an edit of the configuration would do."""

from collections.abc import Mapping

from jobengine.control.plan import Difference, Edit, Grant, plan
from jobengine.settings.load import parse
from jobengine.settings.schema import Settings

NOW = "queues: {mail: {read: [postman, clerk], write: [website]}, old: {read: [], write: []}}"


def settings(text: str) -> Settings:
    return parse(text.encode(), source="config.yml", environment={})


def edit(text: str, *, now: str = NOW, jobs: Mapping[str, int] | None = None) -> Edit:
    running = settings(now)
    return plan(started_with=running, running=running, wanted=settings(text), jobs=jobs or {})


def test_the_same_configuration_would_change_nothing() -> None:
    assert edit(NOW).is_nothing
    assert not edit("queues: {}").is_nothing


def test_queues_that_come_and_go_are_named_with_the_jobs_that_would_be_lost() -> None:
    found = edit("queues: {new: {read: [], write: []}}", jobs={"mail": 12, "old": 0})
    assert found.added == ("new",)
    assert found.dropped == {"mail": 12, "old": 0}


def test_a_setting_that_changes_is_named_with_both_of_its_values() -> None:
    more = "job_keep_minutes: 5, backoff: [1m, 90s], dead_letter: old, paused: true"
    found = edit(NOW.replace("write: [website]", f"write: [website], {more}"))
    assert found.changed == (
        Difference("mail", "job_keep_minutes", "60", "5"),
        Difference("mail", "backoff", "{from: 1s, factor: 2, to: 1h, jitter: 0.2}", "[1m, 90s]"),
        Difference("mail", "dead_letter", "null", "old"),
        Difference("mail", "paused", "false", "true"),
    )


def test_what_is_run_is_compared_too() -> None:
    found = edit(NOW.replace("write: [website]", "write: [website], run: {type: shell, user: nobody}"))
    assert found.changed == (
        Difference("mail", "run.type", "null", "shell"),
        Difference("mail", "run.user", "null", "nobody"),
    )


def test_what_a_queue_inherits_counts_as_its_own() -> None:
    found = edit(f"job_timeout_minutes: 1\n{NOW}")
    assert [difference.queue for difference in found.changed] == ["mail", "old"]


def test_rights_that_go_and_rights_that_come_are_named() -> None:
    found = edit(NOW.replace("[postman, clerk]", "[clerk, boss]"))
    assert found.rights_lost == (Grant("postman", "read", "mail"),)
    assert found.rights_gained == (Grant("boss", "read", "mail"),)


def test_nobody_loses_a_right_that_everyone_gets() -> None:
    everyone = NOW.replace("[postman, clerk]", "['*']")
    assert edit(everyone).rights_lost == ()
    assert edit(everyone).rights_gained == (Grant("*", "read", "mail"),)
    assert edit(NOW, now=everyone).rights_lost == (Grant("*", "read", "mail"),)
    assert edit(NOW, now=everyone).rights_gained == ()


def test_the_right_to_administer_belongs_to_the_server_or_to_a_queue() -> None:
    of_a_queue = edit(NOW.replace("write: [website]", "write: [website], admin: [boss]"))
    assert of_a_queue.rights_gained == (Grant("boss", "admin", "mail"),)
    found = edit(f"admin: [ops]\n{NOW}", now=f"admin: [root]\n{NOW}")
    assert found.rights_lost == (Grant("root", "admin"),)
    assert found.rights_gained == (Grant("ops", "admin"),)


def test_what_only_a_restart_takes_up_is_compared_with_what_the_server_started_with() -> None:
    started_with, running = settings(NOW), settings(f"port: 7000\n{NOW}")
    found = plan(started_with=started_with, running=running, wanted=running, jobs={})
    assert found.needs_restart == ("port",)

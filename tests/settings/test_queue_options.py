"""What may be said of a queue: retries, dead letters, limits."""

from textwrap import indent

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.model.backoff import Backoff, ErrorRule
from jobengine.model.queue import WhenFull
from jobengine.settings.load import parse
from jobengine.settings.option import QUEUE
from jobengine.settings.options import options_of
from jobengine.settings.schema import OnExpire, QueueSettings
from jobengine.settings.writing import written

DELAY = "a number of seconds or a time such as 90s, 10m or 2h, from 0s to 3650d"
DELAYS = f"keys (from, factor, to, jitter), or a list; each {DELAY}"


def queue_of(options: str) -> QueueSettings:
    """The queue of this name with these options, beside one that takes dead letters."""
    text = "queues:\n  dead: {read: [], write: []}\n  mail:\n    read: []\n    write: []\n"
    _, queue = parse((text + indent(options, "    ")).encode(), source="config.yml", environment={}).queues
    return queue


def mistakes_of(options: str) -> list[str]:
    with pytest.raises(ConfigurationWrong) as refusal:
        queue_of(options)
    return [mistake.removeprefix("config.yml:") for mistake in refusal.value.mistakes]


def test_a_queue_that_says_nothing_has_the_defaults() -> None:
    assert queue_of("") == QueueSettings("mail", read=frozenset(), write=frozenset())


def test_a_backoff_grows_as_it_is_told() -> None:
    assert queue_of("backoff: {from: 2, factor: 1.5, to: 10m, jitter: 0}").backoff == Backoff(
        first=2000, factor=1.5, most=600_000, jitter=0
    )
    assert queue_of("backoff: {from: 250ms}").backoff == Backoff(first=250)


def test_a_backoff_is_a_list() -> None:
    assert queue_of("backoff: [0, 1.5, '90', 2h, 7d]").backoff == Backoff(
        delays=(0, 1500, 90_000, 7_200_000, 604_800_000)
    )


def test_kinds_of_errors_have_their_own() -> None:
    assert queue_of("errors:\n  bad.Input: fail\n  slow: [1m]\n  busy: {to: 5s}\n").errors == (
        ErrorRule("bad.Input", None),
        ErrorRule("slow", Backoff(delays=(60_000,))),
        ErrorRule("busy", Backoff(most=5000)),
    )


def test_limits_and_ends() -> None:
    queue = queue_of(
        "max_jobs: 10\nmax_bytes: 2MiB\nwhen_full: drop_lowest\non_expire: fail\n"
        "paused: true\ndead_letter: dead\nadmin: [ops]"
    )
    assert (queue.max_jobs, queue.max_bytes, queue.when_full) == (10, 2 * 1024**2, WhenFull.DROP_LOWEST)
    assert (queue.on_expire, queue.paused) == (OnExpire.FAIL, True)
    assert (queue.dead_letter, queue.admin) == ("dead", {"ops"})


MISTAKES = {
    "backoff: 5s": f'6: queues.mail.backoff: must be {DELAYS}, not "5s"',
    "backoff: []": "6: queues.mail.backoff: must hold 1 to 100 times, not 0",
    "backoff: [5 s]": f'6: queues.mail.backoff: must be {DELAY}, not "5 s"',
    "backoff: [-1]": f"6: queues.mail.backoff: must be {DELAY}, not -1",
    "backoff: {form: 1}": '6: queues.mail.backoff: unknown key "form" (did you mean "from"?)',
    "backoff: {factor: 0.5}": "6: queues.mail.backoff.factor: must be a number from 1 to 100, not 0.5",
    "backoff: {from: 2m, to: 1m}": '6: queues.mail.backoff: "from" is longer than "to"',
    "errors: {a: retry}": f'6: queues.mail.errors.a: must be fail, or {DELAYS}, not "retry"',
    "errors: {a: {jitter: 2}}": "6: queues.mail.errors.a.jitter: must be a number from 0 to 1, not 2",
    "errors: [a]": "6: queues.mail.errors: must be keys with values, not a list",
    "dead_letter: deat": '6: queues.mail.dead_letter: there is no queue "deat" (did you mean "dead"?)',
    "dead_letter: mail": "6: queues.mail.dead_letter: must be another queue than this one",
    "when_full: drop": '6: queues.mail.when_full: must be refuse or drop_lowest, not "drop"',
    "on_expire: yes": "6: queues.mail.on_expire: must be delete or fail, not yes",
    "paused: yes": "6: queues.mail.paused: must be true or false, not yes",
    "paused: 'true'": '6: queues.mail.paused: must be true or false, not "true"',
    "max_jobs: -1": "6: queues.mail.max_jobs: must be a whole number from 0 to 1000000000, not -1",
    "backof: []": '6: queues.mail: unknown key "backof" (did you mean "backoff"?)',
}


@pytest.mark.parametrize(("options", "mistake"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line_and_its_place(options: str, mistake: str) -> None:
    assert mistakes_of(options) == [mistake]


def test_dead_letters_that_go_round_are_a_mistake_of_each_queue_on_their_way() -> None:
    text = """\
queues:
  mail: {read: [], write: [], dead_letter: dead}
  dead: {read: [], write: [], dead_letter: buried}
  buried: {read: [], write: [], dead_letter: dead}
"""
    with pytest.raises(ConfigurationWrong) as wrong:
        parse(text.encode(), source="s", environment={})
    places = [mistake.split(": ")[:2] for mistake in wrong.value.mistakes]
    assert places == [["s:3", "queues.dead.dead_letter"], ["s:4", "queues.buried.dead_letter"]]


def test_all_mistakes_are_told_at_once() -> None:
    assert (
        len(mistakes_of("backoff: 1\nerrors: 2\ndead_letter: x\nwhen_full: y\nmax_jobs: z\npaused: 0\n")) == 6
    )


OPTIONS = {
    "backoff": "{from: 1500ms, factor: 2, to: 1d, jitter: 0.2}",
    "errors": "{a: fail, b: [1s, 2m]}",
    "max_bytes": "1KiB",
    "when_full": "drop_lowest",
    "dead_letter": "dead",
    "admin": "[a, b]",
}


@pytest.mark.parametrize(("name", "text"), OPTIONS.items(), ids=OPTIONS)
def test_a_value_is_written_as_it_was_read(name: str, text: str) -> None:
    value = getattr(queue_of(f"{name}: {text}"), name)
    assert written(options_of(QUEUE)[name].kind, value) == text

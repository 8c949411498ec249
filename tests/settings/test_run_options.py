"""What is said of jobs that are run, of TLS and of older systems' routes: read, and refused."""

from typing import Any

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.doors import JobdSettings
from jobengine.settings.load import parse
from jobengine.settings.run import RunSettings, RunType, SandboxKind, SlurmSettings


def run_of(block: str, environment: dict[str, str] | None = None) -> RunSettings:
    """The `run` block of a queue."""
    text = f"queues: {{q: {{read: [], write: [], run: {block}}}}}"
    (queue,) = parse(text.encode(), source="c.yml", environment=environment or {}).queues
    return queue.run


def wrong(text: str) -> str:
    """What is said against a configuration."""
    with pytest.raises(ConfigurationWrong) as refused:
        parse(text.encode(), source="c.yml", environment={})
    return str(refused.value)


def test_a_queue_that_says_nothing_of_it_runs_nothing() -> None:
    settings = parse(b"queues: {q: {read: [], write: []}}", source="c.yml", environment={})
    assert settings.queues[0].run == RunSettings()
    assert RunSettings().type is None


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("{type: shell}", RunSettings(RunType.SHELL)),
        (
            "{type: bundle, sandbox: bubblewrap, timeout: 2d, memory: 2GiB}",
            RunSettings(
                RunType.BUNDLE, sandbox=SandboxKind.BUBBLEWRAP, timeout=172_800_000, memory=2 * 1024**3
            ),
        ),
        (
            "{type: payload, command: [/bin/sort, -n]}",
            RunSettings(RunType.PAYLOAD, command=("/bin/sort", "-n")),
        ),
        (
            "{type: payload, command: \"/bin/echo 'a b' c\"}",
            RunSettings(RunType.PAYLOAD, command=("/bin/echo", "a b", "c")),
        ),
        (
            "{type: python, classes: {Report: 'my.jobs:Report'}, environment: {LANG: C.UTF-8}}",
            RunSettings(
                RunType.PYTHON, classes={"Report": "my.jobs:Report"}, environment={"LANG": "C.UTF-8"}
            ),
        ),
        (
            "{type: slurm, slurm: {url: 'https://s.example.org', poll: 500ms}}",
            RunSettings(RunType.SLURM, slurm=SlurmSettings("https://s.example.org", poll=500)),
        ),
    ],
)
def test_a_run_block_is_read(block: str, expected: RunSettings) -> None:
    assert run_of(block) == expected


def test_a_command_comes_from_the_environment_as_well() -> None:
    text = """
        queues:
          q:
            read: []
            write: []
            run: {type: payload, command: "${COMMAND}"}
    """
    (queue,) = parse(text.encode(), source="c.yml", environment={"COMMAND": "/bin/date -u"}).queues
    assert queue.run.command == ("/bin/date", "-u")


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{workers: 2}", '"type" is missing: shell, payload, bundle, python, slurm'),
        ("{type: shel}", "must be shell or payload or bundle or python or slurm"),
        ("{type: payload}", 'a queue of type payload needs "command"'),
        ("{type: python}", 'a queue of type python needs "classes"'),
        ("{type: shell, command: [a]}", "says nothing of a queue of type shell"),
        ("{type: bundle, allow_shell: true}", "says nothing of a queue of type bundle"),
        ("{type: python, classes: {A: 'm:A'}, sandbox: bubblewrap}", "not in a sandbox"),
        ("{type: slurm, sandbox: bubblewrap}", "on nodes of its own"),
        ("{type: python, classes: {A: m.A}}", "must be module:Class"),
        ("{type: shell, wokers: 1}", 'unknown key "wokers" (did you mean "workers"?)'),
        ("{type: slurm, slurm: {ulr: a}}", 'unknown key "ulr" (did you mean "url"?)'),
        ("{type: shell, environment: {A-B: c}}", "a key must be the name of an environment variable"),
        ("{type: shell, environment: {SECRET: '${SECRET}'}}", "SECRET is not for the configuration"),
        ('{type: payload, command: "a \'b"}', "a quote that is never closed"),
        ("{type: payload, command: {a: b}}", "must be a list of words"),
        ("shell", "must be keys with values"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(block: str, said: str) -> None:
    text = wrong(f"queues:\n  q:\n    read: []\n    write: []\n    run: {block}")
    assert said in text
    assert "c.yml:5: queues.q.run" in text


def test_the_routes_of_an_older_system_lead_to_a_queue() -> None:
    text = (
        "facades: {jobd: {queue: q, service: s, port: 8080}}\n"
        "queues: {q: {read: [s], write: [s], run: {type: bundle}}}"
    )
    facades: Any = parse(text.encode(), source="c.yml", environment={}).facades
    assert facades.jobd == JobdSettings(queue="q", service="s", port=8080)
    assert facades.jobrunner.queue is None


def test_a_queue_of_an_older_system_must_be_there() -> None:
    text = wrong(
        "facades:\n  jobd:\n    queue: q\n    slurm_queue: r\n    service: s\n"
        "queues: {q: {read: [], write: [], run: {type: bundle}}}"
    )
    assert text == 'c.yml:4: facades.jobd.slurm_queue: there is no queue "r"'

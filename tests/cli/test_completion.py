"""What the shell completes."""

import pytest

from tests.cli.broker import Terminal


def completed(terminal: Terminal, line: str, **environment: str) -> list[str]:
    """What a shell would offer for the last word of the line."""
    asked = {"_JOBENGINE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    return terminal.type(**(asked | environment)).stdout.decode().split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jobengine queue dr", ["drain", "drop"]),
        ("jobengine job list m", ["mail"]),
        ("jobengine queue info e", ["empty"]),
        ("jobengine job list mail --output j", ["json", "jsonl"]),
    ],
)
def test_commands_options_and_queues_are_completed(terminal: Terminal, line: str, words: list[str]) -> None:
    assert completed(terminal, line) == words


def test_contexts_are_completed(terminal: Terminal) -> None:
    terminal.say("context", "add", "prod", "--url", "http://there:1", "--name", "ops")
    assert completed(terminal, "jobengine context use p") == ["prod"]
    assert completed(terminal, "jobengine job list --context p") == ["prod"]


def test_a_broker_that_does_not_answer_completes_nothing(terminal: Terminal) -> None:
    nobody = "http://127.0.0.1:9"
    assert completed(terminal, "jobengine job list m", JOBENGINE_URL=nobody) == []

"""`${NAME}` in values."""

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.load import parse
from jobengine.settings.placeholders import PlaceholderError, fill


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain $5 {a}", "plain $5 {a}"),
        ("${A}", "one"),
        ("<${A}${A}>", "<oneone>"),
        ("${A:-two}", "one"),
        ("${B:-two}", "two"),
        ("${B:-}", ""),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY}", ""),
        ("$${A}", "${A}"),
        ("${NESTED}", "${A}"),
    ],
)
def test_a_placeholder_is_filled(text: str, filled: str) -> None:
    assert fill(text, {"A": "one", "EMPTY": "", "NESTED": "${A}"}) == filled


@pytest.mark.parametrize(
    "text", ["${B}", "${", "${A", "${1}", "${A:?no}", "${}", "${SECRET}", "${SECRET:-x}"]
)
def test_a_placeholder_that_nothing_fills_is_a_mistake(text: str) -> None:
    with pytest.raises(PlaceholderError):
        fill(text, {"A": "one", "SECRET": "sesame"})


def settings_with(port: str, **environment: str) -> int:
    return parse(f"port: {port}\nqueues: {{}}".encode(), source="config.yml", environment=environment).port


def test_what_is_put_in_has_the_type_that_it_would_have_there() -> None:
    assert settings_with("${PORT}", PORT="7000") == 7000
    assert settings_with("70${TENS:-10}") == 7010


def test_what_is_put_in_between_quotes_stays_text() -> None:
    with pytest.raises(ConfigurationWrong):
        settings_with('"${PORT}"', PORT="7000")


def test_a_mistake_shows_what_was_written_not_what_the_environment_holds() -> None:
    with pytest.raises(ConfigurationWrong) as refusal:
        settings_with("${PORT}", PORT="password")
    assert refusal.value.mistakes == (
        'config.yml:1: port: must be a whole number from 0 to 65535, not "${PORT}"',
    )


def test_an_unset_variable_is_told_with_its_line() -> None:
    with pytest.raises(ConfigurationWrong) as refusal:
        settings_with("${PORT}")
    assert refusal.value.mistakes == (
        "config.yml:1: port: the environment has no PORT, and there is no default (${PORT:-default})",
    )


def test_keys_are_left_alone() -> None:
    with pytest.raises(ConfigurationWrong, match='unknown key "\\$\\{KEY\\}"'):
        parse(b"queues: {}\n${KEY}: 1", source="config.yml", environment={"KEY": "port"})

"""The log: one line per event."""

import io
import json
import logging
import re
import warnings
from collections.abc import Iterator

import pytest
import structlog

from jobengine.errors import ConfigurationWrong
from jobengine.settings.logs import set_up_logs


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines_of(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def log_to(**environment: str) -> io.StringIO:
    stream = io.StringIO()
    set_up_logs(environment, stream=stream)
    return stream


def test_a_line_of_text_says_when_how_urgent_and_what() -> None:
    stream = log_to()
    structlog.get_logger().info("queue_dropped", queue="mail", jobs=3, reason="an edit\nof two lines")
    (line,) = lines_of(stream)
    time, rest = line.split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", time)
    assert rest == r'info    queue_dropped queue=mail jobs=3 reason="an edit\nof two lines"'


def test_several_reasons_stand_beside_each_other() -> None:
    stream = log_to()
    structlog.get_logger().error("refused", reasons=["one", "two"])
    assert stream.getvalue().endswith(' refused reasons="one; two"\n')


def test_a_line_of_json_is_one_object() -> None:
    stream = log_to(LOG_FORMAT="json")
    structlog.get_logger().warning("queue_dropped", queue="mail", jobs=3)
    event = json.loads(stream.getvalue())
    assert event.pop("timestamp").endswith("Z")
    assert event == {"level": "warning", "event": "queue_dropped", "queue": "mail", "jobs": 3}


@pytest.mark.parametrize("style", ["text", "json"])
def test_libraries_write_lines_of_the_same_kind(style: str) -> None:
    stream = log_to(LOG_FORMAT=style)
    logging.getLogger("aiohttp.server").error("two\nlines")
    (line,) = lines_of(stream)
    assert "aiohttp.server" in line
    assert r"two\nlines" in line


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_traceback_stays_on_the_line_of_its_event(style: str) -> None:
    stream = log_to(LOG_FORMAT=style)
    try:
        raise ValueError("no")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("aiohttp").exception("failed too")
    assert [line.count("ValueError: no") for line in lines_of(stream)] == [1, 1]


@pytest.mark.parametrize("name", ["secret", "SECRET", "content"])
@pytest.mark.parametrize("style", ["text", "json"])
def test_what_is_never_logged_is_hidden(style: str, name: str) -> None:
    stream = log_to(LOG_FORMAT=style)
    structlog.get_logger().info("slip", **{name: "sesame"})
    assert "sesame" not in stream.getvalue()
    assert "(hidden)" in stream.getvalue()


@pytest.mark.parametrize(
    ("environment", "levels"),
    [
        ({}, ["info", "warning", "error"]),
        ({"LOG_LEVEL": "debug"}, ["debug", "info", "warning", "error"]),
        ({"LOG_LEVEL": "error"}, ["error"]),
        ({"GIN_MODE": "debug"}, ["debug", "info", "warning", "error"]),
        ({"GIN_MODE": "release"}, ["info", "warning", "error"]),
        ({"GIN_MODE": "debug", "LOG_LEVEL": "warning"}, ["warning", "error"]),
        ({"LOG_LEVEL": "", "GIN_MODE": ""}, ["info", "warning", "error"]),
    ],
)
def test_the_level_is_what_the_environment_says(environment: dict[str, str], levels: list[str]) -> None:
    stream = log_to(LOG_FORMAT="json", **environment)
    for level in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), level)("ours")
        getattr(logging.getLogger("aiohttp"), level)("theirs")
    assert [json.loads(line)["level"] for line in lines_of(stream)] == [
        each for each in levels for _ in range(2)
    ]


@pytest.mark.parametrize("name", ["LOG_LEVEL", "LOG_FORMAT", "GIN_MODE"])
def test_a_word_that_means_nothing_is_a_mistake(name: str) -> None:
    with pytest.raises(ConfigurationWrong, match=f'{name}: must be one of .*, not "loud"'):
        log_to(**{name: "loud"})


def test_warnings_of_python_are_lines_too() -> None:
    stream = log_to()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old ways", stacklevel=1)
        logging.captureWarnings(capture=False)
    assert len(lines_of(stream)) == 1

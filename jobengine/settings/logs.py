"""The log: one line per event to stderr, as text or JSON; the lines of libraries among them."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TextIO, TypeVar

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from jobengine.errors import ConfigurationWrong

# What stands in these may be a secret of the operator's or of the callers'.
NEVER_LOGGED: Final = frozenset({"secret", "content"})

Choice = TypeVar("Choice", bound=StrEnum)

_BARE: Final = re.compile(r"[A-Za-z0-9._:/@%+*-]+", re.ASCII)


class Level(StrEnum):
    """The least urgent events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Format(StrEnum):
    """How a line looks."""

    TEXT = "text"
    JSON = "json"


class GinMode(StrEnum):
    """How the system that the configuration comes from was told its level."""

    RELEASE = "release"
    DEBUG = "debug"


def set_up_logs(environment: Mapping[str, str], *, stream: TextIO = sys.stderr) -> None:
    """Log as LOG_LEVEL, LOG_FORMAT and GIN_MODE say. Raises ConfigurationWrong if they make no sense."""
    gin_mode = _choice(GinMode, environment, "GIN_MODE", default=GinMode.RELEASE)
    default = Level.DEBUG if gin_mode is GinMode.DEBUG else Level.INFO
    level = logging.getLevelNamesMapping()[_choice(Level, environment, "LOG_LEVEL", default=default).upper()]
    style = _choice(Format, environment, "LOG_FORMAT", default=Format.TEXT)
    structlog.configure(
        processors=[*_stamps(), ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: logging.getLogger("jobengine"),
    )
    _set_up_libraries(
        level, structlog.processors.JSONRenderer() if style is Format.JSON else render_text, stream
    )


def hide(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Whatever a slip would log under a name that is never logged is not shown."""
    return {key: "(hidden)" if key.lower() in NEVER_LOGGED else value for key, value in event.items()}


def render_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Time, level, event, then name=value; a value with anything odd in it is quoted as in JSON."""
    time, level, name = event.pop("timestamp"), event.pop("level"), event.pop("event")
    return " ".join([time, f"{level:<7}", _one_line(name), *(f"{key}={_value(event[key])}" for key in event)])


def _stamps() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide,
    ]


def _set_up_libraries(level: int, render: Processor, stream: TextIO) -> None:
    lines = logging.StreamHandler(stream)
    lines.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_stamps()],
            processors=[ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[lines], level=level, force=True)
    logging.captureWarnings(capture=True)
    for talkative in ("asyncio", "watchfiles"):
        logging.getLogger(talkative).setLevel(max(level, logging.WARNING))


def _choice(legal: type[Choice], environment: Mapping[str, str], name: str, *, default: Choice) -> Choice:
    written = environment.get(name) or default
    if written not in set(legal):
        raise ConfigurationWrong(f"{name}: must be one of {', '.join(legal)}, not {json.dumps(written)}")
    return legal(written)


def _one_line(text: object) -> str:
    return str(text) if str(text).isprintable() else json.dumps(str(text))


def _value(value: object) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())

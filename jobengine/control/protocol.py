"""What is said over the control socket: one line of JSON asks, lines of JSON answer, the last one for good.

    {"ask": "compact"}
    {"ask": "rekey", "secret": "…", "new_secret": "…"}
    {"ask": "plan", "configuration": "…", "source": "…"}
    {"ask": "info"}

    {"answer": "progress", "bytes_written": …}              any number of times
    {"answer": "result", "value": {…}}                      or
    {"answer": "refused", "code": "…", "detail": "…"}

A connection is for one question. A SECRET travels here and nowhere else: nothing of this is ever logged.
"""

from typing import Final

from msgspec import Raw, Struct

from jobengine.settings.snapshot import FILE_MOST_BYTES

LINE_MOST_BYTES: Final = 8 * FILE_MOST_BYTES  # a whole configuration; JSON may write a byte as six
LINE_SECONDS: Final = 10.0  # for a question to come whole
PROGRESS_SECONDS: Final = 0.5  # between two signs of life
SILENCE_SECONDS: Final = 30.0  # without any, the server is taken for hung


class Compact(Struct, frozen=True, tag_field="ask", tag="compact"):
    """Write the database file anew. Answered with Compacted."""


class Rekey(Struct, frozen=True, tag_field="ask", tag="rekey"):
    """Write the database file anew, under a new SECRET. Answered with Compacted."""

    secret: str  # whoever asks has to know it
    new_secret: str

    def __repr__(self) -> str:
        return "Rekey(…)"


class Plan(Struct, frozen=True, tag_field="ask", tag="plan"):
    """Say what the server would do with this configuration. Answered with Edit. Nothing is changed."""

    configuration: str
    source: str  # what mistakes name it by


class Info(Struct, frozen=True, tag_field="ask", tag="info"):
    """Say who serves what. Answered with Serving."""


Question = Compact | Rekey | Plan | Info


class Progress(Struct, frozen=True, tag_field="answer", tag="progress"):
    """It goes on."""

    bytes_written: int


class Result(Struct, frozen=True, tag_field="answer", tag="result"):
    """It is done."""

    value: Raw  # as the question says


class Refused(Struct, frozen=True, tag_field="answer", tag="refused"):
    """It was not done, and why."""

    code: str
    detail: str


Answer = Progress | Result | Refused


class Serving(Struct, frozen=True):
    """The running server."""

    pid: int
    version: str
    database: str
    bytes: int
    sequence: int  # of the last commit on disk

"""`jobengine job log`."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.asking import Asking, QueueName
from jobengine.cli.job.options import Uid
from jobengine.cli.output import Format, print_json

if TYPE_CHECKING:
    from jobengine.client.results import LogPiece

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on while it is run, until it has ended.")]


def log(
    asking: Asking,
    queue: QueueName,
    uid: Uid,
    follow: Follow = False,  # noqa: FBT002
) -> None:
    """Tell what a job has written: what went to its standard error goes to yours."""
    ends: dict[str, int] = {}
    with suppress(KeyboardInterrupt):
        for piece in asking.client.log(queue, uid, follow=follow):
            if asking.output is Format.TABLE:
                _write(piece, cut=piece.offset - ends.get(piece.stream, 0))
            else:
                print_json(piece)
            ends[piece.stream] = piece.end
            sys.stdout.flush()


def _write(piece: "LogPiece", *, cut: int) -> None:
    stream = sys.stderr if piece.stream == "err" else sys.stdout
    text = _obeyed_by_nothing(piece.data) if stream.isatty() else piece.data
    if cut > 0:
        text = f"\n[… {cut} bytes cut …]\n".encode() + text
    stream.buffer.write(text)
    stream.buffer.flush()


def _obeyed_by_nothing(data: bytes) -> bytes:
    """Without what a terminal would obey, but for ends of lines and tabs."""
    text = data.decode(errors="replace")
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text).encode()

"""Commands that were not written as they must be."""

from typing import IO, Any

import typer

from jobengine.cli.output import printable


class WrittenWrong(typer.BadParameter):
    """What its parts say together is wrong, or too little: a line of its own, and exit code 64."""

    def show(self, file: IO[Any] | None = None) -> None:
        """The command, and what is wrong with it."""
        command = "jobengine" if self.ctx is None else self.ctx.command_path
        typer.echo(printable(f"{command}: {self.message}"), file=file, err=True)

"""Having the database file written anew: by the server that uses it, else here and now."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from jobengine.cli.db.options import answer, size
from jobengine.cli.db.progress import progress
from jobengine.control.client import Control, fatal
from jobengine.control.desk import bytes_written
from jobengine.control.protocol import PROGRESS_SECONDS, Compact, Rekey
from jobengine.engine.interface import Compacted
from jobengine.engine.opening import open_engine
from jobengine.errors import (
    ConfigurationWrong,
    Fatal,
    InputOutputFailed,
    Interrupted,
    JobEngineError,
    Locked,
    StorageFull,
    Unavailable,
)
from jobengine.journal.files import REAL_FILES, old_paths
from jobengine.journal.owner import OwnedFiles
from jobengine.settings.environment import configuration_path
from jobengine.settings.load import load
from jobengine.settings.logs import set_up_logs

_UNREACHABLE = (
    "and its control socket cannot be reached: it is starting or stopping, or another user's, or on another "
    "machine; try again, or stop it first"
)
_GOES_ON = (
    "The server goes on with it; `jobengine db info` says by the age of the data key whether it is done"
)
_GOES_ON_WITH_REKEY = (
    "The server goes on with it: keep both SECRETs until `jobengine db verify` says which one opens the file"
)
_BROKEN_OFF = "Interrupted: the old file stays in use"


def rewrite(database: Path, question: Compact | Rekey, *, secret: Callable[[], str]) -> Compacted:
    """Do what is asked. `secret` gives the SECRET, which is needed when no server uses the file.

    Raises Fatal.
    """
    if not database.exists():
        raise Fatal(f"{database}: there is no such database file; --db or DB_PATH names another one")
    with progress("writing anew", database.stat().st_size) as told:
        control = Control.reach(database)
        if control is not None:
            return _through_the_server(control, question, told)
        return _at_rest(database, question, secret(), told)


def tell(compacted: Compacted, database: Path, *, as_json: bool) -> None:
    """Print what came of it."""
    before, after = size(compacted.bytes_before), size(compacted.bytes_after)
    line = f"{database}: written anew in {compacted.seconds:.1f} s: {before} before, {after} now"
    document = {
        "path": str(database),
        "bytes_before": compacted.bytes_before,
        "bytes_after": compacted.bytes_after,
        "seconds": compacted.seconds,
        "sequence": compacted.sequence,
    }
    answer(document, [line], as_json=as_json)


def _through_the_server(
    control: Control, question: Compact | Rekey, told: Callable[[int], object]
) -> Compacted:
    try:
        return control.ask(question, Compacted, observe=lambda seen: told(seen.bytes_written))
    except KeyboardInterrupt:
        raise Interrupted(_GOES_ON_WITH_REKEY if isinstance(question, Rekey) else _GOES_ON) from None


def _at_rest(
    database: Path, question: Compact | Rekey, secret: str, told: Callable[[int], object]
) -> Compacted:
    set_up_logs(os.environ)  # what opening has to say goes to stderr
    new_secret = question.new_secret if isinstance(question, Rekey) else None
    try:
        return asyncio.run(_compact(database, secret, new_secret, told))
    except Locked as refusal:
        raise Locked(f"{refusal.detail}, {_UNREACHABLE}") from None
    except Fatal:
        raise
    except Unavailable as refusal:
        raise InputOutputFailed(refusal.detail) from None
    except JobEngineError as refusal:
        raise fatal(refusal.code, refusal.detail) from None


async def _compact(
    database: Path, secret: str, new_secret: str | None, told: Callable[[int], object]
) -> Compacted:
    engine = open_engine(
        database, secret, files=OwnedFiles(database), keep_old_files=_old_files_to_keep(database)
    )
    engine.start(on_failure=lambda _: None)  # who waits is told as well
    compacting, is_interrupted = asyncio.create_task(engine.compact(new_secret)), False
    try:
        while not (await asyncio.wait((compacting,), timeout=PROGRESS_SECONDS))[0]:
            told(bytes_written(database))
    except asyncio.CancelledError:  # Ctrl-C: stopping breaks it off, unless it is done by then
        is_interrupted = True
    finally:
        await engine.stop()
    try:
        return await compacting
    except (Unavailable, StorageFull):
        if is_interrupted:
            raise Interrupted(_BROKEN_OFF) from None
        raise


def _old_files_to_keep(database: Path) -> int:
    """As many as the configuration says, where it can be read, and never fewer than there are."""
    present = len(old_paths(REAL_FILES, database))
    try:
        return max(present, load(configuration_path(os.environ), os.environ).database.keep_old_files)
    except ConfigurationWrong:
        return present

"""A configuration to Settings: everything is checked, and all mistakes of a file are told at once."""

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from jobengine.errors import ConfigurationWrong
from jobengine.settings.dead_letters import LEADS_BACK, lead_back
from jobengine.settings.document import compose
from jobengine.settings.mistakes import Mistakes
from jobengine.settings.option import QUEUE
from jobengine.settings.options import options_of
from jobengine.settings.queue_files import QueueFile, QueueFiles, read_queue_files
from jobengine.settings.reader import Reader, is_name
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.settings.snapshot import decode, read


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """The settings of this file, and of the queues with files of their own. Raises ConfigurationWrong."""
    settings = parse(read(path).data, source=str(path), environment=environment)
    held = read_queue_files(queue_directory(path, settings))
    return join(settings, held, source=str(path), environment=environment)


def queue_directory(path: Path, settings: Settings) -> Path:
    """Where the queues of this configuration have their own files."""
    return path.parent / settings.config_dir


def parse(data: bytes, *, source: str, environment: Mapping[str, str]) -> Settings:
    """The settings that these bytes say; `source` names them in mistakes. Raises ConfigurationWrong."""
    root = compose(decode(data, source), source=source)
    if root is None:
        raise ConfigurationWrong(f'{source}:1: is empty (write "queues: {{}}" for no queues)')
    mistakes = Mistakes(source)
    values = Reader(environment, mistakes).settings(root)
    mistakes.check()
    return msgspec.convert(values, Settings)


def join(settings: Settings, held: QueueFiles, *, source: str, environment: Mapping[str, str]) -> Settings:
    """These settings, and the queues of these files. Raises ConfigurationWrong for all of them at once."""
    configured = {queue.name for queue in settings.queues}
    names = configured | {file.name for file in held.files}
    queues, wrong = list(settings.queues), list[str]()
    for file in held.files:
        mistakes = Mistakes(str(file.path))
        if not is_name(file.name):
            mistakes.add(1, (), "is not called as a queue may be called; take it away if it is none")
        if file.name in configured:
            mistakes.add(1, (), f"the queue {file.name} stands in {source} too: take one of the two away")
        try:
            queues.append(read_queue(file, settings, names, environment=environment, mistakes=mistakes))
        except ConfigurationWrong as found:
            wrong += found.mistakes
    targets = {queue.name: queue.dead_letter for queue in queues}
    wrong += [
        f"{file.path}:1: dead_letter: {LEADS_BACK}" for file in held.files if lead_back(targets, file.name)
    ]
    if wrong:
        raise ConfigurationWrong(*wrong)
    return settings.with_queues(queues)


def read_queue(
    file: QueueFile,
    settings: Settings,
    names: Collection[str],
    *,
    environment: Mapping[str, str],
    mistakes: Mistakes,
) -> QueueSettings:
    """The queue of one file, where there are queues of these names. Raises ConfigurationWrong."""
    root = compose(decode(file.data, str(file.path)), source=str(file.path))
    if root is None:
        raise ConfigurationWrong(f'{file.path}:1: is empty (write "read: []" and "write: []" for nobody)')
    # Who may make queues may not read the environment.
    reader = Reader(None if file.is_made_by_api else environment, mistakes)
    values = reader.queue(file.name, root, line=1, place=())
    reader.check_dead_letters(names)
    if file.is_made_by_api and "run" in values:
        mistakes.add(1, ("run",), "only who writes the configuration may say what is run on this machine")
    mistakes.check()
    inherited = {
        name: getattr(settings, name) for name, option in options_of(QUEUE).items() if option.inherits
    }
    return msgspec.convert({**inherited, **values, "is_made_by_api": file.is_made_by_api}, QueueSettings)

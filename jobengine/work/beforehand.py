"""What can be known of a queue's `run` block before any of its jobs is run, and without changing anything."""

from jobengine.errors import ConfigurationWrong
from jobengine.settings.run import RunType
from jobengine.settings.schema import QueueSettings
from jobengine.work.conditions import Conditions
from jobengine.work.lanes import shared
from jobengine.work.python_class import import_classes
from jobengine.work.slurm.commands import check_programs


def check_beforehand(queue: QueueSettings) -> None:
    """Its classes, its user, the programs that it needs. Raises ConfigurationWrong, which names the queue.

    Whether a sandbox works is not known before something was started in it.
    """
    run = queue.run
    try:
        if run.type is RunType.PYTHON:
            import_classes(run.classes)
        elif run.type is not RunType.SLURM or run.slurm.url is None:
            Conditions.of(run, shared(), directory=None, log_bytes=queue.log_bytes)
            if run.type is RunType.SLURM:
                check_programs()
    except ConfigurationWrong as wrong:
        raise ConfigurationWrong(f"queues.{queue.name}: {wrong.detail}") from None

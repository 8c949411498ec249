"""Which commands need more room on the disk for good: those that a nearly full one refuses first."""

from msgspec import UNSET

from jobengine.model.blob import length_of
from jobengine.model.commands import Act, Amend, Command, Control, Create, Log, Update
from jobengine.model.ledger import Ledger


def grows(command: Command, ledger: Ledger) -> bool:
    """Whether it adds a job or output, or makes the content of a job larger."""
    match command:
        case Create() | Log() | Control(act=Act.CLONE):
            return True
        case Amend(queue=queue, uid=uid, content=content) if content is not UNSET:
            job = ledger.job(queue, uid)
            return job is not None and length_of(content) > length_of(job.content)
        case Update(queue=queue, uid=uid, content=content) if content is not None:
            job = ledger.job(queue, uid)
            return job is not None and length_of(content) > length_of(job.content)
        case _:
            return False

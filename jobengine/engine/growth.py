"""Which commands need more room on the disk for good: those that a nearly full one refuses first."""

from jobengine.model.commands import Command, Create, Update
from jobengine.model.job import Blob
from jobengine.model.ledger import Ledger


def grows(command: Command, ledger: Ledger) -> bool:
    """Whether it adds a job, or makes the content of one larger."""
    match command:
        case Create():
            return True
        case Update(queue=queue, uid=uid, content=content) if content is not None:
            job = ledger.job(queue, uid)
            return job is not None and _length(content) > _length(job.content)
        case _:
            return False


def _length(content: bytes | Blob) -> int:
    return content.length if isinstance(content, Blob) else len(content)

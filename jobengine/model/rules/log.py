"""What a job that is run writes."""

from collections.abc import Iterable, Mapping

from jobengine.errors import BadState, LeaseLost, LogFull
from jobengine.model.blob import length_of
from jobengine.model.changes import AppendLog, Change, DropJob, DropLog
from jobengine.model.commands import Answer, Log
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from jobengine.model.log import CHUNKS_MOST, Chunk, JobLog
from jobengine.model.moment import Moment
from jobengine.model.queue import Queue
from jobengine.model.rules.passing import current
from jobengine.model.states import State
from jobengine.model.view import View


def log(view: View, command: Log, moment: Moment) -> Decision[Answer]:
    """Put a piece behind those that are there. The same once more changes nothing.

    A piece that begins behind the end of its stream is taken: what lies between was cut out. The first piece
    of an attempt takes the place of what an earlier one has written. Raises NotFound, LeaseLost, LogFull.
    """
    queue = view.queue(command.queue)
    job = current(view, queue.name, command.uid, moment)
    if not job.lease or job.lease != command.lease or job.state is not State.INPROGRESS:
        raise LeaseLost
    before = view.log(queue.name, job.uid)
    written = before if before is not None and before.epoch == job.epoch else JobLog(job.epoch)
    piece = Chunk(command.stream, command.offset, command.data)
    chunk = written.rest(piece)
    if chunk is None:
        _check_is_known(written, piece)
        return Decision((), job)
    _check_room(written, chunk, queue)
    changes: list[Change] = [AppendLog(queue.name, job.uid, job.epoch, chunk)]
    if before is None:
        changes += _without_oldest(view, queue, {})
    return Decision(tuple(changes), job)


def _check_is_known(written: JobLog, piece: Chunk) -> None:
    """Raises BadState for a big piece that is there in part."""
    end = written.end(piece.stream)
    if piece.end > end:
        raise BadState(f"the log goes on at offset {end}")


def _check_room(written: JobLog, chunk: Chunk, queue: Queue) -> None:
    """A quarter more than the queue says: whoever cuts the middle out learns late how long the end is."""
    most = queue.log_bytes + queue.log_bytes // 4
    if written.bytes + length_of(chunk.data) > most or len(written.chunks) >= CHUNKS_MOST:
        raise LogFull(f"the log of a job of this queue may have {queue.log_bytes} bytes")


def oldest_logs(view: View, queue: Queue, left: Iterable[Job], changes: Iterable[Change]) -> list[Change]:
    """What goes when nobody runs these jobs any more: only the most recent logs of such jobs are kept.

    A job that the changes drop takes its log along, and needs no place among them.
    """
    coming = {job.uid: job for job in left if view.log(queue.name, job.uid) is not None}
    if not coming:
        return []
    for each in changes:
        if isinstance(each, DropJob) and each.queue == queue.name:
            coming.pop(each.uid, None)
    return _without_oldest(view, queue, coming)


def _without_oldest(view: View, queue: Queue, coming: Mapping[str, Job]) -> list[Change]:
    idle = [job for job in view.idle_with_log(queue.name) if job.uid not in coming]
    idle += coming.values()
    idle.sort(key=lambda job: job.updated)
    return [DropLog(queue.name, job.uid) for job in idle[: max(0, len(idle) - queue.keep_logs)]]

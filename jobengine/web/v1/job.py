"""A job as API v1 shows it: the seven documented fields and no others."""

from jobengine.model.job import Job


def job_json(job: Job, content: bytes) -> bytes:
    """The job as JSON. `content` is the job's own, wherever it stands; it is shown as it came."""
    created = job.created // 1000
    # Once a job was touched, `last_updated` is later than `created`, as documented, in the same second too.
    updated = created if job.updated == job.created else max(job.updated // 1000, created + 1)
    return (
        b'{"content":%b,"created":%d,"last_updated":%d,"priority":%d,"state":"%b","timeout_time":%d,"uid":"%b"}'
        % (
            content,
            created,
            updated,
            job.priority,
            job.state.encode(),
            job.expires // 1000,
            job.uid.encode(),
        )
    )

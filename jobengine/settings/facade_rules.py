"""What older systems' routes need, and what does not go together with them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jobengine.settings.mistakes import quote
from jobengine.settings.run import RunType

# The type of the jobs that each makes, by the key of its queue.
_TYPES: Final = {
    "jobd": {"queue": RunType.BUNDLE, "slurm_queue": RunType.SLURM},
    "jobrunner": {"queue": RunType.PAYLOAD},
    "linux_job_worker": {"queue": RunType.SHELL},
    "job_manager": {"queue": RunType.PYTHON},
}

Options = Mapping[str, Any]


def wrong_facades(values: Options, queues: Mapping[str, Options]) -> Iterator[tuple[str, str, str]]:
    """Of each mistake the facade and the key that it is about, and what it is."""
    facades = values.get("facades")
    for name, options in facades.items() if isinstance(facades, dict) else ():
        if not isinstance(options, dict):
            continue
        for key, kind in _TYPES[name].items():
            target = options.get(key)
            if target is not None and (wrong := _wrong_queue(str(target), kind, queues)) is not None:
                yield name, key, wrong
        if options.get("queue") is not None:
            for key, wrong in _wrong_door(name, options, values.get("tls")):
                yield name, key, wrong


def _wrong_queue(target: str, kind: RunType, queues: Mapping[str, Options]) -> str | None:
    if target not in queues:
        return f"there is no queue {quote(target)}"
    run = queues[target].get("run")
    if not isinstance(run, dict) or run.get("type") != kind:
        return f'the queue {quote(target)} must have a "run" of type {kind}'
    return None


def _wrong_door(name: str, options: Options, main_tls: Any) -> Iterator[tuple[str, str]]:
    is_apart = options.get("port") is not None
    own_tls = options.get("tls")
    tls = own_tls if is_apart else main_tls
    if options.get("service") is None and not _names_everybody(tls):
        where = f"facades.{name}.tls" if is_apart else "tls"
        yield "queue", f'needs "service", or a certificate of each client ({where}.require_client_cert: true)'
    if isinstance(own_tls, dict) and own_tls.get("cert") and not is_apart:
        yield "tls", 'says nothing without a "port": beside the API the "tls" of the server holds'


def _names_everybody(tls: Any) -> bool:
    return isinstance(tls, dict) and bool(tls.get("cert")) and tls.get("require_client_cert") is True

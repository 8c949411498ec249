"""What the shell completes: names of contexts and of queues."""

import os


def context_names(incomplete: str) -> list[str]:
    """Those that are kept."""
    from jobengine.cli.contexts import load_contexts
    from jobengine.errors import JobEngineError

    try:
        names = load_contexts(os.environ).contexts
    except JobEngineError:
        return []  # nobody wants an error in the middle of a line
    return [name for name in names if name.startswith(incomplete)]


def queue_names(incomplete: str) -> list[str]:
    """Those of the broker in use, when it answers at once."""
    from jobengine.cli.asking import client_of
    from jobengine.cli.contexts import Context
    from jobengine.errors import JobEngineError

    try:
        with client_of(Context(), None, answer_seconds=1, retry_seconds=0) as client:
            names = [queue.name for queue in client.queues()]
    except JobEngineError:
        return []
    return [name for name in names if name.startswith(incomplete)]

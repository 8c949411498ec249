"""A queue's settings as they would be written: what API v2 shows, and takes."""

from jobengine.settings.options import QUEUE, options_of
from jobengine.settings.schema import QueueSettings
from jobengine.settings.writing import document


def description(queue: QueueSettings) -> dict[str, object]:
    """Every option of the queue with its value, in the types of JSON."""
    return {name: document(option.kind, getattr(queue, name)) for name, option in options_of(QUEUE).items()}

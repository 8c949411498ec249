"""Who is asking, and may they."""

from jobengine.access.rights import Access, Action, QueueRights, Right

__all__ = ["Access", "Action", "QueueRights", "Right"]

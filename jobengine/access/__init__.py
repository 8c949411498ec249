"""Who is asking, and may they."""

from jobengine.access.rights import DOCUMENTED_RIGHTS, Access, Action, QueueRights, Right

__all__ = ["DOCUMENTED_RIGHTS", "Access", "Action", "QueueRights", "Right"]

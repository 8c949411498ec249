"""Jobs in the order of a key."""

from typing import Final

from sortedcontainers import SortedKeyList


class JobList(SortedKeyList):  # type: ignore[misc]  # it has no types
    """A sorted list in pieces of some hundred jobs, smaller than usual.

    Jobs come and go one by one, at any place: that takes a fifth less, and finding one by its position, which
    is seldom asked, more.
    """

    DEFAULT_LOAD_FACTOR: Final = 400

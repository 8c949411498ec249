"""Uids by time, found in steps of about a second: a hashed timing wheel (Varghese and Lauck, 1987).

Taking one in or out touches one small dictionary, whereas a sorted container of a million is searched for
its place in it: that took a fifth of a claim. What an exact order is not needed for stands here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from sortedcontainers import SortedList

_STEP_BITS: Final = 10  # of a time in ms: a step is 1,024 of them
_BLOCK_BITS: Final = 10  # of an arrival: no more jobs than so many share a bucket, be they due at once
_ARRIVAL_BITS: Final = 52


class TimingWheel:
    """A bucket for each step of time and block of arrivals; a lone uid stands for a bucket of one.

    What is taken in at once stands in lists, which take a tenth of the room, until it is touched.
    """

    __slots__ = ("_buckets", "_keys")

    def __init__(self, entries: Iterable[tuple[int, int, str]] = ()) -> None:
        """Entries are those that `add` takes: all at once is quicker."""
        self._buckets: dict[int, str | list[str] | dict[str, None]] = {
            key: uids if len(uids) > 1 else uids[0] for key, uids in _in_buckets(entries).items()
        }
        self._keys: SortedList[int] = SortedList(self._buckets)  # of the buckets, the next one first

    def add(self, time: int, arrival: int, uid: str) -> None:
        """Take this uid in, under its time in ms."""
        key = _key(time, arrival)
        if self._put(key, uid):
            self._keys.add(key)

    def add_all(self, entries: Iterable[tuple[int, int, str]]) -> None:
        """Take all of these in, as `add` does one by one."""
        for key, uids in _in_buckets(entries).items():
            there = self._buckets.get(key)
            if there is None:
                self._buckets[key] = uids if len(uids) > 1 else uids[0]
                self._keys.add(key)
            elif isinstance(there, str):
                self._buckets[key] = [there, *uids]
            elif isinstance(there, list):
                there += uids
            else:
                there.update(dict.fromkeys(uids))

    def _put(self, key: int, uid: str) -> bool:
        """Whether that made a new bucket."""
        there = self._buckets.get(key)
        if there is None:
            self._buckets[key] = uid
        elif isinstance(there, str):
            self._buckets[key] = {there: None, uid: None}
        elif isinstance(there, list):
            self._buckets[key] = dict.fromkeys((*there, uid))
        else:
            there[uid] = None
        return there is None

    def remove(self, time: int, arrival: int, uid: str) -> None:
        """Take this uid out, which was taken in under this time."""
        key = _key(time, arrival)
        there = self._buckets[key]
        if isinstance(there, list):
            there = self._buckets[key] = dict.fromkeys(there)
        if not isinstance(there, str):
            del there[uid]
            left = len(there)
            if left & (left - 1):
                return
            if left > 1:  # half of it is gone: a dictionary does not give memory back by itself
                self._buckets[key] = dict(there)
                return
            if left:
                self._buckets[key] = next(iter(there))
                return
        del self._buckets[key]
        self._keys.remove(key)

    def until(self, time: int) -> Iterator[str]:
        """All uids whose time has come, and some whose time comes within about a second."""
        last = _key(time + (1 << _STEP_BITS), 0)
        for key in self._keys:
            if key >= last:
                return
            there = self._buckets[key]
            if isinstance(there, str):
                yield there
            else:
                yield from there


def _in_buckets(entries: Iterable[tuple[int, int, str]]) -> dict[int, list[str]]:
    lists: defaultdict[int, list[str]] = defaultdict(list)
    for time, arrival, uid in entries:
        lists[_key(time, arrival)].append(uid)
    return lists


def _key(time: int, arrival: int) -> int:
    return time >> _STEP_BITS << (_ARRIVAL_BITS - _BLOCK_BITS) | arrival >> _BLOCK_BITS

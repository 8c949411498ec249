"""Idempotency keys: which request made which jobs, so that the same one again makes none."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from sortedcontainers import SortedDict

KEEP_MS: Final = 24 * 60 * 60 * 1000
KEYS_MOST: Final = 1_000_000
KEY_OVERHEAD_BYTES: Final = 480  # of memory
UID_BYTES: Final = 16


class Key(Struct, frozen=True, gc=False):
    """A key that a client chose, as a hash, and what its first request made."""

    hash: bytes  # of the service, the queue and the key
    number: int  # rises from key to key
    time: int  # ms since the Unix epoch
    body: bytes  # a hash of the request's body
    uids: bytes  # of the jobs that it made, 16 bytes each

    @classmethod
    def of(cls, hash_: bytes, number: int, time: int, body: bytes, uids: Iterable[str]) -> "Key":
        """The key of a request that made jobs with these uids."""
        return cls(hash_, number, time, body, b"".join(bytes.fromhex(uid.replace("-", "")) for uid in uids))

    def each_uid(self) -> Iterator[str]:
        """The uids of the jobs that it made, in order."""
        for start in range(0, len(self.uids), UID_BYTES):
            digits = self.uids[start : start + UID_BYTES].hex()
            yield f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Keys:
    """All keys that are remembered, found by their hash and by their age."""

    __slots__ = ("_by_hash", "_by_number")

    def __init__(self) -> None:
        self._by_hash: dict[bytes, Key] = {}
        self._by_number: SortedDict[int, Key] = SortedDict()

    def __len__(self) -> int:
        return len(self._by_hash)

    @property
    def next_number(self) -> int:
        """Of the next key to come."""
        return self._by_number.peekitem(-1)[0] + 1 if self._by_number else 1

    def find(self, hash_: bytes, now: int) -> Key | None:
        """The key with this hash, when it is to be remembered still."""
        key = self._by_hash.get(hash_)
        return key if key is not None and key.time > now - KEEP_MS else None

    def put(self, key: Key) -> list[Key]:
        """Remember it. Returns what was forgotten for it: one with its hash."""
        before = self._by_hash.get(key.hash)
        if before is not None:
            del self._by_number[before.number]
        self._by_hash[key.hash] = key
        self._by_number[key.number] = key
        return [] if before is None else [before]

    def drop(self, number: int) -> list[Key]:
        """Forget all up to this number. Returns them."""
        dropped = [self._by_number[each] for each in list(self._by_number.irange(maximum=number))]
        for key in dropped:
            del self._by_number[key.number], self._by_hash[key.hash]
        return dropped

    def remove(self, key: Key) -> None:
        """Forget this one."""
        del self._by_number[key.number], self._by_hash[key.hash]

    def outdated(self, now: int, most: int, room_for: int = 0) -> int | None:
        """The number up to which to forget: those too old, and those too many; at most so many of them."""
        surplus = len(self) + room_for - KEYS_MOST
        last = None
        for place, number in enumerate(self._by_number.islice(0, most)):
            if place >= surplus and self._by_number[number].time > now - KEEP_MS:
                break
            last = number
        return last

    def behind(self, number: int, most: int) -> list[Key]:
        """The next keys behind this number."""
        numbers = self._by_number.irange(minimum=number, inclusive=(False, True))
        return [self._by_number[each] for each, _ in zip(numbers, range(most), strict=False)]

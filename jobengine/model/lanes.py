"""Jobs in their order: a lane for each priority, and in it one behind the other as they came."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Final

from jobengine.model.job import ARRIVAL_BITS, Job

PIECE: Final = 500  # jobs: to take one out of its midst is quick, and there are few pieces of a million

_by_order = attrgetter("order")


class Lane:
    """Jobs of one priority, in pieces. Most come at the end and go at the front. Never empty."""

    __slots__ = ("_pieces",)

    def __init__(self, jobs: list[Job]) -> None:
        """The jobs are in order, and at least one."""
        self._pieces = [jobs[start : start + PIECE] for start in range(0, len(jobs), PIECE)]

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __iter__(self) -> Iterator[Job]:
        return chain.from_iterable(self._pieces)

    def __reversed__(self) -> Iterator[Job]:
        return chain.from_iterable(map(reversed, reversed(self._pieces)))

    @property
    def first(self) -> Job:
        """The one that came first."""
        return self._pieces[0][0]

    def add(self, job: Job) -> None:
        """Take a job into its place."""
        last = self._pieces[-1]
        if job.order < last[-1].order:
            self._insert(job)
        elif len(last) < PIECE:
            last.append(job)
        else:
            self._pieces.append([job])

    def remove(self, job: Job) -> bool:
        """Take this job out. True when it was the last one; raises ValueError when it is not here."""
        pieces, order = self._pieces, job.order
        at = self._piece_of(order)
        piece = pieces[at]
        place = 0 if piece[0].order == order else bisect_left(piece, order, key=_by_order)
        if place == len(piece) or piece[place].order != order:
            raise ValueError(f"{job.uid} is not here")
        del piece[place]
        if not piece:
            del pieces[at]
        return not pieces

    def since(self, order: int) -> Iterator[Job]:
        """Those from this sort key on."""
        at, place = self._place_of(order)
        behind = chain.from_iterable(islice(self._pieces, at + 1, None))
        return chain(islice(self._pieces[at], place, None), behind)

    def before(self, order: int) -> int:
        """How many have a smaller sort key."""
        at, place = self._place_of(order)
        return sum(map(len, islice(self._pieces, at))) + place

    def _insert(self, job: Job) -> None:
        at = self._piece_of(job.order)
        piece = self._pieces[at]
        insort(piece, job, key=_by_order)
        if len(piece) > 2 * PIECE:
            self._pieces[at : at + 1] = [piece[:PIECE], piece[PIECE:]]

    def _place_of(self, order: int) -> tuple[int, int]:
        at = self._piece_of(order)
        return at, bisect_left(self._pieces[at], order, key=_by_order)

    def _piece_of(self, order: int) -> int:
        """The last piece that begins at or before this sort key, or the first one."""
        pieces = self._pieces
        if len(pieces) == 1 or order < pieces[1][0].order:
            return 0
        return bisect_right(pieces, order, key=_first_order) - 1


class Lanes:
    """Jobs by their sort key: by priority, then by arrival."""

    __slots__ = ("_count", "_lanes", "_ranks")

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        ordered = sorted(jobs, key=_by_order)
        self._count = len(ordered)
        self._lanes = {rank: Lane(list(equals)) for rank, equals in groupby(ordered, key=_rank_of)}
        self._ranks = list(self._lanes)  # of the lanes that there are, the most urgent first

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Job]:
        return self.since(0)

    def __reversed__(self) -> Iterator[Job]:
        for rank in reversed(self._ranks):
            yield from reversed(self._lanes[rank])

    def add(self, job: Job) -> None:
        """Take a job into its place."""
        rank = job.order >> ARRIVAL_BITS
        lane = self._lanes.get(rank)
        if lane is not None:
            lane.add(job)
        else:
            self._lanes[rank] = Lane([job])
            insort(self._ranks, rank)
        self._count += 1

    def remove(self, job: Job) -> None:
        """Take this job out of its place. Raises KeyError or ValueError when it is not here."""
        rank = job.order >> ARRIVAL_BITS
        if self._lanes[rank].remove(job):
            del self._lanes[rank]
            self._ranks.remove(rank)
        self._count -= 1

    def first(self, since: int = 0) -> Job | None:
        """The first job from this sort key on."""
        if not since:
            return self._lanes[self._ranks[0]].first if self._ranks else None
        return next(self.since(since), None)

    def first_of_each_priority(self) -> Iterator[Job]:
        """The one that came first, of each priority that there is."""
        return (lane.first for lane in self._lanes.values())

    def since(self, order: int) -> Iterator[Job]:
        """All jobs from this sort key on, in order."""
        rank = order >> ARRIVAL_BITS
        for each in self._ranks[bisect_left(self._ranks, rank) :]:
            lane = self._lanes[each]
            yield from lane.since(order) if each == rank else lane

    def before(self, order: int) -> int:
        """How many jobs have a smaller sort key."""
        rank = order >> ARRIVAL_BITS
        count = sum(len(self._lanes[each]) for each in self._ranks[: bisect_left(self._ranks, rank)])
        lane = self._lanes.get(rank)
        return count if lane is None else count + lane.before(order)


def _first_order(piece: list[Job]) -> int:
    return piece[0].order


def _rank_of(job: Job) -> int:
    return job.order >> ARRIVAL_BITS

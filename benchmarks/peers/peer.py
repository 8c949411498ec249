"""What every broker is asked to do."""

from typing import Protocol

from msgspec import Struct


class Peer(Protocol):
    """A running broker. Each call does its work over 32 connections, and gives operations a second."""

    def create(self) -> float:
        """Jobs of 200 bytes, of any priority."""

    def claim(self) -> float:
        """The first of those that were created."""

    def live(self) -> float:
        """Whole lives: create, claim, complete."""


class Rates(Struct, frozen=True):
    """What a broker reached, in operations a second."""

    name: str
    creates: float
    claims: float
    lives: float
    remark: str


class WorkerRates(Struct, frozen=True):
    """What a job library reached with jobs that do nothing, in jobs a second."""

    name: str
    enqueued: float
    done: float
    remark: str

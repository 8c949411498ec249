"""What the standard library does not ask of Linux: prctl(2). Imports no other room."""

import ctypes
import os
import signal
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1
_SET_DUMPABLE: Final = 4
_SET_CHILD_SUBREAPER: Final = 36
_SET_NO_NEW_PRIVILEGES: Final = 38

_libc: Final = ctypes.CDLL(None, use_errno=True)


def hide_memory() -> None:
    """No core dump of this process, and its /proc/…/environ and memory for root only.

    A program that it executes later is as open as any other.
    """
    _prctl(_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Processes below this one that lose their parent become its children, whatever session they are in."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def end_with(parent: int, by: signal.Signals) -> None:
    """Get a signal when the parent's thread that started this process ends. A change of user forgets it.

    Raises ProcessLookupError when that parent is gone already.
    """
    _prctl(_SET_PARENT_DEATH_SIGNAL, by)
    if os.getppid() != parent:
        raise ProcessLookupError("the parent is gone")


def give_up_privileges() -> None:
    """No program that is executed from now on gets more rights, whatever its set-user-id bit says."""
    _prctl(_SET_NO_NEW_PRIVILEGES, 1)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

"""Values over 16 KiB on their way into the file: each command says where it has some."""

from collections.abc import Callable
from operator import attrgetter
from typing import Final, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import (
    Amend,
    Command,
    Complete,
    Create,
    Draft,
    Fail,
    Log,
    Release,
    Settle,
    Settlement,
    Update,
)

_content_of: Final = attrgetter("content")

Placing = Callable[[bytes], bytes | Blob]
CommandT = TypeVar("CommandT", bound=Command)


def is_big(value: object) -> bool:
    """Whether a value is to stand in the file only."""
    return isinstance(value, bytes) and len(value) > BLOB_THRESHOLD_BYTES


def has_big_values(command: Command) -> bool:
    """Whether any value of the command is big."""
    match command:
        case Create():
            return any(map(is_big, map(_content_of, command.drafts)))
        case Settle():
            return any(map(_has_big_value, command.settlements))
        case Log():
            return is_big(command.data)
        case Update() | Amend():
            return is_big(command.content)
        case _:
            return False


def _has_big_value(settlement: Settlement) -> bool:
    return is_big(_value(settlement))


def big_values(command: Command) -> list[bytes]:
    """All big values of the command."""
    found: list[bytes] = []

    def note(value: bytes) -> bytes:
        found.append(value)
        return value

    placed(command, note)
    return found


def placed(command: CommandT, place: Placing) -> CommandT:
    """The command with each big value as `place` gives it back."""
    match command:
        case Create(drafts=drafts):
            return replace(command, drafts=tuple(_draft(draft, place) for draft in drafts))
        case Settle(settlements=settlements):
            return replace(command, settlements=tuple(_settlement(each, place) for each in settlements))
        case Log(data=data):
            return replace(command, data=_placed(data, place))
        case Update(content=content) | Amend(content=content) if content is not UNSET and content is not None:
            return replace(command, content=_placed(content, place))
        case _:
            return command


def _draft(draft: Draft, place: Placing) -> Draft:
    return replace(draft, content=_placed(draft.content, place))


def _settlement(settlement: Settlement, place: Placing) -> Settlement:
    match settlement:
        case Complete(result=result) | Fail(result=result) if result is not None:
            return replace(settlement, result=_placed(result, place))
        case Release(saved=saved) if saved is not None:
            return replace(settlement, saved=_placed(saved, place))
        case _:
            return settlement


def _value(settlement: Settlement) -> bytes | Blob | None:
    match settlement:
        case Complete(result=value) | Fail(result=value) | Release(saved=value):
            return value
        case _:
            return None


def _placed(value: bytes | Blob, place: Placing) -> bytes | Blob:
    return place(value) if isinstance(value, bytes) and is_big(value) else value

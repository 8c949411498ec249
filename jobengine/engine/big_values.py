"""Values over 16 KiB on their way into the file: each command says where it has some."""

from collections.abc import Callable
from operator import attrgetter
from typing import Final, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import Amend, Command, Complete, Create, Draft, Settle, Settlement, Update

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
            return any(map(_has_big_result, command.settlements))
        case Update() | Amend():
            return is_big(command.content)
        case _:
            return False


def _has_big_result(settlement: Settlement) -> bool:
    return isinstance(settlement, Complete) and is_big(settlement.result)


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
        case Update(content=content) | Amend(content=content) if content is not UNSET and content is not None:
            return replace(command, content=_placed(content, place))
        case _:
            return command


def _draft(draft: Draft, place: Placing) -> Draft:
    return replace(draft, content=_placed(draft.content, place))


def _settlement(settlement: Settlement, place: Placing) -> Settlement:
    if isinstance(settlement, Complete) and settlement.result is not None:
        return replace(settlement, result=_placed(settlement.result, place))
    return settlement


def _placed(value: bytes | Blob, place: Placing) -> bytes | Blob:
    return place(value) if isinstance(value, bytes) and is_big(value) else value

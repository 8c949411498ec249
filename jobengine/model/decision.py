"""What a rule gives back."""

from typing import Generic, TypeVar

from msgspec import Struct

from jobengine.model.changes import Change

AnswerT = TypeVar("AnswerT")


class Decision(Struct, Generic[AnswerT], frozen=True):
    """The changes to store, and the answer to give once they are."""

    changes: tuple[Change, ...]
    answer: AnswerT

"""The refusal of a text that is no filter."""

from jobengine.errors import ValidationFailed


class FilterWrong(ValidationFailed):
    """A filter that cannot be read. `column` counts its characters from 1."""

    def __init__(self, column: int, detail: str) -> None:
        super().__init__(f"column {column}: {detail}")
        self.column = column

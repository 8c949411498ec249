"""The tables of the reference: `python -m jobengine.settings.reference` writes them as Markdown."""

import sys
from collections.abc import Iterable

from jobengine.settings.environment import VARIABLES
from jobengine.settings.option import Option
from jobengine.settings.options import OPTIONS


def options_table() -> str:
    """Every option of the configuration file."""
    heads = ("Option", "Default", "Unit", "Must be", "Meaning", "Taken up")
    return _table(heads, map(_option_row, OPTIONS))


def variables_table() -> str:
    """Every environment variable."""
    rows = ((f"`{each.name}`", _code(each.default), each.meaning) for each in VARIABLES)
    return _table(("Variable", "Default", "Meaning"), rows)


def _option_row(option: Option) -> tuple[str, ...]:
    return (
        f"`{option.path}`",
        _default(option),
        option.unit,
        option.kind.expected,
        option.meaning,
        "at once" if option.live else "by a restart",
    )


def _default(option: Option) -> str:
    if option.needed:
        return "must be there"
    return f"that of `{option.name}`" if option.inherits else _code(option.written_default)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(f"{options_table()}\n{variables_table()}")

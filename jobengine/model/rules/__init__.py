"""The rules. Pure: a view, a command and the moment in; changes and an answer out."""

from jobengine.model.rules.decide import decide

__all__ = ["decide"]

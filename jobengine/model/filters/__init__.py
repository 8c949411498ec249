"""The filter language: one text that says which jobs are wanted."""

from jobengine.model.filters.filter import Filter, parse
from jobengine.model.filters.wrong import FilterWrong

__all__ = ["Filter", "FilterWrong", "parse"]

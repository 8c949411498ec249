"""Filters that are nearly right, and some that are nothing of the kind."""

from hypothesis import strategies as st

from tests.fuzz.target import Target
from tests.model.test_filters import check, sayings, texts

said = sayings.map(lambda saying: saying[0])
spoilt = st.tuples(said, st.integers(0, 80), st.text(max_size=5)).map(
    lambda case: case[0][: case[1]] + case[2] + case[0][case[1] :]
)

TARGETS = (Target("filters", st.one_of(texts, said, spoilt), check),)

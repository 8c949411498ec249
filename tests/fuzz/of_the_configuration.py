"""Configurations that are nearly right, and some that are not YAML at all."""

import yaml
from hypothesis import strategies as st

from tests.fuzz.target import Target
from tests.settings.test_configuration_fuzz import check, fragments, names, trees

texts = fragments.map(lambda text: text.encode(errors="surrogatepass"))
shaped = st.dictionaries(names, trees).map(lambda tree: yaml.safe_dump(tree).encode(errors="surrogatepass"))
spoilt = st.tuples(shaped, st.integers(0, 400), st.binary(max_size=5)).map(
    lambda case: case[0][: case[1]] + case[2] + case[0][case[1] :]
)

TARGETS = (Target("configurations", st.one_of(st.binary(), texts, shaped, spoilt), check),)

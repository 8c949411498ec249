"""Whatever a file holds, it gives Settings or mistakes, one printable line each, and nothing else."""

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from jobengine.errors import ConfigurationWrong
from jobengine.settings.load import parse
from jobengine.settings.options import OPTIONS
from jobengine.settings.schema import Settings

names = st.sampled_from(
    [option.name for option in OPTIONS] + ["queues", "limits", "metrics", "database", "mail"]
)
odd_characters = "\x00\x1b\x85\u2028\ud800\ufeff\U0001f600"
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text("a1-.${}" + odd_characters)
    | st.sampled_from(["*", "1MiB", "${A}"])
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(names | scalars, inner), max_leaves=30
)
fragments = st.lists(
    st.sampled_from(
        [
            *"-:?,[]{}#&*!|>'\"%@` \n\t$",
            *odd_characters,
            "\n  ",
            ": ",
            "- ",
            "queues",
            "port",
            "1",
            "${A:-1}",
            "&a",
            "*a",
            "<<",
        ]
    )
).map("".join)


def check(data: bytes) -> None:
    outcome = parsed(data)
    if not isinstance(outcome, Settings):
        assert outcome
        assert all(mistake.startswith("config.yml:") and mistake.isprintable() for mistake in outcome)


def parsed(data: bytes) -> Settings | tuple[str, ...]:
    try:
        return parse(data, source="config.yml", environment={"A": "7"})
    except ConfigurationWrong as refusal:
        return refusal.mistakes


@given(st.binary())
@example(b"%YAML 1." + b"9" * 5000 + b"\n---\na: 1")
@example(b'"\\ud800": 1')
def test_bytes_of_any_kind(data: bytes) -> None:
    check(data)


@given(fragments)
@example("queues: {mail: {read: ['\\ud800', write: []}}")
def test_text_that_is_nearly_yaml(text: str) -> None:
    check(text.encode(errors="surrogatepass"))


@given(st.dictionaries(names, trees))
def test_yaml_of_any_shape(tree: dict[str, object]) -> None:
    check(yaml.safe_dump(tree).encode(errors="surrogatepass"))

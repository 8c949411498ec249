"""Where the SECRET comes from."""

import os
from pathlib import Path

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.secret import SECRET_MOST_BYTES, is_short, pass_on, read_secret


def test_the_secret_is_taken_out_of_the_environment() -> None:
    environment = {"SECRET": "open sesame", "HOME": "/"}
    assert read_secret(environment) == "open sesame"
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    ("content", "secret"),
    [("sesame", "sesame"), ("sesame\n", "sesame"), ("sesame\n\n", "sesame\n"), (" a b ", " a b ")],
)
def test_one_newline_at_the_end_of_a_secret_file_does_not_count(
    tmp_path: Path, content: str, secret: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(content)
    assert read_secret({"SECRET_FILE": str(file)}) == secret


def test_without_a_secret_it_says_how_to_make_one() -> None:
    with pytest.raises(ConfigurationWrong, match=r"SECRET=\$\(openssl rand -hex 32\)"):
        read_secret({})


def test_two_secrets_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong, match="both are set"):
        read_secret({"SECRET": "open sesame", "SECRET_FILE": str(tmp_path / "secret")})


@pytest.mark.parametrize(
    ("secret", "wrong"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a" * (SECRET_MOST_BYTES + 1), "is longer than 4096 bytes"),
        (b"a" * (SECRET_MOST_BYTES + 1) + b"\n", "is longer than 4096 bytes"),
    ],
)
def test_a_secret_that_is_none_is_a_mistake(tmp_path: Path, secret: bytes, wrong: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(secret)
    with pytest.raises(ConfigurationWrong) as refusal:
        read_secret({"SECRET_FILE": str(file)})
    assert refusal.value.mistakes == (f"SECRET_FILE: {wrong}",)


def test_an_empty_secret_in_the_environment_is_a_mistake() -> None:
    with pytest.raises(ConfigurationWrong, match="SECRET: is empty"):
        read_secret({"SECRET": ""})


def test_the_longest_secret_fits_into_a_file_with_its_newline(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a" * SECRET_MOST_BYTES + "\n")
    assert len(read_secret({"SECRET_FILE": str(file)})) == SECRET_MOST_BYTES


def test_a_secret_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationWrong, match=r"SECRET_FILE: .* cannot be read: No such file or directory"
    ):
        read_secret({"SECRET_FILE": str(tmp_path / "secret")})


def test_a_secret_that_is_passed_on_is_in_no_environment_and_read_once() -> None:
    environment = {"SECRET": "a" * SECRET_MOST_BYTES}
    pass_on(environment)
    assert not any("a" * 10 in value for value in environment.values())
    (descriptor,) = (int(value) for value in environment.values())
    assert read_secret(environment) == "a" * SECRET_MOST_BYTES
    assert environment == {}
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize("descriptor", ["x", "-1", "99999"])
def test_a_descriptor_from_elsewhere_is_a_mistake(descriptor: str) -> None:
    with pytest.raises(ConfigurationWrong, match="is not for use from outside"):
        read_secret({"JOBENGINE_SECRET_FD": descriptor})


def test_a_short_secret_is_told_from_a_long_one() -> None:
    assert is_short("hunter2")
    assert not is_short("correct horse")

"""The list of mutants cannot rot: each still applies, and its test is there. `make mutants` does the rest."""

from collections import Counter

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.workshop import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_put_into_the_code_and_its_test_is_there(mutant: Mutant) -> None:
    assert mutant.problem(ROOT) is None
    assert mutant.old != mutant.new
    path, _, name = mutant.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8")


def test_each_mutant_has_its_name() -> None:
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1

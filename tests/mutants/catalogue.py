"""All bugs. Add one when you add a promise."""

from typing import Final

from tests.mutants.mutant import Mutant
from tests.mutants.of_the_doors import DOORS
from tests.mutants.of_the_engine import ENGINE
from tests.mutants.of_the_journal import JOURNAL
from tests.mutants.of_the_model import MODEL

MUTANTS: Final[tuple[Mutant, ...]] = (*JOURNAL, *MODEL, *ENGINE, *DOORS)

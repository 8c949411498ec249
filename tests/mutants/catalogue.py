"""All bugs. Add one when you add a promise."""

from typing import Final

from tests.mutants.mutant import Mutant
from tests.mutants.of_a_failing_disk import FAILING_DISK
from tests.mutants.of_leases import LEASES
from tests.mutants.of_logs import LOGS
from tests.mutants.of_new_files import NEW_FILES
from tests.mutants.of_recovery import RECOVERY
from tests.mutants.of_running import RUNNING
from tests.mutants.of_the_doors import DOORS
from tests.mutants.of_the_engine import ENGINE
from tests.mutants.of_the_rules import RULES
from tests.mutants.of_waiting import WAITING
from tests.mutants.of_writing import WRITING

MUTANTS: Final[tuple[Mutant, ...]] = (
    *(*WRITING, *RECOVERY, *NEW_FILES, *FAILING_DISK),
    *(*RULES, *LEASES, *ENGINE, *WAITING, *LOGS, *DOORS, *RUNNING),
)
